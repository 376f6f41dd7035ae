package vcs

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"lander/internal/queue"
)

// Parcel is a commit for a mirror elsewhere that can fetch trunk and nothing else.
type Parcel struct {
	Commit queue.SHA // required
	Tip    queue.SHA // of trunk, which the pack builds on; required
	Pack   []byte    // thin: what Commit has and Tip has not
}

// MostParcel bounds a pack, in bytes. It is held in memory, and in a row of the database.
const MostParcel = 64 << 20

// ErrTooLarge says that a commit differs from trunk by more than a parcel may hold.
var ErrTooLarge = errors.New("larger than a parcel may be")

// Pack makes a parcel of a commit, on trunk's tip as the mirror last saw it. One that is larger than most is ErrTooLarge; 0: MostParcel.
func (r *Repo) Pack(ctx context.Context, trunk string, commit queue.SHA, most int64) (Parcel, error) {
	if err := full(commit); err != nil {
		return Parcel{}, fmt.Errorf("pack: %w", err)
	}
	at, err := r.refs(ctx, trunkRef(trunk))
	if err != nil {
		return Parcel{}, fmt.Errorf("pack %s: %w", commit.Short(), err)
	}
	tip := at[trunkRef(trunk)]
	if tip == "" {
		return Parcel{}, fmt.Errorf("pack %s: trunk %s: %w", commit.Short(), trunk, ErrNoBranch)
	}
	if most <= 0 {
		most = MostParcel
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	out := &room{left: most, full: func() { cancel(ErrTooLarge) }}
	wanted := strings.NewReader(string(commit) + "\n^" + string(tip) + "\n")
	if err := r.git().Stream(ctx, wanted, out, "pack-objects", "--quiet", "--thin", "--revs", "--delta-base-offset", "--stdout"); err != nil {
		return Parcel{}, fmt.Errorf("pack %s: %w", commit.Short(), err)
	}
	return Parcel{Commit: commit, Tip: tip, Pack: out.kept}, nil
}

// room keeps what is written to it, up to a bound.
type room struct {
	kept []byte
	left int64
	full func()
}

func (w *room) Write(p []byte) (int, error) {
	if w.left -= int64(len(p)); w.left < 0 {
		w.full()
		return 0, ErrTooLarge
	}
	w.kept = append(w.kept, p...)
	return len(p), nil
}
