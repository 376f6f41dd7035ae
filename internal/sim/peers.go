package sim

import (
	"container/heap"
	"slices"
)

// Strategy is a way to decide what to test next.
type Strategy struct {
	Name string
	Who  string
	Play func(w Chain, seed uint64) Outcome
}

// Strategies are lander's and those of others, as far as they are described in public.
func Strategies() []Strategy {
	return []Strategy{
		{"lander", "lander", Lander},
		{"serial", "rust-lang/bors, marge-bot", Serial},
		{"batch and bisect", "bors-ng, gitea-mq", BatchBisect},
		{"pool batch", "Prow Tide", PoolBatch},
		{"optimistic", "GitHub, GitLab, Aviator, Trunk", Optimistic},
		{"windowed", "Zuul", Windowed},
		{"best first", "Uber SubmitQueue", BestFirst},
		{"oracle", "nobody", Oracle},
	}
}

// Serial tests one change at a time.
func Serial(w Chain, seed uint64) Outcome {
	e := newEngine(w, seed)
	busy := false
	return e.play(func() {
		if busy || len(e.waiting) == 0 {
			return
		}
		busy = true
		e.start(e.waiting[:1], func(j *job) {
			busy = false
			e.finish(j)
		})
	})
}

// finish settles the members of a run by its result.
func (e *engine) finish(j *job) {
	if j.red {
		e.settle(dropped, j.members...)
	} else {
		e.settle(landed, j.members...)
	}
}

// BatchBisect tests all that wait together, and the halves of what is red one after the other.
func BatchBisect(w Chain, seed uint64) Outcome {
	e := newEngine(w, seed)
	busy := false
	var halves [][]int
	return e.play(func() {
		if busy {
			return
		}
		var next []int
		switch {
		case len(halves) > 0:
			next, halves = halves[0], halves[1:]
		case len(e.waiting) > 0:
			next = slices.Clone(e.waiting)
		default:
			return
		}
		busy = true
		e.start(next, func(j *job) {
			busy = false
			if n := len(j.members); j.red && n > 1 {
				halves = append([][]int{j.members[:n/2], j.members[n/2:]}, halves...)
				return
			}
			e.finish(j)
		})
	})
}

// poolBatch is how many changes Tide takes into a batch.
const poolBatch = 5

// PoolBatch tests every change alone when it comes, and then, on trunk, one of them beside a batch of others.
func PoolBatch(w Chain, seed uint64) Outcome {
	e := newEngine(w, seed)
	passed, asked := map[int]bool{}, map[int]bool{}
	var serial, batch *job
	return e.play(func() {
		var pool []int
		for _, i := range e.waiting {
			if passed[i] {
				pool = append(pool, i)
			}
		}
		if serial == nil && len(pool) > 0 && e.free > 0 {
			serial = e.start(pool[:1], func(j *job) {
				serial = nil
				e.finish(j)
				if !j.red { // trunk moved
					e.cancel(batch)
					batch = nil
				}
			})
		}
		if batch == nil && len(pool) > 1 && e.free > 0 {
			batch = e.start(pool[:min(len(pool), poolBatch)], func(j *job) {
				batch = nil
				if !j.red {
					e.settle(landed, j.members...)
					e.cancel(serial)
					serial = nil
				}
			})
		}
		for _, i := range e.waiting {
			if e.free == 0 {
				break
			}
			if !asked[i] {
				asked[i] = true
				e.start([]int{i}, func(j *job) {
					if passed[i] = !j.red; j.red && e.state[i] == unsettled {
						e.settle(dropped, i)
					}
				})
			}
		}
	})
}

// Optimistic tests each change on the assumption that all ahead pass; when one does not, all behind it begin anew.
func Optimistic(w Chain, seed uint64) Outcome {
	return train(w, seed, func(bool) int { return w.Workers })
}

// Windowed is optimistic within a window that grows with success and shrinks with failure.
func Windowed(w Chain, seed uint64) Outcome {
	const first, floor = 20, 3
	window := first
	return train(w, seed, func(red bool) int {
		return min(window, w.Workers)
	}, func(red bool) {
		if window++; red {
			window = max((window-1)/2, floor)
		}
	})
}

func train(w Chain, seed uint64, most func(bool) int, ended ...func(red bool)) Outcome {
	e := newEngine(w, seed)
	jobs := map[int]*job{} // of a change, on all that are ahead of it
	result := map[int]*job{}
	settle := func() {
		for len(e.waiting) > 0 {
			i := e.waiting[0]
			j := result[i]
			if j == nil {
				return
			}
			for _, f := range ended {
				f(j.red)
			}
			if j.red {
				for _, k := range e.waiting[1:] {
					e.cancel(jobs[k])
					delete(jobs, k)
					delete(result, k)
				}
				e.settle(dropped, i)
			} else {
				e.settle(landed, i)
			}
		}
	}
	return e.play(func() {
		for n, i := range e.waiting {
			if e.free == 0 || n >= most(false) {
				break
			}
			if jobs[i] == nil {
				jobs[i] = e.start(e.waiting[:n+1], func(j *job) {
					result[i] = j
					settle()
				})
			}
		}
	})
}

// BestFirst builds, of all ways in which those ahead may turn out, the most probable ones first.
func BestFirst(w Chain, seed uint64) Outcome {
	e := newEngine(w, seed)
	jobs := map[string]*job{} // by what is assumed to land, and the change itself
	green := map[string]bool{}
	red := map[string]bool{}
	good := 1 - w.Bad
	key := func(members []int) string {
		b := make([]byte, 0, 4*len(members))
		for _, i := range members {
			b = append(b, byte(i), byte(i>>8), byte(i>>16), ',')
		}
		return string(b)
	}
	return e.play(func() {
		for len(e.waiting) > 0 { // what the front's result settles
			k := key(e.waiting[:1])
			switch {
			case green[k]:
				e.settle(landed, e.waiting[0])
				jobs, green, red = shifted(e, jobs, green, red, k)
				continue
			case red[k]:
				i := e.waiting[0]
				e.settle(dropped, i)
				jobs, green, red = without(e, jobs, green, red, k)
				continue
			}
			break
		}
		// The most probable paths through the tree of outcomes, as many as there are workers.
		wanted := map[string][]int{}
		h := &paths{{p: 1}}
		for len(*h) > 0 && len(wanted) < w.Workers {
			at := heap.Pop(h).(path)
			if at.next == len(e.waiting) {
				continue
			}
			i := e.waiting[at.next]
			members := append(slices.Clone(at.members), i)
			k := key(members)
			if !green[k] && !red[k] {
				wanted[k] = members
			}
			pass := good
			if green[k] {
				pass = 1
			} else if red[k] {
				pass = 0
			}
			if pass > 0 {
				heap.Push(h, path{at.p * pass, at.next + 1, members})
			}
			if pass < 1 {
				heap.Push(h, path{at.p * (1 - pass), at.next + 1, at.members})
			}
		}
		for k, j := range jobs {
			if wanted[k] == nil && !j.ended {
				e.cancel(j)
				delete(jobs, k)
			}
		}
		var keys []string
		for k := range wanted {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			if jobs[k] != nil || e.free == 0 {
				continue
			}
			jobs[k] = e.start(wanted[k], func(j *job) {
				k := k
				for len(k) > 0 && e.state[first(k)] == landed { // trunk has it now
					k = k[4:]
				}
				if j.red {
					red[k] = true
				} else {
					green[k] = true
				}
			})
		}
	})
}

func first(k string) int { return int(k[0]) | int(k[1])<<8 | int(k[2])<<16 }

// shifted names results and jobs anew after the front has landed: those that assumed it stand; others do not.
func shifted(e *engine, jobs map[string]*job, green, red map[string]bool, front string) (map[string]*job, map[string]bool, map[string]bool) {
	nj, ng, nr := map[string]*job{}, map[string]bool{}, map[string]bool{}
	for k, j := range jobs {
		if len(k) > 4 && k[:4] == front[:4] {
			nj[k[4:]] = j
		} else {
			e.cancel(j)
		}
	}
	for k := range green {
		if len(k) > 4 && k[:4] == front[:4] {
			ng[k[4:]] = true
		}
	}
	for k := range red {
		if len(k) > 4 && k[:4] == front[:4] {
			nr[k[4:]] = true
		}
	}
	return nj, ng, nr
}

// without drops results and jobs that assumed the front, which has failed.
func without(e *engine, jobs map[string]*job, green, red map[string]bool, front string) (map[string]*job, map[string]bool, map[string]bool) {
	nj, ng, nr := map[string]*job{}, map[string]bool{}, map[string]bool{}
	for k, j := range jobs {
		if k[:4] != front[:4] {
			nj[k] = j
		} else {
			e.cancel(j)
		}
	}
	for k := range green {
		if k[:4] != front[:4] {
			ng[k] = true
		}
	}
	for k := range red {
		if k[:4] != front[:4] {
			nr[k] = true
		}
	}
	return nj, ng, nr
}

// path is a way in which those ahead may turn out.
type path struct {
	p       float64
	next    int
	members []int
}

type paths []path

func (p paths) Len() int { return len(p) }
func (p paths) Less(i, j int) bool {
	return p[i].p > p[j].p || p[i].p == p[j].p && p[i].next < p[j].next
}
func (p paths) Swap(i, j int) { p[i], p[j] = p[j], p[i] }
func (p *paths) Push(x any)   { *p = append(*p, x.(path)) }
func (p *paths) Pop() any {
	old := *p
	x := old[len(old)-1]
	*p = old[:len(old)-1]
	return x
}

// Oracle knows who will land, and tests each change once, on exactly those.
func Oracle(w Chain, seed uint64) Outcome {
	e := newEngine(w, seed)
	good := make([]bool, len(e.changes))
	for i, c := range e.changes {
		good[i] = !c.bad && !slices.ContainsFunc(c.clash, func(j int) bool { return j < i && good[j] })
	}
	asked, ended := map[int]bool{}, map[int]bool{}
	return e.play(func() {
		for _, i := range e.waiting {
			if e.free == 0 {
				break
			}
			if !asked[i] {
				asked[i] = true
				j := e.start([]int{i}, func(*job) {
					ended[i] = true
					for len(e.waiting) > 0 && ended[e.waiting[0]] {
						f := dropped
						if good[e.waiting[0]] {
							f = landed
						}
						e.settle(f, e.waiting[0])
					}
				})
				j.red = !good[i]
			}
		}
	})
}
