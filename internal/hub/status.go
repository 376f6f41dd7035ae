package hub

import (
	"fmt"
	"slices"
	"time"
)

// SetStatus sets a commit status.
func (h *Hub) SetStatus(repo, sha, login string, t Status) error {
	r, who, err := h.enter(repo, login)
	if err == nil {
		_, err = h.setStatus(who, r, sha, t)
	}
	if err != nil {
		return fmt.Errorf("set status: %w", err)
	}
	return nil
}

func (h *Hub) setStatus(who actor, r *repo, sha string, t Status) (*Status, error) {
	var err error
	if h.read(func() { err = h.need(who, r, RoleWrite) }); err != nil {
		return nil, err
	}
	if !h.knows(r, sha) {
		return nil, &Refusal{Status: 422, Message: "No commit found for SHA: " + sha}
	}
	return &t, h.change(func() error {
		if !slices.Contains([]string{"error", "failure", "pending", "success"}, t.State) {
			return invalid("Status", "state", "invalid")
		}
		if len([]rune(t.Description)) > 140 {
			return unprocessable("Status", "description is too long (maximum is 140 characters)")
		}
		if t.Context == "" {
			t.Context = "default"
		}
		t.ID, t.Author, t.At = h.id(), who.user.Login, h.clock()
		kept := t
		r.Statuses[sha] = append(r.Statuses[sha], &kept)
		h.emitStatus(r, sha, &kept, who.user)
		return nil
	})
}

// latestStatuses are the last status of each context, in the order in which the contexts came. The state must be
// locked.
func (r *repo) latestStatuses(sha string) []*Status {
	var all []*Status
	at := map[string]int{}
	for _, t := range r.Statuses[sha] {
		if i, ok := at[t.Context]; ok {
			all[i] = t
			continue
		}
		at[t.Context] = len(all)
		all = append(all, t)
	}
	return all
}

// combined is what several statuses come to.
func combined(all []*Status) string {
	state := "success"
	for _, t := range all {
		switch t.State {
		case "error", "failure":
			return "failure"
		case "pending":
			state = "pending"
		}
	}
	if len(all) == 0 {
		return "pending"
	}
	return state
}

// setCheck makes a check run, or changes one (id not 0).
func (h *Hub) setCheck(who actor, r *repo, id int64, edit func(*Check)) (*Check, error) {
	if who.install == nil {
		return nil, forbidden("You must authenticate via a GitHub App.")
	}
	fresh := Check{App: who.install.App, Status: "queued"}
	if id == 0 {
		edit(&fresh)
		if !h.knows(r, fresh.SHA) {
			return nil, &Refusal{Status: 422, Message: "No commit found for SHA: " + fresh.SHA}
		}
	}
	var c Check
	return &c, h.change(func() error {
		if who.token.Rights["checks"] != "write" {
			return forbidden(noAppRight)
		}
		if err := h.need(who, r, RoleRead); err != nil {
			return err
		}
		old := &fresh
		if id != 0 {
			i := slices.IndexFunc(r.Checks, func(x *Check) bool { return x.ID == id })
			if i < 0 {
				return notFound()
			}
			old = r.Checks[i]
			if old.App != who.install.App {
				return forbidden("Invalid app_id `" + itoa(who.install.App) + "` - check run can only be modified by the GitHub App that created it.")
			}
		}
		c = *old
		if id != 0 {
			edit(&c)
		}
		if err := h.finishCheck(&c); err != nil {
			return err
		}
		action := "created"
		if c.Status == "completed" {
			action = "completed"
		}
		*old = c
		if id == 0 {
			c.ID = h.id()
			kept := c
			r.Checks = append(r.Checks, &kept)
		}
		h.emitCheck(r, &c, who.user, action)
		return nil
	})
}

var conclusions = []string{"action_required", "cancelled", "failure", "neutral", "success", "skipped", "stale", "timed_out"}

func (h *Hub) finishCheck(c *Check) error {
	if c.Name == "" {
		return invalid("CheckRun", "name", "missing_field")
	}
	if c.Conclusion != "" {
		if !slices.Contains(conclusions, c.Conclusion) {
			return invalid("CheckRun", "conclusion", "invalid")
		}
		c.Status = "completed"
		if c.CompletedAt.IsZero() {
			c.CompletedAt = h.clock()
		}
	}
	if c.StartedAt.IsZero() {
		c.StartedAt = h.clock()
	}
	switch c.Status {
	case "completed":
		if c.Conclusion == "" {
			return invalid("CheckRun", "conclusion", "missing_field")
		}
	case "queued", "in_progress":
		c.CompletedAt = time.Time{}
	default:
		return invalid("CheckRun", "status", "invalid")
	}
	return nil
}

// latestChecks are the last check run of each name and app at a commit. The state must be locked.
func (r *repo) latestChecks(sha string) []*Check {
	var all []*Check
	for _, c := range r.Checks {
		if c.SHA != sha {
			continue
		}
		all = slices.DeleteFunc(all, func(x *Check) bool { return x.Name == c.Name && x.App == c.App })
		all = append(all, c)
	}
	return all
}
