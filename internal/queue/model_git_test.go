package queue

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// model holds what is the same in all situations: the tables behind their numbers, and what was worked out already.
type model struct {
	replicas int
	members  int // of a candidate
	mutation mutation
	single   bool // the git server cannot move two branches at once
	trains   bool
	bad      []SHA // heads that are red together
	restores bool  // an old database may be put back
	most     int   // situations, after which it is given up
	policy   Policy

	rows    []Queue
	rowOf   map[string]uint16
	commits []modelCommit
	commit  map[SHA]uint16
	records []modelRecord
	record  map[SHA]uint16
	heads   []SHA // whose work landed in some situation
	reqs    []request
	req     map[request]uint16
	applied map[factKey]uint16
	plans   map[uint16]planned
	pleas   map[uint16]Intent
	aborts  map[[2]uint16]uint16
	whats   map[resolveKey]Resolution
	wrongs  map[[2]uint16]breach
	settled map[situation]bool
	alarm   breach // of something that was worked out
}

// modelCommit is a commit: a human's on trunk, a change's head, or what was made of a head.
type modelCommit struct {
	sha    SHA
	below  uint16 // 0: none
	number Number // whose it is; 0: a human's
	head   SHA    // whose work it has; empty: a human's
}

type modelRecord struct {
	Written
	below uint16 // 0: none
	seal  Sealed
}

// request is what a lander sends to the git server: a landing, a record alone, the move of a head branch; or the two halves of a landing,
// one after the other.
type request struct {
	kind     requestKind
	from, to uint16 // commits; of a landing, trunk's
	lease    uint16 // the record that the ledger has to stand on
	record   uint16
}

type requestKind uint8

const (
	requestLand requestKind = iota + 1
	requestBurn
	requestHead
	requestRecord
	requestTrunk
)

// factKey is a row and what is applied to it.
type factKey struct {
	row  uint16
	fact factKind
	a, b uint16
}

type resolveKey struct {
	row, ledger, trunk uint16
	tried              bool
}

type planned struct {
	kind   string // of the first deed
	action Action
}

func newModel(replicas, members int) *model {
	m := &model{
		replicas: replicas, members: members, most: math.MaxInt32, policy: Policy{Approvals: 1, Batch: members, Recipe: suite(), ShowMerged: true},
		rowOf: map[string]uint16{}, commit: map[SHA]uint16{}, record: map[SHA]uint16{}, req: map[request]uint16{},
		applied: map[factKey]uint16{}, plans: map[uint16]planned{}, pleas: map[uint16]Intent{}, aborts: map[[2]uint16]uint16{}, whats: map[resolveKey]Resolution{},
		wrongs: map[[2]uint16]breach{}, settled: map[situation]bool{},
	}
	m.rows, m.commits, m.records, m.reqs = []Queue{{}}, []modelCommit{{}}, []modelRecord{{}}, []request{{}} // 0 is none
	return m
}

// number is a place in a table, as a situation holds it.
func number(i int) uint16 {
	if i > math.MaxUint16 {
		panic("a table has more than a situation has room for")
	}
	return uint16(i)
}

// beginning is a lane that has adopted trunk, and two approved changes.
func (m *model) beginning(left bounds) situation {
	s := situation{trunk: m.commitAt(trunk(0), 0, 0, ""), branch: m.commitAt(head(1, 1), 0, 1, head(1, 1)), left: left}
	m.commitAt(head(1, 2), 0, 1, head(1, 2))
	m.commitAt(head(2, 1), 0, 2, head(2, 1))
	q := Queue{Lane: Lane{Repo: "acme/app", Trunk: "main"}}
	q = q.Apply(TrunkSeen{Tip: trunk(0), At: noon})
	s.ledger = m.recordAt(0, q.Adoption(noon))
	q = q.Apply(LedgerSeen{Tip: m.records[s.ledger].SHA, Above: m.above(0, s.ledger), Single: m.single, At: noon})
	q = q.Apply(ChangeSeen{Sight: m.sight(s)})
	other := Sight{Number: 2, At: noon, Open: true, Base: "main", Head: head(2, 1), Branch: "other", Author: ann}
	other.Reviews = []Review{{ID: "other", Who: rita, Role: RoleReview, Head: other.Head, State: ReviewApproved, At: noon}}
	s.row = m.rowAt(q.Apply(ChangeSeen{Sight: other}))
	return s
}

// rowAt is a queue as it is saved. What has left the queue stays, as the archive of the database has it.
func (m *model) rowAt(q Queue) uint16 {
	q.Version, q.Journal, q.Outbox, q.Moves = 0, nil, nil, nil
	q.Candidates = slices.DeleteFunc(slices.Clone(q.Candidates), (*Candidate).ended)
	key := text(q)
	if at, ok := m.rowOf[key]; ok {
		return at
	}
	m.rows = append(m.rows, q)
	m.rowOf[key] = number(len(m.rows) - 1)
	return m.rowOf[key]
}

// commitAt is a commit with the work of a head; of is that head, or made of it.
func (m *model) commitAt(sha SHA, below uint16, n Number, of SHA) uint16 {
	if at, ok := m.commit[sha]; ok {
		return at
	}
	if at, ok := m.commit[of]; ok {
		of = m.commits[at].head
	}
	m.commits = append(m.commits, modelCommit{sha, below, n, of})
	m.commit[sha] = number(len(m.commits) - 1)
	return m.commit[sha]
}

// recordAt is a statement on top of a record.
func (m *model) recordAt(below uint16, st Statement) uint16 {
	r := seal(m.records[below].SHA, st)
	if at, ok := m.record[r.SHA]; ok {
		return at
	}
	m.records = append(m.records, modelRecord{unseal(r), below, r})
	m.record[r.SHA] = number(len(m.records) - 1)
	return m.record[r.SHA]
}

func (m *model) reqAt(r request) uint16 {
	if at, ok := m.req[r]; ok {
		return at
	}
	m.reqs = append(m.reqs, r)
	m.req[r] = number(len(m.reqs) - 1)
	return m.req[r]
}

// on reports whether a commit is on the line below a tip.
func (m *model) on(tip, commit uint16) bool {
	for ; tip != 0; tip = m.commits[tip].below {
		if tip == commit {
			return true
		}
	}
	return false
}

// has reports whether the work of a head is on the line below a tip.
func (m *model) has(tip uint16, head SHA) bool {
	of := m.commits[m.commit[head]].head
	for ; tip != 0; tip = m.commits[tip].below {
		if m.commits[tip].head == of {
			return true
		}
	}
	return false
}

// above lists the records above a known one, oldest first. Nobody ever takes one away here.
func (m *model) above(known, tip uint16) []Written {
	var above []Written
	for ; tip != known && tip != 0; tip = m.records[tip].below {
		above = append(above, m.records[tip].Written)
	}
	slices.Reverse(above)
	return above
}

// holds reports whether a record is part of the ledger.
func (m *model) holds(ledger, record uint16) bool {
	for ; ledger != 0; ledger = m.records[ledger].below {
		if ledger == record {
			return true
		}
	}
	return false
}

// open is the candidate of a row whose landing has begun, or nil.
func (m *model) open(row uint16) *Candidate {
	for _, c := range m.rows[row].Candidates {
		if c.State == CandidateLanding {
			return c
		}
	}
	return nil
}

// build makes the commits of a candidate, the same from the same.
func (m *model) build(b BuildRequest) Built {
	var built Built
	below := b.Base
	for _, member := range b.Members {
		sum := sha256.Sum256([]byte(string(below) + string(member.Head)))
		sha := SHA(hex.EncodeToString(sum[:20]))
		m.commitAt(sha, m.commit[below], member.Number, member.Head)
		built.Commits = append(built.Commits, BuiltCommit{SHA: sha, Member: member.Number, From: member.Head, Title: "change"})
		built.SHA, built.Tree, below = sha, sha, sha
	}
	return built
}

// human is what somebody pushes on top of a commit.
func (m *model) human(on uint16) uint16 {
	sum := sha256.Sum256([]byte("by hand on " + string(m.commits[on].sha)))
	return m.commitAt(SHA(hex.EncodeToString(sum[:20])), on, 0, "")
}

// sight is what the forge says of #1.
func (m *model) sight(s situation) Sight {
	sight := Sight{
		Number: 1, At: noon, Open: s.facts&(factClosed|factMerged) == 0, Merged: s.facts&factMerged != 0, Base: "main", Head: m.commits[s.branch].sha,
		Branch: "topic", HeadRepo: "acme/app", Editable: true, Author: ann,
		Reviews: []Review{{ID: "first", Who: rita, Role: RoleReview, Head: head(1, 1), State: ReviewApproved, At: noon}},
	}
	if s.facts&factDismissed != 0 {
		sight.Reviews[0].State = ReviewDismissed
	}
	if s.facts&factPushed != 0 {
		sight.Reviews = append(sight.Reviews, Review{ID: "second", Who: raj, Role: RoleReview, Head: head(1, 2), State: ReviewApproved, At: noon})
	}
	return sight
}

// lapsed is a row an hour later, when no look is fresh any more.
func (m *model) lapsed(row uint16) uint16 {
	return m.fact(factKey{row: row, fact: factLapse}, func(q Queue) Queue {
		q.Candidates = slices.Clone(q.Candidates)
		for i, c := range q.Candidates {
			q.Candidates[i] = c.clone()
			q.Candidates[i].Since = noon.Add(-time.Hour)
		}
		return q
	})
}

// fact is a row after something was applied to it, worked out once.
func (m *model) fact(k factKey, apply func(Queue) Queue) uint16 {
	if at, ok := m.applied[k]; ok {
		return at
	}
	was := m.rows[k.row]
	q := apply(was)
	if wrong := m.wrongMoves(was, q); wrong != "" && m.alarm == "" {
		m.alarm = wrong
	}
	m.applied[k] = m.rowAt(q)
	return m.applied[k]
}

// wrongMoves holds that the trunk log is a chain, and that what lander landed is not called somebody else's.
func (m *model) wrongMoves(was, is Queue) breach {
	at := was.Tip
	for _, mv := range is.Moves {
		if mv.Old != at {
			return breach(fmt.Sprintf("the trunk log jumps from %s to %s", at.Short(), mv.Old.Short()))
		}
		at = mv.New
		// Who reads the ledger and then trunk, while one whom an old database has forgotten lands between, finds out only at the next look.
		if !m.restores && mv.Kind == MoveBypass && m.commits[m.commit[mv.New]].number != 0 {
			return breach(fmt.Sprintf("the trunk log calls %s a bypass, which lander landed", mv.New.Short()))
		}
	}
	if at != is.Tip {
		return breach("trunk was seen to move and the trunk log does not have it")
	}
	return ""
}

// plan is what a row asks for first.
func (m *model) plan(row uint16) planned {
	if p, ok := m.plans[row]; ok {
		return p
	}
	var p planned
	if plan := m.rows[row].Plan(noon, m.policy); len(plan) > 0 {
		p.action = plan[0]
		p.kind, _, _ = strings.Cut(plan[0].Key(), "/")
	}
	m.plans[row] = p
	return p
}
