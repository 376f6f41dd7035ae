package landertest

import (
	"context"
	"time"

	"lander/internal/gate"
	"lander/internal/queue"
)

// at does something that lander does, unless lander is dead or dies of it.
func (l *life) at(names []string, do func() error) error {
	if l.dead.Load() {
		return errKilled
	}
	if err := l.struck(false, names); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return l.struck(true, names)
}

func (l *life) struck(after bool, names []string) error {
	p, ok := l.world.points.strike(after, names...)
	switch {
	case !ok:
		return nil
	case p.deed != nil:
		if err := l.world.act(*p.deed); err != nil {
			l.world.Errorf("line %d: %s: %v", p.deed.number, p.deed.text, err)
		}
		return nil
	case p.kill:
		l.dead.Store(true)
		return errKilled
	}
	return errFault
}

// storePort, forgePort, ... are the real things with the points of the road in between.
type storePort struct {
	gate.Store
	life *life
}

func (p storePort) Save(ctx context.Context, s queue.Save) (q queue.Queue, err error) {
	return q, p.life.at(saves(s), func() error { q, err = p.Store.Save(ctx, s); return err })
}

type outboxPort struct {
	gate.Outbox
	life *life
}

func (p outboxPort) Sent(ctx context.Context, seq int64, remote string) error {
	return p.life.at([]string{"sent"}, func() error { return p.Outbox.Sent(ctx, seq, remote) })
}

func (p outboxPort) SendFailed(ctx context.Context, seq int64, reason string, notTill time.Time) error {
	return p.life.at(nil, func() error { return p.Outbox.SendFailed(ctx, seq, reason, notTill) })
}

type mirrorPort struct {
	gate.Mirror
	life *life
}

func (p mirrorPort) Fetch(ctx context.Context, trunk string, heads []queue.Member) (tips gate.Tips, err error) {
	return tips, p.life.at([]string{"fetch"}, func() error { tips, err = p.Mirror.Fetch(ctx, trunk, heads); return err })
}

func (p mirrorPort) Tip(ctx context.Context, trunk string) (tip queue.SHA, err error) {
	return tip, p.life.at([]string{"read"}, func() error { tip, err = p.Mirror.Tip(ctx, trunk); return err })
}

type ledgerPort struct {
	gate.Ledger
	life *life
}

func (p ledgerPort) Append(ctx context.Context, trunk string, old, record queue.SHA) error {
	name := "burn"
	if old == "" {
		name = "adopt"
	}
	return p.life.at([]string{name}, func() error { return p.Ledger.Append(ctx, trunk, old, record) })
}

func (p ledgerPort) Restore(ctx context.Context, trunk string, tip queue.SHA) error {
	return p.life.at([]string{"mend"}, func() error { return p.Ledger.Restore(ctx, trunk, tip) })
}

type builderPort struct {
	gate.Builder
	life *life
}

func (p builderPort) Build(ctx context.Context, r queue.BuildRequest) (b queue.Built, err error) {
	return b, p.life.at([]string{"build"}, func() error { b, err = p.Builder.Build(ctx, r); return err })
}

func (p builderPort) Check(ctx context.Context, r queue.BuildRequest, b queue.Built) error {
	return p.life.at([]string{"check"}, func() error { return p.Builder.Check(ctx, r, b) })
}

type forgePort struct {
	gate.Forge
	life *life
}

func (p forgePort) Look(ctx context.Context, n queue.Number) (s queue.Sight, err error) {
	return s, p.life.at([]string{"look"}, func() error { s, err = p.Forge.Look(ctx, n); return err })
}

func (p forgePort) Open(ctx context.Context, since time.Time) (gs []queue.Glimpse, err error) {
	return gs, p.life.at([]string{"open"}, func() error { gs, err = p.Forge.Open(ctx, since); return err })
}

func (p forgePort) Tell(ctx context.Context, n queue.Notice, remote string) (id string, err error) {
	return id, p.life.at([]string{"tell"}, func() error { id, err = p.Forge.Tell(ctx, n, remote); return err })
}
