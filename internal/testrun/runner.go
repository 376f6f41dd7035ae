//go:build unix

package testrun

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/queue"
)

// Checkouts gives clean checkouts.
type Checkouts interface {
	// Checkout makes dir hold exactly the commit sha and nothing else, until release, which is called once, when no process
	// of the run is left.
	Checkout(ctx context.Context, sha queue.SHA) (dir string, release func(), err error)
}

// Runner runs candidates' tests. Its methods may be called at the same time. It must not be copied.
type Runner struct {
	Checkouts Checkouts // required
	Logs      string    // required: directory of the runs' logs, made when missing

	Sandbox *Sandbox // nil: the commands run as lander's own user, with all that this user has

	Caches  string           // directory of the lanes' tool caches, made when missing, see Landed; empty: each run starts with empty ones
	Scratch string           // where each run's HOME and TMPDIR are made; empty: the system's directory for temporary files
	Env     []string         // more environment for the commands: NAME (as lander has it) or NAME=VALUE
	Secrets []string         // taken out of the output, plain and as base64 and URLs write them; of fewer than 8 letters none is
	MaxLog  int64            // bytes of output kept in a log; 0: 64 MiB
	Slots   Slots            // that a run waits for one of; nil: there is no limit
	Now     func() time.Time // for the log and for what took how long, not for limits; nil: time.Now
	Log     zerolog.Logger
	Version string // of this lander, for Environment

	env         sync.Once
	environment string

	Elsewhere  Elsewhere                               // where checks are run; nil: recipes that ask for some cannot be tested
	CheckEvery time.Duration                           // between looks at checks; 0: 30 s
	Pace       func(every time.Duration) time.Duration // stretches it when the forge allows few requests more; nil: never

	nudge   chan struct{} // closes at the next Nudge; nil: nobody waits for it
	resting int           // see Resting

	mu      sync.Mutex
	live    map[string]*transcript              // logs being written, by run
	openLog func(path string) (*os.File, error) // nil: a new file
	grace   time.Duration                       // for the supervisor to kill its tree before it is killed itself; 0: usualGrace
}

// Slots bounds how many runs of all the Runners that share it are under way at a time. Who waits longest is next.
type Slots chan struct{}

// NewSlots makes room for n runs.
func NewSlots(n int) Slots { return make(Slots, n) }

// Job is one test run.
type Job struct {
	ID        string         // required: unique among runs; letters, digits, '.', '-' and '_'
	Lane      queue.Lane     // required
	Candidate queue.SHA      // required: what is tested
	Base      queue.SHA      // required: what it stands on
	Members   []queue.Number // in landing order
	Recipe    queue.Recipe   // required: as the policy at Base says
	Rerun     queue.Rerun    // what of it runs, where that is not all
	Branch    string         // of the candidate's own, to which it is pushed for checks; required where the recipe has some
	Resumed   bool           // it was elsewhere before: its log goes on where it stands
	Placed    bool           `json:"-"` // one of Slots is held for it already
}

// Limits that a recipe leaves open, and lander's own.
const (
	DefaultTimeout = 30 * time.Minute
	DefaultQuiet   = 15 * time.Minute
	DefaultStart   = time.Hour

	checkoutLimit = 10 * time.Minute
	usualGrace    = 30 * time.Second
)

// Run tests job's candidate and returns when no process of the run is left. It has no error: what hinders a run is in the
// verdict. When ctx ends before the last command does, the verdict is Cancelled. Waiting for a slot has a limit of its
// own, the recipe's Start. Its Timeout counts from the start of the first command; the checkout has a limit of its own, and is the host's fault.
func (r *Runner) Run(ctx context.Context, job Job) queue.Verdict {
	if len(job.Recipe.Checks) > 0 {
		return r.withChecks(ctx, job)
	}
	return r.suite(ctx, job, nil)
}

// suite is Run for the commands of a recipe. t is the run's log where somebody else keeps it.
func (r *Runner) suite(ctx context.Context, job Job, t *transcript) queue.Verdict {
	if !job.Placed {
		if end := r.slot(ctx, job.Recipe); end.How != "" {
			return Judge(job.Recipe, nil, end)
		}
		defer r.slotFree()
	}
	began := r.now()
	log := r.Log.With().Str("run", job.ID).Stringer("lane", job.Lane).Str("candidate", string(job.Candidate)).Logger()
	fault := func(doing string, err error) queue.Verdict {
		v := Judge(job.Recipe, nil, Ending{How: Faulted, Fault: sayFault(doing, err), Took: r.now().Sub(began)})
		log.Error().Str("reason", v.Reason).Msg("run could not start")
		return v
	}
	if !safeID(job.ID) {
		return fault("start run", errors.New("its ID cannot be a file name"))
	}
	close := func() error { return nil }
	if t == nil {
		var err error
		if t, err = r.begin(job.ID, job.Resumed); err != nil {
			return fault("make log", err)
		}
		close = func() error { return r.finish(job.ID, t) }
	}
	log.Info().Msg("run begins")
	a := &attempt{runner: r, job: job, transcript: t, log: log}
	end := a.run(ctx)
	end.Took = r.now().Sub(began)
	v := Judge(job.Recipe, a.records, end)
	v.Environment = r.Environment()
	a.endCaches(v)
	lineErr := t.line(logVerdict(v))
	if err := errors.Join(lineErr, close()); err != nil {
		// The verdict stands on what was measured; only the log of it is cut short.
		log.Error().Err(err).Msg("finish log")
	}
	log.Info().Str("outcome", string(v.Outcome)).Str("reason", v.Reason).Dur("took", v.Took).Msg("run ended")
	return v
}

// slot waits for a place to run in; slotFree gives it back. An Ending says that there is none.
func (r *Runner) slot(ctx context.Context, recipe queue.Recipe) Ending {
	if r.Slots == nil {
		return Ending{}
	}
	limit := orDefault(recipe.Start, DefaultStart)
	patience := time.NewTimer(limit)
	defer patience.Stop()
	select {
	case r.Slots <- struct{}{}:
		return Ending{}
	case <-ctx.Done():
		return Ending{How: Stopped}
	case <-patience.C:
		return Ending{How: NotBegun, Limit: limit, Most: int64(cap(r.Slots))}
	}
}

func (r *Runner) slotFree() {
	if r.Slots != nil {
		<-r.Slots
	}
}

func (r *Runner) now() time.Time {
	if r.Now != nil {
		return r.Now()
	}
	return time.Now()
}

func (r *Runner) mostOutput() int64 {
	if r.Sandbox != nil {
		return r.Sandbox.limits.Output
	}
	return usualOutput
}

func (r *Runner) killGrace() time.Duration { return orDefault(r.grace, usualGrace) }

func (r *Runner) scratchParent() string {
	if r.Scratch != "" {
		return r.Scratch
	}
	return os.TempDir()
}
