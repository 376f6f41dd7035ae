package forge

import (
	"strings"
	"testing"

	"lander/internal/queue"
)

func TestWhatAnOptionalStepSays(t *testing.T) {
	t.Parallel()
	if s := sayOptional([]queue.StepResult{{Name: "cov"}}); s != "" {
		t.Errorf("nothing is to be said of one that passed: %s", s)
	}
	one := queue.StepResult{Name: "cov @all", Exit: 3}
	if s := sayOptional([]queue.StepResult{{Name: "fmt"}, one}); s != "An optional step did not pass, which holds nothing up: `cov @all` 0 ms (exit status 3)." {
		t.Error(s)
	}
	if s := sayOptional([]queue.StepResult{one, {Name: "slow", Exit: -1}}); !strings.HasPrefix(s, "Optional steps did not pass") || !strings.HasSuffix(s, "`slow` 0 ms (did not pass).") {
		t.Error(s)
	}
}
