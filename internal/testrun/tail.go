package testrun

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	tailLines = 30
	tailBytes = 64 << 10 // kept to make the tail from
	tailWidth = 400      // runes of one line
)

// recent keeps the last tailBytes of what is written to it.
type recent struct {
	kept []byte
	cut  bool // something before kept was let go
}

func (r *recent) add(p []byte) {
	if len(p) > tailBytes {
		r.kept, r.cut = r.kept[:0], true
		p = p[len(p)-tailBytes:]
	}
	if len(r.kept)+len(p) > 2*tailBytes { // so that bytes are moved once per tailBytes, not once per call
		r.kept = append(r.kept[:0], r.kept[len(r.kept)-tailBytes:]...)
		r.cut = true
	}
	r.kept = append(r.kept, p...)
}

func (r *recent) reset() { r.kept, r.cut = r.kept[:0], false }

func (r *recent) lines() []string { return lastLines(r.kept, r.cut, tailLines) }

// lastLines gives at most n lines of raw output as it would have stood on a screen, fit to be shown anywhere: valid UTF-8,
// no control characters, no escape sequences, no characters that change the direction of text, lines of at most tailWidth.
// Where a carriage return went back to the start of a line, the text written last is kept. cut says that raw may begin in
// the middle of a line.
func lastLines(raw []byte, cut bool, n int) []string {
	lines := strings.Split(plain(raw), "\n")
	if cut && len(lines) > 1 {
		lines = lines[1:] // what is left of its first line may be half an escape sequence
	}
	for i, line := range lines {
		lines[i] = shorten(overwritten(line))
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	for len(lines) > 0 && lines[0] == "" {
		lines = lines[1:]
	}
	if len(lines) == 0 {
		return nil
	}
	return append([]string(nil), lines...)
}

// plain drops what is not text, and keeps line ends and carriage returns.
func plain(raw []byte) string {
	var b strings.Builder
	text := strings.ToValidUTF8(string(raw), "\uFFFD")
	for i := 0; i < len(text); {
		c, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case c == 0x1b:
			i += escape(text[i:])
			continue
		case c == 0x9b: // CSI in one character
			i += size + sequence(text[i+size:])
			continue
		case c == '\n' || c == '\r':
			b.WriteRune(c)
		case c == '\t':
			b.WriteString("    ")
		case unicode.IsControl(c), unicode.Is(unicode.Bidi_Control, c), c == '\u2028', c == '\u2029', c == '\ufeff':
		default:
			b.WriteRune(c)
		}
		i += size
	}
	return b.String()
}

// escape is the length of the escape sequence that text begins with.
func escape(text string) int {
	if len(text) < 2 {
		return len(text)
	}
	switch text[1] {
	case '[':
		return 2 + sequence(text[2:])
	case ']', 'P', 'X', '^', '_': // a string, up to BEL or ST; one that never ends is taken to end with its line
		for i := 2; i < len(text); i++ {
			switch {
			case text[i] == 0x07:
				return i + 1
			case text[i] == 0x1b && i+1 < len(text) && text[i+1] == '\\':
				return i + 2
			case text[i] == '\n':
				return i
			}
		}
		return len(text)
	}
	i := 1
	for i < len(text) && text[i] >= 0x20 && text[i] <= 0x2f {
		i++
	}
	if i < len(text) && text[i] >= 0x30 && text[i] <= 0x7e {
		i++
	}
	return i
}

// sequence is the length of a control sequence after its introducer: parameters, intermediates, one final byte.
func sequence(text string) int {
	i := 0
	for i < len(text) && text[i] >= 0x20 && text[i] <= 0x3f {
		i++
	}
	if i < len(text) && text[i] >= 0x40 && text[i] <= 0x7e {
		i++
	}
	return i
}

func overwritten(line string) string {
	line = strings.TrimRight(line, "\r")
	return strings.TrimRight(line[strings.LastIndexByte(line, '\r')+1:], " ")
}

func shorten(line string) string {
	if utf8.RuneCountInString(line) <= tailWidth {
		return line
	}
	runes := []rune(line)
	return string(runes[:tailWidth-1]) + "…"
}
