package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
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

// table lines up columns; on a terminal the last one is cut to fit.
type table struct {
	p    *program
	rows [][]string
}

func (p *program) table() *table { return &table{p: p} }

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) flush() {
	var width []int
	for _, r := range t.rows {
		for i, c := range r {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = min(max(width[i], utf8.RuneCountInString(c)), 48)
		}
	}
	limit := t.p.columns()
	for _, r := range t.rows {
		var b strings.Builder
		for i, c := range r {
			if i > 0 {
				b.WriteString("  ")
			}
			if i < len(r)-1 {
				c = cut(c, width[i])
				c += strings.Repeat(" ", width[i]-utf8.RuneCountInString(c))
			}
			b.WriteString(c)
		}
		line := strings.TrimRight(b.String(), " ")
		if limit > 0 {
			line = cut(line, limit)
		}
		fmt.Fprintln(t.p.stdout, line)
	}
}

// columns is how wide the terminal is; 0: there is none, and nothing is cut.
func (p *program) columns() int {
	f, ok := p.stdout.(*os.File)
	if !ok {
		return 0
	}
	w, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return w
}

func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

func bold(p *program, s string) string {
	if p.terminal(p.stdout) {
		return "\x1b[1m" + s + "\x1b[0m"
	}
	return s
}

// local is a time as people at this machine read it.
func local(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05 MST") }

// ago is how long ago something was, in the largest unit that says enough.
func ago(t time.Time) string {
	switch d := time.Since(t); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}
