package testrun

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestLastLines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, raw string
		cut       bool
		want      []string
	}{
		{"nothing", "", false, nil},
		{"only blank lines", "\n\n \r\n", false, nil},
		{"the last three", "a\nb\nc\nd\n", false, []string{"b", "c", "d"}},
		{"no line end", "a\nb", false, []string{"a", "b"}},
		{"blank lines inside stay", "a\n\nb\n\n", false, []string{"a", "", "b"}},
		{"Windows line ends", "a\r\nb\r\n", false, []string{"a", "b"}},
		{"a progress bar", "10 %\r50 %\r100 %\ndone\n", false, []string{"100 %", "done"}},
		{"colours", "\x1b[1;31mred\x1b[0m \x1b(Bplain\x1b[K\n", false, []string{"red plain"}},
		{"a title and a link", "\x1b]0;title\x07a\x1b]8;;https://x.example\x1b\\b\x1b]8;;\x1b\\\n", false, []string{"ab"}},
		{"a string that never ends", "\x1b]0;title\nnext\n", false, []string{"next"}},
		{"one-character introducer", "\u009b31mred\u009b0m\n", false, []string{"red"}},
		{"control bytes", "a\x00\x07\b\x7fb\tc\n", false, []string{"ab    c"}},
		{"not UTF-8", "a\xff\xfeb\xc3\n", false, []string{"a\uFFFDb\uFFFD"}},
		{"text turned round", "a\u202eb\u2066c\n", false, []string{"abc"}},
		{"four bytes", "\U0001F680\n", false, []string{"\U0001F680"}},
		{"cut in a line", "1mrest\nb\n", true, []string{"b"}},
		{"cut in the only line", "rest", true, []string{"rest"}},
		{"a long line", strings.Repeat("ä", 500), false, []string{strings.Repeat("ä", 399) + "…"}},
		{"an escape at the end", "a\x1b", false, []string{"a"}},
		{"half a sequence at the end", "a\x1b[3", false, []string{"a"}},
	} {
		if got := lastLines([]byte(c.raw), c.cut, 3); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestRecentKeepsTheEnd(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 7, 1000, tailBytes, 3*tailBytes + 1} {
		var all strings.Builder
		var r recent
		for i := 0; all.Len() < 5*tailBytes; i++ {
			part := strings.Repeat(string(rune('a'+i%26)), size)
			all.WriteString(part)
			r.add([]byte(part))
			if len(r.kept) > 2*tailBytes {
				t.Fatalf("keeps %d bytes", len(r.kept))
			}
		}
		if len(r.kept) < tailBytes || !r.cut || !strings.HasSuffix(all.String(), string(r.kept)) {
			t.Errorf("in parts of %d: keeps %d bytes", size, len(r.kept))
		}
	}
}

func FuzzLastLines(f *testing.F) {
	f.Add([]byte("\x1b[31mred\x1b[0m\r\n\xff"), true)
	f.Add([]byte("\x1b]0;t\x07\u009b1m\u202e"), false)
	f.Fuzz(func(t *testing.T, raw []byte, cut bool) {
		lines := lastLines(raw, cut, tailLines)
		if len(lines) > tailLines {
			t.Fatalf("%d lines", len(lines))
		}
		for _, line := range lines {
			if !utf8.ValidString(line) || utf8.RuneCountInString(line) > tailWidth || strings.ContainsFunc(line, unicode.IsControl) {
				t.Fatalf("%q", line)
			}
		}
	})
}
