package landertest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"lander/internal/queue"
)

// sayTrunks shows every lane's trunk from the first commit on: the name of each commit, what it says, and which pull request it is of.
func (w *world) sayTrunks() string {
	w.nameCandidates()
	var b strings.Builder
	for _, l := range w.lanes {
		if len(w.lanes) > 1 {
			fmt.Fprintf(&b, "%s:\n", l.Trunk)
		}
		landed := map[string]queue.Number{}
		all, err := w.life.store.Landings(context.Background(), l, 1000)
		w.must(err)
		for _, one := range all {
			for _, c := range one.Commits {
				landed[string(c.SHA)] = one.Number
			}
		}
		out, err := w.git().Text(context.Background(), "log", "--first-parent", "--reverse", "--format=%H%x09%an%x09%cn%x09%P%x09%s", "refs/heads/"+l.Trunk)
		w.must(err)
		for line := range strings.Lines(out) {
			f := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 5)
			fmt.Fprintf(&b, "%s: %s (%s", w.short(f[0]), f[4], f[1])
			if f[2] != f[1] {
				fmt.Fprintf(&b, ", put there by %s", f[2])
			}
			b.WriteString(")")
			if parents := strings.Fields(f[3]); len(parents) > 1 {
				fmt.Fprintf(&b, " merges %s", w.short(parents[1]))
			}
			if n := landed[f[0]]; n != 0 {
				fmt.Fprintf(&b, " %v", n)
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// statements are what the records of a lane's ledger say, newest first.
func (w *world) statements(l queue.Lane) (all []queue.Statement) {
	ref := "refs/heads/" + l.LedgerBranch()
	if w.git().Run(context.Background(), "rev-parse", "--verify", "--quiet", ref) != nil {
		return nil // trunk has not moved yet, or the story took it away
	}
	out, err := w.git().Output(context.Background(), nil, "log", "-z", "--first-parent", "--format=%b", ref)
	w.must(err)
	for text := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		var s queue.Statement
		if json.Unmarshal([]byte(text), &s) == nil { // else the story put it there
			all = append(all, s)
		}
	}
	return all
}

// sayRecords shows what the ledger tells of landings, oldest first.
func (w *world) sayRecords() string {
	w.nameCandidates()
	var b strings.Builder
	all := w.statements(w.lanes[0])
	slices.Reverse(all)
	for _, s := range all {
		if s.Decision != queue.DecisionLand {
			continue
		}
		fmt.Fprintf(&b, "r%d: %s", s.Seq, w.short(string(s.New)))
		for _, e := range s.Entries {
			fmt.Fprintf(&b, " %v", e.Number)
		}
		if s.Tested != "" {
			fmt.Fprintf(&b, ", tested as %s, in %s", w.short(string(s.Tested)), strings.Join(s.Areas, ", "))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// sayPulls shows every pull request: what the hub and what lander say of it, and the conversation.
func (w *world) sayPulls() string {
	pulls, err := w.hub.Pulls(repository)
	w.must(err)
	var b strings.Builder
	for _, p := range pulls {
		state := "closed"
		switch {
		case p.Merged:
			state = "merged"
		case p.Open:
			state = "open"
		}
		lane := w.lanes[0]
		if i := slices.IndexFunc(w.lanes, func(l queue.Lane) bool { return l.Trunk == p.Base }); i >= 0 {
			lane = w.lanes[i]
		}
		fmt.Fprintf(&b, "#%d %s (%s): %s\n", p.Number, p.Title, state, w.sayStanding(lane, p.Number))
		for line := range strings.Lines(w.sayComments(p.Number, false)) {
			b.WriteString("\t" + line)
		}
	}
	return b.String()
}

// sayStanding is what the database has of a change: its stage, and the first reason why it is not on trunk.
func (w *world) sayStanding(l queue.Lane, n int) string {
	ctx := context.Background()
	q, p, err := w.life.store.View(ctx, l)
	w.must(err)
	s, ok := q.Standing(queue.Number(n), w.Now(), p)
	if !ok {
		former, err := w.life.store.Former(ctx, l, queue.Number(n))
		w.must(err)
		if former == nil {
			return "unknown"
		}
		q.Entries = []*queue.Entry{former}
		s, _ = q.Standing(former.Number, w.Now(), p)
	}
	w.nameCandidates()
	stage := string(s.Stage)
	switch {
	case s.Landing != nil:
		var as []string
		for _, c := range s.Landing.Commits {
			as = append(as, w.short(string(c.SHA)))
		}
		return stage + ": as " + strings.Join(as, ", ")
	case s.Drop != nil:
		return fmt.Sprintf("%s: %s: %s", stage, s.Drop.Code, w.plain(s.Drop.Reason))
	case len(s.Reasons) > 0:
		return fmt.Sprintf("%s: %s", stage, w.plain(s.Reasons[0].Text))
	}
	return stage
}

// sayComments shows a conversation: of lander's comments the first paragraph, or all of them, and everybody's reactions.
func (w *world) sayComments(n int, whole bool) string {
	w.nameCandidates()
	all, err := w.hub.Comments(repository, n)
	w.must(err)
	var b strings.Builder
	for _, c := range all {
		text := strings.TrimSpace(hidden.ReplaceAllString(c.Body, ""))
		if c.Author == bot && !whole {
			text, _, _ = strings.Cut(text, "\n\n")
		}
		text = strings.ReplaceAll(w.plain(text), "\n", "\n\t")
		fmt.Fprintf(&b, "%s: %s", c.Author, text)
		for _, r := range c.Reactions {
			fmt.Fprintf(&b, " [%s by %s]", r.Content, r.Author)
		}
		b.WriteString("\n")
		if whole {
			b.WriteString("\n")
		}
	}
	return b.String()
}
