package web

import (
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
)

func TestALogIsWhatATerminalWouldShowAndNotWhatItWouldDo(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain\n\ttext ☃\n":               "plain\n\ttext ☃\n",
		"\x1b[31;1mred\x1b[0m\x1b[Kx":     "redx",
		"a\r\nb\rc\n":                     "a\nb\nc\n",
		"bell\a nul\x00 c1\u009b del\x7f": "bell nul c1 del",
		"\x1b]0;title\athen":              "]0;titlethen",
		"end\x1b":                         "end",
		"end\x1b[":                        "end",
		"bad \xff byte":                   "bad \ufffd byte",
		"a\u202eb\u2066c":                 "abc",
	} {
		rec := httptest.NewRecorder()
		if err := copyPlain(rec, iotest.OneByteReader(strings.NewReader(in)), false); err != nil || rec.Body.String() != want {
			t.Errorf("%q: %q, want %q (%v)", in, rec.Body, want, err)
		}
	}
}
