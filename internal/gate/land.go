package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"lander/internal/queue"
)

// land saves the intent and carries it out. What was begun by somebody else, or before a crash, is resolved first.
func (k *Keeper) land(ctx context.Context, c *queue.Candidate) error {
	if c.State == queue.CandidateLanding {
		return k.resolve(ctx, c, nil)
	}
	if k.looked != c.ID { // whoever did is gone, and with it what the forge said of the branches
		return k.confirm(ctx, queue.Confirm{Candidate: c})
	}
	statement, intent := k.q.Plead(c, k.Now(), k.headsMayMove())
	intent.Heads = slices.DeleteFunc(intent.Heads, func(m queue.HeadMove) bool { return !slices.Contains(k.moves, m) })
	var err error
	if intent.Record, err = k.Ledger.Seal(ctx, intent.Ledger, statement); err != nil {
		return fmt.Errorf("seal record: %w", err)
	}
	k.apply(queue.LandingBegun{ID: c.ID, Intent: intent, Policy: k.policy, At: k.Now()})
	if err := k.save(ctx); err != nil {
		return err
	}
	if c = k.q.Candidate(c.ID); c == nil || c.State != queue.CandidateLanding {
		return nil
	}
	if !k.moveHeads(ctx, c) {
		return k.resolve(ctx, c, nil)
	}
	if err := k.push(ctx, c); err != nil {
		return k.resolve(ctx, c, err)
	}
	return k.landed(ctx, c)
}

// headsMayMove is the policy, without the wish to move heads where this lander cannot.
func (k *Keeper) headsMayMove() queue.Policy {
	p := k.policy
	p.ShowMerged = p.ShowMerged && k.MoveHead != nil
	return p
}

// movable gives the branches that nobody else counts on, as far as the forge answers.
func (k *Keeper) movable(ctx context.Context, moves []queue.HeadMove) []queue.HeadMove {
	if k.MayMove == nil {
		return moves
	}
	may := make([]bool, len(moves))
	var g errgroup.Group
	g.SetLimit(headsAtOnce)
	for i, m := range moves {
		g.Go(func() error {
			err := k.MayMove(ctx, m)
			if may[i] = err == nil; err != nil {
				k.Log.Warn().Err(err).Int("change", int(m.Number)).Str("branch", m.Branch).Msg("pull request will show as closed, not as merged")
			}
			return nil
		})
	}
	_ = g.Wait() // each has an answer of its own
	var left []queue.HeadMove
	for i, m := range moves {
		if may[i] {
			left = append(left, m)
		}
	}
	return left
}

func (k *Keeper) push(ctx context.Context, c *queue.Candidate) error {
	if err := k.Ledger.Plant(ctx, c.Intent.Record); err != nil {
		return fmt.Errorf("plant record: %w", err)
	}
	err := k.Push(ctx, queue.LandRequest{
		Trunk: k.Lane.Trunk, Old: c.Base, New: c.Built.SHA, Ledger: c.Intent.Ledger, Record: c.Intent.Record.SHA, Single: k.q.Ledger.Single,
	})
	if err != nil {
		k.pushErr = err
		k.pushes++
	}
	return err
}

// mostRounds bounds how often an intent is read in one go, so that a git server that never says the same twice is told of and not
// asked for ever.
const mostRounds = 20

// mostPushes is how often one intent's push is tried.
const mostPushes = 10

// halfSeenWait is how long an atomic push that shows on one branch only is given to show on the other.
const halfSeenWait = 200 * time.Millisecond

// resolve brings an intent to its end. pushErr is what the push of this very call said; nil: there was none.
func (k *Keeper) resolve(ctx context.Context, c *queue.Candidate, pushErr error) error {
	pushed, denied := pushErr != nil, deniedWords(pushErr)
	halfSeen := 0
	for range mostRounds {
		r, err := k.read(ctx, c)
		if err != nil {
			return errors.Join(pushErr, err)
		}
		r.Tries = halfSeen
		what := k.q.Resolve(c.ID, r, k.Now(), k.policy)
		k.Log.Info().Int64("candidate", int64(c.ID)).Str("ledger", r.Ledger.Short()).Str("trunk", r.Trunk.Short()).Str("so", string(what)).
			AnErr("push", pushErr).Msg("an open landing was read back")
		if what == queue.ResolvePush && (denied != "" || k.pushes > mostPushes || !k.Mirror.Has(ctx, c.Built.SHA)) {
			what = queue.ResolveBurn // it was refused for good, or this machine does not have what was to be pushed
		}
		switch what {
		case queue.ResolveNothing:
			return nil
		case queue.ResolveLanded:
			return k.landedAs(ctx, c, r)
		case queue.ResolveAborted:
			return k.undone(ctx, c, r, denied)
		case queue.ResolvePush:
			if pushed {
				return pushErr // the loop comes back to it, later and later
			}
			if pushed = true; !k.moveHeads(ctx, c) {
				continue
			}
			if pushErr = k.push(ctx, c); pushErr == nil {
				return k.landed(ctx, c)
			}
			denied = deniedWords(pushErr)
		case queue.ResolveBurn:
			done, err := k.burn(ctx, c, r)
			if err != nil {
				return errors.Join(pushErr, err)
			}
			if done {
				return nil
			}
		case queue.ResolveRead:
			halfSeen++
			if err := sleep(ctx, halfSeenWait); err != nil {
				return err
			}
		case queue.ResolveStop:
			k.apply(queue.LedgerSeen{Tip: r.Ledger, Above: r.Above, Single: k.single, Problem: r.Problem, At: k.Now()})
			return nil
		}
	}
	return errors.Join(pushErr, fmt.Errorf("land %s: the git server was read %d times and never showed an end", c.Built.SHA.Short(), mostRounds))
}

// read fetches the ledger and trunk as they are since the intent.
func (k *Keeper) read(ctx context.Context, c *queue.Candidate) (queue.Reading, error) {
	tips, err := k.Mirror.Fetch(ctx, k.Lane.Trunk, nil)
	if errors.Is(err, ErrNoTrunk) {
		k.apply(queue.TrunkSeen{Gone: true, At: k.Now()})
	}
	if err != nil {
		return queue.Reading{}, fmt.Errorf("read back %v: %w", k.Lane, err)
	}
	r := queue.Reading{Ledger: tips.Ledger, Trunk: tips.Trunk}
	if r.Above, err = k.Ledger.Records(ctx, c.Intent.Ledger, tips.Ledger); err != nil && !errors.As(err, &r.Problem) {
		return r, fmt.Errorf("read back ledger of %v: %w", k.Lane, err)
	}
	if r.Contains, err = k.Mirror.Contains(ctx, tips.Trunk, c.Built.SHA); err != nil {
		return r, fmt.Errorf("read back %v: %w", k.Lane, err)
	}
	return r, nil
}

// burn makes an intent impossible: it puts another record where the intent's own would have to stand. Whoever is first wins; who won,
// the next reading shows. done says that it cannot be had now, and that the lane waits.
func (k *Keeper) burn(ctx context.Context, c *queue.Candidate, r queue.Reading) (done bool, err error) {
	record, err := k.Ledger.Seal(ctx, r.Ledger, k.q.Abort(c, r, k.Now()))
	if err != nil {
		return false, fmt.Errorf("seal record: %w", err)
	}
	err = k.Ledger.Append(ctx, k.Lane.Trunk, r.Ledger, record.SHA)
	var denied *queue.DeniedError
	switch {
	case err == nil, errors.Is(err, queue.ErrMoved):
		return false, nil
	case errors.As(err, &denied):
		k.apply(queue.LandingHindered{ID: c.ID, Reason: sayHindered(k.Lane, denied.Output), At: k.Now()})
		return true, nil
	}
	return false, fmt.Errorf("burn %s: %w", c.Built.SHA.Short(), err)
}

// landed is the ordinary end: the push was accepted and read back.
func (k *Keeper) landed(ctx context.Context, c *queue.Candidate) error {
	before := k.q.Ledger.Tip
	k.apply(queue.LandingDone{ID: c.ID, At: k.Now()})
	k.pushErr, k.pushes = nil, 0
	k.audit(ctx, before)
	if k.Landed != nil {
		tested := c.Built.SHA
		if c.Apart != nil && c.Apart.Tested != "" {
			tested = c.Apart.Tested
		}
		k.busy.Add(1)
		k.runs.Go(func() {
			defer k.busy.Add(-1)
			k.Landed(tested)
		})
	}
	return k.readPolicy(ctx)
}

// landedAs is the end of a landing that was only found out: more may have happened since.
func (k *Keeper) landedAs(ctx context.Context, c *queue.Candidate, r queue.Reading) error {
	if err := k.landed(ctx, c); err != nil {
		return err
	}
	return k.tipsAt(ctx, Tips{Trunk: r.Trunk, Ledger: r.Ledger})
}

func (k *Keeper) undone(ctx context.Context, c *queue.Candidate, r queue.Reading, denied string) error {
	failed := ""
	if denied = cmp.Or(denied, deniedWords(k.pushErr)); denied == "" && k.pushErr != nil && r.Trunk == c.Base {
		failed = k.pushErr.Error()
	}
	k.apply(queue.LandingUndone{ID: c.ID, Denied: denied, Failed: failed, At: k.Now()})
	k.pushErr, k.pushes = nil, 0
	if !k.Mirror.Has(ctx, c.Built.SHA) {
		k.apply(queue.Abandoned{ID: c.ID, Reason: sayForgotten(), At: k.Now()})
	}
	return k.tipsAt(ctx, Tips{Trunk: r.Trunk, Ledger: r.Ledger})
}

// moveHeads moves the branches of the members to what lands from them, and waits until the forge knows. Whatever does not come about
// costs no more than the word "merged". false: somebody pushed to one of them just now, so that the landing is to be thought over.
func (k *Keeper) moveHeads(ctx context.Context, c *queue.Candidate) bool {
	if len(c.Intent.Heads) == 0 || k.MoveHead == nil {
		return true
	}
	errs := k.pushHeads(ctx, c.Intent.Heads)
	var g errgroup.Group
	g.SetLimit(headsAtOnce)
	for i, m := range c.Intent.Heads {
		if errs[i] == nil {
			g.Go(func() error {
				errs[i] = k.AwaitHead(ctx, m.Number, m.To)
				return nil
			})
		}
	}
	_ = g.Wait() // each has an error of its own
	var pushed []queue.Number
	for i, m := range c.Intent.Heads {
		if errors.Is(errs[i], queue.ErrMoved) {
			pushed = append(pushed, m.Number)
		}
		if errs[i] != nil {
			k.Log.Warn().Err(errs[i]).Int("change", int(m.Number)).Str("branch", m.Branch).Msg("pull request will show as closed, not as merged")
		}
	}
	if len(pushed) == 0 {
		return true
	}
	if _, err := k.look(ctx, pushed); err != nil {
		k.Log.Warn().Err(err).Msg("look at a branch that was pushed to did not succeed")
	}
	return !slices.ContainsFunc(c.Members, func(m queue.Member) bool {
		e := k.q.Entry(m.Number)
		return e == nil || e.Head != m.Head
	})
}

// headsAtOnce bounds the branches that the forge is asked about, and those that are pushed to, side by side.
const headsAtOnce = 16

// pushHeads moves branches, and says of each what became of it.
func (k *Keeper) pushHeads(ctx context.Context, moves []queue.HeadMove) []error {
	if len(moves) > 1 && k.MoveHeads != nil {
		return k.MoveHeads(ctx, moves)
	}
	errs := make([]error, len(moves))
	var g errgroup.Group
	g.SetLimit(headsAtOnce)
	for i, m := range moves {
		g.Go(func() error {
			errs[i] = k.MoveHead(ctx, m)
			return nil
		})
	}
	_ = g.Wait() // each has an error of its own
	return errs
}

// putBack moves a branch back to the head that was approved. What does not come about is tried again when the change is seen again.
func (k *Keeper) putBack(ctx context.Context, m queue.HeadMove) {
	back := queue.HeadPutBack{Number: m.Number, From: m.From, At: k.Now()}
	if k.MoveHead == nil {
		back.Problem = sayNoHeadMoves()
	} else if err := k.MoveHead(ctx, m); err != nil {
		back.Problem = err.Error()
	}
	k.apply(back)
}

// adopt begins the ledger. When somebody else was first, theirs is read.
func (k *Keeper) adopt(ctx context.Context, a queue.Adopt) error {
	if err := k.ask(ctx); err != nil || k.unasked {
		return err
	}
	record, err := k.Ledger.Seal(ctx, "", a.Statement)
	if err != nil {
		return fmt.Errorf("seal record: %w", err)
	}
	err = k.Ledger.Append(ctx, k.Lane.Trunk, "", record.SHA)
	var denied *queue.DeniedError
	switch {
	case errors.As(err, &denied):
		k.apply(queue.LedgerDenied{Reason: denied.Output, At: k.Now()})
		return nil
	case err != nil && !errors.Is(err, queue.ErrMoved):
		return fmt.Errorf("begin ledger of %v: %w", k.Lane, err)
	}
	return k.seeTrunk(ctx, nil)
}

// mend puts records back that an admin agreed are missing.
func (k *Keeper) mend(ctx context.Context, a queue.Mend) error {
	var err error
	if a.Tip != "" {
		err = k.Ledger.Restore(ctx, k.Lane.Trunk, a.Tip)
	}
	var denied *queue.DeniedError
	var problem *queue.LedgerError
	switch {
	case errors.As(err, &denied):
		k.apply(queue.LedgerDenied{Reason: denied.Output, At: k.Now()})
		return nil
	case errors.As(err, &problem):
		problem.Missing = false // it is more than missing, and resuming again does not help
		k.apply(queue.LedgerSeen{Single: k.single, Problem: problem, At: k.Now()})
		return nil
	case err != nil && !errors.Is(err, queue.ErrMoved):
		return fmt.Errorf("put ledger of %v back: %w", k.Lane, err)
	}
	k.apply(queue.LedgerMended{At: k.Now()})
	return k.seeTrunk(ctx, nil)
}

func deniedWords(err error) string {
	var denied *queue.DeniedError
	if errors.As(err, &denied) {
		return denied.Output
	}
	return ""
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
