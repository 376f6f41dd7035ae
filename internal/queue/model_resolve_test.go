package queue

// resolve is the real decision on what was read, and the way to what it asks for.
func (m *model) resolve(s situation, i int, to emit) {
	r := &s.reps[i]
	what := m.decided(r)
	if what == ResolvePush && r.flags&flagDenied != 0 {
		what = ResolveBurn
	}
	switch what {
	case ResolveNothing:
		*r = replica{}
	case ResolveLanded:
		r.at = atLanded
	case ResolveAborted:
		r.at = atAborted
	case ResolvePush:
		if r.flags&flagPushed != 0 {
			*r = replica{} // the loop comes back to it
			break
		}
		if r.at = atPush; len(m.open(r.row).Intent.Heads) > 0 {
			r.at = atHead
		}
		r.ledger, r.trunk = 0, 0
	case ResolveBurn:
		r.at, r.trunk = atBurn, 0
		r.at = m.mutation.burn(r.at)
	case ResolveRead:
		if r.flags&flagTried == 0 && locked(s) {
			return // it reads again for longer than a push may show on one branch only
		}
		r.at, r.ledger, r.trunk = atLedger, 0, 0
		r.flags |= flagTried
	case ResolveStop:
		to("reads trunk", i, s, "the ledger is not trusted, and nobody but lander wrote there")
		return
	}
	to("reads trunk, and so: "+string(what), i, s, "")
}

// decided is Resolve, worked out once.
func (m *model) decided(r *replica) Resolution {
	key := resolveKey{r.row, r.ledger, r.trunk, r.flags&flagTried != 0}
	if what, ok := m.whats[key]; ok {
		return what
	}
	c := m.open(r.row)
	reading := m.reading(c, r.ledger, r.trunk)
	if key.tried {
		reading.Tries = halfSeen
	}
	m.whats[key] = m.mutation.resolve(m.rows[r.row].Resolve(c.ID, reading, noon, m.policy), reading, c)
	return m.whats[key]
}

func (m *model) reading(c *Candidate, ledger, trunk uint16) Reading {
	return Reading{
		Ledger: m.records[ledger].SHA, Above: m.above(m.record[c.Intent.Ledger], ledger), Trunk: m.commits[trunk].sha,
		Contains: m.on(trunk, m.commit[c.Built.SHA]),
	}
}

func (m *model) burn(s situation, i int, to emit) {
	r := &s.reps[i]
	record, ok := m.aborts[[2]uint16{r.row, r.ledger}]
	if !ok {
		c := m.open(r.row)
		record = m.recordAt(r.ledger, m.rows[r.row].Abort(c, m.reading(c, r.ledger, 0), noon))
		m.aborts[[2]uint16{r.row, r.ledger}] = record
	}
	req := request{kind: requestBurn, lease: r.ledger, record: record}
	if s.left.denials > 0 {
		t := s
		t.left.denials--
		m.save(t, i, func() uint16 {
			return m.fact(factKey{row: r.row, fact: factHindered}, func(q Queue) Queue {
				return q.Apply(LandingHindered{ID: m.open(r.row).ID, Reason: "protected branch", At: noon})
			})
		}, "burns, which the git server denies, and saves that it waits", to)
	}
	r.ledger = 0
	m.leaves(s, i, req, atRest, "its burn is not answered", to)
	t, taken, wrong := m.serve(s, req)
	t.reps[i].at = atLedger
	if taken {
		to("burns, and it is taken", i, t, wrong)
		return
	}
	to("burns, and it is refused", i, t, wrong)
}

// end saves what became of an intent, and what was read with it.
func (m *model) end(s situation, i int, to emit) {
	r := s.reps[i]
	id := m.open(r.row).ID
	done := func() uint16 {
		return m.fact(factKey{row: r.row, fact: factDone}, func(q Queue) Queue { return q.Apply(LandingDone{id, noon}) })
	}
	undone := func() uint16 {
		ev, denied := LandingUndone{ID: id, At: noon}, uint16(r.flags&flagDenied)
		if denied != 0 {
			ev.Denied = "protected branch"
		}
		return m.fact(factKey{row: r.row, fact: factEnd, a: denied}, func(q Queue) Queue { return q.Apply(ev) })
	}
	switch r.at {
	case atPushed:
		m.save(s, i, done, "saves that it landed", to)
	case atLanded:
		m.save(s, i, func() uint16 { return m.tips(done(), r.ledger, r.trunk) }, "saves that it landed, and where the branches stand", to)
	case atAborted:
		m.save(s, i, func() uint16 { return m.tips(undone(), r.ledger, r.trunk) }, "saves that it does not land, and where the branches stand", to)
	}
}
