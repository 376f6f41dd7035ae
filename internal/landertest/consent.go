package landertest

import (
	"regexp"
	"time"

	"lander/internal/hub"
)

// The story's own account of who agreed to what, kept without a look at lander, for the oracle to hold against what landed.

// consent is somebody's agreement to land one head.
type consent struct {
	number  int
	head    string
	who     string
	at      time.Time
	review  int64     // 0: by a comment
	revoked time.Time // zero: it stands
}

// pause is a time in which lander must not move trunk; to is zero while it lasts.
type pause struct{ from, to time.Time }

// consent records an approving review. at is empty for the present head.
func (w *world) consent(n int, who, at string, review int64) error {
	p, err := w.hub.Pull(repository, n)
	if err != nil {
		return err
	}
	if at == "" {
		at = p.HeadSHA
	}
	if p.Author != who && mayReview(roles[who]) && who != "robo" {
		w.consents = append(w.consents, &consent{number: n, head: at, who: who, at: w.Now(), review: review})
	}
	return nil
}

func mayReview(r hub.Role) bool {
	return r == hub.RoleWrite || r == hub.RoleMaintain || r == hub.RoleAdmin
}

func (w *world) revoke(review int64) {
	for _, c := range w.consents {
		if c.review == review && c.revoked.IsZero() {
			c.revoked = w.Now()
		}
	}
}

var (
	saysLand     = regexp.MustCompile(`(?m)^@lander (land|merge|r\+)`)
	saysWithdraw = regexp.MustCompile(`(?m)^@lander (withdraw|r-)`)
)

// asked records what a comment agrees to or takes back.
func (w *world) asked(n int, who, text string) error {
	p, err := w.hub.Pull(repository, n)
	if err != nil {
		return err
	}
	if saysWithdraw.MatchString(text) && (mayReview(roles[who]) || p.Author == who) {
		for _, c := range w.consents {
			if c.number == n && c.review == 0 && c.revoked.IsZero() {
				c.revoked = w.Now()
			}
		}
	}
	if saysLand.MatchString(text) {
		return w.consent(n, who, "", 0)
	}
	return nil
}
