package serve

import (
	"context"
	"slices"

	"lander/internal/gate"
	"lander/internal/queue"
	"lander/internal/verify"
)

// audit proves what landed with code that shares nothing with what landed it. Bypasses and rewinds are told of when they are seen,
// and stop nothing here; and a commit that only looks like lander's is one of the two, for instance one of another lane.
func (r *Rooms) audit(repo *repository, l queue.Lane) func(context.Context, queue.SHA, gate.Tips) ([]string, error) {
	return func(ctx context.Context, since queue.SHA, tips gate.Tips) ([]string, error) {
		report, err := verify.Run(ctx, verify.Options{
			Dir: repo.mirror.Dir, Trunk: l.Trunk, Tip: string(tips.Trunk), Ledger: string(tips.Ledger), Lane: l.String(), Since: string(since),
			Signers: r.Settings.AllowedSigners, Committer: r.Settings.Committer.String(), Scratch: repo.audits,
		})
		if err != nil {
			return nil, err
		}
		var breaches []string
		for _, f := range report.Findings {
			if f.Breach && f.Kind != verify.Missing {
				breaches = append(breaches, f.Text)
			}
		}
		if len(breaches) == 0 {
			return nil, nil
		}
		known, err := r.Store.Breaches(ctx, l)
		if err != nil {
			return nil, err
		}
		return slices.DeleteFunc(breaches, func(text string) bool { return slices.Contains(known, text) }), nil
	}
}
