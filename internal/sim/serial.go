package sim

import "slices"

func serial(e *engine) Outcome {
	testing := map[int]bool{}
	return e.play(func() {
		for _, i := range slices.Clone(e.waiting) {
			if e.free == 0 {
				return
			}
			if len(e.deps(i)) > 0 {
				if !e.Areas {
					return // nor can anybody behind it
				}
				continue
			}
			if !testing[i] {
				testing[i] = true
				e.test(nil, []int{i}, e.finish)
			}
		}
	})
}

// oracle tests a bad change too, for that is the only way to show that it is.
func oracle(e *engine) Outcome {
	good := e.fates()
	known := map[int]bool{}
	next := 0 // the first that is not tested yet, nor anybody behind it
	return e.play(func() {
		for _, i := range slices.Clone(e.waiting) {
			if known[i] && len(e.deps(i)) == 0 {
				if good[i] {
					e.settle(landed, i)
				} else {
					e.settle(dropped, i)
				}
			} else if !e.Areas {
				break
			}
		}
		from, _ := slices.BinarySearch(e.waiting, next)
		for _, i := range e.waiting[from:] {
			if e.free == 0 {
				return
			}
			on := slices.DeleteFunc(slices.Clone(e.deps(i)), func(j int) bool { return !good[j] })
			e.test(on, []int{i}, func(*job) { known[i] = true })
			next = i + 1
		}
	})
}
