package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"lander/internal/queue"
	"lander/internal/web"
)

func TestATableFitsItsTerminal(t *testing.T) {
	t.Parallel()
	table := table{head: []string{"", "CHANGE", "TITLE", "SINCE", "WHY"}, right: []int{0, 3}}
	table.row("1", "#7", "A short one", "12 s", "")
	table.row("10", "#1234", "宽 and a title that is far too long for so small a terminal", "3 min", "it waits for #7\x1b[2J\nand more")
	for _, c := range []struct {
		columns int
		want    string
	}{
		{0, `
    CHANGE  TITLE                                                        SINCE  WHY
 1  #7      A short one                                                   12 s
10  #1234   宽 and a title that is far too long for so small a terminal  3 min  it waits for #7 [2J and more`},
		{60, `
    CHANGE  TITLE                 SINCE  WHY
 1  #7      A short one            12 s
10  #1234   宽 and a title that…  3 min  it waits for #7 [2…`},
	} {
		got := "\n" + strings.Join(table.lines(c.columns), "\n")
		if got != c.want {
			t.Errorf("%d columns: got%s\nwant%s", c.columns, got, c.want)
		}
	}
	for columns := 5; columns < 140; columns++ {
		for _, line := range table.lines(columns) {
			if cells(line) > columns {
				t.Errorf("%d columns: %q takes %d", columns, line, cells(line))
			}
		}
	}
}

func TestWhatOthersWroteCannotDrawOnTheTerminal(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"plain":                          "plain",
		"\x1b[2Jgone":                    "[2Jgone",
		"two\nlines\tand a tab":          "two lines and a tab",
		"\u202etxt.exe\u202c":            "txt.exe",
		"bad \xff byte":                  "bad ? byte",
		"e\u0301t\u00e9, \u9ce5, \u200b": "e\u0301t\u00e9, \u9ce5,",
	} {
		if got := clean(given); got != want {
			t.Errorf("%q: got %q, want %q", given, got, want)
		}
	}
	if got := cells("e\u0301\u9ce5x"); got != 4 {
		t.Errorf("an accent, a wide letter and an x take %d columns", got)
	}
	if got := cut("\u9ce5\u9ce5\u9ce5\u9ce5", 5); got != "\u9ce5\u9ce5…" {
		t.Errorf("cut to %q", got)
	}
}

func TestSpans(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 59 * time.Second: "59 s", 90 * time.Second: "1 min", 3 * time.Hour: "3 h", 50 * time.Hour: "2 days",
	} {
		if got := span(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		130*time.Millisecond + 400*time.Microsecond: "130 ms", 4*time.Second + 250*time.Millisecond: "4.2 s", 83 * time.Second: "1m23s",
	} {
		if got := took(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
	if count(1, "change", "changes") != "1 change" || count(0, "change", "changes") != "0 changes" {
		t.Error("numbers and their nouns")
	}
}

func TestMoment(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for given, want := range map[string]time.Time{
		"45m": now.Add(45 * time.Minute), "2026-11-23T14:00:00+01:00": now.Add(time.Hour),
	} {
		if got, err := moment(given, now); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v", given, got, err)
		}
	}
	for _, given := range []string{"", "-5m", "0s", "tomorrow", "2026-11-23", "2026-11-23T12:00:00Z"} {
		if got, err := moment(given, now); err == nil {
			t.Errorf("%q: %v", given, got)
		}
	}
}

// A drawing goes over the one before, and the terminal is given back with its cursor.
func TestLive(t *testing.T) {
	t.Parallel()
	for whole, want := range map[bool]string{
		false: "\x1b[?2026h\x1b[?25la\x1b[K\r\nb\x1b[K\r\n\x1b[J\x1b[?2026l" +
			"\x1b[?2026h\r\x1b[2Ac\x1b[K\r\n\x1b[J\x1b[?2026l" +
			"\r\x1b[1A\x1b[J\x1b[?25h",
		true: "\x1b[?2026h\x1b[?1049h\x1b[?25l\x1b[Ha\x1b[K\r\nb\x1b[K\r\n\x1b[J\x1b[?2026l" +
			"\x1b[?2026h\x1b[Hc\x1b[K\r\n\x1b[J\x1b[?2026l" +
			"\x1b[?1049l\x1b[?25h",
	} {
		var out bytes.Buffer
		l := (&program{}).live(&out, whole)
		l.end() // before anything was drawn: nothing to give back
		l.draw(func(int, int) []string { return []string{"a", "b"} })
		l.draw(func(int, int) []string { return []string{"c"} })
		l.end()
		l.end()
		if out.String() != want {
			t.Errorf("whole screen %v:\ngot  %q\nwant %q", whole, out.String(), want)
		}
	}
}

func TestAQueueFitsItsTerminal(t *testing.T) {
	t.Parallel()
	p := &program{stdout: &bytes.Buffer{}}
	v := web.QueueView{Lane: web.LaneView{Lane: "acme/app:main", Tip: "c0ffee0000000000000000000000000000000001"}}
	for n := range 12 {
		v.Queued = append(v.Queued, queue.Standing{Number: queue.Number(n + 1), Position: n + 1, Title: "A change", Stage: queue.StageWaiting})
		v.Recent = append(v.Recent, queue.Standing{Number: queue.Number(n + 100), Title: "A dropped one", Drop: &queue.Drop{Reason: "its tests failed"}})
		v.Landings = append(v.Landings, web.LandingView{Number: queue.Number(n + 200), Title: "A landed one"})
	}
	for most := 6; most < 50; most++ {
		lines := p.queueLines(v, 80, most)
		if len(lines) > most {
			t.Errorf("%d lines, and there is room for %d:\n%s", len(lines), most, strings.Join(lines, "\n"))
		}
		if hidden := !strings.Contains(strings.Join(lines, "\n"), "#12 "); hidden != strings.Contains(strings.Join(lines[:min(15, len(lines))], "\n"), "… and ") {
			t.Errorf("room for %d: what is not shown must be counted:\n%s", most, strings.Join(lines, "\n"))
		}
	}
	all := strings.Join(p.queueLines(v, 0, 0), "\n")
	for _, want := range []string{"12  #12     A change", "\n\nDropped\n#100  A dropped one", "\n\nLanded\n#200  A landed one"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is missing in\n%s", want, all)
		}
	}
}

func TestWhichLinesOfTheStoryAreShown(t *testing.T) {
	t.Parallel()
	lines := strings.Fields("a b c d e f g h")
	for _, c := range []struct {
		i, most int
		want    string
	}{
		{0, 4, "abcd"}, {3, 4, "bcde"}, {7, 4, "efgh"}, {-1, 4, "abcd"}, {5, 20, "abcdefgh"}, {5, 0, "d"},
	} {
		if got := strings.Join(around(lines, c.i, c.most), ""); got != c.want {
			t.Errorf("%d of %d: got %s, want %s", c.i, c.most, got, c.want)
		}
	}
}

func TestALandingSaysWhatWasTested(t *testing.T) {
	t.Parallel()
	for want, l := range map[string]queue.Landing{
		" as 99": {Tip: "99"},
		" as 99, tested per area (api, web), as 77":  {Tip: "99", Tested: "77", Areas: queue.Areas{"api", "web"}},
		" as 99, tested per area (all areas), as 77": {Tip: "99", Tested: "77", Areas: queue.Areas{queue.Everything}},
	} {
		if got := sayLandedAs(queue.Standing{Landing: &l}); !strings.HasSuffix(got, want) {
			t.Errorf("%q, want %q at the end", got, want)
		}
	}
}
