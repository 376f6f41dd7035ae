package web

import (
	"context"
	"io"
	"net/http"
	"time"
)

// healthz says that the process lives.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok") }

// readyz says whether lander does its work: the database answers and every lane is kept. It tells the cause only to the log, for
// anybody may ask.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	if err := s.Healthy(ctx); err != nil {
		s.Log.Warn().Err(err).Msg("not ready: database")
		plain(w, http.StatusServiceUnavailable, databaseAway().Error)
		return
	}
	if s.Alive != nil {
		if err := s.Alive(); err != nil {
			s.Log.Warn().Err(err).Msg("not ready: keepers")
			plain(w, http.StatusServiceUnavailable, sayNoKeeper())
			return
		}
	}
	plain(w, http.StatusOK, "ok")
}

func plain(w http.ResponseWriter, status int, words string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, words+"\n") // whoever asked may be gone
}
