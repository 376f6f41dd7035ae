package fleet

import (
	"context"
	"slices"
	"strings"

	"lander/internal/queue"
	"lander/internal/store"
)

// heads: lander moves an author's branch only from a head that was approved to what was green, by itself or below another, or back, or on to what was green later;
// and what has not landed stands where its author left it.
func (o *oracle) heads() {
	pulls, err := o.world.hub.Pulls(o.lane.Repo)
	if err != nil {
		o.complain("cannot be judged: %v", err)
	}
	for _, p := range pulls {
		if p.Base != o.lane.Trunk || p.HeadRepo != o.lane.Repo {
			continue
		}
		n, theirs, at := queue.Number(p.Number), "", ""
		for _, m := range o.moves {
			if m.ref != "refs/heads/"+p.Head {
				continue
			}
			if m.who != bot {
				theirs, at = m.new, m.new
				continue
			}
			forth := slices.Contains(o.approved[n], m.old) && o.proven(m.new)
			back := slices.Contains(o.approved[n], m.new) && o.proven(m.old)
			on := slices.Contains(o.approved[n], theirs) && at == m.old && o.proven(m.old) && o.proven(m.new)
			if !forth && !back && !on {
				o.complain("lander moved the branch of %v from %s to %s", n, m.old, m.new)
			}
			at = m.new
		}
		if o.state(n) != queue.Landed && at != theirs && strings.Trim(at, "0") != "" {
			o.complain("%v has not landed, and its branch stands on %s, where lander put it, not on %s", n, at, theirs)
		}
	}
}

// green reports whether a commit was tested and green.
func (o *oracle) green(sha string) bool {
	for _, r := range o.runs {
		if string(r.SHA) == sha && r.Verdict != nil && r.Verdict.Outcome == queue.Green {
			return true
		}
	}
	return false
}

// proven reports whether a commit was green, or is below one that was: a change in the middle of a batch.
func (o *oracle) proven(sha string) bool {
	if o.green(sha) {
		return true
	}
	return slices.ContainsFunc(o.runs, func(r store.Run) bool {
		return r.Verdict != nil && r.Verdict.Outcome == queue.Green && o.git.Run(context.Background(), "merge-base", "--is-ancestor", sha, string(r.SHA)) == nil
	})
}
