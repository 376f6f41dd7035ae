package queue

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestLooksInAnyOrder takes a pull request's history and shows it twice: look by look, and shuffled, doubled and with gaps, the
// newest look somewhere in it. Both end alike. Not in these histories, because there it matters what was seen: a right or a review
// that is lost again, a head that comes back, a pull request that closes and is reopened.
func TestLooksInAnyOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWalk(t)
		w.open()
		p := w.pulls[1]
		var looks []Sight
		for range rapid.IntRange(1, 14).Draw(t, "steps") {
			w.now = w.now.Add(3 * time.Second)
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				w.review()
			case 1:
				w.comment()
				if a := &p.Asks[len(p.Asks)-1]; a.Verb == VerbLand && a.SHA != "" {
					a.SHA = string(p.Head) // a wrong one is another story
				}
			case 2:
				w.approve()
			case 3:
				if rapid.Bool().Draw(t, "push") {
					p.revs++
					p.Head, p.PushedAt = head(1, p.revs), w.now
				}
			case 4:
				p.Draft = !p.Draft
			case 5:
				p.Labels = rapid.SampledFrom([][]string{nil, {"wip"}, {"ui"}}).Draw(t, "labels")
			}
			w.now = w.now.Add(time.Second)
			looks = append(looks, w.sight(p))
		}
		newest := looks[len(looks)-1]
		inOrder := w.after(looks)

		some := []Sight{newest}
		for range rapid.IntRange(0, 2*len(looks)).Draw(t, "arrivals") {
			some = append(some, rapid.SampledFrom(looks).Draw(t, "look"))
		}
		some = rapid.Permutation(some).Draw(t, "order")
		w.same("shuffled", inOrder, w.after(some))
		w.same("newest alone", inOrder, w.after([]Sight{newest}))
	})
}

// after applies looks to a new lane.
func (w *walker) after(looks []Sight) Queue {
	q := Queue{Lane: w.q.Lane, Tip: trunk(0)}
	for _, s := range looks {
		q = applied(w.T, q, ChangeSeen{Sight: s})
	}
	return q
}

func (w *walker) same(how string, a, b Queue) {
	w.T.Helper()
	x, y := a.Entry(1), b.Entry(1)
	if x.State != y.State || x.Head != y.Head || text(x.Approvals) != text(y.Approvals) || text(x.Objections) != text(y.Objections) ||
		x.Held != y.Held || x.Priority != y.Priority || x.Draft != y.Draft || !slices.Equal(x.Labels, y.Labels) {
		w.T.Fatalf("%s\nin order: %s\nso:       %s", how, text(x), text(y))
	}
	if (a.Pause == nil) != (b.Pause == nil) {
		w.T.Fatalf("%s: paused %v, so %v", how, a.Pause, b.Pause)
	}
}
