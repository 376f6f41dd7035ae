package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"golang.org/x/term"
	"golang.org/x/text/width"
)

// print writes v as JSON for programs.
func (p *program) print(v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s\n", text)
	return err
}

// printLine writes v as one line of JSON.
func (p *program) printLine(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s\n", text)
	return err
}

// terminal reports whether w is a terminal that can be drawn on.
func (p *program) terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && p.env["TERM"] != "dumb"
}

// styled reports whether w is a terminal that wants colour.
func (p *program) styled(w io.Writer) bool { return p.terminal(w) && p.env["NO_COLOR"] == "" }

// size is how many columns and lines the terminal w has; 0, 0: it is none, and nothing is cut.
func (p *program) size(w io.Writer) (columns, lines int) {
	f, ok := w.(*os.File)
	if !ok {
		return 0, 0
	}
	columns, lines, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, 0
	}
	return columns, lines
}

func (p *program) bold(s string) string { return p.style("1", s) }

func (p *program) style(code, s string) string {
	if s == "" || !p.styled(p.stdout) {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// clean makes a text that others wrote fit for a line of a terminal: it can neither move the cursor nor hide what stands there.
func clean(s string) string {
	return strings.Join(strings.Fields(strings.Map(func(c rune) rune {
		switch {
		case unicode.IsControl(c):
			return ' '
		case unicode.Is(unicode.Cf, c): // turns the direction of writing round, or cannot be seen
			return -1
		}
		return c
	}, strings.ToValidUTF8(s, "?"))), " ")
}

// cells is how many columns of a terminal a text takes.
func cells(s string) int {
	n := 0
	for _, c := range s {
		n += cellsOf(c)
	}
	return n
}

func cellsOf(c rune) int {
	switch {
	case unicode.Is(unicode.Mn, c) || unicode.Is(unicode.Me, c):
		return 0
	case c < 0x300:
		return 1
	}
	switch width.LookupRune(c).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// cut shortens a text to most columns.
func cut(s string, most int) string {
	if cells(s) <= most {
		return s
	}
	n := 0
	for i, c := range s {
		if n += cellsOf(c); n > most-1 {
			return s[:i] + "…"
		}
	}
	return s
}

func pad(s string, width int) string { return s + strings.Repeat(" ", max(0, width-cells(s))) }

// local is a time as people at this machine read it.
func local(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05 MST") }

// span is a length of time in the largest unit that says enough.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(max(d, 0).Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}

// took is how long something took, as exactly as people can use it.
func took(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	default:
		return d.Round(time.Second).String()
	}
}
