package embedded

import (
	"path/filepath"
	"testing"
)

func TestPeekSeesWhetherAServerRuns(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(home(t), "data", "postgres")
	look := func(made, running bool) Peeked {
		t.Helper()
		p, err := Peek(dir)
		_, runs := p.Running("postgres")
		if err != nil || p.Made != made || runs != running {
			t.Errorf("made %v, running %v, %v; want %v, %v", p.Made, runs, err, made, running)
		}
		return p
	}
	look(false, false)
	s := startServer(t, Options{Dir: dir, Durable: true})
	url, _ := look(true, true).Running("postgres")
	if got := value(t, url, `SELECT current_database()`); got != "postgres" {
		t.Errorf("connected to %q", got)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	look(true, false)
}
