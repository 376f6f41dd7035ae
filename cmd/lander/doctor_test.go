package main

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"lander/internal/serve"
)

func TestTextsAreBrokenBetweenWords(t *testing.T) {
	t.Parallel()
	const text = "one two three four five 日本語 sixsixsixsixsixsixsixsixsix seven"
	for columns, want := range map[int]string{
		0: text, 19: text, // no terminal, or none that anything fits into
		20: "one two three four|five 日本語|sixsixsixsixsixsixsixsixsix|seven",
		23: "one two three four five|日本語|sixsixsixsixsixsixsixsixsix|seven",
		99: text,
	} {
		if got := strings.Join(wrap(text, columns), "|"); got != want {
			t.Errorf("at %d columns: %q", columns, got)
		}
	}
	if got := wrap("", 40); len(got) != 1 {
		t.Errorf("nothing is %q", got)
	}
}

func TestADiagnosisEndsWithItsWorst(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		marks []serve.Mark
		away  bool
		code  int
		says  string
	}{
		{[]serve.Mark{serve.Good, serve.Good}, false, exitOK, "Nothing must be mended."},
		{[]serve.Mark{serve.Warning, serve.Unproven, serve.Good}, false, exitOK, "Nothing must be mended; 1 warning, 1 thing is not proven."},
		{[]serve.Mark{serve.Bad, serve.Warning, serve.Warning, serve.Unproven, serve.Unproven}, false, exitNo, "1 thing must be mended; 2 warnings, 2 things are not proven."},
		{[]serve.Mark{serve.Bad, serve.Bad}, true, exitUnreachable, "2 things must be mended."},
	} {
		var out strings.Builder
		d := &diagnosis{program: &program{stdout: &out}}
		for i, m := range c.marks {
			d.add(serve.Finding{About: []string{"machine", "acme/app"}[min(i, 1)], Check: "git", Mark: m, Found: "it\x1b[31m is\nso", Away: c.away, Mend: "Do it."})
		}
		code := exitOK
		var failed *failure
		if err := d.end(); errors.As(err, &failed) {
			code = failed.code
		} else if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if code != c.code || lines[len(lines)-1] != c.says {
			t.Errorf("status %d, %q", code, lines[len(lines)-1])
		}
		if lines[0] != "This machine" || !slices.Contains(lines, "acme/app") || strings.Contains(out.String(), "\x1b") {
			t.Errorf("%q", out.String())
		}
	}
}
