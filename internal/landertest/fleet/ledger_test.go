package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// statement is a record of the ledger as anybody reads it: none of lander's own code has a part in that.
type statement struct {
	Format   int
	Seq      int
	Lane     string
	Decision string
	Attempt  int64
	Aborts   string
	Entries  []struct {
		Number  int
		Head    string
		Commits []string
	}
	Old, New, Tree string
	Style          string
	Recipe         string `json:"recipe_digest"`
	Verdict        string `json:"verdict_digest"`
	Run            int
}

type written struct {
	sha     string
	parents []string
	statement
}

func (o *oracle) ledgerRef() string { return "refs/heads/" + ledgerPrefix + o.lane.Trunk }

// readLedger walks from the ledger's tip to its first record.
func (o *oracle) readLedger() error {
	ctx := context.Background()
	if o.git.Run(ctx, "rev-parse", "--verify", "--quiet", o.ledgerRef()) != nil {
		return nil
	}
	list, err := o.git.Text(ctx, "rev-list", "--first-parent", "--reverse", "--parents", o.ledgerRef())
	if err != nil {
		return err
	}
	for line := range strings.Lines(list) {
		f := strings.Fields(line)
		r := written{sha: f[0], parents: f[1:]}
		message, err := o.git.Output(ctx, nil, "show", "-s", "--format=%B", f[0])
		if err != nil {
			return err
		}
		_, text, _ := strings.Cut(string(message), "\n\n")
		if err := json.Unmarshal([]byte(text), &r.statement); err != nil {
			return fmt.Errorf("read record %s: %w", f[0], err)
		}
		o.ledger = append(o.ledger, r)
	}
	return nil
}

// records: the chain is whole; each move of trunk by lander is a record, and each record a move; the database agrees; what was aborted
// is not there.
func (o *oracle) records() {
	var lands []written
	aborted := map[string]string{}
	for i, r := range o.ledger {
		if r.Format != 1 || r.Seq != i+1 || r.Lane != o.lane.String() {
			o.complain("record %d (%s) is number %d, format %d, of lane %s", i+1, r.sha, r.Seq, r.Format, r.Lane)
		}
		if i > 0 && (len(r.parents) == 0 || r.parents[0] != o.ledger[i-1].sha) || i == 0 && len(r.parents) > 0 {
			o.complain("record %d (%s) has parents %v", i+1, r.sha, r.parents)
		}
		switch {
		case (i == 0) != (r.Decision == "adopt"):
			o.complain("record %d (%s) is %q", i+1, r.sha, r.Decision)
		case r.Decision == "abort":
			aborted[r.Aborts] = r.sha
		case r.Decision == "land":
			lands = append(lands, r)
			o.landRecord(r)
		}
	}
	for _, r := range o.ledger {
		if by := aborted[r.sha]; by != "" {
			o.complain("record %s was aborted by %s and is in the ledger", r.sha, by)
		}
	}
	o.asMoved(lands)
	o.asStored(lands)
	o.appended()
}

func (o *oracle) landRecord(r written) {
	if tree := o.text("rev-parse", r.New+"^{tree}"); tree != r.Tree {
		o.complain("record %s names the tree %s, and %s has %s", r.sha, r.Tree, r.New, tree)
	}
	if r.Recipe == "" || r.Verdict == "" || r.Run == 0 || r.Attempt == 0 {
		o.complain("record %s lacks what it rests on: %+v", r.sha, r.statement)
	}
	want := []string{r.New}
	var own []string
	for _, e := range r.Entries {
		if !slices.Contains(want, e.Head) {
			want = append(want, e.Head)
		}
		own = append(own, e.Commits...)
	}
	if len(r.parents) == 0 || !slices.Equal(r.parents[1:], want) {
		o.complain("record %s has the parents %v, not its predecessor and %v", r.sha, r.parents, want)
	}
	if between := strings.Fields(o.text("rev-list", "--first-parent", "--reverse", r.Old+".."+r.New)); !slices.Equal(between, own) {
		o.complain("record %s has the commits %v, and between %s and %s are %v", r.sha, own, r.Old, r.New, between)
	}
}

// asMoved: the land records are the moves of trunk by lander, in the same order, each pushed at once with its record.
func (o *oracle) asMoved(lands []written) {
	type swap struct{ old, new string }
	var recorded, moved []swap
	for _, r := range lands {
		recorded = append(recorded, swap{r.Old, r.New})
	}
	for _, m := range o.moves {
		if m.ref == "refs/heads/"+o.lane.Trunk && m.who == bot {
			moved = append(moved, swap{m.old, m.new})
		}
	}
	if !slices.Equal(recorded, moved) {
		o.complain("the ledger says that lander moved trunk so: %v; but it did so: %v", recorded, moved)
	}
}

// asStored: the database has landed what the ledger says, and nothing else, and no head twice.
func (o *oracle) asStored(lands []written) {
	type fact struct {
		number    int
		head, tip string
		attempt   int64
	}
	var recorded, stored []fact
	heads := map[fact]bool{}
	for _, r := range lands {
		for _, e := range r.Entries {
			recorded = append(recorded, fact{e.Number, e.Head, r.New, r.Attempt})
			id := fact{number: e.Number, head: e.Head}
			if heads[id] {
				o.complain("#%d is in the ledger twice at %s", e.Number, e.Head)
			}
			heads[id] = true
		}
	}
	for _, g := range o.landings {
		stored = append(stored, fact{int(g.Number), string(g.Head), string(g.Tip), int64(g.Candidate)})
	}
	for _, f := range recorded {
		if !slices.Contains(stored, f) {
			o.complain("the ledger has landed %+v, and the database has not", f)
		}
	}
	for _, f := range stored {
		if !slices.Contains(recorded, f) {
			o.complain("the database has landed %+v, and the ledger has not", f)
		}
	}
}

// appended: only lander moved the ledger, and only forward, one record each time.
func (o *oracle) appended() {
	at := ""
	for _, m := range o.moves {
		if m.ref != o.ledgerRef() {
			continue
		}
		if m.who != bot {
			o.complain("%s moved the ledger", m.who)
		}
		i := slices.IndexFunc(o.ledger, func(r written) bool { return r.sha == m.new })
		if at != "" && (m.old != at || i < 1 || o.ledger[i-1].sha != at) || at == "" && i != 0 {
			o.complain("the ledger went from %s to %s, which is not its next record", m.old, m.new)
		}
		at = m.new
	}
	if len(o.ledger) == 0 {
		return // which is told of where it is read
	}
	if tip := o.ledger[len(o.ledger)-1].sha; at != tip {
		o.complain("the ledger stands on %s, and the last push left it on %s", tip, at)
	}
}
