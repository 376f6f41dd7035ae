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

// runID names a run's log: unique among the lanes of a repository, and fit for a file name.
func runID(l queue.Lane, c queue.CandidateID, run int) string {
	var trunk strings.Builder
	for _, b := range []byte(l.Trunk) {
		if b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '-' {
			trunk.WriteByte(b)
		} else {
			fmt.Fprintf(&trunk, "_%02x", b)
		}
	}
	return fmt.Sprintf("%s.%d.%d", trunk.String(), c, run)
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
