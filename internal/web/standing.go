package web

import (
	"slices"
	"time"

	"lander/internal/queue"
	"lander/internal/store"
)

// recently bounds how many landed and dropped changes a list shows.
const recently = 30

// LaneView is a lane at a glance.
type LaneView struct {
	Lane    string          `json:"lane"`
	Repo    string          `json:"repo"`
	Trunk   string          `json:"trunk"`
	Version int64           `json:"version"`
	Tip     queue.SHA       `json:"tip,omitempty"`
	Running bool            `json:"running"` // nothing stops the whole lane
	Paused  *queue.Pause    `json:"paused,omitempty"`
	Stopped *queue.Stop     `json:"stopped,omitempty"`
	Trouble *queue.Trouble  `json:"trouble,omitempty"`
	Red     *queue.RedTrunk `json:"trunk_red,omitempty"` // trunk itself fails its tests: only hotfixes are tested on it
	Policy  string          `json:"policy_problem,omitempty"`
	Warning string          `json:"policy_warning,omitempty"` // what is wrong with the policy file, though landing goes on
	Queued  int             `json:"queued"`
	Flight  int             `json:"in_flight"` // candidates
	// Missed counts what webhooks should have told in the last day and a poll had to find. Only a list of lanes, and a whole lane, say it.
	Missed int `json:"missed_deliveries,omitempty"`
}

// QueueView is a whole lane. The standings of a list leave out who is ahead: the position says it.
type QueueView struct {
	Lane     LaneView         `json:"lane"`
	Flight   []CandidateView  `json:"in_flight"`
	Probes   []ProbeView      `json:"probes,omitempty"` // what is tried out to find whose fault a red run is
	Queued   []queue.Standing `json:"queued"`           // in landing order
	Idle     []queue.Standing `json:"idle"`             // open, and nobody asked to land it
	Recent   []queue.Standing `json:"recent"`           // dropped and still open, the newest first
	Landings []LandingView    `json:"landings"`
}

// CandidateView is a candidate in flight.
type CandidateView struct {
	ID      queue.CandidateID    `json:"id"`
	State   queue.CandidateState `json:"state"`
	SHA     queue.SHA            `json:"sha"`
	Base    queue.SHA            `json:"base"`
	Members []queue.Number       `json:"members"`
	Run     int                  `json:"run,omitempty"`
	Since   time.Time            `json:"since"`
	Failed  []string             `json:"failed,omitempty"` // steps or tests that failed here, while it is not known whose fault that is
	Sure    bool                 `json:"sure,omitempty"`   // they failed here again
}

// ProbeView is a commit on which what failed in a candidate runs again: trunk, with changes of the train up to one of them, or with one
// change more on top.
type ProbeView struct {
	ID    queue.CandidateID    `json:"id"`
	Of    queue.CandidateID    `json:"of"`
	State queue.CandidateState `json:"state"`
	SHA   queue.SHA            `json:"sha"`
	Upto  queue.Number         `json:"upto,omitempty"` // the last one that is below; 0: none, only trunk
	With  queue.Number         `json:"with,omitempty"` // the one on top; 0: none
	Run   int                  `json:"run,omitempty"`
	Since time.Time            `json:"since"`
}

// LandingView is one change that reached trunk.
type LandingView struct {
	Number queue.Number `json:"number"`
	Title  string       `json:"title"`
	Head   queue.SHA    `json:"head"`
	queue.Landing
}

// RunView is one test run.
type RunView struct {
	Candidate queue.CandidateID `json:"candidate"`
	Run       int               `json:"run"`
	Of        queue.CandidateID `json:"of,omitempty"`   // whose failure it was to explain; 0: it tested a candidate
	With      queue.Number      `json:"with,omitempty"` // with Of: the change whose part in it was looked for
	Members   []queue.Number    `json:"members"`
	Base      queue.SHA         `json:"base"`
	SHA       queue.SHA         `json:"sha"`
	Started   time.Time         `json:"started,omitzero"`
	Ended     time.Time         `json:"ended,omitzero"` // zero: under way
	Verdict   *queue.Verdict    `json:"verdict,omitempty"`
}

func landingViews(ls []store.Landed) []LandingView {
	views := make([]LandingView, len(ls))
	for i, l := range ls {
		views[i] = LandingView{Number: l.Number, Title: l.Title, Head: l.Head, Landing: l.Landing}
	}
	return views
}

func runViews(rs []store.Run) []RunView {
	views := make([]RunView, len(rs))
	for i, r := range rs {
		views[i] = RunView{
			Candidate: r.Candidate, Run: r.Run, Of: r.Of, With: r.Trial.Member.Number, Members: r.Members, Base: r.Base, SHA: r.SHA,
			Started: r.Started, Ended: r.Ended, Verdict: r.Verdict,
		}
	}
	return views
}

func laneView(q queue.Queue, p queue.Policy, now time.Time) LaneView {
	v := LaneView{
		Lane: q.Lane.String(), Repo: q.Lane.Repo, Trunk: q.Lane.Trunk, Version: q.Version, Tip: q.Tip,
		Stopped: q.Stop, Trouble: q.Trouble, Red: q.RedTrunk(), Policy: p.Problem, Flight: len(inFlight(q)),
	}
	if q.PausedAt(now) {
		v.Paused = q.Pause
	}
	if v.Policy == "" && p.Recipe.Empty() && q.Tip != "" { // before trunk was looked at, nothing is known of its policy
		v.Policy = sayNoRecipe()
	}
	v.Warning = p.Warning
	for _, e := range q.Entries {
		if e.State == queue.Queued && !e.Gone {
			v.Queued++
		}
	}
	v.Running = v.Paused == nil && v.Stopped == nil && v.Trouble == nil && v.Policy == ""
	return v
}

func queueView(q queue.Queue, p queue.Policy, landings []store.Landed, now time.Time) QueueView {
	v := QueueView{
		Lane: laneView(q, p, now), Flight: inFlight(q), Probes: probes(q), Landings: landingViews(landings),
		Queued: []queue.Standing{}, Idle: []queue.Standing{}, Recent: []queue.Standing{},
	}
	for i, e := range q.Line() {
		v.Queued = append(v.Queued, standing(q, e, i, now, p))
	}
	for _, e := range q.Entries {
		switch {
		case e.Gone:
		case e.State == queue.Idle:
			v.Idle = append(v.Idle, standing(q, e, 0, now, p))
		case e.State == queue.Dropped:
			v.Recent = append(v.Recent, standing(q, e, 0, now, p))
		}
	}
	slices.SortStableFunc(v.Recent, func(a, b queue.Standing) int { return b.Since.Compare(a.Since) })
	v.Recent = v.Recent[:min(len(v.Recent), recently)]
	return v
}

// standing is where the change at place i of the line stands. Asking the whole queue would sort it anew for every row, so a queue of
// this change alone is asked, and of those it waits for; what it says of its place is put right.
func standing(q queue.Queue, e *queue.Entry, i int, now time.Time, p queue.Policy) queue.Standing {
	few := []*queue.Entry{e}
	for _, n := range []queue.Number{e.HeldBy, e.After} {
		if f := q.Entry(n); f != nil && !slices.Contains(few, f) {
			few = append(few, f)
		}
	}
	slices.SortFunc(few, func(a, b *queue.Entry) int { return int(a.Number - b.Number) })
	q.Entries = few
	s, _ := q.Standing(e.Number, now, p)
	if s.Position > 0 {
		s.Position, s.Ahead = i+1, nil
	}
	s.Reasons = slices.DeleteFunc(s.Reasons, func(r queue.Reason) bool { return r.Code == "behind" || i > 0 && r.Code == "next" })
	return s
}

func inFlight(q queue.Queue) []CandidateView {
	all := []CandidateView{} // a list in JSON too
	for _, c := range q.Candidates {
		switch c.State {
		case queue.CandidateLanded, queue.CandidateJoined, queue.CandidateFailed, queue.CandidateAbandoned:
			continue
		}
		if c.Of != 0 {
			continue
		}
		v := CandidateView{ID: c.ID, State: c.State, SHA: c.Built.SHA, Base: c.Base, Members: c.Numbers(), Run: c.Run, Since: c.Since}
		if k := q.Case(c.ID); k != nil {
			v.Failed, v.Sure = k.Names, k.Sure
		}
		all = append(all, v)
	}
	return all
}

func probes(q queue.Queue) (all []ProbeView) {
	for _, c := range q.Candidates {
		if c.Of == 0 || c.State != queue.CandidateBuilt && c.State != queue.CandidateTesting {
			continue
		}
		v := ProbeView{ID: c.ID, Of: c.Of, State: c.State, SHA: c.Built.SHA, With: c.Trial.Member.Number, Run: c.Run, Since: c.Since}
		if k := q.Case(c.Of); k != nil {
			for _, b := range k.Chain {
				if b.SHA == c.Trial.Base {
					v.Upto = b.Member.Number
				}
			}
		}
		all = append(all, v)
	}
	return all
}

// landing reports which candidates' pushes may have left.
func landing(q queue.Queue) []CandidateView {
	return slices.DeleteFunc(inFlight(q), func(c CandidateView) bool { return c.State != queue.CandidateLanding })
}
