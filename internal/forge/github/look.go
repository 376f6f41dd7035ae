package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	gogithub "github.com/google/go-github/v60/github"
	"golang.org/x/sync/errgroup"

	"lander/internal/forge"
	"lander/internal/queue"
)

const (
	atOnce  = 8   // requests of one look under way
	perPage = 100 // the most that GitHub gives

	// staleReview is how long a review's body may command. GitHub does not say whether it was edited, and others than its author may
	// edit it; commands in comments have no such limit, because edited comments show.
	staleReview = time.Hour
)

// Look reads a pull request whole: its state, its reviews, the commands in its comments, and what each person who approved, objected
// or commanded may do now. The pull request itself is read last, so that the head is at least as new as all that was said of it.
func (c *Client) Look(ctx context.Context, repo string, n queue.Number) (queue.Sight, error) {
	deed := fmt.Sprintf("look at %s%v", repo, n)
	s, err := c.session(ctx, repo)
	if err != nil {
		return queue.Sight{}, wrap(deed, err)
	}
	var self queue.Person
	var reviews []*gogithub.PullRequestReview
	var comments []*gogithub.IssueComment
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { self, err = c.selfBy(gctx, s); return err })
	g.Go(func() (err error) { reviews, err = c.reviews(gctx, s, repo, n); return err })
	g.Go(func() (err error) { comments, err = c.comments(gctx, s, repo, n); return err })
	if err := g.Wait(); err != nil {
		return queue.Sight{}, wrap(deed, err)
	}

	c.unsay(ctx, s, repo, comments, self)

	people := map[string]queue.Person{}
	for _, r := range reviews {
		if st := reviewState(r.GetState()); st == queue.ReviewApproved || st == queue.ReviewObjected || mayCommand(r.User, self) && r.GetBody() != "" {
			people[r.GetUser().GetLogin()] = person(r.GetUser())
		}
	}
	asked := c.commentAsks(comments, self)
	for _, a := range asked {
		people[a.Who.Login] = a.Who
	}

	var sight queue.Sight
	roles := map[string]*queue.Role{}
	g, gctx = errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	g.Go(func() (err error) { sight, err = c.pull(gctx, s, repo, n); return err })
	for login, who := range people {
		if login == "" || who.Bot || who.ID == self.ID {
			continue
		}
		role := new(queue.Role)
		roles[login] = role
		g.Go(func() (err error) { *role, err = c.role(gctx, s, repo, who); return err })
	}
	if err := g.Wait(); err != nil {
		return queue.Sight{}, wrap(deed, err)
	}
	may := func(who queue.Person) queue.Role {
		if r := roles[who.Login]; r != nil {
			return *r
		}
		return queue.RoleNone
	}

	for _, r := range reviews {
		if v, ok := review(r, self, may); ok {
			sight.Reviews = append(sight.Reviews, v)
		}
	}
	sight.Asks = append(asked, c.reviewAsks(reviews, self, sight.At)...)
	for i := range sight.Asks {
		sight.Asks[i].Role = may(sight.Asks[i].Who)
	}
	slices.SortStableFunc(sight.Reviews, func(a, b queue.Review) int { return a.At.Compare(b.At) })
	slices.SortStableFunc(sight.Asks, func(a, b queue.Ask) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Comment, b.Comment)) })
	return sight, nil
}

// pull reads the pull request itself.
func (c *Client) pull(ctx context.Context, s *session, repo string, n queue.Number) (queue.Sight, error) {
	owner, name, err := split(repo)
	if err != nil {
		return queue.Sight{}, err
	}
	pr, resp, err := s.gh.PullRequests.Get(ctx, owner, name, int(n))
	if err != nil {
		return queue.Sight{}, c.fault("read pull request", s, err)
	}
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return queue.Sight{}, fmt.Errorf("read date of the answer: %w", err)
	}
	head, err := queue.ParseSHA(pr.GetHead().GetSHA())
	if err != nil {
		return queue.Sight{}, fmt.Errorf("read head: %w", err)
	}
	from, into := pr.GetHead().GetRepo(), pr.GetBase().GetRepo()
	sight := queue.Sight{
		Number: n, At: at, Open: pr.GetState() == "open", Merged: pr.GetMerged(), Draft: pr.GetDraft(),
		Base: pr.GetBase().GetRef(), Head: head, PushedAt: from.GetPushedAt().Time, Branch: pr.GetHead().GetRef(),
		HeadRepo: from.GetFullName(), Fork: from == nil || from.GetID() != into.GetID(),
		Title: pr.GetTitle(), Body: pr.GetBody(), URL: pr.GetHTMLURL(), Author: person(pr.GetUser()),
	}
	// A repository's own branches are open to whoever may push there; a fork's are only if its author allows it.
	// The branch that a repository lives on is nobody's to rewrite.
	sight.Editable = from != nil && (!sight.Fork || pr.GetMaintainerCanModify()) && sight.Branch != from.GetDefaultBranch()
	for _, l := range pr.Labels {
		sight.Labels = append(sight.Labels, l.GetName())
	}
	return sight, nil
}

func (c *Client) reviews(ctx context.Context, s *session, repo string, n queue.Number) ([]*gogithub.PullRequestReview, error) {
	owner, name, err := split(repo)
	if err != nil {
		return nil, err
	}
	all, err := pages(func(o gogithub.ListOptions) ([]*gogithub.PullRequestReview, *gogithub.Response, error) {
		return s.gh.PullRequests.ListReviews(ctx, owner, name, int(n), &o)
	})
	return all, c.fault("read reviews", s, err)
}

func (c *Client) comments(ctx context.Context, s *session, repo string, n queue.Number) ([]*gogithub.IssueComment, error) {
	owner, name, err := split(repo)
	if err != nil {
		return nil, err
	}
	all, err := pages(func(o gogithub.ListOptions) ([]*gogithub.IssueComment, *gogithub.Response, error) {
		return s.gh.Issues.ListComments(ctx, owner, name, int(n), &gogithub.IssueListCommentsOptions{ListOptions: o})
	})
	return all, c.fault("read comments", s, err)
}

// pages reads all pages. A full page without a next one is followed too: an answer that did not change keeps the links it had, and so
// hides a page that began since.
func pages[T any](get func(gogithub.ListOptions) ([]T, *gogithub.Response, error)) ([]T, error) {
	const most = 1000
	var all []T
	for page := 1; page <= most; page++ {
		items, resp, err := get(gogithub.ListOptions{Page: page, PerPage: perPage})
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
		if resp.NextPage <= page && len(items) < perPage {
			return all, nil
		}
	}
	return nil, errors.New("the list does not end")
}

// review drops what says nothing: a review not yet given, and one of an account that is gone.
func review(r *gogithub.PullRequestReview, self queue.Person, may func(queue.Person) queue.Role) (queue.Review, bool) {
	state := reviewState(r.GetState())
	if state == "" || r.GetUser().GetID() == 0 {
		return queue.Review{}, false
	}
	who := person(r.GetUser())
	if who.ID == self.ID {
		who.Bot = true // lander approves nothing, under whatever account it runs
	}
	head, err := queue.ParseSHA(r.GetCommitID())
	if err != nil {
		head = "" // a commit that is gone is no head
	}
	return queue.Review{
		ID: fmt.Sprintf("r%d", r.GetID()), Who: who, Role: may(who), Head: head, State: state, At: r.GetSubmittedAt().Time,
	}, true
}

func reviewState(s string) queue.ReviewState {
	switch strings.ToUpper(s) {
	case "APPROVED":
		return queue.ReviewApproved
	case "CHANGES_REQUESTED":
		return queue.ReviewObjected
	case "DISMISSED":
		return queue.ReviewDismissed
	case "COMMENTED":
		return queue.ReviewCommented
	}
	return ""
}

func (c *Client) commentAsks(comments []*gogithub.IssueComment, self queue.Person) []queue.Ask {
	var asks []queue.Ask
	for _, m := range comments {
		if !mayCommand(m.User, self) {
			continue
		}
		problem := func(string) string { return "" }
		if m.GetUpdatedAt().After(m.GetCreatedAt().Time) {
			problem = forge.SayEdited
		}
		asks = append(asks, c.asks(fmt.Sprintf("c%d", m.GetID()), m.GetBody(), queue.Ask{
			Comment: m.GetID(), Who: person(m.User), At: m.GetCreatedAt().Time,
		}, problem)...)
	}
	return asks
}

func (c *Client) reviewAsks(reviews []*gogithub.PullRequestReview, self queue.Person, now time.Time) []queue.Ask {
	var asks []queue.Ask
	for _, r := range reviews {
		if !mayCommand(r.User, self) || reviewState(r.GetState()) == "" {
			continue
		}
		problem := func(string) string { return "" }
		if now.Sub(r.GetSubmittedAt().Time) > staleReview {
			problem = forge.SayStale
		}
		asks = append(asks, c.asks(fmt.Sprintf("r%d", r.GetID()), r.GetBody(), queue.Ask{
			Who: person(r.User), At: r.GetSubmittedAt().Time,
		}, problem)...)
	}
	return asks
}

// asks numbers the commands of one comment. A command that may not be carried out keeps its number: if it was seen before, it has
// acted, and the queue passes over it.
func (c *Client) asks(id, body string, from queue.Ask, problem func(typed string) string) []queue.Ask {
	var asks []queue.Ask
	for i, p := range forge.Commands(c.config.Prefix, body) {
		a := from
		a.ID = fmt.Sprintf("%s.%d", id, i)
		a.Verb, a.SHA, a.Priority, a.Text, a.Problem = p.Verb, p.SHA, p.Priority, p.Text, p.Problem
		a.Alone, a.After, a.NotBefore = p.Alone, p.After, p.NotBefore
		if text := problem(p.Line); text != "" {
			a.Verb, a.SHA, a.Priority, a.Text, a.Problem = "", "", nil, p.Line, text
		}
		asks = append(asks, a)
	}
	return asks
}

func mayCommand(u *gogithub.User, self queue.Person) bool {
	who := person(u)
	return who.ID != 0 && who.ID != self.ID && !who.Bot
}

func person(u *gogithub.User) queue.Person {
	return queue.Person{ID: u.GetID(), Login: u.GetLogin(), Bot: u.GetType() == "Bot" || strings.HasSuffix(u.GetLogin(), "[bot]")}
}
