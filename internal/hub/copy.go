package hub

import "slices"

// copy shares nothing with p.
func (p *Pull) copy() Pull {
	c := *p
	c.Labels = slices.Clone(p.Labels)
	c.Reviews = copies(p.Reviews)
	c.Reactions = copies(p.Reactions)
	c.Notes = copies(p.Notes)
	c.Comments = nil
	for _, x := range p.Comments {
		y := *x
		y.Reactions = copies(x.Reactions)
		c.Comments = append(c.Comments, &y)
	}
	if p.Stat != nil {
		s := *p.Stat
		c.Stat = &s
	}
	return c
}

func copies[T any](all []*T) []*T {
	var out []*T
	for _, x := range all {
		y := *x
		out = append(out, &y)
	}
	return out
}
