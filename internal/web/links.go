package web

import (
	"net/url"
	"strings"

	"lander/internal/queue"
)

// escaped is a lane as the end of a path: owner/name/trunk, the trunk with its own slashes.
func escaped(l queue.Lane) string {
	parts := strings.Split(l.Repo+"/"+l.Trunk, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

func eventsOf(l queue.Lane) string { return "/events?lane=" + url.QueryEscape(l.String()) }
