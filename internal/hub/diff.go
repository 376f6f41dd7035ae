package hub

import (
	"fmt"
	"strconv"
	"strings"
)

// diffRow is one line of a unified diff.
type diffRow struct {
	Kind     string // hunk, add, del, same or note
	Old, New string // line numbers; empty where there is none
	Text     string
}

// rows reads the patch of one file, from its first hunk on.
func rows(patch string) []diffRow {
	var all []diffRow
	var before, now int
	for line := range strings.SplitSeq(strings.TrimSuffix(patch, "\n"), "\n") {
		if line == "" {
			line = " "
		}
		text := line[1:]
		switch line[0] {
		case '@':
			before, now = hunkStart(line)
			all = append(all, diffRow{Kind: "hunk", Text: line})
		case '+':
			all = append(all, diffRow{Kind: "add", New: strconv.Itoa(now), Text: text})
			now++
		case '-':
			all = append(all, diffRow{Kind: "del", Old: strconv.Itoa(before), Text: text})
			before++
		case '\\':
			all = append(all, diffRow{Kind: "note", Text: strings.TrimSpace(text)})
		default:
			all = append(all, diffRow{Kind: "same", Old: strconv.Itoa(before), New: strconv.Itoa(now), Text: text})
			before++
			now++
		}
	}
	return all
}

// hunkStart is where a hunk begins in both files; git wrote the line, so that it always parses.
func hunkStart(line string) (before, now int) {
	f := strings.Fields(line)
	if len(f) < 3 {
		return 0, 0
	}
	one := func(s string) int {
		n, _, _ := strings.Cut(strings.TrimLeft(s, "+-"), ",")
		v, err := strconv.Atoi(n)
		if err != nil {
			return 0
		}
		return v
	}
	return one(f[1]), one(f[2])
}

// fileView is one file of a diff as a page shows it.
type fileView struct {
	file
	Rows []diffRow
	Note string // instead of rows
	Bars []string
}

// filesShown is how many files of a diff a page shows with their lines.
const filesShown = 100

// diffView reads the diff of a range of commits.
func (h *Hub) diffView(r *repo, between string, files []file) ([]fileView, error) {
	some := files[:min(len(files), filesShown)]
	patches, err := h.patches(r, between, some)
	if err != nil {
		return nil, err
	}
	var all []fileView
	for i, f := range files {
		v := fileView{file: f, Bars: bars(f.Additions, f.Deleted)}
		patch := patches[f.Path]
		switch {
		case patch != "":
			v.Rows = rows(patch)
		case f.Binary:
			v.Note = "A binary file."
		case i >= filesShown:
			v.Note = fmt.Sprintf("Only the first %d files are shown with their lines.", filesShown)
		case f.Additions+f.Deleted > 0:
			v.Note = "Too long to be shown here."
		case f.Was != "":
			v.Note = "Renamed, nothing else."
		default:
			v.Note = "Nothing but the mode, or an empty file."
		}
		all = append(all, v)
	}
	return all, nil
}

// bars are five small boxes in the proportion of lines added and deleted.
func bars(added, deleted int) []string {
	all := []string{"", "", "", "", ""}
	total := added + deleted
	if total == 0 {
		return all
	}
	n := min(total, len(all))
	green := (added*n + total/2) / total
	if added > 0 {
		green = max(green, 1)
	}
	for i := range n {
		all[i] = "del"
		if i < green {
			all[i] = "add"
		}
	}
	return all
}
