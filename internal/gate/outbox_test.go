package gate

import (
	"testing"
	"time"

	"lander/internal/queue"
)

func TestTheMoreThereIsToTellTheLongerSmallWordsWait(t *testing.T) {
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	living := func(s queue.Stage, remote string) queue.Outgoing {
		return queue.Outgoing{Notice: queue.Notice{Kind: queue.NoticeLiving, At: at, Standing: &queue.Standing{Stage: s}}, Remote: remote}
	}
	for _, c := range []struct {
		name    string
		out     queue.Outgoing
		waiting int
		want    time.Duration // since it was to be told; 0: at once
	}{
		{"few, on the move", living(queue.StageTesting, "1"), 8, settling},
		{"a crowd, on the move", living(queue.StageTesting, "1"), 36, settling + 15*time.Second},
		{"a large crowd, on the move", living(queue.StageLanding, "1"), backlog, settling + mostCrowded},
		{"few, waits again", living(queue.StageWaiting, "1"), 8, 0},
		{"a crowd, waits again", living(queue.StageWaiting, "1"), 36, 15 * time.Second},
		{"a crowd, waits for the first time", living(queue.StageWaiting, ""), backlog, 0},
		{"a crowd, has landed", living(queue.StageLanded, "1"), backlog, 0},
		{"a crowd, is held", living(queue.StageHeld, "1"), backlog, 0},
		{"a crowd, said once and for all", queue.Outgoing{Notice: queue.Notice{Kind: queue.NoticeDropped, At: at}}, backlog, 0},
	} {
		if got := ripeAt(c.out, c.waiting); got.Sub(at) > c.want || got.Before(at.Add(c.want)) && c.want > 0 {
			t.Errorf("%s: it may be sent at %v, want %v after %v", c.name, got, c.want, at)
		}
	}
}
