package queue

import (
	"slices"
	"time"
)

// RedTrunk says that trunk itself fails its tests. Nobody who waits is to blame, and whatever stands on it would be red as well: below
// PriorityHotfix nothing more is tested on it, until trunk moves or a pause is over. Then the first in line is tried on it, for the test may
// have been red by chance, or the change be the one that mends it; the pauses grow.
type RedTrunk struct {
	Tip     SHA       `json:"tip"`
	Names   []string  `json:"names"` // what fails there
	At      time.Time `json:"at"`    // when it was first seen
	Tries   int       `json:"tries"`
	NotTill time.Time `json:"not_till"`
}

// RedTrunk is what is wrong with trunk as it is; nil: nothing is known to be.
func (q Queue) RedTrunk() *RedTrunk {
	if q.Red == nil || q.Red.Tip != q.Tip {
		return nil
	}
	return q.Red
}

// reddened takes in that something fails on trunk without anybody who waits.
func (q *Queue) reddened(names []string, at time.Time) {
	is := &RedTrunk{Tip: q.Tip, Names: names, At: at, Tries: 1}
	if was := q.RedTrunk(); was != nil {
		is.At, is.Tries = was.At, was.Tries+1
	}
	is.NotTill = at.Add(redWait(is.Tries))
	if q.Red = is; is.Tries == 1 {
		q.record(at, 0, 0, "trunk red", sayRedTrunk(is).Text)
	}
	q.livingLine(at)
}

// mends takes in that a candidate on trunk as it is is green: with it at least, trunk is not red.
func (q *Queue) mends(c *Candidate, at time.Time) {
	if q.RedTrunk() == nil || c.Of != 0 || !q.grounded(c) {
		return
	}
	q.Red = nil
	for _, e := range q.Entries {
		if e.Aside != nil && e.Aside.Trunk {
			q.edit(e.Number, func(e *Entry) { e.Aside = nil })
		}
	}
	q.record(at, 0, c.ID, "trunk green", recordMended(c))
	q.livingLine(at)
}

// sober is the line as far as it may be tested on trunk as it is: while that is red only what is urgent, and after a pause the first alone.
func (q Queue) sober(line []*Entry, now time.Time) []*Entry {
	red := q.RedTrunk()
	if red == nil {
		return line
	}
	if i := slices.IndexFunc(line, func(e *Entry) bool { return e.Priority < PriorityHotfix }); i >= 0 { // the urgent come first
		if i > 0 || now.Before(red.NotTill) || slices.ContainsFunc(q.Candidates, func(c *Candidate) bool { return c.Of == 0 && !c.ended() }) {
			return line[:i]
		}
		return line[:1]
	}
	return line
}
