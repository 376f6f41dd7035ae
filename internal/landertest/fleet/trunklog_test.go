package fleet

import (
	"context"

	"lander/internal/queue"
)

// trunkLog: the database has where trunk stood since lander found it, in the right order and under the right names. Of what others did
// between two looks, only the end may be there.
func (o *oracle) trunkLog() {
	at, next := "", 0 // of o.moves
	for i, entry := range o.logged {
		if string(entry.Old) != at || (i == 0) != (entry.Kind == queue.MoveAdopt) {
			o.complain("line %d of the trunk log says %s from %q to %s, and the one before ends on %q", i+1, entry.Kind, entry.Old, entry.New, at)
		}
		at = string(entry.New)
		found := false
		for ; next < len(o.moves) && !found; next++ {
			m := o.moves[next]
			if m.ref != "refs/heads/"+o.lane.Trunk {
				continue
			}
			found = m.new == at && (m.who == bot) == (entry.Kind == queue.MoveLand)
			if !found && m.who == bot {
				o.complain("the trunk log lacks that lander moved trunk to %s", m.new)
			}
		}
		if !found {
			o.complain("line %d of the trunk log says %s to %s, where trunk did not stand then", i+1, entry.Kind, at)
			return
		}
		if entry.Kind == queue.MoveAdopt || entry.Old == "" {
			continue
		}
		forward := o.git.Run(context.Background(), "merge-base", "--is-ancestor", string(entry.Old), at) == nil
		if forward == (entry.Kind == queue.MoveRewind) {
			o.complain("line %d of the trunk log calls the move from %s to %s a %s", i+1, entry.Old, at, entry.Kind)
		}
	}
	if tip := o.text("rev-parse", "--verify", "refs/heads/"+o.lane.Trunk); at != tip {
		o.complain("the trunk log ends on %s, and trunk stands on %s", at, tip)
	}
}
