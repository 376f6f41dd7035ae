package queue

import (
	"fmt"
	"strings"
)

// Lane is one trunk branch of one repository, with a queue of its own.
type Lane struct {
	Repo  string // "owner/name" on the forge
	Trunk string // branch name without refs/heads/
}

// String gives the lane as people type it: "owner/name:trunk".
func (l Lane) String() string { return l.Repo + ":" + l.Trunk }

// ParseLane reads "owner/name:trunk".
func ParseLane(s string) (Lane, error) {
	repo, trunk, ok := strings.Cut(s, ":")
	owner, name, slash := strings.Cut(repo, "/")
	if !ok || !slash || owner == "" || name == "" || trunk == "" || strings.ContainsAny(name, "/ ") || strings.Contains(trunk, " ") {
		return Lane{}, fmt.Errorf("lane %q: want OWNER/NAME:BRANCH, as in acme/app:main", s)
	}
	return Lane{Repo: repo, Trunk: trunk}, nil
}

// SHA is a full git object id in lower-case hex: 40 digits (SHA-1) or 64 (SHA-256).
// The empty SHA means "not known".
type SHA string

// ParseSHA accepts only a full object id, so that an abbreviation or an option can never reach git.
func ParseSHA(s string) (SHA, error) {
	if len(s) != 40 && len(s) != 64 {
		return "", fmt.Errorf("object id %q: want 40 or 64 hex digits", s)
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return "", fmt.Errorf("object id %q: want lower-case hex", s)
		}
	}
	return SHA(s), nil
}

// Short is the form for people; never given to git.
func (s SHA) Short() string {
	if len(s) < 8 {
		return string(s)
	}
	return string(s[:8])
}

// Number is a pull request's number on the forge.
type Number int

func (n Number) String() string { return fmt.Sprintf("#%d", int(n)) }

// Person is somebody on the forge. ID decides who is who; the login may be renamed.
type Person struct {
	ID    int64  `json:"id"`
	Login string `json:"login"`
	Bot   bool   `json:"bot,omitempty"`
}

// Role is what a person may ask of lander, each including the ones below it.
type Role string

const (
	RoleNone   Role = "none"
	RoleTry    Role = "try"
	RoleReview Role = "review"
	RoleAdmin  Role = "admin"
)

// Allows reports whether r includes the right of need. An unknown role allows nothing.
func (r Role) Allows(need Role) bool {
	rank := map[Role]int{RoleNone: 1, RoleTry: 2, RoleReview: 3, RoleAdmin: 4}
	return rank[r] >= rank[need] && rank[need] > 0
}

// Style is how a change is put onto trunk.
type Style string

const (
	StyleRebase Style = "rebase" // each commit replayed onto the base; the default
	StyleSquash Style = "squash" // one commit
	StyleMerge  Style = "merge"  // a merge commit whose second parent is the head
)
