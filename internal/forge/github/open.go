package github

import (
	"context"
	"fmt"
	"time"

	gogithub "github.com/google/go-github/v60/github"

	"lander/internal/queue"
)

// Open lists the pull requests onto trunk that changed at or after since, the latest change first: open ones, and ones that were
// closed. With a zero since it lists all open ones. A pull request that was moved to another base is not among them; a look at it
// shows that.
func (c *Client) Open(ctx context.Context, repo, trunk string, since time.Time) ([]queue.Glimpse, error) {
	deed := fmt.Sprintf("list pull requests of %s onto %s", repo, trunk)
	owner, name, err := split(repo)
	if err != nil {
		return nil, wrap(deed, err)
	}
	s, err := c.session(ctx, repo)
	if err != nil {
		return nil, wrap(deed, err)
	}
	ctx, done := c.polling(ctx, repo, trunk)
	defer done()
	state := "open"
	if !since.IsZero() {
		state = "all"
	}
	var found []queue.Glimpse
	seen := map[int]bool{}
	for page := 1; ; page++ {
		prs, resp, err := s.gh.PullRequests.List(ctx, owner, name, &gogithub.PullRequestListOptions{
			State: state, Base: trunk, Sort: "updated", Direction: "desc",
			ListOptions: gogithub.ListOptions{Page: page, PerPage: perPage},
		})
		if err != nil {
			return nil, c.fault(deed, s, err)
		}
		for _, pr := range prs {
			if pr.GetUpdatedAt().Before(since) {
				return found, nil
			}
			// What changes while the pages are read moves to the front and pushes others onto the next page.
			if seen[pr.GetNumber()] {
				continue
			}
			seen[pr.GetNumber()] = true
			head, err := queue.ParseSHA(pr.GetHead().GetSHA())
			if err != nil {
				return nil, fmt.Errorf("%s: read head of #%d: %w", deed, pr.GetNumber(), err)
			}
			found = append(found, queue.Glimpse{
				Number: queue.Number(pr.GetNumber()), Head: head, Updated: pr.GetUpdatedAt().Time, Open: pr.GetState() == "open",
			})
		}
		if resp.NextPage <= page && len(prs) < perPage {
			return found, nil
		}
	}
}
