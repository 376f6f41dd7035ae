package hub

import (
	"slices"
	"strings"
	"time"
)

// commitRoutes are about commits, their statuses and their check runs.
func (h *Hub) commitRoutes(on func(string, operation)) {
	const at = "/repos/{owner}/{repo}"
	on("GET "+at+"/commits", listCommits)
	on("GET "+at+"/commits/{ref...}", aboutCommit)
	on("GET "+at+"/compare/{range...}", compare)
	on("GET "+at+"/statuses/{sha}", func(c *call) (int, any, error) { return listStatuses(c, c.req.PathValue("sha")) })
	on("POST "+at+"/statuses/{sha}", createStatus)
	on("POST "+at+"/check-runs", createCheck)
	on("GET "+at+"/check-runs/{id}", getCheck)
	on("PATCH "+at+"/check-runs/{id}", updateCheck)
	on("POST "+at+"/check-runs/{id}/rerequest", rerequestCheck)
	on("POST "+at+"/actions/jobs/{id}/rerun", rerunJob)
}

func listCommits(c *call) (code int, v any, err error) {
	sha, err := c.resolve(or(c.query("sha"), c.repo.DefaultBranch))
	if err != nil {
		return 0, nil, err
	}
	all, err := c.h.history(c.repo, "--max-count=1000", sha) // nobody turns more pages than that
	if err != nil {
		return 0, nil, err
	}
	c.h.read(func() {
		v = each(page(c, all), func(x commit) *commitJSON { return c.shape.commit(c.repo, &x) })
	})
	return 200, v, nil
}

// resolve finds the commit that a branch, a tag or an object id names.
func (c *call) resolve(ref string) (sha string, err error) {
	c.h.read(func() {
		for _, full := range []string{"refs/heads/" + ref, "refs/tags/" + ref, "refs/" + ref} {
			if sha == "" {
				sha = c.repo.Refs[full]
			}
		}
	})
	if sha == "" && c.h.knows(c.repo, ref) {
		sha = ref
	}
	if sha == "" {
		err = &Refusal{Status: 422, Message: "No commit found for SHA: " + ref}
	}
	return sha, err
}

// aboutCommit tells the endings of the path apart, since a ref may hold slashes.
func aboutCommit(c *call) (int, any, error) {
	ref := c.req.PathValue("ref")
	if bare, ok := strings.CutSuffix(ref, "/status"); ok {
		return combinedStatus(c, bare)
	}
	if bare, ok := strings.CutSuffix(ref, "/statuses"); ok {
		return listStatuses(c, bare)
	}
	if bare, ok := strings.CutSuffix(ref, "/check-runs"); ok {
		return listChecks(c, bare)
	}
	return getCommit(c, ref)
}

func getCommit(c *call, ref string) (code int, v any, err error) {
	sha, err := c.resolve(ref)
	if err != nil {
		return 0, nil, err
	}
	one, err := c.h.history(c.repo, "--max-count=1", sha)
	if err != nil {
		return 0, nil, err
	}
	c.h.read(func() { v = c.shape.commit(c.repo, &one[0]) })
	return 200, v, nil
}

// compare tells how far two commits, written A...B, are apart.
func compare(c *call) (int, any, error) {
	a, b, ok := strings.Cut(c.req.PathValue("range"), "...")
	base, err := c.resolve(a)
	head, err2 := c.resolve(b)
	if !ok || err != nil || err2 != nil {
		return 0, nil, notFound()
	}
	ahead, err := c.h.history(c.repo, "--reverse", head, "^"+base)
	if err != nil {
		return 0, nil, err
	}
	behind, err := c.h.count(c.repo, head, base)
	if err != nil {
		return 0, nil, err
	}
	status := "identical"
	switch {
	case len(ahead) > 0 && behind > 0:
		status = "diverged"
	case len(ahead) > 0:
		status = "ahead"
	case behind > 0:
		status = "behind"
	}
	var v map[string]any
	c.h.read(func() {
		v = map[string]any{
			"url": c.shape.repoURL(c.repo) + "/compare/" + a + "..." + b, "status": status,
			"ahead_by": len(ahead), "behind_by": behind, "total_commits": len(ahead),
			"commits": each(page(c, ahead), func(x commit) *commitJSON { return c.shape.commit(c.repo, &x) }),
		}
	})
	return 200, v, nil
}

func listStatuses(c *call, ref string) (code int, v any, err error) {
	sha, err := c.resolve(ref)
	if err != nil {
		return 0, nil, err
	}
	c.h.read(func() {
		all := slices.Clone(c.repo.Statuses[sha])
		slices.Reverse(all)
		v = each(page(c, all), func(t *Status) *statusJSON { return c.shape.status(c.repo, sha, t) })
	})
	return 200, v, nil
}

func combinedStatus(c *call, ref string) (code int, v any, err error) {
	sha, err := c.resolve(ref)
	if err != nil {
		return 0, nil, err
	}
	c.h.read(func() {
		all := c.repo.latestStatuses(sha)
		v = map[string]any{
			"state": combined(all), "sha": sha, "total_count": len(all), "repository": c.shape.repo(c.repo),
			"statuses":   each(page(c, all), func(t *Status) *statusJSON { return c.shape.status(c.repo, sha, t) }),
			"commit_url": c.shape.repoURL(c.repo) + "/commits/" + sha,
			"url":        c.shape.repoURL(c.repo) + "/commits/" + sha + "/status",
		}
	})
	return 200, v, nil
}

func createStatus(c *call) (code int, v any, err error) {
	var in struct {
		State, Description, Context string
		TargetURL                   string `json:"target_url"`
	}
	if err := c.body(&in); err != nil {
		return 0, nil, err
	}
	sha := c.req.PathValue("sha")
	t, err := c.h.setStatus(c.who, c.repo, sha, Status{
		State: in.State, Description: in.Description, Context: in.Context, TargetURL: in.TargetURL,
	})
	if err != nil {
		return 0, nil, err
	}
	c.h.read(func() { v = c.shape.status(c.repo, sha, t) })
	return 201, v, nil
}

type checkInput struct {
	Name        *string    `json:"name"`
	SHA         *string    `json:"head_sha"`
	Status      *string    `json:"status"`
	Conclusion  *string    `json:"conclusion"`
	ExternalID  *string    `json:"external_id"`
	DetailsURL  *string    `json:"details_url"`
	StartedAt   *time.Time `json:"started_at"`
	CompletedAt *time.Time `json:"completed_at"`
	Output      *struct{ Title, Summary, Text *string }
}

func (in *checkInput) apply(x *Check) {
	set := func(to *string, from *string) {
		if from != nil {
			*to = *from
		}
	}
	set(&x.Name, in.Name)
	set(&x.Status, in.Status)
	set(&x.Conclusion, in.Conclusion)
	set(&x.ExternalID, in.ExternalID)
	set(&x.DetailsURL, in.DetailsURL)
	if x.SHA == "" {
		set(&x.SHA, in.SHA)
	}
	if in.StartedAt != nil {
		x.StartedAt = in.StartedAt.UTC()
	}
	if in.CompletedAt != nil {
		x.CompletedAt = in.CompletedAt.UTC()
	}
	if in.Output != nil {
		set(&x.Title, in.Output.Title)
		set(&x.Summary, in.Output.Summary)
		set(&x.Text, in.Output.Text)
	}
}

func (c *call) check(id int64) (int, any, error) {
	var in checkInput
	if err := c.body(&in); err != nil {
		return 0, nil, err
	}
	x, err := c.h.setCheck(c.who, c.repo, id, in.apply)
	if err != nil {
		return 0, nil, err
	}
	var v any
	c.h.read(func() { v = c.shape.check(c.repo, x) })
	if id == 0 {
		return 201, v, nil
	}
	return 200, v, nil
}

func createCheck(c *call) (int, any, error) { return c.check(0) }

func updateCheck(c *call) (int, any, error) {
	id, err := c.number("id")
	if err != nil {
		return 0, nil, err
	}
	return c.check(id)
}

func getCheck(c *call) (code int, v any, err error) {
	id, err := c.number("id")
	if err != nil {
		return 0, nil, err
	}
	err = notFound()
	c.h.read(func() {
		for _, x := range c.repo.Checks {
			if x.ID == id {
				v, err = c.shape.check(c.repo, x), nil
			}
		}
	})
	return 200, v, err
}

func listChecks(c *call, ref string) (code int, v any, err error) {
	sha, err := c.resolve(ref)
	if err != nil {
		return 0, nil, err
	}
	c.h.read(func() {
		all := c.repo.latestChecks(sha)
		if c.query("filter") == "all" {
			all = slices.DeleteFunc(slices.Clone(c.repo.Checks), func(x *Check) bool { return x.SHA != sha })
		}
		all = slices.DeleteFunc(all, func(x *Check) bool {
			return c.query("check_name") != "" && c.query("check_name") != x.Name ||
				c.query("app_id") != "" && c.query("app_id") != itoa(x.App) || c.query("status") != "" && c.query("status") != x.Status
		})
		slices.Reverse(all)
		v = map[string]any{
			"total_count": len(all),
			"check_runs":  each(page(c, all), func(x *Check) *checkJSON { return c.shape.check(c.repo, x) }),
		}
	})
	return 200, v, nil
}
