package demo

import (
	"context"
	"time"

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

// openSample opens a world with the sample repository and its pull requests.
func openSample(ctx context.Context, o Options, files map[string]string) (*world, error) {
	o.keep = true
	return open(ctx, o, repository, func(h *hub.Hub) error { return fill(ctx, h, files, time.Now()) })
}
