package queue

import (
	"strings"
	"testing"
)

func TestWhatRunsAgainHasWhatItNeeds(t *testing.T) {
	t.Parallel()
	step := func(name string, needs ...string) Step { return Step{Name: name, Run: "true", Needs: needs} }
	free := func(name string) Step { return Step{Name: name, Run: "true", Needs: []string{}} }
	for name, c := range map[string]struct {
		steps []Step
		from  string
		want  string
	}{
		"nothing is said of needs":         {[]Step{step("build"), step("unit"), step("lint")}, "unit", "build unit lint"},
		"each stands for itself":           {[]Step{free("vet"), free("unit"), free("lint")}, "unit", "unit lint"},
		"it needs one of those before":     {[]Step{free("vet"), free("build"), step("unit", "build")}, "unit", "build unit"},
		"needs of needs":                   {[]Step{free("get"), step("build", "get"), free("vet"), step("unit", "build")}, "unit", "get build unit"},
		"a later one needs all before it":  {[]Step{free("vet"), free("unit"), step("pack")}, "unit", "vet unit pack"},
		"one that is needed needs all":     {[]Step{free("vet"), step("build"), free("lint"), step("unit", "build")}, "unit", "vet build unit"},
		"the first failed":                 {[]Step{step("build"), step("unit")}, "build", "build unit"},
		"it failed before the first began": {[]Step{step("build"), step("unit")}, "setup", "build unit"},
	} {
		var got []string
		for _, s := range (Recipe{Steps: c.steps}).from(c.from, nil).Steps {
			got = append(got, s.Name)
		}
		if g := strings.Join(got, " "); g != c.want {
			t.Errorf("%s: %s, want %s", name, g, c.want)
		}
	}
}

func TestWhatAStepNeedsIsPartOfTheRecipe(t *testing.T) {
	t.Parallel()
	all, none := Recipe{Steps: []Step{{Name: "unit"}}}, Recipe{Steps: []Step{{Name: "unit", Needs: []string{}}}}
	if all.Digest() == none.Digest() || all.same(none) {
		t.Error("a step that needs nothing is taken for one that needs all before it")
	}
}
