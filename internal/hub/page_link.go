package hub

import (
	"fmt"
	"strconv"
	"strings"
)

// page cuts out the part of a list that the request asks for, and sets the Link header that leads to the others.
func page[T any](c *call, all []T) []T {
	size, n := 30, 1
	if v, err := strconv.Atoi(c.query("per_page")); err == nil && v > 0 {
		size = min(v, 100)
	}
	if v, err := strconv.Atoi(c.query("page")); err == nil && v > 0 {
		n = min(v, 1_000_000)
	}
	last := max(1, (len(all)+size-1)/size)
	var links []string
	link := func(rel string, n int) {
		u := *c.req.URL
		q := u.Query()
		q.Set("page", strconv.Itoa(n))
		u.RawQuery = q.Encode()
		links = append(links, fmt.Sprintf(`<%s%s>; rel="%s"`, c.shape.api, u.RequestURI(), rel))
	}
	if n > 1 {
		link("prev", min(n-1, last))
	}
	if n < last {
		link("next", n+1)
		link("last", last)
	}
	if n > 1 {
		link("first", 1)
	}
	if len(links) > 0 {
		c.w.Header().Set("Link", strings.Join(links, ", "))
	}
	from := min((n-1)*size, len(all))
	return all[from:min(from+size, len(all))]
}

// each makes one JSON shape per thing; the result is never null.
func each[T, J any](all []T, f func(T) J) []J {
	out := make([]J, 0, len(all))
	for _, x := range all {
		out = append(out, f(x))
	}
	return out
}
