package queue

import (
	"maps"
	"slices"
	"time"
)

// Estimates is what a lane's past says of runs to come. It decides the order of work and nothing else; what is tested and what lands
// never depends on it. A nil one knows nothing yet.
type Estimates struct {
	All     Tally           `json:"all"`               // of all changes
	Authors map[int64]Tally `json:"authors,omitempty"` // by Person.ID
	Reds    Tally           `json:"reds,omitzero"`     // of red runs: Bad where the same commit was green the next time
	Steps   map[string]Took `json:"steps,omitempty"`   // by name, of steps that passed
	Run     Took            `json:"run,omitempty"`     // of whole runs that passed
}

// Tally counts what became of changes. Old ones count for less: both are multiplied by keeps whenever one is added.
type Tally struct {
	Good float64 `json:"good"`
	Bad  float64 `json:"bad"`
}

// Took is how long something took, oldest first; at most mostTook of them.
type Took []time.Duration

const (
	keeps       = 0.98
	mostTook    = 50
	mostAuthors = 500
)

// What is assumed where nothing is known: one change in twenty is bad. It weighs as much as so many changes do.
const (
	priorBad    = 0.05
	priorAll    = 20
	priorAuthor = 10
	oftenChance = 0.05
	fewReds     = 3
)

// Bad is the probability that a change of an author is bad.
func (es *Estimates) Bad(author int64) float64 {
	if es == nil {
		return priorBad
	}
	all := es.All.bad(priorBad, priorAll)
	if t, ok := es.Authors[author]; ok {
		return t.bad(all, priorAuthor)
	}
	return all
}

// flaky reports whether a red run of the lane is chance so often that two of them prove little.
func (es *Estimates) flaky() bool { return es != nil && es.Reds.bad(0, priorAuthor) > oftenChance }

// strange reports whether so few red runs were looked into that nobody knows how often they are chance here.
func (es *Estimates) strange() bool { return es == nil || es.Reds.Good+es.Reds.Bad < fewReds }

func (t Tally) bad(prior, weight float64) float64 {
	return (t.Bad + prior*weight) / (t.Bad + t.Good + weight)
}

func (t Tally) add(good bool) Tally {
	t.Good, t.Bad = t.Good*keeps, t.Bad*keeps
	if good {
		t.Good++
	} else {
		t.Bad++
	}
	return t
}

// Quantile is the duration that a share of the runs stays below, zero when there were none.
func (t Took) Quantile(share float64) time.Duration {
	if len(t) == 0 {
		return 0
	}
	all := slices.Sorted(slices.Values(t))
	return all[min(int(share*float64(len(all))), len(all)-1)]
}

func (t Took) add(d time.Duration) Took {
	t = append(slices.Clip(t), d)
	return t[max(0, len(t)-mostTook):]
}

// learn changes a copy of the estimates: they are shared with older states.
func (q *Queue) learn(change func(*Estimates)) {
	es := Estimates{}
	if q.Estimates != nil {
		es = *q.Estimates
	}
	es.Authors, es.Steps = maps.Clone(es.Authors), maps.Clone(es.Steps)
	change(&es)
	q.Estimates = &es
}

// learnFate takes in that a change landed, or was found bad by its tests.
func (q *Queue) learnFate(author int64, good bool) {
	q.learn(func(es *Estimates) {
		es.All = es.All.add(good)
		if es.Authors == nil {
			es.Authors = map[int64]Tally{}
		}
		es.Authors[author] = es.Authors[author].add(good)
		if len(es.Authors) <= mostAuthors {
			return
		}
		least := author // who is known least, and the lowest id of those, is forgotten
		for id, t := range es.Authors {
			l := es.Authors[least]
			if w, lw := t.Good+t.Bad, l.Good+l.Bad; id != author && (least == author || w < lw || w == lw && id < least) {
				least = id
			}
		}
		delete(es.Authors, least)
	})
}

// learnRed takes in what a run said that began anew on a commit that was red.
func (q *Queue) learnRed(again bool) {
	q.learn(func(es *Estimates) { es.Reds = es.Reds.add(again) })
}

// learnRun takes in how long a whole green run took.
func (q *Queue) learnRun(v Verdict) {
	q.learn(func(es *Estimates) {
		if len(v.unneeded()) == 0 {
			es.Run = es.Run.add(v.Took)
		}
		if es.Steps == nil {
			es.Steps = map[string]Took{}
		}
		for _, s := range v.Steps {
			if s.Skipped == "" {
				es.Steps[s.Name] = es.Steps[s.Name].add(s.Took)
			}
		}
	})
}

// anyBad is the probability that one of some changes is bad.
func (es *Estimates) anyBad(entries []*Entry) float64 {
	good := 1.0
	for _, e := range entries {
		good *= 1 - es.Bad(e.Author.ID)
	}
	return 1 - good
}
