package github

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	gogithub "github.com/google/go-github/v60/github"
	"golang.org/x/sync/errgroup"

	"lander/internal/forge"
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

// Shared tells why a branch is more than the head of one pull request of repo: it is protected, other pull requests go onto it, or
// others come from it. Empty: none of these. from is the repository that has the branch.
func (c *Client) Shared(ctx context.Context, repo, from, branch string, n queue.Number) (string, error) {
	deed := fmt.Sprintf("read who uses %s of %s", branch, from)
	s, err := c.session(ctx, repo)
	if err != nil {
		return "", wrap(deed, err)
	}
	fromOwner, _, err := split(from)
	if err != nil {
		return "", wrap(deed, err)
	}
	var says [3]string
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		others, err := c.firstPulls(ctx, s, repo, gogithub.PullRequestListOptions{Head: fromOwner + ":" + branch})
		for _, pr := range others {
			// The filter is the owner's: it may have the branch in several repositories.
			if pr.GetNumber() != int(n) && strings.EqualFold(pr.GetHead().GetRepo().GetFullName(), from) {
				says[0] = forge.SayOtherHead(pr.GetNumber())
			}
		}
		return err
	})
	if strings.EqualFold(from, repo) {
		g.Go(func() error {
			onto, err := c.firstPulls(ctx, s, repo, gogithub.PullRequestListOptions{Base: branch})
			if len(onto) > 0 {
				says[1] = forge.SayOntoHead(onto[0].GetNumber())
			}
			return err
		})
		g.Go(func() error {
			b, err := get[gogithub.Branch](ctx, s, branchPath(repo, "branches", branch))
			if b.GetProtected() {
				says[2] = forge.SayProtectedHead()
			}
			return c.fault("read branch", s, err)
		})
	}
	if err := g.Wait(); err != nil {
		return "", wrap(deed, err)
	}
	return cmp.Or(says[:]...), nil
}

// firstPulls lists open pull requests, as many as one answer holds.
func (c *Client) firstPulls(ctx context.Context, s *session, repo string, o gogithub.PullRequestListOptions) ([]*gogithub.PullRequest, error) {
	owner, name, err := split(repo)
	if err != nil {
		return nil, err
	}
	o.State, o.PerPage = "open", perPage
	prs, _, err := s.gh.PullRequests.List(ctx, owner, name, &o)
	return prs, c.fault("list pull requests", s, err)
}
