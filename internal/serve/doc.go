// Package serve is one running lander: it opens the database, makes a Keeper for each lane, joins the rooms that do not know one
// another, answers HTTP, and takes it all down again in the right order. It decides nothing.
//
// cmd/lander, the demo and the tests start lander through this package, so that what is tested is what runs.
package serve
