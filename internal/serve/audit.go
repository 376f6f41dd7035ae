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
func (r *Rooms) audit(repo *repository, l queue.Lane) func(context.Context, queue.SHA, gate.Tips) (string, error) {
	return func(ctx context.Context, since queue.SHA, tips gate.Tips) (string, error) {
		report, err := verify.Run(ctx, verify.Options{
			Dir: repo.mirror.Dir, Trunk: l.Trunk, Tip: string(tips.Trunk), Ledger: string(tips.Ledger), Lane: l.String(), Since: string(since),
			Signers: r.Settings.AllowedSigners,
		})
		if err != nil {
			return "", err
		}
		i := slices.IndexFunc(report.Findings, func(f verify.Finding) bool { return f.Breach && f.Kind != verify.Missing })
		if i < 0 {
			return "", nil
		}
		return sayBreach(l, report.Findings[i].Text, report.Breaches), nil
	}
}
