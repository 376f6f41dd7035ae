package testrun

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"lander/internal/queue"
)

// BenchmarkCaches is a run of "true" in a sandbox that sees its lane's tool caches, 5000 files of 8 KiB, as layers and as a copy, beside one
// whose caches are its own. Medians: layers-ms and copy-ms are what they add.
func BenchmarkCaches(b *testing.B) {
	s, err := proved()
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	layers, copies := *s, *s
	if err := layers.ProveOverlay(b.Context(), filepath.Join(dir, "layers")); err != nil || !layers.overlay {
		b.Fatal("no layers here: ", err, layers.notes)
	}
	n := 0
	timed := func(s *Sandbox, caches, command string) time.Duration {
		n++
		r, _ := newRunner(b)
		r.Sandbox, r.Caches = s, caches
		job := jobOf(steps(command))
		job.ID = fmt.Sprint("run-", n)
		began := time.Now()
		if v := r.Run(b.Context(), job); v.Outcome != queue.Green {
			b.Fatal(v)
		}
		took := time.Since(began)
		if caches != "" {
			if err := r.Landed(job.Lane, job.Candidate); err != nil {
				b.Fatal(err)
			}
		}
		return took
	}
	ways := []struct {
		name, caches string
		box          *Sandbox
		took         []time.Duration
	}{{name: "without", box: s}, {name: "layers", caches: filepath.Join(dir, "layers"), box: &layers}, {name: "copy", caches: filepath.Join(dir, "copies"), box: &copies}}
	for _, w := range ways[1:] {
		timed(w.box, w.caches, "cd /cache; head -c 40960000 /dev/urandom | split -a 4 -b 8192")
	}
	for b.Loop() {
		for i := range ways {
			ways[i].took = append(ways[i].took, timed(ways[i].box, ways[i].caches, "true"))
		}
	}
	median := func(i int) float64 {
		slices.Sort(ways[i].took)
		return ways[i].took[len(ways[i].took)/2].Seconds() * 1000
	}
	b.ReportMetric(median(0), "without-ms")
	b.ReportMetric(median(1)-median(0), "layers-ms")
	b.ReportMetric(median(2)-median(0), "copy-ms")
	b.ReportMetric(median(1)/median(0), "times-without")
	b.ReportMetric(0, "ns/op")
}
