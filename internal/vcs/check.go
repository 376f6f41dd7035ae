package vcs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"lander/internal/queue"
)

// Check proves by other means than Build's that a candidate is what its members say: the commits are the members' own,
// in order, by the same authors, and every path changes as the members change it. Anything else is *queue.MismatchError;
// other errors mean that the check could not be made, so that nothing is known.
func (r *Repo) Check(ctx context.Context, req queue.BuildRequest, built queue.Built) error {
	wrong, err := r.check(ctx, req, built)
	if err != nil {
		return fmt.Errorf("check candidate %s: %w", built.SHA.Short(), err)
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return &queue.MismatchError{Candidate: built.SHA, Paths: slices.Compact(wrong)}
	}
	return nil
}

func (r *Repo) check(ctx context.Context, req queue.BuildRequest, built queue.Built) ([]string, error) {
	if err := errors.Join(checkRequest(req), full(built.SHA, built.Tree)); err != nil {
		return nil, err
	}
	for _, c := range built.Commits {
		if err := full(c.SHA); err != nil {
			return nil, err
		}
	}
	objects, err := r.objects(ctx)
	if err != nil {
		return nil, err
	}
	defer objects.close()
	k := &checker{repo: r, objects: objects, diffs: map[pair]diff{}}
	parts, wrong, err := k.parts(ctx, req, built)
	if err != nil || len(wrong) > 0 {
		return wrong, err
	}
	var pairs []pair
	for _, p := range parts {
		pairs = append(pairs, p.pairs()...)
	}
	if err := k.load(ctx, pairs); err != nil {
		return nil, err
	}
	for _, p := range parts {
		found, err := k.part(ctx, p)
		if err != nil {
			return nil, err
		}
		wrong = append(wrong, found...)
	}
	return wrong, nil
}

// checker compares diffs. It is used once.
type checker struct {
	repo    *Repo
	objects *objects
	diffs   map[pair]diff
}

func (k *checker) load(ctx context.Context, pairs []pair) error {
	found, err := k.repo.diffs(ctx, pairs)
	maps.Copy(k.diffs, found)
	return err
}

// part is one member's share of a candidate.
type part struct {
	before, after queue.SHA   // the candidate without and with the member
	forks         []queue.SHA // where the member left what is below: its merge bases
	head          queue.SHA
	own           []commit // the member's commits without merges, oldest first
	straight      bool     // there are no merges
	steps         []step   // what became of them, when they were replayed one by one
}

func (p part) pairs() []pair {
	pairs := []pair{{p.before, p.after}}
	for _, fork := range p.forks {
		pairs = append(pairs, pair{fork, p.head})
	}
	for i, s := range p.steps {
		pairs = append(pairs, p.made(i), k1(s.source))
	}
	return pairs
}

// made is the diff that the i-th step made.
func (p part) made(i int) pair {
	if i == 0 {
		return pair{p.before, p.steps[0].made.id}
	}
	return pair{p.steps[i-1].made.id, p.steps[i].made.id}
}

// k1 is the diff of a commit that is no merge.
func k1(c commit) pair {
	if len(c.parents) == 0 {
		return pair{"", c.id}
	}
	return pair{c.parents[0], c.id}
}

// part returns the paths where a member's share is not what the member says.
func (k *checker) part(ctx context.Context, p part) ([]string, error) {
	wrong, unclear, err := k.whole(ctx, p)
	if err != nil {
		return nil, err
	}
	if len(p.steps) == 0 || len(p.own) == 1 && p.straight {
		return append(wrong, unclear...), nil // there is nothing smaller that could explain it
	}
	for i, s := range p.steps {
		bad, vague, err := k.explain(ctx, question{want: k.diffs[k1(s.source)], got: k.diffs[p.made(i)], from: k1(s.source).old, to: p.made(i).old})
		if err != nil {
			return nil, err
		}
		wrong = append(append(wrong, bad...), vague...)
	}
	if len(unclear) == 0 {
		return wrong, nil
	}
	idle, err := k.dropped(ctx, p)
	return append(wrong, idle...), err
}

// whole compares the member as a whole with all that it did to the candidate. With several merge bases each path has the
// best of its answers.
func (k *checker) whole(ctx context.Context, p part) (wrong, vague []string, err error) {
	for i, fork := range p.forks {
		no, unclear, err := k.explain(ctx, question{want: k.diffs[pair{fork, p.head}], got: k.diffs[pair{p.before, p.after}], from: fork, to: p.before})
		if err != nil {
			return nil, nil, err
		}
		if i == 0 {
			wrong, vague = no, unclear
			continue
		}
		var stillWrong, stillVague []string
		for _, path := range wrong {
			switch {
			case slices.Contains(no, path):
				stillWrong = append(stillWrong, path)
			case slices.Contains(unclear, path):
				stillVague = append(stillVague, path)
			}
		}
		for _, path := range vague {
			if slices.Contains(no, path) || slices.Contains(unclear, path) {
				stillVague = append(stillVague, path)
			}
		}
		wrong, vague = stillWrong, stillVague
	}
	return wrong, vague, nil
}

// dropped returns the paths that commits which were left out would have changed.
func (k *checker) dropped(ctx context.Context, p part) ([]string, error) {
	var wrong []string
	state, next := p.before, 0
	for _, c := range p.own {
		if next < len(p.steps) && p.steps[next].source.id == c.id {
			state = p.steps[next].made.id
			next++
			continue
		}
		if err := k.load(ctx, []pair{k1(c)}); err != nil {
			return nil, err
		}
		bad, vague, err := k.explain(ctx, question{want: k.diffs[k1(c)], from: k1(c).old, to: state})
		if err != nil {
			return nil, err
		}
		wrong = append(append(wrong, bad...), vague...)
	}
	return wrong, nil
}

// parts takes a candidate's history apart and says what is wrong with it as a history.
func (k *checker) parts(ctx context.Context, req queue.BuildRequest, built queue.Built) ([]part, []string, error) {
	graph, err := k.graph(ctx, req, built.SHA)
	if err != nil {
		return nil, nil, err
	}
	var (
		parts []part
		wrong []string
		at    = req.Base
		rest  = built.Commits
	)
	for i, member := range req.Members {
		n := 0
		for n < len(rest) && rest[n].Member == member.Number {
			n++
		}
		p, bad, err := k.take(ctx, req, i, at, rest[:n], graph)
		if err != nil {
			return nil, nil, err
		}
		parts, wrong = append(parts, p), append(wrong, bad...)
		at, rest = p.after, rest[n:]
	}
	if at != built.SHA || len(rest) > 0 {
		wrong = append(wrong, sayWrongHistory(built.SHA.Short()))
	}
	last, err := k.objects.commit(built.SHA)
	if err == nil && last.tree != built.Tree {
		wrong = append(wrong, sayWrongTree(built.SHA.Short()))
	}
	return parts, wrong, err
}

// take reads the commits of member i, which must stand one upon the other from at.
func (k *checker) take(ctx context.Context, req queue.BuildRequest, i int, at queue.SHA, made []queue.BuiltCommit, graph graph) (part, []string, error) {
	member := req.Members[i]
	p := part{before: at, after: at, head: member.Head}
	if len(made) == 0 {
		return p, []string{sayNothingOf(member.Number)}, nil
	}
	below := []queue.SHA{req.Base}
	for _, m := range req.Members[:i] {
		below = append(below, m.Head)
	}
	if err := k.ownOf(ctx, &p, below, graph); err != nil {
		return part{}, nil, err
	}
	var wrong []string
	for _, b := range made {
		c, err := k.objects.commit(b.SHA)
		if err != nil {
			return part{}, nil, err
		}
		parents := []queue.SHA{p.after}
		if req.Style == queue.StyleMerge {
			parents = append(parents, member.Head)
		}
		if !slices.Equal(c.parents, parents) || b.From != b.SHA && c.committer != k.repo.committer(req.At) {
			wrong = append(wrong, sayWrongHistory(c.id.Short()))
		}
		p.after = c.id
		if b.From == "" && member.Message != "" && c.message != member.Message && c.message != member.Message+"\n" {
			wrong = append(wrong, sayWrongAuthor(c.id.Short()))
		}
		switch req.Style {
		case queue.StyleMerge:
			if c.author != k.repo.committer(req.At) {
				wrong = append(wrong, sayWrongAuthor(c.id.Short()))
			}
		case queue.StyleSquash:
			if len(p.own) == 0 || c.author != p.own[0].decode(p.own[0].author) {
				wrong = append(wrong, sayWrongAuthor(c.id.Short()))
			}
		default:
			source, ok := p.source(b.From)
			if !ok {
				return p, append(wrong, sayWrongHistory(c.id.Short())), nil
			}
			if c.author != source.author || c.encoding != source.encoding || c.message != source.message {
				wrong = append(wrong, sayWrongAuthor(c.id.Short()))
			}
			p.steps = append(p.steps, step{made: c, source: source})
		}
	}
	if req.Style != "" && req.Style != queue.StyleRebase && len(made) != 1 {
		wrong = append(wrong, sayWrongHistory(p.after.Short()))
	}
	return p, wrong, nil
}

// source finds a commit of the member's own, after the one that the last step came from.
func (p part) source(id queue.SHA) (commit, bool) {
	from := 0
	if n := len(p.steps); n > 0 {
		from = 1 + slices.IndexFunc(p.own, func(c commit) bool { return c.id == p.steps[n-1].source.id })
	}
	i := slices.IndexFunc(p.own[from:], func(c commit) bool { return c.id == id })
	if i < 0 {
		return commit{}, false
	}
	return p.own[from+i], true
}

// graph is the commits above the base, oldest first, with their parents.
type graph struct {
	order   []queue.SHA
	parents map[queue.SHA][]queue.SHA
}

func (k *checker) graph(ctx context.Context, req queue.BuildRequest, candidate queue.SHA) (graph, error) {
	args := []string{"rev-list", "--topo-order", "--reverse", "--parents", "^" + string(req.Base), string(candidate)}
	for _, member := range req.Members {
		args = append(args, string(member.Head))
	}
	out, err := k.repo.git().Output(ctx, nil, args...)
	if err != nil {
		return graph{}, err
	}
	g := graph{parents: map[queue.SHA][]queue.SHA{}}
	for line := range bytes.Lines(out) {
		ids := bytes.Fields(line)
		id := queue.SHA(ids[0])
		g.order, g.parents[id] = append(g.order, id), []queue.SHA{}
		for _, parent := range ids[1:] {
			g.parents[id] = append(g.parents[id], queue.SHA(parent))
		}
	}
	return g, nil
}

// reach marks a commit and its ancestors above the base.
func (g graph) reach(from queue.SHA, seen map[queue.SHA]bool) {
	todo := []queue.SHA{from}
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if _, above := g.parents[id]; above && !seen[id] {
			seen[id] = true
			todo = append(todo, g.parents[id]...)
		}
	}
}

// ownOf finds the commits that are the member's own and where they fork from what is below.
func (k *checker) ownOf(ctx context.Context, p *part, below []queue.SHA, g graph) error {
	theirs, mine := map[queue.SHA]bool{}, map[queue.SHA]bool{}
	for _, id := range below {
		g.reach(id, theirs)
	}
	g.reach(p.head, mine)
	p.straight = true
	for _, id := range g.order {
		if !mine[id] || theirs[id] {
			continue
		}
		if len(g.parents[id]) > 1 {
			p.straight = false
			continue
		}
		c, err := k.objects.commit(id)
		if err != nil {
			return err
		}
		p.own = append(p.own, c)
	}
	if p.straight && len(p.own) > 0 && len(p.own[0].parents) == 1 {
		p.forks = p.own[0].parents
		return nil
	}
	args := []string{"merge-base", "--all", string(p.head)}
	for _, id := range below {
		args = append(args, string(id))
	}
	out, err := k.repo.git().Output(ctx, nil, args...)
	for line := range bytes.Lines(out) {
		p.forks = append(p.forks, queue.SHA(bytes.TrimSpace(line)))
	}
	if err != nil || len(p.forks) < 2 {
		return err
	}
	between, err := k.between(ctx, p.forks)
	p.forks = append(p.forks, between)
	return err
}

// between is what git takes as the merge base when branches have merged one another crosswise: the merge of all merge
// bases. It is the one place where the check leans on git's own merge, and only to have one more base to compare with.
func (k *checker) between(ctx context.Context, forks []queue.SHA) (queue.SHA, error) {
	at := forks[len(forks)-1]
	for _, fork := range slices.Backward(forks[:len(forks)-1]) {
		m, err := k.repo.merge(ctx, at, fork)
		if err != nil {
			return "", err
		}
		nobody := "lander <> 0 +0000"
		made, err := k.repo.writeCommit(commit{tree: m.tree, parents: []queue.SHA{at, fork}, author: nobody, committer: nobody})
		if err != nil {
			return "", err
		}
		at = made.id
	}
	return at, nil
}
