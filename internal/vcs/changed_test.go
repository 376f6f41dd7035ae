package vcs

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"lander/internal/queue"
)

func TestChanged(t *testing.T) {
	t.Parallel()
	lines := "1\n2\n3\n4\n5\n6\n7\n8\n"
	for _, c := range []struct {
		name string
		tell func(s *script) // "trunk" and "head"
		want []string
	}{
		{"changed, added, removed and made executable", func(s *script) {
			s.commit("base", tree{"api/a": "1\n", "api/b": "1\n", "web/x": "1\n", "z": "1\n"})
			s.commit("trunk", tree{"api/a": "1\n", "api/b": "1\n", "web/x": "2\n", "z": "1\n", "new": "n\n"}, "base")
			s.commit("head", tree{"api/a": "2\n", "api/c/d": "", "web/x": "1\n", "z": "100755|1\n"}, "base")
		}, []string{"api/a", "api/b", "api/c/d", "z"}},
		{"a file that was moved is there by both names", func(s *script) {
			s.commit("trunk", tree{"api/a": lines, "web/x": "1\n"})
			s.commit("head", tree{"web/a": lines, "web/x": "1\n"}, "trunk")
		}, []string{"api/a", "web/a"}},
		{"a folder that was moved, and a file for a folder", func(s *script) {
			s.commit("trunk", tree{"api/a/1": lines, "api/a/2": "2\n", "b": "b\n"})
			s.commit("head", tree{"web/a/1": lines, "web/a/2": "2\n", "b/c": "b\n"}, "trunk")
		}, []string{"api/a/1", "api/a/2", "b", "b/c", "web/a/1", "web/a/2"}},
		{"what was changed and changed back is not", func(s *script) {
			s.commit("trunk", tree{"a": "1\n", "b": "1\n"})
			s.commit("there", tree{"a": "2\n", "b": "1\n"}, "trunk")
			s.commit("head", tree{"a": "1\n", "b": "2\n"}, "there")
		}, []string{"b"}},
		{"a link and another repository are files", func(s *script) {
			s.commit("trunk", tree{"link": "120000|a", "sub": "160000|" + strings.Repeat("1", 40)})
			s.commit("head", tree{"link": "120000|b", "sub": "160000|" + strings.Repeat("2", 40)}, "trunk")
		}, []string{"link", "sub"}},
		{"names that git would quote", func(s *script) {
			s.commit("trunk", tree{"a": "1\n"})
			s.commit("head", tree{"a": "1\n", "api/\"é\nß": "x\n", " b ": "y\n", "[c]*": "z\n"}, "trunk")
		}, []string{" b ", "[c]*", "api/\"é\nß"}},
		{"trunk merged in: only its own", func(s *script) {
			s.commit("base", tree{"a": "1\n", "b": "1\n"})
			s.commit("trunk", tree{"a": "1\n", "b": "2\n"}, "base")
			s.commit("own", tree{"a": "2\n", "b": "1\n"}, "base")
			s.commit("head", tree{"a": "2\n", "b": "2\n"}, "own", "trunk")
		}, []string{"a"}},
		{"several places where it left trunk: those of each", func(s *script) {
			s.commit("base", tree{"a": "1\n", "b": "1\n", "c": "1\n"})
			s.commit("left", tree{"a": "2\n", "b": "1\n", "c": "1\n"}, "base")
			s.commit("right", tree{"a": "1\n", "b": "2\n", "c": "1\n"}, "base")
			s.commit("trunk", tree{"a": "2\n", "b": "2\n", "c": "1\n"}, "left", "right")
			s.commit("head", tree{"a": "2\n", "b": "2\n", "c": "3\n"}, "right", "left")
		}, []string{"a", "b", "c"}},
		{"nothing in common: all that it has", func(s *script) {
			s.commit("trunk", tree{"a": "1\n", "b": "1\n"})
			s.commit("head", tree{"a": "1\n", "c/d": "1\n"})
		}, []string{"a", "c/d"}},
		{"what trunk has already is nothing", func(s *script) {
			s.commit("head", tree{"a": "1\n"})
			s.commit("trunk", tree{"a": "2\n"}, "head")
		}, nil},
		{"an empty commit is nothing", func(s *script) {
			s.commit("trunk", tree{"a": "1\n"})
			s.commit("head", tree{"a": "1\n"}, "trunk")
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, format := range []string{"sha1", "sha256"} {
				if format == "sha256" && slices.Contains(c.want, "sub") {
					continue // the ids of the other repository are of one length only
				}
				w := newWorld(t, format)
				w.play(c.tell).mirror("trunk")
				got, err := w.repo.Changed(w.ctx, w.ids["trunk"], w.ids["head"])
				if err != nil || !slices.Equal(got, c.want) {
					t.Errorf("%s: got %q, %v\nwant %q", format, got, err, c.want)
				}
				// Between the two trees it is what a diff of all that they hold says.
				want := w.holds("trunk")
				for path, is := range w.holds("head") {
					if want[path] == is {
						delete(want, path)
					} else {
						want[path] = ""
					}
				}
				got, err = w.repo.Differing(w.ctx, w.ids["trunk"], w.ids["head"])
				if err != nil || !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
					t.Errorf("%s: differing are %q, %v\nwant %q", format, got, err, slices.Sorted(maps.Keys(want)))
				}
			}
		})
	}
}

// holds is what stands at each path of a commit.
func (w *world) holds(commit string) map[string]string {
	w.t.Helper()
	out, err := w.repo.git().Output(w.ctx, nil, "ls-tree", "-r", "-z", string(w.ids[commit]))
	if err != nil {
		w.t.Fatal(err)
	}
	found := map[string]string{}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if is, path, ok := strings.Cut(line, "\t"); ok {
			found[path] = is
		}
	}
	return found
}

func TestChangedOfWhatIsNotThereIsAnError(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	w.play(func(s *script) { s.commit("trunk", tree{"a": "1\n"}) }).mirror("trunk")
	for _, head := range []queue.SHA{"", "main", "--all", queue.SHA(strings.Repeat("1", 40))} {
		if got, err := w.repo.Changed(w.ctx, w.ids["trunk"], head); err == nil {
			t.Errorf("%q changes %q", head, got)
		}
		if got, err := w.repo.Differing(w.ctx, w.ids["trunk"], head); err == nil {
			t.Errorf("from %q differs %q", head, got)
		}
		if got, err := w.repo.Changed(w.ctx, head, w.ids["trunk"]); err == nil {
			t.Errorf("since %q it changes %q", head, got)
		}
	}
}
