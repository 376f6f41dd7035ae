package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// proof is how one part is proven: the whole of it, and for a rebase every commit of it.
type proof struct {
	*part
	whole  *question // nil: merge bases are crossed, so that only a merge can tell
	merge  *merging  // of the whole; nil: it takes none
	steps  []*step
	failed bool // told already
}

// step is a commit of a rebased part, and the head's own commits that it may have come from: those with its author and message.
type step struct {
	id      string
	before  string
	sources []*source
}

type source struct {
	at    int32
	ask   *question
	merge *merging
}

// proven reports whether the source explains the commit with this tree.
func (s *source) proven(tree string) bool {
	return s.ask.same || s.merge != nil && s.merge.clean && s.merge.tree == tree
}

// prove holds what landed against what the members change.
func (v *verifier) prove(ctx context.Context) error {
	trees, err := v.treesOutside(ctx)
	if err != nil {
		return err
	}
	t := &trial{verifier: v, trees: trees}
	var questions []*question
	for _, p := range v.parts {
		if p.inTrunk {
			v.find(Change, p.r, p.after, sayNothingOwn(p))
			continue
		}
		pr := t.prepare(p)
		t.proofs = append(t.proofs, pr)
		if pr.whole != nil {
			questions = append(questions, pr.whole)
		}
		for _, s := range pr.steps {
			for _, from := range s.sources {
				questions = append(questions, from.ask)
			}
		}
	}
	if err := v.lens.compare(ctx, questions); err != nil {
		return err
	}
	if err := t.merges(ctx); err != nil {
		return err
	}
	for _, pr := range t.proofs {
		if err := t.judge(ctx, pr); err != nil {
			return err
		}
	}
	return nil
}

// treesOutside reads the trees of commits that the graph does not hold.
func (v *verifier) treesOutside(ctx context.Context) (map[string]string, error) {
	trees := map[string]string{}
	var ids []string
	need := func(all ...string) {
		for _, id := range all {
			if _, asked := trees[id]; !asked && v.graph.place(id) == outside {
				trees[id] = ""
				ids = append(ids, id)
			}
		}
	}
	for _, p := range v.parts {
		need(p.before)
		need(p.forks...)
		for _, at := range p.own {
			need(v.graph.nodes[at].parents...)
		}
	}
	err := v.lens.read(ctx, ids, func(id string, body []byte) error {
		c, err := parseCommit(id, body)
		if err != nil {
			return fmt.Errorf("read %s: %w", id, err)
		}
		trees[id] = c.tree
		return nil
	})
	return trees, err
}

// trial is one run of the second check.
type trial struct {
	*verifier
	trees  map[string]string // of commits that the graph does not hold
	proofs []*proof
}

func (t *trial) tree(id string) string {
	if at := t.graph.place(id); at != outside {
		return t.graph.nodes[at].tree
	}
	return t.trees[id]
}

func (t *trial) prepare(p *part) *proof {
	pr := &proof{part: p}
	if len(p.forks) == 1 {
		pr.whole = &question{want: diff{t.tree(p.forks[0]), t.tree(p.e.Head)}, got: diff{t.tree(p.before), t.tree(p.after)}}
	}
	if p.style == squash {
		c := t.graph.nodes[t.graph.place(p.after)]
		if !slices.ContainsFunc(p.own, func(at int32) bool { n := t.graph.nodes[at]; return n.encoding != "" || n.author == c.author }) {
			t.fail(pr, p.after, sayAuthor(p, c.commit))
		}
	}
	if p.style != rebase {
		return pr
	}
	used, before := map[int32]bool{}, p.before
	for _, id := range p.e.Commits {
		s := &step{id: id, before: before}
		before = id
		c := t.graph.nodes[t.graph.place(id)]
		for _, at := range p.own {
			n := t.graph.nodes[at]
			if !used[at] && n.author == c.author && n.message == c.message && n.encoding == c.encoding {
				q := &question{want: diff{t.below(n), n.tree}, got: diff{t.tree(s.before), c.tree}}
				s.sources = append(s.sources, &source{at: at, ask: q})
			}
		}
		if len(s.sources) == 0 {
			t.fail(pr, id, sayAuthor(p, c.commit))
			continue
		}
		if len(s.sources) == 1 {
			used[s.sources[0].at] = true // each commit lands once
		}
		if len(p.e.Commits) == 1 && len(p.own) == 1 && !p.merges {
			continue // it is the whole
		}
		pr.steps = append(pr.steps, s)
	}
	return pr
}

// below is the tree that a commit was made on.
func (t *trial) below(n node) string {
	if len(n.parents) == 0 {
		return hash("tree", nil, t.lens.digits)
	}
	return t.tree(n.parents[0])
}

func (t *trial) fail(pr *proof, commit, text string) {
	if !pr.failed {
		pr.failed = true
		t.find(Change, pr.r, commit, text)
	}
}

// merges settles by three-way merges what the raw diffs could not.
func (t *trial) merges(ctx context.Context) error {
	var all []*merging
	for _, pr := range t.proofs {
		if pr.failed {
			continue
		}
		if pr.whole == nil || !pr.whole.same {
			ours := pr.before
			if len(pr.below) > 0 { // so that git finds the merge base of a change that stands on another one
				var err error
				if ours, err = t.lens.standIn(t.tree(pr.before), append([]string{pr.r.s.Old}, pr.below...)); err != nil {
					return err
				}
			}
			pr.merge = &merging{ours: ours, theirs: pr.e.Head}
			all = append(all, pr.merge)
		}
		for _, s := range pr.steps {
			if slices.ContainsFunc(s.sources, func(from *source) bool { return from.ask.same }) {
				continue
			}
			for _, from := range s.sources {
				var err error
				if from.merge, err = t.pick(from.at, t.tree(s.before)); err != nil {
					return err
				}
				all = append(all, from.merge)
			}
		}
	}
	return t.lens.merge(ctx, all)
}

// pick merges one commit into a tree, with its parent as the merge base.
func (t *trial) pick(at int32, onto string) (*merging, error) {
	n := t.graph.nodes[at]
	ours, err := t.lens.standIn(onto, n.parents)
	return &merging{ours: ours, theirs: n.id}, err
}

// judge says what is wrong with a part, if anything is.
func (t *trial) judge(ctx context.Context, pr *proof) error {
	if pr.failed {
		return nil
	}
	merged := pr.merge != nil
	if merged && (!pr.merge.clean || pr.merge.tree != t.tree(pr.after)) {
		partly := pr.style == rebase && !pr.merges && len(pr.own) > 1
		switch {
		case pr.merge.clean:
			paths, err := t.lens.paths(ctx, pr.merge.tree, t.tree(pr.after), 5)
			if err != nil {
				return err
			}
			t.fail(pr, pr.after, sayChanged(pr.part, paths))
			return nil
		case !partly:
			t.fail(pr, pr.after, sayConflict(pr.part, pr.merge.conflicts))
			return nil
		}
	}
	var used []int32
	for _, s := range pr.steps {
		i := slices.IndexFunc(s.sources, func(from *source) bool { return from.proven(t.tree(s.id)) })
		if i < 0 {
			t.fail(pr, s.id, saySplit(pr.part, s.id))
			return nil
		}
		used = append(used, s.sources[i].at)
		merged = merged || s.sources[i].merge != nil
	}
	if merged {
		t.report.Merged++
	}
	if pr.merge != nil && !pr.merge.clean {
		return t.leftOut(ctx, pr, used)
	}
	return nil
}

// leftOut checks the commits of a head that did not land, where merging the whole head conflicts because trunk has a part of it
// already: each must be on trunk, or change nothing where it would have come.
func (t *trial) leftOut(ctx context.Context, pr *proof, used []int32) error {
	var names []string
	var all []*merging
	state, next := t.tree(pr.before), 0
	for _, at := range pr.own {
		if next < len(used) && used[next] == at {
			state = t.tree(pr.e.Commits[next])
			next++
			continue
		}
		if slices.Contains(used, at) {
			continue
		}
		m, err := t.pick(at, state)
		if err != nil {
			return err
		}
		names, all = append(names, t.graph.nodes[at].id+" "+state), append(all, m)
	}
	if err := t.lens.merge(ctx, all); err != nil {
		return err
	}
	equal, err := t.onTrunk(ctx, pr)
	if err != nil {
		return err
	}
	for i, m := range all {
		id, state, _ := strings.Cut(names[i], " ")
		if !equal[id] && (!m.clean || m.tree != state) {
			t.fail(pr, pr.after, sayLeftOut(pr.part, id))
		}
	}
	return nil
}

// onTrunk are the head's commits that trunk had an equal of, by the lines they change.
func (t *trial) onTrunk(ctx context.Context, pr *proof) (map[string]bool, error) {
	ids, err := t.lens.list(ctx, []string{pr.r.s.Old + "..." + pr.e.Head}, "--no-merges", "--cherry-mark", "--right-only")
	if err != nil {
		return nil, fmt.Errorf("compare with trunk: %w", err)
	}
	equal := map[string]bool{}
	for _, id := range ids {
		if rest, ok := strings.CutPrefix(id, "="); ok {
			equal[rest] = true
		}
	}
	return equal, nil
}
