package queue

import "slices"

// locked reports whether a push is being carried out and shows on one branch only; git lets nobody else write to either meanwhile.
func locked(s situation) bool { return s.fly[0].half != 0 || s.fly[1].half != 0 }

// serve is the git server: it takes a request whose leases hold, and says whether that was right.
func (m *model) serve(s situation, req request) (after situation, taken bool, wrong breach) {
	if req.kind == requestHead {
		if s.branch != req.from || s.facts&factMerged != 0 {
			return s, false, ""
		}
		s.branch = req.to
		return s, true, ""
	}
	if locked(s) || !m.mutation.takes(m, s, req) {
		return s, false, ""
	}
	if req.kind == requestBurn || req.kind == requestRecord {
		s.ledger = req.record
		return s, true, ""
	}
	wrong = m.wrongLanding(s, req)
	s = m.landedOn(s, req)
	s.trunk = req.to
	if req.kind == requestLand {
		s.ledger = req.record
	}
	return s, true, wrong
}

// landedOn notes which heads landed, and what the forge makes of it.
func (m *model) landedOn(s situation, req request) situation {
	for _, e := range m.records[req.record].Statement.Entries {
		s.landed |= m.headBit(e)
		if e.Number == 1 && m.on(req.to, s.branch) {
			s.facts |= factMerged
		}
	}
	return s
}

// headBit is the place of a head, or of that whose work it has, among those that may land.
func (m *model) headBit(e LedgerEntry) uint16 {
	of := m.commits[m.commit[e.Head]].head
	i := slices.Index(m.heads, of)
	if i < 0 {
		i, m.heads = len(m.heads), append(m.heads, of)
	}
	if i >= 16 {
		panic("more heads than a situation has room for")
	}
	return 1 << i
}

// arrivals are requests that nobody waits for any more.
func (m *model) arrivals(s situation, to emit) {
	for f := range s.fly {
		if s.fly[f].req == 0 {
			continue
		}
		req := m.reqs[s.fly[f].req]
		if half := s.fly[f].half; half != 0 {
			t := s
			t.fly[f] = flight{}
			t.trunk, t.ledger = req.to, req.record
			to("a push shows on both branches", -1, m.landedOn(t, req), "")
			continue
		}
		rest := s
		rest.fly[f] = flight{}
		t, taken, wrong := m.serve(rest, req)
		if !taken {
			to("a push arrives late, and is refused", -1, rest, "")
			continue
		}
		to([]string{"", "a landing", "a burn", "a push of a head branch", "a push of a record", "a push of trunk"}[req.kind]+" arrives late, and is taken", -1, t, wrong)
		if req.kind == requestLand && s.left.halves > 0 {
			for _, half := range []uint8{halfTrunk, halfLedger} {
				t := s
				t.left.halves--
				t.fly[f].half = half
				if half == halfTrunk {
					t.trunk = req.to
				} else {
					t.ledger = req.record
				}
				to([]string{"", "a landing arrives late, and shows on trunk first", "a landing arrives late, and shows on the ledger first"}[half], -1, t, wrong)
			}
		}
	}
}

// people are those who know nothing of leases, and time.
func (m *model) people(s situation, to emit) {
	act := func(left *uint8, step string, t *situation) {
		*left--
		to(step, -1, *t, "")
	}
	if s.left.pushes > 0 && !locked(s) {
		t := s
		t.trunk = m.human(s.trunk)
		act(&t.left.pushes, "somebody pushes to trunk", &t)
	}
	if below := m.commits[s.trunk].below; s.left.rewinds > 0 && below != 0 && !locked(s) {
		t := s
		t.trunk = below
		act(&t.left.rewinds, "somebody takes a commit off trunk", &t)
	}
	open := s.facts&(factClosed|factMerged) == 0
	if s.left.authors > 0 && open {
		t := s
		t.branch, t.facts = m.commit[head(1, 2)], s.facts|factPushed
		act(&t.left.authors, "the author of #1 pushes a second head, which is approved", &t)
	}
	if s.left.backs > 0 && open && s.branch != m.commit[head(1, 1)] {
		t := s
		t.branch, t.facts = m.commit[head(1, 1)], s.facts|factBack
		act(&t.left.backs, "the author of #1 pushes its first head again", &t)
	}
	if s.left.dismissals > 0 {
		t := s
		t.facts |= factDismissed
		act(&t.left.dismissals, "the approval of the first head of #1 is dismissed", &t)
	}
	if s.left.closes > 0 && open {
		t := s
		t.facts |= factClosed
		act(&t.left.closes, "#1 is closed", &t)
	}
	if s.left.lapses > 0 {
		t := s
		t.row = m.lapsed(s.row)
		for i := range t.reps {
			if t.reps[i].row != 0 {
				t.reps[i].row = m.lapsed(t.reps[i].row)
			}
		}
		if t.backup != 0 {
			t.backup = m.lapsed(t.backup)
		}
		act(&t.left.lapses, "an hour passes", &t)
	}
	if s.left.backups > 0 {
		t := s
		t.backup = s.row
		act(&t.left.backups, "the database is backed up", &t)
	}
	if s.left.restores > 0 && s.backup != 0 {
		t := saved(s, -1, s.backup)
		for i := range t.reps {
			if t.reps[i].flags &^= flagCurrent; t.reps[i].at == atIntent {
				t.reps[i] = replica{} // it has nothing but a transaction to a database that is no more
			}
		}
		t.backup, t.facts = 0, s.facts|factRestored
		act(&t.left.restores, "the backup is restored", &t)
	}
}
