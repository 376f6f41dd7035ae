package hub

import "net/url"

type gitPersonJSON struct {
	Name     string `json:"name"`
	Email    string `json:"email"`
	Date     string `json:"date,omitempty"`
	Username string `json:"username,omitempty"` // in push events
}

func gitPerson(p signature) gitPersonJSON {
	return gitPersonJSON{Name: p.Name, Email: p.Email, Date: stamp(p.At)}
}

type shaJSON struct {
	SHA string `json:"sha"`
	URL string `json:"url"`
}

type gitCommitJSON struct {
	Author    gitPersonJSON `json:"author"`
	Committer gitPersonJSON `json:"committer"`
	Message   string        `json:"message"`
	Tree      shaJSON       `json:"tree"`
	URL       string        `json:"url"`
}

type commitJSON struct {
	SHA       string        `json:"sha"`
	NodeID    string        `json:"node_id"`
	Commit    gitCommitJSON `json:"commit"`
	URL       string        `json:"url"`
	HTMLURL   string        `json:"html_url"`
	Author    *userJSON     `json:"author"`
	Committer *userJSON     `json:"committer"`
	Parents   []shaJSON     `json:"parents"`
}

func (s shaper) commit(r *repo, c *commit) *commitJSON {
	api := s.repoURL(r) + "/commits/" + c.SHA
	j := &commitJSON{
		SHA: c.SHA, NodeID: node("Commit", r.ID) + c.SHA, URL: api, HTMLURL: s.repoPage(r) + "/commit/" + c.SHA,
		Commit: gitCommitJSON{
			Author: gitPerson(c.Author), Committer: gitPerson(c.Committer), Message: c.Message,
			Tree: shaJSON{SHA: c.Tree, URL: s.repoURL(r) + "/git/trees/" + c.Tree}, URL: s.repoURL(r) + "/git/commits/" + c.SHA,
		},
		Author: s.userByEmail(c.Author.Email), Committer: s.userByEmail(c.Committer.Email), Parents: []shaJSON{},
	}
	for _, p := range c.Parents {
		j.Parents = append(j.Parents, shaJSON{SHA: p, URL: s.repoURL(r) + "/commits/" + p})
	}
	return j
}

// headCommitJSON is a commit as push events show it.
type headCommitJSON struct {
	ID        string        `json:"id"`
	TreeID    string        `json:"tree_id"`
	Distinct  bool          `json:"distinct"`
	Message   string        `json:"message"`
	Timestamp string        `json:"timestamp"`
	URL       string        `json:"url"`
	Author    gitPersonJSON `json:"author"`
	Committer gitPersonJSON `json:"committer"`
	Added     []string      `json:"added"`
	Removed   []string      `json:"removed"`
	Modified  []string      `json:"modified"`
}

func (s shaper) headCommit(r *repo, c *commit) *headCommitJSON {
	return &headCommitJSON{
		ID: c.SHA, TreeID: c.Tree, Distinct: true, Message: c.Message, Timestamp: stamp(c.Committer.At),
		URL: s.repoPage(r) + "/commit/" + c.SHA, Author: s.pushPerson(c.Author), Committer: s.pushPerson(c.Committer),
		Added: list(c.Added), Removed: list(c.Removed), Modified: list(c.Modified),
	}
}

func (s shaper) pushPerson(p signature) gitPersonJSON {
	j := gitPersonJSON{Name: p.Name, Email: p.Email}
	if u := s.h.byEmail(p.Email); u != nil {
		j.Username = u.Login
	}
	return j
}

// list is never null in JSON.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

type fileJSON struct {
	SHA         string `json:"sha"`
	Filename    string `json:"filename"`
	Status      string `json:"status"`
	Additions   int    `json:"additions"`
	Deletions   int    `json:"deletions"`
	Changes     int    `json:"changes"`
	BlobURL     string `json:"blob_url"`
	ContentsURL string `json:"contents_url"`
	Patch       string `json:"patch,omitempty"`
	Previous    string `json:"previous_filename,omitempty"`
}

func (s shaper) file(r *repo, head string, f file, patch string) *fileJSON {
	path := (&url.URL{Path: f.Path}).EscapedPath()
	return &fileJSON{
		SHA: f.Blob, Filename: f.Path, Status: f.Status, Additions: f.Additions, Deletions: f.Deleted, Changes: f.Additions + f.Deleted,
		BlobURL: s.repoPage(r) + "/blob/" + head + "/" + path, ContentsURL: s.repoURL(r) + "/contents/" + path + "?ref=" + head,
		Patch: patch, Previous: f.Was,
	}
}

type statusJSON struct {
	ID          int64     `json:"id"`
	NodeID      string    `json:"node_id"`
	URL         string    `json:"url"`
	State       string    `json:"state"`
	Context     string    `json:"context"`
	Description *string   `json:"description"`
	TargetURL   *string   `json:"target_url"`
	Creator     *userJSON `json:"creator,omitempty"`
	CreatedAt   string    `json:"created_at"`
	UpdatedAt   string    `json:"updated_at"`
}

func (s shaper) status(r *repo, sha string, t *Status) *statusJSON {
	return &statusJSON{
		ID: t.ID, NodeID: node("StatusContext", t.ID), URL: s.repoURL(r) + "/statuses/" + sha, State: t.State, Context: t.Context,
		Description: maybe(t.Description), TargetURL: maybe(t.TargetURL), Creator: s.user(t.Author),
		CreatedAt: stamp(t.At), UpdatedAt: stamp(t.At),
	}
}

type checkJSON struct {
	ID          int64          `json:"id"`
	NodeID      string         `json:"node_id"`
	HeadSHA     string         `json:"head_sha"`
	ExternalID  string         `json:"external_id"`
	URL         string         `json:"url"`
	HTMLURL     string         `json:"html_url"`
	DetailsURL  string         `json:"details_url"`
	Status      string         `json:"status"`
	Conclusion  *string        `json:"conclusion"`
	StartedAt   *string        `json:"started_at"`
	CompletedAt *string        `json:"completed_at"`
	Output      map[string]any `json:"output"`
	Name        string         `json:"name"`
	CheckSuite  map[string]any `json:"check_suite"`
	App         *appJSON       `json:"app"`
	Pulls       []any          `json:"pull_requests"`
}

func (s shaper) check(r *repo, c *Check) *checkJSON {
	j := &checkJSON{
		ID: c.ID, NodeID: node("CheckRun", c.ID), HeadSHA: c.SHA, ExternalID: c.ExternalID, Name: c.Name,
		URL: s.repoURL(r) + "/check-runs/" + itoa(c.ID), HTMLURL: s.repoPage(r) + "/runs/" + itoa(c.ID), DetailsURL: c.DetailsURL,
		Status: c.Status, Conclusion: maybe(c.Conclusion), StartedAt: maybeStamp(c.StartedAt), CompletedAt: maybeStamp(c.CompletedAt),
		Output: map[string]any{
			"title": maybe(c.Title), "summary": maybe(c.Summary), "text": maybe(c.Text), "annotations_count": 0,
			"annotations_url": s.repoURL(r) + "/check-runs/" + itoa(c.ID) + "/annotations",
		},
		CheckSuite: map[string]any{"id": c.App*1_000_000 + r.ID, "head_sha": c.SHA, "head_branch": nil},
		Pulls:      []any{},
	}
	if at := r.branchesAt(c.SHA); len(at) > 0 {
		j.CheckSuite["head_branch"] = at[0]
	}
	if app := s.h.app(c.App); app != nil {
		j.App = s.app(app)
	}
	return j
}
