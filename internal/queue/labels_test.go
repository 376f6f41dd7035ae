package queue

import (
	"slices"
	"strings"
	"testing"
)

func TestLabels(t *testing.T) {
	t.Parallel()
	got, err := ParseLabels([]string{"linux", "big", "linux"})
	if err != nil || !slices.Equal(got, []string{"big", "linux"}) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, bad := range [][]string{{"Big"}, {""}, {"a b"}, {"-x"}, {strings.Repeat("x", 41)}, {"a", "b", "c", "d", "e"}} {
		if got, err := ParseLabels(bad); err == nil {
			t.Errorf("%q are labels: %v", bad, got)
		}
	}
	if !Fits(got, nil) || !Fits(got, []string{"big"}) || Fits(got, []string{"big", "gpu"}) || Fits(nil, []string{"big"}) {
		t.Error("who has what is asked for")
	}
}

// A recipe that asks for another machine is another recipe; one that asks for none is what it was.
func TestLabelsAreOfTheRecipe(t *testing.T) {
	t.Parallel()
	r := Recipe{Steps: []Step{{Name: "a", Run: "true"}, {Name: "b", Run: "true"}}}
	with := r
	with.Labels = []string{"big"}
	if r.same(with) || r.Digest() == with.Digest() {
		t.Error("the labels are not part of it")
	}
	if text := r.Digest(); text != (Recipe{Steps: r.Steps}).Digest() {
		t.Error("a recipe without labels has another digest")
	}
	if part := with.from("b", nil); !slices.Equal(part.Labels, with.Labels) {
		t.Error("a part of it runs elsewhere")
	}
}
