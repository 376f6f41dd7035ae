package github

import (
	"context"
	"fmt"

	gogithub "github.com/google/go-github/v60/github"

	"lander/internal/queue"
)

// Head reads where a pull request stands this moment, with one request: its head as the forge has registered it, and whether it is
// open or merged. A head that was pushed shows here only once the forge has noticed the push.
func (c *Client) Head(ctx context.Context, repo string, n queue.Number) (sha queue.SHA, open, merged bool, err error) {
	deed := fmt.Sprintf("read head of %s%v", repo, n)
	s, err := c.session(ctx, repo)
	if err != nil {
		return "", false, false, wrap(deed, err)
	}
	pr, err := c.present(ctx, s, repo, n)
	if err != nil {
		return "", false, false, wrap(deed, err)
	}
	sha, err = queue.ParseSHA(pr.GetHead().GetSHA())
	return sha, pr.GetState() == "open", pr.GetMerged(), wrap(deed, err)
}

// present reads a pull request past the answers that are kept, so that nothing between here and the forge can answer with an old one.
func (c *Client) present(ctx context.Context, s *session, repo string, n queue.Number) (*gogithub.PullRequest, error) {
	owner, name, err := split(repo)
	if err != nil {
		return nil, err
	}
	pr, _, err := s.gh.PullRequests.Get(context.WithValue(ctx, anew{}, true), owner, name, int(n))
	return pr, c.fault("read pull request", s, err)
}
