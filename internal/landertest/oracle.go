package landertest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"lander/internal/config"
	"lander/internal/forge"
	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/vcs"
	"lander/internal/verify"
)

// oracle looks at what a story left behind: the bare repository, what its post-receive hook noted, and the database. It uses nothing
// of how lander lands. Who agreed to what it takes from the story itself.
type oracle struct {
	world *world
	git   vcs.Git
	moves []move
	wrong []string
	found []string // what verify named, breach or not, a line each
}

// move is one line of post-receive.log.
type move struct {
	at       time.Time
	who      string
	old, new string
	ref      string
}

func newOracle(w *world) *oracle {
	o := &oracle{world: w, git: w.git()}
	text, err := os.ReadFile(filepath.Join(o.git.Dir, "post-receive.log"))
	if !os.IsNotExist(err) {
		w.must(err)
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		at, err := time.Parse(time.RFC3339, f[0])
		w.must(err)
		o.moves = append(o.moves, move{at: at, who: f[1], old: f[2], new: f[3], ref: f[4]})
	}
	return o
}

// judge says what is not as it must be.
func (o *oracle) judge() []string {
	for _, l := range o.world.lanes {
		o.lane(l)
	}
	o.told()
	return o.wrong
}

func (o *oracle) complain(format string, args ...any) {
	o.wrong = append(o.wrong, "oracle: "+o.world.plain(fmt.Sprintf(format, args...)))
}

// lane checks everything about one trunk.
func (o *oracle) lane(l queue.Lane) {
	ctx := context.Background()
	db := o.world.life.store
	runs, err := db.Runs(ctx, l, 0, 0, 10_000)
	o.world.must(err)
	runs = append(runs, o.world.gone[l]...)
	landings, err := db.Landings(ctx, l, 10_000)
	o.world.must(err)
	ref := "refs/heads/" + l.Trunk
	at, told := "", map[int]bool{}
	var all []string // where lander moved trunk to
	for _, m := range o.moves {
		if m.ref != ref {
			continue
		}
		if at != "" && m.old != at {
			o.complain("%s stood on %s, but the next push found it on %s", l.Trunk, at, m.old)
		}
		at = m.new
		if m.who != bot {
			continue
		}
		all = append(all, m.new)
		o.forward(m)
		o.tested(l, m, runs)
		o.moving(m)
		members := 0
		for i, g := range landings {
			if string(g.Tip) != m.new {
				continue
			}
			members++
			if told[i] {
				o.complain("%v is written down as landed twice as %s", g.Number, m.new)
			}
			told[i] = true
			o.agreed(m, g)
			o.faithful(o.part(m, g, landings), g)
		}
		if members == 0 {
			o.complain("lander moved %s to %s, and nothing is written down as landed so", l.Trunk, m.new)
		}
	}
	if tip := o.text("rev-parse", "--verify", ref); at != "" && tip != at {
		o.complain("%s stands on %s, and the last push left it on %s", l.Trunk, tip, at)
	}
	for i, g := range landings {
		if !told[i] {
			o.complain("%v is written down as landed as %s, where lander never moved %s", g.Number, g.Tip, l.Trunk)
		}
		if n := slices.IndexFunc(landings, func(h store.Landed) bool { return h.Number == g.Number && h.Head == g.Head }); n != i {
			o.complain("%v landed twice at %s", g.Number, g.Head)
		}
	}
	o.verified(l, len(all))
	slices.Sort(all)
	if len(slices.Compact(slices.Clone(all))) != len(all) {
		o.complain("lander moved %s to the same commit twice", l.Trunk)
	}
}

// verified: what everybody can verify from the repository alone agrees. moves is how often lander moved the trunk.
func (o *oracle) verified(l queue.Lane, moves int) {
	if _, err := o.world.hub.Tip(repository, l.LedgerBranch()); err != nil && moves == 0 {
		return // there is nothing to verify yet
	}
	report, err := verify.Run(context.Background(), verify.Options{
		Dir: o.git.Dir, Trunk: l.Trunk, Lane: l.String(), Committer: o.world.settings.Committer.String(),
	})
	if err != nil {
		o.complain("%v cannot be verified: %v", l, err)
		return
	}
	if report.Landings != moves {
		o.complain("the ledger of %v tells of %d landings, and lander moved trunk %d times", l, report.Landings, moves)
	}
	expected := map[string]bool{}
	for _, f := range report.Findings {
		lane, meant := "", !f.Breach
		if len(o.world.lanes) > 1 {
			lane = l.Trunk + ": "
		}
		for _, part := range o.world.breaches {
			if f.Breach && strings.Contains(o.world.plain(f.Text), part) {
				meant, expected[part] = true, true
			}
		}
		if !meant {
			o.complain("verify: %s: %s", f.Kind, f.Text)
		}
		o.found = append(o.found, fmt.Sprintf("%s%s: %s\n", lane, f.Kind, f.Text))
	}
	for _, part := range o.world.breaches {
		if !expected[part] {
			o.complain("verify does not find %q in %v", part, l)
		}
	}
}

// forward: a landing is a fast-forward.
func (o *oracle) forward(m move) {
	if err := o.git.Run(context.Background(), "merge-base", "--is-ancestor", m.old, m.new); err != nil || m.old == m.new {
		o.complain("lander moved %s from %s to %s, which is no fast-forward", m.ref, m.old, m.new)
	}
}

// tested: exactly this commit was green, or, where trunk's policy has areas, the one that the record names. What it was built on does not
// matter: the commit says itself what is below it.
func (o *oracle) tested(l queue.Lane, m move, runs []store.Run) {
	tested := m.new
	if r := o.record(l, m.new); r.Tested != "" {
		tested = string(r.Tested)
		if p, ok := o.policy(m.old); !ok || p.Areas.Off() || len(r.Areas) == 0 || tested == m.new {
			o.complain("lander put %s on top of %s, which has no areas by which a run of %s were enough", m.new, m.old, tested)
		}
	}
	green := slices.ContainsFunc(runs, func(r store.Run) bool {
		return string(r.SHA) == tested && r.Verdict != nil && r.Verdict.Outcome == queue.Green
	})
	if !green {
		o.complain("lander put %s on top of %s without a green run of exactly %s", m.new, m.old, tested)
	}
}

// record is the last one of a landing as that commit; the zero one: the ledger, as it is, has none.
func (o *oracle) record(l queue.Lane, sha string) queue.Statement {
	for _, s := range o.world.statements(l) {
		if s.Decision == queue.DecisionLand && string(s.New) == sha {
			return s
		}
	}
	return queue.Statement{}
}

// policy is what the policy file in a commit says.
func (o *oracle) policy(sha string) (queue.Policy, bool) {
	text, err := o.git.Output(context.Background(), nil, "cat-file", "blob", sha+":"+queue.PolicyFile)
	if err != nil {
		return queue.Policy{}, false
	}
	p, err := config.ParsePolicy(text)
	return p, err == nil
}

// part is what one change has of a push that landed several: from the last commit of the one before it to its own last one. Between
// them they have all of it.
func (o *oracle) part(m move, g store.Landed, landings []store.Landed) move {
	ends := map[string]queue.Number{} // the last commit of each
	for _, l := range landings {
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

// moving: nothing lands while landing is paused.
func (o *oracle) moving(m move) {
	for _, p := range o.world.pauses {
		if m.at.After(p.from) && (p.to.IsZero() || m.at.Before(p.to)) {
			o.complain("%s landed at %s, while landing was paused", m.new, m.at.Format(time.TimeOnly))
		}
	}
}

// agreed: enough people agreed to exactly this head, and nobody had taken it back.
func (o *oracle) agreed(m move, g store.Landed) {
	need := 1
	if p, ok := o.policy(m.old); ok {
		need = p.Approvals
	}
	who := map[string]bool{}
	for _, c := range o.world.consents {
		if c.number == int(g.Number) && c.head == string(g.Head) && !c.at.After(m.at) && (c.revoked.IsZero() || c.revoked.After(m.at)) {
			who[c.who] = true
		}
	}
	if len(who) < need {
		o.complain("%v landed at head %s, to which %d agreed and not %d", g.Number, g.Head, len(who), need)
	}
}

// faithful: what landed changes what the reviewed head changes, line for line: as a whole, or commit by commit where trunk had some
// of its commits already.
func (o *oracle) faithful(m move, g store.Landed) {
	head := string(g.Head)
	if err := o.git.Run(context.Background(), "cat-file", "-e", head+"^{commit}"); err != nil {
		o.complain("the head %s of %v is gone", head, g.Number)
		return
	}
	from := o.text("merge-base", m.old, head)
	if o.patch(from, head) == o.patch(m.old, m.new) {
		return
	}
	reviewed, landed, before := o.patches(from, head), o.patches(m.old, m.new), o.patches("", m.old)
	for _, p := range landed {
		if !slices.Contains(reviewed, p) {
			o.complain("%v landed as %s, which changes what %s does not change", g.Number, m.new, head)
		}
	}
	for _, p := range reviewed {
		if !slices.Contains(landed, p) && !slices.Contains(before, p) {
			o.complain("%v landed as %s, which lacks what %s changes", g.Number, m.new, head)
		}
	}
}

// patches are the patches of the commits in a range that are no merges.
func (o *oracle) patches(from, to string) (all []string) {
	what := to
	if from != "" {
		what = from + ".." + to
	}
	for _, sha := range strings.Fields(o.text("rev-list", "--no-merges", what)) {
		parent := o.text("rev-parse", sha+"^@")
		if parent == "" {
			continue // the first commit
		}
		all = append(all, o.patch(parent, sha))
	}
	return all
}

// patch is what lies between two commits, without line numbers and without what stands around.
func (o *oracle) patch(from, to string) string {
	diff, err := o.git.Output(context.Background(), nil, "diff-tree", "-r", "-p", "--unified=0", "--no-renames", "--full-index", from, to)
	o.world.must(err)
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
	o.world.must(err)
	return out
}

// told: all that was to be told is told, and each thing once.
func (o *oracle) told() {
	for _, l := range o.world.lanes {
		left, err := o.world.life.store.Unsent(context.Background(), l, o.world.Now().Add(1000*time.Hour), 100)
		o.world.must(err)
		for _, out := range left {
			o.complain("%s was never told", out.Notice.Key)
		}
	}
	pulls, err := o.world.hub.Pulls(repository)
	o.world.must(err)
	for _, p := range pulls {
		times := map[string]int{}
		for _, c := range p.Comments {
			if key, ok := forge.HiddenKey(c.Body); ok && c.Author == bot {
				if times[key]++; times[key] > 1 {
					o.complain("#%d was told %s %d times", p.Number, key, times[key])
				}
			}
		}
	}
}
