package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"lander/internal/queue"
)

// standstill is a time in which lander may not move a trunk. Both ends count the moves of that trunk: how many there had been when
// the pause had returned, and when nobody had asked to resume yet.
type standstill struct {
	lane     queue.Lane
	from, to int
}

// halt pauses a lane as an admin does, and answers with how often its trunk had moved when that has returned.
func (w *world) halt(l queue.Lane) (from int, err error) {
	w.handle(l, 1)
	if err = w.command(l, "pause", "to have a look"); err != nil {
		return 0, err
	}
	from, err = w.stands(l)
	w.note("the pause of %v has returned, after %d moves of trunk", l, from)
	return from, err
}

// goOn notes that nothing may have moved since halt, and then resumes the lane.
func (w *world) goOn(l queue.Lane, from int) error {
	to, err := w.stands(l)
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.pauses = append(w.pauses, standstill{l, from, to})
	w.mu.Unlock()
	w.note("%v is resumed, after %d moves of trunk", l, to)
	defer w.handle(l, -1)
	return w.command(l, "resume", "")
}

// handle counts the admins who have a lane in hand, and will resume it.
func (w *world) handle(l queue.Lane, more int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.handled == nil {
		w.handled = map[queue.Lane]int{}
	}
	w.handled[l] += more
	return w.handled[l]
}

// command gives an order about a lane as "lander pause" does, until some lander answers that it is carried out.
func (w *world) command(l queue.Lane, verb, reason string) error {
	why := errors.New("no lander is up")
	if until(limit, func() bool {
		for _, r := range w.alive() {
			if !r.ready() {
				continue
			}
			if why = r.command(l, verb, reason); why == nil {
				return true
			}
			w.note("%s %v: %s answers: %v", verb, l, r.name, why)
		}
		pause(50 * time.Millisecond)
		return false
	}) {
		return nil
	}
	return fmt.Errorf("%s %v: %w", verb, l, why)
}

func (r *replica) command(l queue.Lane, verb, reason string) error {
	body, err := json.Marshal(map[string]string{"by": owner, "reason": reason, "wait": "5s"})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
	defer cancel()
	r.mu.Lock()
	to := r.url + "/api/v1/" + verb + "?lane=" + url.QueryEscape(l.String())
	r.mu.Unlock()
	ask, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return err
	}
	ask.Header.Set("Authorization", "Bearer "+apiToken)
	answer, err := http.DefaultClient.Do(ask)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if text, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", answer.Status, text)
	}
	return nil
}

// stands is how often a trunk had moved until it stood where it stands now. The hook writes a move down a moment after the move.
func (w *world) stands(l queue.Lane) (n int, err error) {
	git, err := w.git(l.Repo)
	if err != nil {
		return 0, err
	}
	tip, err := git.Text(context.Background(), "rev-parse", "refs/heads/"+l.Trunk)
	if err != nil {
		return 0, err
	}
	var moves []move
	if !until(limit, func() bool {
		if moves, err = w.moves(l); err != nil {
			return true
		}
		for i, m := range slices.Backward(moves) {
			if m.new == tip {
				n = i + 1
				return true
			}
		}
		return false
	}) {
		return 0, fmt.Errorf("%s stands on %s, and no push has left it there", l.Trunk, tip)
	}
	return n, err
}

// moves are the moves of a trunk, as the hub's post-receive hook noted them.
func (w *world) moves(l queue.Lane) ([]move, error) {
	all, err := w.allMoves(l.Repo)
	return slices.DeleteFunc(all, func(m move) bool { return m.ref != "refs/heads/"+l.Trunk }), err
}

func (w *world) allMoves(repo string) (moves []move, err error) {
	git, err := w.git(repo)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(git.Dir, "post-receive.log"))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) != 5 {
			return nil, fmt.Errorf("read post-receive.log: strange line %q", line)
		}
		at, err := time.Parse(time.RFC3339, f[0])
		if err != nil {
			return nil, fmt.Errorf("read post-receive.log: %w", err)
		}
		moves = append(moves, move{at: at, who: f[1], old: f[2], new: f[3], ref: f[4]})
	}
	return moves, nil
}

// isPaused lets an admin pause the lane.
func (c *cell) isPaused(*replica, bool) bool {
	returned := c.askToPause()
	until(2*time.Second, func() bool { return len(returned) > 0 || c.ordered() })
	pause(c.random(100))
	return false
}

// isPausedLate kills the holder and lets an admin pause the lane. What was under way arrives when the pause has returned; or, the seed
// decides, when a git server that was gone is back: without it a successor can neither finish a landing nor give it up, and until it
// has, the pause must not return.
func (c *cell) isPausedLate(r *replica, _ bool) bool {
	r.proc.kill()
	if c.alone {
		if _, err := c.start(r); err != nil {
			c.breach("%v", err)
		}
	} else {
		c.struck.killed = r
	}
	patience, storm := limit, c.coin()
	if storm {
		c.note("the git server is gone")
		c.weather.set("503", "")
		patience = 2*time.Second + c.random(1500)
	}
	returned := c.askToPause()
	until(patience, func() bool { return len(returned) > 0 })
	if storm {
		c.note("the git server is back")
		c.weather.set("", "")
	}
	return false
}

func (c *cell) askToPause() <-chan error {
	returned := make(chan error, 1)
	c.struck.paused = returned
	go func() {
		var err error
		c.struck.stood, err = c.halt(c.lane)
		returned <- err
	}()
	return returned
}

// ordered reports whether the lane's inbox holds a pause.
func (c *cell) ordered() bool {
	items, err := c.store.Inbox(context.Background(), c.lane)
	return err == nil && slices.ContainsFunc(items, func(it queue.Item) bool {
		_, is := it.Order.(queue.Paused)
		return is
	})
}

// isResumed leaves the lane paused for a while, in which the seed may decide that its holder is killed, and resumes it.
func (c *cell) isResumed() error {
	if err := <-c.struck.paused; err != nil {
		return err
	}
	if c.struck.killed != nil {
		if _, err := c.start(c.struck.killed); err != nil {
			return err
		}
	}
	if holder := c.holder(c.lane); c.coin() && holder.proc.alive() {
		c.note("the holder is killed while the lane is paused")
		holder.proc.kill()
		if _, err := c.start(holder); err != nil {
			return err
		}
	}
	pause(someTime + c.random(600))
	return c.goOn(c.lane, c.struck.stood)
}
