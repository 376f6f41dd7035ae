package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lander/internal/queue"
)

// unsettled says what is still to happen.
func (w *world) unsettled(l queue.Lane) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	q, policy, err := w.store.View(ctx, l)
	if err != nil {
		return err
	}
	if q.Stop != nil {
		if err := w.excuse(ctx, q); err != nil {
			return err
		}
		// An admin looks at it, and lets it go on.
		_, err := w.store.Post(ctx, l, queue.Resumed{By: owner, At: time.Now().UTC()})
		if err != nil {
			return err
		}
		w.note("stopped, and resumed: %s", q.Stop.Reason)
		pause(100 * time.Millisecond)
		return fmt.Errorf("the lane is stopped: %s", q.Stop.Reason)
	}
	if q.Pause != nil {
		if w.handle(l, 0) > 0 {
			return errors.New("the lane is paused")
		}
		// An order of a lander that was killed came in after all, and the admin takes it back once more.
		return errors.Join(errors.New("the lane was paused late"), w.command(l, "resume", ""))
	}
	tip, err := w.hub.Tip(l.Repo, l.Trunk)
	switch {
	case err != nil:
		return err
	case string(q.Tip) != tip:
		return fmt.Errorf("trunk is at %s and known at %s", tip, q.Tip)
	case len(q.Candidates) > 0:
		return fmt.Errorf("candidate %d is %s", q.Candidates[0].ID, q.Candidates[0].State)
	case q.Trouble != nil:
		return fmt.Errorf("there is trouble: %s", q.Trouble.Reason)
	}
	pulls, err := w.hub.Pulls(l.Repo)
	if err != nil {
		return err
	}
	for _, p := range pulls {
		if p.Base != l.Trunk {
			continue
		}
		e, err := w.entry(ctx, q, queue.Number(p.Number))
		switch {
		case err != nil:
			return err
		case e == nil:
			return fmt.Errorf("#%d is not known", p.Number)
		case e.State == queue.Queued, e.State == queue.Idle && !w.mayRest(l, e.Number):
			text := ""
			for _, r := range q.Why(e.Number, time.Now(), policy) {
				text += "; " + r.Text
			}
			return fmt.Errorf("#%d is %s%s", p.Number, e.State, text)
		case e.State == queue.Landed && p.Open:
			return fmt.Errorf("#%d has landed and is open", p.Number)
		}
	}
	items, err := w.store.Inbox(ctx, l)
	if err != nil {
		return err
	}
	if len(items) > 0 {
		return fmt.Errorf("the inbox holds %d", len(items))
	}
	left, err := w.store.Unsent(ctx, l, time.Now().Add(10000*time.Hour), 100)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("%d are untold, first %s, tried %d times", len(left), left[0].Notice.Key, left[0].Tries)
	}
	return nil
}

// entry is what the database has of a pull request, also when it has left.
func (w *world) entry(ctx context.Context, q queue.Queue, n queue.Number) (*queue.Entry, error) {
	if e := q.Entry(n); e != nil {
		return e, nil
	}
	return w.store.Former(ctx, q.Lane, n)
}
