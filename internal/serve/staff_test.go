package serve

import (
	"strings"
	"testing"

	"lander/internal/store/errands"
)

func TestJudgeWorkers(t *testing.T) {
	t.Parallel()
	good := errands.Worker{Name: "b", Slots: 2, Alive: true, Same: true}
	for name, c := range map[string]struct {
		all    []errands.Worker
		needed bool
		want   string
	}{
		"nobody, and nobody is needed": {nil, false, ""},
		"nobody, though all run there": {nil, true, "bad: workers none " + sayNoWorkers},
		"two":                          {[]errands.Worker{good, {Name: "a", Slots: 1, Alive: true, Same: true}}, true, "good: workers a and b run tests for this lander, 3 at a time"},
		"one that is gone":             {[]errands.Worker{good, {Name: "c", Slots: 1, Same: true}}, false, "good|warning: workers-silent"},
		"one of another lander":        {[]errands.Worker{{Name: "c", Slots: 1, Alive: true}}, true, "bad|warning: workers-version"},
	} {
		t.Run(name, func(t *testing.T) {
			got := judgeWorkers(c.all, c.needed)
			switch c.want {
			case "":
				if len(got) > 0 {
					t.Errorf("got %+v", got)
				}
			case "good|warning: workers-silent":
				if len(got) != 2 || got[0].Mark != Good || got[1].Mark != Warning || got[1].Check != "workers-silent" {
					t.Errorf("got %+v", got)
				}
			case "bad|warning: workers-version":
				if len(got) != 2 || got[0].Mark != Bad || got[1].Mark != Warning || got[1].Check != "workers-version" {
					t.Errorf("got %+v", got)
				}
			default:
				if len(got) != 1 || !strings.HasPrefix(c.want, string(got[0].Mark)) || got[0].Check != "workers" || !strings.HasSuffix(c.want, got[0].Found) {
					t.Errorf("got %+v", got)
				}
			}
		})
	}
}
