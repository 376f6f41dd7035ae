package testrun

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const defaultMaxLog = 64 << 20

// transcript is the log of a run while it is written: the commands' output as it came, and lander's own lines.
type transcript struct {
	file *os.File
	max  int64 // bytes of output to keep
	now  func() time.Time

	mu      sync.Mutex
	kept    int64
	dropped int64
	inLine  bool          // the last byte written was not a line end
	moved   chan struct{} // closed at the next write; nil when nobody waits
	over    bool
}

// output keeps p as far as there is room. Being out of room is no error.
func (t *transcript) output(p []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	room := min(int64(len(p)), t.max-t.kept)
	if room > 0 {
		if err := t.write(p[:room]); err != nil {
			return err
		}
		t.kept += room
	}
	if room < int64(len(p)) {
		if t.dropped == 0 {
			if err := t.writeLine(logCut(t.max)); err != nil {
				return err
			}
		}
		t.dropped += int64(len(p)) - room
	}
	return nil
}

// line writes one of lander's own lines, which the bound does not hold back: there are few.
func (t *transcript) line(text string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.writeLine(text)
}

// close ends the transcript for those who follow it.
func (t *transcript) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var err error
	if t.dropped > 0 {
		err = t.writeLine(logDropped(t.dropped))
	}
	t.over = true
	t.wake()
	return errors.Join(err, t.file.Close())
}

func (t *transcript) writeLine(text string) error {
	line := logLine(t.now(), text)
	if t.inLine {
		line = "\n" + line
	}
	return t.write([]byte(line))
}

func (t *transcript) write(p []byte) error {
	if _, err := t.file.Write(p); err != nil {
		return err
	}
	t.inLine = p[len(p)-1] != '\n'
	t.wake()
	return nil
}

func (t *transcript) wake() {
	if t.moved != nil {
		close(t.moved)
		t.moved = nil
	}
}

// wait gives a channel that closes at the next write, and whether there will be none.
func (t *transcript) wait() (moved <-chan struct{}, over bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.moved == nil {
		t.moved = make(chan struct{})
	}
	return t.moved, t.over
}

// begin makes the log of a run. A run begun again under its old ID gets a new file, unless it goes on; who reads the old one keeps it.
func (r *Runner) begin(id string, goesOn bool) (*transcript, error) {
	r.mu.Lock() // over all of it: a log that can be opened is known to be live
	defer r.mu.Unlock()
	if r.live[id] != nil {
		return nil, fmt.Errorf("run %s is under way already", id)
	}
	if err := os.MkdirAll(r.Logs, 0o700); err != nil {
		return nil, err
	}
	path := r.logPath(id)
	flag := os.O_CREATE | os.O_WRONLY | os.O_APPEND
	if !goesOn {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		flag |= os.O_EXCL
	}
	open := r.openLog
	if open == nil {
		open = func(path string) (*os.File, error) {
			return os.OpenFile(path, flag, 0o600)
		}
	}
	file, err := open(path)
	if err != nil {
		return nil, err
	}
	t := &transcript{file: file, max: r.MaxLog, now: r.now}
	if t.max <= 0 {
		t.max = defaultMaxLog
	}
	if r.live == nil {
		r.live = map[string]*transcript{}
	}
	r.live[id] = t
	return t, nil
}

// finish ends the log of a run.
func (r *Runner) finish(id string, t *transcript) error {
	r.mu.Lock()
	delete(r.live, id)
	r.mu.Unlock()
	return t.close()
}

func (r *Runner) logPath(id string) string { return filepath.Join(r.Logs, id+".log") }

// Open gives a run's log as it is now: raw bytes, as the commands wrote them, control bytes and all. The caller closes it.
// The error is fs.ErrNotExist when there is no such log.
func (r *Runner) Open(id string) (*os.File, error) {
	if !safeID(id) {
		return nil, fmt.Errorf("open log of run %q: %w", id, os.ErrNotExist)
	}
	file, err := os.Open(r.logPath(id))
	if err != nil {
		return nil, fmt.Errorf("open log of run %q: %w", id, err)
	}
	return file, nil
}

// Tail gives at most the last n lines of a run's log, fit to be shown (see Verdict.Tail), also while it is written.
func (r *Runner) Tail(id string, n int) ([]string, error) {
	file, err := r.Open(id)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("read log of run %q: %w", id, err)
	}
	from := max(0, info.Size()-int64(max(tailBytes, n*1024)))
	raw, err := io.ReadAll(io.NewSectionReader(file, from, info.Size()-from))
	if err != nil {
		return nil, fmt.Errorf("read log of run %q: %w", id, err)
	}
	return lastLines(raw, from > 0, n), nil
}

// Follow writes a run's log to w, raw, as it comes, until the run is over, ctx is done or w fails. A log that this Runner is
// not writing is written to w once.
func (r *Runner) Follow(ctx context.Context, id string, w io.Writer) error {
	file, err := r.Open(id)
	if err != nil {
		return err
	}
	defer file.Close()
	r.mu.Lock()
	t := r.live[id]
	r.mu.Unlock()
	for {
		var moved <-chan struct{}
		over := true
		if t != nil {
			moved, over = t.wait() // before the copy, so that nothing written after it is slept through
		}
		if _, err := io.Copy(w, file); err != nil {
			return fmt.Errorf("follow log of run %q: %w", id, err)
		}
		if over {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// safeID reports whether id can be a file name and nothing else.
func safeID(id string) bool {
	if id == "" || len(id) > 100 || id[0] == '.' || id[0] == '-' {
		return false
	}
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
