package serve

import (
	"errors"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/store/storetest"
)

func TestARebuildDoesNotWaitForALanderThatLives(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), storetest.New(t), zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	kept, other := queue.Lane{Repo: "acme/app", Trunk: "main"}, queue.Lane{Repo: "acme/lib", Trunk: "main"}
	release, _, err := s.Hold(t.Context(), kept)
	if err != nil {
		t.Fatal(err)
	}
	defer release()

	r := &Rooms{Store: s}
	if _, err := r.hold(t.Context(), kept, 100*time.Millisecond); err == nil || err.Error() != errLaneHeld(kept).Error() {
		t.Errorf("got %v, want %v", err, errLaneHeld(kept))
	}
	free, err := r.hold(t.Context(), other, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	free()
	release()
	if free, err = r.hold(t.Context(), kept, time.Minute); err != nil {
		t.Fatal(err)
	}
	free()
}

func TestARebuildLeavesTheBetterPauseAlone(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), storetest.New(t), zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	noon := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	r := &Rooms{Store: s, Now: func() time.Time { return noon }}
	for name, c := range map[string]struct {
		before []queue.Event
		want   string
	}{
		"no pause":                {nil, "lander"},
		"a pause":                 {[]queue.Event{queue.Paused{By: "maya", Reason: "release", At: noon}}, "maya"},
		"a pause that ends":       {[]queue.Event{queue.Paused{By: "maya", Reason: "lunch", At: noon, Until: noon.Add(time.Hour)}}, "lander"},
		"a pause that was lifted": {[]queue.Event{queue.Paused{By: "maya", Reason: "lunch", At: noon}, queue.Resumed{By: "maya", At: noon}}, "lander"},
	} {
		l := queue.Lane{Repo: "acme/app", Trunk: name}
		q, _, err := s.View(t.Context(), l)
		for _, e := range c.before {
			if err == nil {
				q, err = s.Save(t.Context(), queue.Save{Old: q, New: q.Apply(e)})
			}
		}
		if err = errors.Join(err, r.pause(t.Context(), l)); err == nil {
			q, _, err = s.View(t.Context(), l)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if q.Pause == nil || q.Pause.By != c.want || !q.PausedAt(noon.Add(24*time.Hour)) {
			t.Errorf("%s: the lane is left with %+v, want a pause by %s", name, q.Pause, c.want)
		}
	}
}
