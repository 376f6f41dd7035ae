package gate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/queue"
)

// Keeper keeps one lane. At most one Keeper of a lane acts at a time; Hold sees to that.
type Keeper struct {
	Lane    queue.Lane // required
	Store   Store      // required
	Outbox  Outbox     // required
	Mirror  Mirror     // required
	Builder Builder    // required
	Ledger  Ledger     // required
	Forge   Forge      // required

	// Push moves trunk and the ledger, and answers nil only after it has read both back. It is called only while an intent to land
	// is saved. queue.ErrMoved and *queue.DeniedError say that nothing was moved; after any other error it may have been.
	Push func(ctx context.Context, r queue.LandRequest) error // required
	// MoveHead moves the branch of a pull request; nil: none is ever moved. Errors are as those of Push.
	MoveHead func(ctx context.Context, m queue.HeadMove) error
	// MoveHeads does the same for several branches, with an answer for each; nil: they are moved by MoveHead.
	MoveHeads func(ctx context.Context, moves []queue.HeadMove) []error
	// MayMove says why a branch is not to be moved. It is asked beside the last look before each landing; nil: each may be.
	MayMove func(ctx context.Context, m queue.HeadMove) error
	// AwaitHead waits until the forge shows a pull request at a head, as long as that may take; required with MoveHead.
	AwaitHead func(ctx context.Context, n queue.Number, head queue.SHA) error
	// Atomic asks whether the git server can move two branches at once; nil: it can.
	Atomic func(ctx context.Context) (bool, error)
	// Audit proves from git alone what landed since a record of the ledger (empty: since the beginning) up to tips. It answers with
	// one sentence for each breach that the lane's journal does not have yet: what stands there an admin has been told of, and it is
	// in a history that nobody can change. nil: nothing is audited.
	Audit func(ctx context.Context, since queue.SHA, tips Tips) (breaches []string, err error)
	// Landed is told, beside everything else, of the commit whose run proved what this keeper has just landed: nothing is in it any more
	// that is not on trunk. nil: nobody asks.
	Landed func(tested queue.SHA)
	// Test runs a candidate's recipe to its end. What it is given is the candidate as this run sees it: by the recipe that is to be run
	// now, which may be a part, on trunk, and with the members of all that it stands on; of a step that runs again, only some tests.
	Test func(ctx context.Context, c *queue.Candidate, run int, again queue.Rerun) queue.Verdict // required
	// ReadPolicy reads the text of a policy file.
	ReadPolicy func(text []byte) (queue.Policy, error) // required
	// Touched says which areas a head touches that is to land on tip; required.
	Touched func(ctx context.Context, rules queue.AreaRules, tip, head queue.SHA) (queue.Areas, error)
	// Unneeded says which steps of a recipe need not run for a commit that would follow base on trunk; nil: all of every recipe do. What it
	// cannot say, runs.
	Unneeded func(ctx context.Context, r queue.Recipe, base, sha queue.SHA) (queue.Unneeded, error)
	// Policy is the text of the policy where trunk has no policy file; nil: nothing lands there.
	Policy []byte
	// Hopeless reports whether an error of Forge.Tell will never pass; nil: every one may.
	Hopeless func(error) bool
	// Hold waits until this process is the lane's only keeper. lost closes when it no longer is.
	Hold func(ctx context.Context) (release func(), lost <-chan struct{}, err error) // required by Run
	// Prepare makes what the lane needs on this machine, once it is held; what cannot be made lets another lander have it. nil: nothing.
	Prepare func(ctx context.Context) error
	// Diagnose says what an operator has to mend when err keeps the lane from going on; empty, or nil: not known.
	Diagnose func(ctx context.Context, err error) string

	// Workers is how many runs there is room for at the moment, here and elsewhere, by what the policy asks of a worker. nil: as many as
	// the policy says.
	Workers func(p queue.Policy) int
	// Starved says, as a sentence for the operator, what runs that are under way wait for that will not come by itself. nil: nothing.
	Starved func() string

	Now   func() time.Time // nil: time.Now
	Every time.Duration    // between polls; 0: 30 s
	// Pace stretches the time between polls when the forge allows few requests more; nil: never.
	Pace func(every time.Duration) time.Duration
	Log  zerolog.Logger

	once  sync.Once
	nudge chan struct{}

	// Owned by the goroutine that settles.
	q       queue.Queue // as applied
	saved   queue.Queue // as stored
	policy  queue.Policy
	readAt  queue.SHA     // the tip that policy was read at
	dirty   bool          // policy differs from what is stored
	single  bool          // the git server cannot move two branches at once
	unasked bool          // whether it can is not known
	done    []int64       // inbox items dealt with since the last save
	heard   []queue.Event // reports of runs applied since the last save
	loaded  bool
	polled  time.Time         // forge's clock up to which the last poll saw; zero: never
	looked  queue.CandidateID // confirmed by this keeper
	moves   []queue.HeadMove  // of it, that the forge had nothing against
	pollErr error             // how the last poll ended
	spell   spell             // in which the lane cannot go on
	pushErr error             // how the push of the open intent ended when it was last tried
	pushes  int               // that of it ended in an error
	sweeps  int
	lookErr map[queue.Number]failure

	mu       sync.Mutex
	reports  []queue.Event
	breaches map[string]bool // that an audit has told, whether saved or not
	proof    failure         // of auditing everything; till is when it is next due
	moved    bool            // trunk was seen somewhere else than where the candidate under test stands
	running  map[run]context.CancelCauseFunc
	runs     sync.WaitGroup
	busy     atomic.Int32
	post     chan struct{} // something is in the outbox
}

// run is one test run of this process.
type run struct {
	candidate queue.CandidateID
	number    int
}

// failure is when a look failed and how often.
type failure struct {
	tries int
	old   int // of them, looks that were older than one before
	till  time.Time
}

// due also where this machine's clock was set back meanwhile.
func (f failure) due(now time.Time) bool {
	return !now.Before(f.till) || f.till.Sub(now) > mostLookWait
}

// Run keeps the lane until ctx ends: waits to be its only keeper, settles, and settles again at every nudge and every poll. A
// failure is logged and tried again; Run returns only the error of ctx.
func (k *Keeper) Run(ctx context.Context) error {
	k.init()
	for tries := 0; ; {
		began := k.Now()
		err := k.held(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if tries++; k.Now().Sub(began) > time.Minute {
			tries = 1
		}
		wait := min(time.Second<<min(tries, 6), 30*time.Second)
		k.Log.Warn().Err(err).Dur("wait", wait).Msg("lane let go, taking it again")
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// Nudge says "look again". It never blocks and carries no data; a lost one costs time only.
func (k *Keeper) Nudge() {
	k.init()
	select {
	case k.nudge <- struct{}{}:
	default:
	}
}

func (k *Keeper) init() {
	k.once.Do(func() {
		k.nudge = make(chan struct{}, 1)
		k.post = make(chan struct{}, 1)
		k.running = map[run]context.CancelCauseFunc{}
		k.breaches = map[string]bool{}
		k.lookErr = map[queue.Number]failure{}
		now := k.Now
		if now == nil {
			now = time.Now
		}
		// As fine as the database keeps it, so that what is in memory equals what a load would give.
		k.Now = func() time.Time { return now().UTC().Truncate(time.Microsecond) }
		if k.Every <= 0 {
			k.Every = 30 * time.Second
		}
	})
}

// held keeps the lane for as long as it is ours.
func (k *Keeper) held(ctx context.Context) error {
	release, lost, err := k.Hold(ctx)
	if err != nil {
		return fmt.Errorf("hold lane %v: %w", k.Lane, err)
	}
	defer release()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(ctx, k.cancelRuns)
	defer stop()
	go func() {
		select {
		case <-lost:
			cancel(errLost)
		case <-ctx.Done():
		}
	}()
	if k.Prepare != nil {
		if err := k.Prepare(ctx); err != nil {
			k.loaded = false
			if k.hindered(ctx, err); ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if _, told := k.Flush(ctx); told != nil {
				k.Log.Warn().Err(told).Msg("post did not go out")
			}
			return err
		}
	}
	k.Log.Info().Msg("keeping the lane")

	var post sync.WaitGroup
	post.Go(func() { k.postman(ctx) })
	defer post.Wait()
	defer k.runs.Wait()
	defer k.cancelRuns()
	defer cancel(nil)
	k.loaded = false
	k.pushErr, k.pushes, k.looked = nil, 0, 0
	return k.loop(ctx)
}

var errLost = errors.New("the lane's lock was lost")

// loop settles at every nudge, poll and wake-up until ctx ends or the lane was saved by somebody else.
func (k *Keeper) loop(ctx context.Context) error {
	var polled time.Time
	for tries := 0; ; {
		every := k.Every
		if k.Pace != nil {
			every = k.Pace(every)
		}
		// A clock that was set back must not put the next poll off until it has caught up.
		poll := polled.IsZero() || k.Now().Before(polled) || !k.Now().Before(polled.Add(every))
		if poll {
			polled = k.Now()
		}
		err := k.settle(ctx, poll)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if errors.Is(err, queue.ErrStale) {
			return err
		}
		k.weigh(ctx, err, poll)
		k.auditAll(ctx)
		wait := max(polled.Add(every).Sub(k.Now()), 0)
		for _, f := range k.lookErr {
			wait = min(wait, max(f.till.Sub(k.Now()), 0))
		}
		if wake := k.q.Wake(k.Now()); !wake.IsZero() {
			wait = min(wait, max(wake.Sub(k.Now()), 0))
		}
		if err != nil {
			tries++
			wait = min(wait, time.Second<<min(tries-1, 5))
			k.Log.Error().Str(zerolog.ErrorFieldName, once(err)).Dur("again_in", wait).Msg("lane cannot go on, trying again")
		} else {
			tries = 0
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-k.nudge:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (k *Keeper) cancelRuns() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, cancel := range k.running {
		cancel(nil)
	}
}
