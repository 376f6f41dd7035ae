package demo

import (
	"context"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"lander/internal/hub"
	"lander/internal/queue"
	"lander/internal/vcs"
)

// BenchmarkCrowd approves many pull requests at once and tells how many land in a minute, with a suite of "true", and what each costs
// the processors, against the floor: the same changes fetched at once, rebased in memory and pushed in batches of the same size, bare.
// The hub's and Postgres's own work weighs on lander's side only where lander asks for it.
func BenchmarkCrowd(b *testing.B) {
	for _, changes := range []int{50, 500} {
		for _, heads := range []string{"keep", "move"} {
			b.Run(fmt.Sprintf("changes=%d/heads=%s", changes, heads), func(b *testing.B) {
				for b.Loop() {
					benchCrowd(b, changes, heads)
				}
			})
		}
	}
}

func benchCrowd(b *testing.B, changes int, heads string) {
	ctx, cancel := context.WithTimeout(b.Context(), 20*time.Minute)
	defer cancel()
	o := options(b)
	o.Policy = fmt.Appendf(nil, "heads: %s\nwindow: 4\nbatch: {max: 64}\nsuite:\n  steps:\n    - {name: suite, run: \"true\"}\n", heads)
	source := manyFiles(b, 1_000)
	const repo, bare = "bench/app", "bench/floor"
	w, err := open(ctx, o, repo, func(h *hub.Hub) error { return seedBench(h, source, repo, bare) })
	if err != nil {
		b.Fatal(err)
	}
	defer w.close()
	first, err := w.hub.Tip(repo, trunk)
	if err != nil {
		b.Fatal(err)
	}
	var numbers []int
	var floor []vcs.Want
	for i := range changes {
		branch := fmt.Sprintf("topic-%d", i)
		for _, repo := range []string{bare, repo} {
			if _, err := w.hub.Push(repo, hub.Push{By: contributor, Branch: branch, From: first, Commits: threeCommits(i)[:1]}); err != nil {
				b.Fatal(err)
			}
		}
		head, err := w.hub.Tip(bare, branch)
		if err != nil {
			b.Fatal(err)
		}
		floor = append(floor, vcs.Want{Head: queue.SHA(head)})
		n, err := w.hub.OpenPull(repo, hub.NewPull{Author: contributor, Title: branch, Head: branch})
		if err != nil {
			b.Fatal(err)
		}
		numbers = append(numbers, n)
	}
	for _, n := range numbers {
		err := w.until(ctx, "lander has seen them", func(ctx context.Context) (bool, error) {
			st, err := w.standing(ctx, n)
			return st.Head != "", err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := (&story{world: w}).told(ctx); err != nil {
		b.Fatal(err)
	}

	bareTook := bareCrowd(ctx, b, w, filepath.Join(o.Data, "floor.git"), bare, floor)

	began, cpu := time.Now(), cpuTime(b)
	var g errgroup.Group
	g.SetLimit(8)
	for _, n := range numbers {
		g.Go(func() error {
			_, err := w.hub.Approve(repo, n, maintainer)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		b.Fatal(err)
	}
	last := began
	for _, n := range numbers {
		st, err := w.ended(ctx, n)
		if err != nil {
			b.Fatal(err)
		}
		if st.Stage != queue.StageLanded {
			b.Fatalf("#%d: %s: %+v", n, st.Stage, st.Reasons)
		}
		if st.Landing.At.After(last) {
			last = st.Landing.At
		}
	}
	took := last.Sub(began)
	spent := cpuTime(b) - cpu
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(changes)/took.Minutes(), "landed/min")
	b.ReportMetric(spent.Seconds()*1000/float64(changes), "cpu-ms/landing")
	b.ReportMetric(float64(changes)/bareTook.Minutes(), "floor/min")
	b.ReportMetric(took.Seconds()/bareTook.Seconds(), "landed/floor")
}

func seedBench(h *hub.Hub, source string, repos ...string) error {
	for _, login := range []string{maintainer, contributor, bot} {
		if _, err := h.AddUser(hub.User{Login: login}); err != nil {
			return err
		}
	}
	for _, repo := range repos {
		if err := h.AddRepo(repo, hub.Seed{Dir: source, Branch: trunk}); err != nil {
			return err
		}
		for login, role := range map[string]hub.Role{maintainer: hub.RoleMaintain, contributor: hub.RoleWrite, bot: hub.RoleAdmin} {
			if err := h.SetRole(repo, login, role); err != nil {
				return err
			}
		}
	}
	return nil
}

// bareCrowd lands the same changes with nothing around it, 64 to a push.
func bareCrowd(ctx context.Context, b *testing.B, w *world, dir, name string, wants []vcs.Want) time.Duration {
	b.Helper()
	token, err := w.hub.AddToken(bot, "")
	if err != nil {
		b.Fatal(err)
	}
	repo := &vcs.Repo{
		Dir: dir, Remote: w.url + "/" + name + ".git",
		Auth: func(context.Context) (string, string, error) { return bot, token, nil },
	}
	if err := repo.Init(ctx); err != nil {
		b.Fatal(err)
	}
	if _, err := repo.Fetch(ctx, trunk); err != nil { // the first fetch is of everything
		b.Fatal(err)
	}
	began := time.Now()
	for i := 0; i < len(wants); i += 64 {
		batch := wants[i:min(i+64, len(wants))]
		tip, err := repo.Fetch(ctx, trunk, batch...)
		if err != nil {
			b.Fatal(err)
		}
		r := queue.BuildRequest{Base: tip, At: time.Now().Truncate(time.Second)}
		for j, want := range batch {
			r.Members = append(r.Members, queue.Member{Number: queue.Number(i + j + 1), Head: want.Head})
		}
		built, err := repo.Build(ctx, r)
		if err != nil {
			b.Fatal(err)
		}
		if err := repo.MoveHead(ctx, "", queue.HeadMove{Branch: trunk, From: tip, To: built.SHA}); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(began)
}

// cpuTime is what this process and the children that have ended took of the processors. Postgres and what still runs are not in it.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var sum time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return sum
}
