package demo

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
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

func benchCrowd(b *testing.B, changes int, policy string) {
	ctx, cancel := context.WithTimeout(b.Context(), 20*time.Minute)
	defer cancel()
	o := options(b)
	o.Policy = fmt.Appendf(nil, "heads: %s\nwindow: 4\nbatch: {max: 64}\nsuite:\n  steps:\n    - {name: suite, run: \"true\"}\n", policy)
	source := manyFiles(b, 1_000)
	const repo, bare = "bench/app", "bench/floor"
	heads := topics(b, source, changes)
	numbers := make([]int, changes)
	w, err := open(ctx, o, repo, func(h *hub.Hub) error {
		if err := seedBench(h, source, repo, bare); err != nil {
			return err
		}
		// All at once, before anybody listens: that is quicker by far than a push and a webhook for each.
		for _, repo := range []string{bare, repo} {
			if err := h.PushFrom(repo, source, contributor, heads); err != nil {
				return err
			}
		}
		for i := range numbers {
			n, err := h.OpenPull(repo, hub.NewPull{Author: contributor, Title: topic(i), Head: topic(i)})
			if err != nil {
				return err
			}
			numbers[i] = n
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	defer w.close()
	var floor []vcs.Want
	for i := range changes {
		floor = append(floor, vcs.Want{Head: queue.SHA(heads[topic(i)])})
	}
	err = w.until(ctx, "lander has seen them", func(ctx context.Context) (bool, error) {
		q, _, err := w.lander.Store().View(ctx, w.lane)
		return len(q.Entries) == changes, err
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := (&story{world: w}).told(ctx); err != nil {
		b.Fatal(err)
	}
	if err := w.hub.WaitDelivered(ctx); err != nil {
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
	last, err := w.crowdLanded(ctx, changes)
	if err != nil {
		b.Fatal(err)
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

// crowdLanded waits until as many have landed, and says when the last one did. The lane is read only when trunk has moved: what reads it
// all the time would be measured too.
func (w *world) crowdLanded(ctx context.Context, changes int) (last time.Time, err error) {
	var read time.Time
	var tip string
	err = w.until(ctx, "all have landed", func(ctx context.Context) (bool, error) {
		now, err := w.hub.Tip(w.lane.Repo, trunk)
		if err != nil || now == tip && time.Since(read) < 2*time.Second {
			return false, err
		}
		landed, err := w.lander.Store().Landings(ctx, w.lane, changes)
		if err != nil {
			return false, err
		}
		tip, read = now, time.Now()
		if len(landed) > 0 && string(landed[0].Tip) != now {
			tip = "" // pushed, and not yet stored
		}
		for _, l := range landed {
			if l.At.After(last) {
				last = l.At
			}
		}
		return len(landed) == changes, w.nobodyDropped(ctx)
	})
	return last, err
}

// nobodyDropped says who left the queue another way than by landing.
func (w *world) nobodyDropped(ctx context.Context) error {
	q, _, err := w.lander.Store().View(ctx, w.lane)
	for _, e := range q.Entries {
		if e.State == queue.Dropped {
			err = errors.Join(err, fmt.Errorf("%v was dropped: %+v", e.Number, e.Drop))
		}
	}
	return err
}

func topic(i int) string { return fmt.Sprintf("topic-%d", i) }

// topics makes branches of one commit each in a repository that manyFiles made.
func topics(tb testing.TB, source string, changes int) map[string]string {
	tb.Helper()
	var in strings.Builder
	for i := range changes {
		c := threeCommits(i)[0]
		fmt.Fprintf(&in, "commit refs/heads/%s\nauthor A <a@example.com> 1700000001 +0000\ncommitter A <a@example.com> 1700000001 +0000\n", topic(i))
		fmt.Fprintf(&in, "data %d\n%s\nfrom refs/heads/%s\n", len(c.Message), c.Message, trunk)
		for path, text := range c.Files {
			fmt.Fprintf(&in, "M 100644 inline %s\ndata %d\n%s\n", path, len(text), text)
		}
	}
	git := vcs.Git{Dir: source}
	if _, err := git.Output(tb.Context(), []byte(in.String()), "fast-import", "--quiet"); err != nil {
		tb.Fatal(err)
	}
	out, err := git.Text(tb.Context(), "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads/topic-*")
	if err != nil {
		tb.Fatal(err)
	}
	heads := map[string]string{}
	for line := range strings.Lines(out) {
		branch, sha, _ := strings.Cut(strings.TrimSpace(line), " ")
		heads[branch] = sha
	}
	return heads
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
