package serve

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/config"
	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/store/errands"
	"lander/internal/store/storetest"
	"lander/internal/testrun"
	"lander/internal/vcs"
)

// patience is for anything that another goroutine or process brings about; far more than it takes.
const patience = time.Minute

// yard is a repository, a candidate that only lander's mirror has, and lander's side of handing runs out.
type yard struct {
	testing.TB
	dir       string
	database  string
	rooms     *Rooms
	repo      *repository
	base      queue.SHA
	candidate queue.SHA
}

var lane = queue.Lane{Repo: "acme/app", Trunk: "main"}

func newYard(t testing.TB, slots int) *yard {
	t.Helper()
	y := &yard{TB: t, dir: t.TempDir(), database: storetest.New(t)}
	origin := filepath.Join(y.dir, "origin", "acme", "app.git")
	y.git("init", "--quiet", "--bare", "--initial-branch=main", origin)
	tree := y.git("--git-dir", origin, "mktree")
	y.base = queue.SHA(y.git("--git-dir", origin, "commit-tree", tree, "-m", "Begin"))
	y.git("--git-dir", origin, "update-ref", "refs/heads/main", string(y.base))

	db, err := store.Open(t.Context(), y.database, zerolog.Nop())
	y.must(err)
	t.Cleanup(db.Close)
	pool, err := db.Pool(t.Context(), handers)
	y.must(err)
	t.Cleanup(pool.Close)
	giver, err := errands.NewGiver(pool, protocol(), zerolog.Nop())
	y.must(err)
	y.rooms = &Rooms{Settings: y.settings("lander"), Store: db, Giver: giver, Log: zerolog.Nop()}
	y.rooms.Settings.Workers = slots
	y.repo = y.rooms.repository(lane.Repo)
	y.must(y.repo.mirror.Init(t.Context()))
	_, err = y.repo.mirror.Fetch(t.Context(), lane.Trunk)
	y.must(err)
	y.candidate = y.commit(map[string]string{"word": "a candidate\n"})
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() { y.rooms.hands().watch(ctx) })
	t.Cleanup(func() { cancel(); watching.Wait() })
	return y
}

func (y *yard) settings(name string) config.Server {
	return config.Server{
		DataDir: filepath.Join(y.dir, name), GitRemote: "file://" + y.dir + "/origin/{repo}.git", Sandbox: noSandbox,
		DatabaseURL: config.NewSecret(y.database), WorkerName: name, Workers: 1, Committer: config.Committer{Name: "lander", Email: "lander@localhost"},
	}
}

func (y *yard) must(err error) {
	y.Helper()
	if err != nil {
		y.Fatal(err)
	}
}

func (y *yard) git(args ...string) string {
	y.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=A", "-c", "user.email=a@example.com"}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1"}
	out, err := cmd.Output()
	if err != nil {
		y.Fatalf("git %v: %v", args, err)
	}
	return strings.TrimSpace(string(out))
}

// commit makes one on trunk, in lander's mirror alone.
func (y *yard) commit(files map[string]string) queue.SHA {
	y.Helper()
	mirror := y.repo.mirror.Dir
	var list strings.Builder
	for name, text := range files {
		file := filepath.Join(y.TempDir(), "file")
		y.must(os.WriteFile(file, []byte(text), 0o600))
		fmt.Fprintf(&list, "100644 blob %s\t%s\n", y.git("--git-dir", mirror, "hash-object", "-w", file), name)
	}
	cmd := exec.Command("git", "--git-dir", mirror, "mktree")
	cmd.Stdin = strings.NewReader(list.String())
	tree, err := cmd.Output()
	y.must(err)
	return queue.SHA(y.git("--git-dir", mirror, "commit-tree", strings.TrimSpace(string(tree)), "-p", string(y.base), "-m", "Candidate"))
}

// worker starts one, and waits until it is known.
func (y *yard) worker(name string, labels ...string) (stop func()) {
	y.Helper()
	s := y.settings(name)
	s.RunLabels = labels
	w, err := StartWorker(y.Context(), WorkerOptions{Settings: s, Log: zerolog.Nop()})
	y.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			y.Error(err)
		}
		w.Close()
	})
	y.Cleanup(stop)
	y.until(name+" is known", func() bool { able, _ := y.rooms.hands().elsewhere(labels); return able })
	return stop
}

func (y *yard) until(what string, is func() bool) {
	y.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(10 * time.Millisecond) { // between two looks
		if time.Now().After(deadline) {
			y.Fatalf("never: %s", what)
		}
	}
}

func (y *yard) job(id, command string, labels ...string) testrun.Job {
	return testrun.Job{
		ID: id, Lane: lane, Candidate: y.candidate, Base: y.base,
		Recipe: queue.Recipe{Steps: []queue.Step{{Name: "unit", Run: command}}, Labels: labels},
	}
}

// start runs a job and gives what comes of it.
func (y *yard) start(ctx context.Context, job testrun.Job) <-chan queue.Verdict {
	done := make(chan queue.Verdict, 1)
	go func() { done <- y.rooms.run(ctx, y.repo, job, nil) }()
	return done
}

func (y *yard) wait(done <-chan queue.Verdict) queue.Verdict {
	y.Helper()
	select {
	case v := <-done:
		return v
	case <-time.After(patience):
		y.Fatal("the run does not end")
		return queue.Verdict{}
	}
}

func (y *yard) log(id string) string {
	text, _ := os.ReadFile(filepath.Join(y.repo.runner.Logs, id+".log")) // there may be none yet
	return string(text)
}

func TestARunIsHandedOutAndTold(t *testing.T) {
	t.Parallel()
	y := newYard(t, config.NoWorkers)
	y.worker("a")
	v := y.wait(y.start(t.Context(), y.job("main.1.1", "cat word; head -c 200000 /dev/zero | tr '\\0' x; exit 3")))
	if v.Outcome != queue.Red || v.Step != "unit" || v.Exit != 3 || len(v.Steps) != 1 {
		t.Errorf("verdict %+v", v)
	}
	log := y.log("main.1.1")
	if !strings.Contains(log, "on the worker a") || !strings.Contains(log, "\na candidate\n") || strings.Count(log, "x") < 200_000 || !strings.HasSuffix(log, "\n") {
		t.Errorf("a log of %d bytes: %.300s", len(log), log)
	}
	if all, err := y.rooms.staff(t.Context()); err != nil || len(all) != 1 || all[0].Name != "a" || len(all[0].Runs) != 0 {
		t.Errorf("staff %+v, %v", all, err)
	}
}

// Whoever is free first takes a run: this machine at once, while it is free, and again when it is before anybody else.
func TestAFreeSlotHereTakesARunBack(t *testing.T) {
	t.Parallel()
	y := newYard(t, 1)
	y.worker("a")
	flag := func(name string) string { return filepath.Join(y.dir, name) }
	hang := func(name string) string {
		return "touch " + flag(name+"-begun") + "; until test -e " + flag(name) + "; do sleep 0.02; done"
	}
	there := func(name string) bool { _, err := os.Stat(flag(name + "-begun")); return err == nil }
	let := func(name string) { y.must(os.WriteFile(flag(name), nil, 0o600)) }
	one := y.start(t.Context(), y.job("main.1.1", hang("one")))
	y.until("the first runs", func() bool { return there("one") })
	two := y.start(t.Context(), y.job("main.2.1", hang("two")))
	y.until("the second runs", func() bool { return there("two") })
	three := y.start(t.Context(), y.job("main.3.1", hang("three")))
	if y.log("main.1.1") == "" || strings.Contains(y.log("main.1.1"), "worker") || !strings.Contains(y.log("main.2.1"), "on the worker a") {
		t.Errorf("the first is not here, or the second not there:\n%s\n%s", y.log("main.1.1"), y.log("main.2.1"))
	}
	let("one")
	if v := y.wait(one); v.Outcome != queue.Green {
		t.Errorf("the first: %+v", v)
	}
	y.until("the third runs", func() bool { return there("three") })
	if log := y.log("main.3.1"); strings.Contains(log, "worker") {
		t.Errorf("the third is not here:\n%s", log)
	}
	let("two")
	let("three")
	for _, v := range []queue.Verdict{y.wait(two), y.wait(three)} {
		if v.Outcome != queue.Green {
			t.Errorf("verdict %+v", v)
		}
	}
}

func TestThereIsRoomForWhoIsAlive(t *testing.T) {
	t.Parallel()
	y := newYard(t, 2)
	crew := y.rooms.hands()
	if n := crew.room(nil); n != 2 {
		t.Errorf("room for %d here", n)
	}
	stop := y.worker("a", "big")
	if n, big := crew.room(nil), crew.room([]string{"big"}); n != 3 || big != 1 {
		t.Errorf("room for %d, of them %d big", n, big)
	}
	stop()
	y.until("the worker has gone", func() bool { return crew.room(nil) == 2 })
}

func TestACandidateThatIsTooLargeStaysHere(t *testing.T) {
	t.Parallel()
	y := newYard(t, config.NoWorkers)
	y.worker("a")
	noise := make([]byte, vcs.MostParcel+1<<20)
	_, _ = rand.Read(noise)
	y.candidate = y.commit(map[string]string{"noise": string(noise)})
	if v := y.wait(y.start(t.Context(), y.job("main.1.1", "true"))); v.Outcome != queue.Infra || !strings.Contains(v.Reason, "more than") {
		t.Errorf("verdict %+v", v)
	}
}

// What a worker says is read as a stranger's word.
func TestALyingWorkerIsNotBelieved(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		says string
		want queue.Outcome
	}{
		"no JSON":              {"green", queue.Infra},
		"another word":         {`{"outcome":"green","land":true,"took":1}`, queue.Infra},
		"more behind it":       {`{"outcome":"green","took":1}{}`, queue.Infra},
		"an outcome unknown":   {`{"outcome":"splendid","took":1}`, queue.Infra},
		"what only we may say": {`{"outcome":"cancelled","took":1}`, queue.Infra},
		"time that runs back":  {`{"outcome":"red","took":-1}`, queue.Infra},
		"escapes and secrets":  {`{"outcome":"red","reason":"\u001b[2Jthe password is geheimgeheim","tail":["a\nb"],"took":1}`, queue.Red},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			y := newYard(t, config.NoWorkers)
			y.repo.runner.Secrets = []string{"geheimgeheim"}
			db, err := store.Open(t.Context(), y.database, zerolog.Nop())
			y.must(err)
			defer db.Close()
			pool, err := db.Pool(t.Context(), 6)
			y.must(err)
			defer pool.Close()
			liar := &errands.Taker{Pool: pool, Name: "liar", Protocol: protocol(), Slots: 1, Log: zerolog.Nop(), Do: func(ctx context.Context, task *errands.Task) []byte {
				if err := task.Send(ctx, []byte("so geheimgeheim\n")); err != nil {
					t.Error(err)
				}
				return []byte(c.says)
			}}
			y.must(liar.Join(t.Context()))
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- liar.Run(ctx) }()
			v := y.wait(y.start(t.Context(), y.job("main.1.1", "true")))
			cancel()
			y.must(<-ended)
			if v.Outcome != c.want || strings.Contains(v.Reason, "geheim") || strings.ContainsAny(v.Reason+strings.Join(v.Tail, ""), "\x1b\n") {
				t.Errorf("verdict %+v", v)
			}
			if log := y.log("main.1.1"); strings.Contains(log, "geheim") || !strings.Contains(log, "so [redacted]") {
				t.Errorf("log %q", log)
			}
		})
	}
}

// Silence is what was listened to: neither a database that is away nor a lander that was halted makes a worker dead.
func TestOnlySilenceThatWasHeardCounts(t *testing.T) {
	t.Parallel()
	at := time.Unix(0, 0)
	h := &handout{beats: 5, looked: at}
	if got := h.hears(5, at.Add(time.Hour)); got >= time.Second {
		t.Errorf("silent for %s after an hour in which nobody looked", got)
	}
	at = at.Add(time.Hour)
	var silent time.Duration
	for range 100 {
		at = at.Add(looks)
		silent = h.hears(5, at)
	}
	if silent < errands.Silence {
		t.Errorf("silent for %s after 20 s of looking", silent)
	}
	if got := h.hears(6, at.Add(looks)); got != 0 {
		t.Errorf("silent for %s after a beat", got)
	}
}

func TestOrdersAreReadStrictly(t *testing.T) {
	t.Parallel()
	o := order{Job: testrun.Job{ID: "main.1.1", Lane: lane, Members: []queue.Number{3}, Recipe: queue.Recipe{Steps: []queue.Step{{Name: "a", Run: "b", Needs: []string{}}}}}}
	text, err := encode(o)
	if err != nil {
		t.Fatal(err)
	}
	var back order
	if err := decode(text, &back); err != nil || back.Job.Recipe.Digest() != o.Job.Recipe.Digest() || back.Job.Recipe.Steps[0].Needs == nil {
		t.Errorf("back: %+v, %v", back, err)
	}
	for _, bad := range []string{"", "[]", `{"Job": {}, "Push": true}`, string(text) + "x"} {
		if err := decode([]byte(bad), &back); err == nil {
			t.Errorf("%q is an order", bad)
		}
	}
	if len(protocol()) != 12 || !strings.HasPrefix(boxed(), protocol()) {
		t.Errorf("protocols %q, %q", protocol(), boxed())
	}
}

// BenchmarkTwoWorkers runs the 16 equal runs of a suite by one worker, and then by two: how many times as fast these are.
func BenchmarkTwoWorkers(b *testing.B) {
	y := newYard(b, config.NoWorkers)
	round := 0
	all := func() time.Duration {
		round++
		began := time.Now()
		var runs []<-chan queue.Verdict
		for i := range 16 {
			runs = append(runs, y.start(b.Context(), y.job(fmt.Sprintf("main.%d.%d", round, i), "sleep 3")))
		}
		for _, r := range runs {
			if v := y.wait(r); v.Outcome != queue.Green {
				b.Fatalf("verdict %+v", v)
			}
		}
		return time.Since(began)
	}
	var one, two time.Duration
	for b.Loop() {
		stop := y.worker("a")
		one += all()
		other := y.worker("b")
		two += all()
		stop()
		other()
		y.until("both have gone", func() bool { able, _ := y.rooms.hands().elsewhere(nil); return !able })
	}
	b.ReportMetric(one.Seconds()/float64(b.N), "one-s/op")
	b.ReportMetric(two.Seconds()/float64(b.N), "two-s/op")
	b.ReportMetric(float64(one)/float64(two), "times-as-fast")
	if float64(one)/float64(two) < 1.7 {
		b.Errorf("two workers are %.2f times as fast as one, and must be 1.7", float64(one)/float64(two))
	}
}
