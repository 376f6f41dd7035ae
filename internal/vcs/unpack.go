package vcs

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"lander/internal/queue"
)

// errandRefs are what keeps unpacked commits from being collected.
const errandRefs = "refs/lander/errands/"

// Unpack brings a parcel's commit here, and keeps it until release is called. name tells it apart from all others that are here. Of the
// remote only trunk is asked for, and only where the tip that the parcel builds on is not here yet. What is in the pack is checked as
// what a fetch brings: an object that is broken, or that speaks of one that is not there, and a pack that does not lead to the commit
// are errors.
func (r *Repo) Unpack(ctx context.Context, name, trunk string, p Parcel) (release func(), err error) {
	if _, err := branchRef(name); err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	if err := full(p.Commit, p.Tip); err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	if len(p.Pack) > MostParcel {
		return nil, fmt.Errorf("unpack %s: %w", p.Commit.Short(), ErrTooLarge)
	}
	if err := r.unpack(ctx, errandRefs+name, trunk, p); err != nil {
		return nil, fmt.Errorf("unpack %s: %w", p.Commit.Short(), err)
	}
	return func() {
		// A ref that stays costs some disk, until Forget.
		_ = r.git().Run(context.WithoutCancel(ctx), "update-ref", "-d", errandRefs+name)
	}, nil
}

func (r *Repo) unpack(ctx context.Context, ref, trunk string, p Parcel) error {
	if err := r.bringTip(ctx, trunk, p.Tip); err != nil {
		return err
	}
	var tolerated []string
	for _, id := range fsckTolerated {
		tolerated = append(tolerated, id+"=ignore")
	}
	err := r.git().Stream(ctx, bytes.NewReader(p.Pack), nil, "index-pack", "--stdin", "--fix-thin", "--strict="+strings.Join(tolerated, ","))
	if err != nil {
		return err
	}
	// A pack that is sound may still be another one than was asked for.
	if !r.Has(ctx, p.Commit) {
		return fmt.Errorf("the pack does not hold it: %w", ErrNotFound)
	}
	if err := r.git().Run(ctx, "rev-list", "--objects", "--quiet", string(p.Commit), "^"+string(p.Tip)); err != nil {
		return err
	}
	return r.git().Run(ctx, "update-ref", ref, string(p.Commit))
}

// bringTip makes sure that a commit of trunk is here.
func (r *Repo) bringTip(ctx context.Context, trunk string, tip queue.SHA) error {
	branch, err := branchRef(trunk)
	if err != nil {
		return err
	}
	r.fetching.Lock()
	defer r.fetching.Unlock()
	if r.Has(ctx, tip) {
		return nil
	}
	if err := r.fetch(ctx, "+"+branch+":"+trunkRef(trunk)); err != nil {
		return err
	}
	if !r.Has(ctx, tip) { // trunk was rewound meanwhile
		return fmt.Errorf("%s: %w", sayNoTip(trunk, tip.Short()), ErrNotFound)
	}
	return nil
}

// Forget gives up whatever Unpack keeps, for a process that starts after one that was killed.
func (r *Repo) Forget(ctx context.Context) error {
	kept, err := r.refs(ctx, strings.TrimSuffix(errandRefs, "/"))
	if err != nil {
		return fmt.Errorf("forget parcels: %w", err)
	}
	var orders bytes.Buffer
	for ref := range kept {
		fmt.Fprintf(&orders, "delete %s\x00\x00", ref)
	}
	if orders.Len() == 0 {
		return nil
	}
	if _, err := r.git().Output(ctx, orders.Bytes(), "update-ref", "-z", "--stdin"); err != nil {
		return fmt.Errorf("forget parcels: %w", err)
	}
	return nil
}
