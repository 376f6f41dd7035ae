package serve

import (
	"slices"
	"strings"

	"lander/internal/forge/github"
)

// guarded is a branch with all that stands between a push and it.
type guarded struct {
	github.Guard
	about string
	what  string // "trunk" or "ledger"
	self  string // lander's login
	admin bool   // lander is an administrator
	rules string // the page where rules are made
}

// judge says who may move the branch, and how.
func (g guarded) judge() []Finding {
	move := g.judgeMove()
	loss := g.judgeLoss(move.Mark == Good)
	if move.Found == loss.Found {
		return []Finding{move}
	}
	return []Finding{move, loss}
}

// judgeMove says who may move the branch. It is good only if lander may, and nobody else.
func (g guarded) judgeMove() Finding {
	check := g.what + "-push"
	for _, l := range g.Locks {
		if g.mine(l) == github.No {
			return bad(g.about, check, sayLockedOut(g.Branch, l), sayMendLockedOut(g.self, g.rules))
		}
	}
	closed, others := 0, []string(nil)
	unseen, best := "", false
	for _, l := range g.Locks {
		if !l.Closed {
			continue
		}
		closed++
		if l.Unseen {
			unseen = l.Name
			continue
		}
		// Whoever is stopped by one lock is stopped: the one that lets the fewest through counts.
		if let := g.others(append(slices.Clone(l.Movers), l.Exempt...)); !best || len(let) < len(others) {
			best, others = true, let
		}
	}
	for _, l := range g.Locks {
		if g.mine(l) == github.Unknown {
			return unproven(g.about, check, sayMineUnknown(g.Branch, l.Name), sayMendSee(g.rules))
		}
	}
	switch {
	case best && len(others) == 0:
		return good(g.about, check, sayOnlyMe(g.Branch, g.self))
	case best && unseen == "":
		return warning(g.about, check, sayOthers(g.Branch, others), sayMendOthers(g.rules))
	case closed > 0:
		return unproven(g.about, check, sayOthersUnseen(g.Branch, unseen), sayMendSee(g.rules))
	case g.dark():
		return unproven(g.about, check, sayDark(g.Branch, g.Hidden), g.mendDark())
	}
	return bad(g.about, check, sayOpen(g.Branch), sayMendOpen(g.Branch, g.self, g.rules))
}

// judgeLoss says whether what is on the branch can be taken away. Where lander alone may push, it is a second line of defence.
func (g guarded) judgeLoss(alone bool) Finding {
	check := g.what + "-force"
	var open, exempt []string
	for _, loss := range []struct {
		words string
		has   func(github.Lock) bool
	}{
		{"pushes by force", func(l github.Lock) bool { return l.NoForce }},
		{"deleting it", func(l github.Lock) bool { return l.NoLoss }},
	} {
		held, best, let := false, false, []string(nil)
		for _, l := range g.Locks {
			if !loss.has(l) {
				continue
			}
			held = true
			if some := g.others(l.Exempt); !best || len(some) < len(let) {
				best, let = true, some
			}
		}
		if !held {
			open = append(open, loss.words)
		}
		for _, who := range let {
			if !slices.Contains(exempt, who) {
				exempt = append(exempt, who)
			}
		}
	}
	switch {
	case len(open) > 0 && g.dark():
		return unproven(g.about, check, sayDark(g.Branch, g.Hidden), g.mendDark())
	case len(open) > 0 && alone:
		return warning(g.about, check, sayLoss(g.Branch, open), sayMendLoss(g.Branch, g.rules))
	case len(open) > 0:
		return bad(g.about, check, sayLoss(g.Branch, open), sayMendLoss(g.Branch, g.rules))
	case len(exempt) > 0:
		return warning(g.about, check, sayLossBy(g.Branch, exempt), sayMendOthers(g.rules))
	}
	return good(g.about, check, sayNoLoss(g.Branch))
}

// dark says that some protection may hold which lander cannot see. That there is none of a branch that exists, everybody sees.
func (g guarded) dark() bool { return g.Hidden != "" && (g.Protected || !g.Exists) }

func (g guarded) mendDark() string {
	if !g.Exists {
		return sayMendEarly(g.Branch, g.self, g.rules)
	}
	return sayMendSee(g.rules)
}

// keeps says that lander could not delete the branch.
func (g guarded) keeps() bool {
	return slices.ContainsFunc(g.Locks, func(l github.Lock) bool {
		exempt := slices.ContainsFunc(l.Exempt, func(who string) bool { return strings.EqualFold(who, g.self) || g.admin && who == "administrators" })
		return l.NoLoss && !exempt
	})
}

// mine says whether a lock lets lander move the branch.
func (g guarded) mine(l github.Lock) github.Answer {
	if l.Mine != github.Yes && g.admin && slices.Contains(l.Exempt, "administrators") {
		return github.Yes
	}
	return l.Mine
}

// others are those who are not lander.
func (g guarded) others(who []string) (others []string) {
	for _, w := range who {
		if !strings.EqualFold(w, g.self) && !slices.Contains(others, w) {
			others = append(others, w)
		}
	}
	return others
}
