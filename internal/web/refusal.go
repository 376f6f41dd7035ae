package web

import (
	"encoding/json"
	"net/http"
	"strings"
)

// refusal is an answer that is not what was asked for.
type refusal struct {
	status int
	Error  string `json:"error"`
	Advice string `json:"what_to_do"`
}

// refuse answers a program with JSON and a browser with a page.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, why refusal) {
	if strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/events") {
		s.writeJSON(w, why.status, why)
		return
	}
	s.render(w, why.status, "refusal", page{Title: why.Error, Body: why})
}

// fail refuses because of a fault that the operator must hear of.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error, why refusal) {
	if r.Context().Err() == nil { // nobody waits for the answer of a request that is gone
		s.Log.Error().Err(err).Str("path", r.URL.Path).Int("status", why.status).Msg("request not answered")
	}
	s.refuse(w, r, why)
}

func (s *Server) writeJSON(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		s.Log.Error().Err(err).Msg("answer not encoded")
		http.Error(w, internal().Error, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // whoever asked may be gone
}
