package demo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lander/internal/config"
	"lander/internal/hub"
	"lander/internal/queue"
	"lander/internal/vcs"
)

// BenchmarkLanding holds the time from an approval to its landing, with a suite of "true", against the floor: the same fetch, rebase
// of three commits in memory, clean checkout and one push, done bare on the same hub with no lander around, no ledger and nothing read
// back. Both are done in turn, so that what else the machine does weighs on both. A floor that reads trunk back is told beside it.
//
// With heads=move lander pushes to the change's branch before trunk, and waits until the forge shows it.
func BenchmarkLanding(b *testing.B) {
	for _, files := range []int{1_000, 20_000} {
		for _, heads := range []string{"keep", "move"} {
			b.Run(fmt.Sprintf("files=%d/heads=%s", files, heads), func(b *testing.B) { benchLanding(b, files, heads) })
		}
	}
}

func benchLanding(b *testing.B, files int, heads string) {
	ctx, cancel := context.WithTimeout(b.Context(), 10*time.Minute)
	defer cancel()
	o := options(b)
	o.Policy = config.SamplePolicy(queue.Recipe{Steps: []queue.Step{{Name: "suite", Run: "true"}}})
	o.Policy = fmt.Appendf(o.Policy, "heads: %s\n", heads)
	source := manyFiles(b, files)
	const withLander, bare = "bench/app", "bench/floor"
	w, err := open(ctx, o, withLander, func(h *hub.Hub) error { return seedBench(h, source, withLander, bare) })
	if err != nil {
		b.Fatal(err)
	}
	defer w.close()
	token, err := w.hub.AddToken(bot, "")
	if err != nil {
		b.Fatal(err)
	}
	floor := &vcs.Repo{
		Dir: filepath.Join(o.Data, "floor.git"), Remote: w.url + "/" + bare + ".git",
		Auth: func(context.Context) (string, string, error) { return bot, token, nil },
	}
	if err := floor.Init(ctx); err != nil {
		b.Fatal(err)
	}
	slots := &vcs.Slots{Repo: floor, Dir: filepath.Join(o.Data, "floor-slots")}
	first, err := w.hub.Tip(bare, trunk)
	if err != nil {
		b.Fatal(err)
	}
	if err := bareLanding(ctx, floor, slots, queue.SHA(first), true); err != nil { // the first fetch and checkout are of everything
		b.Fatal(err)
	}
	var floors, looks, landings []float64 // in milliseconds
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		branch := fmt.Sprintf("topic-%d", i)
		for _, repo := range []string{bare, withLander} {
			if _, err := w.hub.Push(repo, hub.Push{By: contributor, Branch: branch, From: first, Commits: threeCommits(i)}); err != nil {
				b.Fatal(err)
			}
		}
		head, err := w.hub.Tip(bare, branch)
		if err != nil {
			b.Fatal(err)
		}
		n, err := w.hub.OpenPull(withLander, hub.NewPull{Author: contributor, Title: branch, Head: branch})
		if err != nil {
			b.Fatal(err)
		}
		err = w.until(ctx, "lander has seen it", func(ctx context.Context) (bool, error) {
			st, err := w.standing(ctx, n)
			return st.Head != "", err
		})
		if err != nil {
			b.Fatal(err)
		}
		// What the last landing still has to tell belongs to neither.
		if err := (&story{world: w}).told(ctx); err != nil {
			b.Fatal(err)
		}
		if err := w.hub.WaitDelivered(ctx); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()

		began := time.Now()
		if err := bareLanding(ctx, floor, slots, queue.SHA(head), false); err != nil {
			b.Fatal(err)
		}
		floors = append(floors, time.Since(began).Seconds()*1000)
		if _, err := floor.Tip(ctx, trunk); err != nil {
			b.Fatal(err)
		}
		looks = append(looks, time.Since(began).Seconds()*1000)

		began = time.Now()
		if _, err := w.hub.Approve(withLander, n, maintainer); err != nil {
			b.Fatal(err)
		}
		st, err := w.ended(ctx, n)
		if err != nil {
			b.Fatal(err)
		}
		if st.Stage != queue.StageLanded {
			b.Fatalf("#%d: %s: %+v", n, st.Stage, st.Reasons)
		}
		landings = append(landings, st.Landing.At.Sub(began).Seconds()*1000)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(floors), "floor-ms")
	b.ReportMetric(median(landings), "landed-ms")
	b.ReportMetric(median(landings)/median(floors), "landed/floor")
	b.ReportMetric(median(landings)/median(looks), "landed/floor-read-back")
}

// bareLanding is a landing with nothing around it.
func bareLanding(ctx context.Context, repo *vcs.Repo, slots *vcs.Slots, head queue.SHA, only bool) error {
	tip, err := repo.Fetch(ctx, trunk, vcs.Want{Head: head})
	if err != nil {
		return err
	}
	built := queue.Built{SHA: head}
	if !only {
		built, err = repo.Build(ctx, queue.BuildRequest{Base: tip, Members: []queue.Member{{Number: 1, Head: head}}, At: time.Now().Truncate(time.Second)})
		if err != nil {
			return err
		}
	}
	_, release, err := slots.Checkout(ctx, built.SHA)
	if err != nil {
		return err
	}
	release()
	if only {
		return nil
	}
	// Land knows no landing without a ledger. To git a trunk is a branch like any other, and this is one push with a lease.
	return repo.MoveHead(ctx, "", queue.HeadMove{Branch: trunk, From: tip, To: built.SHA})
}

func threeCommits(i int) []hub.Commit {
	var commits []hub.Commit
	for j := range 3 {
		commits = append(commits, hub.Commit{
			Message: fmt.Sprintf("Change %d, part %d", i, j),
			Files:   map[string]string{fmt.Sprintf("dir-%03d/new-%d-%d.txt", (i*3+j)%100, i, j): fmt.Sprintln("new", i, j)},
		})
	}
	return commits
}

// manyFiles makes a bare repository of one commit with so many files in a hundred directories.
func manyFiles(tb testing.TB, files int) string {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "source.git")
	git := vcs.Git{Dir: dir}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := git.Run(tb.Context(), "init", "-q", "--bare", "-b", trunk); err != nil {
		tb.Fatal(err)
	}
	var s strings.Builder
	s.WriteString("commit refs/heads/" + trunk + "\ncommitter A <a@example.com> 1700000000 +0000\ndata 5\nbegin\n")
	for i := range files {
		text := fmt.Sprintf("file %d\n%s", i, strings.Repeat("some line of text\n", 20))
		fmt.Fprintf(&s, "M 100644 inline dir-%03d/file-%d.txt\ndata %d\n%s\n", i%100, i, len(text), text)
	}
	if _, err := git.Output(tb.Context(), []byte(s.String()), "fast-import", "--quiet"); err != nil {
		tb.Fatal(err)
	}
	return dir
}

func median(xs []float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(xs))
	return s[len(s)/2]
}
