package sim

import (
	"strings"
	"testing"
	"time"
)

const told = `change, approved, settled, run, verdict, with
a, 2026-03-04T09:00:00Z, 2026-03-04T09:10:00Z, 10m, good,
b, 2026-03-04T09:05:00Z, 2026-03-04T09:20:00Z, 600, bad,
c, 2026-03-04T09:06:00+00:00, 2026-03-04T09:30:00Z, , , a
d, 2026-03-04T09:07:00Z, 2026-03-04T09:40:00Z, 12m, good,
`

const toldInJSON = `[
	{"change": "a", "approved": "2026-03-04T09:00:00Z", "settled": "2026-03-04T09:10:00Z", "run": "10m", "verdict": "good"},
	{"change": "b", "approved": "2026-03-04T09:05:00Z", "settled": "2026-03-04T09:20:00Z", "run": 600, "verdict": "bad"},
	{"change": "c", "approved": "2026-03-04T09:06:00Z", "settled": "2026-03-04T09:30:00Z", "run": null, "with": "a"},
	{"change": "d", "approved": "2026-03-04T09:07:00Z", "settled": "2026-03-04T09:40:00Z", "run": "12m"}
]`

func TestAPastIsPlayedAgain(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"CSV": told, "CSV with a mark": "\ufeff" + told, "JSON": toldInJSON} {
		past, err := ReadPast(strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		was := past.Waited()
		if was.Changes != 4 || was.Sum != 82*minute || was.P50 != 24*minute || was.P95 != 33*minute {
			t.Errorf("%s: it was %+v", name, was)
		}
		runs := Usual(1, 0, .1)
		runs.Red = [2]float64{1, 1}
		again, err := past.Again(runs)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if r := again.Runs(); r.Length != 10*minute || r.Noise < 0 || r.Noise > .2 {
			t.Errorf("%s: a run takes %v, noise %v", name, r.Length, r.Noise)
		}
		exact := again.On(4)
		exact.trace.Noise = 0
		// Each in a run of its own on those ahead; d begins anew when b is red, and again when c is.
		if got := play(t, Optimistic, exact.Trace(1)); got != "10 15! 25! 35" {
			t.Errorf("%s: played again, %s", name, got)
		}
		if o := (Lander{}).Play(exact.Trace(1), 1); o.Landed != 2 || o.Dropped != 2 || o.FalseDrops > 0 {
			t.Errorf("%s: lander landed %d and dropped %d", name, o.Landed, o.Dropped)
		}
		one, four := 0.0, 0.0 // more room is no worse, by and large: of four changes two are bad, and batches serve as well as runs beside each other
		for seed := range uint64(50) {
			one += (Lander{}).Play(again.On(1).Trace(seed), seed).Mean / 50
			four += (Lander{}).Play(again.On(4).Trace(seed), seed).Mean / 50
		}
		if four > one*1.02 {
			t.Errorf("%s: mean %.2f with four workers, %.2f with one", name, four, one)
		}
	}
}

func TestHowLongARunTakes(t *testing.T) {
	t.Parallel()
	at := func(m int) time.Time { return time.Date(2026, 3, 4, 9, m, 0, 0, time.UTC) }
	waited := func(minutes ...int) (p Past) {
		for i, m := range minutes {
			p.Changes = append(p.Changes, PastChange{Approved: at(i), Settled: at(i + m)})
		}
		return p
	}
	for name, c := range map[string]struct {
		past Past
		said time.Duration
		want time.Duration
		err  string
	}{
		"the shortest waits tell":    {past: waited(9, 30, 8, 20, 21, 22, 23, 24, 25, 26, 27), want: 9 * minute},
		"runs tell better":           {past: Past{Changes: waited(30, 30).Changes, Lengths: []time.Duration{5 * minute, 7 * minute, 6 * minute, 0}}, want: 6 * minute},
		"it was said":                {past: waited(30, 30), said: 4 * minute, want: 4 * minute},
		"nothing tells":              {past: Past{Changes: []PastChange{{Approved: at(0)}}}, err: "how long a run takes"},
		"everything came about once": {past: waited(0), err: "how long a run takes"},
		"nothing happened":           {err: "no changes"},
		"an unknown other":           {past: Past{Changes: []PastChange{{Name: "a", Approved: at(0), With: "z"}}, Lengths: []time.Duration{minute}}, err: `"z"`},
		"itself":                     {past: Past{Changes: []PastChange{{Name: "a", Approved: at(0), With: "a"}}, Lengths: []time.Duration{minute}}, err: "itself"},
	} {
		again, err := c.past.Again(Usual(1, c.said, 0))
		switch {
		case c.err != "":
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want %q", name, err, c.err)
			}
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case again.Runs().Length != c.want:
			t.Errorf("%s: %v, want %v", name, again.Runs().Length, c.want)
		}
	}
}

func TestAPastThatCannotBeRead(t *testing.T) {
	t.Parallel()
	const head = "change,approved,settled,run,verdict,with\n"
	for text, want := range map[string]string{
		"":                                                      "no changes",
		" \n\n":                                                 "no changes",
		"change,aproved\n":                                      `no column "aproved"`,
		"change,run\n":                                          "approved among them",
		head + "a,yesterday,,,,\n":                              `line 2: approved "yesterday"`,
		head + "a,,,,,\n":                                       `line 2: approved ""`,
		head + "a,2026-03-04T09:00:00Z,9,,,\n":                  `settled "9"`,
		head + "a,0001-03-04T09:00:00Z,,,,\n":                   "approved",
		head + "a,2026-03-04T09:00:00Z,,-3,,\n":                 `run "-3"`,
		head + "a,2026-03-04T09:00:00Z,,NaN,,\n":                `run "NaN"`,
		head + "a,2026-03-04T09:00:00Z,,1e99,,":                 `run "1e99"`,
		head + "a,2026-03-04T09:00:00Z,,999h,,":                 `run "999h"`,
		head + "a,2026-03-04T09:00:00Z,,,red,\n":                `verdict "red"`,
		head + "a,2026-03-04T09:00:00Z\n":                       "wrong number of fields",
		head + "a,2026-03-04T09:00:00Z,2026-03-04T08:00:00Z,,,": "before it was approved",
		`[{"change": "a"}]`:                                     `change number 1: approved ""`,
		`[{"aproved": "a"}]`:                                    `no column "aproved"`,
		`[{"change": ["a"]}]`:                                   "change must be a text or a number",
		`[{"approved": "2026-03-04T09:00:00Z", "run": true}]`:   "run must be a text or a number",
		`[{"change": `:                                          "read the past",
	} {
		if _, err := ReadPast(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
