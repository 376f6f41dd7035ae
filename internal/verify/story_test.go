package verify

import (
	"bytes"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestStories tells what can become of a trunk and its ledger, and what verify says of it: a kind and words for each finding.
func TestStories(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		tell func(w *world)
		want []string // "kind: words", in order; empty: all is proven
		test func(t *testing.T, w *world, r Report)
		here bool // a clone does not have what it is about
	}{
		{
			name: "lander has landed nothing yet",
			tell: func(*world) {},
			test: counts(1, 0, 0),
		},
		{
			name: "changes land, each in its own way",
			tell: func(w *world) {
				w.land(w.one(1))
				w.land(w.pull(2, w.tip(), draft{edits: []edit{{"x", "", "x\n"}}}, draft{edits: []edit{{"x", "x", "y"}}}))
				w.landAs(landing{style: "squash"}, w.pull(3, w.tip(), draft{edits: []edit{{"s", "", "x\n"}}}, draft{edits: []edit{{"s", "x", "y"}}}))
				w.landAs(landing{style: "merge"}, w.one(4))
				w.landAs(landing{style: "merge"}, w.one(5), w.one(6))
			},
			test: counts(6, 5, 7),
		},
		{
			name: "a head that is straight on trunk lands as it is",
			tell: func(w *world) {
				p := w.one(1)
				s := w.files[p.head]
				w.landAs(landing{by: noor, files: func(f map[string]string) {
					clear(f)
					for k, v := range s {
						f[k] = v
					}
				}, said: func(m map[string]any) {
					asIs(m, p)
				}, parents: func(all []string) []string { return []string{all[0], p.head} }}, p)
				w.refs[trunkRef] = p.head
			},
			test: counts(2, 1, 1),
		},
		{
			name: "heads left trunk at different times, and have merged it in",
			tell: func(w *world) {
				base := w.tip()
				p1, p2 := w.one(1), w.one(2)
				w.land(w.one(3))
				w.land(p1)
				between := w.tip()
				w.land(w.one(4))
				p2.head = w.commit(draft{by: noor, message: "merge main", edits: []edit{{"file3", "", "text\n"}, {"file1", "", "text\n"}}}, noor, p2.head, between)
				w.land(p2)
				w.land(w.pull(5, base, draft{edits: []edit{{"z", "", "z\n"}}}), w.one(6))
			},
			test: counts(6, 5, 6),
		},
		{
			name: "trunk changed other lines of the same file",
			tell: func(w *world) {
				p := w.pull(1, w.tip(), draft{edits: []edit{{"a.txt", "seven", "SEVEN"}}}, draft{edits: []edit{{"a.txt", "SEVEN", "Seven"}}})
				q := w.pull(2, w.tip(), draft{edits: []edit{{"a.txt", "four", "FOUR"}}})
				w.land(w.pull(3, w.tip(), draft{edits: []edit{{"a.txt", "one", "ONE"}}}))
				w.land(p)
				w.landAs(landing{style: "squash"}, q)
			},
			test: func(t *testing.T, w *world, r Report) {
				counts(4, 3, 4)(t, w, r)
				if r.Merged != 2 {
					t.Errorf("%d merges, want 2", r.Merged)
				}
			},
		},
		{
			name: "a change that stands on another one lands in one batch with it",
			tell: func(w *world) {
				base := w.tip()
				w.land(w.pull(9, base, draft{edits: []edit{{"a.txt", "one", "ONE"}}}))
				p := w.pull(1, base, draft{edits: []edit{{"a.txt", "six", "SIX"}}})
				q := w.pull(2, p.head, draft{edits: []edit{{"a.txt", "SIX", "Sixth"}}})
				w.land(p, q)
			},
			test: counts(3, 2, 3),
		},
		{
			name: "a commit of a head is on trunk already",
			tell: func(w *world) {
				first := draft{edits: []edit{{"a.txt", "one", "ONE"}}}
				p := w.pull(1, w.tip(), first, draft{edits: []edit{{"b/b.txt", "b", "B"}}})
				w.land(w.pull(2, w.tip(), first))
				p.steps, p.authors = p.steps[1:], p.authors[1:]
				w.land(p)
			},
			test: counts(3, 2, 2),
		},
		{
			name: "a commit of a head is on trunk already, which went on from there, so that the whole conflicts",
			tell: func(w *world) {
				first := draft{edits: []edit{{"a.txt", "one", "ONE"}}}
				p := w.pull(1, w.tip(), first, draft{edits: []edit{{"b/b.txt", "b", "B"}}})
				w.land(w.pull(2, w.tip(), first))
				w.land(w.pull(3, w.tip(), draft{edits: []edit{{"a.txt", "ONE", "uno"}}}))
				p.steps, p.authors = p.steps[1:], p.authors[1:]
				w.land(p)
			},
			test: counts(4, 3, 3),
		},
		{
			name: "an attempt is given up, and made again",
			tell: func(w *world) {
				w.abort(1, strings.Repeat("1", 40))
				w.land(w.one(1))
			},
			test: counts(3, 1, 1),
		},
		{
			name: "a server that cannot move two branches at once: the record is taken back",
			tell: func(w *world) {
				p, before := w.one(1), w.tip()
				id := w.landAs(landing{said: func(m map[string]any) { m["single"] = true }}, p)
				w.refs[trunkRef] = before
				w.abort(w.attempt, id)
				w.land(p)
			},
			test: counts(4, 1, 1),
		},
		{
			name: "the record is taken back, but trunk followed",
			tell: func(w *world) {
				id := w.landAs(landing{said: func(m map[string]any) { m["single"] = true }}, w.one(1))
				w.abort(w.attempt, id)
			},
			want: []string{"aborted: was taken back by the one after it, but its commit", "missing: committed as lander"},
		},
		{
			name: "a commit is pushed by hand, at the end and in between",
			tell: func(w *world) {
				w.land(w.one(1))
				w.push(maya, edit{"hand", "", "1\n"})
				w.push(maya, edit{"hand", "1", "2"})
				w.land(w.one(2))
				w.push(maya, edit{"hand", "2", "3"})
			},
			want: []string{"bypass: came to trunk past lander", "bypass: by Maya <maya@example.com>", "bypass: past lander"},
		},
		{
			name: "trunk is merged into a branch, which is pushed as trunk",
			tell: func(w *world) {
				side := w.commit(draft{by: maya, message: "side", edits: []edit{{"side", "", "1\n"}}}, maya, w.tip())
				w.land(w.one(1))
				w.refs[trunkRef] = w.commit(draft{by: maya, message: "merge", edits: []edit{{"file1", "", "text\n"}}}, maya, side, w.tip())
			},
			want: []string{"bypass: past lander", "bypass: past lander"},
		},
		{
			name: "trunk is set back, and lander goes on from there",
			tell: func(w *world) {
				before := w.tip()
				w.land(w.one(1))
				w.land(w.one(2))
				w.refs[trunkRef] = before
				w.land(w.one(3))
				w.land(w.one(4))
			},
			want: []string{"rewind: and has lost what landed: #1, #2"},
			test: counts(5, 4, 4),
		},
		{
			name: "trunk is set back, and put back again",
			tell: func(w *world) {
				w.land(w.one(1))
				before := w.tip()
				w.land(w.one(2))
				back := w.tip()
				w.refs[trunkRef] = before
				w.land(w.one(3))
				w.refs[trunkRef] = back
			},
			want: []string{"rewind: lost what landed: #2", "rewind: lost what landed: #3"},
		},
		{
			name: "trunk is set back to before lander began",
			tell: func(w *world) {
				w.land(w.one(1))
				w.flush()
				w.refs[trunkRef] = w.git("rev-parse", "main~2")
				w.land(w.pull(2, w.tip(), draft{edits: []edit{{"x", "", "x\n"}}}))
			},
			want: []string{"rewind: lost what landed: #1"},
		},
		{
			name: "trunk is replaced by another history",
			tell: func(w *world) {
				w.land(w.one(1))
				w.refs[trunkRef] = w.commit(draft{by: maya, message: "anew", edits: []edit{{"x", "", "x\n"}}}, maya)
				w.land(w.one(2))
			},
			want: []string{"rewind: lost what landed: #1", "bypass: past lander"},
		},
		{
			name: "the last landing is taken off trunk",
			tell: func(w *world) {
				before := w.tip()
				w.land(w.one(1))
				w.refs[trunkRef] = before
			},
			want: []string{"rewind: lost what landed: #1"},
		},
		{
			name: "the ledger is ahead of a trunk that cannot move with it",
			tell: func(w *world) {
				before := w.tip()
				w.landAs(landing{said: func(m map[string]any) { m["single"] = true }}, w.one(1))
				w.refs[trunkRef] = before
			},
			want: []string{"behind: but trunk still stands where it stood before"},
		},
		{
			name: "a commit on trunk has other files than its head says",
			tell: func(w *world) {
				w.landAs(landing{files: func(f map[string]string) { f["c.txt"] = "evil\n" }}, w.one(1))
			},
			want: []string{"change: what landed for #1 is not what its head .* changes: c.txt"},
		},
		{
			name: "a file that trunk changed too is merged wrongly",
			tell: func(w *world) {
				p := w.pull(1, w.tip(), draft{edits: []edit{{"a.txt", "seven", "SEVEN"}}})
				w.land(w.pull(2, w.tip(), draft{edits: []edit{{"a.txt", "one", "ONE"}}}))
				w.landAs(landing{files: func(f map[string]string) { f["a.txt"] = strings.Replace(f["a.txt"], "ONE", "one", 1) }}, p)
			},
			want: []string{"change: #1 is not what its head .* changes: a.txt"},
		},
		{
			name: "trunk's own attributes would let a conflict pass",
			tell: func(w *world) {
				w.push(maya, edit{".gitattributes", "", "* merge=union\n"})
				p := w.pull(1, w.tip(), draft{edits: []edit{{"a.txt", "one\n", "uno\n"}}})
				w.land(w.pull(2, w.tip(), draft{edits: []edit{{"a.txt", "one\n", "ein\n"}}}))
				p.steps[0].edits = []edit{{"a.txt", "ein\n", "ein\nuno\n"}}
				w.land(p)
			},
			want: []string{"change: which conflicts with trunk: a.txt", "bypass: past lander"},
		},
		{
			name: "a commit changes something that the next one takes back",
			tell: func(w *world) {
				n := 0
				w.landAs(landing{files: func(f map[string]string) {
					if n++; n == 1 {
						f["c.txt"] = "evil\n"
					} else {
						f["c.txt"] = "c\n"
					}
				}}, w.pull(1, w.tip(), draft{edits: []edit{{"x", "", "x\n"}}}, draft{edits: []edit{{"x", "x", "y"}}}))
			},
			want: []string{"change: changes something else than the commit of head"},
		},
		{
			name: "a commit of the head is left out",
			tell: func(w *world) {
				p := w.pull(1, w.tip(), draft{edits: []edit{{"x", "", "x\n"}}}, draft{edits: []edit{{"y", "", "y\n"}}})
				p.steps = p.steps[:1]
				w.land(p)
			},
			want: []string{"change: is not what its head .* changes: y"},
		},
		{
			name: "somebody else is made the author",
			tell: func(w *world) {
				w.landAs(landing{step: func(s *draft) { s.by = maya }}, w.one(1))
				w.landAs(landing{step: func(s *draft) { s.message = "other words" }}, w.one(2))
				w.landAs(landing{style: "squash", step: func(s *draft) { s.by = maya }}, w.one(3))
			},
			want: []string{"change: has that author and message", "change: has that author and message", "change: has that author and message"},
		},
		{
			name: "somebody else committed what landed",
			tell: func(w *world) { w.landAs(landing{by: maya}, w.one(1)) },
			want: []string{"forged: is neither the author's own nor lander's"},
		},
		{
			name: "the record says another tree",
			tell: func(w *world) {
				w.landAs(landing{said: func(m map[string]any) { m["tree"] = strings.Repeat("a", 40) }}, w.one(1))
			},
			want: []string{"tree: landed tree aaaaaaaaaa, but its commit"},
		},
		{
			name: "a head that is on trunk already lands something",
			tell: func(w *world) {
				p := w.one(1)
				p.head = w.tip()
				w.land(p)
			},
			want: []string{"change: has no commits that trunk did not have"},
		},
		{
			name: "a record cannot be read",
			tell: func(w *world) {
				w.landAs(landing{record: func(b []byte) []byte { return bytes.Replace(b, []byte(`"seq"`), []byte(`"sec"`), 1) }}, w.one(1))
			},
			want: []string{"forged: is no record that lander writes", "missing: committed as lander"},
		},
		{
			name: "a record says one thing to people and another to programs",
			tell: func(w *world) {
				w.landAs(landing{record: func(b []byte) []byte {
					return bytes.Replace(b, []byte("land of this test"), []byte("abort of this test"), 1)
				}}, w.one(1))
				w.landAs(landing{record: func(b []byte) []byte { return bytes.Replace(b, []byte("{\n"), []byte("{\n  \"seq\": 3,\n"), 1) }}, w.one(2))
			},
			want: []string{"forged: its first line says \"abort\"", "forged: says \"seq\" twice", "missing: committed as lander", "missing: committed as lander"},
		},
		{
			name: "a record names commits that are not between old and new",
			tell: func(w *world) {
				w.landAs(landing{said: func(m map[string]any) {
					e := m["entries"].([]any)[0].(map[string]any)
					e["commits"] = e["commits"].([]string)[1:]
				}}, w.pull(1, w.tip(), draft{edits: []edit{{"x", "", "x\n"}}}, draft{edits: []edit{{"x", "x", "y"}}}))
				w.landAs(landing{said: func(m map[string]any) { m["entries"].([]any)[0].(map[string]any)["commits"] = []string{w.tip()} }}, w.one(2))
			},
			want: []string{"forged: over more commits than the 1 that it names", "forged: which is not in that place"},
		},
		{
			name: "a record's new does not stand on its old",
			tell: func(w *world) {
				w.land(w.one(1))
				other := w.one(8).head
				w.landAs(landing{said: func(m map[string]any) { m["old"] = other }}, w.one(2))
			},
			want: []string{"forged: which does not stand on it", "bypass: past lander"},
			here: true,
		},
		{
			name: "a record names commits that are nowhere",
			tell: func(w *world) {
				w.landAs(landing{said: func(m map[string]any) { m["new"] = strings.Repeat("e", 40) }}, w.one(1))
			},
			want: []string{"forged: does not stand on the record before it and on the commits", "forged: there is no such commit here", "missing: committed as lander"},
		},
		{
			name: "a record does not hold the head that it names",
			tell: func(w *world) {
				w.landAs(landing{parents: func(all []string) []string { return all[:2] }}, w.one(1))
			},
			want: []string{"forged: does not stand on the record before it and on the commits", "change: has no commits that trunk did not have"},
		},
		{
			name: "somebody else writes a record",
			tell: func(w *world) {
				w.land(w.one(1))
				w.by = maya
				w.land(w.one(2))
				w.by = lander
			},
			want: []string{"forged: was committed by Maya"},
		},
		{
			name: "a style that the commits do not have",
			tell: func(w *world) {
				w.landAs(landing{said: func(m map[string]any) { m["style"] = "merge" }}, w.one(1))
				w.landAs(landing{style: "merge", said: func(m map[string]any) { m["style"] = "squash" }}, w.one(2))
			},
			want: []string{"forged: says style merge", "forged: says style squash", "change: has that author"},
		},
		{
			name: "the newest records are cut off",
			tell: func(w *world) {
				w.land(w.one(1))
				kept := w.refs[ledgerRef]
				w.land(w.one(2))
				w.land(w.one(3))
				w.refs[ledgerRef] = kept
			},
			want: []string{"missing: was committed as lander, and no record says", "missing: was committed as lander"},
		},
		{
			name: "a record is taken out of the middle",
			tell: func(w *world) {
				w.land(w.one(1))
				kept := w.refs[ledgerRef]
				w.land(w.one(2))
				w.refs[ledgerRef] = kept
				w.land(w.one(3))
			},
			want: []string{"missing: record 3 is missing: record 4", "missing: was committed as lander"},
		},
		{
			name: "the ledger begins in the middle",
			tell: func(w *world) {
				w.land(w.one(1))
				w.landAs(landing{parents: func(all []string) []string { return all[1:] }}, w.one(2))
			},
			want: []string{"chain: below record 3 .* come 5 commits that are none"},
		},
		{
			name: "the ledger begins with a landing",
			tell: func(w *world) {
				w.landAs(landing{parents: func(all []string) []string { return nil }}, w.one(1))
				w.land(w.one(2))
			},
			want: []string{"chain: the ledger begins with record 2", "forged: does not stand on", "change: has no commits that trunk did not have"},
		},
		{
			name: "numbers run backwards, and trunk is adopted twice",
			tell: func(w *world) {
				w.land(w.one(1))
				w.seq = 1
				w.land(w.one(2))
				w.seq = 0
				w.record(map[string]any{"decision": "adopt", "new": w.tip()}, []string{w.refs[ledgerRef]})
			},
			want: []string{"chain: stands where record 3 must stand", "chain: adopts trunk a second time", "chain: must stand"},
		},
		{
			name: "another history is merged into the ledger",
			tell: func(w *world) {
				w.record(map[string]any{"decision": "abort", "attempt": 1, "aborts": strings.Repeat("1", 40)}, []string{w.refs[ledgerRef], w.tip()})
			},
			want: []string{"chain: and on nothing else"},
		},
		{
			name: "a record of another lane",
			tell: func(w *world) {
				w.landAs(landing{said: func(m map[string]any) { m["lane"] = "acme/other:main" }}, w.one(1))
			},
			want: []string{"lane: is of lane acme/other:main, not of acme/app:main", "missing: committed as lander"},
		},
		{
			name: "the same head lands twice",
			tell: func(w *world) {
				p := w.one(1)
				before := w.tip()
				w.land(p)
				w.refs[trunkRef] = before
				w.land(p)
			},
			want: []string{"twice: of #1 landed twice", "rewind: lost what landed: #1"},
		},
		{
			name: "a landing that is given up afterwards",
			tell: func(w *world) {
				id := w.land(w.one(1))
				w.abort(w.attempt, id)
				w.land(w.one(2))
				w.abort(w.attempt, strings.Repeat("1", 40))
			},
			want: []string{"aborted: gives attempt 1 up for ever, but record 2", "aborted: gives attempt 2 up"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := adopted(t)
			c.tell(w)
			r := w.must(Options{})
			if c.test != nil {
				c.test(t, w, r)
			}
			expect(t, r, c.want)
			// From a clone it is the same, but for the names of the branches.
			clone := t.TempDir()
			w.git("clone", "-q", "--no-local", w.dir, clone)
			again := w.must(Options{Dir: clone})
			again.TrunkRef, again.LedgerRef = r.TrunkRef, r.LedgerRef
			if !c.here && fmt.Sprint(again) != fmt.Sprint(r) {
				t.Errorf("a clone says\n%+v\nand its origin\n%+v", again, r)
			}
			if out, err := exec.Command("git", "-C", w.dir, "fsck", "--strict").CombinedOutput(); err != nil {
				t.Errorf("the test's own objects are broken: %s", out)
			}
		})
	}
}

// expect compares findings with what is wanted of them.
func expect(t *testing.T, r Report, want []string) {
	t.Helper()
	var got []string
	for _, f := range r.Findings {
		got = append(got, string(f.Kind)+": "+f.Text)
		if f.Breach != f.Kind.Breach() {
			t.Errorf("%s: breach is %v", f.Kind, f.Breach)
		}
	}
	ok := len(got) == len(want)
	for i := range min(len(got), len(want)) {
		kind, words, _ := strings.Cut(want[i], ": ")
		ok = ok && strings.HasPrefix(got[i], kind+": ") && matches(words, got[i])
	}
	if !ok {
		t.Errorf("found\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// counts checks the numbers of a report.
func counts(records, landings, commits int) func(*testing.T, *world, Report) {
	return func(t *testing.T, w *world, r Report) {
		t.Helper()
		if r.Records != records || r.Landings != landings || r.Commits != commits {
			t.Errorf("%d records, %d landings, %d commits, want %d, %d, %d", r.Records, r.Landings, r.Commits, records, landings, commits)
		}
		if r.Lane != "acme/app:main" || r.TrunkTip != w.refs[trunkRef] || r.LedgerTip != w.refs[ledgerRef] || r.AdoptedBy == "" || r.AdoptedAt == "" {
			t.Errorf("not what was verified: %+v", r)
		}
	}
}

// asIs lets a statement land a head as it is.
func asIs(m map[string]any, p *pull) {
	m["new"] = p.head
	m["entries"].([]any)[0].(map[string]any)["commits"] = []string{p.head}
}

func matches(pattern, text string) bool { return regexp.MustCompile(pattern).MatchString(text) }
