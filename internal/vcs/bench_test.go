package vcs

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"lander/internal/queue"
)

// large is a world with so many files, a change of three commits, and a trunk that has moved on in ten files.
func large(b *testing.B, files int) *world {
	b.Helper()
	w := newWorld(b, "sha1")
	base := tree{}
	for i := range files {
		base[fmt.Sprintf("dir%d/sub%d/file%d.txt", i%100, i%7, i)] = lines(20, "line 3", fmt.Sprint("file ", i))
	}
	name := func(i int) string { return fmt.Sprintf("dir%d/sub%d/file%d.txt", i%100, i%7, i) }
	trunk, mine := base, base
	for i := range 10 {
		trunk = trunk.with(name(31*i), lines(20, "line 5", "trunk's"))
	}
	w.play(func(s *script) {
		s.commit("base", base)
		s.commit("trunk", trunk, "base")
		head := "base"
		for i := range 3 {
			mine = mine.with(name(31*i), lines(20, "line 3", fmt.Sprint("file ", 31*i), "line 15", "mine"), name(500+i), "mine\n")
			s.commit(fmt.Sprint("mine", i), mine, head)
			head = fmt.Sprint("mine", i)
		}
	})
	w.must(w.origin.Run(w.ctx, "repack", "-adq"))
	return w.mirror("trunk")
}

// BenchmarkRebase makes candidates of three commits in memory; git rebase in a work tree does the same beside it.
func BenchmarkRebase(b *testing.B) {
	for _, files := range []int{1_000, 20_000} {
		b.Run(fmt.Sprint(files, " files"), func(b *testing.B) {
			w := large(b, files)
			dir := b.TempDir()
			g := Git{Dir: filepath.Join(dir, ".git"), WorkTree: dir, Env: []string{"GIT_COMMITTER_NAME=x", "GIT_COMMITTER_EMAIL=x@example.com"}}
			w.must(Git{}.Run(w.ctx, "clone", "--quiet", w.repo.Remote, dir))
			w.must(g.Run(w.ctx, "fetch", "--quiet", "origin", string(w.ids["mine2"])))
			var ours, check, theirs time.Duration
			n := 0
			for b.Loop() {
				n++
				start := time.Now()
				req := w.request("trunk", "mine2")
				req.At = req.At.Add(time.Duration(n) * time.Second) // never the same candidate twice
				built, err := w.repo.Build(w.ctx, req)
				w.must(err)
				ours += time.Since(start)
				start = time.Now()
				w.must(w.repo.Check(w.ctx, req, built))
				check += time.Since(start)
				start = time.Now()
				w.must(g.Run(w.ctx, "checkout", "--quiet", "--detach", string(w.ids["mine2"])))
				w.must(g.Run(w.ctx, "rebase", "--quiet", string(w.ids["trunk"])))
				theirs += time.Since(start)
				if got, err := g.Text(w.ctx, "rev-parse", "HEAD^{tree}"); err != nil || queue.SHA(got) != built.Tree {
					b.Fatalf("git rebase makes tree %s, not %s: %v", got, built.Tree, err)
				}
			}
			report(b, n, map[string]time.Duration{"build-ms": ours, "check-ms": check, "git-rebase-ms": theirs})
			b.ReportMetric(float64(theirs)/float64(ours), "times-faster")
		})
	}
}

// BenchmarkCheckout changes a used work tree between two commits that differ in ten files; git worktree add makes a new one beside it. In the
// last one each run has left as many files behind as there are.
func BenchmarkCheckout(b *testing.B) {
	for _, c := range []struct{ files, left int }{{1_000, 0}, {20_000, 0}, {20_000, 20_000}} {
		b.Run(fmt.Sprint(c.files, " files, ", c.left, " left"), func(b *testing.B) {
			w := large(b, c.files)
			slots := &Slots{Repo: w.repo, Dir: b.TempDir()}
			heads := []queue.SHA{w.ids["base"], w.ids["trunk"]}
			for _, head := range heads {
				_, release, err := slots.Checkout(w.ctx, head)
				w.must(err)
				release()
			}
			var ours, theirs time.Duration
			n := 0
			for b.Loop() {
				n++
				start := time.Now()
				tree, release, err := slots.Checkout(w.ctx, heads[n%2])
				w.must(err)
				ours += time.Since(start)
				w.must(leave(tree, c.left))
				release()
				if n%10 != 1 {
					continue // one in ten is enough of the slow one
				}
				dir := filepath.Join(b.TempDir(), "tree")
				start = time.Now()
				w.must(w.repo.git().Run(w.ctx, "worktree", "add", "--quiet", "--detach", dir, string(heads[n%2])))
				theirs += time.Since(start)
				w.must(w.repo.git().Run(w.ctx, "worktree", "remove", "--force", dir))
			}
			few := (n + 9) / 10
			report(b, n, map[string]time.Duration{"reused-ms": ours})
			report(b, few, map[string]time.Duration{"worktree-add-ms": theirs})
			b.ReportMetric(float64(theirs)/float64(few)/(float64(ours)/float64(n)), "times-faster")
		})
	}
}

// leave puts files into a tree, as a package manager does.
func leave(tree string, files int) error {
	for i := range files {
		dir := filepath.Join(tree, "node_modules", fmt.Sprint(i%200))
		if i < 200 {
			if err := os.MkdirAll(dir, 0o777); err != nil {
				return err
			}
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), []byte("x"), 0o666); err != nil {
			return err
		}
	}
	return nil
}

func report(b *testing.B, n int, spent map[string]time.Duration) {
	for name, d := range spent {
		b.ReportMetric(float64(d.Microseconds())/1000/float64(n), name)
	}
}

// BenchmarkLand lands one commit after the other over HTTP; what is sealed and pushed beside trunk is part of it.
func BenchmarkLand(b *testing.B) {
	w := newWorld(b, "sha1")
	w.play(func(s *script) { s.commit("base", tree{"a": "a\n"}) }).mirror("base")
	w.serve(nil)
	tip, ledger := w.ids["base"], w.adopt("main", w.ids["base"])
	next := func(i int) commit {
		by := fmt.Sprintf("B <b@example.com> %d +0000", 1700000000+i)
		c, err := w.repo.writeCommit(commit{tree: queue.SHA(w.treeOf(w.ids["base"])), parents: []queue.SHA{tip}, author: by, committer: by, message: "x\n"})
		w.must(err)
		return c
	}
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		c := next(i)
		b.StartTimer()
		record := w.seal(ledger, landOf(tip, queue.Built{SHA: c.id, Tree: c.tree}, c.id)).SHA
		w.must(w.repo.Land(w.ctx, queue.LandRequest{Trunk: "main", Old: tip, New: c.id, Ledger: ledger, Record: record}))
		tip, ledger = c.id, record
	}
}
