package store

import (
	"time"

	"lander/internal/queue"
	"lander/internal/store/db"
)

// Between queue's types and rows. Everything that goes in is fit already; what comes out is made so by the reader.

func entryRow(lane int64, e *queue.Entry) db.SaveEntryParams {
	return db.SaveEntryParams{
		LaneID: lane, Number: e.Number, Head: e.Head, Branch: e.Branch, Fork: e.Fork, Draft: e.Draft, Title: e.Title, Body: e.Body,
		Url: e.URL, Author: e.Author, Labels: list(e.Labels), State: e.State, SeenAt: stamp(e.SeenAt), HeadSince: stamp(e.HeadSince),
		AskedBy: e.AskedBy, AskedAt: stamp(e.AskedAt), Priority: int64(e.Priority), Held: e.Held, Unseen: e.Unseen, Aside: e.Aside, Objections: list(e.Objections),
		Handled: list(e.Handled), HeldBy: e.HeldBy, Dropped: e.Drop, Landing: e.Landing, Gone: e.Gone,
		HeadRepo: e.HeadRepo, Editable: e.Editable, Ours: list(e.Ours), Displaced: e.Displaced,
		Cleared: e.Cleared, Alone: e.Alone, After: e.After, NotBefore: stamp(e.NotBefore),
		Areas: list(e.Areas), MappedBy: e.MappedBy,
	}
}

func entryOf(r db.EntriesRow) *queue.Entry {
	return &queue.Entry{
		Change: queue.Change{
			Number: r.Number, Head: r.Head, Branch: r.Branch, Fork: r.Fork, Draft: r.Draft, Title: r.Title, Body: r.Body, URL: r.Url,
			Author: r.Author, Labels: r.Labels, HeadRepo: r.HeadRepo, Editable: r.Editable,
		},
		State: r.State, SeenAt: moment(r.SeenAt), HeadSince: moment(r.HeadSince), AskedBy: r.AskedBy, AskedAt: moment(r.AskedAt),
		Priority: int(r.Priority), Held: r.Held, Unseen: r.Unseen, Aside: r.Aside, Objections: r.Objections, Handled: r.Handled, HeldBy: r.HeldBy, Drop: r.Dropped,
		Landing: r.Landing, Gone: r.Gone, Ours: r.Ours, Displaced: r.Displaced, Cleared: r.Cleared, Alone: r.Alone, After: r.After, NotBefore: moment(r.NotBefore),
		Areas: none(r.Areas), MappedBy: r.MappedBy,
	}
}

func approvalRow(lane int64, e *queue.Entry, i int) db.SaveApprovalParams {
	a := e.Approvals[i]
	return db.SaveApprovalParams{
		LaneID: lane, Number: e.Number, Head: e.Head, AuthorID: e.Author.ID, Position: int64(i + 1), ID: a.ID, PersonID: a.Who.ID,
		Login: a.Who.Login, Bot: a.Who.Bot, At: stamp(a.At), Via: a.Via,
	}
}

func approvalOf(r db.ApprovalsRow) queue.Approval {
	return queue.Approval{ID: r.ID, Who: queue.Person{ID: r.PersonID, Login: r.Login, Bot: r.Bot}, At: moment(r.At), Via: r.Via}
}

func candidateRow(lane int64, c *queue.Candidate) db.AddCandidateParams {
	row := db.AddCandidateParams{
		LaneID: lane, ID: c.ID, Base: c.Base, Below: c.Below, Of: c.Of, Via: c.Via, Style: c.Style, At: stamp(c.At), Sha: c.Built.SHA, Tree: c.Built.Tree,
		Commits: list(c.Built.Commits), Recipe: c.Recipe, RecipeDigest: c.Recipe.Digest(), State: c.State, Run: c.Run,
		Since: stamp(c.Since), NotTill: stamp(c.NotTill), Outcome: outcome(c), Reason: c.Reason, Intent: c.Intent,
		Apart: c.Apart, Ground: c.Ground, Awaits: list(c.Awaits),
	}
	if c.Of != 0 {
		row.Trial = &c.Trial
	}
	return row
}

func candidateMove(lane int64, old, c *queue.Candidate) db.MoveCandidateParams {
	row := db.MoveCandidateParams{
		LaneID: lane, ID: c.ID, State: c.State, Run: c.Run, Since: stamp(c.Since), NotTill: stamp(c.NotTill), Outcome: outcome(c), Reason: c.Reason,
		Ground: c.Ground, Awaits: list(c.Awaits),
	}
	if begins(old, c) {
		row.Intent = c.Intent
	}
	return row
}

func outcome(c *queue.Candidate) *queue.Outcome {
	if c.Verdict == nil {
		return nil
	}
	return &c.Verdict.Outcome
}

func candidateOf(r db.CandidatesRow) *queue.Candidate {
	c := &queue.Candidate{
		ID: r.ID, Base: r.Base, Below: r.Below, Of: r.Of, Via: r.Via, Style: r.Style, At: moment(r.At),
		Built:  queue.Built{SHA: r.Sha, Tree: r.Tree, Commits: r.Commits},
		Recipe: r.Recipe, State: r.State, Run: r.Run, Since: moment(r.Since), NotTill: moment(r.NotTill), Verdict: r.Verdict, Reason: r.Reason,
		Intent: r.Intent, Apart: r.Apart, Ground: r.Ground, Awaits: none(r.Awaits),
	}
	if r.Trial != nil {
		c.Trial = *r.Trial
	}
	return c
}

// runRow is the newest run of a candidate. Its start is what the first save of it says, its end the first that finds it over.
func runRow(lane int64, c *queue.Candidate) db.SaveRunParams {
	row := db.SaveRunParams{LaneID: lane, Candidate: c.ID, Number: c.Run, StartedAt: stamp(c.Since), Outcome: outcome(c), Verdict: c.Verdict}
	if c.State != queue.CandidateTesting {
		row.EndedAt = stamp(c.Since)
	}
	return row
}

// moveRow is a line of the trunk log. Of its members it keeps which they are.
func moveRow(lane int64, m queue.Move) db.SaveMoveParams {
	row := db.SaveMoveParams{
		LaneID: lane, Kind: m.Kind, Old: m.Old, New: m.New, At: stamp(m.At), Candidate: int64(m.Candidate), Record: m.Record, LedgerSeq: m.Seq,
		Members: []queue.Member{}, Recalled: m.Recalled,
	}
	for _, member := range m.Members {
		row.Members = append(row.Members, queue.Member{Number: member.Number, Head: member.Head})
	}
	return row
}

func moveOf(r db.TrunkLogRow) queue.Move {
	return queue.Move{
		Kind: r.Kind, Old: r.Old, New: r.New, At: moment(r.At), Candidate: queue.CandidateID(r.LandedBy), Record: r.Record, Seq: r.LedgerSeq,
		Members: r.Members, Recalled: r.Recalled,
	}
}

// landingRow says of a member that its head is on trunk, made when its candidate has landed.
func landingRow(lane int64, c *queue.Candidate, m queue.Member) db.SaveLandingParams {
	return db.SaveLandingParams{
		LaneID: lane, Candidate: c.ID, Number: m.Number, Head: m.Head, Tip: c.Built.SHA, Commits: own(c.Built.Commits, m.Number), At: stamp(c.Since),
		Record: c.Intent.Record.SHA,
	}
}

// recallRow is the same of a landing that the ledger tells of.
func recallRow(lane int64, move queue.Move, m queue.Member) db.RecallLandingParams {
	return db.RecallLandingParams{
		LaneID: lane, Number: m.Number, Head: m.Head, Tip: move.New, Commits: own(move.Commits, m.Number), At: stamp(move.At), Record: move.Record,
	}
}

// own is what one change put onto trunk; never nil.
func own(commits []queue.BuiltCommit, n queue.Number) []queue.BuiltCommit {
	its := []queue.BuiltCommit{}
	for _, bc := range commits {
		if bc.Member == n {
			its = append(its, bc)
		}
	}
	return its
}

func pastOf(r db.PastRow) queue.Landing {
	return queue.Landing{Candidate: queue.CandidateID(r.LandedBy), Head: r.Head, Tip: r.Tip, Commits: r.Commits, At: moment(r.At)}
}

// policyText is how a policy is stored. The conversion from queue.Policy stops compiling when a field comes, goes or moves.
type policyText struct {
	Style       queue.Style     `json:"style"`
	Approvals   int             `json:"approvals"`
	NoLabels    []string        `json:"no_labels"`
	Window      int             `json:"window"`
	Batch       int             `json:"batch"`
	TestEach    queue.TestEach  `json:"test_each,omitempty"`
	Areas       queue.AreaRules `json:"areas,omitzero"`
	Recipe      queue.Recipe    `json:"recipe"`
	ShowMerged  bool            `json:"show_merged,omitempty"`
	NoForks     bool            `json:"no_forks,omitempty"`
	Environment string          `json:"environment,omitempty"`
	Warning     string          `json:"warning,omitempty"`
	Problem     string          `json:"problem,omitempty"`
}

// stamp is a time as a column: null for the zero time.
func stamp(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func moment(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// list is never nil, for a column that is not null.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// none is nil when there is nothing in the list.
func none[T any](s []T) []T {
	if len(s) == 0 {
		return nil
	}
	return s
}
