package vcs

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"lander/internal/queue"
)

// hunk says that lines [from, to) of the old text became lines [newFrom, newTo) of the new one.
type hunk struct{ from, to, newFrom, newTo int }

// splitLines keeps the line ends, so that joining the lines gives the text back.
func splitLines(text []byte) []string {
	lines := strings.SplitAfter(string(text), "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// mergeLines is the classic three-way merge: it applies both sides' hunks to the old lines. Hunks that overlap or touch
// must come to the same text on both sides, else it is not ok.
func mergeLines(old, mine, below []string, toMine, toBelow []hunk) (string, bool) {
	var b strings.Builder
	at := 0
	for len(toMine) > 0 || len(toBelow) > 0 {
		from := len(old)
		if len(toMine) > 0 {
			from = toMine[0].from
		}
		if len(toBelow) > 0 {
			from = min(from, toBelow[0].from)
		}
		to := from
		m, n := 0, 0
		for grown := true; grown; {
			grown = false
			for m < len(toMine) && toMine[m].from <= to {
				to, m, grown = max(to, toMine[m].to), m+1, true
			}
			for n < len(toBelow) && toBelow[n].from <= to {
				to, n, grown = max(to, toBelow[n].to), n+1, true
			}
		}
		x, y := window(mine, toMine[:m], from, to), window(below, toBelow[:n], from, to)
		var text []string
		switch {
		case n == 0, slices.Equal(x, y):
			text = x
		case m == 0:
			text = y
		default:
			return "", false
		}
		writeLines(&b, old[at:from])
		writeLines(&b, text)
		at, toMine, toBelow = to, toMine[m:], toBelow[n:]
	}
	writeLines(&b, old[at:])
	return b.String(), true
}

// window is what old lines [from, to) became on a side, given the side's hunks within.
func window(side []string, within []hunk, from, to int) []string {
	if len(within) == 0 {
		return nil
	}
	first, last := within[0], within[len(within)-1]
	return side[first.newFrom-(first.from-from) : last.newTo+(to-last.to)]
}

func writeLines(b *strings.Builder, lines []string) {
	for _, line := range lines {
		b.WriteString(line)
	}
}

// align finds a shortest edit script from a to b (Myers). It is not ok when they differ by so much that it would take long.
func align(a, b []string) ([]hunk, bool) {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	x, y := a[head:len(a)-tail], b[head:len(b)-tail]
	const most = 800
	var trails [][]int32
	front := make([]int32, 2*most+3)
	for d := 0; d <= most; d++ {
		trails = append(trails, slices.Clone(front[most+1-d-1:most+1+d+2]))
		for k := -d; k <= d; k += 2 {
			var i int32
			if k == -d || k != d && front[most+1+k-1] < front[most+1+k+1] {
				i = front[most+1+k+1]
			} else {
				i = front[most+1+k-1] + 1
			}
			for int(i) < len(x) && int(i)-k < len(y) && x[i] == y[int(i)-k] {
				i++
			}
			front[most+1+k] = i
			if int(i) >= len(x) && int(i)-k >= len(y) {
				return backtrack(trails, len(x), len(y), head), true
			}
		}
	}
	return nil, false
}

// backtrack walks the furthest points of each round back to the start. trails[d] holds diagonals -d-1 to d+1 before round d.
func backtrack(trails [][]int32, i, j, offset int) []hunk {
	var hunks []hunk
	for d := len(trails) - 1; d > 0; d-- {
		v := func(k int) int { return int(trails[d][k+d+1]) }
		k := i - j
		prev := k - 1
		if k == -d || k != d && v(k-1) < v(k+1) {
			prev = k + 1
		}
		pi := v(prev)
		pj := pi - prev
		// One edit leads from (pi, pj) onto diagonal k; the rest of the way is equal lines.
		from, to, newFrom, newTo := pi, pi, pj, pj+1
		if prev == k-1 {
			from, to, newFrom, newTo = pi, pi+1, pj, pj
		}
		if n := len(hunks); n > 0 && hunks[n-1].from == to+offset && hunks[n-1].newFrom == newTo+offset {
			hunks[n-1].from, hunks[n-1].newFrom = from+offset, newFrom+offset
		} else {
			hunks = append(hunks, hunk{from + offset, to + offset, newFrom + offset, newTo + offset})
		}
		i, j = pi, pj
	}
	slices.Reverse(hunks)
	return hunks
}

// hunks are the hunks that git diff prints between two blobs, in the alignment that git's own merges use.
func (r *Repo) hunks(ctx context.Context, old, now queue.SHA) ([]hunk, error) {
	if old == now {
		return nil, nil
	}
	out, err := r.git().Output(ctx, nil, "diff", "--histogram", "--no-indent-heuristic", "--unified=0", "--inter-hunk-context=0",
		"--text", "--no-color", "--no-ext-diff", "--no-textconv", string(old), string(now))
	if err != nil {
		return nil, err
	}
	var hunks []hunk
	for line := range bytes.Lines(out) {
		if !bytes.HasPrefix(line, []byte("@@ ")) {
			continue
		}
		h, err := parseHunk(string(line))
		if err != nil {
			return nil, err
		}
		hunks = append(hunks, h)
	}
	return hunks, nil
}

// parseHunk reads "@@ -from,count +from,count @@"; a count of 1 is left out, and with a count of 0 from is the line before.
func parseHunk(line string) (hunk, error) {
	fields := strings.Fields(line)
	if len(fields) < 3 {
		return hunk{}, fmt.Errorf("git diff: hunk %q", line)
	}
	var spans [2][2]int
	for i, field := range fields[1:3] {
		from, count := 0, 1
		_, err := fmt.Sscanf(field[1:], "%d,%d", &from, &count)
		if err != nil && strings.Contains(field, ",") {
			return hunk{}, fmt.Errorf("git diff: hunk %q: %w", line, err)
		}
		if count > 0 {
			from--
		}
		spans[i] = [2]int{from, from + count}
	}
	return hunk{spans[0][0], spans[0][1], spans[1][0], spans[1][1]}, nil
}
