package serve

import (
	"fmt"
	"strings"

	"lander/internal/queue"
)

func (s *Server) alive() error {
	if !s.ready.Load() {
		return errNotReady
	}
	return nil
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
	switch api {
	case "https://api.github.com", "":
		return "https://github.com"
	default:
		return strings.TrimSuffix(strings.TrimSuffix(api, "/"), "/api/v3")
	}
}
