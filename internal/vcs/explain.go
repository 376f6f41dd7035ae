package vcs

import (
	"context"
	"maps"
	"slices"

	"lander/internal/queue"
)

// question asks whether got, a change made to the tree of to, is want, a change made to the tree of from.
type question struct {
	want, got diff
	from, to  queue.SHA // commits; an empty from is the empty tree
}

// answer to a question about a path.
type answer int

const (
	no      answer = iota // explained by nothing: an alarm
	unclear               // both sides changed the same place, so that nothing follows
	yes
)

// sides are the four files of a three-way merge: what the member started from and made of it, and what the candidate had
// there and has now.
type sides struct{ old, mine, below, result file }

// explain returns the paths where got is not explained by want, and those where it is unclear.
func (k *checker) explain(ctx context.Context, q question) (wrong, vague []string, err error) {
	open, err := k.sides(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	answers := map[string]answer{}
	for _, path := range slices.Sorted(maps.Keys(open)) {
		s := open[path]
		got, err := k.merges(ctx, s)
		if err != nil {
			return nil, nil, err
		}
		if _, touched := q.want[path]; !touched {
			got = no // only a rename can explain it
		}
		if got != yes {
			answers[path] = got
		}
	}
	if len(answers) > 0 {
		if err := k.renames(ctx, q, open, answers); err != nil {
			return nil, nil, err
		}
	}
	for _, path := range slices.Sorted(maps.Keys(answers)) {
		switch answers[path] {
		case no:
			wrong = append(wrong, path)
		case unclear:
			vague = append(vague, path)
		}
	}
	return wrong, vague, nil
}

// sides gathers the four files of every path that either diff touches, but those where the diffs are the same.
func (k *checker) sides(ctx context.Context, q question) (map[string]sides, error) {
	open := map[string]sides{}
	var lookUp []string
	for path, want := range q.want {
		got, ok := q.got[path]
		if ok && got == want {
			continue
		}
		if !ok {
			lookUp = append(lookUp, path)
		}
		open[path] = sides{old: want.old, mine: want.new, below: got.old, result: got.new}
	}
	for path, got := range q.got {
		if _, ok := q.want[path]; !ok {
			open[path] = sides{below: got.old, result: got.new}
		}
	}
	if len(lookUp) == 0 {
		return open, nil
	}
	slices.Sort(lookUp)
	standing, err := k.repo.files(ctx, q.to, lookUp)
	for _, path := range lookUp {
		s := open[path]
		s.below, s.result = standing[path], standing[path]
		open[path] = s
	}
	return open, err
}

// merges answers whether the result is the three-way merge.
func (k *checker) merges(ctx context.Context, s sides) (answer, error) {
	if want, ok := pick3(s.old, s.mine, s.below); ok {
		return when(s.result == want), nil
	}
	if !s.old.text() || !s.mine.text() || !s.below.text() {
		return unclear, nil
	}
	mode, ok := pick3(s.old.mode, s.mine.mode, s.below.mode)
	if !ok {
		return unclear, nil
	}
	if s.result.mode != mode {
		return no, nil
	}
	if id, ok := pick3(s.old.id, s.mine.id, s.below.id); ok {
		return when(s.result.id == id), nil
	}
	return k.mergesLines(ctx, s)
}

// mergesLines works the merge of the lines out, first with its own alignment, then with git's.
func (k *checker) mergesLines(ctx context.Context, s sides) (answer, error) {
	var texts [4][]byte
	for i, f := range []file{s.old, s.mine, s.below, s.result} {
		text, err := k.objects.blob(f.id)
		if err != nil {
			return no, err
		}
		texts[i] = text
	}
	old, mine, below := splitLines(texts[0]), splitLines(texts[1]), splitLines(texts[2])
	if toMine, ok := align(old, mine); ok {
		if toBelow, ok := align(old, below); ok {
			if text, ok := mergeLines(old, mine, below, toMine, toBelow); ok && text == string(texts[3]) {
				return yes, nil
			}
		}
	}
	toMine, err := k.repo.hunks(ctx, s.old.id, s.mine.id)
	if err != nil {
		return no, err
	}
	toBelow, err := k.repo.hunks(ctx, s.old.id, s.below.id)
	if err != nil {
		return no, err
	}
	text, ok := mergeLines(old, mine, below, toMine, toBelow)
	if !ok {
		return unclear, nil
	}
	return when(text == string(texts[3])), nil
}

// pick3 is the three-way merge of things that cannot be merged any further.
func pick3[T comparable](old, mine, below T) (T, bool) {
	switch {
	case mine == below, old == mine:
		return below, true
	case old == below:
		return mine, true
	}
	return old, false
}

func when(ok bool) answer {
	if ok {
		return yes
	}
	return no
}
