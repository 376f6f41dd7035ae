package github

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"

	gogithub "github.com/google/go-github/v60/github"

	"lander/internal/forge"
	"lander/internal/queue"
)

// Tell says a notice, and may be called again with the same one: after a crash, after an error whose effect is not known, or with
// remote, the comment that told it before. It gives the comment's id. Words that have not changed are not written again. An error
// with an Until method means that all is said and something is left to be done then.
// Two calls about the same key must not run at once.
func (c *Client) Tell(ctx context.Context, repo string, n queue.Notice, remote string) (string, error) {
	deed := fmt.Sprintf("tell %s on %s%v", n.Key, repo, n.Number)
	owner, name, err := split(repo)
	if err != nil {
		return remote, wrap(deed, err)
	}
	s, err := c.session(ctx, repo)
	if err != nil {
		return remote, wrap(deed, err)
	}
	t := teller{client: c, session: s, owner: owner, name: name, repo: repo}
	switch n.Kind {
	case queue.NoticeThumb:
		return remote, wrap(deed, t.thumb(ctx, n.Comment))
	case queue.NoticeLanded:
		remote, err = t.landed(ctx, n, remote)
		return remote, wrap(deed, err)
	}
	if remote, err = t.comment(ctx, n, remote, forge.Comment); err == nil && n.Kind == queue.NoticeLiving {
		err = t.status(ctx, n)
	}
	return remote, wrap(deed, err)
}

type teller struct {
	client            *Client
	session           *session
	owner, name, repo string
}

func (t *teller) fault(deed string, err error) error { return t.client.fault(deed, t.session, err) }

// comment edits the comment that told this before, or writes one.
func (t *teller) comment(ctx context.Context, n queue.Notice, remote string, write func(queue.Notice, forge.Site) string) (string, error) {
	site := t.client.config.Site
	site.Repo, site.Web = t.repo, t.client.web
	body := write(n, site)
	if body == "" {
		return remote, fmt.Errorf("write words: %w", &forge.RejectedError{Message: "a notice of kind " + strconv.Quote(string(n.Kind)) + " has none"})
	}
	want := digest(body)
	id, stands, err := t.told(ctx, n, remote)
	if err != nil {
		return remote, err
	}
	if id != 0 && stands != want {
		_, _, err := t.session.gh.Issues.EditComment(ctx, t.owner, t.name, id, &gogithub.IssueComment{Body: &body})
		switch {
		case err == nil:
		case errors.Is(t.client.kind(t.session, err), forge.ErrNotFound):
			id = 0 // somebody deleted it meanwhile
		default:
			return remote, t.fault("edit comment", err)
		}
	}
	if id == 0 && ended(n) {
		return remote, nil // it was over before anybody read a word: the notice about its end says it all
	}
	if id == 0 {
		m, _, err := t.session.gh.Issues.CreateComment(ctx, t.owner, t.name, int(n.Number), &gogithub.IssueComment{Body: &body})
		if err != nil {
			return remote, t.fault("write comment", err)
		}
		id = m.GetID()
	}
	t.client.wrote(t.commentKey(id), want)
	return strconv.FormatInt(id, 10), nil
}

// ended reports whether n is a living comment that has nothing left to come.
func ended(n queue.Notice) bool {
	return n.Kind == queue.NoticeLiving && n.Standing != nil && (n.Standing.Stage == queue.StageLanded || n.Standing.Stage == queue.StageDropped)
}

// told finds the comment that told this notice before, and the digest of what it says. 0: none did, or somebody deleted it.
func (t *teller) told(ctx context.Context, n queue.Notice, remote string) (id int64, stands string, err error) {
	if id, err := strconv.ParseInt(remote, 10, 64); err == nil && id > 0 {
		if stands, ok := t.client.wroteBefore(t.commentKey(id)); ok {
			return id, stands, nil
		}
		m, _, err := t.session.gh.Issues.GetComment(ctx, t.owner, t.name, id)
		switch {
		case err == nil:
			return id, digest(m.GetBody()), nil
		case !errors.Is(t.client.kind(t.session, err), forge.ErrNotFound):
			return 0, "", t.fault("read comment", err)
		}
	}
	self, err := t.client.selfBy(ctx, t.session)
	if err != nil {
		return 0, "", err
	}
	comments, err := t.client.comments(ctx, t.session, t.repo, n.Number)
	if err != nil {
		return 0, "", err
	}
	for _, m := range comments {
		if key, ok := forge.HiddenKey(m.GetBody()); ok && key == n.Key && m.GetUser().GetID() == self.ID {
			return m.GetID(), digest(m.GetBody()), nil
		}
	}
	return 0, "", nil
}

// thumb is a reaction: giving the same one twice gives it once. A comment that is gone needs none.
func (t *teller) thumb(ctx context.Context, comment int64) error {
	_, _, err := t.session.gh.Reactions.CreateIssueCommentReaction(ctx, t.owner, t.name, comment, "+1")
	if err != nil && errors.Is(t.client.kind(t.session, err), forge.ErrNotFound) {
		t.client.config.Log.Info().Str("repo", t.repo).Int64("comment", comment).Msg("comment is gone: no reaction")
		return nil
	}
	return t.fault("react", err)
}

// status sets the commit status on the head.
func (t *teller) status(ctx context.Context, n queue.Notice) error {
	if n.Standing == nil || n.Standing.Head == "" {
		return nil
	}
	head := string(n.Standing.Head)
	state, description := forge.Status(*n.Standing)
	target := t.client.config.Site.URL
	if page := t.client.config.Site.Change; page != nil {
		target = page(t.repo, n.Number)
	}
	want := digest(state + " " + description + " " + target)
	key := "status " + t.repo + " " + head
	stands, ok := t.client.wroteBefore(key)
	if !ok {
		var err error
		if stands, err = t.stood(ctx, head); err != nil && !forge.Permanent(t.client.kind(t.session, err)) {
			return t.fault("read status of "+n.Standing.Head.Short(), err)
		}
	}
	if stands != want {
		status := &gogithub.RepoStatus{State: &state, Description: &description, Context: gogithub.String(forge.StatusContext)}
		if target != "" {
			status.TargetURL = &target
		}
		_, _, err := t.session.gh.Repositories.CreateStatus(ctx, t.owner, t.name, head, status)
		if err != nil {
			if forge.Permanent(t.client.kind(t.session, err)) {
				// The head was replaced and its commit is gone: nobody looks at it any more.
				t.client.config.Log.Warn().Str("repo", t.repo).Str("head", head).Err(err).Msg("status not taken: is the commit gone?")
				return nil
			}
			return t.fault("set status of "+n.Standing.Head.Short(), err)
		}
	}
	t.client.wrote(key, want)
	return nil
}

// stood reads lander's newest status. GitHub lists them newest first.
func (t *teller) stood(ctx context.Context, head string) (string, error) {
	statuses, _, err := t.session.gh.Repositories.ListStatuses(ctx, t.owner, t.name, head, &gogithub.ListOptions{PerPage: perPage})
	if err != nil {
		return "", err
	}
	for _, s := range statuses {
		if s.GetContext() == forge.StatusContext {
			return digest(s.GetState() + " " + s.GetDescription() + " " + s.GetTargetURL()), nil
		}
	}
	return "", nil
}

func (t *teller) commentKey(id int64) string { return fmt.Sprintf("comment %s %d", t.repo, id) }

// mostWritten bounds what is remembered; forgetting costs a request.
const mostWritten = 2000

func (c *Client) wrote(key, digest string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.written) >= mostWritten {
		clear(c.written)
	}
	c.written[key] = digest
}

func (c *Client) unwritten(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.written, key)
}

func (c *Client) wroteBefore(key string) (digest string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	digest, ok = c.written[key]
	return digest, ok
}

// digest stands for text as the forge keeps it, whose line ends and last lines may differ.
func digest(text string) string {
	sum := sha256.Sum256([]byte(strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))))
	return string(sum[:])
}
