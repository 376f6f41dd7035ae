package forge

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"

	"lander/internal/queue"
)

// Parsed is one line that is addressed to lander.
type Parsed struct {
	Line     string     // required: as it is shown
	Verb     queue.Verb // empty when Problem is set
	SHA      string     // land: full or abbreviated head, lower case
	Priority *int       // land, p
	Alone    bool       // land

	After     queue.Number // after: the pull request that comes first; 0: none is named
	NotBefore time.Time    // after: the time that is named; zero: none is

	Text    string // pause: the reason; with Problem: the line as typed
	Problem string // why it is not a command, as a sentence for who typed it
}

// The time that reading Markdown takes grows with the square of some text, and a stranger can write any text: 64 KiB of "[x](" take
// seconds. Within these bounds it is some milliseconds.
const (
	maxComment  = 16 << 10 // bytes of a comment with commands
	maxBrackets = 1000     // of [, < and > in it
	maxCommands = 10       // in one comment
)

// GitHub's dialect matters: what it shows as a table, a footnote or struck out is not plain text.
var dialect = goldmark.New(goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.TaskList, extension.Footnote))

// Commands finds the commands in a comment: lines of top-level paragraph text that begin with the prefix and a space, letter case
// aside. Nothing that is shown as a quote, a list, a heading, a table, code or a link is a command, nor anything inside HTML.
func Commands(prefix, body string) []Parsed {
	body = strings.ToValidUTF8(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(body), "\uFFFD")
	// A line of a top-level paragraph is a line of the source, spaces aside. Most comments have none that could be meant.
	possible := ""
	for l := range strings.Lines(body) {
		l = strings.Trim(l, " \t\n")
		if _, ok := addressed(prefix, line{text: l, plain: len(l)}); ok {
			possible = l
			break
		}
	}
	if possible == "" {
		return nil
	}
	brackets := 0
	for _, b := range []string{"[", "<", ">"} {
		brackets += strings.Count(body, b)
	}
	if len(body) > maxComment || brackets > maxBrackets {
		return []Parsed{{Line: possible, Text: clip(possible, 200), Problem: sayTooLong()}}
	}
	var found []Parsed
	for _, l := range plainLines([]byte(body)) {
		rest, ok := addressed(prefix, l)
		if !ok {
			continue
		}
		if len(found) == maxCommands {
			return append(found, Parsed{Line: l.text, Text: clip(l.text, 200), Problem: sayTooMany()})
		}
		found = append(found, parse(prefix, l.text, rest))
	}
	return found
}

// line is one line of paragraph text as it is shown. Only its first plain bytes are free of markup.
type line struct {
	text  string
	plain int
}

// addressed cuts the prefix off. The verb must be plain as well: a line that shows a command in code talks about it.
func addressed(prefix string, l line) (rest string, ok bool) {
	if len(l.text) < len(prefix) || !strings.EqualFold(l.text[:len(prefix)], prefix) || prefix == "" {
		return "", false
	}
	rest = l.text[len(prefix):]
	if rest != "" && rest[0] != ' ' && rest[0] != '\t' {
		return "", false
	}
	verb := strings.TrimLeft(rest, " \t")
	end := len(l.text) - len(verb) + len(firstWord(verb))
	return strings.TrimSpace(verb), end <= l.plain
}

func firstWord(s string) string {
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		return s[:i]
	}
	return s
}

// plainLines lists the lines of the top-level paragraphs that begin outside all markup.
func plainLines(source []byte) []line {
	w := &walk{source: source}
	for block := dialect.Parser().Parse(text.NewReader(source)).FirstChild(); block != nil; block = block.NextSibling() {
		switch block := block.(type) {
		case *ast.HTMLBlock:
			html := value(block.Lines(), source)
			if block.HasClosure() {
				html += string(block.ClosureLine.Value(source))
			}
			w.open.read(html)
		case *ast.Paragraph:
			w.begin()
			for n := block.FirstChild(); n != nil; n = n.NextSibling() {
				w.inline(n)
			}
			w.end()
		}
	}
	return w.lines
}

type walk struct {
	source []byte
	lines  []line
	open   elements

	text   strings.Builder
	plain  int
	marked bool // markup was met on this line
	inside bool // the line began inside an HTML element
}

func (w *walk) begin() {
	w.text.Reset()
	w.plain, w.marked, w.inside = 0, false, len(w.open) > 0
}

func (w *walk) end() {
	if w.text.Len() > 0 && !w.inside {
		w.lines = append(w.lines, line{text: strings.TrimRight(w.text.String(), " \t"), plain: w.plain})
	}
}

func (w *walk) inline(n ast.Node) {
	switch n := n.(type) {
	case *ast.Text:
		w.text.Write(n.Segment.Value(w.source))
		if !w.marked {
			w.plain = w.text.Len()
		}
		if n.SoftLineBreak() || n.HardLineBreak() {
			w.end()
			w.begin()
		}
	default:
		w.marked = true
		w.shown(n)
	}
}

// shown adds what markup shows as text, on one line.
func (w *walk) shown(n ast.Node) {
	switch n := n.(type) {
	case *ast.Text:
		w.text.WriteString(strings.ReplaceAll(string(n.Segment.Value(w.source)), "\n", " "))
		if n.SoftLineBreak() || n.HardLineBreak() {
			w.text.WriteByte(' ')
		}
		return
	case *ast.String:
		w.text.Write(n.Value)
		return
	case *ast.AutoLink:
		w.text.Write(n.Label(w.source))
		return
	case *ast.RawHTML:
		w.open.read(value(n.Segments, w.source))
		return
	case *ast.Image, *extast.FootnoteLink:
		return // shown, but not as text
	}
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		w.shown(c)
	}
}

func value(segments *text.Segments, source []byte) string {
	var b strings.Builder
	for _, s := range segments.Sliced(0, segments.Len()) {
		b.Write(s.Value(source))
	}
	return b.String()
}

func clip(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	r := []rune(s)
	return string(r[:most-1]) + "…"
}
