package verify

import (
	"fmt"
	"maps"
	"testing"
	"time"
)

// history lands so many changes, each of one commit, in a repository of a thousand files. Each head left trunk a few landings before;
// every tenth changes a file that trunk has changed meanwhile.
func history(tb testing.TB, w *world, landings int) {
	tb.Helper()
	const dirs, perDir = 40, 25
	name := func(i int) string { return fmt.Sprintf("d%02d/f%02d", i%dirs, i/dirs%perDir) }
	lines := func(first, last string) string { return first + "\n1\n2\n3\n4\n5\n6\n7\n8\n" + last + "\n" }
	state := map[string]map[string]string{}
	for i := range dirs * perDir {
		dir := name(i)[:3]
		if state[dir] == nil {
			state[dir] = map[string]string{}
		}
		state[dir][name(i)[4:]] = lines("first", "last")
	}
	trees := map[string]string{}
	for dir, files := range state {
		trees[dir] = w.tree(files)
	}
	put := func(tree, message, by string, parents ...string) string {
		w.seconds++
		text := "tree " + tree + "\n"
		for _, p := range parents {
			text += "parent " + p + "\n"
		}
		return w.object("commit", fmt.Appendf(nil, "%sauthor %s %d +0000\ncommitter %s %d +0000\n\n%s\n", text, noor, w.attempt, by, w.seconds, message))
	}
	tip := put(w.rootOf(trees), "begin", maya)
	w.refs[trunkRef] = tip
	w.record(map[string]any{"decision": "adopt", "new": tip}, nil)
	const behind = 10
	var tips []string
	var files []map[string]map[string]string
	var subtrees []map[string]string
	for i := range landings {
		if i%behind == 0 { // nothing older is forked from any more
			tips, files, subtrees = tips[:0], files[:0], subtrees[:0]
		}
		tips, files, subtrees = append(tips, tip), append(files, maps.Clone(state)), append(subtrees, trees)
		path, first := name(i*7), true
		if i%behind == 9 {
			path, first = name((i-1)*7), false // the one before changed its first line
		}
		dir, file := path[:3], path[4:]
		edit := func(text string) string {
			a, b := text[:len(text)/2], text[len(text)/2:]
			if first {
				return fmt.Sprintf("%d ", i) + a + b
			}
			return a + b + fmt.Sprintf("%d\n", i)
		}
		w.attempt = int64(i + 1)
		old := files[0][dir]
		mine := maps.Clone(old)
		mine[file] = edit(old[file])
		headTrees := maps.Clone(subtrees[0])
		headTrees[dir] = w.tree(mine)
		message := fmt.Sprintf("change %d", i)
		head := put(w.rootOf(headTrees), message, noor, tips[0])
		state[dir] = maps.Clone(state[dir])
		state[dir][file] = edit(state[dir][file])
		trees = maps.Clone(trees)
		trees[dir] = w.tree(state[dir])
		tree := w.rootOf(trees)
		before := tip
		tip = put(tree, message, lander, tip)
		w.refs[trunkRef] = tip
		w.record(map[string]any{
			"decision": "land", "attempt": i + 1, "old": before, "new": tip, "tree": tree, "style": "rebase",
			"recipe_digest": "sha256:0123456789abcdef", "verdict_digest": "sha256:0123456789abcdef", "run": 1,
			"entries": []any{map[string]any{
				"number": i + 1, "head": head, "commits": []string{tip},
				"approvals": []any{map[string]any{"id": i, "login": "maya", "via": "review", "at": "2026-11-23T09:00:00Z"}},
			}},
		}, []string{w.refs[ledgerRef], tip, head})
	}
	w.flush()
}

// BenchmarkHistory verifies ten thousand landings from a bare mirror.
func BenchmarkHistory(b *testing.B) {
	for _, signed := range []bool{false, true} {
		b.Run(map[bool]string{false: "plain", true: "signed"}[signed], func(b *testing.B) {
			w := newWorld(b)
			o := Options{Dir: w.dir}
			if signed {
				w.signer = newSigner(b, 1)
				o.Signers = allow(b, keyLine("lander@example.com", `namespaces="git"`, w.signer.PublicKey()))
			}
			history(b, w, 10_000)
			for b.Loop() {
				began := time.Now()
				r, err := Run(b.Context(), o)
				if err != nil || len(r.Findings) > 0 || r.Commits != 10_000 {
					b.Fatal(err, r)
				}
				b.ReportMetric(float64(r.Merged), "merges")
				b.Logf("%s for %d records", time.Since(began), r.Records)
			}
		})
	}
}
