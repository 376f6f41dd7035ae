package gate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"lander/internal/queue"
)

// broken is a git server, and a disk below the mirror, that fail while an error is set.
type broken struct {
	*world
	mu  sync.Mutex
	err error
}

func (b *broken) set(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

func (b *broken) now() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

func (b *broken) Fetch(ctx context.Context, trunk string, heads []queue.Member) (Tips, error) {
	if err := b.now(); err != nil {
		return Tips{}, err
	}
	return b.world.Fetch(ctx, trunk, heads)
}

// hindrance is what the database has of it.
func (w *world) hindrance() *queue.Trouble {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stored.Trouble
}

func TestALaneThatCannotGoOnSaysSoAndGoesOnByItself(t *testing.T) {
	full := errors.Join(&pathError{}, &pathError{}, &pathError{})
	for name, c := range map[string]struct {
		spoil func(k *Keeper, b *broken, err error)
		idle  bool // nobody waits
	}{
		"while it settles": {spoil: func(_ *Keeper, b *broken, err error) { b.set(err) }},
		"while it polls":   {spoil: func(_ *Keeper, b *broken, err error) { b.set(err) }, idle: true},
		"before it begins": {spoil: func(k *Keeper, b *broken, err error) { b.set(err) }},
	} {
		for _, diagnosed := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t)
					w.now = time.Now()
					b := &broken{world: w}
					k := w.keeper()
					k.Now, k.Mirror = time.Now, b
					k.Hold = func(context.Context) (func(), <-chan struct{}, error) { return func() {}, nil, nil }
					want := "lander cannot go on here: write pack: no space left on device; see its log, and run \"lander doctor\""
					if diagnosed {
						want = "the disk is full"
						k.Diagnose = func(_ context.Context, err error) string {
							if !errors.Is(err, syscall.ENOSPC) {
								t.Errorf("diagnosed %v", err)
							}
							return want
						}
					}
					if name == "before it begins" {
						k.Prepare = func(context.Context) error { return b.now() }
						c.spoil(k, b, full)
					}
					ctx, cancel := context.WithCancel(t.Context())
					var running sync.WaitGroup
					running.Go(func() { _ = k.Run(ctx) })
					defer running.Wait()
					defer cancel()
					time.Sleep(time.Second)
					c.spoil(k, b, full)
					if !c.idle {
						w.mu.Lock()
						w.open(1)
						w.lost[w.pulls[1].Head] = true // not fetched yet
						w.approve(1)
						w.mu.Unlock()
						k.Nudge()
						for range 100 { // however often it is nudged, it is a matter of time too
							k.Nudge()
							synctest.Wait()
						}
					}
					time.Sleep(time.Second)
					if w.hindrance() != nil {
						t.Fatal("told too early")
					}
					time.Sleep(5 * time.Minute)
					synctest.Wait()
					trouble := w.hindrance()
					if trouble == nil || strings.NewReplacer("build/1: ", "", "fetch acme/app:main: ", "").Replace(trouble.Reason) != want {
						t.Fatalf("%+v, want %s", trouble, want)
					}
					w.mu.Lock()
					if name == "while it settles" && !slices.ContainsFunc(w.told, func(n queue.Notice) bool {
						return n.Number == 1 && n.Standing != nil && len(n.Standing.Reasons) > 0 && n.Standing.Reasons[0].Text == trouble.Reason
					}) {
						t.Errorf("the change does not say so: %+v", w.told)
					}
					clear(w.lost)
					w.mu.Unlock()
					b.set(nil)
					time.Sleep(time.Minute)
					synctest.Wait()
					if trouble := w.hindrance(); trouble != nil {
						t.Errorf("it goes on, and says %+v", trouble)
					}
					w.mu.Lock()
					defer w.mu.Unlock()
					if !c.idle && w.pushes != 1 {
						t.Errorf("%d pushes", w.pushes)
					}
				})
			})
		}
	}
}

// pathError is what a full disk gives.
type pathError struct{}

func (*pathError) Error() string { return "write pack: " + syscall.ENOSPC.Error() }
func (*pathError) Unwrap() error { return syscall.ENOSPC }

func TestWhatIsJoinedIsToldOnce(t *testing.T) {
	t.Parallel()
	a, b := errors.New("fetch: no answer"), errors.New("build/1: fetch: no answer")
	for want, err := range map[string]error{
		"fetch: no answer":              errors.Join(a, a, a),
		"build/1: fetch: no answer":     errors.Join(a, b, a),
		"x; fetch: no answer":           errors.Join(errors.New("x"), a, errors.New(" x\n")),
		"save: gone; fetch: no answer":  errors.Join(errors.New("save: gone"), a),
		"build/1: fetch: no answer; y ": errors.Join(b, a, errors.New("y")),
	} {
		if got := once(err); got != strings.TrimSpace(want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
