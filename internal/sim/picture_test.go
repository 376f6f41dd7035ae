package sim

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestThePicture(t *testing.T) {
	t.Parallel()
	var matches []Match
	for _, rate := range []float64{2, 6, 12} {
		w := Chain(rate, 20*minute, 1)
		w.Changes = 400
		for _, s := range []Strategy{Lander{}, Serial, BatchBisect} {
			matches = append(matches, Match{w, s})
		}
	}
	results, err := Play(t.Context(), matches, []uint64{1, 2}, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	svg := Picture(`Turnaround <&"'>`, results)
	in := xml.NewDecoder(strings.NewReader(svg))
	marks, texts, crosses := map[string]int{}, "", 0
	for {
		token, err := in.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
		switch x := token.(type) {
		case xml.StartElement:
			for _, a := range x.Attr {
				if class, is := strings.CutPrefix(a.Value, "mark "); is && a.Name.Local == "class" {
					marks[class]++
				}
				if a.Name.Local == "d" && strings.HasSuffix(a.Value, "l6 6m0-6l-6 6") {
					crosses++
				}
			}
		case xml.CharData:
			texts += string(x) + "\n"
		}
	}
	// A mark for each rate at which it is stable, and one in the legend.
	if marks["lander"] != 4 || marks["serial"] != 2 || marks["batch"] != 3 || crosses != 3 {
		t.Errorf("marks %v and %d crosses in\n%s", marks, crosses, svg)
	}
	for _, want := range []string{`Turnaround <&"'>`, "1 run at a time, each 20m", "changes an hour", "\nlander\n", "\n12\n"} {
		if !strings.Contains(texts, want) {
			t.Errorf("it does not say %q:\n%s", want, texts)
		}
	}
	if again := Picture(`Turnaround <&"'>`, results); again != svg {
		t.Error("it is another picture the next time")
	}
	if got := Picture("", nil); got != "" {
		t.Errorf("of nothing it draws %s", got)
	}
	if got := Picture("", []Result{{Match: Match{Source: &Again{}, Strategy: Serial}}}); got != "" {
		t.Errorf("of a past it draws %s", got)
	}
}
