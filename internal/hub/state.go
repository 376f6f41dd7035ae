package hub

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// state is all that the hub knows besides git data. It is written to disk as it stands.
type state struct {
	NextID   int64             `json:"next_id"` // one counter for every kind of object
	Users    map[string]*User  `json:"users"`   // by key(login)
	Tokens   map[string]*token `json:"tokens"`  // by secret
	Apps     []*App            `json:"apps"`
	Installs []*Installation   `json:"installations"`
	Repos    map[string]*repo  `json:"repos"` // by key("owner/name")
}

// User is a person, a bot or an organization.
type User struct {
	ID    int64  `json:"id"`
	Login string `json:"login"` // required
	Name  string `json:"name"`  // empty means the login
	Email string `json:"email"` // as in commits; empty means a made-up one
	Type  string `json:"type"`  // User (default), Bot or Organization
}

type token struct {
	User    string    `json:"user"`              // key of the login
	Install int64     `json:"install,omitempty"` // installation, for a token of an app
	Repos   []int64   `json:"repos,omitempty"`   // narrowed to these; empty means all
	Rights  rights    `json:"rights,omitempty"`
	Expires time.Time `json:"expires,omitzero"`
}

// rights are an installation's permissions: contents, pull_requests, issues, checks, ... to read or write.
type rights map[string]string

// Role is what somebody may do in a repository, each including the ones before it.
type Role string

// The roles, weakest first. A public repository gives everybody RoleRead.
const (
	RoleNone     Role = "none"
	RoleRead     Role = "read"
	RoleTriage   Role = "triage"
	RoleWrite    Role = "write"
	RoleMaintain Role = "maintain"
	RoleAdmin    Role = "admin"
)

var roleRank = map[Role]int{RoleNone: 0, RoleRead: 1, RoleTriage: 2, RoleWrite: 3, RoleMaintain: 4, RoleAdmin: 5}

func (r Role) allows(need Role) bool { return roleRank[r] >= roleRank[need] }

type repo struct {
	ID            int64                `json:"id"`
	Owner         string               `json:"owner"`
	Name          string               `json:"name"`
	Description   string               `json:"description,omitempty"`
	Private       bool                 `json:"private,omitempty"`
	Parent        string               `json:"parent,omitempty"` // key of the repository this one was forked from
	DefaultBranch string               `json:"default_branch"`
	CreatedAt     time.Time            `json:"created_at"`
	PushedAt      time.Time            `json:"pushed_at"`
	UpdatedAt     time.Time            `json:"updated_at"`
	Roles         map[string]Role      `json:"roles"`     // by key(login)
	Protected     map[string]*guarded  `json:"protected"` // by branch or pattern
	Labels        []*Label             `json:"labels"`
	Number        int                  `json:"number"` // the last pull request number given out
	Pulls         map[int]*Pull        `json:"pulls"`
	Statuses      map[string][]*Status `json:"statuses"` // by commit, oldest first
	Checks        []*Check             `json:"checks"`
	Hooks         []*Hook              `json:"hooks"`
	Pushes        []*RefMove           `json:"pushes"` // the latest of them, oldest first
	Refs          map[string]string    `json:"refs"`   // branches and tags as last seen
	Late          []*lateHead          `json:"late"`   // branches that moved and whose pull requests do not know it yet
	LogOffset     int64                `json:"log_offset"`

	dir     string
	opening sync.Mutex // held while a pull request is opened

	push sync.Mutex   // held while the hub catches up with pushes, or must keep it from doing so
	seen atomic.Int64 // LogOffset, for a look without a lock
}

func (r *repo) full() string { return r.Owner + "/" + r.Name }

func (r *repo) branch(name string) (sha string, ok bool) {
	sha, ok = r.Refs["refs/heads/"+name]
	return sha, ok
}

// Label is a repository's label.
type Label struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Color       string `json:"color"` // six hex digits
	Description string `json:"description,omitempty"`
}

// Pull is a pull request.
type Pull struct {
	ID         int64       `json:"id"`
	Number     int         `json:"number"`
	Title      string      `json:"title"`
	Body       string      `json:"body"`
	Author     string      `json:"author"` // login
	Open       bool        `json:"open"`
	Draft      bool        `json:"draft"`
	Merged     bool        `json:"merged"`
	MergedBy   string      `json:"merged_by,omitempty"`
	MergeSHA   string      `json:"merge_sha,omitempty"` // the commit by which it was merged
	Base       string      `json:"base"`                // branch
	BaseSHA    string      `json:"base_sha"`            // the base's tip when the head last moved
	HeadRepo   string      `json:"head_repo"`           // "owner/name"
	Head       string      `json:"head"`                // branch in HeadRepo
	HeadSHA    string      `json:"head_sha"`
	MayEdit    bool        `json:"may_edit"` // maintainers of the base may push to the head's branch
	Labels     []string    `json:"labels"`
	Reviews    []*Review   `json:"reviews"`
	Comments   []*Comment  `json:"comments"`
	Reactions  []*Reaction `json:"reactions,omitempty"`
	Notes      []*Note     `json:"notes"` // what happened to it, for the page
	CreatedAt  time.Time   `json:"created_at"`
	UpdatedAt  time.Time   `json:"updated_at"`
	ClosedAt   time.Time   `json:"closed_at,omitzero"`
	MergedAt   time.Time   `json:"merged_at,omitzero"`
	HeadPushed time.Time   `json:"head_pushed"` // when the head last moved

	CommitCount int   `json:"commit_count"` // commits of the head that the base had not when the head last moved
	Stat        *stat `json:"stat,omitempty"`
}

// stat is the size of a pull request's diff, for one head.
type stat struct {
	Head      string `json:"head"`
	Additions int    `json:"additions"`
	Deletions int    `json:"deletions"`
	Files     int    `json:"files"`
}

// Note is one line of a pull request's history that is neither a comment nor a review.
type Note struct {
	At   time.Time `json:"at"`
	Who  string    `json:"who"`
	Text string    `json:"text"`
	SHA  string    `json:"sha,omitempty"`
}

// Review is a review of a pull request, pinned to the head it was made at.
type Review struct {
	ID        int64     `json:"id"`
	Author    string    `json:"author"`
	State     string    `json:"state"` // APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED or PENDING
	Body      string    `json:"body"`
	SHA       string    `json:"sha"`
	At        time.Time `json:"at"`
	Dismissed string    `json:"dismissed,omitempty"` // why
}

// Comment is a comment in a pull request's conversation.
type Comment struct {
	ID        int64       `json:"id"`
	Author    string      `json:"author"`
	App       int64       `json:"app,omitempty"` // the app that wrote it, if one did
	Body      string      `json:"body"`
	CreatedAt time.Time   `json:"created_at"`
	UpdatedAt time.Time   `json:"updated_at"`
	Reactions []*Reaction `json:"reactions,omitempty"`
}

// Reaction is an emoji put on a comment or a pull request.
type Reaction struct {
	ID      int64     `json:"id"`
	Author  string    `json:"author"`
	Content string    `json:"content"` // +1, -1, laugh, confused, heart, hooray, rocket or eyes
	At      time.Time `json:"at"`
}

// Status is a commit status.
type Status struct {
	ID          int64     `json:"id"`
	State       string    `json:"state"` // error, failure, pending or success
	Context     string    `json:"context"`
	Description string    `json:"description"`
	TargetURL   string    `json:"target_url"`
	Author      string    `json:"author"`
	At          time.Time `json:"at"`
}

// Check is a check run.
type Check struct {
	ID          int64     `json:"id"`
	App         int64     `json:"app"`
	Name        string    `json:"name"`
	SHA         string    `json:"sha"`
	Status      string    `json:"status"`     // queued, in_progress or completed
	Conclusion  string    `json:"conclusion"` // empty until completed
	ExternalID  string    `json:"external_id,omitempty"`
	DetailsURL  string    `json:"details_url,omitempty"`
	Title       string    `json:"title,omitempty"`
	Summary     string    `json:"summary,omitempty"`
	Text        string    `json:"text,omitempty"`
	StartedAt   time.Time `json:"started_at,omitzero"`
	CompletedAt time.Time `json:"completed_at,omitzero"`
}

// Protection says who may move a branch, and how.
type Protection struct {
	Push        []string `json:"push"`                   // logins that may fast-forward it; nobody else may
	Bypass      []string `json:"bypass"`                 // logins that may do anything to it, as when a human pushes past lander
	AllowForce  bool     `json:"allow_force,omitempty"`  // Push may also force
	AllowDelete bool     `json:"allow_delete,omitempty"` // Push may also delete
	Rules       bool     `json:"rules,omitempty"`        // REST shows it as rulesets, and not as branch protection
}

// RefMove is one ref that a push moved.
type RefMove struct {
	ID   int64     `json:"id"`
	At   time.Time `json:"at"`
	User string    `json:"user"` // login; "-" when unknown
	Old  string    `json:"old"`  // all zeros when the ref was made
	New  string    `json:"new"`  // all zeros when it was deleted
	Ref  string    `json:"ref"`  // full name
	Kind string    `json:"kind"` // push, force_push, branch_creation, branch_deletion or pr_merge
}

func (m *RefMove) made() bool    { return zeros(m.Old) }
func (m *RefMove) deleted() bool { return zeros(m.New) }

func zeros(sha string) bool { return strings.Trim(sha, "0") == "" }

// key is how names are compared: as GitHub does, without regard to case.
func key(name string) string { return strings.ToLower(name) }
