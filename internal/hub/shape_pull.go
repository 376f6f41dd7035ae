package hub

import (
	"fmt"
	"net/url"
)

type labelJSON struct {
	ID          int64   `json:"id"`
	NodeID      string  `json:"node_id"`
	URL         string  `json:"url"`
	Name        string  `json:"name"`
	Color       string  `json:"color"`
	Default     bool    `json:"default"`
	Description *string `json:"description"`
}

func (s shaper) label(r *repo, l *Label) *labelJSON {
	return &labelJSON{
		ID: l.ID, NodeID: node("Label", l.ID), URL: s.repoURL(r) + "/labels/" + url.PathEscape(l.Name),
		Name: l.Name, Color: l.Color, Description: maybe(l.Description),
	}
}

func (s shaper) labels(r *repo, p *Pull) []*labelJSON {
	all := []*labelJSON{}
	for _, name := range p.Labels {
		if l := r.label(name); l != nil {
			all = append(all, s.label(r, l))
		}
	}
	return all
}

type branchEndJSON struct {
	Label string    `json:"label"`
	Ref   string    `json:"ref"`
	SHA   string    `json:"sha"`
	User  *userJSON `json:"user"`
	Repo  *repoJSON `json:"repo"`
}

func (s shaper) end(name, branch, sha string) *branchEndJSON {
	e := &branchEndJSON{Ref: branch, SHA: sha}
	if r := s.h.state.Repos[key(name)]; r != nil {
		e.Label, e.User, e.Repo = r.Owner+":"+branch, s.user(r.Owner), s.repo(r)
	}
	return e
}

type linkJSON struct {
	HRef string `json:"href"`
}

type pullLinksJSON struct {
	Self           linkJSON `json:"self"`
	HTML           linkJSON `json:"html"`
	Issue          linkJSON `json:"issue"`
	Comments       linkJSON `json:"comments"`
	ReviewComments linkJSON `json:"review_comments"`
	Commits        linkJSON `json:"commits"`
	Statuses       linkJSON `json:"statuses"`
}

type pullJSON struct {
	URL                string         `json:"url"`
	ID                 int64          `json:"id"`
	NodeID             string         `json:"node_id"`
	HTMLURL            string         `json:"html_url"`
	DiffURL            string         `json:"diff_url"`
	PatchURL           string         `json:"patch_url"`
	IssueURL           string         `json:"issue_url"`
	Number             int            `json:"number"`
	State              string         `json:"state"`
	Locked             bool           `json:"locked"`
	Title              string         `json:"title"`
	User               *userJSON      `json:"user"`
	Body               *string        `json:"body"`
	CreatedAt          string         `json:"created_at"`
	UpdatedAt          string         `json:"updated_at"`
	ClosedAt           *string        `json:"closed_at"`
	MergedAt           *string        `json:"merged_at"`
	MergeCommitSHA     *string        `json:"merge_commit_sha"`
	Assignee           *userJSON      `json:"assignee"`
	Assignees          []*userJSON    `json:"assignees"`
	RequestedReviewers []*userJSON    `json:"requested_reviewers"`
	RequestedTeams     []struct{}     `json:"requested_teams"`
	Labels             []*labelJSON   `json:"labels"`
	Milestone          *struct{}      `json:"milestone"`
	Draft              bool           `json:"draft"`
	CommitsURL         string         `json:"commits_url"`
	ReviewCommentsURL  string         `json:"review_comments_url"`
	CommentsURL        string         `json:"comments_url"`
	StatusesURL        string         `json:"statuses_url"`
	Head               *branchEndJSON `json:"head"`
	Base               *branchEndJSON `json:"base"`
	Links              pullLinksJSON  `json:"_links"`
	AuthorAssociation  string         `json:"author_association"`
	AutoMerge          *struct{}      `json:"auto_merge"`
	ActiveLockReason   *string        `json:"active_lock_reason"`
	*pullDetailJSON                   // left out of lists
}

type pullDetailJSON struct {
	Merged              bool      `json:"merged"`
	Mergeable           *bool     `json:"mergeable"`
	Rebaseable          *bool     `json:"rebaseable"`
	MergeableState      string    `json:"mergeable_state"`
	MergedBy            *userJSON `json:"merged_by"`
	Comments            int       `json:"comments"`
	ReviewComments      int       `json:"review_comments"`
	MaintainerCanModify bool      `json:"maintainer_can_modify"`
	Commits             int       `json:"commits"`
	Additions           int       `json:"additions"`
	Deletions           int       `json:"deletions"`
	ChangedFiles        int       `json:"changed_files"`
}

func (p *Pull) stateName() string {
	if p.Open {
		return "open"
	}
	return "closed"
}

// pull is a pull request as in a list.
func (s shaper) pull(r *repo, p *Pull) *pullJSON {
	api, page, issue := s.pullURL(r, p.Number), s.pullPage(r, p.Number), s.issueURL(r, p.Number)
	statuses := s.repoURL(r) + "/statuses/" + p.HeadSHA
	return &pullJSON{
		URL: api, ID: p.ID, NodeID: node("PullRequest", p.ID), HTMLURL: page, DiffURL: page + ".diff", PatchURL: page + ".patch",
		IssueURL: issue, Number: p.Number, State: p.stateName(), Title: p.Title, User: s.user(p.Author), Body: maybe(p.Body),
		CreatedAt: stamp(p.CreatedAt), UpdatedAt: stamp(p.UpdatedAt), ClosedAt: maybeStamp(p.ClosedAt), MergedAt: maybeStamp(p.MergedAt),
		MergeCommitSHA: maybe(p.MergeSHA), Assignees: []*userJSON{}, RequestedReviewers: []*userJSON{}, RequestedTeams: []struct{}{},
		Labels: s.labels(r, p), Draft: p.Draft, CommitsURL: api + "/commits", ReviewCommentsURL: api + "/comments",
		CommentsURL: issue + "/comments", StatusesURL: statuses,
		Head: s.end(p.HeadRepo, p.Head, p.HeadSHA), Base: s.end(r.full(), p.Base, p.BaseSHA),
		Links: pullLinksJSON{
			Self: linkJSON{api}, HTML: linkJSON{page}, Issue: linkJSON{issue}, Comments: linkJSON{issue + "/comments"},
			ReviewComments: linkJSON{api + "/comments"}, Commits: linkJSON{api + "/commits"}, Statuses: linkJSON{statuses},
		},
		AuthorAssociation: s.association(p.Author, r),
	}
}

// fullPull is a pull request as the answer to a question for one, and in events.
func (s shaper) fullPull(r *repo, p *Pull) *pullJSON {
	j := s.pull(r, p)
	d := &pullDetailJSON{
		Merged: p.Merged, Mergeable: s.h.details.known(r, p), MergeableState: "unknown", Comments: len(p.Comments),
		MaintainerCanModify: p.MayEdit && key(p.HeadRepo) != key(r.full()), Commits: p.CommitCount,
	}
	if p.Stat != nil && p.Stat.Head == p.HeadSHA {
		d.Additions, d.Deletions, d.ChangedFiles = p.Stat.Additions, p.Stat.Deletions, p.Stat.Files
	}
	if p.MergedBy != "" {
		d.MergedBy = s.user(p.MergedBy)
	}
	switch {
	case d.Mergeable == nil:
	case !*d.Mergeable:
		d.MergeableState = "dirty"
	case p.Draft:
		d.MergeableState = "draft"
	case r.protection(p.Base) != nil:
		d.MergeableState = "blocked"
	default:
		d.MergeableState = "clean"
	}
	d.Rebaseable = d.Mergeable
	j.pullDetailJSON = d
	return j
}

type issueJSON struct {
	ID                int64             `json:"id"`
	NodeID            string            `json:"node_id"`
	URL               string            `json:"url"`
	HTMLURL           string            `json:"html_url"`
	CommentsURL       string            `json:"comments_url"`
	Number            int               `json:"number"`
	State             string            `json:"state"`
	Title             string            `json:"title"`
	Body              *string           `json:"body"`
	User              *userJSON         `json:"user"`
	Labels            []*labelJSON      `json:"labels"`
	Locked            bool              `json:"locked"`
	Comments          int               `json:"comments"`
	CreatedAt         string            `json:"created_at"`
	UpdatedAt         string            `json:"updated_at"`
	ClosedAt          *string           `json:"closed_at"`
	AuthorAssociation string            `json:"author_association"`
	Draft             bool              `json:"draft"`
	PullRequest       map[string]string `json:"pull_request"`
}

// issue is a pull request seen as the issue that it also is.
func (s shaper) issue(r *repo, p *Pull) *issueJSON {
	page := s.pullPage(r, p.Number)
	return &issueJSON{
		ID: p.ID, NodeID: node("PullRequest", p.ID), URL: s.issueURL(r, p.Number), HTMLURL: page,
		CommentsURL: s.issueURL(r, p.Number) + "/comments", Number: p.Number, State: p.stateName(), Title: p.Title,
		Body: maybe(p.Body), User: s.user(p.Author), Labels: s.labels(r, p), Comments: len(p.Comments),
		CreatedAt: stamp(p.CreatedAt), UpdatedAt: stamp(p.UpdatedAt), ClosedAt: maybeStamp(p.ClosedAt),
		AuthorAssociation: s.association(p.Author, r), Draft: p.Draft,
		PullRequest: map[string]string{
			"url": s.pullURL(r, p.Number), "html_url": page, "diff_url": page + ".diff", "patch_url": page + ".patch",
		},
	}
}

type reviewJSON struct {
	ID                int64               `json:"id"`
	NodeID            string              `json:"node_id"`
	User              *userJSON           `json:"user"`
	Body              string              `json:"body"`
	State             string              `json:"state"`
	HTMLURL           string              `json:"html_url"`
	PullRequestURL    string              `json:"pull_request_url"`
	AuthorAssociation string              `json:"author_association"`
	Links             map[string]linkJSON `json:"_links"`
	SubmittedAt       string              `json:"submitted_at"`
	CommitID          string              `json:"commit_id"`
}

func (s shaper) review(r *repo, p *Pull, v *Review) *reviewJSON {
	page := fmt.Sprintf("%s#pullrequestreview-%d", s.pullPage(r, p.Number), v.ID)
	return &reviewJSON{
		ID: v.ID, NodeID: node("PullRequestReview", v.ID), User: s.user(v.Author), Body: v.Body, State: v.State, HTMLURL: page,
		PullRequestURL: s.pullURL(r, p.Number), AuthorAssociation: s.association(v.Author, r),
		Links:       map[string]linkJSON{"html": {page}, "pull_request": {s.pullURL(r, p.Number)}},
		SubmittedAt: stamp(v.At), CommitID: v.SHA,
	}
}

type commentJSON struct {
	ID                int64          `json:"id"`
	NodeID            string         `json:"node_id"`
	URL               string         `json:"url"`
	HTMLURL           string         `json:"html_url"`
	IssueURL          string         `json:"issue_url"`
	Body              string         `json:"body"`
	User              *userJSON      `json:"user"`
	CreatedAt         string         `json:"created_at"`
	UpdatedAt         string         `json:"updated_at"`
	AuthorAssociation string         `json:"author_association"`
	Reactions         map[string]any `json:"reactions"`
	App               *appJSON       `json:"performed_via_github_app"`
}

func (s shaper) comment(r *repo, p *Pull, c *Comment) *commentJSON {
	api := fmt.Sprintf("%s/issues/comments/%d", s.repoURL(r), c.ID)
	j := &commentJSON{
		ID: c.ID, NodeID: node("IssueComment", c.ID), URL: api, HTMLURL: fmt.Sprintf("%s#issuecomment-%d", s.pullPage(r, p.Number), c.ID),
		IssueURL: s.issueURL(r, p.Number), Body: c.Body, User: s.user(c.Author), CreatedAt: stamp(c.CreatedAt),
		UpdatedAt: stamp(c.UpdatedAt), AuthorAssociation: s.association(c.Author, r),
		Reactions: map[string]any{"url": api + "/reactions", "total_count": len(c.Reactions)},
	}
	for _, kind := range reactionKinds {
		n := 0
		for _, x := range c.Reactions {
			if x.Content == kind {
				n++
			}
		}
		j.Reactions[kind] = n
	}
	if app := s.h.app(c.App); app != nil {
		j.App = s.app(app)
	}
	return j
}

type reactionJSON struct {
	ID        int64     `json:"id"`
	NodeID    string    `json:"node_id"`
	User      *userJSON `json:"user"`
	Content   string    `json:"content"`
	CreatedAt string    `json:"created_at"`
}

func (s shaper) reaction(x *Reaction) *reactionJSON {
	return &reactionJSON{ID: x.ID, NodeID: node("Reaction", x.ID), User: s.user(x.Author), Content: x.Content, CreatedAt: stamp(x.At)}
}
