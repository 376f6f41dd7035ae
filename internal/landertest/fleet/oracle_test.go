package fleet

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"lander/internal/forge"
	"lander/internal/hub"
	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/vcs"
)

// oracle looks at what is left: the bare repository, what its post-receive hook noted, the ledger, and the database, in whose journal
// lander says itself what alarmed it. It uses nothing of how lander lands, but asks lander's own verify as well.
type oracle struct {
	world    *world
	lane     queue.Lane
	approved map[queue.Number][]string // heads, by what the test itself did
	good     []queue.Number            // must have landed
	bad      []queue.Number            // must not have landed

	git      vcs.Git
	moves    []move
	runs     []store.Run
	landings []store.Landed // oldest first
	journal  []queue.Record // oldest first
	logged   []queue.Move   // oldest first
	ledger   []written      // oldest first
	landed   int            // pull requests
	merged   int            // that the forge shows as merged
	wrong    []string
}

// move is one line of post-receive.log.
type move struct {
	at            time.Time
	who, old, new string
	ref           string
}

func (o *oracle) complain(format string, args ...any) {
	text := o.lane.String() + ": " + fmt.Sprintf(format, args...)
	if !slices.Contains(o.wrong, text) {
		o.wrong = append(o.wrong, text)
	}
}

// judge looks at one lane.
func (o *oracle) judge() (wrong []string) {
	if err := o.read(); err != nil {
		o.complain("cannot be judged: %v", err)
		return o.wrong
	}
	o.trunk()
	o.trunkLog()
	o.database()
	o.attempts()
	o.records()
	o.told()
	o.heads()
	o.alarms()
	o.standstills()
	o.verified()
	return o.wrong
}

func (o *oracle) read() (err error) {
	ctx := context.Background()
	if o.git, err = o.world.git(o.lane.Repo); err != nil {
		return err
	}
	if o.moves, err = o.world.allMoves(o.lane.Repo); err != nil {
		return err
	}
	if o.runs, err = o.world.store.Runs(ctx, o.lane, 0, 0, 100_000); err != nil {
		return err
	}
	if o.landings, err = o.world.store.Landings(ctx, o.lane, 100_000); err != nil {
		return err
	}
	slices.Reverse(o.landings)
	if o.journal, err = o.world.store.Journal(ctx, o.lane, 0, 1_000_000); err != nil {
		return err
	}
	slices.Reverse(o.journal)
	if o.logged, err = o.world.store.TrunkLog(ctx, o.lane, 1_000_000); err != nil {
		return err
	}
	slices.Reverse(o.logged)
	return o.readLedger()
}

// trunk: every move by lander is a fast-forward to a commit that was green on exactly what was replaced, changes what the approved
// head changes, and is no second landing of it.
func (o *oracle) trunk() {
	ref, at := "refs/heads/"+o.lane.Trunk, ""
	var mine []string
	for _, m := range o.moves {
		if m.ref != ref {
			continue
		}
		if at != "" && m.old != at {
			o.complain("trunk stood on %s, but the next push found it on %s", at, m.old)
		}
		at = m.new
		if m.who != bot {
			continue
		}
		if slices.Contains(mine, m.new) {
			o.complain("lander moved trunk to %s twice", m.new)
		}
		mine = append(mine, m.new)
		if o.git.Run(context.Background(), "merge-base", "--is-ancestor", m.old, m.new) != nil || m.old == m.new {
			o.complain("lander moved trunk from %s to %s, which is no fast-forward", m.old, m.new)
			continue
		}
		o.tested(m)
		found := 0
		for _, g := range o.landings {
			if string(g.Tip) == m.new {
				found++
				o.faithful(o.part(m, g), g)
			}
		}
		if found == 0 {
			o.complain("lander moved trunk to %s, and the database knows no landing there", m.new)
		}
	}
	if tip := o.text("rev-parse", "--verify", ref); tip != at {
		o.complain("trunk stands on %s, and the last push left it on %s", tip, at)
	}
	for _, g := range o.landings {
		if !slices.Contains(mine, string(g.Tip)) {
			o.complain("%v landed in the database as %s, where lander never moved trunk", g.Number, g.Tip)
		}
	}
}

// tested: exactly this commit was green. What it was built on does not matter: the commit says itself what is below it.
func (o *oracle) tested(m move) {
	if !o.green(m.new) {
		o.complain("lander put %s on top of %s without a green run of exactly that", m.new, m.old)
	}
}

// part is what one change has of a push that landed several: from the last commit of the one before it to its own last one. Between
// them they have all of it.
func (o *oracle) part(m move, g store.Landed) move {
	ends := map[string]queue.Number{} // the last commit of each
	for _, l := range o.landings {
		if string(l.Tip) == m.new && len(l.Commits) > 0 {
			ends[string(l.Commits[len(l.Commits)-1].SHA)] = l.Number
		}
	}
	if len(ends) < 2 {
		return m
	}
	part := m
	for _, sha := range strings.Fields(o.text("rev-list", "--reverse", m.old+".."+m.new)) {
		switch n, last := ends[sha]; {
		case last && n == g.Number:
			part.new = sha
			return part
		case last:
			part.old = sha
		}
	}
	o.complain("%v landed as %s, which has no commit of it", g.Number, m.new)
	return m
}

// faithful: what landed changes what the approved head changes, line for line.
func (o *oracle) faithful(m move, g store.Landed) {
	head := string(g.Head)
	if !slices.Contains(o.approved[g.Number], head) {
		o.complain("%v landed at head %s, to which nobody agreed", g.Number, head)
	}
	from := o.text("merge-base", m.old, head)
	if o.patch(from, head) != o.patch(m.old, m.new) {
		o.complain("%v landed as %s, which does not change what its head %s changes", g.Number, m.new, head)
	}
	reviewed, landed := o.text("log", "--reverse", "--format=%an %ae %s", from+".."+head), o.text("log", "--reverse", "--format=%an %ae %s", m.old+".."+m.new)
	if reviewed != landed {
		o.complain("%v landed with other authors or subjects: %q, not %q", g.Number, landed, reviewed)
	}
}

// patch is what lies between two commits, without line numbers and without what stands around.
func (o *oracle) patch(from, to string) string {
	diff, err := o.git.Output(context.Background(), nil, "diff-tree", "-r", "-p", "--unified=0", "--no-renames", "--full-index", from, to)
	if err != nil {
		o.complain("cannot be compared: %v", err)
	}
	var kept []string
	for line := range strings.Lines(string(diff)) {
		if !strings.HasPrefix(line, "@@ ") && !strings.HasPrefix(line, "index ") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

func (o *oracle) text(args ...string) string {
	out, err := o.git.Text(context.Background(), args...)
	if err != nil {
		o.complain("cannot be judged: %v", err)
	}
	return out
}

// database: nothing landed twice; what must have landed has, what must not has not; every pull request has one visible state.
func (o *oracle) database() {
	type key struct {
		n queue.Number
		h queue.SHA
	}
	times := map[key]int{}
	landed := map[queue.Number]bool{}
	for _, g := range o.landings {
		landed[g.Number] = true
		if times[key{g.Number, g.Head}]++; times[key{g.Number, g.Head}] == 2 {
			o.complain("%v landed twice at %s", g.Number, g.Head)
		}
	}
	for _, n := range o.good {
		if !landed[n] {
			o.complain("%v never landed, though nothing is wrong with it: %s", n, o.standing(n))
		}
	}
	for _, n := range o.bad {
		if landed[n] {
			o.complain("%v landed, though it is red", n)
		}
	}
	pulls, err := o.world.hub.Pulls(o.lane.Repo)
	if err != nil {
		o.complain("cannot be judged: %v", err)
	}
	for _, p := range pulls {
		if p.Base != o.lane.Trunk {
			continue
		}
		n := queue.Number(p.Number)
		switch state := o.state(n); {
		case state == "":
			o.complain("%v was lost: the database does not know it", n)
		case (state == queue.Landed) != landed[n]:
			o.complain("%v is %s, and its landings say otherwise", n, state)
		case landed[n] && p.Open:
			o.complain("%v has landed and is still open on the forge", n)
		}
		if landed[n] {
			o.landed++
		}
		if landed[n] && p.Merged {
			o.merged++
		}
	}
}

func (o *oracle) state(n queue.Number) queue.State {
	ctx := context.Background()
	q, _, err := o.world.store.View(ctx, o.lane)
	if err != nil {
		o.complain("cannot be judged: %v", err)
		return ""
	}
	e := q.Entry(n)
	if e == nil {
		if e, err = o.world.store.Former(ctx, o.lane, n); err != nil || e == nil {
			return ""
		}
	}
	return e.State
}

// standing is the last that the database says of a pull request.
func (o *oracle) standing(n queue.Number) string {
	text := string(o.state(n))
	for _, r := range o.journal {
		if r.Number == n {
			text += "; " + r.Kind + ": " + r.Text
		}
	}
	return text
}

// attempts: there is one intent at a time, and what was given up does not land.
func (o *oracle) attempts() {
	open, given := queue.CandidateID(0), map[queue.CandidateID]string{}
	for _, r := range o.journal {
		switch r.Kind {
		case "landing begun":
			if open != 0 && open != r.Candidate {
				o.complain("the landing of candidate %d began while that of %d was open", r.Candidate, open)
			}
			open = r.Candidate
			if how := given[r.Candidate]; how == "candidate abandoned" || how == "dropped" {
				o.complain("the landing of candidate %d began after %s", r.Candidate, how)
			}
		case "landed":
			if how := given[r.Candidate]; how == "candidate abandoned" || how == "dropped" {
				o.complain("candidate %d landed after %s", r.Candidate, how)
			}
			if open == r.Candidate {
				open = 0
			}
		case "landing undone", "landing denied", "candidate abandoned", "dropped":
			if r.Candidate != 0 {
				given[r.Candidate] = r.Kind
				if open == r.Candidate {
					open = 0
				}
			}
		}
	}
	if open != 0 {
		o.complain("the landing of candidate %d is still open", open)
	}
}

// told: all that was to be told is told, and each thing once.
func (o *oracle) told() {
	left, err := o.world.store.Unsent(context.Background(), o.lane, time.Now().Add(10000*time.Hour), 100)
	if err != nil {
		o.complain("cannot be judged: %v", err)
	}
	for _, out := range left {
		o.complain("%s was never told", out.Notice.Key)
	}
	pulls, err := o.world.hub.Pulls(o.lane.Repo)
	if err != nil {
		o.complain("cannot be judged: %v", err)
	}
	for _, p := range pulls {
		if p.Base == o.lane.Trunk {
			o.saidOn(p)
		}
	}
}

// saidOn: nothing was said twice. A request of one that was killed may arrive after its successor's; a look takes one of the two back.
func (o *oracle) saidOn(p hub.Pull) {
	until(limit, func() bool {
		now, err := o.world.hub.Pull(o.lane.Repo, p.Number)
		if err == nil {
			p = now
		}
		said := map[string]bool{}
		for _, c := range p.Comments {
			if key, ok := forge.HiddenKey(c.Body); ok && c.Author == bot {
				if said[key] {
					return false
				}
				said[key] = true
			}
		}
		return true
	})
	times := map[string]int{}
	for _, c := range p.Comments {
		if key, ok := forge.HiddenKey(c.Body); ok && c.Author == bot {
			if times[key]++; times[key] == 2 {
				o.complain("#%d was told %s twice", p.Number, key)
			}
		}
	}
	if len(times) == 0 {
		o.complain("#%d was told nothing at all", p.Number)
	}
}
