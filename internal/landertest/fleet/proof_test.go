package fleet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"lander/internal/queue"
	"lander/internal/verify"
)

// alarms: lander stopped the lane for nothing but what a person did to trunk.
func (o *oracle) alarms() {
	rewound := 0
	for _, r := range o.journal {
		switch r.Kind {
		case queue.RecordBreach, "ledger", "trunk gone":
			o.complain("lander raised the alarm: %s: %s", r.Kind, r.Text)
		case "rewound":
			rewound++
		}
	}
	if most := len(o.rewinds()); rewound > most {
		o.complain("lander saw %d rewinds, and people made %d", rewound, most)
	}
}

// standstills: lander moved no trunk between the return of a pause and the next resume.
func (o *oracle) standstills() {
	trunk := o.onTrunk()
	for _, p := range o.world.pauses {
		if p.lane != o.lane {
			continue
		}
		for _, m := range trunk[p.from:p.to] {
			if m.who == bot {
				o.complain("lander moved trunk to %s, while the lane was paused", m.new)
			}
		}
	}
}

// verified: what everybody can prove from the repository alone agrees with its post-receive log.
func (o *oracle) verified() {
	report, err := verify.Run(context.Background(), verify.Options{
		Dir: o.git.Dir, Trunk: o.lane.Trunk, Lane: o.lane.String(), Committer: committerName + " <" + committerEmail + ">",
	})
	if err != nil {
		o.complain("cannot be verified: %v", err)
		return
	}
	o.reported(report)
}

// reported: verify counts lander's landings, finds what people did past lander, and nothing else.
func (o *oracle) reported(report verify.Report) {
	landings, past := 0, map[string]bool{} // what people put on trunk, and whether verify says so
	for _, m := range o.onTrunk() {
		switch {
		case m.who == bot:
			landings++
		case strings.Trim(m.old, "0") != "":
			for _, sha := range strings.Fields(o.text("rev-list", m.new, "^"+m.old)) {
				past[sha] = false
			}
		}
	}
	if report.Landings != landings {
		o.complain("verify counts %d landings, and lander moved trunk %d times", report.Landings, landings)
	}
	rewinds := 0
	for _, f := range report.Findings {
		_, known := past[f.Commit]
		switch {
		case f.Kind == verify.Bypass && known:
			past[f.Commit] = true
		case f.Kind == verify.Rewind:
			rewinds++
		default:
			o.complain("verify finds a %s that nobody made: %s", f.Kind, f.Text)
		}
	}
	if most := len(o.rewinds()); rewinds > most {
		o.complain("verify finds %d rewinds, and people made %d", rewinds, most)
	}
	for sha, said := range past {
		if !said && o.forward(sha, "refs/heads/"+o.lane.Trunk) && !o.forward(sha, report.AdoptedAt) {
			o.complain("verify does not say that %s came to trunk past lander", sha)
		}
	}
}

func (o *oracle) onTrunk() (trunk []move) {
	for _, m := range o.moves {
		if m.ref == "refs/heads/"+o.lane.Trunk {
			trunk = append(trunk, m)
		}
	}
	return trunk
}

// rewinds are the moves by which people took something off trunk.
func (o *oracle) rewinds() (all []move) {
	for _, m := range o.onTrunk() {
		if m.who != bot && strings.Trim(m.old, "0") != "" && !o.forward(m.old, m.new) {
			all = append(all, m)
		}
	}
	return all
}

func (o *oracle) forward(old, to string) bool {
	return o.git.Run(context.Background(), "merge-base", "--is-ancestor", old, to) == nil
}

// alarmError says that lander has stopped a lane for what the test did not do. Nobody resumes that.
type alarmError struct{ reason string }

func (e *alarmError) Error() string { return e.reason }

// settled reports whether there is nothing to wait for any more.
func settled(err error) bool {
	var alarm *alarmError
	return err == nil || errors.As(err, &alarm)
}

// excuse says why a lane's stop is not one that a rewind by a person explains; nil: it is.
func (w *world) excuse(ctx context.Context, q queue.Queue) error {
	journal, err := w.store.Journal(ctx, q.Lane, 0, 1_000_000) // newest first
	if err != nil {
		return err
	}
	o := &oracle{world: w, lane: q.Lane}
	if o.git, err = w.git(q.Lane.Repo); err != nil {
		return err
	}
	reason, seen := unexplained(journal)
	if reason == "" {
		until(2*time.Second, func() bool { // the hub writes a rewind down a moment after it is made
			o.moves, err = w.allMoves(q.Lane.Repo)
			return err != nil || len(o.rewinds()) >= seen
		})
		if err != nil {
			return err
		}
		if made := len(o.rewinds()); made < seen {
			reason = fmt.Sprintf("it has seen %d rewinds, and people made %d", seen, made)
		}
	}
	if reason != "" {
		if now, _, err := w.store.View(ctx, q.Lane); err != nil || now.Version != q.Version {
			return errors.Join(fmt.Errorf("%v was saved while its journal was read", q.Lane), err)
		}
		return &alarmError{fmt.Sprintf("lander has stopped %v by itself: %s; %s", q.Lane, q.Stop.Reason, reason)}
	}
	return nil
}

// unexplained says by the journal, newest first, how a stop comes from something else than a rewind (empty: it does not), and how many
// rewinds lander has seen at all.
func unexplained(journal []queue.Record) (reason string, seen int) {
	fresh, over := 0, false
	for _, r := range journal {
		switch r.Kind {
		case "resumed":
			over = true
		case "rewound":
			seen++
			if !over {
				fresh++
			}
		case queue.RecordBreach, "ledger", "trunk gone":
			if !over {
				return "the journal says " + r.Kind + ": " + r.Text, seen
			}
		}
	}
	if fresh == 0 {
		return "the journal does not say why", seen
	}
	return "", seen
}
