package forge

import (
	"regexp"
	"slices"
	"strings"
)

// elements are the HTML elements that a comment has open at some point. CommonMark parses the text between two HTML blocks as
// ordinary paragraphs, but people see it inside the element: a quote, code, or details folded away.
type elements []string

var (
	hidden = regexp.MustCompile(`(?s)<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>`)
	tag    = regexp.MustCompile(`(?s)<(/?)([A-Za-z][A-Za-z0-9-]*)((?:[^<>"']|"[^"]*"|'[^']*')*)>`)
)

// containers are the elements that change what text inside them means. Others are dropped by the forge, or are closed by the next
// block, or hold no text; "Map<K> and" must not silence what follows.
var containers = strings.Fields(`a article aside b blockquote center code dd del details dfn div dl dt em figcaption figure font
	h1 h2 h3 h4 h5 h6 i iframe ins kbd li main mark math nav noembed noframes ol picture plaintext pre q s samp script section small
	span strike strong style sub summary sup svg table tbody td textarea tfoot th thead title tr tt u ul var xmp`)

func (e *elements) read(html string) {
	for _, m := range tag.FindAllStringSubmatch(hidden.ReplaceAllString(html, ""), -1) {
		name := strings.ToLower(m[2])
		switch {
		case !slices.Contains(containers, name):
		case m[1] == "":
			// A final slash closes nothing in HTML: <div/> opens a div.
			*e = append(*e, name)
		default:
			for i, open := range slices.Backward(*e) {
				if open == name {
					*e = (*e)[:i]
					break
				}
			}
		}
	}
}
