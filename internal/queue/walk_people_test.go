package queue

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"
)

// somePull draws a pull request, nil when there is none.
func (w *walker) somePull() *pull {
	if len(w.pulls) == 0 {
		return nil
	}
	return w.pulls[Number(rapid.IntRange(1, len(w.pulls)).Draw(w.T, "number"))]
}

func (w *walker) somebody() Person {
	return rapid.SampledFrom([]Person{ann, rita, rita, raj, raj, ada, tom, guy, robot}).Draw(w.T, "who")
}

func (w *walker) id(kind string) string {
	w.ids++
	return fmt.Sprintf("%s%d", kind, w.ids)
}

// most is how many pull requests there are at most.
const most = 6

// rush opens and approves many at once.
func (w *walker) rush() {
	for range rapid.IntRange(1, most).Draw(w.T, "pulls") {
		w.open()
	}
	for n := Number(1); int(n) <= len(w.pulls); n++ {
		p := w.pulls[n]
		for _, who := range []Person{raj, ada} {
			p.Reviews = append(slices.Clone(p.Reviews), Review{ID: w.id("r"), Who: who, Head: p.Head, State: ReviewApproved, At: w.now})
		}
		w.now = w.now.Add(time.Second)
		w.lookAt(p)
	}
}

func (w *walker) open() {
	if len(w.pulls) == most {
		return
	}
	n := Number(len(w.pulls) + 1)
	w.pulls[n] = &pull{revs: 1, meant: map[string]SHA{}, Sight: Sight{
		Number: n, Open: true, Base: "main", Head: head(n, 1), PushedAt: w.now, Branch: "topic", HeadRepo: "acme/app", Editable: rapid.IntRange(0, 3).Draw(w.T, "editable") > 0, Title: "Change", Author: rapid.SampledFrom([]Person{ann, rita}).Draw(w.T, "author"),
	}}
}

// pushHead may bring an old head back, but not unseen: that a command between two looks was meant for a head which neither shows,
// nobody can know.
func (w *walker) pushHead() {
	if p := w.somePull(); p != nil {
		if back := rapid.IntRange(0, 4).Draw(w.T, "back"); back == 0 && !w.backup {
			w.lookAt(p)
			w.now = w.now.Add(time.Second)
			p.Head = head(p.Number, rapid.IntRange(1, p.revs).Draw(w.T, "rev"))
		} else {
			p.revs++
			p.Head = head(p.Number, p.revs)
		}
		p.PushedAt = w.now
	}
}

func (w *walker) review() {
	if p := w.somePull(); p != nil {
		state := rapid.SampledFrom([]ReviewState{ReviewApproved, ReviewApproved, ReviewApproved, ReviewApproved, ReviewObjected, ReviewCommented}).Draw(w.T, "review")
		p.Reviews = append(slices.Clone(p.Reviews), Review{ID: w.id("r"), Who: w.somebody(), Head: p.Head, State: state, At: w.now})
	}
}

// approve is the usual: a look, an approval of what was seen, a look.
func (w *walker) approve() {
	if p := w.somePull(); p != nil {
		who := rapid.SampledFrom([]Person{raj, ada, rita}).Draw(w.T, "who")
		p.Reviews = append(slices.Clone(p.Reviews), Review{ID: w.id("r"), Who: who, Head: p.Head, State: ReviewApproved, At: w.now})
		w.now = w.now.Add(time.Second)
		w.lookAt(p)
	}
}

// hide is a pull request that the forge does not show for a while.
func (w *walker) hide() {
	if p := w.somePull(); p != nil {
		w.apply(ChangeUnseen{p.Number, w.now})
	}
}

// comment leaves a command under a pull request; the writer means the head that it has now.
func (w *walker) comment() {
	if p := w.somePull(); p != nil {
		p.Asks = append(slices.Clone(p.Asks), w.command(p))
	}
}

func (w *walker) command(p *pull) Ask {
	a := Ask{ID: w.id("a"), Comment: int64(w.ids), Who: w.somebody(), At: w.now}
	a.Verb = rapid.SampledFrom([]Verb{
		VerbLand, VerbLand, VerbLand, VerbLand, VerbWithdraw, VerbRetry, VerbPriority, VerbHold, VerbUnhold, VerbUnhold, VerbWhy, VerbHelp, VerbPing, VerbPause, VerbResume, VerbAfter, VerbAfter, "dance", "",
	}).Draw(w.T, "verb")
	switch a.Verb {
	case "":
		a.Problem = "that is no command"
	case VerbPriority:
		n := rapid.SampledFrom([]int{-1, 0, 1, 2, PriorityHotfix}).Draw(w.T, "p")
		a.Priority = &n
	case VerbAfter:
		if rapid.Bool().Draw(w.T, "time") {
			a.NotBefore = w.now.Add(time.Duration(rapid.IntRange(-60, 300).Draw(w.T, "later")) * time.Second)
		} else {
			a.After = Number(rapid.IntRange(1, most).Draw(w.T, "after"))
		}
	case VerbLand:
		a.Alone = rapid.IntRange(0, 3).Draw(w.T, "alone") == 3
		p.meant[a.ID] = w.authored(p.Head)
		if rapid.Bool().Draw(w.T, "named") {
			sha := head(p.Number, rapid.IntRange(1, p.revs).Draw(w.T, "rev"))
			a.SHA, p.meant[a.ID] = string(sha[:8]), sha
		}
	}
	return a
}

// order is a command from the CLI, whose user sees what lander knows.
func (w *walker) order() {
	p := w.somePull()
	if p == nil || w.q.Entry(p.Number) == nil {
		return
	}
	a := w.command(p)
	a.Comment, a.Role = 0, w.roles[a.Who.ID]
	if a.SHA == "" {
		p.meant[a.ID] = w.q.Entry(p.Number).Head
	}
	w.apply(ChangeAsked{p.Number, a})
}

// change is something smaller that people do on the forge.
func (w *walker) change() {
	p := w.somePull()
	if p == nil {
		return
	}
	switch rapid.IntRange(0, 5).Draw(w.T, "what") {
	case 0:
		p.Draft = !p.Draft
	case 1:
		p.Labels = [][]string{nil, {"wip"}, {"ui"}}[rapid.IntRange(0, 2).Draw(w.T, "labels")]
	case 2:
		p.Open = !p.Open && !p.Merged
	case 3:
		p.Base = rapid.SampledFrom([]string{"main", "main", "dev"}).Draw(w.T, "base")
	case 4:
		if len(p.Reviews) > 0 {
			p.Reviews = slices.Clone(p.Reviews)
			p.Reviews[rapid.IntRange(0, len(p.Reviews)-1).Draw(w.T, "review")].State = ReviewDismissed
		}
	case 5:
		who := w.somebody()
		w.roles[who.ID] = rapid.SampledFrom([]Role{roles[who.ID], roles[who.ID], RoleNone, "?"}).Draw(w.T, "role")
	}
}

// sight is what the forge answers now.
func (w *walker) sight(p *pull) Sight {
	s := p.Sight
	s.At = w.now
	s.Reviews, s.Asks = slices.Clone(s.Reviews), slices.Clone(s.Asks)
	for i := range s.Reviews {
		s.Reviews[i].Role = w.roles[s.Reviews[i].Who.ID]
	}
	for i := range s.Asks {
		s.Asks[i].Role = w.roles[s.Asks[i].Who.ID]
	}
	return s
}

// bypass is a human who pushes, or rewinds, or both. Where two branches do not move at once, nobody can tell a landing that was never
// finished from one that was taken off trunk before lander had noted it: then nobody rewinds what is not noted.
func (w *walker) bypass() {
	noted := !w.single || !w.backup && !w.landing() && len(w.flying) == 0
	if n := len(w.trunk); n > 1 && noted && rapid.IntRange(0, 3).Draw(w.T, "rewind") == 0 {
		w.trunk = slices.Clone(w.trunk[:n-1])
		if rapid.Bool().Draw(w.T, "only") {
			return
		}
	}
	w.ids++
	w.content[trunk(w.ids)] = append(slices.Clip(w.content[w.tip()]), -rapid.IntRange(1, 2).Draw(w.T, "push"))
	w.trunk = append(slices.Clone(w.trunk), trunk(w.ids))
}

// mendTrunk is a human who pushes what mends all that was broken by pushes past lander.
func (w *walker) mendTrunk() {
	w.ids++
	w.content[trunk(w.ids)] = slices.DeleteFunc(slices.Clone(w.content[w.tip()]), func(n int) bool { return n < 0 })
	w.trunk = append(slices.Clone(w.trunk), trunk(w.ids))
}

func (w *walker) pause() {
	ev := Paused{By: "ada", Reason: "release", At: w.now}
	if rapid.Bool().Draw(w.T, "until") {
		ev.Until = w.now.Add(time.Minute)
	}
	w.apply(ev)
}

func (w *walker) resume() { w.apply(Resumed{"ada", w.now}) }

func (w *walker) loseRun() {
	for _, c := range w.q.Candidates {
		if c.State == CandidateTesting && (!w.faults || rapid.Bool().Draw(w.T, "this one")) {
			w.apply(RunLost{c.ID, c.Run, w.now})
			return
		}
	}
}
