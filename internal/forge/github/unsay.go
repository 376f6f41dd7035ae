package github

import (
	"cmp"
	"context"
	"errors"
	"slices"

	gogithub "github.com/google/go-github/v60/github"

	"lander/internal/forge"
	"lander/internal/queue"
)

// unsay takes back what lander has said twice. A lander that is killed may leave a request on its way, which arrives after its
// successor has looked for it in vain and said the same; the forge has no means to tell the two apart. The oldest comment stays, so that
// of two landers neither takes back what the other keeps, and gets the newest words. What does not succeed is tried again at the next
// look.
func (c *Client) unsay(ctx context.Context, s *session, repo string, comments []*gogithub.IssueComment, self queue.Person) {
	said := map[string][]*gogithub.IssueComment{}
	for _, m := range comments {
		if key, ok := forge.HiddenKey(m.GetBody()); ok && m.GetUser().GetID() == self.ID {
			said[key] = append(said[key], m)
		}
	}
	for key, all := range said {
		if len(all) < 2 {
			continue
		}
		if err := c.keepOldest(ctx, s, repo, all); err != nil {
			c.config.Log.Warn().Err(err).Str("repo", repo).Str("notice", key).Msg("lander has said the same twice, and could not take one back")
			continue
		}
		c.config.Log.Info().Str("repo", repo).Str("notice", key).Msg("lander had said the same twice, and took one back")
	}
}

func (c *Client) keepOldest(ctx context.Context, s *session, repo string, all []*gogithub.IssueComment) error {
	owner, name, err := split(repo)
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b *gogithub.IssueComment) int { return cmp.Compare(a.GetID(), b.GetID()) })
	newest := slices.MaxFunc(all, func(a, b *gogithub.IssueComment) int { return a.GetUpdatedAt().Compare(b.GetUpdatedAt().Time) })
	t := teller{repo: repo}
	for _, m := range all {
		c.unwritten(t.commentKey(m.GetID()))
	}
	if body := newest.GetBody(); digest(body) != digest(all[0].GetBody()) {
		if _, _, err := s.gh.Issues.EditComment(ctx, owner, name, all[0].GetID(), &gogithub.IssueComment{Body: &body}); err != nil {
			return c.fault("edit comment", s, err)
		}
	}
	for _, m := range all[1:] {
		if _, err := s.gh.Issues.DeleteComment(ctx, owner, name, m.GetID()); err != nil && !errors.Is(c.kind(s, err), forge.ErrNotFound) {
			return c.fault("delete comment", s, err)
		}
	}
	return nil
}
