package queue

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"
)

// walkRecipe has more than one step, so that what failed alone is less than all.
func walkRecipe() Recipe {
	none := []string{} // so that parts of it run again
	return Recipe{Steps: []Step{{Name: "lint", Run: "make lint", Needs: none}, {Name: "unit", Run: "make test", Needs: none}, {Name: "e2e", Run: "make e2e", Needs: none}}}
}

// defect is why a test truly fails: wherever all of some changes are. A push past lander has a negative number.
type defect struct {
	step, test string
	by         []int
}

// drawDefects makes a suite that tells the truth: who is dropped by it did break something. Without any, a suite says what it likes.
func (w *walker) drawDefects() {
	w.honest = rapid.IntRange(0, 2).Draw(w.T, "honest") > 0
	if !w.honest {
		return
	}
	w.named = rapid.Bool().Draw(w.T, "named")
	for i := range rapid.IntRange(0, 4).Draw(w.T, "defects") {
		d := defect{step: rapid.SampledFrom(walkRecipe().Steps).Draw(w.T, "step").Name, test: fmt.Sprintf("test %d", i)}
		d.by = []int{rapid.IntRange(1, most).Draw(w.T, "by")}
		switch rapid.IntRange(0, 5).Draw(w.T, "kind") {
		case 0, 1:
			d.by = append(d.by, rapid.IntRange(1, most).Draw(w.T, "with"))
		case 2:
			d.by = append(d.by, -1)
		case 3:
			d.by = []int{-1}
		}
		if len(d.by) > 1 && w.areas != nil && d.by[1] > 0 && !w.areas[d.by[0]].meet(w.areas[d.by[1]]) {
			d.by = d.by[:1] // where the areas are right, who shares none has nothing to do with another
		}
		w.defects = append(w.defects, d)
	}
}

// shows reports whether a defect is to be seen on a commit.
func (w *walker) shows(d defect, sha SHA) bool {
	return !slices.ContainsFunc(d.by, func(n int) bool { return !slices.Contains(w.content[sha], n) })
}

// alive is a run that has not been heard of.
type alive struct {
	id     CandidateID
	run    int
	sha    SHA
	recipe Recipe
	rerun  Rerun
}

// starts is a run that begins. Whether it is worth its while is judged by what the queue knows already.
func (w *walker) starts(a StartRun) {
	c := w.q.Candidate(a.Candidate.ID)
	if slices.ContainsFunc(w.q.Plan(w.now, w.p), func(b Action) bool { return b.Key() == a.Key() }) {
		w.worthwhile(c)
	}
	w.apply(RunStarted{a.Candidate.ID, a.Run, w.now})
	if is := w.q.Candidate(a.Candidate.ID); c == nil || is.State != CandidateTesting || c.State == CandidateTesting {
		return // an old plan's
	}
	r := alive{a.Candidate.ID, a.Run, a.Candidate.Built.SHA, a.Recipe, a.Rerun}
	if w.chance(4, "lander stops") {
		return
	}
	w.alive = append(w.alive, r)
	if !w.faults || rapid.IntRange(0, 2).Draw(w.T, "takes time") > 0 {
		w.now = w.now.Add(5 * time.Second)
		w.hear(len(w.alive) - 1)
	}
}

// worthwhile holds that nothing is tested again of which the queue knows the outcome.
func (w *walker) worthwhile(c *Candidate) {
	k := w.q.caseOf(c.ID)
	if k != nil && k.Sure {
		w.Fatalf("candidate %d is tested a third time", c.ID)
	}
	if c.Of == 0 {
		return
	}
	k = w.q.caseOf(c.Of)
	if k == nil {
		return
	}
	for _, r := range k.Results {
		if r.Trial == c.Trial && !slices.ContainsFunc(k.Names, func(n string) bool { return r.tells(n) == Unmeasured }) {
			w.Fatalf("case %d makes the trial %s again", k.ID, named(c.Trial))
		}
	}
	known := w.q.Sound == c.Built.SHA || slices.ContainsFunc(w.q.Candidates, func(d *Candidate) bool {
		return d.Of == 0 && !d.ended() && d.Built.SHA == c.Built.SHA && d.Verdict != nil && d.Verdict.Outcome == Green
	})
	if c.Trial.Member.Number == 0 && known {
		w.Fatalf("%s was green already", named(c.Trial))
	}
}

// report lets a run end that was begun some time ago, whichever is heard of first.
func (w *walker) report() {
	if len(w.alive) > 0 {
		w.hear(rapid.IntRange(0, len(w.alive)-1).Draw(w.T, "run"))
	}
}

// hear is a run's report. It may come twice.
func (w *walker) hear(i int) {
	r := w.alive[i]
	if !w.chance(10, "is heard again") {
		w.alive = slices.Delete(slices.Clone(w.alive), i, i+1)
	}
	v := w.verdict(r).of(r.rerun).whole(r.recipe)
	w.prove(r, v)
	w.apply(RunReported{r.id, r.run, v, w.now})
}

func (w *walker) verdict(r alive) Verdict {
	if w.chance(10, "trouble") {
		return says(rapid.SampledFrom([]Outcome{Infra, Cancelled, Unmeasured}).Draw(w.T, "outcome"), "it says why")
	}
	if w.honest {
		return w.truth(r)
	}
	v := green(nil, 0)
	if w.faults {
		v = says(rapid.SampledFrom([]Outcome{Green, Green, Green, Red, TimedOut}).Draw(w.T, "outcome"), "it says why")
	}
	if v.Outcome == Green {
		return green(nil, 0)
	}
	v.Step = rapid.SampledFrom(r.recipe.Steps).Draw(w.T, "step").Name
	v.Failed = rapid.SampledFrom([][]string{nil, {"test a"}, {"test b"}, {"test a", "test b"}}).Draw(w.T, "failed")
	return v
}

// truth is what the first step says that fails.
func (w *walker) truth(r alive) Verdict {
	for _, s := range r.recipe.Steps {
		v := says(Red, "it says why")
		v.Step = s.Name
		red := false
		for _, d := range w.defects {
			if d.step == s.Name && w.shows(d, r.sha) {
				if red = true; w.named {
					v.Failed = append(v.Failed, d.test)
				}
			}
		}
		if red {
			return v
		}
	}
	return green(nil, 0)
}

// prove notes which steps a commit has passed.
func (w *walker) prove(r alive, v Verdict) {
	if v.Outcome != Green && v.Outcome != Red && v.Outcome != TimedOut {
		return
	}
	for _, s := range r.recipe.Steps {
		if v.Outcome != Green && s.Name == v.Step {
			return
		}
		w.proved[string(r.sha)+" "+s.Name] = true
	}
}

// proven holds that a commit which is to land passed every step as exactly that commit, and that it is on trunk by its members alone.
func (w *walker) proven(c *Candidate) {
	tested := c.Built.SHA
	if c.Apart != nil && c.Apart.Tested != "" {
		w.tested(c)
		tested = c.Apart.Tested
	}
	for _, s := range c.Recipe.Steps {
		if !w.proved[string(tested)+" "+s.Name] {
			w.Fatalf("%s lands and never passed %s", tested, s.Name)
		}
	}
	if text(c.Recipe) != text(w.p.Recipe) {
		w.Fatalf("%s lands by the recipe %s", c.Built.SHA, text(c.Recipe))
	}
	at := c.Built.SHA
	for _, m := range slices.Backward(c.Members) {
		is := w.below[at]
		if is.member != (Member{Number: m.Number, Head: m.Head}) {
			w.Fatalf("%s holds %+v where #%d should be", c.Built.SHA, is.member, m.Number)
		}
		at = is.base
	}
	if at != c.Base {
		w.Fatalf("%s stands on %s, and is called to stand on %s", c.Built.SHA, at, c.Base)
	}
}

// link is what a commit of a candidate adds to what it stands on.
type link struct {
	base   SHA
	member Member
}

// built is as git has it: the same request gives the same commits, and another one others, though a restored database may give the
// same number to both.
func (w *walker) built(base SHA, ms []Member, at time.Time) Built {
	var built Built
	for _, m := range ms {
		sum := sha256.Sum256([]byte(text([]any{base, m, at})))
		sha := SHA(hex.EncodeToString(sum[:20]))
		built.Commits = append(built.Commits, BuiltCommit{SHA: sha, Member: m.Number, From: m.Head, Title: "change"})
		w.content[sha] = append(slices.Clip(w.content[base]), int(m.Number))
		w.below[sha] = link{base, Member{Number: m.Number, Head: m.Head}}
		built.SHA, built.Tree, base = sha, sha, sha
	}
	return built
}

func (w *walker) make(b Build) {
	ms := b.Request.All()
	if w.faults && len(b.Request.Under) == 0 {
		code := rapid.SampledFrom([]DropCode{"", "", "", "", "", "", "", DropConflict, DropConflict, DropEmpty, DropUnbuildable}).Draw(w.T, "build")
		if code != "" {
			at := rapid.IntRange(0, len(ms)-1).Draw(w.T, "at fault")
			ev := CandidateUnmade{ID: b.ID, Base: b.Request.Base, Below: b.Below, Member: ms[at], Code: code, Reason: "it says why", At: w.now}
			ahead := slices.Concat(w.under(b.Request.Base), ms[:at])
			if code == DropConflict && len(ahead) > 0 {
				ev.With = rapid.SampledFrom(ahead).Draw(w.T, "conflicts with").Number
			}
			w.apply(ev)
			return
		}
	}
	w.apply(CandidateMade{b.ID, b.Request, w.built(b.Request.Base, ms, b.Request.At), w.p.Recipe, w.now, b.Apart})
}

// under lists who is between trunk and a commit.
func (w *walker) under(sha SHA) []Member {
	var ms []Member
	for sha != w.q.Tip && w.below[sha].base != "" {
		ms = append(ms, w.below[sha].member)
		sha = w.below[sha].base
	}
	return ms
}

// probe makes the commits that a case wants to test.
func (w *walker) probe(a Probe) {
	ev := ProbesMade{ID: a.ID, Of: a.Of, At: w.now}
	for _, t := range a.Trials {
		p := Probed{Trial: t, Built: Built{SHA: t.Base, Tree: t.Base}}
		if t.Member.Number != 0 {
			p.Built = Built{}
			if !w.chance(6, "does not apply there") {
				p.Built = w.built(t.Base, []Member{t.Member}, noon)
			}
		}
		ev.Probes = append(ev.Probes, p)
	}
	w.apply(ev)
}

// deserved holds that who is dropped for what a suite said did break something, by what is there to break it with.
func (w *walker) deserved(e *Entry) {
	if !w.honest || e.Drop.Code != DropFailed && e.Drop.Code != DropTimedOut {
		return
	}
	there := func(n int) bool {
		if n < 0 || n == int(e.Number) || slices.Contains(w.content[w.q.Tip], n) {
			return n > 0 || slices.Contains(w.content[w.q.Tip], n)
		}
		o := w.q.Entry(Number(n))
		return o != nil && !o.Gone && (o.State == Queued || o.State == Landed)
	}
	for _, d := range w.defects {
		if slices.Contains(d.by, int(e.Number)) && !slices.ContainsFunc(d.by, func(n int) bool { return !there(n) }) {
			return
		}
	}
	w.Fatalf("%v was dropped, and broke nothing: %+v; what is broken: %+v", e.Number, e.Drop, w.defects)
}
