package sim

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

// poolBatch takes every change to have passed alone before it was approved, as Prow sees to; what that took is not counted. Where both runs
// end at once the batch lands.
func poolBatch(e *engine) Outcome {
	var single, batch *job
	return e.play(func() {
		if batch == nil && len(e.waiting) > 1 && (e.free > 1 || e.free == 1 && single != nil) {
			batch = e.test(nil, e.waiting[:min(len(e.waiting), tideBatch)], func(j *job) {
				batch = nil
				if !j.red {
					e.finish(j)
					e.cancel(single) // trunk moved
					single = nil
				}
			})
		}
		if single == nil && len(e.waiting) > 0 && e.free > 0 {
			single = e.test(nil, e.waiting[:1], func(j *job) {
				single = nil
				e.finish(j)
				e.cancel(batch) // trunk moved, or one of the batch is out
				batch = nil
			})
		}
	})
}
