package store_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"lander/internal/store"
	"lander/internal/store/storetest"
)

// holdVariable makes the test binary run TestHolding, and says which database it holds a lane of.
const holdVariable = "LANDER_TEST_HOLD"

// holder is a lander of its own process that holds the lane.
func holder(t *testing.T, url string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-test.run=^TestHolding$")
	cmd.Env = append(os.Environ(), holdVariable+"="+url)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // when it is not dead yet
		_ = cmd.Wait()
	})
	for said := bufio.NewScanner(out); said.Scan(); {
		if said.Text() == "held" {
			return cmd
		}
	}
	t.Fatal("the other process does not hold the lane")
	return nil
}

// TestHolding does nothing unless holder runs it: it holds a lane until it is killed.
func TestHolding(t *testing.T) {
	url := os.Getenv(holdVariable)
	if url == "" {
		return
	}
	_, lost, err := open(t, url).Hold(t.Context(), lane)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("held")
	<-lost
}

// takeOver waits for the lane in a second lander, lets something happen to the first, and says how long after that the second held it.
func takeOver(t *testing.T, url string, happens func()) time.Duration {
	t.Helper()
	b, admin := open(t, url), sql(t, url)
	type got struct {
		at  time.Time
		err error
	}
	held := make(chan got, 1)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	go func() {
		release, _, err := b.Hold(ctx, lane)
		held <- got{time.Now(), err}
		if err == nil {
			release()
		}
	}()
	until(t, "a second lander that waits", func() bool {
		return ask[bool](t, admin, "select count(*) > 0 from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())")
	})
	began := time.Now()
	happens()
	second := <-held
	if second.err != nil {
		t.Fatal(second.err)
	}
	return second.at.Sub(began)
}

func TestTakeoverWithinASecondOfAKill(t *testing.T) {
	t.Parallel()
	url := storetest.New(t)
	first := holder(t, url)
	took := takeOver(t, url, func() {
		if err := first.Process.Kill(); err != nil {
			t.Error(err)
		}
	})
	t.Logf("took %v", took)
	if took > time.Second {
		t.Errorf("the next one held the lane after %v", took)
	}
}

// A process that is stopped still has its connection, and a kernel that answers for it.
func TestTakeoverFromAProcessThatIsStopped(t *testing.T) {
	t.Parallel()
	url := storetest.New(t)
	first := holder(t, url)
	took := takeOver(t, url, func() {
		if err := first.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Error(err)
		}
	})
	t.Logf("took %v", took)
	if took > 12*time.Second {
		t.Errorf("the next one held the lane after %v", took)
	}
}

// Something between lander and Postgres swallows everything and closes nothing: the holder finds out before another one holds.
func TestTakeoverFromAConnectionThatHangs(t *testing.T) {
	t.Parallel()
	url := storetest.New(t)
	p := newHanging(t)
	a, err := store.OpenWith(t.Context(), url, func(cfg *pgxpool.Config) {
		p.to = cfg.ConnConfig.DialFunc
		cfg.ConnConfig.DialFunc = p.dial
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	t.Cleanup(p.thaw)
	release, lost, err := a.Hold(t.Context(), lane)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	told := make(chan time.Time, 1)
	var began time.Time
	took := takeOver(t, url, func() {
		began = time.Now()
		p.freeze()
		go func() {
			<-lost
			told <- time.Now()
		}()
	})
	knew := (<-told).Sub(began)
	t.Logf("it knew after %v, the next held after %v", knew, took)
	if knew > took || took > 12*time.Second {
		t.Errorf("the holder knew after %v, the next one held the lane after %v", knew, took)
	}
}

// hanging is a proxy that can stop passing anything on.
type hanging struct {
	net.Listener
	to     func(ctx context.Context, network, addr string) (net.Conn, error)
	mu     sync.Mutex
	frozen chan struct{} // nil: not frozen; closed: thawed
}

func newHanging(t *testing.T) *hanging {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &hanging{Listener: l}
	t.Cleanup(func() { _ = l.Close() })
	return p
}

// dial gives a connection through the proxy.
func (p *hanging) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	back, err := p.to(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	front, err := net.Dial("tcp", p.Addr().String())
	if err != nil {
		return nil, err
	}
	in, err := p.Accept()
	if err != nil {
		return nil, err
	}
	go p.pass(in, back)
	go p.pass(back, in)
	return front, nil
}

func (p *hanging) pass(to, from net.Conn) {
	defer to.Close()
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		frozen := p.frozen
		p.mu.Unlock()
		if frozen != nil {
			<-frozen
		}
		if _, werr := to.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}

func (p *hanging) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frozen = make(chan struct{})
}

func (p *hanging) thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frozen != nil {
		close(p.frozen)
		p.frozen = nil
	}
}
