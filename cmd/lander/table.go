package main

import (
	"slices"
	"strings"
)

// table lines up columns. On a terminal the widest ones are cut until all fit; elsewhere nothing is cut.
type table struct {
	head  []string // empty: none
	rows  [][]string
	right []int // the columns that are aligned at their right
	paint func(column int, cell string) string
}

func (t *table) row(cells ...string) {
	for i := range cells {
		cells[i] = clean(cells[i])
	}
	t.rows = append(t.rows, cells)
}

// narrowest is how far a column is cut at most.
const narrowest = 8

// lines gives the table as text, the head first. columns is how wide it may be; 0: as wide as it is.
func (t *table) lines(columns int) []string {
	all := t.rows
	if len(t.head) > 0 {
		all = append([][]string{t.head}, all...)
	}
	widths := t.widths(all, columns)
	var out []string
	for _, r := range all {
		var plain, painted strings.Builder
		for i, c := range r {
			if widths[i] == 0 {
				continue // nothing in it anywhere
			}
			c = cut(c, widths[i])
			if slices.Contains(t.right, i) {
				c = strings.Repeat(" ", widths[i]-cells(c)) + c
			}
			if i < len(r)-1 {
				c = pad(c, widths[i]) + gap
			}
			plain.WriteString(c)
			if t.paint != nil {
				c = t.paint(i, c)
			}
			painted.WriteString(c)
		}
		line := strings.TrimRight(painted.String(), " ")
		if columns > 0 && cells(plain.String()) > columns {
			line = cut(plain.String(), columns)
		}
		out = append(out, line)
	}
	return out
}

const gap = "  "

func (t *table) widths(rows [][]string, columns int) []int {
	var widths []int
	for _, r := range rows {
		for i, c := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], cells(c))
		}
	}
	if columns == 0 {
		return widths
	}
	for {
		sum, widest := 0, 0
		for i, w := range widths {
			if w == 0 {
				continue
			}
			sum += w + len(gap)
			if w >= widths[widest] { // of equally wide ones the last: it is the least of what a row says
				widest = i
			}
		}
		if sum-len(gap) <= columns || widths[widest] <= narrowest {
			return widths
		}
		widths[widest]--
	}
}
