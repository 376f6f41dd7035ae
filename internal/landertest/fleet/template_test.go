package fleet

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"lander/internal/hub"
	"lander/internal/queue"
	"lander/internal/vcs"
)

const (
	bot    = "lander"
	owner  = "ada" // may push past lander
	author = "noor"
	review = "maya"
)

// template is a hub with everything that the worlds have in common.
type template struct {
	dir   string
	heads map[queue.Number]string
}

const (
	app          = "acme/app"
	ledgerPrefix = "lander-ledger/"
)

// The four pull requests of a cell.
const (
	late      = 1 // needs a rebase
	plain     = 2
	red       = 3
	withdrawn = 4
)

// others make a train long; they are in the worlds that have trains.
var others = []int{5, 6, 7}

// How the worlds test: one change after the other, or in trains of batches.
const (
	oneAtATime = "window: 1\nbatch: {max: 1}\n"
	ofTwo      = "window: 5\nbatch: {max: 2}\n"
)

func newTemplate(dir, policy string) (*template, error) {
	h, err := hub.Open(dir, hub.Options{})
	if err != nil {
		return nil, err
	}
	err = furnish(h, app, policy)
	for _, p := range []struct {
		branch, from string
		commits      []hub.Commit
	}{
		{"late", "main~1", []hub.Commit{write("one of late", "late.txt", "1\n"), write("two of late", "late.txt", "1\n2\n")}},
		{"plain", "main", []hub.Commit{write("plain", "plain.txt", "1\n")}},
		{"red", "main", []hub.Commit{write("red", "wrong.txt", "red\n")}},
		{"withdrawn", "main", []hub.Commit{write("withdrawn", "withdrawn.txt", "1\n")}},
	} {
		if err != nil {
			break
		}
		err = propose(h, app, "main", p.branch, p.from, p.commits...)
	}
	for _, n := range others {
		if name := fmt.Sprint("other-", n); err == nil && policy == ofTwo {
			err = propose(h, app, "main", name, "main~1", write(name, name+".txt", "1\n"))
		}
	}
	made := &template{dir, map[queue.Number]string{}}
	if pulls, wrong := h.Pulls(app); err == nil {
		err = wrong
		for _, p := range pulls {
			made.heads[queue.Number(p.Number)] = p.HeadSHA
		}
	}
	return made, errors.Join(err, h.Close())
}

func write(message, path, text string) hub.Commit {
	return hub.Commit{Message: message, Files: map[string]string{path: text}}
}

// furnish makes the people and a repository with a history of three commits on each trunk.
func furnish(h *hub.Hub, repo, policy string, trunks ...string) error {
	roles := map[string]hub.Role{owner: hub.RoleAdmin, review: hub.RoleMaintain, author: hub.RoleWrite, bot: hub.RoleAdmin}
	for login := range roles {
		kind := "User"
		if login == bot {
			kind = "Bot"
		}
		if _, err := h.AddUser(hub.User{Login: login, Type: kind}); err != nil {
			return err
		}
	}
	if err := h.AddRepo(repo, hub.Seed{Branch: "main", Message: "Begin", Files: map[string]string{
		queue.PolicyFile: "version: 1\n" + policy + "suite:\n  timeout: 60s\n  quiet: 30s\n  steps:\n    - {name: unit, run: sh test.sh}\n",
		"test.sh":        "! grep -n red *.txt\n",
		"readme.txt":     "A place to break.\n",
	}}); err != nil {
		return err
	}
	for login, role := range roles {
		if err := h.SetRole(repo, login, role); err != nil {
			return err
		}
	}
	more := []hub.Commit{write("Second", "second.txt", "2\n"), write("Third", "third.txt", "3\n")}
	if _, err := h.Push(repo, hub.Push{By: owner, Branch: "main", Commits: more}); err != nil {
		return err
	}
	for _, trunk := range append([]string{"main"}, trunks...) {
		if trunk != "main" {
			if _, err := h.Push(repo, hub.Push{By: owner, Branch: trunk, From: "main"}); err != nil {
				return err
			}
		}
		for _, branch := range []string{trunk, ledgerPrefix + trunk} {
			bypass := []string{owner}
			if branch != trunk {
				bypass = nil
			}
			if err := h.Protect(repo, branch, hub.Protection{Push: []string{bot}, Bypass: bypass}); err != nil {
				return err
			}
		}
	}
	_, err := h.AddToken(bot, token)
	return err
}

// propose opens a pull request. from is a branch, or one with ~1 behind it.
func propose(h *hub.Hub, repo, trunk, branch, from string, commits ...hub.Commit) error {
	if name, back := strings.CutSuffix(from, "~1"); back {
		dir, err := h.GitDir(repo)
		if err != nil {
			return err
		}
		if from, err = (vcs.Git{Dir: dir}).Text(context.Background(), "rev-parse", "refs/heads/"+name+"~1"); err != nil {
			return err
		}
	}
	if _, err := h.Push(repo, hub.Push{By: author, Branch: branch, From: from, Commits: commits}); err != nil {
		return err
	}
	_, err := h.OpenPull(repo, hub.NewPull{Author: author, Title: branch, Head: branch, Base: trunk})
	return err
}
