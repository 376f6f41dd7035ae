package gate

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/queue"
)

// log is what was logged.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// What could not be proved is proved soon, and then later and later; and the log says what to do about it.
func TestAnAuditThatComesToNoEndIsTriedAgainSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.now = time.Now()
		k := w.keeper()
		var said log
		k.Log = zerolog.New(&said).Level(zerolog.ErrorLevel)
		k.Now = time.Now
		k.Hold = func(context.Context) (func(), <-chan struct{}, error) { return func() {}, nil, nil }
		var mu sync.Mutex
		var at []time.Time
		ok := false
		k.Audit = func(_ context.Context, since queue.SHA, _ Tips) ([]string, error) {
			mu.Lock()
			defer mu.Unlock()
			if since != "" {
				t.Errorf("audited since %s", since)
			}
			at = append(at, time.Now())
			if ok {
				return nil, nil
			}
			return nil, errCut
		}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = k.Run(ctx) })
		defer running.Wait()
		defer cancel()
		gaps := func() (all []time.Duration) {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			for i := 1; i < len(at); i++ {
				all = append(all, at[i].Sub(at[i-1]).Round(time.Minute))
			}
			return all
		}
		time.Sleep(2 * time.Minute)
		if synctest.Wait(); strings.Contains(said.String(), "lander verify") {
			t.Errorf("told after two: %s", said.String())
		}
		time.Sleep(5 * time.Hour)
		want := []int{1, 2, 4, 8, 16, 32, 60, 60, 60} // minutes
		got := gaps()
		if len(got) < len(want) {
			t.Fatalf("audited again after %v", got)
		}
		for i := range want {
			if got[i] != time.Duration(want[i])*time.Minute {
				t.Errorf("audited again after %v, want minutes %v", got, want)
				break
			}
		}
		if !strings.Contains(said.String(), "3 times in a row") || !strings.Contains(said.String(), "lander verify") {
			t.Errorf("the log says %s", said.String())
		}
		mu.Lock()
		ok = true
		mu.Unlock()
		time.Sleep(150 * time.Minute)
		synctest.Wait()
		mu.Lock()
		ok, at = false, at[len(at)-1:]
		mu.Unlock()
		time.Sleep(70 * time.Minute)
		if got := gaps(); len(got) < 2 || got[0] != time.Hour || got[1] != time.Minute {
			t.Errorf("after one that did: %v", got)
		}
	})
}
