package queue

import (
	"fmt"
	"time"
)

// NoticeKind says what a notice is about.
type NoticeKind string

const (
	NoticeLiving  NoticeKind = "living"  // the living comment and the status on the head
	NoticeThumb   NoticeKind = "thumb"   // a command was accepted: a reaction, no words
	NoticeAnswer  NoticeKind = "answer"  // a command was not accepted, or asked a question
	NoticeVoided  NoticeKind = "voided"  // a push took the approval away
	NoticeDropped NoticeKind = "dropped" // left the queue without landing: somebody must act
	NoticeLanded  NoticeKind = "landed"  // on trunk; the pull request is closed if the forge did not do so itself
)

// Notice is something to tell about one change. It is saved with the state that makes it true and sent afterwards.
type Notice struct {
	Key     string     `json:"key"` // required: the same key is told once, or edited in place when it is living
	Kind    NoticeKind `json:"kind"`
	Number  Number     `json:"number"`
	Head    SHA        `json:"head"`
	At      time.Time  `json:"at"`
	Author  Person     `json:"author"`
	Comment int64      `json:"comment,omitempty"` // thumb, answer: the comment that asked; 0: none

	Text      string        `json:"text,omitempty"`      // answer, voided: the sentence
	Standing  *Standing     `json:"standing,omitempty"`  // living
	Drop      *Drop         `json:"drop,omitempty"`      // dropped
	Verdict   *Verdict      `json:"verdict,omitempty"`   // dropped by a run, landed
	Base      SHA           `json:"base,omitempty"`      // dropped, landed: what the candidate stood on
	Candidate SHA           `json:"candidate,omitempty"` // dropped, landed: what was tested
	ID        CandidateID   `json:"id,omitempty"`
	Run       int           `json:"run,omitempty"`
	With      []Number      `json:"with,omitempty"`    // dropped by a run, landed: the other changes that were tested in it
	Landing   *Landing      `json:"landing,omitempty"` // landed
	Ours      []SHA         `json:"ours,omitempty"`    // landed: where lander itself may have put the branch before
	Approvers []string      `json:"approvers,omitempty"`
	Waited    time.Duration `json:"waited,omitempty"` // landed: from asking to landing
}

// Stage is where a change stands, as people see it.
type Stage string

const (
	StageIdle    Stage = "idle"
	StageHeld    Stage = "held"    // queued, but something must change first
	StageWaiting Stage = "waiting" // queued, its turn will come by itself
	StageTesting Stage = "testing"
	StageLanding Stage = "landing"
	StageLanded  Stage = "landed"
	StageDropped Stage = "dropped"
)

// Standing is all that people are shown of where a change stands; derived, never stored as truth.
type Standing struct {
	Number    Number      `json:"number"`
	Head      SHA         `json:"head"`
	Title     string      `json:"title"`
	URL       string      `json:"url"`
	Author    Person      `json:"author"`
	Stage     Stage       `json:"stage"`
	Since     time.Time   `json:"since"`
	Priority  int         `json:"priority"`
	Position  int         `json:"position,omitempty"` // in the line, from 1; 0: not queued
	Ahead     []Number    `json:"ahead,omitempty"`    // who is in front, nearest trunk first
	AskedBy   string      `json:"asked_by,omitempty"`
	AskedAt   time.Time   `json:"asked_at,omitzero"`
	Approvers []string    `json:"approvers,omitempty"`
	Reasons   []Reason    `json:"reasons,omitempty"` // why it has not landed
	ID        CandidateID `json:"id,omitempty"`      // whose run
	Run       int         `json:"run,omitempty"`
	Base      SHA         `json:"base,omitempty"`
	Candidate SHA         `json:"candidate,omitempty"`
	// State, With and Again are of the candidate in flight: how far it is, which other changes its commit has on top of Base, and that
	// its run was red and what failed runs again.
	State   CandidateState `json:"state,omitempty"`
	With    []Number       `json:"with,omitempty"`
	Again   bool           `json:"again,omitempty"`
	Areas   Areas          `json:"areas,omitempty"` // in which it is tested, where the lane has areas
	Drop    *Drop          `json:"drop,omitempty"`
	Landing *Landing       `json:"landing,omitempty"`
}

func livingKey(n Number) string { return fmt.Sprintf("living/%d", n) }

// askKey names the reply to a command, whose id is unique within its pull request only.
func askKey(kind string, n Number, a Ask) string { return fmt.Sprintf("%s/%d/%s", kind, n, a.ID) }

// living asks for the living comment to be brought up to date. The keeper fills in the Standing when it saves.
func (q *Queue) living(e *Entry, at time.Time) {
	q.tell(livingNotice(e, at))
}

func livingNotice(e *Entry, at time.Time) Notice {
	return Notice{Key: livingKey(e.Number), Kind: NoticeLiving, Number: e.Number, Head: e.Head, At: at, Author: e.Author}
}

func (q *Queue) answer(e *Entry, a Ask, text string) {
	q.tell(Notice{Key: askKey("answer", e.Number, a), Kind: NoticeAnswer, Number: e.Number, Head: e.Head, At: a.At, Author: a.Who, Comment: a.Comment, Text: text})
}

func (q *Queue) thumb(e *Entry, a Ask) {
	if a.Comment == 0 {
		return
	}
	q.tell(Notice{Key: askKey("thumb", e.Number, a), Kind: NoticeThumb, Number: e.Number, Head: e.Head, At: a.At, Author: a.Who, Comment: a.Comment})
}

func (q *Queue) livingAll(c *Candidate, at time.Time) {
	for _, m := range c.Members {
		if e := q.Entry(m.Number); e != nil && !e.Gone {
			q.living(e, at)
		}
	}
}

func (q *Queue) livingLine(at time.Time) {
	line := q.Line()
	out := append(make([]Notice, 0, len(q.Outbox)+len(line)), q.Outbox...)
	for _, e := range line {
		out = append(out, livingNotice(e, at))
	}
	q.Outbox = out
}
