package verify

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// outside stands for a commit that the graph does not hold: an ancestor of its base, or the base itself.
const outside int32 = -1

// node is a commit with its parents as places in the graph.
type node struct {
	commit
	up []int32
}

// graph is the history above a commit that every position of trunk descends from. Its nodes are ordered: parents come first.
type graph struct {
	base  string // empty: the graph is the whole history
	nodes []node
	at    map[string]int32
}

func (l *lens) graph(ctx context.Context, base string, tips []string) (*graph, error) {
	in := tips
	if base != "" {
		in = append([]string{"^" + base}, tips...)
	}
	ids, err := l.list(ctx, in, "--topo-order", "--reverse")
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	g := &graph{base: base, nodes: make([]node, 0, len(ids)), at: make(map[string]int32, len(ids))}
	err = l.read(ctx, ids, func(id string, body []byte) error {
		c, err := parseCommit(id, body)
		if err != nil {
			return fmt.Errorf("read %s: %w", id, err)
		}
		c.seal, c.payload = "", nil
		n := node{commit: c, up: make([]int32, len(c.parents))}
		for i, p := range c.parents {
			n.up[i] = g.place(p)
		}
		g.at[id] = int32(len(g.nodes))
		g.nodes = append(g.nodes, n)
		return nil
	})
	return g, err
}

// list is what git rev-list names.
func (l *lens) list(ctx context.Context, in []string, args ...string) (ids []string, err error) {
	err = l.git(ctx, lines(in), func(r io.Reader) error {
		s := bufio.NewScanner(r)
		for s.Scan() {
			ids = append(ids, s.Text())
		}
		return s.Err()
	}, append([]string{"rev-list", "--stdin"}, args...)...)
	return ids, err
}

// place is where a commit stands in the graph.
func (g *graph) place(id string) int32 {
	if at, ok := g.at[id]; ok {
		return at
	}
	return outside
}

// first is a node's first parent; outside also for a commit without one.
func (g *graph) first(at int32) int32 {
	if len(g.nodes[at].up) == 0 {
		return outside
	}
	return g.nodes[at].up[0]
}

// above says of each node whether the base is an ancestor of it.
func (g *graph) above() []bool {
	all := make([]bool, len(g.nodes))
	for i, n := range g.nodes {
		for k, up := range n.up {
			if all[i] = all[i] || g.base == "" || up != outside && all[up] || n.parents[k] == g.base; all[i] {
				break
			}
		}
		all[i] = all[i] || g.base == ""
	}
	return all
}

// commonBase is a commit that all of these descend from; empty: there is none.
func (l *lens) commonBase(ctx context.Context, ids []string) (string, error) {
	base := ids[0]
	for rest := ids[1:]; len(rest) > 0; { // the system limits the length of a command line
		n := min(len(rest), 500)
		out, err := l.output(ctx, nil, append([]string{"merge-base", "--octopus", base}, rest[:n]...)...)
		if exitStatus(err) == 1 {
			return "", nil
		}
		if err != nil {
			return "", fmt.Errorf("find merge base: %w", err)
		}
		if base = strings.TrimSpace(out); !isName(base, l.digits) {
			return "", errors.New("find merge base: git names none")
		}
		rest = rest[n:]
	}
	return base, nil
}

// known tells which of some names are commits of the repository.
func (l *lens) known(ctx context.Context, ids []string) (map[string]bool, error) {
	found := map[string]bool{}
	if len(ids) == 0 {
		return found, nil
	}
	out, err := l.output(ctx, lines(ids), "cat-file", "--batch-check")
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) == 3 && f[1] == "commit" {
			found[f[0]] = true
		}
	}
	return found, err
}

// marks are the ancestors of where trunk stands, kept up while it moves. A mark is the number of the step with which a node became
// an ancestor; steps count from 1.
type marks struct {
	g    *graph
	step []int32
	tips []int32 // where trunk stood after each step
}

func newMarks(g *graph) *marks {
	return &marks{g: g, step: make([]int32, len(g.nodes)), tips: []int32{outside}}
}

// has reports whether a node is an ancestor of where trunk stands, or that itself.
func (m *marks) has(at int32) bool { return at == outside || m.step[at] != 0 }

// advance lets trunk stand at a node too, and reports whether it descends from the node given, which was trunk's tip before.
func (m *marks) advance(to, from int32) bool {
	touched := from == outside || to == from
	m.tips = append(m.tips, to)
	if m.has(to) {
		return touched
	}
	now := int32(len(m.tips) - 1)
	m.step[to] = now
	for todo := []int32{to}; len(todo) > 0; {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, up := range m.g.nodes[at].up {
			// No way from a descendant of the old tip down to it leads through another of its ancestors.
			touched = touched || up == from
			if up != outside && m.step[up] == 0 {
				m.step[up] = now
				todo = append(todo, up)
			}
		}
	}
	return touched
}

// reset forgets everything, and lets trunk stand at a node.
func (m *marks) reset(to int32) {
	clear(m.step)
	m.tips = m.tips[:1]
	m.advance(to, outside)
}

// forks are the merge bases of trunk and a commit, given the commits at which a walk from it met trunk's history; more than one
// only if branches have merged one another crosswise, or if it cannot be told here.
func (m *marks) forks(met []string) []string {
	best, newest := "", int32(0) // the newest of those that trunk stood at itself
	for _, id := range met {
		if at := m.g.place(id); at != outside && m.step[at] > newest && m.tips[m.step[at]] == at {
			best, newest = id, m.step[at]
		}
	}
	if best == "" && m.g.base != "" {
		for _, id := range met {
			if id == m.g.base {
				best = id
			}
		}
	}
	if best == "" {
		return met
	}
	kept := []string{best}
	for _, id := range met {
		// Whatever was an ancestor when trunk stood at best is one of best.
		if at := m.g.place(id); id != best && at != outside && (newest == 0 || m.step[at] == 0 || m.step[at] > newest) {
			kept = append(kept, id)
		}
	}
	return kept
}
