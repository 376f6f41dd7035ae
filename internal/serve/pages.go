package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"lander/internal/forge"
	"lander/internal/forge/github"
	"lander/internal/queue"
	"lander/internal/web"
)

// pages makes the web server.
func (s *Server) pages() {
	var secrets [][]byte
	for _, secret := range s.settings.WebhookSecrets {
		secrets = append(secrets, []byte(secret.Reveal()))
	}
	s.web = &web.Server{
		Inbox: s.store, Views: s.store, Lanes: s.settings.Lanes, Healthy: s.store.Healthy, WebhookSecrets: secrets, Verify: forge.Verify,
		Decode: github.Decode, Nudge: s.nudge, Alive: s.alive, Logs: s.logs, APIToken: s.settings.APIToken.Reveal(), Public: s.settings.Public,
		Forge: forgePages(s.settings.ForgeURL), Log: s.log,
	}
}

func (s *Server) alive() error {
	if !s.ready.Load() {
		return errNotReady
	}
	return nil
}

func (s *Server) changePage(repo string, n queue.Number) string {
	for l := range s.lanes {
		if l.Repo == repo {
			return s.url + web.ChangePath(l, n)
		}
	}
	return ""
}

func (s *Server) logs(_ context.Context, l queue.Lane, id web.RunID) (io.ReadCloser, error) {
	it := s.lanes[l]
	if it == nil {
		return nil, fmt.Errorf("open log: %v is not kept here", l)
	}
	return it.runner.Open(runID(l, id.Candidate, id.Number))
}

// runID names a run's log: unique among the lanes of a repository.
func runID(l queue.Lane, c queue.CandidateID, run int) string {
	trunk := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '_'
	}, l.Trunk)
	return fmt.Sprintf("%s.%d.%d", trunk, c, run)
}

// forgePages is where people look at what lander reads through the API.
func forgePages(api string) string {
	switch {
	case api == "https://api.github.com" || api == "":
		return "https://github.com"
	default:
		return strings.TrimSuffix(strings.TrimSuffix(api, "/"), "/api/v3")
	}
}

var errDatabaseGone = errors.New("the embedded Postgres has gone; see postgres.log in the data directory, and start lander again")

var errNotReady = errors.New("lander is starting or stopping")
