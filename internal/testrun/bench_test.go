package testrun

import (
	"os/exec"
	"testing"
	"time"

	"lander/internal/queue"
)

// BenchmarkRunTrue against BenchmarkBareTrue is what a run costs beyond its command, when the checkout takes no time.
func BenchmarkRunTrue(b *testing.B) { benchTrue(b, 0) }

// BenchmarkRunTrueAfterCheckout is the same beside a checkout of the length that is usual, in which the supervisor starts;
// beyond/op leaves the checkout out.
func BenchmarkRunTrueAfterCheckout(b *testing.B) { benchTrue(b, 15*time.Millisecond) }

func benchTrue(b *testing.B, checkout time.Duration) {
	r, s := newRunner(b)
	s.onCheckout(func() { time.Sleep(checkout) })
	job := jobOf(steps("true"))
	for b.Loop() {
		if v := r.Run(b.Context(), job); v.Outcome != queue.Green {
			b.Fatal(v)
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)-float64(checkout), "beyond-ns/op")
}

func BenchmarkBareTrue(b *testing.B) {
	for b.Loop() {
		if err := exec.Command("/bin/sh", "-c", "true").Run(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOutput is how fast a command can write through to the log.
func BenchmarkOutput(b *testing.B) {
	r, _ := newRunner(b)
	job := jobOf(steps("head -c 50000000 /dev/zero"))
	b.SetBytes(50_000_000)
	for b.Loop() {
		if v := r.Run(b.Context(), job); v.Outcome != queue.Green {
			b.Fatal(v)
		}
	}
}
