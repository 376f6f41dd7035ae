package testrun

import (
	"testing"
)

func TestProve(t *testing.T) {
	t.Parallel()
	s, err := Prove(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(s.uid, s.hidden, s.notes, s.system)
}
