package vcs

import (
	"bytes"
	"context"
	"maps"
	"path"
	"slices"
	"strings"
)

// renames looks for renames that explain the paths that are still open. No rename detection is trusted: a rename explains
// two paths when, followed, it makes the result the exact three-way merge.
func (k *checker) renames(ctx context.Context, q question, all map[string]sides, answers map[string]answer) error {
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		if answers[name] == yes {
			continue
		}
		_, touched := q.want[name]
		s := all[name]
		var err error
		switch {
		case !touched && !s.below.none() && !s.result.none():
			err = k.renamedBelow(ctx, q, name, all, answers)
		case touched && s.old.none() && !s.result.none():
			err = k.renamedByMember(ctx, q, name, all, answers)
		case touched && s.mine.none() && s.result.none():
			err = k.movedAway(ctx, q, name, all, answers)
		case touched && s.below.none() && s.result.none():
			err = k.appliedBelow(ctx, q, name, all, answers)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// renamedBelow: trunk renamed a file that the member edits to name.
func (k *checker) renamedBelow(ctx context.Context, q question, name string, all map[string]sides, answers map[string]answer) error {
	s := all[name]
	for _, from := range nearest(q.want, name) {
		f := all[from]
		if f.old.none() || f.mine.none() || !f.below.none() || !f.result.none() {
			continue
		}
		got, err := k.follows(ctx, sides{old: f.old, mine: f.mine, below: s.below, result: s.result}, s.below)
		if err != nil {
			return err
		}
		answers[name] = max(answers[name], got)
		if got == yes {
			answers[from] = yes
			return nil
		}
	}
	return nil
}

// renamedByMember: the member renamed a file to name, and trunk changed it, or renamed it in the same way.
func (k *checker) renamedByMember(ctx context.Context, q question, name string, all map[string]sides, answers map[string]answer) error {
	s := all[name]
	for _, from := range nearest(q.want, name) {
		w := q.want[from]
		if w.old.none() || !w.new.none() {
			continue
		}
		below := s.below
		if below.none() {
			below = sideOf(q, all, from).below
		}
		got, err := k.follows(ctx, sides{old: w.old, mine: s.mine, below: below, result: s.result}, s.mine)
		if err != nil {
			return err
		}
		answers[name] = max(answers[name], got)
		if got == yes {
			if _, open := answers[from]; open {
				answers[from] = yes
			}
			return nil
		}
	}
	return nil
}

// movedAway: the member renamed name, which trunk changed, to a file whose own answer was found without looking here.
func (k *checker) movedAway(ctx context.Context, q question, name string, all map[string]sides, answers map[string]answer) error {
	f := all[name]
	for _, to := range nearest(q.want, name) {
		s := sideOf(q, all, to)
		if !s.old.none() || s.mine.none() {
			continue
		}
		got, err := k.follows(ctx, sides{old: f.old, mine: s.mine, below: f.below, result: s.result}, s.mine)
		if err != nil {
			return err
		}
		if got == yes {
			answers[name] = yes
			if _, open := answers[to]; open {
				answers[to] = yes
			}
			return nil
		}
	}
	return nil
}

// appliedBelow: trunk renamed name, and has the member's edit in the renamed file already.
func (k *checker) appliedBelow(ctx context.Context, q question, name string, all map[string]sides, answers map[string]answer) error {
	if q.from == "" {
		return nil
	}
	out, err := k.repo.git().Output(ctx, nil,
		"diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--find-renames", "--diff-filter=R", string(q.from), string(q.to))
	if err != nil {
		return err
	}
	fields := bytes.Split(out, []byte{0})
	for i := 0; i+2 < len(fields); i += 3 {
		if string(fields[i+1]) != name {
			continue
		}
		c, err := parseRaw(strings.TrimPrefix(string(fields[i]), ":"))
		if err != nil {
			return err
		}
		if _, changed := q.got[string(fields[i+2])]; changed {
			return nil
		}
		got, err := k.merges(ctx, sides{old: all[name].old, mine: all[name].mine, below: c.new, result: c.new})
		if err != nil {
			return err
		}
		answers[name] = max(answers[name], got)
		return nil
	}
	return nil
}

// follows is merges for a supposed rename of s.old to renamed, which must be alike enough for git to see one.
func (k *checker) follows(ctx context.Context, s sides, renamed file) (answer, error) {
	if s.below.none() {
		return no, nil
	}
	if want, ok := pick3(s.old, s.mine, s.below); ok {
		return when(s.result == want), nil
	}
	if !s.old.text() || !renamed.text() {
		return no, nil
	}
	old, err := k.objects.blob(s.old.id)
	if err != nil {
		return no, err
	}
	now, err := k.objects.blob(renamed.id)
	if err != nil {
		return no, err
	}
	if !alike(old, now) {
		return no, nil
	}
	return k.merges(ctx, s)
}

// alike reports whether two texts share a quarter of their lines; git asks for half of the bytes.
func alike(a, b []byte) bool {
	count := map[string]int{}
	x, y := splitLines(a), splitLines(b)
	for _, line := range x {
		count[line]++
	}
	shared := 0
	for _, line := range y {
		if count[line] > 0 {
			count[line]--
			shared++
		}
	}
	longer := max(len(x), len(y))
	return longer < 8 || 4*shared >= longer
}

// sideOf are the four files of a path that the member touches, also where both diffs are the same.
func sideOf(q question, all map[string]sides, name string) sides {
	if s, ok := all[name]; ok {
		return s
	}
	w := q.want[name]
	return sides{old: w.old, mine: w.new, below: w.old, result: w.new}
}

// nearest lists a diff's paths, those with the same last element first: most renames move a file.
func nearest(d diff, name string) []string {
	paths := slices.Sorted(maps.Keys(d))
	base := path.Base(name)
	slices.SortStableFunc(paths, func(a, b string) int {
		switch x, y := path.Base(a) == base, path.Base(b) == base; {
		case x && !y:
			return -1
		case y && !x:
			return 1
		}
		return 0
	})
	return paths
}
