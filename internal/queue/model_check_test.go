package queue

import "fmt"

// wrongIntent holds what an intent stands on, at the moment when it is saved.
func (m *model) wrongIntent(before, after uint16) breach {
	q, c := m.rows[before], m.open(after)
	switch {
	case m.open(before) != nil:
		return "two landings are open at once"
	case q.Pause != nil, q.Stop != nil:
		return "a landing is begun while the lane is paused or stopped"
	case c.Base != q.Tip:
		return "a landing is begun on what is not known as trunk"
	case c.Verdict == nil || c.Verdict.Outcome != Green:
		return "a landing is begun without a green verdict"
	}
	for _, member := range c.Members {
		e := q.Entry(member.Number)
		if e.State != Queued || e.Head != member.Head || len(e.Approvals) == 0 {
			return breach(fmt.Sprintf("a landing of %v is begun, which is %s at another head or without an approval", member.Number, e.State))
		}
	}
	return ""
}

// wrongLanding holds what a landing is at the moment when trunk moves.
func (m *model) wrongLanding(s situation, req request) breach {
	at := req.to
	for range m.records[req.record].Statement.Entries {
		at = m.commits[at].below
	}
	switch {
	case m.broken(req.to):
		return "trunk moves to a commit whose suite is red"
	case at != s.trunk:
		return "trunk moves to a commit that was tested on another one"
	case req.kind == requestTrunk && !m.holds(s.ledger, req.record):
		return "trunk moves before its record"
	case req.kind == requestLand && m.records[req.record].below != s.ledger && m.mutation != noLedgerLease: // there it is the fault, and not what follows from it
		return "the ledger's chain is broken"
	}
	for _, e := range m.records[req.record].Statement.Entries {
		if s.landed&m.headBit(e) != 0 {
			return breach(fmt.Sprintf("%v lands a second time at the same head", e.Number))
		}
	}
	if s.facts&factRestored != 0 {
		return "" // what was begun after the backup nobody knows any more
	}
	c, q := m.open(s.row), m.rows[s.row]
	switch {
	case c == nil && q.Pause != nil:
		return "trunk moves after the pause was told to hold"
	case c == nil || c.Intent.Record.SHA != m.records[req.record].SHA:
		return "trunk moves by a landing that was told to be over"
	}
	return ""
}

// wrong holds what is true of every situation.
func (m *model) wrong(s situation) breach {
	if s.facts&factRestored != 0 && m.rows[s.row].Ledger.Tip != m.records[s.ledger].SHA {
		return "" // it has not read the ledger yet
	}
	if locked(s) {
		return ""
	}
	if wrong := m.inFlight(s.row); wrong != "" {
		return wrong
	}
	key := [2]uint16{s.row, s.ledger}
	wrong, ok := m.wrongs[key]
	if !ok {
		wrong = m.disagree(s.row, s.ledger)
		m.wrongs[key] = wrong
	}
	return wrong
}

// disagree holds that the row knows of a landing exactly if the ledger says so; while one is open, it may not know of that yet.
func (m *model) disagree(row, ledger uint16) breach {
	q := m.rows[row]
	open := 0
	for _, c := range q.Candidates {
		if c.State == CandidateLanding {
			open++
		}
	}
	if open > 1 {
		return "two landings are open at once"
	}
	said, taken := map[SHA]bool{}, map[SHA]bool{}
	for at := ledger; at != 0; at = m.records[at].below {
		st := m.records[at].Statement
		if taken[st.Aborts] = true; st.Decision != DecisionLand || taken[m.records[at].SHA] {
			continue
		}
		for _, le := range st.Entries {
			said[le.Head] = true
			if e := q.Entry(le.Number); open == 0 && (e.past(le.Head) == nil || e.Head == le.Head && e.State != Landed) {
				return breach(fmt.Sprintf("the ledger says that %v landed at %s, and the database does not", le.Number, le.Head.Short()))
			}
		}
	}
	for _, e := range q.Entries {
		for _, l := range e.Past {
			if !said[l.Head] {
				return breach(fmt.Sprintf("the database says that %v landed at %s, and the ledger does not", e.Number, l.Head.Short()))
			}
		}
		if e.State == Landed && e.past(e.Head) == nil {
			return breach(fmt.Sprintf("%v is called landed at a head that never landed", e.Number))
		}
	}
	return ""
}

// unsettled holds that from every situation, once nothing goes wrong any more and an admin agrees to go on, the lane comes to rest: it
// lets everybody finish, one after the other, and looks at what is left. calm tells the steps of it.
func (m *model) unsettled(s situation) (wrong breach, calm []string) {
	s.left = bounds{}
	var way []situation
	for range 400 {
		s, _ = canonical(s)
		if m.settled[s] {
			for _, w := range way {
				m.settled[w] = true
			}
			return "", nil
		}
		way = append(way, s)
		next, step, wrong := m.calmly(s)
		if wrong != "" {
			return wrong, m.told(way, step)
		}
		if next == s {
			if wrong := m.restless(s); wrong != "" {
				return wrong, m.told(way, "")
			}
			m.settled[s] = true
			continue
		}
		s = next
	}
	return "the lane never comes to rest", m.told(way, "")
}

// told lists the steps of a way again, and one more.
func (m *model) told(way []situation, last string) (calm []string) {
	for _, s := range way {
		if next, step, _ := m.calmly(s); next != s {
			calm = append(calm, step)
		}
	}
	if last != "" && (len(calm) == 0 || calm[len(calm)-1] != last) {
		calm = append(calm, last)
	}
	return calm
}

// calmly is the one step that comes next when nothing goes wrong: what is under way arrives, whoever has begun something goes on, an
// admin resumes, everything is looked at, the plan is carried out. A situation that it does not change is at rest.
func (m *model) calmly(s situation) (next situation, step string, wrong breach) {
	next = s
	take := func(what string, _ int, to situation, w breach) {
		if next == s && wrong == "" {
			next, step, wrong = to, what, w
		}
	}
	if m.arrivals(s, take); next != s || wrong != "" {
		return next, step, wrong
	}
	for i := range m.replicas {
		if s.reps[i].at == atRest {
			continue
		}
		if m.goOn(s, i, take); next != s || wrong != "" {
			return next, step, wrong
		}
	}
	for _, row := range []uint16{m.look(s.row, s), m.tips(s.row, s.ledger, s.trunk), m.resumed(s.row)} {
		if row != s.row {
			next.row = row
			return next, "looks, or is resumed", ""
		}
	}
	if m.deed(s, 0, take); next == s && wrong == "" && m.trains {
		m.ends(s, 0, take)
	}
	return next, step, wrong
}

// restless holds what is true at rest.
func (m *model) restless(s situation) breach {
	q := m.rows[s.row]
	switch {
	case len(q.Candidates) > 0:
		return "a candidate is stuck"
	case q.Tip != m.commits[s.trunk].sha:
		return "at rest trunk is not where it was seen"
	case q.Ledger.Tip != m.records[s.ledger].SHA:
		return "at rest the ledger is not where it was seen"
	}
	if len(q.Cases) > 0 {
		return "a case is still open"
	}
	if wrong := m.fair(s); wrong != "" {
		return wrong
	}
	for _, e := range q.Entries {
		if e.State == Queued && len(conditions(e, m.policy)) == 0 {
			return breach(fmt.Sprintf("%v is stuck: %s", e.Number, text(m.plan(s.row).action)))
		}
	}
	e := q.Entry(1)
	// An author who leaves a head, is seen, and comes back to it in time for a push that lander meant for it, is left with that.
	if below := m.commits[s.branch].below; below != 0 && s.facts&(factClosed|factMerged|factRestored|factBack) == 0 && e.State != Landed {
		return "the head branch of #1 is left where lander had put it"
	}
	return ""
}
