package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"lander/internal/hub"
	"lander/internal/vcs"
)

// fill makes the sample repository and its pull requests, none of them approved, or what is missing of them: whoever did it before
// may have been killed. Once the last pull request is there nothing is touched any more, for then people may have changed it all.
// at dates the commits.
func fill(ctx context.Context, h *hub.Hub, files map[string]string, at time.Time) error {
	for _, u := range []hub.User{{Login: maintainer, Name: "Maya"}, {Login: contributor, Name: "Noor"}, {Login: outsider, Name: "Kai"}, {Login: admin, Name: "Ada"}} {
		if _, err := h.AddUser(u); err != nil {
			return err
		}
	}
	if !h.HasRepo(repository) {
		if err := h.AddRepo(repository, hub.Seed{Description: "Prices, taxes and carts in a few lines of shell", Branch: trunk}); err != nil {
			return err
		}
	}
	all := fates(files)
	pulls, err := h.Pulls(repository)
	if err != nil || len(pulls) >= len(all) {
		return err
	}
	for login, role := range map[string]hub.Role{maintainer: hub.RoleMaintain, contributor: hub.RoleWrite, admin: hub.RoleAdmin} {
		if err := h.SetRole(repository, login, role); err != nil {
			return err
		}
	}
	first, err := fillTrunk(ctx, h, files, at)
	if err != nil {
		return err
	}
	for _, f := range all[len(pulls):] { // they are opened in order
		if err := openPull(h, f, first, at); err != nil {
			return fmt.Errorf("open %q: %w", f.title, err)
		}
	}
	return nil
}

// fillTrunk gives trunk its two commits, and returns the first.
func fillTrunk(ctx context.Context, h *hub.Hub, files map[string]string, at time.Time) (first string, err error) {
	tip, err := tipOf(h, repository, trunk)
	if err != nil {
		return "", err
	}
	if tip == "" {
		owner, _, _ := strings.Cut(repository, "/")
		tip, err = h.Push(repository, hub.Push{By: owner, Branch: trunk, Commits: []hub.Commit{{Message: "Begin the abacus", Files: files, At: at}}})
		if err != nil {
			return "", err
		}
	}
	history, err := onTrunk(ctx, h, tip)
	if err != nil {
		return "", err
	}
	first = history[len(history)-1].sha
	if len(history) > 1 {
		return first, nil
	}
	second := hub.Commit{Message: "Say what this is not", Files: map[string]string{"NOTICE": "Not for bookkeeping.\n"}, At: at}
	_, err = h.Push(repository, hub.Push{By: admin, Branch: trunk, From: first, Commits: []hub.Commit{second}})
	return first, err
}

// openPull pushes a fate's branch and opens its pull request.
func openPull(h *hub.Hub, f fate, first string, at time.Time) error {
	author, repo, head, from := f.author, repository, f.name, trunk
	if author == "" {
		author = contributor
	}
	if f.fork {
		_, short, _ := strings.Cut(repository, "/")
		repo, head = author+"/"+short, author+":"+f.name
		if _, err := h.Fork(repository, author); err != nil && !errors.Is(err, hub.ErrExists) {
			return err
		}
	}
	if f.behind {
		from = first
	}
	tip, err := tipOf(h, repo, f.name)
	if err != nil {
		return err
	}
	if tip == "" {
		commits := make([]hub.Commit, len(f.commits))
		for i, c := range f.commits {
			commits[i], commits[i].At = c, at
		}
		if _, err := h.Push(repo, hub.Push{By: author, Branch: f.name, From: from, Commits: commits}); err != nil {
			return err
		}
	}
	_, err = h.OpenPull(repository, hub.NewPull{Author: author, Title: f.title, Body: f.body, Head: head, Draft: f.draft})
	return err
}

// tipOf is where a branch stands; empty when there is none.
func tipOf(h *hub.Hub, repo, branch string) (string, error) {
	tip, err := h.Tip(repo, branch)
	var no *hub.Refusal
	if errors.As(err, &no) && no.Status == http.StatusNotFound {
		return "", nil
	}
	return tip, err
}

// landed is a commit on trunk.
type landed struct{ sha, subject string }

// onTrunk lists what is on trunk, newest first.
func onTrunk(ctx context.Context, h *hub.Hub, tip string) ([]landed, error) {
	dir, err := h.GitDir(repository)
	if err != nil {
		return nil, err
	}
	history, err := vcs.Git{Dir: dir}.Text(ctx, "log", "--first-parent", "--format=%H %s", tip)
	if err != nil {
		return nil, err
	}
	var all []landed
	for line := range strings.Lines(history) {
		sha, subject, _ := strings.Cut(strings.TrimSpace(line), " ")
		all = append(all, landed{sha, subject})
	}
	return all, nil
}
