package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"lander/internal/queue"
	"lander/internal/sim"
)

// What is said about simulations.

const (
	shortSimulate = "Play the planner and those of others on made-up or past changes"
	longSimulate  = `Play lander's own planner, the very code that plans a lane, and the strategies of other
merge queues on the same changes, in virtual time, and print what comes of it.

Suites: in a chain every change depends on all ahead of it; over areas, changes that touch
nothing together are independent. Times are from approval to settled, in run lengths; means
over the seeds, and of P95 the range. A queue that grows all the time is unstable.

With --from-history the changes are those of FILE, or of the lane's own past as the
database knows it, and what is printed is what other settings would have done with them.
FILE is CSV whose first line names its columns, or JSON, a list of objects with these names:

  change    a name                             (may be left out)
  approved  when, as in 2026-03-04T12:00:00Z
  settled   when it landed or was dropped      (may be left out)
  run       how long a run of it took, as in 20m, or in seconds  (may be left out)
  verdict   good or bad: did its own tests pass (good if left out)
  with      the change with which it is bad only together  (may be left out)

How long runs take is learnt from run, else from the shortest times to settled, else it is
said with --length.`
	exampleSimulate = `  lander simulate
  lander simulate --cell 12,20m,4 --p 0.01,0.05,0.2 --seeds 5
  lander simulate --suite areas --cell 500,300 --missed 0.05
  lander simulate --from-history past.csv --window 1,4,8
  lander simulate --from-history --lane acme/app:main`

	usageSimulateSuite = "`suite` to play: chain or areas"
	usageCell          = "`cell` to play, changes an hour, run length and runs at a time, as in 12,20m,4, over areas as in 500,300; more than once for several (default: all of the suite)"
	usageStrategy      = "`names` of strategies, with commas (default: all of the suite)"
	usageSeeds         = "`number` of seeds that everything is played with"
	usageChanges       = "`number` of changes that count in each (default: 1800, or those of 10 run lengths if they are more)"
	usageBad           = "`share` of changes that are bad, as in 0.05; several with commas (default: 0.05)"
	usageFlake         = "`share` of runs that fail by chance; several with commas (default: 0)"
	usageAgain         = "`share` of those that fail by chance again when only that is run again (default: as --flake)"
	usageRerun         = "what running only what failed again takes, as a `share` of a run, or from and to (default: 0.06-0.1)"
	usageNamed         = "`share` of culprits that a red run names, beside the first (default: 1)"
	usageMissedAreas   = "`share` of real dependencies that the policy does not see"
	usageEverything    = "`share` of changes that the policy takes to touch everything"
	usageSVG           = "`file` to draw turnaround against load into"
	usageFromHistory   = "play what really happened, as FILE or the database tells"
	usageHistoryLane   = "which `lane`'s past, as in acme/app:main; may be left out where there is one"
	usageWindow        = "`numbers` of runs at a time that the lane may have, with commas (default: 1,2,4,8)"
	usageBatch         = "`numbers` of changes that a candidate may have, with commas; 0: as many as the planner likes (default: 1,0)"
	usageWorkers       = "`number` of runs at a time that there is room for (default: as many as the window)"
	usageLength        = "how long a run takes, as in 20m (default: as the past tells)"

	titlePicture = "Turnaround against load"
)

func errSuite(given string) error {
	return fmt.Errorf("--suite wants chain or areas, not %q", given)
}

func errSeeds(given int) error {
	return fmt.Errorf("--seeds wants a number from 1 to 1000, not %d", given)
}

func errChanges(given int) error {
	return fmt.Errorf("--changes wants a number from 100 on, not %d", given)
}

func errWorkers(given int) error {
	return fmt.Errorf("--workers wants a number from 1 on, not %d", given)
}

func errLength(given time.Duration) error {
	return fmt.Errorf("--length wants a length of time as in 20m, not %s", given)
}

func errNotOfHistory(name string) error {
	return fmt.Errorf("--%s is about a suite, and --from-history plays none; leave one out", name)
}

func errOnlyHistory(name string) error { return fmt.Errorf("--%s needs --from-history", name) }

func errOnlyAreas(name string) error { return fmt.Errorf("--%s needs --suite areas", name) }

func errFileAlone(name string) error {
	return fmt.Errorf("%q is a file to play only with --from-history", name)
}

func errShare(flag, given string) error {
	return fmt.Errorf("--%s wants a number from 0 to 1, not %q", flag, given)
}

func errOneShare(flag string) error { return fmt.Errorf("--%s wants one number", flag) }

func errCount(flag, given string, least int) error {
	return fmt.Errorf("--%s wants whole numbers from %d to %d, not %q", flag, least, mostRuns, given)
}

func errCell(suite, given string) error {
	if suite == suiteAreas {
		return fmt.Errorf("--cell %q: want changes an hour and runs at a time, as in 500,300", given)
	}
	return fmt.Errorf("--cell %q: want changes an hour, run length and runs at a time, as in 12,20m,4", given)
}

func errRerun(given string) error {
	return fmt.Errorf("--rerun %q: want a share of a run, as in 0.1, or from and to, as in 0.06-0.1", given)
}

func errStrategy(given string, known []string, nearest string) error {
	if nearest != "" {
		return fmt.Errorf("--strategy %q: there is none; did you mean %s?", given, nearest)
	}
	return fmt.Errorf("--strategy %q: there is none in this suite; there are: %s", given, strings.Join(known, ", "))
}

func errPicture(err error) error { return fmt.Errorf("write picture: %w", err) }

// sayCell is what a table is about.
func sayCell(w sim.Workload) string {
	text := fmt.Sprintf("%g changes an hour, %s, each %s: %s bad", w.Rate, count(w.Workers, "run at a time", "runs at a time"), minutes(w.Length), percent(w.Bad))
	if w.Flake > 0 {
		text += fmt.Sprintf(", %s of runs red by chance", percent(w.Flake))
	}
	if w.Areas != nil {
		text += ", areas"
		if w.Areas.Missed > 0 {
			text += fmt.Sprintf(" that miss %s of what depends", percent(w.Areas.Missed))
		}
		if w.Areas.Everything > 0 {
			text += fmt.Sprintf(", %s touch everything", percent(w.Areas.Everything))
		}
	}
	return text
}

func headSimulate(w sim.Workload) []string {
	head := []string{"STRATEGY", "P50", "P95", "RANGE", "P99", "WORST", "RUNS", "RERUNS", "CANCELLED", "USE", "AN HOUR", "FALSE DROPS"}
	if w.Areas != nil {
		head[4], head[5], head[11] = "P50/ORACLE", "P95/ORACLE", "RED ON TRUNK"
	}
	return head
}

func sayRow(r sim.Result, oracle *sim.Result) []string {
	f := func(of func(sim.Outcome) float64) string { return fmt.Sprintf("%.2f", r.Figure(of).Mean) }
	share := func(of func(sim.Outcome) float64) string { return percent(r.Figure(of).Mean) }
	w, _ := r.Source.(sim.Workload)
	name := r.Strategy.Name()
	hourly := fmt.Sprintf("%.1f", r.Figure(func(o sim.Outcome) float64 { return o.PerHour }).Mean)
	if r.Unstable() > 0 {
		return []string{name, "unstable", "", "", "", "", "", "", "", "", hourly, ""}
	}
	spread := r.Figure(p95Of)
	row := []string{
		name, f(p50Of), f(p95Of), fmt.Sprintf("%.2f-%.2f", spread.Min, spread.Max), f(func(o sim.Outcome) float64 { return o.P99 }),
		f(func(o sim.Outcome) float64 { return o.Worst }), f(runsOf), f(rerunsOf), share(func(o sim.Outcome) float64 { return o.Cancelled }),
		share(func(o sim.Outcome) float64 { return o.Use }), hourly, share(falselyOf),
	}
	if w.Areas != nil {
		row[4], row[5], row[11] = "", "", share(redLandedOf)
		if oracle != nil && oracle.Unstable() == 0 {
			row[4] = fmt.Sprintf("%.2f", r.Figure(p50Of).Mean/oracle.Figure(p50Of).Mean)
			row[5] = fmt.Sprintf("%.2f", r.Figure(p95Of).Mean/oracle.Figure(p95Of).Mean)
		}
	}
	return row
}

func saySimulated(results []sim.Result) string {
	seeds := 0
	if len(results) > 0 {
		seeds = len(results[0].Outcomes)
	}
	return "P50, P95, P99 and the worst are from approval to settled, in run lengths; runs, whole ones, and reruns of what failed are for each change. Means over " +
		count(seeds, "seed", "seeds") + "; the range is that of P95."
}

// percent is a share for people.
func percent(x float64) string {
	switch {
	case x == 0:
		return "0 %"
	case x < .001:
		return "<0.1 %"
	case x < .0995:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", 100*x), ".0") + " %"
	}
	return fmt.Sprintf("%.0f %%", 100*x)
}

// minutes is a run length for people.
func minutes(d time.Duration) string {
	if d%time.Minute == 0 {
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return d.Round(time.Second).String()
}

func sayPlayed(done, of int, spent time.Duration) string {
	if of == 0 {
		return "Playing…"
	}
	return fmt.Sprintf("%s %d of %d played, %s", bar(done, of, 20), done, of, span(spent))
}

// About a past.

var (
	errLaneAndFile = errors.New("--lane is about the database, and a FILE is named too; leave one out")
	errNoLanes     = errors.New("the database knows of no lane yet; name a FILE")
)

func errNoHistory(l queue.Lane) error {
	return fmt.Errorf("nothing was settled on %v yet; name a FILE", l)
}

func errNoDatabase(dir string) error {
	return fmt.Errorf("there is no database in %s: name it with --data or LANDER_DATABASE_URL, or name a FILE", dir)
}

func sayHistory(h history) string {
	return fmt.Sprintf("%s, %d of them bad, approved from %s to %s; a run takes %s", count(h.Changes, "change", "changes"), h.Bad, local(h.From), local(h.To), h.Length)
}

var headHistory = []string{"SETTINGS", "BATCH", "ROOM FOR", "P50", "P95", "WAITED", "SAVED", "RUNS", "RERUNS", "RUN TIME"}

func sayAsItWas(h history) []string {
	return []string{"as it was", "", "", seconds(h.P50), seconds(h.P95), hours(h.Waited), "", "", "", ""}
}

func sayWhatIf(r whatIfRow) []string {
	batch := "any"
	if r.Batch > 0 {
		batch = fmt.Sprintf("up to %d", r.Batch)
	}
	if r.Open >= 1 {
		return []string{fmt.Sprintf("window %d", r.Window), batch, fmt.Sprint(r.Workers), fmt.Sprintf("%.0f not settled", r.Open), "", "", "", "", "", ""}
	}
	return []string{
		fmt.Sprintf("window %d", r.Window), batch, fmt.Sprint(r.Workers), seconds(r.P50), seconds(r.P95), hours(r.Waited), hours(r.Saved),
		fmt.Sprintf("%.0f", r.Runs), fmt.Sprintf("%.0f", r.Reruns), hours(r.Work),
	}
}

func sayHistoryEnd(h history) string {
	against := "how it was"
	if h.Known < h.Changes {
		against = "the first setting, for it is not known of all changes when they were settled"
	}
	return "Waited is from approval to settled, of all changes together; saved is against " + against + ". Means over " + count(h.Seeds, "seed", "seeds") + "."
}

// seconds is a length of time, given in seconds, for people who compare.
func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	switch {
	case s < 0:
		return "-" + seconds(-s)
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", s)
	case d < 2*time.Hour:
		return fmt.Sprintf("%.1f min", d.Minutes())
	}
	return fmt.Sprintf("%.1f h", d.Hours())
}

func hours(h float64) string { return seconds(3600 * h) }
