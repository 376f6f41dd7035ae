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
	news  []demo.News // of each pull request the newest
	lines []string    // what was told
}

// recent is how many of the lines told are shown below the picture.
const recent = 4

func (s *stage) hear(n demo.News) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.Number > 0 {
		for len(s.news) < n.Number {
			s.news = append(s.news, demo.News{})
		}
		s.news[n.Number-1] = n
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
	if len(s.news) == 0 {
		return []string{cut(sayStarting, columns)}
	}
	t := table{paint: s.p.paintStage(2)}
	decided := 0
	for _, n := range s.news {
		t.row(fmt.Sprintf("#%d", n.Number), n.Title, string(n.Stage), n.Reason)
		switch n.Stage {
		case queue.StageLanded, queue.StageDropped, queue.StageHeld:
			decided++
		}
	}
	told := s.lines[max(0, len(s.lines)-recent):]
	out := []string{s.p.bold(cut(sayPlaying(decided, len(s.news), time.Since(s.began)), columns)), ""}
	out = append(out, tail(t.lines(columns), lines-len(out)-len(told)-1)...)
	out = append(out, "")
	for _, line := range told {
		out = append(out, cut(line, columns))
	}
	return out
}

// tail keeps the last lines that fit.
func tail(lines []string, most int) []string {
	return lines[max(0, len(lines)-max(most, 1)):]
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
