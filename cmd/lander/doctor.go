package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"lander/internal/serve"
)

func (p *program) doctor() *cobra.Command {
	var blind bool
	c := &cobra.Command{
		Use:     "doctor",
		Short:   shortDoctor,
		Long:    longDoctor,
		Example: exampleDoctor,
		Args:    arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			settings, err := p.load(c, true)
			if err != nil {
				return err
			}
			r := &diagnosis{program: p}
			misspelt := p.misspelt()
			for _, name := range slices.Sorted(maps.Keys(misspelt)) {
				r.add(serve.Finding{About: "machine", Check: "settings", Mark: serve.Warning, Found: sayMisspelt(name, misspelt[name]), Mend: sayMendSetting})
			}
			(&serve.Doctor{Settings: settings, Push: !blind}).Examine(c.Context(), r.add)
			return r.end()
		},
	}
	p.settingFlags(c)
	c.Flags().BoolVar(&blind, "no-push", false, usageNoPush)
	c.Flags().BoolVar(&p.json, "json", false, usageJSON)
	return c
}

// diagnosis prints findings as they come, or all at the end as JSON.
type diagnosis struct {
	*program

	Findings []serve.Finding `json:"findings"`
	Good     int             `json:"good"`
	Warnings int             `json:"warnings"`
	Unproven int             `json:"unproven"`
	Bad      int             `json:"bad"`
	Away     int             `json:"unreachable"` // of the bad ones
}

func (d *diagnosis) add(f serve.Finding) {
	if !d.program.json {
		d.show(f)
	}
	d.Findings = append(d.Findings, f)
	switch f.Mark {
	case serve.Good:
		d.Good++
	case serve.Warning:
		d.Warnings++
	case serve.Unproven:
		d.Unproven++
	default:
		d.Bad++
	}
	if f.Away {
		d.Away++
	}
}

const (
	labelWidth  = 16
	foundColumn = 2 + 2 + labelWidth + 1
)

// show prints one finding below the heading that it belongs under.
func (d *diagnosis) show(f serve.Finding) {
	if n := len(d.Findings); n == 0 || d.Findings[n-1].About != f.About {
		if n > 0 {
			fmt.Fprintln(d.stdout)
		}
		fmt.Fprintln(d.stdout, d.bold(clean(sayAbout(f.About))))
	}
	d.line(f.Mark, sayCheck(f.Check), f.Found, f.Mend)
}

// line prints one thing that was looked at, and how it is mended.
func (p *program) line(m serve.Mark, label, found, mend string) {
	columns, _ := p.size(p.stdout)
	sign, indent := marks[m], strings.Repeat(" ", foundColumn)
	for i, line := range wrap(clean(found), columns-foundColumn) {
		if i > 0 {
			fmt.Fprintln(p.stdout, indent+line)
			continue
		}
		fmt.Fprintf(p.stdout, "  %s %s %s\n", p.style(sign.colour, sign.text), pad(label, labelWidth), line)
	}
	if mend == "" {
		return
	}
	for i, line := range wrap(clean(mend), columns-foundColumn-2) {
		fmt.Fprintln(p.stdout, indent+[]string{"→ ", "  "}[min(i, 1)]+line)
	}
}

// marks are how findings look.
var marks = map[serve.Mark]struct{ text, colour string }{
	serve.Good: {"✓", "32"}, serve.Warning: {"!", "33"}, serve.Unproven: {"?", "36"}, serve.Bad: {"✗", "31"},
}

// end says what it comes to.
func (d *diagnosis) end() error {
	if d.program.json {
		if err := d.print(d); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(d.stdout, "\n%s\n", sayDiagnosis(d.Bad, d.Warnings, d.Unproven))
	}
	switch {
	case d.Away > 0:
		return &failure{exitUnreachable, nil}
	case d.Bad > 0:
		return &failure{exitNo, nil}
	}
	return nil
}

// wrap breaks a text between words into lines of at most so many columns; below 20 it is left whole.
func wrap(text string, columns int) []string {
	if columns < 20 {
		return []string{text}
	}
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && cells(line)+1+cells(word) > columns {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
