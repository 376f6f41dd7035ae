package demo

import (
	"context"
	"fmt"

	"lander/internal/hub"
)

// Playground is a demo that people play themselves.
type Playground struct {
	URL    string // lander's pages
	HubURL string // the code host
	You    string // who one is there at first

	world *world
}

// Open starts a playground. What was played in the same directory before is still there.
func Open(ctx context.Context, o Options) (*Playground, error) {
	files, err := sample()
	if err != nil {
		return nil, err
	}
	w, err := openSample(ctx, o, files)
	if err != nil {
		return nil, err
	}
	return &Playground{URL: w.lander.URL(), HubURL: w.url, You: maintainer, world: w}, nil
}

// Wait returns when ctx ends, with nil, or when the playground cannot go on.
func (p *Playground) Wait(ctx context.Context) error { return p.world.lander.Wait(ctx) }

// Close ends it and keeps what was played.
func (p *Playground) Close() error { return p.world.close() }

// openSample opens a world with the sample repository and its pull requests, none of them approved.
func openSample(ctx context.Context, o Options, files map[string]string) (*world, error) {
	return open(ctx, o, repository, func(h *hub.Hub) error {
		for _, u := range []hub.User{{Login: maintainer, Name: "Maya"}, {Login: contributor, Name: "Noor"}, {Login: outsider, Name: "Kai"}, {Login: admin, Name: "Ada"}} {
			if _, err := h.AddUser(u); err != nil {
				return err
			}
		}
		err := h.AddRepo(repository, hub.Seed{Description: "Prices, taxes and carts in a few lines of shell", Branch: trunk, Files: files, Message: "Begin the abacus"})
		if err != nil {
			return err
		}
		for login, role := range map[string]hub.Role{maintainer: hub.RoleMaintain, contributor: hub.RoleWrite, admin: hub.RoleAdmin} {
			if err := h.SetRole(repository, login, role); err != nil {
				return err
			}
		}
		first, err := h.Tip(repository, trunk)
		if err != nil {
			return err
		}
		second := hub.Commit{Message: "Say what this is not", Files: map[string]string{"NOTICE": "Not for bookkeeping.\n"}}
		if _, err := h.Push(repository, hub.Push{By: admin, Branch: trunk, Commits: []hub.Commit{second}}); err != nil {
			return err
		}
		for _, f := range fates(files) {
			if err := openPull(h, f, first); err != nil {
				return fmt.Errorf("open %q: %w", f.title, err)
			}
		}
		return nil
	})
}

// openPull pushes a fate's branch and opens its pull request.
func openPull(h *hub.Hub, f fate, first string) error {
	author, repo, head, from := f.author, repository, f.name, trunk
	if author == "" {
		author = contributor
	}
	if f.fork {
		fork, err := h.Fork(repository, author)
		if err != nil {
			return err
		}
		repo, head = fork, author+":"+f.name
	}
	if f.behind {
		from = first
	}
	if _, err := h.Push(repo, hub.Push{By: author, Branch: f.name, From: from, Commits: f.commits}); err != nil {
		return err
	}
	_, err := h.OpenPull(repository, hub.NewPull{Author: author, Title: f.title, Body: f.body, Head: head, Draft: f.draft})
	return err
}
