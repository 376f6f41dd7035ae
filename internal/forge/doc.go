// Package forge is what a code host is to lander, whichever host it is.
//
// Three things live here, all of them pure. A webhook becomes a [Hint]: it says where to look and never what is so, so that a
// forged, lost, late or repeated one cannot change what lander does, only when. A comment becomes commands: [Commands] reads it
// as people see it, through a CommonMark tree, so that text that is quoted, fenced, hidden or inside code never commands. And a
// [queue.Notice] becomes words: [Comment] and [Status] write what people read, with everything that users typed made harmless.
//
// Each comment ends with a hidden key. Telling the same notice twice finds the first comment by it and edits or skips.
//
// Talking to a host is the business of the packages below this one. They share the errors declared here, because their caller
// branches on them: what is not there, what is refused, what must wait, and what may simply be tried again.
package forge
