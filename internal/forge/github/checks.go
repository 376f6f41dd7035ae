package github

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	gogithub "github.com/google/go-github/v60/github"

	"lander/internal/forge"
	"lander/internal/queue"
)

// actions is the app of which one job can be run again.
const actions = "github-actions"

// mostCheckPages bounds what is read of one commit. More would be no suite but somebody's mistake, and half of it is not to be judged.
const mostCheckPages = 50

// CheckRuns lists all check runs and commit statuses of a commit, old ones too, in no order. What has not changed since it was last
// asked for costs nothing of the budget.
func (c *Client) CheckRuns(ctx context.Context, repo string, sha queue.SHA) ([]queue.CheckRun, error) {
	deed := fmt.Sprintf("read checks of %s in %s", sha.Short(), repo)
	owner, name, err := split(repo)
	if err != nil {
		return nil, wrap(deed, err)
	}
	s, err := c.session(ctx, repo)
	if err != nil {
		return nil, wrap(deed, err)
	}
	var all []queue.CheckRun
	for page := 1; ; page++ {
		got, resp, err := s.gh.Checks.ListCheckRunsForRef(ctx, owner, name, string(sha), &gogithub.ListCheckRunsOptions{
			Filter: gogithub.String("all"), ListOptions: gogithub.ListOptions{Page: page, PerPage: perPage},
		})
		if err != nil {
			return nil, c.fault(deed, s, err)
		}
		for _, r := range got.CheckRuns {
			all = append(all, checkRun(r))
		}
		if resp.NextPage <= page {
			break
		}
		if page == mostCheckPages {
			return nil, wrap(deed, errors.New("there are too many of them"))
		}
	}
	for page := 1; ; page++ {
		got, resp, err := s.gh.Repositories.ListStatuses(ctx, owner, name, string(sha), &gogithub.ListOptions{Page: page, PerPage: perPage})
		if err != nil {
			return nil, c.fault(deed, s, err)
		}
		for _, t := range got {
			all = append(all, commitStatus(sha, t))
		}
		if resp.NextPage <= page {
			return all, nil
		}
		if page == mostCheckPages {
			return nil, wrap(deed, errors.New("there are too many of them"))
		}
	}
}

func checkRun(r *gogithub.CheckRun) queue.CheckRun {
	is := queue.CheckRun{
		CheckRef: queue.CheckRef{ID: r.GetID(), App: r.GetApp().GetSlug(), Ended: moment(r.CompletedAt), URL: page(r.GetDetailsURL(), r.GetHTMLURL())},
		Name:     r.GetName(), Commit: queue.SHA(r.GetHeadSHA()), Began: moment(r.StartedAt),
	}
	if r.GetStatus() == "completed" {
		is.Conclusion = r.GetConclusion()
	}
	return is
}

// commitStatus has no end of its own: it is set anew instead.
func commitStatus(sha queue.SHA, t *gogithub.RepoStatus) queue.CheckRun {
	is := queue.CheckRun{
		CheckRef: queue.CheckRef{ID: t.GetID(), App: "@" + t.GetCreator().GetLogin(), Status: true, URL: page(t.GetTargetURL())},
		Name:     t.GetContext(), Commit: sha, Began: moment(t.CreatedAt),
	}
	if slug, bot := strings.CutSuffix(t.GetCreator().GetLogin(), "[bot]"); bot && t.GetCreator().GetType() == "Bot" {
		is.App = slug
	}
	if t.GetState() != "pending" {
		is.Conclusion, is.Ended = t.GetState(), is.Began
	}
	return is
}

// page is the first address that people can open.
func page(addresses ...string) string {
	for _, a := range addresses {
		if strings.HasPrefix(a, "https://") || strings.HasPrefix(a, "http://") {
			return a
		}
	}
	return ""
}

func moment(t *gogithub.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// RunAgain asks for a check run to be run once more on the same commit. Of GitHub's own Actions that is the job; of other apps a request
// that GitHub grants to the app alone, as a rule. queue.ErrNoRerun says that it is not to be had.
func (c *Client) RunAgain(ctx context.Context, repo string, r queue.CheckRef) error {
	deed := fmt.Sprintf("ask for check run %d in %s again", r.ID, repo)
	owner, name, err := split(repo)
	if err != nil {
		return wrap(deed, err)
	}
	if r.Status {
		return wrap(deed, queue.ErrNoRerun)
	}
	s, err := c.session(ctx, repo)
	if err != nil {
		return wrap(deed, err)
	}
	if r.App == actions {
		_, err = s.gh.Actions.RerunJobByID(ctx, owner, name, r.ID)
	} else {
		_, err = s.gh.Checks.ReRequestCheckRun(ctx, owner, name, r.ID)
	}
	if err == nil {
		return nil
	}
	err = c.kind(s, err)
	var denied *forge.DeniedError
	if errors.As(err, &denied) || forge.Permanent(err) {
		err = fmt.Errorf("%w: %w", queue.ErrNoRerun, err)
	}
	return wrap(deed, err)
}
