package queue

import (
	"slices"
	"time"
)

// What a whole run found green need not be shown a second time: where the same tree comes up again, by the same recipe and in the same
// environment, the run that there was counts. Only green is taken over, and only from a run that came to every step of its recipe
// itself: what is known in parts is known of one commit, and a red run may have been chance.

// Proofs are the green runs of a lane that others may be spared by, oldest first; at most mostProofs of them. nil: there are none.
type Proofs struct {
	Runs []Proof `json:"runs"`
}

// Proof is a whole green run.
type Proof struct {
	Tree        SHA          `json:"tree"`
	Recipe      string       `json:"recipe"`      // digest
	Environment string       `json:"environment"` // digest
	Candidate   CandidateID  `json:"candidate"`
	Run         int          `json:"run"`
	Commit      SHA          `json:"commit"`
	Members     []Member     `json:"members"`         // that its candidate had, without their messages
	Areas       Areas        `json:"areas,omitempty"` // in which it was tested apart; nil: in a train
	Rules       string       `json:"rules,omitempty"` // digest of those
	Steps       []StepResult `json:"steps"`
	At          time.Time    `json:"at"`
}

// Reuse is the run that a verdict was taken over from. It was of the same tree.
type Reuse struct {
	Candidate CandidateID `json:"candidate"`
	Run       int         `json:"run"`
	Commit    SHA         `json:"commit"`
	At        time.Time   `json:"at"`
}

// DefaultReuse is how long a green run counts for the same tree where the recipe does not say.
const DefaultReuse = 7 * 24 * time.Hour

// reuse is how long a green run of the recipe counts; zero: not at all.
func (r Recipe) reuse() time.Duration {
	if r.Reuse == 0 {
		return DefaultReuse
	}
	return max(r.Reuse, 0)
}

// entire reports whether a run showed by itself that every step of a recipe passes. Checks are of a commit, not of a tree: they do not
// count for another one.
func (v Verdict) entire(r Recipe) bool {
	if v.Outcome != Green || v.Asked != nil || v.Reused != nil || r.Empty() || len(r.Checks) > 0 {
		return false
	}
	clean := func(s StepResult) bool { return s.Exit == 0 && s.Run == 0 && s.Skipped == "" }
	return !slices.ContainsFunc(v.Steps, func(s StepResult) bool { return !clean(s) }) &&
		!slices.ContainsFunc(r.Steps, func(s Step) bool { return !v.shows(s.Name) })
}

// prove keeps a whole green run for when its tree comes up again.
func (q *Queue) prove(c *Candidate, v Verdict, at time.Time) {
	if c.Of != 0 || c.Built.Tree == "" || v.Environment == "" || c.Recipe.reuse() == 0 || !v.entire(c.Recipe) {
		return
	}
	p := Proof{
		Tree: c.Built.Tree, Recipe: c.Recipe.Digest(), Environment: v.Environment, Candidate: c.ID, Run: c.Run, Commit: c.Built.SHA,
		Members: unsaid(c.Members), Steps: v.Steps, At: at,
	}
	if c.Apart != nil {
		p.Areas, p.Rules = c.Apart.Areas, c.Apart.Rules
	}
	var runs []Proof
	if q.Proofs != nil {
		runs = slices.DeleteFunc(slices.Clone(q.Proofs.Runs), func(o Proof) bool {
			return o.Tree == p.Tree && slices.Equal(o.Members, p.Members) && o.Rules == p.Rules || at.Sub(o.At) > mostReuse
		})
	}
	runs = append(runs, p)
	q.Proofs = &Proofs{Runs: runs[max(0, len(runs)-mostProofs):]}
}

// spares is the run by which a candidate, or a trial, need not be run; nil: there is none.
func (q Queue) spares(c *Candidate, now time.Time, p Policy) *Proof {
	recipe, long := p.Recipe, p.Recipe.reuse()
	if q.Proofs == nil || p.Environment == "" || c.Built.Tree == "" || long == 0 {
		return nil
	}
	if c.Of == 0 && !c.Recipe.same(recipe) || c.Of != 0 && !recipe.holds(c.Recipe) {
		return nil
	}
	digest := ""
	for i := range slices.Backward(q.Proofs.Runs) {
		is := &q.Proofs.Runs[i]
		if is.Tree != c.Built.Tree || is.Environment != p.Environment || now.Sub(is.At) >= long || now.Before(is.At) || !q.promises(is, c, p) {
			continue
		}
		if digest == "" {
			digest = recipe.Digest()
		}
		if is.Recipe == digest {
			return is
		}
	}
	return nil
}

// promises reports whether a run shows of a candidate what the policy asks of it, and not only that its tree is green: that it was
// tested by itself, or for the same changes where there are areas, of which a suite may look at no more. A trial promises nothing to anybody.
func (q Queue) promises(is *Proof, c *Candidate, p Policy) bool {
	switch {
	case c.Of != 0:
		return true
	case c.Apart != nil:
		return is.Rules == c.Apart.Rules && slices.Equal(is.Areas, c.Apart.Areas) && slices.Equal(is.Members, unsaid(c.Members))
	case is.Rules != "":
		return false
	}
	return len(is.Members) == 1 || p.TestEach != TestChange && !q.alone(c)
}

// holds reports whether all steps of another recipe are among those of r, and nothing comes before them that does not here.
func (r Recipe) holds(o Recipe) bool {
	return slices.Equal(r.Setup, o.Setup) && !slices.ContainsFunc(o.Steps, func(s Step) bool { return !slices.ContainsFunc(r.Steps, s.same) })
}

// reused takes a green run over.
func (q *Queue) reused(ev Reused) {
	c := q.Candidate(ev.ID)
	if c == nil || c.State != CandidateBuilt || ev.Run != c.Run+1 || ev.Proof.Tree != c.Built.Tree || ev.Proof.Tree == "" {
		return
	}
	v := Verdict{
		Outcome: Green, Steps: ev.Proof.Steps, Environment: ev.Proof.Environment,
		Reused: &Reuse{Candidate: ev.Proof.Candidate, Run: ev.Proof.Run, Commit: ev.Proof.Commit, At: ev.Proof.At},
	}
	q.record(ev.At, 0, c.ID, "run reused", recordReused(c, ev.Proof))
	if c.Of != 0 {
		q.move(c.ID, func(c *Candidate) { c.Run, c.Since, c.NotTill = ev.Run, ev.At, time.Time{} })
		q.probeReported(q.Candidate(c.ID), v, ev.At)
		return
	}
	q.acquit(c, v, ev.At)
	q.mends(c, ev.At)
	q.move(c.ID, func(c *Candidate) {
		c.State, c.Run, c.Since, c.NotTill, c.Verdict = CandidatePassed, ev.Run, ev.At, time.Time{}, &v
	})
	q.livingAll(c, ev.At)
}
