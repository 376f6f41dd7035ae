package testrun

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lander/internal/queue"
)

// lane is a lane whose tool caches a story is about.
type lane struct {
	runner *Runner
	dir    string
	name   queue.Lane
	faults []string
}

// stories are told of tool caches, by lander as root and as an ordinary user, with layers that the kernel lays over one another and with copies.
var stories = map[string]func(ctx context.Context, l *lane){
	"what a run writes is seen when it has landed": func(ctx context.Context, l *lane) {
		l.run(ctx, "a", "mkdir /cache/d && echo a > /cache/d/x && echo a > /cache/y", queue.Green)
		l.run(ctx, "b", "test -z \"$(ls -A /cache)\"", queue.Green)
		l.land("a")
		l.run(ctx, "c", "test $(cat /cache/d/x)$(cat /cache/y) = aa && echo c > /cache/d/x && echo c > /cache/z", queue.Green)
		l.land("b") // wrote nothing
		l.run(ctx, "d", "test $(cat /cache/d/x) = a && test ! -e /cache/z", queue.Green)
		l.land("c")
		l.run(ctx, "e", "test $(cat /cache/d/x)$(cat /cache/y)$(cat /cache/z) = cac", queue.Green)
	},
	"what a red run writes is gone, also when its commit lands": func(ctx context.Context, l *lane) {
		l.run(ctx, "a", "echo bad > /cache/x; exit 1", queue.Red)
		l.land("a")
		l.run(ctx, "b", "test -z \"$(ls -A /cache)\"", queue.Green)
	},
	"nothing that trunk's caches hold can be spoiled": func(ctx context.Context, l *lane) {
		l.run(ctx, "a", "cd /cache; mkdir d e; for f in d/x d/y e/z; do echo good > $f; done; chmod 555 e", queue.Green)
		l.land("a")
		check := "cd /cache && test \"$(cat d/x d/y e/z | sort -u)\" = good && test \"$(find . | sort | tr '\\n' ' ')\" = '. ./d ./d/x ./d/y ./e ./e/z ' && test $(stat -c %a d/x) = 644"
		for i, spoil := range []string{
			"cd /cache; echo bad > d/x; echo bad >> d/y; touch -d @0 d/x d",
			"cd /cache; rm -rf d; mkdir d; echo bad > d/x", "cd /cache; ln d/x d/h; echo bad > d/h; ln -s /cache/d/x l; echo bad > l", "cd /cache; mv d f; mv d/x d/w; true",
			"cd /cache; chmod 4777 d/x; chmod 777 d/x; chmod 0 d", "cd /cache; chmod 755 e; rm -rf e d", "cd /cache; truncate -s 1 d/x; dd if=/dev/zero of=d/y bs=1 count=1 conv=notrunc",
			"cd /cache; mknod d/x c 0 0; rm d/x; mknod d/x c 0 0; true", "cd /cache; (sleep 5; echo bad > d/x) & exec 9<> d/x; echo bad >&9; setsid sh -c 'while :; do echo bad > /cache/d/y; done' & sleep 0.1",
		} {
			l.run(ctx, fmt.Sprint("spoil", i), spoil, "")
			l.run(ctx, fmt.Sprint("check", i), check, queue.Green)
		}
	},
	"what is removed stays so, through many landings": func(ctx context.Context, l *lane) {
		l.run(ctx, "a", "cd /cache; mkdir -p keep drop swap; for i in 1 2 3; do echo $i > keep/$i; echo $i > drop/$i; echo $i > swap/$i; done; echo f > file; ln -s keep link", queue.Green)
		l.land("a")
		l.run(ctx, "b", "cd /cache; rm -r drop; rm keep/2; rm -r swap; mkdir swap; echo new > swap/new; rm file; mkdir file; echo in > file/in; chmod 500 file", queue.Green)
		l.land("b")
		for i := range mostLayers + 2 {
			l.run(ctx, fmt.Sprint("n", i), fmt.Sprintf("cd /cache; echo %d > keep/last; echo %d > n%d; test ! -e drop && test -h link", i, i, i), queue.Green)
			l.land(queue.SHA(fmt.Sprint("n", i)))
		}
		l.run(ctx, "z", fmt.Sprintf("cd /cache && test \"$(ls keep | tr '\\n' ' ')\" = '1 3 last ' && test $(cat keep/last) = %d && test \"$(ls swap)\" = new && test $(cat file/in) = in && test $(ls -d n* | wc -l) = %d && ! test -e drop",
			mostLayers+1, mostLayers+2), queue.Green)
		c := l.caches()
		stack, err := c.stack()
		l.must(err)
		if layers := l.list("layers"); len(stack) > mostLayers || len(layers) != len(stack) {
			l.fault("%d layers are seen, %d are there", len(stack), len(layers))
		}
	},
	"a run under way sees what it saw": func(ctx context.Context, l *lane) {
		l.run(ctx, "a", "echo a > /cache/x; for i in 1 2 3 4 5 6 7 8 9; do echo $i > /cache/old$i; done", queue.Green)
		l.land("a")
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			l.run(ctx, "long", "ls /cache > /dev/null; touch begun; until test -e go; do sleep 0.02; done; cd /cache; test $(cat x) = a; for i in 1 2 3 4 5 6 7 8 9; do test $(cat old$i) = $i; done", queue.Green)
		}()
		l.await("begun")
		for i := range mostLayers + 2 {
			sha := queue.SHA(fmt.Sprint("n", i))
			l.run(ctx, string(sha), fmt.Sprintf("echo %d > /cache/x; rm -f /cache/old%d", i, i), queue.Green)
			l.land(sha)
		}
		l.must(os.WriteFile(filepath.Join(l.dir, "checkout", "go"), nil, 0o644))
		<-ended
		l.run(ctx, "z", fmt.Sprintf("test $(cat /cache/x) = %d && ! test -e /cache/old1", mostLayers+1), queue.Green)
	},
	"a cache that cannot be read only costs its warmth": func(ctx context.Context, l *lane) {
		l.run(ctx, "a", "cd /cache; echo x > x; mkdir dark; echo x > dark/x; chmod 0 x dark; mkfifo p; ln -s /nowhere/at/all s", queue.Green)
		l.land("a")
		for i := range mostLayers + 1 {
			sha := queue.SHA(fmt.Sprint("n", i))
			l.run(ctx, string(sha), fmt.Sprintf("echo %d > /cache/n", i), queue.Green)
			if err := l.runner.Landed(l.name, sha); err != nil && os.Geteuid() == 0 {
				l.fault("%v", err)
			}
		}
		l.run(ctx, "y", "echo y > /cache/y", queue.Green)
		l.land("y")
		l.run(ctx, "z", "test $(cat /cache/y) = y", queue.Green)
	},
	"green runs that never land are not kept for ever": func(ctx context.Context, l *lane) {
		for i := range mostGreen + 3 {
			l.run(ctx, fmt.Sprint("n", i), "echo x > /cache/x", queue.Green)
		}
		if kept := l.list("green"); len(kept) != mostGreen {
			l.fault("of %d green runs %d are kept", mostGreen+3, len(kept))
		}
		l.tidy()
	},
}

func (l *lane) fault(format string, args ...any) {
	l.faults = append(l.faults, fmt.Sprintf(format, args...))
}

func (l *lane) must(err error) {
	if err != nil {
		l.fault("%v", err)
	}
}

// run runs a command on a commit; the outcome may be any if it is "".
func (l *lane) run(ctx context.Context, sha, command string, want queue.Outcome) {
	job := jobOf(steps(command))
	job.ID, job.Candidate = "run-of-"+sha, queue.SHA(sha)
	v := l.runner.Run(ctx, job)
	if want != "" && v.Outcome != want {
		text, err := os.ReadFile(l.runner.logPath(job.ID))
		l.fault("%s: %+v %v\n%s", sha, v, err, text)
	}
}

func (l *lane) land(sha queue.SHA) { l.must(l.runner.Landed(l.name, sha)) }

func (l *lane) caches() *laneCaches {
	c, err := cacheDirs(l.runner.Caches, l.name, l.runner.Sandbox.overlay)
	l.must(err)
	return c
}

func (l *lane) list(sub string) (names []string) {
	entries, err := os.ReadDir(filepath.Join(l.caches().dir, sub))
	l.must(err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// tidy waits until nothing is left of runs that are over.
func (l *lane) tidy() {
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		left := slices.Concat(l.list("runs"), l.list("trash"))
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			l.fault("left over: %v", left)
			return
		}
	}
}

// await waits for a file that a run makes in its checkout.
func (l *lane) await(name string) {
	for deadline := time.Now().Add(20 * time.Second); !exists(filepath.Join(l.dir, "checkout", name)); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			l.fault("gave up waiting for %s", name)
			return
		}
	}
}

// tell tells a story, in whatever process lander is.
func tell(ctx context.Context, s *Sandbox, dir, story string) string {
	name, way, _ := strings.Cut(story, ", with ")
	box := *s
	if way == "layers" {
		if err := box.ProveOverlay(ctx, filepath.Join(dir, "caches")); err != nil || !box.overlay {
			return fmt.Sprint("no layers here: ", err, box.notes)
		}
	}
	l := &lane{dir: dir, name: jobOf(queue.Recipe{}).Lane, runner: &Runner{
		Checkouts: &shelf{dir: filepath.Join(dir, "checkout")}, Logs: filepath.Join(dir, "logs"), Scratch: filepath.Join(dir, "scratch"),
		Caches: filepath.Join(dir, "caches"), Sandbox: &box,
	}}
	stories[name](ctx, l)
	return strings.Join(l.faults, "\n")
}

func TestCachesCannotBePoisoned(t *testing.T) {
	t.Parallel()
	short := []string{"what a run writes is seen when it has landed", "what a red run writes is gone, also when its commit lands"}
	for name := range stories {
		for _, way := range []string{"layers", "copies"} {
			if way == "copies" && !*everyone && !slices.Contains(short, name) {
				continue // copies are easier to get right, and slower
			}
			story := name + ", with " + way
			t.Run(story, func(t *testing.T) {
				t.Parallel()
				endure(t, ordeal{Story: story}, func(t *testing.T, came outcome) {
					if came.Log != "" {
						t.Error(came.Log)
					}
				})
			})
		}
	}
}

// A lander that is killed leaves what its run wrote, and a view of the caches that nobody has any more. The next run sweeps both up.
func TestAKilledRunLeavesNothingInTheCaches(t *testing.T) {
	t.Parallel()
	lander, dir := startOrdeal(t, ordeal{Recipe: steps("echo bad > /cache/x; touch begun; sleep 600"), Layers: true})
	s, err := proved()
	if err != nil {
		t.Fatal(err)
	}
	box := *s
	box.overlay = true
	l := &lane{dir: dir, name: jobOf(queue.Recipe{}).Lane, runner: &Runner{
		Checkouts: &shelf{dir: filepath.Join(dir, "checkout")}, Logs: filepath.Join(dir, "logs"), Scratch: filepath.Join(dir, "scratch"),
		Caches: filepath.Join(dir, "caches"), Sandbox: &box,
	}}
	l.await("begun")
	if err := lander.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = lander.Wait() // it was killed
	until(t, "the private directory to go", func() bool {
		left, err := os.ReadDir(filepath.Join(dir, "scratch"))
		return err == nil && len(left) == 0
	})
	until(t, "nobody to hold the run's caches", func() bool {
		alive, err := l.caches().alive(l.list("runs")[0])
		return err == nil && !alive
	})
	l.land(candidate)
	l.run(t.Context(), "next", "test -z \"$(ls -A /cache)\" && echo x > /cache/x", queue.Green)
	l.land("next")
	if l.tidy(); len(l.faults) > 0 {
		t.Error(l.faults)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil || strings.Contains(string(mounts), dir) {
		t.Errorf("mounts are left over: %v\n%s", err, mounts)
	}
}
