package github

import (
	"context"

	gogithub "github.com/google/go-github/v60/github"

	"lander/internal/forge"
	"lander/internal/queue"
)

// unsay deletes what lander has said twice. A lander that is killed may leave a request on its way, which arrives after its successor
// has looked for it in vain and said the same; the forge has no means to tell the two apart. One that this process wrote stays, or
// else the oldest. What does not succeed is tried again at the next look.
func (c *Client) unsay(ctx context.Context, s *session, repo string, comments []*gogithub.IssueComment, self queue.Person) {
	said := map[string]*gogithub.IssueComment{}
	for _, m := range comments {
		key, ok := forge.HiddenKey(m.GetBody())
		if !ok || m.GetUser().GetID() != self.ID {
			continue
		}
		first := said[key]
		if first == nil {
			said[key] = m
			continue
		}
		again := m
		if c.ours(repo, m) && !c.ours(repo, first) {
			said[key], again = m, first
		}
		owner, name, err := split(repo)
		if err == nil {
			_, err = s.gh.Issues.DeleteComment(ctx, owner, name, again.GetID())
		}
		c.config.Log.Info().Err(err).Str("repo", repo).Int64("comment", again.GetID()).Msg("lander had said the same twice, and takes one back")
	}
}

// ours reports whether this process wrote a comment.
func (c *Client) ours(repo string, m *gogithub.IssueComment) bool {
	t := teller{repo: repo}
	_, ok := c.wroteBefore(t.commentKey(m.GetID()))
	return ok
}
