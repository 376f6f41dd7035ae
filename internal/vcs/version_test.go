package vcs

import (
	"strings"
	"testing"
)

func TestReleasesAndTheirHoles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		said    string
		old     bool
		holes   string
		atLeast string
	}{
		{"git version 2.30.2", true, "CVE-2022-23521 CVE-2024-32002 CVE-2025-48384", "2.43.7"},
		{"git version 2.38.2", false, "CVE-2022-23521 CVE-2024-32002 CVE-2025-48384", "2.43.7"},
		{"git version 2.38.3", false, "CVE-2024-32002 CVE-2025-48384", "2.43.7"},
		{"git version 2.39.0", false, "CVE-2022-23521 CVE-2024-32002 CVE-2025-48384", "2.43.7"},
		{"git version 2.39.3 (Apple Git-146)", false, "CVE-2024-32002 CVE-2025-48384", "2.43.7"},
		{"git version 2.39.5", false, "CVE-2025-48384", "2.43.7"},
		{"git version 2.42.1", false, "CVE-2024-32002 CVE-2025-48384", "2.43.7"},
		{"git version 2.43.0", false, "CVE-2024-32002 CVE-2025-48384", "2.43.7"},
		{"git version 2.43.6", false, "CVE-2025-48384", "2.43.7"},
		{"git version 2.43.7", false, "", ""},
		{"git version 2.45.1", false, "CVE-2025-48384", "2.45.4"},
		{"git version 2.46.0", false, "CVE-2025-48384", "2.46.4"},
		{"git version 2.48.1.windows.1", false, "CVE-2025-48384", "2.48.2"},
		{"git version 2.50.0", false, "CVE-2025-48384", "2.50.1"},
		{"git version 2.50.1", false, "", ""},
		{"git version 2.51.0", false, "", ""},
		{"git version 2.52.0.rc1.12.gabcdef", false, "", ""},
		{"git version 3.0.0", false, "", ""},
	} {
		v, err := parseRelease(c.said)
		if err != nil {
			t.Errorf("%s: %v", c.said, err)
			continue
		}
		var first []string
		for _, h := range v.Holes() {
			first = append(first, h.Names[0])
			if h.Means == "" {
				t.Errorf("%s: nobody says what %v means", c.said, h.Names)
			}
		}
		if got := strings.Join(first, " "); got != c.holes || v.Mended() != c.atLeast || (oldEnough(c.said) != nil) != c.old {
			t.Errorf("%s: holes %q, mended by %q, too old: %v", c.said, got, v.Mended(), oldEnough(c.said))
		}
	}
	for _, said := range []string{"", "git version", "git version next", "bash: git: command not found"} {
		if v, err := parseRelease(said); err == nil {
			t.Errorf("%q is read as %+v", said, v)
		}
	}
}
