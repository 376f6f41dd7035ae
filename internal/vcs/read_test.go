package vcs

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestShow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	w.play(func(s *script) {
		s.commit("base", tree{"a": "a\r\n\x00", "d/b": "", "s": "160000|" + strings.Repeat("1", 40), ".lander.yml": "x: y\n"})
	}).mirror("base")
	for path, want := range map[string]string{"a": "a\r\n\x00", "d/b": "", ".lander.yml": "x: y\n"} {
		if got, err := w.repo.Show(w.ctx, w.ids["base"], path); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	for _, path := range []string{"gone", "d", "s", "a/b"} {
		if _, err := w.repo.Show(w.ctx, w.ids["base"], path); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, path := range []string{"", "../x", "./x", "/a", "a\nb"} {
		if _, err := w.repo.Show(w.ctx, w.ids["base"], path); err == nil || errors.Is(err, ErrNotFound) {
			t.Errorf("%q: %v", path, err)
		}
	}
	if _, err := w.repo.Show(w.ctx, "1111111111111111111111111111111111111111", "a"); err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("in a commit that is not there: %v", err)
	}
}

func TestLogAndContains(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	w.play(func(s *script) {
		s.commit("1", tree{"a": "1\n"})
		s.commit("2", tree{"a": "2\n"}, "1")
		s.commit("side", tree{"a": "1\n", "b": "b\n"}, "1")
		s.commit("3", tree{"a": "2\n", "b": "b\n"}, "2", "side")
		s.commit("4", tree{"a": "4\n", "b": "b\n"}, "3")
	}).mirror("4")
	for _, c := range []struct {
		over Range
		want string
	}{
		{Range{To: w.ids["4"]}, "1 2 side 3 4"},
		{Range{To: w.ids["4"], FirstParent: true}, "1 2 3 4"},
		{Range{From: w.ids["2"], To: w.ids["4"]}, "side 3 4"},
		{Range{To: w.ids["4"], FirstParent: true, Limit: 2}, "3 4"},
		{Range{From: w.ids["4"], To: w.ids["4"]}, ""},
	} {
		commits, err := w.repo.Log(w.ctx, c.over)
		w.must(err)
		var titles []string
		for _, commit := range commits {
			titles = append(titles, commit.Title)
		}
		if got := strings.Join(titles, " "); got != c.want {
			t.Errorf("%+v: %s, want %s", c.over, got, c.want)
		}
	}
	commits, err := w.repo.Log(w.ctx, Range{To: w.ids["1"]})
	w.must(err)
	if c := commits[0]; c.Author != "Ann Author" || c.Email != "ann@example.com" || c.At.Unix() != 1700000060 || c.Committer != "Carl" {
		t.Errorf("commit %+v", c)
	}
	for name, want := range map[string]bool{"1": true, "side": true, "4": true} {
		if got, err := w.repo.Contains(w.ctx, w.ids["4"], w.ids[name]); err != nil || got != want {
			t.Errorf("4 contains %s: %v, %v", name, got, err)
		}
	}
	if got, err := w.repo.Contains(w.ctx, w.ids["2"], w.ids["side"]); err != nil || got {
		t.Errorf("2 contains side: %v, %v", got, err)
	}
	const nowhere = "1111111111111111111111111111111111111111"
	if got, err := w.repo.Contains(w.ctx, w.ids["2"], nowhere); err != nil || got {
		t.Errorf("2 contains a commit that is not there: %v, %v", got, err)
	}
	if _, err := w.repo.Contains(w.ctx, nowhere, w.ids["2"]); err == nil {
		t.Error("no error about a tip that is not there")
	}
}
