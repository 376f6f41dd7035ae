package hub

import (
	"slices"
	"strings"
)

// pullRoutes are about pull requests and reviews.
func (h *Hub) pullRoutes(on func(string, operation)) {
	const at = "/repos/{owner}/{repo}/pulls"
	const one = at + "/{number}"
	on("GET "+at, listPulls)
	on("POST "+at, createPull)
	on("GET "+one, getPull)
	on("PATCH "+one, updatePull)
	on("GET "+one+"/commits", listPullCommits)
	on("GET "+one+"/files", listPullFiles)
	on("GET "+one+"/comments", listPullRemarks)
	on("GET "+one+"/merge", isMerged)
	on("PUT "+one+"/merge", mergePull)
	on("GET "+one+"/reviews", listReviews)
	on("POST "+one+"/reviews", createReview)
	on("GET "+one+"/reviews/{id}", getReview)
	on("PUT "+one+"/reviews/{id}/dismissals", dismissReview)
}

func listPulls(c *call) (code int, v any, err error) {
	c.h.read(func() {
		some := slices.DeleteFunc(sortedPulls(c.repo), func(p *Pull) bool { return !c.lists(p) })
		down := c.query("direction") == "desc"
		switch c.query("sort") {
		case "updated":
			slices.SortStableFunc(some, func(x, y *Pull) int { return x.UpdatedAt.Compare(y.UpdatedAt) })
		default: // the newest first, unless told otherwise
			down = c.query("direction") != "asc"
		}
		if down {
			slices.Reverse(some)
		}
		v = each(page(c, some), func(p *Pull) *pullJSON { return c.shape.pull(c.repo, p) })
	})
	return 200, v, nil
}

// lists reports whether a list of pull requests asks for p.
func (c *call) lists(p *Pull) bool {
	state := or(c.query("state"), "open")
	if state != "all" && state != p.stateName() {
		return false
	}
	if base := c.query("base"); base != "" && base != p.Base {
		return false
	}
	if head := c.query("head"); head != "" {
		owner, _, _ := strings.Cut(p.HeadRepo, "/")
		return key(head) == key(owner+":"+p.Head)
	}
	return true
}

func createPull(c *call) (int, any, error) {
	var in struct {
		Title, Head, Base, Body string
		Draft                   bool
		HeadRepo                string `json:"head_repo"`
		MayEdit                 *bool  `json:"maintainer_can_modify"`
	}
	if err := c.body(&in); err != nil {
		return 0, nil, err
	}
	if in.HeadRepo != "" && !strings.Contains(in.Head, ":") {
		owner, _, _ := strings.Cut(in.HeadRepo, "/")
		in.Head = owner + ":" + in.Head
	}
	p, err := c.h.openPull(c.who, c.repo, NewPull{
		Title: in.Title, Body: in.Body, Head: in.Head, Base: in.Base, Draft: in.Draft, NoEdits: in.MayEdit != nil && !*in.MayEdit,
	})
	if err != nil {
		return 0, nil, err
	}
	return 201, c.fullPull(p), nil
}

func (c *call) fullPull(p *Pull) (v *pullJSON) {
	c.h.read(func() {
		c.shape = c.h.shape(site(c.req)) // what it remembers may be old by now
		v = c.shape.fullPull(c.repo, p)
	})
	return v
}

func (c *call) findPull() (p *Pull, err error) {
	c.h.read(func() { p, err = c.pull() })
	return p, err
}

func getPull(c *call) (int, any, error) {
	p, err := c.findPull()
	if err != nil {
		return 0, nil, err
	}
	if _, err := c.h.details.stat(c.repo, p); err != nil {
		return 0, nil, err
	}
	c.h.read(func() { c.h.details.ask(c.repo, p) })
	return 200, c.fullPull(p), nil
}

func updatePull(c *call) (int, any, error) {
	var in struct {
		Title, Body, Base, State *string
		MayEdit                  *bool `json:"maintainer_can_modify"`
	}
	if err := c.body(&in); err != nil {
		return 0, nil, err
	}
	p, err := c.findPull()
	if err != nil {
		return 0, nil, err
	}
	e := Edit{Title: in.Title, Body: in.Body, Base: in.Base, MayEdit: in.MayEdit}
	if in.State != nil {
		if *in.State != "open" && *in.State != "closed" {
			return 0, nil, invalid("PullRequest", "state", "invalid")
		}
		open := *in.State == "open"
		e.Open = &open
	}
	if err := c.h.editPull(c.who, c.repo, p.Number, e); err != nil {
		return 0, nil, err
	}
	return 200, c.fullPull(p), nil
}

func listPullCommits(c *call) (code int, v any, err error) {
	p, err := c.findPull()
	if err != nil {
		return 0, nil, err
	}
	commits, err := c.h.details.commitsOf(c.repo, p)
	if err != nil {
		return 0, nil, err
	}
	c.h.read(func() {
		v = each(page(c, commits), func(x commit) *commitJSON { return c.shape.commit(c.repo, &x) })
	})
	return 200, v, nil
}

func listPullFiles(c *call) (code int, v any, err error) {
	p, err := c.findPull()
	if err != nil {
		return 0, nil, err
	}
	files, at, err := c.h.details.filesOf(c.repo, p)
	if err != nil {
		return 0, nil, err
	}
	some := page(c, files)
	patches, err := c.h.patches(c.repo, at.both(), some)
	if err != nil {
		return 0, nil, err
	}
	c.h.read(func() {
		v = each(some, func(f file) *fileJSON { return c.shape.file(c.repo, at.head, f, patches[f.Path]) })
	})
	return 200, v, nil
}

// listPullRemarks lists comments on lines of the diff, of which the hub knows none.
func listPullRemarks(c *call) (int, any, error) {
	_, err := c.findPull()
	return 200, []struct{}{}, err
}

func isMerged(c *call) (int, any, error) {
	p, err := c.findPull()
	if err != nil {
		return 0, nil, err
	}
	c.h.read(func() {
		if !p.Merged {
			err = notFound()
		}
	})
	return 204, nil, err
}

func mergePull(c *call) (int, any, error) {
	var in struct {
		Title   string `json:"commit_title"`
		Message string `json:"commit_message"`
		SHA     string `json:"sha"`
		Method  string `json:"merge_method"`
	}
	if err := c.body(&in); err != nil {
		return 0, nil, err
	}
	p, err := c.findPull()
	if err != nil {
		return 0, nil, err
	}
	sha, err := c.h.merge(c.who, c.repo, p, Merge{Method: in.Method, Title: in.Title, Message: in.Message, SHA: in.SHA})
	if err != nil {
		return 0, nil, err
	}
	return 200, map[string]any{"sha": sha, "merged": true, "message": "Pull Request successfully merged"}, nil
}

func listReviews(c *call) (code int, v any, err error) {
	c.h.read(func() {
		var p *Pull
		if p, err = c.pull(); err == nil {
			seen := slices.DeleteFunc(slices.Clone(p.Reviews), func(v *Review) bool {
				return v.State == "PENDING" && (c.who.user == nil || key(c.who.user.Login) != key(v.Author))
			})
			v = each(page(c, seen), func(x *Review) *reviewJSON { return c.shape.review(c.repo, p, x) })
		}
	})
	return 200, v, err
}

func createReview(c *call) (int, any, error) {
	var in struct {
		Body, Event string
		SHA         string `json:"commit_id"`
	}
	if err := c.body(&in); err != nil {
		return 0, nil, err
	}
	p, err := c.findPull()
	if err != nil {
		return 0, nil, err
	}
	review, err := c.h.review(c.who, c.repo, p.Number, in.Event, in.Body, in.SHA)
	if err != nil {
		return 0, nil, err
	}
	return 200, c.oneReview(p, review), nil
}

func (c *call) oneReview(p *Pull, review *Review) (v any) {
	c.h.read(func() { v = c.shape.review(c.repo, p, review) })
	return v
}

func getReview(c *call) (code int, v any, err error) {
	id, err := c.number("id")
	if err != nil {
		return 0, nil, err
	}
	c.h.read(func() {
		var p *Pull
		if p, err = c.pull(); err != nil {
			return
		}
		if review := p.review(id); review != nil {
			v = c.shape.review(c.repo, p, review)
		} else {
			err = notFound()
		}
	})
	return 200, v, err
}

func dismissReview(c *call) (int, any, error) {
	var in struct{ Message string }
	if err := c.body(&in); err != nil {
		return 0, nil, err
	}
	id, err := c.number("id")
	if err != nil {
		return 0, nil, err
	}
	p, err := c.findPull()
	if err != nil {
		return 0, nil, err
	}
	review, err := c.h.dismiss(c.who, c.repo, p.Number, id, in.Message)
	if err != nil {
		return 0, nil, err
	}
	return 200, c.oneReview(p, review), nil
}
