package hub

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"
)

// issueRoutes are about comments, reactions and labels, which GitHub keeps with issues.
func (h *Hub) issueRoutes(on func(string, operation)) {
	const at = "/repos/{owner}/{repo}/issues"
	on("GET "+at+"/{number}", getIssue)
	on("GET "+at+"/{number}/{what}", aboutIssue)
	on("POST "+at+"/{number}/comments", createComment)
	on("GET "+at+"/comments", listRepoComments)
	on("PATCH "+at+"/comments/{id}", updateComment)
	on("DELETE "+at+"/comments/{id}", deleteComment)
	on("GET "+at+"/comments/{id}/reactions", listReactions)
	on("POST "+at+"/comments/{id}/reactions", createReaction)
	on("POST "+at+"/{number}/reactions", createReaction)
	on("POST "+at+"/{number}/labels", addLabels)
	on("DELETE "+at+"/{number}/labels/{name}", removeLabel)
}

// aboutIssue tells issues/7/comments from issues/comments/7, which patterns cannot.
func aboutIssue(c *call) (int, any, error) {
	what := c.req.PathValue("what")
	if c.req.PathValue("number") == "comments" {
		c.req.SetPathValue("id", what)
		return getComment(c)
	}
	switch what {
	case "comments":
		return listComments(c)
	case "reactions":
		return listReactions(c)
	case "labels":
		return listLabels(c)
	default:
		return 0, nil, notFound()
	}
}

func getIssue(c *call) (code int, v any, err error) {
	c.h.read(func() {
		var p *Pull
		if p, err = c.pull(); err == nil {
			v = c.shape.issue(c.repo, p)
		}
	})
	return 200, v, err
}

// talk is a comment and where it stands.
type talk struct {
	p *Pull
	c *Comment
}

// since drops the comments last changed before the time that the request names.
func (c *call) since(all []talk) ([]talk, error) {
	text := c.query("since")
	if text == "" {
		return all, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return nil, &Refusal{Status: 422, Message: "The since parameter is not a timestamp."}
	}
	return slices.DeleteFunc(all, func(x talk) bool { return x.c.UpdatedAt.Truncate(time.Second).Before(t) }), nil
}

func listComments(c *call) (code int, v any, err error) {
	c.h.read(func() {
		var p *Pull
		if p, err = c.pull(); err != nil {
			return
		}
		var all []talk
		for _, x := range p.Comments {
			all = append(all, talk{p, x})
		}
		if all, err = c.since(all); err == nil {
			v = each(page(c, all), func(x talk) *commentJSON { return c.shape.comment(c.repo, x.p, x.c) })
		}
	})
	return 200, v, err
}

func listRepoComments(c *call) (code int, v any, err error) {
	c.h.read(func() {
		var all []talk
		for _, p := range sortedPulls(c.repo) {
			for _, x := range p.Comments {
				all = append(all, talk{p, x})
			}
		}
		if c.query("sort") == "updated" {
			slices.SortFunc(all, func(x, y talk) int { return x.c.UpdatedAt.Compare(y.c.UpdatedAt) })
		} else {
			slices.SortFunc(all, func(x, y talk) int { return cmp.Compare(x.c.ID, y.c.ID) })
		}
		if c.query("sort") != "" && c.query("direction") != "asc" {
			slices.Reverse(all)
		}
		if all, err = c.since(all); err == nil {
			v = each(page(c, all), func(x talk) *commentJSON { return c.shape.comment(c.repo, x.p, x.c) })
		}
	})
	return 200, v, err
}

func createComment(c *call) (int, any, error) {
	var in struct{ Body string }
	if err := c.body(&in); err != nil {
		return 0, nil, err
	}
	p, err := c.findPull()
	if err != nil {
		return 0, nil, err
	}
	made, err := c.h.comment(c.who, c.repo, p.Number, in.Body)
	if err != nil {
		return 0, nil, err
	}
	return 201, c.oneComment(p, made), nil
}

func (c *call) oneComment(p *Pull, x *Comment) (v any) {
	c.h.read(func() { v = c.shape.comment(c.repo, p, x) })
	return v
}

func getComment(c *call) (code int, v any, err error) {
	id, err := c.number("id")
	if err != nil {
		return 0, nil, err
	}
	c.h.read(func() {
		p, x := c.repo.findComment(id)
		if x == nil {
			err = notFound()
			return
		}
		v = c.shape.comment(c.repo, p, x)
	})
	return 200, v, err
}

func updateComment(c *call) (int, any, error) {
	var in struct{ Body string }
	if err := c.body(&in); err != nil {
		return 0, nil, err
	}
	id, err := c.number("id")
	if err != nil {
		return 0, nil, err
	}
	p, x, err := c.h.editComment(c.who, c.repo, id, in.Body)
	if err != nil {
		return 0, nil, err
	}
	return 200, c.oneComment(p, x), nil
}

func deleteComment(c *call) (int, any, error) {
	id, err := c.number("id")
	if err != nil {
		return 0, nil, err
	}
	return 204, nil, c.h.deleteComment(c.who, c.repo, id)
}

// reacted is what a request about reactions is about: a pull request, or a comment (the other is 0).
func (c *call) reacted() (pull int, comment int64, err error) {
	if c.req.PathValue("id") != "" {
		comment, err = c.number("id")
		return 0, comment, err
	}
	n, err := c.number("number")
	return int(n), 0, err
}

func listReactions(c *call) (code int, v any, err error) {
	pull, comment, err := c.reacted()
	if err != nil {
		return 0, nil, err
	}
	c.h.read(func() {
		var on *[]*Reaction
		if on, err = c.h.reactions(c.who, c.repo, pull, comment); err != nil {
			return
		}
		some := slices.DeleteFunc(slices.Clone(*on), func(x *Reaction) bool {
			return c.query("content") != "" && c.query("content") != x.Content
		})
		v = each(page(c, some), c.shape.reaction)
	})
	return 200, v, err
}

func createReaction(c *call) (int, any, error) {
	var in struct{ Content string }
	if err := c.body(&in); err != nil {
		return 0, nil, err
	}
	pull, comment, err := c.reacted()
	if err != nil {
		return 0, nil, err
	}
	x, fresh, err := c.h.react(c.who, c.repo, pull, comment, in.Content)
	if err != nil {
		return 0, nil, err
	}
	var v any
	c.h.read(func() { v = c.shape.reaction(x) })
	if fresh {
		return 201, v, nil
	}
	return 200, v, nil
}

func listLabels(c *call) (code int, v any, err error) {
	c.h.read(func() {
		var p *Pull
		if p, err = c.pull(); err == nil {
			v = page(c, c.shape.labels(c.repo, p))
		}
	})
	return 200, v, err
}

func addLabels(c *call) (int, any, error) {
	var raw json.RawMessage
	if err := c.body(&raw); err != nil {
		return 0, nil, err
	}
	var in struct{ Labels []string }
	if json.Unmarshal(raw, &in.Labels) != nil { // the body may be the bare list
		if err := json.Unmarshal(raw, &in); err != nil {
			return 0, nil, &Refusal{Status: 400, Message: "Problems parsing JSON"}
		}
	}
	n, err := c.number("number")
	if err != nil {
		return 0, nil, err
	}
	p, err := c.h.addLabels(c.who, c.repo, int(n), in.Labels)
	if err != nil {
		return 0, nil, err
	}
	return 200, c.allLabels(p), nil
}

func (c *call) allLabels(p *Pull) (v any) {
	c.h.read(func() { v = c.shape.labels(c.repo, p) })
	return v
}

func removeLabel(c *call) (int, any, error) {
	n, err := c.number("number")
	if err != nil {
		return 0, nil, err
	}
	p, err := c.h.removeLabel(c.who, c.repo, int(n), c.req.PathValue("name"))
	if err != nil {
		return 0, nil, err
	}
	return 200, c.allLabels(p), nil
}
