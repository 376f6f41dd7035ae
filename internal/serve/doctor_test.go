package serve

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lander/internal/forge/github"
	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/vcs"
)

// says is a finding in one line for tests: mark, check and what matters of the words.
func says(t *testing.T, f Finding, mark Mark, words ...string) {
	t.Helper()
	if f.Mark != mark {
		t.Errorf("%s is %s, want %s: %s", f.Check, f.Mark, mark, f.Found)
	}
	if f.Mark != Good && f.Mark != Unproven && f.Mend == "" && f.Check != "push-delete" {
		t.Errorf("%s: nobody says how to mend: %s", f.Check, f.Found)
	}
	if f.Mark == Good && f.Mend != "" {
		t.Errorf("%s is good, and still to be mended: %s", f.Check, f.Mend)
	}
	for _, w := range words {
		if !strings.Contains(f.Found+"\n"+f.Mend, w) {
			t.Errorf("%s does not say %q: %s / %s", f.Check, w, f.Found, f.Mend)
		}
	}
	if text := f.Found + f.Mend; strings.ContainsAny(text, "\n\t") || strings.Contains(text, "%!") || strings.Contains(text, "  ") {
		t.Errorf("%s is no plain text: %q", f.Check, text)
	}
}

func TestADiskIsJudged(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		free, size, inodes, all uint64
		kind                    string
		want                    []Mark
	}{
		{100 * giga, 200 * giga, 900, 0, "ext4", []Mark{Good}},
		{100 * giga, 200 * giga, 1e6, 2e6, "", []Mark{Good, Good}},
		{5 * giga, 40 * giga, 1e6, 2e6, "xfs", []Mark{Good, Good}},
		{5*giga - 1, 40 * giga, 1e6, 2e6, "xfs", []Mark{Warning, Good}},
		{90 * giga, 1000 * giga, 1e6, 2e6, "xfs", []Mark{Warning, Good}},
		{500 * mega, giga, 1e6, 2e6, "xfs", []Mark{Warning, Good}},
		{500*mega - 1, giga, 1e6, 2e6, "xfs", []Mark{Bad, Good}},
		{0, 0, 0, 0, "", []Mark{Bad}},
		{100 * giga, 200 * giga, 1e5, 2e6, "ext4", []Mark{Good, Warning}},
		{100 * giga, 200 * giga, 4999, 5000, "ext4", []Mark{Good, Bad}},
		{100 * giga, 200 * giga, 1e6, 2e6, "tmpfs", []Mark{Good, Good, Warning}},
		{100 * giga, 200 * giga, 1e6, 2e6, "nfs4", []Mark{Good, Good, Warning}},
		{100 * giga, 200 * giga, 1e6, 2e6, "fuse.sshfs", []Mark{Good, Good, Warning}},
		{100 * giga, 200 * giga, 1e6, 2e6, "overlay", []Mark{Good, Good}},
	} {
		found := judgeDisk("/data", disk{c.free, c.size, c.inodes, c.all, c.kind})
		if len(found) != len(c.want) {
			t.Errorf("%+v: %+v", c, found)
			continue
		}
		for i, f := range found {
			says(t, f, c.want[i])
		}
	}
	if left, err := diskOf(t.TempDir()); err != nil || left.size == 0 || left.free > left.size {
		t.Errorf("%+v, %v", left, err)
	}
}

func TestTheMountOfADirectoryIsFound(t *testing.T) {
	t.Parallel()
	const text = `22 1 0:20 / / rw,relatime shared:1 - overlay overlay rw
23 22 8:1 / /var rw - ext4 /dev/sda1 rw
24 23 8:2 / /var/lib rw master:1 - xfs /dev/sda2 rw
25 24 0:9 / /var/lib rw - btrfs /dev/sda3 rw
26 22 0:5 / /a\040b rw - nfs4 server:/x rw
nonsense
`
	for dir, want := range map[string]string{"/": "overlay", "/var": "ext4", "/variety": "overlay", "/var/lib/lander": "btrfs", "/a b/c": "nfs4"} {
		if got := mounted(text, dir); got != want {
			t.Errorf("%s is on %q, want %q", dir, got, want)
		}
	}
}

func TestADataDirectoryIsJudged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	says(t, owned(dir, dir, writable(dir)), Good, "can be written")
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	deep := filepath.Join(dir, "a", "b")
	at := nearest(deep)
	says(t, owned(deep, at, writable(at)), Good, "will be made in "+dir)
	says(t, owned(dir, dir, fs.ErrPermission), Bad, "may not write to "+dir)
	says(t, owned(dir, dir, errors.New("no space left on device")), Bad, "no space left")
	if _, err := os.Stat(deep); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the doctor made it: %v", err)
	}
}

func TestClocksAreJudgedByWhatIsCertain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ahead, within time.Duration
		proofs        bool
		want          Mark
		words         string
	}{
		{300 * time.Millisecond, time.Second, true, Good, "agree"},
		{-4 * time.Second, 0, false, Good, "4s behind"},
		{6 * time.Second, 2 * time.Second, false, Good, ""}, // may be only four
		{8 * time.Second, 2 * time.Second, false, Warning, "8s ahead"},
		{-10 * time.Minute, time.Second, false, Warning, "10m0s behind"},
		{-10 * time.Minute, time.Second, true, Bad, "proof of an App"},
		{30 * time.Second, time.Second, true, Warning, ""},
	} {
		says(t, judgeClock(aboutForge, "forge-clock", c.ahead, c.within, c.proofs), c.want, c.words)
	}
}

func TestADatabaseIsJudged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		about          store.About
		server, schema Mark
		words          string
	}{
		"right":     {store.About{Version: "15.14", Have: 2, Want: 2}, Good, Good, "schema 2"},
		"empty":     {store.About{Version: "15.14", Want: 2}, Good, Good, "lander serve makes"},
		"behind":    {store.About{Version: "15.14", Have: 1, Want: 2}, Good, Good, "brings it to 2"},
		"ahead":     {store.About{Version: "15.14", Have: 3, Want: 2}, Good, Warning, "newer lander"},
		"shut out":  {store.About{Version: "15.14", Have: 3, Want: 2, ShutOut: errors.New("a newer lander has changed it")}, Good, Bad, "newer lander"},
		"too old":   {store.About{Version: "12.3", TooOld: true, Want: 2}, Bad, Good, ""},
		"a standby": {store.About{Version: "15.14", ReadOnly: true, Have: 2, Want: 2}, Bad, Good, ""},
	} {
		found := judgeDatabase(c.about)
		t.Log(name)
		says(t, found[0], c.server, c.about.Version)
		says(t, found[1], c.schema, c.words)
		says(t, found[2], Good)
	}
}

func TestGuardsAreJudged(t *testing.T) {
	t.Parallel()
	const y, n, u = github.Yes, github.No, github.Unknown
	only := github.Lock{Name: "branch protection", Closed: true, Movers: []string{"Lander"}, Mine: y, NoForce: true, NoLoss: true}
	with := func(l github.Lock, change func(*github.Lock)) github.Lock { change(&l); return l }
	firm := github.Lock{Name: `ruleset "firm"`, Mine: y, NoForce: true, NoLoss: true}
	closed := github.Lock{Name: `ruleset "closed"`, Closed: true, Exempt: []string{"lander"}, Mine: y}
	for name, c := range map[string]struct {
		guard       github.Guard
		admin       bool
		move, force Mark
		words       string
	}{
		"lander alone":                             {github.Guard{Exists: true, Protected: true, Locks: []github.Lock{only}}, false, Good, Good, ""},
		"nothing":                                  {github.Guard{Exists: true}, false, Bad, Bad, "everybody with write permission"},
		"nothing, and that much everybody sees":    {github.Guard{Exists: true, Hidden: "only administrators see it"}, false, Bad, Bad, "Make two rulesets for main at PAGE"},
		"something that cannot be seen":            {github.Guard{Exists: true, Protected: true, Hidden: "only administrators see it"}, false, Unproven, Unproven, "not proven: what protects main cannot be seen"},
		"not there yet":                            {github.Guard{Hidden: "it is not there yet"}, false, Unproven, Unproven, "before the branch is there"},
		"rulesets, branch protection hidden":       {github.Guard{Exists: true, Protected: true, Hidden: "x", Locks: []github.Lock{closed, firm}}, false, Good, Good, ""},
		"rulesets before the branch is there":      {github.Guard{Hidden: "x", Locks: []github.Lock{closed, firm}}, false, Good, Good, ""},
		"closed, but not firm":                     {github.Guard{Exists: true, Locks: []github.Lock{closed}}, false, Good, Warning, "does not forbid pushes by force and deleting it"},
		"firm, but not closed":                     {github.Guard{Exists: true, Locks: []github.Lock{firm}}, false, Bad, Good, ""},
		"others may too":                           {github.Guard{Exists: true, Locks: []github.Lock{with(only, func(l *github.Lock) { l.Movers = []string{"lander", "bob", "the team core"} })}}, false, Warning, Good, "beside lander bob and the team core may move main"},
		"others, stopped by another lock":          {github.Guard{Exists: true, Locks: []github.Lock{with(only, func(l *github.Lock) { l.Movers = []string{"lander", "bob"} }), closed}}, false, Good, Good, ""},
		"administrators are exempt":                {github.Guard{Exists: true, Locks: []github.Lock{with(only, func(l *github.Lock) { l.Exempt = []string{"administrators"} })}}, false, Warning, Warning, "administrators may move main"},
		"lander is shut out":                       {github.Guard{Exists: true, Locks: []github.Lock{with(only, func(l *github.Lock) { l.Movers, l.Mine = []string{"bob"}, n })}}, false, Bad, Good, "lander may not move main: branch protection lets only bob"},
		"lander is an administrator that may":      {github.Guard{Exists: true, Locks: []github.Lock{with(only, func(l *github.Lock) { l.Movers, l.Mine, l.Exempt = nil, n, []string{"administrators"} })}}, true, Warning, Warning, ""},
		"it asks for a pull request":               {github.Guard{Exists: true, Locks: []github.Lock{only, with(firm, func(l *github.Lock) { l.Mine, l.Asks = n, []string{"a pull request"} })}}, false, Bad, Good, `ruleset "firm" asks for a pull request`},
		"a team that lander may belong to":         {github.Guard{Exists: true, Locks: []github.Lock{with(only, func(l *github.Lock) { l.Movers, l.Mine = []string{"the team core"}, u })}}, false, Unproven, Good, "whether lander may move main"},
		"who else may is not shown":                {github.Guard{Exists: true, Locks: []github.Lock{with(closed, func(l *github.Lock) { l.Exempt, l.Unseen = nil, true }), firm}}, false, Unproven, Good, `who else may by ruleset "closed" cannot be seen`},
		"not shown, but another lock is shut fast": {github.Guard{Exists: true, Locks: []github.Lock{with(closed, func(l *github.Lock) { l.Exempt, l.Unseen = nil, true }), only}}, false, Good, Good, ""},
	} {
		c.guard.Branch = "main"
		found := guarded{Guard: c.guard, about: "acme/app:main", what: "trunk", self: "lander", admin: c.admin, rules: "PAGE"}.judge()
		t.Log(name)
		says(t, found[0], c.move)
		if len(found) == 1 { // both say the same
			found = append(found, found[0])
		}
		says(t, found[1], c.force)
		if all := found[0].Found + found[0].Mend + found[1].Found + found[1].Mend; !strings.Contains(all, c.words) {
			t.Errorf("%q is not in %q", c.words, all)
		}
	}
	for name, c := range map[string]struct {
		lock github.Lock
		want bool
	}{
		"free": {closed, false}, "kept": {firm, true}, "kept from others": {with(firm, func(l *github.Lock) { l.Exempt = []string{"Lander"} }), false},
	} {
		if got := (guarded{Guard: github.Guard{Locks: []github.Lock{closed, c.lock}}, self: "lander"}).keeps(); got != c.want {
			t.Errorf("%s: keeps %v", name, got)
		}
	}
	for branch, want := range map[string]string{"main": "main", "lander-ledger/main": "lander-ledger/*", "lander-ledger/release/1": "lander-ledger/release/*"} {
		if got := pattern(branch); got != want {
			t.Errorf("rules for %s should name %s, not %s", branch, want, got)
		}
	}
	early := guarded{Guard: github.Guard{Branch: "lander-ledger/main", Hidden: "x"}, what: "ledger", self: "lander", rules: "PAGE"}.judge()
	says(t, early[0], Unproven, "lander-ledger/*", "restricts updates and creations")
}

func TestAccessIsJudged(t *testing.T) {
	t.Parallel()
	const y, n, u = github.Yes, github.No, github.Unknown
	for name, c := range map[string]struct {
		access github.Access
		want   map[string]Mark
	}{
		"all":            {github.Access{Push: y, Comment: y, Status: y, Workflows: y}, map[string]Mark{"repository": Good}},
		"reads only":     {github.Access{Push: n, Comment: u, Status: u, Workflows: u}, map[string]Mark{"repository": Bad, "repository-rights": Unproven}},
		"not told":       {github.Access{Push: y, Comment: u, Status: u, Workflows: u}, map[string]Mark{"repository": Good, "repository-rights": Unproven}},
		"no workflows":   {github.Access{Push: y, Comment: y, Status: y, Workflows: n}, map[string]Mark{"repository": Good, "repository-workflows": Warning}},
		"archived":       {github.Access{Push: y, Comment: y, Status: y, Archived: true}, map[string]Mark{"repository": Bad}},
		"cannot comment": {github.Access{Push: y, Comment: n, Status: n, Workflows: y}, map[string]Mark{"repository": Bad}},
	} {
		for _, isApp := range []bool{true, false} {
			found := judgeAccess("acme/app", c.access, isApp)
			if len(found) != len(c.want) {
				t.Errorf("%s: %+v", name, found)
			}
			for _, f := range found {
				says(t, f, c.want[f.Check])
			}
		}
	}
	says(t, judgeAllowance(github.Allowance{Remaining: 499, Limit: 5000}), Warning, "499 of 5000")
	says(t, judgeAllowance(github.Allowance{Remaining: 500, Limit: 5000}), Good)
	says(t, judgeAllowance(github.Allowance{}), Good, "does not count")
}

func TestPushesAndLedgersAreJudged(t *testing.T) {
	t.Parallel()
	l := queue.Lane{Repo: "acme/app", Trunk: "main"}
	for name, want := range map[string]Mark{"create": Bad, "lease": Bad, "fast-forward": Bad, "atomic": Warning, "rewind": Warning, "delete": Warning} {
		says(t, judgeProbe("acme/app", vcs.Finding{Name: name, Text: "x"}, false), want)
		says(t, judgeProbe("acme/app", vcs.Finding{Name: name, Text: "x", OK: true}, false), Good)
	}
	says(t, judgeProbe("acme/app", vcs.Finding{Name: "rewind", Text: "x"}, true), Good, "rules")
	says(t, judgeProbe("acme/app", vcs.Finding{Name: "atomic", Text: "x"}, true), Warning, "taken back by a second record; lander verify tells")
	written := []queue.Written{{SHA: "a", Statement: queue.Statement{Lane: l.String()}}, {SHA: "b", Statement: queue.Statement{Lane: l.String(), At: time.Unix(1e9, 0)}}}
	says(t, judgeLedger(l.String(), l, nil), Good, "not there yet")
	says(t, judgeLedger(l.String(), l, written), Good, "lander-ledger/main holds 2 records")
	written[1].Statement.Lane = "acme/other:main"
	says(t, judgeLedger(l.String(), l, written), Bad, "the ledger of acme/other:main")

	says(t, judgeSigned("", true, true, true), Good)
	says(t, judgeSigned("", true, true, false), Good, "from now on")
	says(t, judgeSigned("", true, false, false), Good)
	says(t, judgeSigned("", false, true, true), Bad, "no key any more")
	says(t, judgeSigned("", false, false, false), Warning, "ssh-keygen")
	if !hasSignature("tree x\ngpgsig -----BEGIN\n\ntext") || hasSignature("tree x\n\ngpgsig in the text") {
		t.Error("a signature is a header")
	}

	const known = queue.SHA("0123456789012345678901234567890123456789")
	says(t, judgeMissed("", 0), Good)
	says(t, judgeMissed("", 1), Warning, "1 delivery of the last day did not arrive", "deliveries of the webhook on the forge")
	says(t, judgeKnown("", l, known, 0, 2, nil), Good, "up to record 01234567")
	says(t, judgeKnown("", l, known, 1, 2, nil), Good, "newest 1 record")
	says(t, judgeKnown("", l, "", 0, 0, nil), Good)
	says(t, judgeKnown("", l, "", 2, 2, nil), Warning, "lander migrate --rebuild")
	says(t, judgeKnown("", l, known, 0, 0, &queue.LedgerError{Missing: true, Reason: "gone"}), Bad, "lander resume")
	says(t, judgeKnown("", l, known, 0, 2, &queue.LedgerError{Reason: "foreign"}), Bad, "Find out who pushed")
	holes := judgeHoles(vcs.Release{Major: 2, Minor: 39, Patch: 2, Name: "2.39.2"})
	says(t, holes, Warning, "CVE-2024-32002", "distribution", "2.43.7")
	says(t, judgeHoles(vcs.Release{Major: 2, Minor: 51}), Good)
}
