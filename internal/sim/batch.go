package sim

import "slices"

func batchBisect(e *engine) Outcome {
	busy := false
	var halves [][]int
	return e.play(func() {
		if busy || len(halves) == 0 && len(e.waiting) == 0 {
			return
		}
		next := e.waiting
		if len(halves) > 0 {
			next, halves = halves[0], halves[1:]
		}
		busy = true
		e.test(nil, next, func(j *job) {
			busy = false
			if n := len(j.of); j.red && n > 1 {
				halves = append([][]int{j.of[:n/2], j.of[n/2:]}, halves...)
				return
			}
			e.finish(j)
		})
	})
}

// tideBatch is how many changes Tide takes into a batch, as it comes.
const tideBatch = 5

func poolBatch(e *engine) Outcome {
	passed, tested := map[int]bool{}, map[int]bool{}
	var single, batch *job
	return e.play(func() {
		var pool []int
		for _, i := range e.waiting {
			if passed[i] {
				pool = append(pool, i)
			}
		}
		if single == nil && len(pool) > 0 && e.free > 0 {
			single = e.test(nil, pool[:1], func(j *job) {
				single = nil
				e.finish(j)
				if !j.red { // trunk moved
					e.cancel(batch)
					batch = nil
				}
			})
		}
		if batch == nil && len(pool) > 1 && e.free > 0 {
			batch = e.test(nil, pool[:min(len(pool), tideBatch)], func(j *job) {
				batch = nil
				if j.red || slices.ContainsFunc(j.of, func(i int) bool { return e.fate[i] != unsettled }) {
					return
				}
				e.settle(landed, j.of...)
				e.cancel(single)
				single = nil
			})
		}
		for _, i := range e.waiting {
			if e.free == 0 {
				return
			}
			if tested[i] {
				continue
			}
			tested[i] = true
			e.test(nil, []int{i}, func(j *job) {
				if passed[i] = !j.red; j.red && e.fate[i] == unsettled {
					e.settle(dropped, i)
				}
			})
		}
	})
}
