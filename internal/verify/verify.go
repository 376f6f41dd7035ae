package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Options say what to verify. The zero value is the only lane of the repository that one stands in.
type Options struct {
	Dir    string // a work tree, or a bare repository; empty: where the process stands
	Trunk  string // the branch's name; empty: the only one with a ledger, or the one that the remote calls its HEAD
	Tip    string // a commit or ref to take for trunk's tip; empty: the branch
	Ledger string // a commit or ref to take for the ledger's tip; empty: the branch
	Lane   string // as in "acme/app:main"; what the ledger must be about; empty: whatever its first record says
	Range  string // commits as git names them, as in "v1.0..HEAD": only these are held against the ledger; empty: all since the adoption
	// Committer is "Name <address>" that lander commits as now. A record by another one than the record before is believed if it is
	// by this one; and always if it is signed by the same key, or by a key that somebody vouches for.
	Committer string
	Signers   string // path of a file of allowed signers, as git and ssh-keygen read it; empty: whoever signed is believed
	Scratch   string // a directory for what git writes meanwhile; empty: where temporary files go
	Since     string // a record to trust with all that is below it: only later ones are verified; empty: all
}

// RequestError says that what was asked for makes no sense here: a name that means nothing, a file that cannot be read.
type RequestError struct{ Reason string }

func (e *RequestError) Error() string { return e.Reason }

// Run verifies. The report is of use only without an error: an error means that nothing is proven, be it that there is no ledger, that
// the repository is not complete (a shallow clone), or that git failed. What is wrong with a ledger or a trunk that can be read are
// findings, and no error.
func Run(ctx context.Context, o Options) (Report, error) {
	r, err := openRepository(ctx, o.Dir)
	if err != nil {
		return Report{}, err
	}
	v := &verifier{
		o: o, repo: r, committers: map[string]bool{}, landed: map[landed]*record{}, explained: map[string]bool{},
	}
	report, err := v.run(ctx)
	var gone *missing
	var broken *gitError
	if ctx.Err() == nil && (errors.As(err, &gone) || errors.As(err, &broken)) {
		if r.partial {
			return Report{}, errPartial(r.dir, err)
		}
		return Report{}, errIncomplete(r.dir, err)
	}
	return report, err
}

// verifier is one run. It is used once.
type verifier struct {
	o       Options
	repo    *repository
	lens    *lens
	signers *signers
	trunk   string // the branch's name; empty: the ledger was named by hand
	report  Report

	records    []*record
	trusted    []*record       // some of those below
	takenBack  []*record       // landings that a later record takes back
	committers map[string]bool // who committed the ledger's records
	landed     map[landed]*record
	start      string // where trunk stood before the first landing

	graph     *graph
	explained map[string]bool // commits of trunk that a landing names
	wanted    map[string]bool // the range; nil: all
	parts     []*part
}

func (v *verifier) run(ctx context.Context) (_ Report, err error) {
	if v.o.Signers != "" {
		text, err := os.ReadFile(v.o.Signers)
		if err != nil {
			return Report{}, errSigners(v.o.Signers, err)
		}
		if v.signers, err = parseSigners(string(text)); err != nil {
			return Report{}, errSigners(v.o.Signers, err)
		}
	}
	if err := v.branches(ctx); err != nil {
		return Report{}, err
	}
	v.lens, err = openLens(ctx, v.o.Scratch, v.repo.objects, v.repo.digits)
	if err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, v.lens.close()) }()
	before, err := v.begin(ctx)
	if err != nil {
		return Report{}, err
	}
	if !v.rooted(before.last) {
		v.find(Chain, nil, before.last, sayUprooted(before.last))
		return v.finish(), nil
	}
	v.check(before)
	if err := v.load(ctx); err != nil {
		return Report{}, err
	}
	if err := v.narrow(ctx); err != nil {
		return Report{}, err
	}
	if onTrunk := v.walk(); v.o.Range != "" && !onTrunk {
		return Report{}, errEmptyRange(v.o.Range, v.report.Older)
	}
	if err := v.prove(ctx); err != nil {
		return Report{}, err
	}
	return v.finish(), nil
}

// branches finds trunk and ledger.
func (v *verifier) branches(ctx context.Context) error {
	var h home
	if v.o.Ledger == "" {
		var err error
		if h, err = v.repo.home(v.o.Trunk); err != nil {
			return err
		}
	} else {
		h.trunk = strings.TrimPrefix(v.o.Trunk, "refs/heads/")
		if h.trunk != "" {
			h.trunkRef = v.repo.branch(h.trunk, v.repo.places()[0])
		}
	}
	v.trunk = h.trunk
	v.report.LedgerRef, v.report.TrunkRef = cmp.Or(v.o.Ledger, h.ledgerRef), cmp.Or(v.o.Tip, h.trunkRef)
	if v.report.TrunkRef == "" {
		return errNoTrunk(v.repo.dir, h.trunk)
	}
	var err error
	if v.report.LedgerTip, err = v.repo.tip(ctx, v.report.LedgerRef); err != nil {
		return err
	}
	v.report.TrunkTip, err = v.repo.tip(ctx, v.report.TrunkRef)
	return err
}

// begin reads the ledger, and what its first record to verify is held against.
func (v *verifier) begin(ctx context.Context) (chain, error) {
	var since string
	var err error
	if v.o.Since != "" {
		if since, err = v.repo.resolve(ctx, v.o.Since); err != nil {
			return chain{}, err
		}
	}
	if v.records, err = v.lens.records(ctx, v.report.LedgerTip, since, v.signers); err != nil {
		return chain{}, err
	}
	c := chain{lane: v.o.Lane}
	if since == "" {
		first := v.records[0]
		if first.err == nil && first.s.Decision == adopt {
			v.start = first.s.New
		}
		if !slices.ContainsFunc(v.records, func(r *record) bool { return r.err == nil }) {
			return chain{}, errNoRecord(v.report.LedgerRef, first.err)
		}
		return c, nil
	}
	v.report.Since = since
	back := ""
	if len(v.records) > 0 {
		back = v.records[0].s.Aborts
	}
	if v.trusted, err = v.lens.trusted(ctx, since, back); err != nil {
		return chain{}, err
	}
	newest, mover := v.trusted[len(v.trusted)-1], v.trusted[0]
	if newest.err != nil || mover.err != nil {
		return chain{}, errNotTrusted(since)
	}
	v.start, v.report.Lane = mover.s.New, cmp.Or(v.o.Lane, newest.s.Lane)
	for _, r := range v.trusted {
		v.committers[identity(r.committer)] = true
	}
	return chain{
		lane: v.report.Lane, seq: newest.s.Seq, last: since, by: identity(newest.committer), key: newest.sign.key, signed: newest.sign.key != "",
	}, nil
}

// trusted reads a record and those below it, down to the one that says where trunk stood; oldest first. back is a landing that a
// later record takes back.
func (l *lens) trusted(ctx context.Context, since, back string) ([]*record, error) {
	for n := 16; ; n *= 8 {
		ids, err := l.list(ctx, []string{since}, "--first-parent", fmt.Sprintf("--max-count=%d", n))
		if err != nil {
			return nil, fmt.Errorf("read ledger: %w", err)
		}
		slices.Reverse(ids)
		all, err := l.parse(ctx, ids, nil)
		if err != nil {
			return nil, err
		}
		gone := map[string]bool{back: true}
		for i, r := range slices.Backward(all) {
			switch {
			case r.err == nil && r.s.Decision == abort:
				gone[r.s.Aborts] = true
			case r.err != nil || !r.s.Single || !gone[r.id]:
				return all[i:], nil
			}
		}
		if len(ids) < n {
			return all, nil
		}
	}
}

// rooted reports whether the records stand on the one that is trusted; empty: none is.
func (v *verifier) rooted(since string) bool {
	if since == "" {
		return true
	}
	if len(v.records) == 0 {
		return v.report.LedgerTip == since
	}
	parents := v.records[0].parents
	return len(parents) > 0 && parents[0] == since
}

// load reads the history that all this is about.
func (v *verifier) load(ctx context.Context) error {
	positions := []string{v.report.TrunkTip, v.start}
	for _, r := range v.records {
		if r.lands {
			positions = append(positions, r.s.Old, r.s.New)
		}
	}
	known, err := v.lens.known(ctx, positions)
	if err != nil {
		return err
	}
	if v.start != "" && !known[v.start] {
		// Every landing holds its commits in the ledger, but an adoption none: who forces trunk away from there before anything
		// landed leaves nothing of it.
		v.report.Rewinds++
		v.find(Rewind, v.records[0], v.start, sayLostStart(v.start))
	}
	tips := []string{v.report.TrunkTip}
	for _, r := range v.records {
		if r.lands && (!known[r.s.Old] || !known[r.s.New]) {
			r.lands = false
			v.find(Forged, r, r.s.New, sayUnknownCommits(r))
		}
		if r.lands {
			tips = append(tips, r.s.Old, r.s.New)
			tips = append(tips, r.parents[min(1, len(r.parents)):]...) // and the heads; the first is the record before
		}
	}
	if !known[v.start] { // a ledger without a beginning: as far as its landings go
		v.start = v.report.TrunkTip
		if i := slices.IndexFunc(v.records, func(r *record) bool { return r.lands }); i >= 0 {
			v.start = v.records[i].s.Old
		}
	}
	tips = append(tips, v.start)
	positions = slices.DeleteFunc(positions, func(id string) bool { return !known[id] })
	for base := v.start; ; {
		if v.graph, err = v.lens.graph(ctx, base, tips); err != nil || base == "" {
			return err
		}
		low, above := []string{base}, v.graph.above()
		for _, id := range positions {
			if at := v.graph.place(id); id != base && (at == outside || !above[at]) {
				low = append(low, id)
			}
		}
		if len(low) == 1 {
			return nil
		}
		if base, err = v.lens.commonBase(ctx, slices.Compact(low)); err != nil {
			return err
		}
	}
}

// narrow reads the range.
func (v *verifier) narrow(ctx context.Context) error {
	if v.o.Range == "" {
		return nil
	}
	names, err := v.repo.span(ctx, v.o.Range)
	if err != nil {
		return err
	}
	all, err := v.lens.list(ctx, names)
	if err != nil {
		return fmt.Errorf("read range: %w", err)
	}
	since, err := v.lens.list(ctx, append(names, "^"+v.start))
	if err != nil {
		return fmt.Errorf("read range: %w", err)
	}
	v.report.Older = len(all) - len(since)
	v.wanted = map[string]bool{}
	for _, id := range since {
		v.wanted[id] = true
	}
	return nil
}

// wants reports whether a commit of trunk is in the range.
func (v *verifier) wants(id string) bool { return v.wanted == nil || v.wanted[id] }

func (v *verifier) find(kind Kind, r *record, commit, text string) {
	f := Finding{Kind: kind, Breach: kind.Breach(), Commit: commit, Text: text}
	if r != nil {
		f.Record, f.Seq = r.id, r.s.Seq
		if f.Commit == r.id {
			f.Commit = ""
		}
	}
	if f.Breach {
		v.report.Breaches++
	}
	v.report.Findings = append(v.report.Findings, f)
}

func (v *verifier) finish() Report {
	v.report.Records = len(v.records)
	unsigned := v.report.Signed < len(v.records)
	v.report.Vouched = v.signers != nil && !unsigned
	if v.report.Findings == nil {
		v.report.Findings = []Finding{}
	}
	slices.SortStableFunc(v.report.Findings, func(a, b Finding) int {
		switch {
		case a.Breach == b.Breach:
			return cmp.Compare(uint64(a.Seq-1), uint64(b.Seq-1)) // what no record shows stands at the end
		case a.Breach:
			return -1
		}
		return 1
	})
	return v.report
}
