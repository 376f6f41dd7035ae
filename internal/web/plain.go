package web

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode"
)

// copyPlain copies a program's output without what a terminal would obey. A lone carriage return begins a new line. What comes live is
// sent as it comes, however long nothing does.
func copyPlain(w http.ResponseWriter, text io.Reader, live bool) error {
	out, in, control := bufio.NewWriterSize(w, 32<<10), bufio.NewReaderSize(text, 32<<10), http.NewResponseController(w)
	var last rune
	for n := 0; ; n++ {
		if live && in.Buffered() == 0 {
			if err := errors.Join(out.Flush(), control.Flush()); err != nil {
				return err
			}
		}
		if n%(32<<10) == 0 && !live {
			_ = control.SetWriteDeadline(time.Now().Add(time.Minute)) // not every writer has one
		}
		c, _, err := in.ReadRune()
		if errors.Is(err, io.EOF) {
			return out.Flush()
		}
		if err != nil {
			return errors.Join(err, out.Flush())
		}
		was := last
		last = c
		switch {
		case c == '\n' && was == '\r':
			continue
		case c == '\r':
			c = '\n'
		case c == '\x1b':
			skipSequence(in)
			continue
		case !printable(c):
			continue
		}
		if _, err := out.WriteRune(c); err != nil {
			return err
		}
	}
}

// skipSequence takes the rest of an escape sequence "ESC [ ... letter", as colours are made with.
func skipSequence(in *bufio.Reader) {
	if next, err := in.Peek(1); err != nil || next[0] != '[' {
		return
	}
	for n := range 32 {
		c, err := in.ReadByte()
		if err != nil || n > 0 && c >= 0x40 && c <= 0x7e {
			return
		}
	}
}

// printable keeps text, tabs and line ends; neither control characters nor what turns the direction of writing.
func printable(c rune) bool {
	switch {
	case c == '\n' || c == '\t':
		return true
	case c >= '\u202a' && c <= '\u202e', c >= '\u2066' && c <= '\u2069', c == '\u200e', c == '\u200f', c == '\u061c':
		return false
	}
	return !unicode.IsControl(c)
}

// clean makes what other people wrote fit for a page: it cannot hide or reorder the words around it.
func clean(s string) string {
	return strings.Map(func(c rune) rune {
		if !printable(c) {
			return -1
		}
		return c
	}, s)
}
