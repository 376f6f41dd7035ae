package testrun

import (
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"lander/internal/queue"
)

// mostSandbox is what a sandbox may add to a run.
const mostSandbox = 25 * time.Millisecond

// BenchmarkSandboxedTrue is a run of "true" in a sandbox, beside one without and the bare command, in turn, the checkout taking
// the time that is usual. Medians: added-ms is what the sandbox costs a run, over-bare-ms what a run in one costs beyond its checkout and the command.
func BenchmarkSandboxedTrue(b *testing.B) {
	s, err := proved()
	if err != nil {
		b.Fatal(err)
	}
	const checkout = 15 * time.Millisecond
	timed := func(do func()) time.Duration {
		began := time.Now()
		do()
		return time.Since(began)
	}
	run := func(s *Sandbox) time.Duration {
		r, shelf := newRunner(b)
		r.Sandbox = s
		shelf.onCheckout(func() { time.Sleep(checkout) })
		return timed(func() {
			if v := r.Run(b.Context(), jobOf(steps("true"))); v.Outcome != queue.Green {
				b.Fatal(v)
			}
		}) - checkout
	}
	var boxed, plain, bare []time.Duration
	for b.Loop() {
		boxed, plain = append(boxed, run(s)), append(plain, run(nil))
		bare = append(bare, timed(func() {
			cmd := exec.Command("/bin/sh", "-c", "true")
			cmd.Stderr = os.Stderr
			if err := cmd.Run(); err != nil {
				b.Fatal(err)
			}
		}))
	}
	for _, all := range [][]time.Duration{boxed, plain, bare} {
		slices.Sort(all)
	}
	ms := func(d time.Duration) float64 { return d.Seconds() * 1000 }
	median := func(all []time.Duration) float64 { return ms(all[len(all)/2]) }
	b.ReportMetric(median(boxed), "boxed-ms")
	b.ReportMetric(median(plain), "plain-ms")
	b.ReportMetric(median(bare), "bare-ms")
	b.ReportMetric(median(boxed)-median(plain), "added-ms")
	b.ReportMetric(median(boxed)-median(bare), "over-bare-ms")
	b.ReportMetric(median(boxed)/median(bare), "times-bare")
	b.ReportMetric(ms(boxed[0]-bare[0]), "least-over-bare-ms")
	b.ReportMetric(0, "ns/op")
	// The fastest of each, for on a busy machine the others tell how busy it is.
	if over := boxed[0] - bare[0]; len(boxed) >= 20 && over > mostSandbox {
		b.Errorf("a run in a sandbox takes %.1f ms, and the bare command %.1f: %v more, and it may be %v", ms(boxed[0]), ms(bare[0]), over, mostSandbox)
	}
}
