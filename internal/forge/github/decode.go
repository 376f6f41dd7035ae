package github

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"lander/internal/forge"
	"lander/internal/queue"
)

// payload is what lander reads of a webhook: only where to look.
type payload struct {
	CheckRun *struct {
		Suite suitePayload `json:"check_suite"`
	} `json:"check_run"`
	CheckSuite *suitePayload `json:"check_suite"`
	Branches   []struct {
		Name string `json:"name"`
	} `json:"branches"`
	Ref        string `json:"ref"`
	After      string `json:"after"`
	Repository *struct {
		FullName string `json:"full_name"`
	} `json:"repository"`
	Installation *struct {
		ID int64 `json:"id"`
	} `json:"installation"`
	PullRequest *struct {
		Number int `json:"number"`
	} `json:"pull_request"`
	Issue *struct {
		Number      int       `json:"number"`
		PullRequest *struct{} `json:"pull_request"`
	} `json:"issue"`
	Comment struct {
		Body string `json:"body"`
	} `json:"comment"`
}

type suitePayload struct {
	HeadBranch string `json:"head_branch"`
}

// runBranch is the branch of lander's own that an event about checks is of; empty: it is of none.
func (p *payload) runBranch() string {
	var names []string
	switch {
	case p.CheckRun != nil:
		names = append(names, p.CheckRun.Suite.HeadBranch)
	case p.CheckSuite != nil:
		names = append(names, p.CheckSuite.HeadBranch)
	}
	for _, b := range p.Branches {
		names = append(names, b.Name)
	}
	for _, n := range names {
		if strings.HasPrefix(n, queue.RunPrefix) {
			return n
		}
	}
	return ""
}

// Decode reads a webhook that was verified before. event is its X-GitHub-Event header, body its JSON. An event that says nothing about
// a pull request or a branch gives no hints, nor does a comment that ends with a hidden key: nearly always it is lander's own, and
// where somebody copied one, the poll sees what else the comment says. Checks count on lander's own branches only.
func Decode(event string, body []byte) ([]forge.Hint, error) {
	switch event {
	case "push", "pull_request", "pull_request_review", "pull_request_review_thread", "issue_comment", "check_run", "check_suite", "status":
	default:
		if !json.Valid(body) {
			return nil, fmt.Errorf("decode webhook %s: %w", event, errors.New("not JSON"))
		}
		return nil, nil
	}
	var p payload
	if err := json.Unmarshal(body, &p); err != nil {
		return nil, fmt.Errorf("decode webhook %s: %w", event, err)
	}
	if p.Repository == nil {
		return nil, fmt.Errorf("decode webhook %s: %w", event, errors.New("it names no repository"))
	}
	if _, _, err := split(p.Repository.FullName); err != nil {
		return nil, fmt.Errorf("decode webhook %s: %w", event, err)
	}
	h := forge.Hint{Repo: p.Repository.FullName}
	if p.Installation != nil {
		h.Installation = p.Installation.ID
	}
	switch {
	case event == "check_run", event == "check_suite", event == "status":
		if h.Branch = p.runBranch(); h.Branch == "" {
			return nil, nil // of a commit that lander does not wait for
		}
		h.Checks = true
	case event == "push":
		branch, ok := strings.CutPrefix(p.Ref, "refs/heads/")
		if !ok || branch == "" {
			return nil, nil
		}
		h.Branch = branch
		if tip, err := queue.ParseSHA(p.After); err == nil && strings.Trim(p.After, "0") != "" {
			h.Tip = tip
		}
	case event == "issue_comment":
		if p.Issue == nil || p.Issue.PullRequest == nil {
			return nil, nil
		}
		if _, own := forge.HiddenKey(p.Comment.Body); own {
			return nil, nil // lander's own words tell it nothing
		}
		h.Number = queue.Number(p.Issue.Number)
	case p.PullRequest != nil:
		h.Number = queue.Number(p.PullRequest.Number)
	}
	if h.Branch == "" && h.Number <= 0 {
		return nil, fmt.Errorf("decode webhook %s: %w", event, errors.New("it names no pull request"))
	}
	return []forge.Hint{h}, nil
}

// split takes "owner/name" apart, and refuses whatever could lead a request astray.
func split(repo string) (owner, name string, err error) {
	owner, name, ok := strings.Cut(repo, "/")
	if !ok || !plainName(owner) || !plainName(name) {
		return "", "", fmt.Errorf("repository %q: want OWNER/NAME", repo)
	}
	return owner, name, nil
}

func plainName(s string) bool {
	if s == "" || s == "." || s == ".." {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}
