package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// live is a part of the terminal that is drawn again and again. Each drawing leaves in one write, line by line over the one before,
// so that nothing flickers.
type live struct {
	p     *program
	out   io.Writer
	whole bool // the whole screen, which is given back as it was; otherwise the lines below the cursor
	drawn int  // lines of the last drawing; -1: nothing was drawn yet

	columns, height int // of the terminal, at the last drawing
}

// Sequences that every terminal of today knows; those that do not know the first pair pass it over.
const (
	beginDrawing = "\x1b[?2026h"
	endDrawing   = "\x1b[?2026l"
	hideCursor   = "\x1b[?25l"
	showCursor   = "\x1b[?25h"
	enterScreen  = "\x1b[?1049h"
	leaveScreen  = "\x1b[?1049l"
	home         = "\x1b[H"
	clearLine    = "\x1b[K"
	clearBelow   = "\x1b[J"
)

func (p *program) live(out io.Writer, whole bool) *live {
	return &live{p: p, out: out, whole: whole, drawn: -1}
}

// draw shows the lines that compose gives for a width and a height. Lines may hold styles, and must not be wider than asked.
func (l *live) draw(compose func(columns, lines int) []string) {
	columns, height := l.p.size(l.out)
	l.columns, l.height = columns, height
	columns, height = max(columns, 20), max(height, 4)
	lines := compose(columns, height-1)
	lines = lines[:min(len(lines), height-1)]
	var b strings.Builder
	b.WriteString(beginDrawing)
	switch {
	case l.drawn < 0 && l.whole:
		b.WriteString(enterScreen + hideCursor + home)
	case l.drawn < 0:
		b.WriteString(hideCursor)
	case l.whole:
		b.WriteString(home)
	case l.drawn > 0:
		fmt.Fprintf(&b, "\r\x1b[%dA", l.drawn)
	}
	for _, line := range lines {
		b.WriteString(line + clearLine + "\r\n")
	}
	b.WriteString(clearBelow + endDrawing)
	l.drawn = len(lines)
	_, _ = io.WriteString(l.out, b.String()) // a terminal that is gone ends the program by itself
}

// resized reports that the terminal is not as large any more as it was drawn on.
func (l *live) resized() bool {
	columns, height := l.p.size(l.out)
	return columns != l.columns || height != l.height
}

// end gives the terminal back: without the drawing, and with its cursor.
func (l *live) end() {
	if l.drawn < 0 {
		return
	}
	text := leaveScreen
	if !l.whole {
		text = "\r" + clearBelow
		if l.drawn > 0 {
			text = fmt.Sprintf("\r\x1b[%dA", l.drawn) + clearBelow
		}
	}
	l.drawn = -1
	_, _ = io.WriteString(l.out, text+showCursor)
}

// bar is a progress bar of that many columns.
func bar(done, of, columns int) string {
	full := 0
	if of > 0 {
		full = columns * done / of
	}
	return strings.Repeat("█", full) + strings.Repeat("░", columns-full)
}

// animate draws again and again, until end is called, which gives the terminal back.
func (l *live) animate(compose func(columns, lines int) []string) (end func()) {
	const often = 100 * time.Millisecond
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(often)
		defer tick.Stop()
		for {
			l.draw(compose)
			select {
			case <-tick.C:
			case <-stop:
				l.end()
				return
			}
		}
	}()
	return func() {
		close(stop)
		<-stopped
	}
}
