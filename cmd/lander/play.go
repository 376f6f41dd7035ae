package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"lander/internal/demo"
	"lander/internal/queue"
)

// play plays the story.
func (p *program) play(ctx context.Context, o demo.Options, f demoFlags) error {
	ctx, cancel := context.WithTimeoutCause(ctx, f.limit, errTooLong(f.limit))
	defer cancel()
	s := &stage{p: p, began: time.Now()}
	if p.terminal(p.stdout) && !p.json && !f.verbose {
		s.screen = p.live(p.stdout, false)
	}
	end := s.run()
	r, err := demo.Play(ctx, o, s.hear)
	end()
	if err != nil {
		return err
	}
	if p.json {
		err = p.printLine(r)
	} else {
		p.tellStory(r)
	}
	if err == nil && !r.OK {
		err = no(nil)
	}
	return err
}

// stage shows the story as it is played: as a picture that changes on a terminal, else line by line.
type stage struct {
	p      *program
	began  time.Time
	screen *live // nil: not on a terminal

	mu    sync.Mutex
	pulls []pull
	lines []string // what was told
}

// pull is a pull request as it stands now.
type pull struct {
	demo.News
	asked bool // it was in the queue at some time
}

func (p pull) decided() bool {
	switch p.Stage {
	case queue.StageLanded, queue.StageDropped, queue.StageHeld:
		return true
	case queue.StageIdle:
		return p.asked
	}
	return false
}

func (p pull) stage() string {
	switch {
	case p.Stage == queue.StageIdle && p.asked:
		return sayLeftLine
	case p.Stage == queue.StageIdle:
		return sayOpenPull
	}
	return string(p.Stage)
}

func (s *stage) hear(n demo.News) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.Number > 0 {
		for len(s.pulls) < n.Number {
			s.pulls = append(s.pulls, pull{})
		}
		now := &s.pulls[n.Number-1]
		now.News, now.asked = n, now.asked || n.Stage != queue.StageIdle
	}
	if n.Line == "" {
		return
	}
	line := fmt.Sprintf("%6.1f s  %s", time.Since(s.began).Seconds(), clean(n.Line))
	s.lines = append(s.lines, line)
	if s.screen == nil && !s.p.json {
		fmt.Fprintln(s.p.stdout, line)
	}
}

// run draws until end is called.
func (s *stage) run() (end func()) {
	if s.screen == nil {
		return func() {}
	}
	return s.screen.animate(s.picture)
}

func (s *stage) picture(columns, lines int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pulls) == 0 {
		return []string{cut(sayStarting, columns)}
	}
	t := table{paint: s.p.paintStage(2)}
	decided, first := 0, -1
	for i, n := range s.pulls {
		t.row(fmt.Sprintf("#%d", n.Number), n.Title, n.stage(), n.Reason)
		if n.decided() {
			decided++
		} else if first < 0 {
			first = i
		}
	}
	out := []string{s.p.bold(cut(sayPlaying(decided, len(s.pulls), time.Since(s.began)), columns)), ""}
	told := s.lines[max(0, len(s.lines)-max(1, min(4, lines-len(s.pulls)-3))):] // the table goes first
	out = append(out, around(t.lines(columns), first, lines-len(out)-len(told)-1)...)
	out = append(out, "")
	for _, line := range told {
		out = append(out, cut(line, columns))
	}
	return out
}

// around keeps as many lines as fit, so that line i, and what is just before it, is among them.
func around(lines []string, i, most int) []string {
	most = max(most, 1)
	from := min(max(0, i-2), max(0, len(lines)-most))
	return lines[from:min(len(lines), from+most)]
}

func (p *program) tellStory(r demo.Result) {
	t := table{head: []string{"", "CHANGE", "TITLE", "FATE", "COMMIT", "WHY"}, paint: p.paintStage(3)}
	for _, f := range r.Fates {
		mark := "ok"
		if !f.Met {
			mark = "WRONG"
			f.Reason = sayExpected(f)
		}
		t.row(mark, fmt.Sprintf("#%d", f.Number), f.Title, f.Actual, queue.SHA(f.Commit).Short(), f.Reason)
	}
	if !p.terminal(p.stdout) {
		fmt.Fprintln(p.stdout)
	}
	p.showTable(t)
	fmt.Fprintln(p.stdout)
	for _, line := range sayStory(r) {
		fmt.Fprintln(p.stdout, line)
	}
}
