package verify

import (
	"cmp"
	"slices"
	"strings"
)

// chain is what a record is held against: what came before it.
type chain struct {
	lane   string
	seq    int64
	last   string // the record before; empty: none
	by     string // its committer
	key    string // the fingerprint of the key that signed it; empty: not signed
	signed bool   // some record was
}

// check holds every record against those before it.
func (v *verifier) check(c chain) {
	first := slices.IndexFunc(v.records, func(r *record) bool { return r.err == nil })
	if c.last != "" || first < 0 {
		first = 0
	} else {
		v.beginning(first, &c)
	}
	for i, r := range v.records[first:] {
		if r.err != nil {
			r.void = true
			v.find(Forged, r, r.id, sayForged(r, r.err))
		} else {
			v.link(r, i, &c)
		}
		v.signature(r, &c)
		c.last = r.id
		v.committers[identity(r.committer)] = true
	}
	v.aborts()
	for _, r := range v.records {
		if r.lands = !r.void && r.s.Decision == land; r.lands {
			v.landing(r)
		}
	}
}

// beginning judges the first of the records that is one.
func (v *verifier) beginning(i int, c *chain) {
	r := v.records[i]
	if v.o.Lane == "" {
		c.lane = r.s.Lane
	}
	v.report.Lane = c.lane
	if i > 0 {
		below := v.records[i-1]
		v.find(Chain, r, below.id, sayNoBeginning(r, i, below.err))
		for _, other := range v.records[:i] {
			other.void = true
		}
		c.seq, c.last = r.s.Seq-1, below.id
		return
	}
	if r.s.Decision != adopt {
		v.find(Chain, r, r.id, sayNoAdoption(r))
		c.seq = r.s.Seq - 1
		return
	}
	v.report.AdoptedBy, v.report.AdoptedAt, v.report.AdoptedOn = r.id, r.s.New, r.s.At
}

// link checks a record's place in the chain.
func (v *verifier) link(r *record, i int, c *chain) {
	c.lane = cmp.Or(c.lane, r.s.Lane)
	want := c.seq + 1
	switch {
	case r.s.Seq > want:
		v.find(Missing, r, r.id, sayGap(r, want))
	case r.s.Seq < want:
		v.find(Chain, r, r.id, sayBackwards(r, want))
	}
	c.seq = r.s.Seq
	if r.s.Lane != c.lane || v.trunk != "" && !strings.HasSuffix(r.s.Lane, ":"+v.trunk) {
		r.void = true
		v.find(Lane, r, r.id, sayForeign(r, c.lane, v.trunk))
		return
	}
	if r.s.Decision == adopt && (i > 0 || c.last != "") {
		r.void = true
		v.find(Chain, r, r.id, sayAdoptedTwice(r))
		return
	}
	if !slices.Equal(r.parents, r.want(c.last)) {
		kind := Forged
		if r.s.Decision != land {
			kind = Chain // another history was merged into it
		}
		v.find(kind, r, r.id, sayParents(r))
	}
	if c.by != "" && identity(r.committer) != c.by && identity(r.committer) != v.o.Committer && !r.sign.vouched() && (r.sign.key == "" || r.sign.key != c.key) {
		v.find(Forged, r, r.id, sayCommitter(r, identity(r.committer), c.by))
	}
	c.by = identity(r.committer)
}

// signature checks that a record is signed as it must be.
func (v *verifier) signature(r *record, c *chain) {
	switch {
	case r.sign.err != nil:
		v.find(Signature, r, r.id, saySignature(r, r.sign.err))
	case r.sign.key != "":
		v.report.Signed++
		v.sign(r.sign)
	case v.signers != nil:
		v.find(Signature, r, r.id, sayUnsigned(r))
	case c.signed:
		v.find(Signature, r, r.id, sayNoLongerSigned(r))
	}
	c.key, c.signed = r.sign.key, r.sign.key != "" // that it stopped is told once
}

// sign counts a key.
func (v *verifier) sign(s seal) {
	for i := range v.report.Keys {
		if k := &v.report.Keys[i]; k.Fingerprint == s.key {
			k.Records++
			return
		}
	}
	v.report.Keys = append(v.report.Keys, Key{Fingerprint: s.key, Type: s.kind, Principal: s.principal, Records: 1})
}

// aborts holds what was given up against what landed.
func (v *verifier) aborts() {
	type place struct {
		r *record
		i int
	}
	byID, byAttempt := map[string]place{}, map[int64]place{}
	for i, r := range slices.Concat(v.trusted, v.records) {
		if r.void || r.err != nil {
			continue
		}
		if r.s.Decision == land {
			byID[r.id], byAttempt[r.s.Attempt] = place{r, i}, place{r, i}
			continue
		}
		if r.s.Decision != abort {
			continue
		}
		if i >= len(v.trusted) {
			v.report.Aborts++
		}
		landed, ok := byID[r.s.Aborts]
		if ok && landed.r.s.Single && landed.i == i-1 && landed.r.s.Attempt == r.s.Attempt {
			landed.r.void = true // trunk could not follow, and this takes the record back
			v.takenBack = append(v.takenBack, landed.r)
			delete(byAttempt, r.s.Attempt)
			continue
		}
		if !ok {
			landed, ok = byAttempt[r.s.Attempt]
		}
		if ok && i >= len(v.trusted) {
			v.find(Aborted, r, landed.r.s.New, sayAborted(r, landed.r))
		}
	}
}

// landing counts a land record and the changes in it.
func (v *verifier) landing(r *record) {
	v.report.Landings++
	if r.s.Reused != nil {
		v.report.Reused++
	}
	if r.s.Tested != "" {
		v.report.PerArea++
		v.report.Areas = append(v.report.Areas, r.s.Areas...)
		slices.Sort(v.report.Areas)
		v.report.Areas = slices.Compact(v.report.Areas)
	}
	for _, e := range r.s.Entries {
		if len(e.Approvals) == 0 {
			v.report.Unapproved++
		}
		key := landed{e.Number, e.Head}
		if before, ok := v.landed[key]; ok {
			v.find(Twice, r, e.Commits[len(e.Commits)-1], sayTwice(r, e, before))
			continue
		}
		v.landed[key] = r
	}
}

// landed is a change with the head that was approved.
type landed struct {
	number int64
	head   string
}
