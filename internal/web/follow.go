package web

import (
	"io"
	"net/http"
	"strconv"
	"time"

	"lander/internal/queue"
)

// apiRun is one run of a lane.
func (s *Server) apiRun(w http.ResponseWriter, r *http.Request) {
	l, ok := s.askedLane(w, r)
	if !ok {
		return
	}
	candidate, err := strconv.ParseInt(r.PathValue("candidate"), 10, 64)
	number, err2 := strconv.Atoi(r.PathValue("run"))
	if err != nil || err2 != nil || candidate < 1 {
		s.refuse(w, r, noSuchRun())
		return
	}
	runs, err := s.Views.Runs(r.Context(), l, queue.CandidateID(candidate), 0, mostHistory)
	if err != nil {
		s.fail(w, r, err, databaseAway())
		return
	}
	for _, v := range runViews(runs) {
		if v.Run == number {
			s.writeJSON(w, http.StatusOK, v)
			return
		}
	}
	s.refuse(w, r, noSuchRun())
}

// followLog sends a run's output as it comes, until the run is over or nobody listens.
func (s *Server) followLog(w http.ResponseWriter, r *http.Request, l queue.Lane, id RunID) {
	if s.viewing.Add(1) > mostViewers {
		s.viewing.Add(-1)
		w.Header().Set("Retry-After", "30")
		s.refuse(w, r, tooManyViewers())
		return
	}
	defer s.viewing.Add(-1)
	out := http.NewResponseController(w)
	_ = out.SetReadDeadline(time.Time{}) // the server's own would end the request; not every writer has one
	_ = out.SetWriteDeadline(time.Time{})
	w.Header().Set("X-Accel-Buffering", "no")
	from, to := io.Pipe()
	defer from.Close() // ends who writes, should the reader be gone
	go func() { to.CloseWithError(s.Follow(r.Context(), l, id, to)) }()
	if err := copyPlain(w, from, true); err != nil && r.Context().Err() == nil {
		s.Log.Warn().Err(err).Stringer("lane", l).Int64("candidate", int64(id.Candidate)).Int("run", id.Number).Msg("log cut short")
	}
}
