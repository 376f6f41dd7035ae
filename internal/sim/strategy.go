package sim

// Strategy decides what is tested next.
type Strategy interface {
	// Name is how it is called: on the command line, in tables, in pictures.
	Name() string
	// Who is known to do it that way.
	Who() string
	// Play lets it decide for all changes of a trace. What is left to chance within runs follows from the seed.
	Play(t *Trace, seed uint64) Outcome
}

// Strategies are lander's and those of others, for a chain, or for areas.
func Strategies(areas bool) []Strategy {
	if areas {
		return []Strategy{Lander{}, Serial, Optimistic, BestFirst, Oracle}
	}
	return []Strategy{Lander{}, Serial, BatchBisect, PoolBatch, Optimistic, Windowed, BestFirst, Oracle}
}

// Those of others, as far as they are described in public, and the one that nobody has.
var (
	// Serial tests one change at a time; over areas, one at a time of those that depend on each other.
	Serial Strategy = &peer{"serial", "rust-lang/bors, marge-bot", serial}
	// BatchBisect tests all that wait together, and the halves of what is red one after the other.
	BatchBisect Strategy = &peer{"batch", "bors-ng, gitea-mq", batchBisect}
	// PoolBatch tests one change on trunk, and beside it the first few together.
	PoolBatch Strategy = &peer{"pool", "Prow Tide", poolBatch}
	// Optimistic tests each change on the assumption that all ahead that it depends on pass. Who stands behind a change that is red begins
	// anew without it at once, also while it is open whether one ahead is to blame.
	Optimistic Strategy = &peer{"optimistic", "GitHub, GitLab, Aviator, Trunk", optimistic}
	// Windowed is optimistic within a window that grows with success and shrinks with failure.
	Windowed Strategy = &peer{"windowed", "Zuul", windowed}
	// BestFirst tests each change on the most probable outcomes of what it depends on, as many as there are workers.
	BestFirst Strategy = &peer{"best-first", "Uber SubmitQueue", bestFirst}
	// Oracle knows who will land, and tests each change once, at once, on exactly those.
	Oracle Strategy = &peer{"oracle", "nobody", oracle}
)

type peer struct {
	name, who string
	play      func(*engine) Outcome
}

func (p *peer) Name() string { return p.name }
func (p *peer) Who() string  { return p.who }

func (p *peer) Play(t *Trace, seed uint64) Outcome { return p.play(newEngine(t, seed)) }
