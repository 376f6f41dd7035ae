package serve

import (
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"lander/internal/config"
	"lander/internal/testrun"
)

func TestWithoutASandboxForksAreNotTested(t *testing.T) {
	for name, c := range map[string]struct {
		setting string
		path    string // empty: as it is
		trusted bool
		boxed   bool
		noForks bool
		fails   bool
		mark    Mark
		found   string
	}{
		"there is one":                        {boxed: true, mark: Good, found: "it holds"},
		"there is one, as asked":              {setting: "bubblewrap", boxed: true, mark: Good, found: "it holds"},
		"none is wanted":                      {setting: "none", mark: Warning, found: "none, as the settings say"},
		"none is there":                       {path: "/nowhere", noForks: true, mark: Warning, found: "pull requests from forks are not tested"},
		"none is there, who starts knows all": {path: "/nowhere", trusted: true, mark: Warning, found: "no bubblewrap"},
		"none is there, but asked for":        {setting: "bubblewrap", path: "/nowhere", fails: true, mark: Bad, found: "does not start without it"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.path != "" {
				t.Setenv("PATH", c.path)
			}
			settings := config.Server{Sandbox: c.setting, DataDir: t.TempDir()}
			r := &Rooms{Settings: settings, Trusted: c.trusted, Log: zerolog.Nop()}
			err := r.Enclose(t.Context())
			if (err != nil) != c.fails || c.fails && !strings.Contains(err.Error(), "Install the package bubblewrap") {
				t.Fatal(err)
			}
			if (r.sandbox != nil) != c.boxed {
				t.Errorf("sandbox %v", r.sandbox)
			}
			p, err := r.readPolicy(&repository{runner: &testrun.Runner{}})([]byte("suite: {steps: [{name: unit, run: make test}]}\n"))
			if err != nil || p.NoForks != c.noForks {
				t.Errorf("forks are refused: %v, %v", p.NoForks, err)
			}
			if told := r.unsandboxed != ""; told != (c.path != "" && !c.fails) {
				t.Errorf("unsandboxed because %q", r.unsandboxed)
			}
			found := examineSandbox(t.Context(), settings)
			if len(found) == 0 || found[0].Mark != c.mark || !strings.Contains(found[0].Found, c.found) || (c.mark == Good) != (found[0].Mend == "") {
				t.Errorf("the doctor finds %+v", found)
			}
		})
	}
}
