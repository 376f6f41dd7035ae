package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"lander/internal/queue"
)

var zero time.Time

// looksAtOnce bounds the pull requests that are looked at side by side.
const looksAtOnce = 4

// pollChunk bounds what a poll looks at before it saves: adopting a repository with thousands of open pull requests takes a while,
// and is not to begin anew after a restart.
const pollChunk = 50

// deliveryGrace is how long a webhook may take before a poll that finds the change first says that it was missed.
const deliveryGrace = time.Minute

// fullSweep is after how many polls every open pull request is compared, not only those that the forge says changed.
const fullSweep = 20

// gather turns the inbox and the reports of runs into facts.
func (k *Keeper) gather(ctx context.Context) error {
	k.mu.Lock()
	reports, moved := k.reports, k.moved
	k.reports, k.moved = nil, false
	k.mu.Unlock()
	k.apply(reports...)
	k.heard = append(k.heard, reports...)
	if moved {
		if err := k.seeTrunk(ctx, nil); err != nil {
			return err
		}
	}

	items, err := k.Store.Inbox(ctx, k.Lane)
	if err != nil {
		return fmt.Errorf("read inbox of %v: %w", k.Lane, err)
	}
	want := map[queue.Number][]int64{}
	var numbers []queue.Number
	var trunk []int64
	stale := false
	for _, it := range items {
		switch {
		case k.dealt(it.ID):
		case it.Order != nil:
			k.apply(it.Order)
			k.done = append(k.done, it.ID)
		case it.Trunk:
			// Our own landings come back as hints too, one each; they tell nothing new.
			stale = stale || it.Tip == "" || it.Tip != k.q.Tip
			trunk = append(trunk, it.ID)
		case it.Number != 0:
			if want[it.Number] == nil {
				numbers = append(numbers, it.Number)
			}
			want[it.Number] = append(want[it.Number], it.ID)
		}
	}
	if stale {
		if err := k.seeTrunk(ctx, nil); err != nil {
			return err
		}
	}
	k.done = append(k.done, trunk...)
	for n, f := range k.lookErr {
		if want[n] == nil && f.due(k.Now()) {
			numbers = append(numbers, n) // asked for by a poll, which does not ask twice
		}
	}
	looked, err := k.look(ctx, numbers)
	for n, ok := range looked {
		if ok {
			k.done = append(k.done, want[n]...)
		}
	}
	return err
}

// look looks at pull requests, applies what it saw, and says which ones the forge answered for. One that cannot be looked at is
// logged and left for a later round.
func (k *Keeper) look(ctx context.Context, numbers []queue.Number) (map[queue.Number]bool, error) {
	type result struct {
		sight queue.Sight
		err   error
	}
	var due []queue.Number
	for _, n := range numbers {
		if k.lookErr[n].due(k.Now()) {
			due = append(due, n)
		}
	}
	results := make([]result, len(due))
	var g errgroup.Group
	g.SetLimit(looksAtOnce)
	for i, n := range due {
		g.Go(func() error {
			results[i].sight, results[i].err = k.Forge.Look(ctx, n)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	looked := map[queue.Number]bool{}
	var heads []queue.Member
	for i, n := range due {
		s, err := results[i].sight, results[i].err
		if errors.Is(err, ErrNoSuchChange) {
			k.apply(queue.ChangeUnseen{Number: n, At: k.Now()})
			delete(k.lookErr, n)
			looked[n] = true
			continue
		}
		if err != nil {
			k.lookFailed(n, err)
			continue
		}
		looked[n] = true
		if k.q.Entry(n) == nil && s.Open && s.Base == k.Lane.Trunk {
			if slices.ContainsFunc(k.q.Moves, func(m queue.Move) bool { return m.Recalled }) {
				if err := k.save(ctx); err != nil { // else it is not remembered yet
					return looked, err
				}
			}
			former, err := k.Store.Former(ctx, k.Lane, n)
			if err != nil {
				return looked, fmt.Errorf("recall %v: %w", n, err)
			}
			if former != nil {
				k.apply(queue.ChangeRemembered{Entry: former})
			}
		}
		k.apply(queue.ChangeSeen{Sight: s, Anew: k.lookErr[n].old >= manyOldLooks})
		if e := k.q.Entry(n); e != nil && e.SeenAt.After(s.At) {
			// Answered by a part of the forge whose clock is behind: what was seen before counts, and this look does not.
			k.lookFailed(n, errOldLook)
			looked[n] = false
		} else {
			delete(k.lookErr, n)
		}
		if e := k.q.Entry(n); e != nil && !e.Gone {
			heads = append(heads, queue.Member{Number: n, Head: e.Head})
		}
	}
	missing := k.missing(ctx, heads)
	if len(missing) == 0 {
		return looked, nil
	}
	return looked, k.seeTrunk(ctx, missing)
}

// missing are the members whose heads are not in the mirror. Mostly all are there, and one question is enough.
func (k *Keeper) missing(ctx context.Context, members []queue.Member) []queue.Member {
	heads := make([]queue.SHA, len(members))
	for i, m := range members {
		heads[i] = m.Head
	}
	if len(heads) == 0 || k.Mirror.Has(ctx, heads...) {
		return nil
	}
	if len(members) == 1 {
		return members
	}
	half := len(members) / 2
	return append(k.missing(ctx, members[:half]), k.missing(ctx, members[half:])...)
}

// manyOldLooks is after how many looks that were older than the newest one, a minute's worth, it is that one that is not believed: the
// forge's clock was ahead, and has been set right.
const manyOldLooks = 6

var errOldLook = errors.New("the forge answered with an older state than it did before")

// mostLookWait bounds how long a look is put off.
const mostLookWait = time.Minute

// lookFailed puts off the next look at a pull request, so that one that cannot be looked at does not cost every round.
func (k *Keeper) lookFailed(n queue.Number, err error) {
	f := k.lookErr[n]
	f.tries++
	if errors.Is(err, errOldLook) {
		f.old++
	}
	f.till = k.Now().Add(min(time.Second<<min(f.tries-1, 6), mostLookWait))
	k.lookErr[n] = f
	k.Log.Warn().Err(err).Int("change", int(n)).Int("tries", f.tries).Msg("look at pull request did not succeed")
}

// ErrNoSuchChange is what a Forge's Look wraps when there is no pull request of that number, or none that lander may see.
var ErrNoSuchChange = errors.New("no such pull request")

// ErrNoTrunk is what a Mirror's Fetch wraps when the git server has no branch of that name.
var ErrNoTrunk = errors.New("no such trunk")

// poll asks what is new without having been told.
func (k *Keeper) poll(ctx context.Context) error {
	if err := k.seeTrunk(ctx, nil); err != nil {
		return err
	}
	since, first := k.polled, k.polled.IsZero()
	if k.sweeps%fullSweep == 0 {
		since = zero
	}
	glimpses, err := k.Forge.Open(ctx, since)
	if err != nil {
		return fmt.Errorf("list pull requests onto %v: %w", k.Lane, err)
	}
	k.sweeps++
	listed := map[queue.Number]bool{}
	var numbers []queue.Number
	for _, g := range glimpses {
		listed[g.Number] = true
		if g.Updated.After(k.polled) {
			k.polled = g.Updated
		}
		e := k.q.Entry(g.Number)
		if e == nil && g.Open || e != nil && (e.Head != g.Head || !g.Open || !g.Updated.Before(e.SeenAt)) {
			numbers = append(numbers, g.Number)
			if late := k.Now().Sub(g.Updated); !first && late > deliveryGrace && (e == nil || e.Head == g.Head || !e.At(g.Head)) {
				k.apply(queue.DeliveryMissed{Number: g.Number, At: k.Now()})
			}
		}
	}
	if since.IsZero() {
		for _, e := range k.q.Entries {
			if !listed[e.Number] {
				numbers = append(numbers, e.Number)
			}
		}
	}
	for chunk := range slices.Chunk(numbers, pollChunk) {
		if _, err := k.look(ctx, chunk); err != nil {
			return err
		}
		if err := k.save(ctx); err != nil {
			return err
		}
	}
	return nil
}

// seeTrunk fetches trunk, and heads with it, and records where trunk stands and what policy it holds.
func (k *Keeper) seeTrunk(ctx context.Context, heads []queue.Member) error {
	tips, err := k.Mirror.Fetch(ctx, k.Lane.Trunk, heads)
	if errors.Is(err, ErrNoTrunk) {
		k.apply(queue.TrunkSeen{Gone: true, At: k.Now()})
		return nil
	}
	if err != nil {
		return fmt.Errorf("fetch %v: %w", k.Lane, err)
	}
	return k.tipsAt(ctx, tips)
}

// tipsAt records where both branches stand. The ledger comes first: what it says landed is no bypass.
func (k *Keeper) tipsAt(ctx context.Context, tips Tips) error {
	if l := k.q.Ledger; tips.Ledger != l.Tip || k.single != l.Single || l.Mend {
		ev := queue.LedgerSeen{Tip: tips.Ledger, Single: k.single, At: k.Now()}
		var err error
		if ev.Above, err = k.Ledger.Records(ctx, l.Tip, tips.Ledger); err != nil && !errors.As(err, &ev.Problem) {
			return fmt.Errorf("read ledger of %v: %w", k.Lane, err)
		}
		k.apply(ev)
	}
	return k.trunkAt(ctx, tips.Trunk)
}

// trunkAt records a tip that the git server named and that is in the mirror.
func (k *Keeper) trunkAt(ctx context.Context, tip queue.SHA) error {
	rewound := false
	if k.q.Tip != "" && tip != k.q.Tip {
		contains, err := k.Mirror.Contains(ctx, tip, k.q.Tip)
		if err != nil {
			return fmt.Errorf("compare tips of %v: %w", k.Lane, err)
		}
		rewound = !contains
	}
	k.apply(queue.TrunkSeen{Tip: tip, Rewound: rewound, At: k.Now()})
	return k.readPolicy(ctx)
}

func (k *Keeper) dealt(id int64) bool {
	for _, d := range k.done {
		if d == id {
			return true
		}
	}
	return false
}
