package store_test

import (
	"slices"

	"pgregory.net/rapid"

	"lander/internal/queue"
)

// elsewhere reports whether what was tested is another commit than the candidate.
func elsewhere(c *queue.Candidate) bool { return c.Apart != nil && c.Apart.Tested != "" }

// moveApart changes what may change of a candidate that was built apart.
func moveApart(rt *rapid.T, c *queue.Candidate) {
	if c.Apart == nil {
		return
	}
	c.Awaits, c.Ground = anyMembers(rt), ""
	if rapid.Bool().Draw(rt, "it counts") {
		c.Ground = anySHA(rt, "ground")
	}
}

func anyMembers(rt *rapid.T) (all []queue.Member) {
	for range rapid.IntRange(0, 2).Draw(rt, "others") {
		all = append(all, anyMember(rt))
	}
	return all
}

func anyAreas(rt *rapid.T) queue.Areas {
	all := queue.Areas(rapid.SliceOfNDistinct(rapid.StringN(1, 9, -1), 1, 3, rapid.ID).Draw(rt, "areas"))
	slices.Sort(all)
	return all
}

func anyRules(rt *rapid.T) queue.AreaRules {
	r := queue.AreaRules{Barrier: texts(rt)}
	for _, name := range anyAreas(rt) {
		r.Areas = append(r.Areas, queue.Area{Name: name, Globs: texts(rt)})
	}
	return r
}
