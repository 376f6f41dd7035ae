package queue

import (
	"slices"
	"time"
)

// factKind is one way in which a row changes.
type factKind uint8

const (
	factLook factKind = iota
	factTips
	factDeed
	factConfirm
	factBegin
	factDone
	factEnd
	factPutBack
	factPause
	factResume
	factWithdraw
	factAsk
	factLapse
	factHindered
	factReport
)

// steps lists everything that may happen next.
func (m *model) steps(s situation, to emit) {
	for i := range m.replicas {
		if s.reps[i].at == atRest {
			m.lookAround(s, i, to)
			break // those at rest are all alike
		}
	}
	for i := range m.replicas {
		if s.reps[i].at == atRest {
			continue
		}
		m.goOn(s, i, to)
		if s.left.crashes > 0 {
			t := s
			t.left.crashes--
			t.reps[i] = replica{}
			to("is killed", i, t, "")
		}
	}
	m.arrivals(s, to)
	m.people(s, to)
}

// saved is the row after replica i saved it: whoever else loaded it before cannot save any more.
func saved(s situation, i int, row uint16) situation {
	if row != s.row {
		for j := range s.reps {
			if j != i {
				s.reps[j].flags &^= flagCurrent
			}
		}
	}
	s.row = row
	return s
}

// lookAround is what a lander does that has nothing begun: it loads the lane, takes in a fact or an order, or does the first deed of
// the plan. It need not know of others that have begun something.
func (m *model) lookAround(s situation, i int, to emit) {
	row := s.row
	look := m.look(row, s)
	to("looks at #1", i, saved(s, i, look), "")
	tips := m.tips(row, s.ledger, s.trunk)
	to("looks at both branches", i, saved(s, i, tips), "")
	q := m.rows[row]
	if s.left.pauses > 0 && q.Pause == nil {
		t := saved(s, i, m.fact(factKey{row: row, fact: factPause}, func(q Queue) Queue { return q.Apply(Paused{By: "ada", At: noon}) }))
		t.left.pauses--
		to("hears that an admin pauses the lane", i, t, "")
	}
	if s.left.resumes > 0 && (q.Pause != nil || q.Stop != nil) {
		t := saved(s, i, m.resumed(row))
		t.left.resumes--
		to("hears that an admin resumes the lane", i, t, "")
	}
	if s.left.withdraws > 0 {
		t := saved(s, i, m.fact(factKey{row: row, fact: factWithdraw}, func(q Queue) Queue {
			return q.Apply(ChangeAsked{1, Ask{ID: "withdraw", Who: rita, Role: RoleReview, At: noon, Verb: VerbWithdraw}})
		}))
		t.left.withdraws--
		to("hears that #1 is withdrawn", i, t, "")
	}
	if s.left.asks > 0 {
		t := saved(s, i, m.fact(factKey{row: row, fact: factAsk}, func(q Queue) Queue {
			return q.Apply(ChangeAsked{1, Ask{ID: "again", Who: rita, Role: RoleReview, At: noon, Verb: VerbLand, SHA: string(q.Entry(1).Head)}})
		}))
		t.left.asks--
		to("hears that #1 is asked for as it is known", i, t, "")
	}
	if m.trains {
		m.ends(s, i, to)
	}
	m.deed(s, i, to)
}

// deed is the first of the plan.
func (m *model) deed(s situation, i int, to emit) {
	p := m.plan(s.row)
	switch a := p.action.(type) {
	case nil:
	case Build, StartRun, Abandon:
		to(p.kind, i, saved(s, i, m.fact(factKey{row: s.row, fact: factDeed}, func(q Queue) Queue { return m.deedDone(q, a) })), "")
	case Join, Probe:
		if !m.trains {
			to("plans "+p.kind, i, s, "the plan asks for what nobody needs here: "+breach(p.kind))
			return
		}
		to(p.kind, i, saved(s, i, m.fact(factKey{row: s.row, fact: factDeed}, func(q Queue) Queue { return m.inTrain(q, a) })), "")
	case Confirm:
		row := m.fact(factKey{row: m.look(s.row, s), fact: factConfirm, a: s.row}, func(q Queue) Queue { return q.Apply(Confirmed{a.Candidate.ID, noon}) })
		to("looks at the members again", i, saved(s, i, row), "")
	case Land:
		if a.Candidate.State == CandidateLanding {
			s.reps[i] = replica{at: atLedger, flags: flagCurrent, row: s.row}
			to("finds an open landing", i, s, "")
			return
		}
		s.reps[i] = replica{at: atIntent, flags: flagCurrent, row: s.row}
		to("means to land", i, s, "")
	case PutBack:
		s.reps[i] = replica{at: atBranch, flags: flagCurrent, row: s.row}
		to("means to put the branch back", i, s, "")
	default:
		to("plans "+p.kind, i, s, "the plan asks for what nobody needs here: "+breach(p.kind))
	}
}

// deedDone is what follows from a deed that only the lane can see.
func (m *model) deedDone(q Queue, a Action) Queue {
	switch a := a.(type) {
	case Abandon:
		return q.Apply(Abandoned{a.ID, a.Reason, noon})
	case Build:
		if m.trains {
			return m.inTrain(q, a)
		}
		r := a.Request
		if m.members > 1 {
			r.Members = nil
			for _, e := range q.Line() {
				if len(conditions(e, m.policy)) == 0 {
					r.Members = append(r.Members, Member{Number: e.Number, Head: e.Head})
				}
			}
		}
		for _, member := range r.Members {
			if m.has(m.commit[r.Base], member.Head) {
				return q.Apply(CandidateUnmade{ID: a.ID, Base: r.Base, Member: member, Code: DropEmpty, Reason: SayEmpty(), At: noon})
			}
		}
		q = q.Apply(CandidateMade{a.ID, r, m.build(r), suite(), noon, nil})
		q = q.Apply(RunStarted{a.ID, 1, noon})
		return q.Apply(RunReported{a.ID, 1, green(nil, 1), noon})
	}
	return m.inTrain(q, a)
}

// goOn is the next step of a replica that has begun something.
func (m *model) goOn(s situation, i int, to emit) {
	r := &s.reps[i]
	switch r.at {
	case atIntent:
		m.intent(s, i, to)
	case atHead:
		m.moveHead(s, i, to)
	case atPush:
		m.push(s, i, to)
	case atPushTrunk:
		m.pushTrunk(s, i, to)
	case atLedger:
		r.at, r.ledger = atTrunk, s.ledger
		to("reads the ledger", i, s, "")
	case atTrunk:
		r.trunk = s.trunk
		m.resolve(s, i, to)
	case atBurn:
		m.burn(s, i, to)
	case atPushed, atLanded, atAborted:
		m.end(s, i, to)
	case atBranch:
		m.putBack(s, i, to)
	case atBranchBack:
		a, _ := m.plan(r.row).action.(PutBack)
		row := r.row
		m.save(s, i, func() uint16 {
			return m.fact(factKey{row: row, fact: factPutBack}, func(q Queue) Queue {
				return q.Apply(HeadPutBack{Number: a.Move.Number, From: a.Move.From, At: noon})
			})
		}, "saves that the branch was put back", to)
	}
}

// save ends what a replica had begun; when somebody saved since it loaded, nothing is stored.
func (m *model) save(s situation, i int, row func() uint16, step string, to emit) {
	current := s.reps[i].flags&flagCurrent != 0
	s.reps[i] = replica{}
	if !current {
		to("cannot save, and forgets what it had begun", i, s, "")
		return
	}
	to(step, i, saved(s, i, row()), "")
}

// intent stores an intent that was planned on what was loaded, with all facts that came in since.
func (m *model) intent(s situation, i int, to emit) {
	r := &s.reps[i]
	id, in := m.plead(r.row)
	row := m.fact(factKey{row: s.row, fact: factBegin, a: r.row}, func(q Queue) Queue {
		return m.mutation.begin(q, LandingBegun{id, in, m.policy, noon})
	})
	if row == s.row || m.open(row) == nil || m.open(row).Intent.Record.SHA != in.Record.SHA {
		*r = replica{}
		to("may not begin to land any more", i, s, "")
		return
	}
	wrong := m.wrongIntent(s.row, row)
	before := s.row
	s = saved(s, i, row)
	s.reps[i] = replica{at: atPush, flags: flagCurrent, row: row}
	if len(in.Heads) > 0 {
		s.reps[i].at = atHead
	}
	if m.mutation == intentNotSaved {
		s.row, wrong = before, ""
	}
	to("saves the intent to land "+m.what(row), i, s, wrong)
}

// plead is the intent to land the confirmed candidate of a row.
func (m *model) plead(row uint16) (CandidateID, Intent) {
	planned := m.rows[row]
	c := planned.Candidates[slices.IndexFunc(planned.Candidates, func(c *Candidate) bool { return c.State == CandidateConfirmed })]
	in, ok := m.pleas[row]
	if !ok {
		var st Statement
		st, in = planned.Plead(c, noon, m.policy)
		in.Record = m.records[m.recordAt(m.record[in.Ledger], st)].seal
		m.pleas[row] = in
	}
	return c.ID, in
}

func (m *model) moveHead(s situation, i int, to emit) {
	r := &s.reps[i]
	h := m.open(r.row).Intent.Heads[0]
	req := request{kind: requestHead, from: m.commit[h.From], to: m.commit[h.To]}
	m.leaves(s, i, req, atPush, "its push of the head branch of #1 is not answered", to)
	t, taken, wrong := m.serve(s, req)
	if taken {
		t.reps[i].at = atPush
		to("moves the head branch of #1", i, t, wrong)
		return
	}
	// Somebody pushed there just now, which it looks at before it goes on.
	r.row = m.look(r.row, s)
	r.at = atPush
	for _, member := range m.open(r.row).Members {
		if e := m.rows[r.row].Entry(member.Number); e.Head != member.Head {
			r.at = atLedger
		}
	}
	to("finds that the head branch of #1 was moved", i, s, "")
}

func (m *model) push(s situation, i int, to emit) {
	c := m.open(s.reps[i].row)
	req := request{requestLand, m.commit[c.Base], m.commit[c.Built.SHA], m.record[c.Intent.Ledger], m.record[c.Intent.Record.SHA]}
	s.reps[i].flags |= flagPushed
	if s.left.denials > 0 {
		t := s
		t.left.denials--
		t.reps[i].at = atLedger
		t.reps[i].flags |= flagDenied
		to("pushes, and the git server denies it", i, t, "")
	}
	if m.single {
		m.pushRecord(s, i, req, to)
		return
	}
	m.leaves(s, i, req, atLedger, "its push is not answered", to)
	t, taken, wrong := m.serve(s, req)
	t.reps[i].at = atLedger
	if taken {
		t.reps[i].at = atPushed
		to("pushes, and it is taken", i, t, wrong)
		return
	}
	to("pushes, and it is refused", i, t, wrong)
}

// pushRecord is the first half of a landing where trunk cannot be moved with it.
func (m *model) pushRecord(s situation, i int, req request, to emit) {
	if s.ledger == req.record {
		s.reps[i].at = atPushTrunk
		to("finds that its record is there", i, s, "")
		return
	}
	req.kind = requestRecord
	m.leaves(s, i, req, atLedger, "its push of the record is not answered", to)
	t, taken, wrong := m.serve(s, req)
	t.reps[i].at = atLedger
	if taken {
		t.reps[i].at = atPushTrunk
		to("pushes its record, and it is taken", i, t, wrong)
		return
	}
	to("pushes its record, and it is refused", i, t, wrong)
}

func (m *model) pushTrunk(s situation, i int, to emit) {
	c := m.open(s.reps[i].row)
	req := request{kind: requestTrunk, from: m.commit[c.Base], to: m.commit[c.Built.SHA], record: m.record[c.Intent.Record.SHA]}
	m.leaves(s, i, req, atLedger, "its push of trunk is not answered", to)
	t, taken, wrong := m.serve(s, req)
	t.reps[i].at = atLedger
	if taken {
		t.reps[i].at = atPushed
		to("pushes trunk, and it is taken", i, t, wrong)
		return
	}
	to("pushes trunk, and it is refused", i, t, wrong)
}

// leaves lets a request leave whose answer is lost: whether and when it arrives, nobody knows.
func (m *model) leaves(s situation, i int, req request, next place, step string, to emit) {
	if s.left.lost == 0 || s.fly[1].req != 0 {
		return
	}
	s.left.lost--
	s.fly[1] = flight{req: m.reqAt(req)}
	if s.reps[i].at = next; next == atRest {
		s.reps[i] = replica{}
	}
	to(step, i, s, "")
}

func (m *model) putBack(s situation, i int, to emit) {
	a := m.plan(s.reps[i].row).action.(PutBack)
	req := request{kind: requestHead, from: m.commit[a.Move.From], to: m.commit[a.Move.To]}
	m.leaves(s, i, req, atBranchBack, "its push that puts the branch back is not answered", to)
	t, _, wrong := m.serve(s, req)
	t.reps[i].at = atBranchBack
	to("puts the branch back if it stands where it was left", i, t, wrong)
}

func (m *model) look(row uint16, s situation) uint16 {
	return m.fact(factKey{row: row, fact: factLook, a: s.branch, b: uint16(s.facts &^ factRestored)}, func(q Queue) Queue { return q.Apply(ChangeSeen{Sight: m.sight(s)}) })
}

// tips is a row after a look at both branches, the ledger first.
func (m *model) tips(row, ledger, trunk uint16) uint16 {
	return m.fact(factKey{row: row, fact: factTips, a: ledger, b: trunk}, func(q Queue) Queue {
		if q.Ledger.Tip != m.records[ledger].SHA && m.holds(ledger, m.record[q.Ledger.Tip]) {
			q = m.mutation.ledgerSeen(q, LedgerSeen{Tip: m.records[ledger].SHA, Above: m.above(m.record[q.Ledger.Tip], ledger), Single: m.single, At: noon})
		}
		return q.Apply(TrunkSeen{Tip: m.commits[trunk].sha, Rewound: !m.on(trunk, m.commit[q.Tip]), At: noon})
	})
}

func (m *model) resumed(row uint16) uint16 {
	return m.fact(factKey{row: row, fact: factResume}, func(q Queue) Queue { return q.Apply(Resumed{By: "ada", At: noon.Add(time.Second)}) })
}

// what names the landing that is open in a row.
func (m *model) what(row uint16) string {
	c := m.open(row)
	name := ""
	for _, member := range c.Members {
		if name += member.Number.String(); member.Head == head(1, 2) {
			name += "'s second head"
		}
		name += " "
	}
	return name + "on " + c.Base.Short() + " by " + c.Intent.Record.SHA.Short()
}
