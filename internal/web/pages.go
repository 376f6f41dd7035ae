package web

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"lander/internal/queue"
)

// page is what every template is given.
type page struct {
	Title   string
	Lane    *LaneView // nil: of no lane
	Version int64     // what Events will call this state
	Events  string    // where changes are told; empty: the page does not change
	Now     time.Time
	Body    any
}

// lately is a change that landed, or left without landing.
type lately struct {
	Stage    queue.Stage
	Number   queue.Number
	Title    string
	Text     string
	At       time.Time
	Tip      queue.SHA
	Change   string // path of its page
	Pull     string // its page on the forge
	Commit   string // the tip's page on the forge
	Approved []string
}

// row is a change in a list.
type row struct {
	queue.Standing
	Change  string
	Pull    string
	Reasons []queue.Reason // its own, without what stops the whole lane
	Alert   bool           // a person must act
}

type queueBody struct {
	Banner           banner
	Lane             LaneView
	Trunk            string // the tip's page on the forge
	Flight           []flight
	Trials           []string // of candidates that are in flight no more
	Line, Held, Idle []row
	Lately           []lately
}

type flight struct {
	CandidateView
	Words   string
	Commit  string
	Changes []row
	Red     string   // what failed in it
	Probes  []string // what is tried out to find whose fault that is
}

type changeBody struct {
	row
	ChangeView
	LanePath  string
	Behind    []queue.Reason
	HeadURL   string
	CommitURL func(queue.SHA) string
	LogPath   func(RunView) string
}

func (s *Server) lanesPage(w http.ResponseWriter, r *http.Request) {
	views, err := s.glance(r.Context())
	if err != nil {
		s.fail(w, r, err, databaseAway())
		return
	}
	type lane struct {
		LaneView
		Path   string
		Banner banner
	}
	var lanes []lane
	p := page{Title: "lander", Events: "/events"}
	for i, v := range views {
		p.Version += v.Version
		lanes = append(lanes, lane{LaneView: v, Path: LanePath(s.Lanes[i]), Banner: bannerOf(v)})
	}
	p.Body = lanes
	s.render(w, http.StatusOK, "lanes", p)
}

func (s *Server) queuePage(w http.ResponseWriter, r *http.Request) {
	l, ok := s.pathLane(w, r)
	if !ok {
		return
	}
	v, err := s.lane(r.Context(), l)
	if err != nil {
		s.fail(w, r, err, databaseAway())
		return
	}
	b := queueBody{Banner: bannerOf(v.Lane), Lane: v.Lane, Trunk: s.commitURL(l, v.Lane.Tip)}
	tested := map[queue.Number]row{}
	for _, st := range v.Queued {
		switch x := s.row(l, st); {
		case x.ID != 0:
			tested[x.Number] = x
		case x.Alert || st.Stage == queue.StageHeld && len(x.Reasons) > 0 || conflicted(st):
			b.Held = append(b.Held, x)
		default:
			b.Line = append(b.Line, x)
		}
	}
	for _, c := range v.Flight {
		f := flight{CandidateView: c, Words: sayCandidate(c.State), Commit: s.commitURL(l, c.SHA), Red: sayFailed(c)}
		f.Probes, v.Probes = trialsOf(c.ID, v.Probes)
		for _, n := range c.Members {
			if x, ok := tested[n]; ok {
				f.Changes = append(f.Changes, x)
			}
		}
		b.Flight = append(b.Flight, f)
	}
	for _, probe := range v.Probes {
		b.Trials = append(b.Trials, sayProbe(probe))
	}
	for _, st := range v.Idle {
		b.Idle = append(b.Idle, s.row(l, st))
	}
	b.Lately = s.lately(l, v)
	s.render(w, http.StatusOK, "queue", page{Title: l.String(), Lane: &v.Lane, Version: v.Lane.Version, Events: eventsOf(l), Body: b})
}

func (s *Server) changePage(w http.ResponseWriter, r *http.Request) {
	l, ok := s.pathLane(w, r)
	if !ok {
		return
	}
	n, ok := s.askedNumber(w, r)
	if !ok {
		return
	}
	v, known, err := s.change(r.Context(), l, n)
	switch {
	case err != nil:
		s.fail(w, r, err, databaseAway())
		return
	case !known:
		s.refuse(w, r, noSuchChange(l, n))
		return
	}
	b := changeBody{
		row: s.row(l, v.Standing), ChangeView: v, LanePath: LanePath(l), Behind: v.Standing.Reasons, HeadURL: s.commitURL(l, v.Standing.Head),
		CommitURL: func(sha queue.SHA) string { return s.commitURL(l, sha) },
		LogPath: func(run RunView) string {
			if s.Logs == nil {
				return ""
			}
			if is := run.Verdict; is != nil && is.Reused != nil {
				run.Candidate, run.Run = is.Reused.Candidate, is.Reused.Run // whose output there is
			}
			return LogPath(l, RunID{Candidate: run.Candidate, Number: run.Run})
		},
	}
	s.render(w, http.StatusOK, "change", page{
		Title: n.String() + " " + v.Standing.Title, Lane: &v.Lane, Version: v.Lane.Version, Events: eventsOf(l), Body: b,
	})
}

// trialsOf takes those of one candidate out of a list of probes.
func trialsOf(id queue.CandidateID, all []ProbeView) (words []string, others []ProbeView) {
	for _, p := range all {
		if p.Of == id {
			words = append(words, sayProbe(p))
		} else {
			others = append(others, p)
		}
	}
	return words, others
}

// logPage gives a run's output as plain text.
func (s *Server) logPage(w http.ResponseWriter, r *http.Request) {
	l, ok := s.pathLane(w, r)
	if !ok {
		return
	}
	candidate, err := strconv.ParseInt(r.PathValue("candidate"), 10, 64)
	run, err2 := strconv.Atoi(r.PathValue("run"))
	if err != nil || err2 != nil || s.Logs == nil {
		s.refuse(w, r, noLog())
		return
	}
	id := RunID{Candidate: queue.CandidateID(candidate), Number: run}
	text, err := s.Logs(r.Context(), l, id)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.refuse(w, r, noLog())
		return
	case err != nil:
		s.fail(w, r, err, internal())
		return
	}
	defer text.Close()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if r.URL.Query().Has("follow") && s.Follow != nil {
		s.followLog(w, r, l, id)
		return
	}
	if err := copyPlain(w, text, false); err != nil && r.Context().Err() == nil {
		s.Log.Warn().Err(err).Stringer("lane", l).Int64("candidate", candidate).Int("run", run).Msg("log cut short")
	}
}

func (s *Server) notFoundPage(w http.ResponseWriter, r *http.Request) { s.refuse(w, r, noSuchPage()) }

// render writes a page whole or, when a template fails, not at all.
func (s *Server) render(w http.ResponseWriter, status int, name string, p page) {
	p.Now = s.Now()
	var b bytes.Buffer
	if err := pages().ExecuteTemplate(&b, name, p); err != nil {
		s.Log.Error().Err(err).Str("page", name).Msg("page not made")
		http.Error(w, internal().Error, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // whoever asked may be gone
}

func (s *Server) row(l queue.Lane, st queue.Standing) row {
	x := row{Standing: st, Change: ChangePath(l, st.Number), Pull: s.pullURL(l, st.Number, st.URL)}
	for _, r := range st.Reasons {
		switch r.Code {
		case "paused", "stopped", "policy", "no recipe", "trouble", "behind", "next":
		default:
			x.Reasons = append(x.Reasons, r)
			x.Alert = x.Alert || r.Held
		}
	}
	return x
}

func conflicted(st queue.Standing) bool {
	return slices.ContainsFunc(st.Reasons, func(r queue.Reason) bool { return r.Code == "conflict ahead" })
}

// lately is what landed and what was dropped, the newest first.
func (s *Server) lately(l queue.Lane, v QueueView) []lately {
	var all []lately
	for _, x := range v.Landings {
		all = append(all, lately{
			Stage: queue.StageLanded, Number: x.Number, Title: x.Title, At: x.At, Tip: x.Tip, Change: ChangePath(l, x.Number),
			Pull: s.pullURL(l, x.Number, ""), Commit: s.commitURL(l, x.Tip),
		})
	}
	for _, st := range v.Recent {
		all = append(all, lately{
			Stage: queue.StageDropped, Number: st.Number, Title: st.Title, At: st.Since, Text: st.Drop.Reason, Change: ChangePath(l, st.Number),
			Pull: s.pullURL(l, st.Number, st.URL),
		})
	}
	slices.SortStableFunc(all, func(a, b lately) int { return b.At.Compare(a.At) })
	return all[:min(len(all), recently)]
}

// pathLane is the lane that a page's path ends with.
func (s *Server) pathLane(w http.ResponseWriter, r *http.Request) (queue.Lane, bool) {
	given := queue.Lane{Repo: r.PathValue("owner") + "/" + r.PathValue("name"), Trunk: r.PathValue("trunk")}
	l, ok := s.kept(given)
	if !ok {
		s.refuse(w, r, noSuchLane(given.String(), s.Lanes))
	}
	return l, ok
}

func (s *Server) pullURL(l queue.Lane, n queue.Number, given string) string {
	if given == "" && s.Forge != "" {
		return strings.TrimSuffix(s.Forge, "/") + "/" + l.Repo + "/pull/" + strconv.Itoa(int(n))
	}
	return given
}

func (s *Server) commitURL(l queue.Lane, sha queue.SHA) string {
	if sha == "" || s.Forge == "" {
		return ""
	}
	return strings.TrimSuffix(s.Forge, "/") + "/" + l.Repo + "/commit/" + string(sha)
}
