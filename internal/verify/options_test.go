package verify

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestRange(t *testing.T) {
	t.Parallel()
	w := adopted(t)
	before := w.tip()
	w.land(w.one(1))
	first := w.tip()
	w.landAs(landing{files: func(f map[string]string) { f["c.txt"] = "evil\n" }}, w.one(2))
	second := w.tip()
	w.push(maya, edit{"hand", "", "1\n"})
	w.land(w.one(3))
	w.flush()
	for _, c := range []struct {
		text           string
		commits, older int
		want           []string
	}{
		{"", 3, 0, []string{"change: #2", "bypass: "}},
		{"main", 3, 3, []string{"change: #2", "bypass: "}},
		{before + ".." + first, 1, 0, nil},
		{first + "^!", 1, 0, nil},
		{first + "..main~1", 1, 0, []string{"change: #2", "bypass: "}},
		{second + "..", 1, 0, []string{"bypass: "}}, // to HEAD
		{"main~1..main", 1, 0, nil},
	} {
		r := w.must(Options{Range: c.text})
		if r.Commits != c.commits || r.Older != c.older {
			t.Errorf("%q: %d commits, %d older, want %d, %d", c.text, r.Commits, r.Older, c.commits, c.older)
		}
		expect(t, r, c.want)
	}
	w.refs["refs/heads/side"] = w.commit(draft{by: noor, message: "side"}, noor, first)
	for text, words := range map[string]string{
		before:               "all of .* is from before lander began here",
		"main..side":         "no commit of main..side is on trunk",
		"main..main":         "no commit of main..main is on trunk",
		"nosuch..main":       `"nosuch..main" is no range of commits here`,
		"--all":              `"--all" is no range`,
		"--output=/tmp/evil": "is no range",
	} {
		_, err := w.verify(Options{Range: text})
		refused(t, err, words, strings.Contains(words, "is no range"))
	}
}

// refused checks an error's words, and whether it is the caller's fault.
func refused(t *testing.T, err error, words string, request bool) {
	t.Helper()
	var wrong *RequestError
	if err == nil || !matches(words, err.Error()) || errors.As(err, &wrong) != request {
		t.Errorf("refused with %v (a wrong request: %v), want %q (%v)", err, errors.As(err, &wrong), words, request)
	}
}

// TestSince: what is above a trusted record is verified as if all had been, and what is below it is not.
func TestSince(t *testing.T) {
	t.Parallel()
	w := adopted(t)
	old := w.one(9)
	w.landAs(landing{files: func(f map[string]string) { f["c.txt"] = "evil\n" }}, w.one(1))
	w.abort(w.attempt+1, strings.Repeat("1", 40))
	trusted := w.refs[ledgerRef]
	if r := w.must(Options{Since: trusted}); r.Records != 0 || r.Commits != 0 || len(r.Findings) > 0 {
		t.Errorf("nothing new: %+v", r)
	}
	w.land(old)
	w.push(maya, edit{"hand", "", "1\n"})
	w.land(w.one(2))
	r := w.must(Options{Since: trusted})
	if expect(t, r, []string{"bypass: past lander"}); r.Records != 2 || r.Landings != 2 || r.Commits != 2 || r.Since != trusted || r.Lane != "acme/app:main" {
		t.Errorf("%+v", r)
	}
	kept := w.refs[ledgerRef]
	w.land(w.one(3))
	newest := w.refs[ledgerRef]
	w.refs[ledgerRef] = kept
	expect(t, w.must(Options{Since: newest}), []string{"chain: the ledger was rewritten"})
	w.land(w.one(4))
	expect(t, w.must(Options{Since: newest}), []string{"chain: the ledger was rewritten"})
	_, err := w.verify(Options{Since: w.tip()})
	refused(t, err, "cannot be trusted as a record", true)
	_, err = w.verify(Options{Since: strings.Repeat("9", 40)})
	refused(t, err, "names no commit here", true)
}

// TestSinceTakenBack: trunk stands where it stood before a landing that was taken back.
func TestSinceTakenBack(t *testing.T) {
	t.Parallel()
	w := adopted(t)
	w.land(w.one(1))
	before := w.tip()
	id := w.landAs(landing{said: func(m map[string]any) { m["single"] = true }}, w.one(2))
	w.refs[trunkRef] = before
	w.abort(w.attempt, id)
	trusted := w.refs[ledgerRef]
	w.land(w.one(3))
	expect(t, w.must(Options{Since: trusted}), nil)
	expect(t, w.must(Options{Since: id}), []string{})
}

func TestWhichLane(t *testing.T) {
	t.Parallel()
	w := adopted(t)
	w.land(w.one(1))
	if r := w.must(Options{Trunk: "main", Lane: "acme/app:main"}); len(r.Findings) > 0 {
		t.Error(r.Findings)
	}
	expect(t, w.must(Options{Lane: "acme/other:main"}), []string{"lane: not of acme/other:main", "lane: ", "missing: committed as lander"})
	if r := w.must(Options{Ledger: w.refs[ledgerRef], Tip: "main~0"}); len(r.Findings) > 0 {
		t.Error(r.Findings)
	}
	// The ledger of one trunk says nothing about another one.
	main, ledger := w.refs[trunkRef], w.refs[ledgerRef]
	w.refs["refs/heads/release/1.0"], w.refs["refs/heads/lander-ledger/release/1.0"] = main, ledger
	expect(t, w.must(Options{Trunk: "release/1.0"}), []string{"lane: of release/1.0", "lane: ", "missing: "})
	if r := w.must(Options{}); r.TrunkRef != trunkRef {
		t.Errorf("HEAD is main: %s", r.TrunkRef)
	}
	w.git("symbolic-ref", "HEAD", "refs/heads/other")
	_, err := w.verify(Options{})
	refused(t, err, "several trunks have a ledger here; name one: main, release/1.0", true)
	for words, o := range map[string]Options{
		"no branch lander-ledger/nosuch in":    {Trunk: "nosuch"},
		`"refs/nosuch" names no commit here`:   {Ledger: "refs/nosuch", Trunk: "main"},
		"name the trunk too":                   {Ledger: "lander-ledger/main"},
		"is no git repository":                 {Dir: t.TempDir()},
		"nosuch is no git repository":          {Dir: filepath.Join(t.TempDir(), "nosuch")},
		"allowed signers .*: open":             {Trunk: "main", Signers: filepath.Join(t.TempDir(), "nosuch")},
		"allowed signers .*: it names nobody":  {Trunk: "main", Signers: allow(t, "# nobody")},
		"so it is no ledger and nothing is pr": {Trunk: "main", Ledger: "main"},
	} {
		_, err := w.verify(o)
		refused(t, err, words, !matches("no branch|no ledger", words))
	}
}

// TestPlaces: wherever one stands, the newest that was fetched counts.
func TestPlaces(t *testing.T) {
	t.Parallel()
	w := adopted(t)
	w.land(w.one(1))
	w.flush()
	clone, mirror := filepath.Join(t.TempDir(), "clone"), filepath.Join(t.TempDir(), "mirror")
	w.git("clone", "-q", w.dir, clone)
	w.git("clone", "-q", "--mirror", w.dir, mirror)
	w.gitIn(clone, "commit", "-q", "--allow-empty", "-m", "my own work") // on the local main
	w.gitIn(clone, "worktree", "add", "-q", filepath.Join(clone, "tree"), "-b", "elsewhere")
	below := filepath.Join(clone, "b")
	for _, dir := range []string{clone, mirror, below, filepath.Join(clone, "tree"), filepath.Join(clone, ".git")} {
		r := w.must(Options{Dir: dir})
		if expect(t, r, nil); r.TrunkTip != w.tip() {
			t.Errorf("%s: trunk is %s at %s", dir, r.TrunkRef, r.TrunkTip)
		}
	}
	w.gitIn(clone, "remote", "rename", "origin", "upstream")
	if r := w.must(Options{Dir: clone}); r.TrunkRef != "refs/remotes/upstream/main" {
		t.Errorf("another remote: %s", r.TrunkRef)
	}
}

// TestIncomplete: where the proof lacks something, it says how to get it.
func TestIncomplete(t *testing.T) {
	t.Parallel()
	w := adopted(t)
	w.land(w.one(1))
	p := w.pull(2, w.tip(), draft{edits: []edit{{"a.txt", "seven", "SEVEN"}}})
	w.land(w.pull(3, w.tip(), draft{edits: []edit{{"a.txt", "one", "ONE"}}}))
	w.land(p)
	w.flush()
	w.git("config", "uploadpack.allowFilter", "true")
	at := func(args ...string) string {
		dir := filepath.Join(t.TempDir(), "clone")
		w.git(append(append([]string{"clone", "-q", "--no-local", "--no-checkout"}, args...), "file://"+w.dir, dir)...)
		return dir
	}
	_, err := w.verify(Options{Dir: at("--depth=2", "--no-single-branch")})
	refused(t, err, "is a shallow clone, .*: git -C .* fetch --unshallow", false)
	for _, filter := range []string{"blob:none", "tree:0"} {
		dir := at("--filter=" + filter)
		_, err = w.verify(Options{Dir: dir})
		refused(t, err, "is a partial clone, .*: git -C .* fetch --refetch --no-filter", false)
		w.gitIn(dir, "fetch", "-q", "--refetch", "--no-filter", "origin")
		expect(t, w.must(Options{Dir: dir}), nil) // which is good advice
	}
	single := at("--single-branch")
	_, err = w.verify(Options{Dir: single})
	refused(t, err, `no branch lander-ledger/\* in .*: git -C .* fetch origin '\+refs`, false)
	_, advice, _ := strings.Cut(err.Error(), " fetch origin '")
	w.gitIn(single, "fetch", "-q", "origin", strings.TrimSuffix(advice, "'"))
	expect(t, w.must(Options{Dir: single}), nil)
	w.gitIn(single, "update-ref", "-d", "refs/remotes/origin/main")
	w.gitIn(single, "update-ref", "-d", "refs/heads/main")
	_, err = w.verify(Options{Dir: single})
	refused(t, err, "there is a ledger, but no branch main in .*; get both with: git -C .* fetch origin '.refs/heads/main:.*' '.refs/heads/lander-ledger/main:.*'", false)

	packs, err := filepath.Glob(filepath.Join(w.dir, "objects/pack/*.pack"))
	if err != nil || len(packs) == 0 {
		t.Fatal(packs, err)
	}
	for _, p := range packs {
		if err := os.Remove(p); err != nil {
			t.Fatal(err)
		}
	}
	_, err = Run(t.Context(), Options{Dir: w.dir})
	refused(t, err, "is no git repository|cannot be read: .*git -C .* fsck", false)
}

// TestReadOnly: a repository that may not be written is verified, and is left as it was.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	w := adopted(t)
	p := w.pull(2, w.tip(), draft{edits: []edit{{"a.txt", "seven", "SEVEN"}}})
	w.land(w.pull(3, w.tip(), draft{edits: []edit{{"a.txt", "one", "ONE"}}}))
	w.land(p)
	w.flush()
	list := func() string {
		var all strings.Builder
		err := filepath.Walk(w.dir, func(path string, info os.FileInfo, err error) error {
			fmt.Fprintln(&all, path, info.Size(), info.Mode())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return all.String()
	}
	before := list()
	r, err := Run(t.Context(), Options{Dir: w.dir})
	if err != nil || r.Merged != 1 {
		t.Errorf("%+v: %v", r, err)
	}
	if after := list(); after != before {
		t.Errorf("it was\n%s\nand is\n%s", before, after)
	}
}

func TestLanderTakesAnotherName(t *testing.T) {
	t.Parallel()
	w := adopted(t)
	w.land(w.one(1))
	const renamed = "Landing bot <bot@example.com>"
	w.landAs(landing{by: lander, record: func(c []byte) []byte { // built before the change of name, and recorded after it
		return bytes.ReplaceAll(c, []byte(lander), []byte(renamed))
	}}, w.one(2))
	w.by = renamed
	w.land(w.one(3))
	w.flush()
	expect(t, w.must(Options{Committer: renamed}), nil)
	expect(t, w.must(Options{}), []string{"forged: "})
}

func TestLanderStopsSigning(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signer = newSigner(t, 1)
	w.begin()
	w.land(w.one(1))
	w.signer = nil
	w.land(w.one(2))
	w.land(w.one(3))
	w.flush()
	expect(t, w.must(Options{}), []string{"signature: "}) // told once
}

func TestTrunkIsReplacedBeforeAnythingLanded(t *testing.T) {
	t.Parallel()
	w := adopted(t)
	before := w.tip()
	w.refs[trunkRef] = w.write(draft{by: maya, message: "Begin anew"}, maya+" 1795000000 +0000", maya, map[string]string{"a.txt": "1\n"})
	w.land(w.one(1))
	w.flush()
	expect(t, w.must(Options{}), []string{"rewind: ", "bypass: "})
	clone := t.TempDir() // which has nothing that cannot be reached
	w.git("clone", "-q", "--no-local", w.dir, clone)
	if err := exec.Command("git", "-C", clone, "cat-file", "-e", before).Run(); err == nil {
		t.Fatal("what was adopted is there still")
	}
	expect(t, w.must(Options{Dir: clone}), []string{"rewind: somebody took that away"})
}
