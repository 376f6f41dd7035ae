package github_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"lander/internal/forge"
	"lander/internal/forge/github"
	"lander/internal/hub"
	"lander/internal/queue"
)

func living(n queue.Number, head queue.SHA, position int) queue.Notice {
	ahead := make([]queue.Number, position-1)
	for i := range ahead {
		ahead[i] = queue.Number(100 + i)
	}
	return queue.Notice{
		Key: "living/" + n.String()[1:], Kind: queue.NoticeLiving, Number: n, Head: head,
		Standing: &queue.Standing{Number: n, Head: head, Stage: queue.StageWaiting, Position: position, Ahead: ahead},
	}
}

func landed(n queue.Number, head, tip queue.SHA) queue.Notice {
	return queue.Notice{
		Key: "landed/" + n.String()[1:], Kind: queue.NoticeLanded, Number: n, Head: head, Candidate: tip, At: time.Now(),
		Landing: &queue.Landing{Tip: tip, Commits: []queue.BuiltCommit{{SHA: tip, From: head, Member: n, Title: "Add a door"}}},
	}
}

func (w *world) tell(c *github.Client, n queue.Notice, remote string) string {
	w.Helper()
	remote, err := c.Tell(w.Context(), repo, n, remote)
	w.must(err)
	return remote
}

// status is lander's commit status as anybody may read it.
func (w *world) status(head queue.SHA) string {
	w.Helper()
	resp, err := http.Get(w.url + "/api/v3/repos/" + repo + "/commits/" + string(head) + "/statuses")
	w.must(err)
	defer resp.Body.Close()
	var all []struct{ State, Context, Description string }
	w.must(json.NewDecoder(resp.Body).Decode(&all))
	for _, s := range all {
		if s.Context == forge.StatusContext {
			return s.State + ": " + s.Description
		}
	}
	return ""
}

func TestOneLivingCommentFollowsTheChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	n, head := w.pull("door")

	remote := w.tell(c, living(n, head, 3), "")
	first := w.comments(n)
	if len(first) != 1 || !strings.Contains(first[0].Body, "Third in the queue") || first[0].Author != "lander-bot" {
		t.Fatalf("it says %+v", first)
	}
	if got := w.status(head); got != "pending: Third in the queue, behind #100 and #101" {
		t.Errorf("the status is %q", got)
	}

	w.sent()
	if again := w.tell(c, living(n, head, 3), remote); again != remote {
		t.Errorf("the comment is %s, and then %s", remote, again)
	}
	if wire := w.sent(); len(wire) != 0 {
		t.Errorf("nothing is new, and yet it sent %q", wire)
	}

	if again := w.tell(c, living(n, head, 2), remote); again != remote {
		t.Errorf("the comment is %s, and then %s", remote, again)
	}
	second := w.comments(n)
	if len(second) != 1 || second[0].ID != first[0].ID || !strings.Contains(second[0].Body, "Second in the queue") {
		t.Errorf("it says %+v", second)
	}
	if got := w.status(head); got != "pending: Second in the queue, behind #100" {
		t.Errorf("the status is %q", got)
	}
}

func TestAfterARestartNothingIsSaidTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n, head := w.pull("door")
	remote := w.tell(w.client(), living(n, head, 3), "")
	for _, known := range []string{remote, "", "nonsense"} {
		w.sent()
		if again := w.tell(w.client(), living(n, head, 3), known); again != remote {
			t.Errorf("knowing %q: the comment is %s, and then %s", known, remote, again)
		}
		for _, method := range []string{"POST ", "PATCH "} {
			if wire := w.sent(method); len(wire) != 0 {
				t.Errorf("knowing %q: it wrote %q", known, wire)
			}
		}
	}
	w.tell(w.client(), living(n, head, 1), "")
	if all := w.comments(n); len(all) != 1 || !strings.Contains(all[0].Body, "Next in the queue") {
		t.Errorf("it says %+v", all)
	}
}

func TestALostReplyDoesNotDoubleAComment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	n, head := w.pull("door")
	w.must(w.hub.Fault("lose the reply on POST /repos/*/*/issues/*/comments"))
	if _, err := c.Tell(t.Context(), repo, living(n, head, 1), ""); err == nil || !forge.Temporary(err) || forge.Permanent(err) {
		t.Fatalf("the reply was lost: %v", err)
	}
	w.tell(c, living(n, head, 1), "")
	if all := w.comments(n); len(all) != 1 {
		t.Errorf("it says %+v", all)
	}
}

func TestSomebodyDeletesTheLivingComment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n, head := w.pull("door")
	remote := w.tell(w.client(), living(n, head, 2), "")
	w.must(w.hub.DeleteComment(repo, w.comments(n)[0].ID, "ada"))
	if again := w.tell(w.client(), living(n, head, 1), remote); again == remote {
		t.Errorf("the comment is %s again", again)
	}
	if all := w.comments(n); len(all) != 1 || !strings.Contains(all[0].Body, "Next in the queue") {
		t.Errorf("it says %+v", all)
	}
}

func TestSomebodyDeletesTheLivingCommentWhileLanderRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	n, head := w.pull("door")
	remote := w.tell(c, living(n, head, 2), "")
	w.must(w.hub.DeleteComment(repo, w.comments(n)[0].ID, "ada"))
	w.tell(c, living(n, head, 1), remote)
	if all := w.comments(n); len(all) != 1 || !strings.Contains(all[0].Body, "Next in the queue") {
		t.Errorf("it says %+v", all)
	}
}

func TestNobodyCanPassForLander(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	n, head := w.pull("door")
	w.tell(c, living(n, head, 1), "")
	copied := w.comments(n)[0].Body
	other, otherHead := w.pull("window")
	forged := strings.ReplaceAll(copied, "lander:living/"+n.String()[1:]+":", "lander:living/"+other.String()[1:]+":")
	w.say(other, "rita", forged)
	w.tell(c, living(other, otherHead, 2), "")
	all := w.comments(other)
	if len(all) != 2 || all[0].Body != forged || all[1].Author != "lander-bot" {
		t.Errorf("it says %+v", all)
	}
}

func TestAThumbIsGivenOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	n, _ := w.pull("door")
	id := w.say(n, "bob", "@lander hold")
	thumb := queue.Notice{Key: "thumb/1", Kind: queue.NoticeThumb, Number: n, Comment: id}
	w.tell(c, thumb, "")
	w.tell(c, thumb, "")
	all := w.comments(n)
	if len(all) != 1 || len(all[0].Reactions) != 1 || all[0].Reactions[0].Content != "+1" {
		t.Errorf("it shows %+v", all)
	}
	w.must(w.hub.DeleteComment(repo, id, "bob"))
	w.tell(c, thumb, "")
}

func TestADroppedChangeIsToldOnceAndApartFromTheLivingComment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n, head := w.pull("door")
	w.tell(w.client(), living(n, head, 1), "")
	drop := queue.Notice{
		Key: "dropped/1", Kind: queue.NoticeDropped, Number: n, Head: head, Author: queue.Person{ID: 1, Login: "carol"},
		Drop: &queue.Drop{Code: queue.DropConflict, Reason: "it does not apply on trunk", Files: []string{"a.go"}}, Base: head,
	}
	w.tell(w.client(), drop, "")
	w.tell(w.client(), drop, "")
	all := w.comments(n)
	if len(all) != 2 || !strings.Contains(all[1].Body, "@carol") || !strings.Contains(all[1].Body, "git rebase "+string(head)) {
		t.Errorf("it says %+v", all)
	}
}

func TestALandedChangeIsClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	tip := queue.SHA(strings.Repeat("a", 40))

	n, head := w.pull("door")
	w.tell(c, landed(n, head, tip), "")
	w.tell(w.client(), landed(n, head, tip), "")
	if p, err := w.hub.Pull(repo, int(n)); err != nil || p.Open || len(p.Comments) != 1 || !strings.Contains(p.Comments[0].Body, "Landed on trunk") ||
		!strings.Contains(p.Comments[0].Body, "shows as closed and not as merged") || !strings.Contains(p.Comments[0].Body, tip.Short()) {
		t.Errorf("it is %+v, %v", p, err)
	}

	// More was pushed while it landed: that is not on trunk.
	n, head = w.pull("roof")
	_, err := w.hub.Push(repo, hub.Push{By: "carol", Branch: "roof", Commits: []hub.Commit{{Files: map[string]string{"more": "x"}, Message: "More"}}})
	w.must(err)
	w.tell(c, landed(n, head, tip), "")
	if p, err := w.hub.Pull(repo, int(n)); err != nil || !p.Open {
		t.Errorf("it is %+v, %v", p, err)
	}

	// The comment was written, closing failed: told again, it closes, and says nothing twice.
	n, head = w.pull("stair")
	w.must(w.hub.Fault("502 on PATCH /repos/*/*/pulls/*"))
	if _, err := c.Tell(t.Context(), repo, landed(n, head, tip), ""); !forge.Temporary(err) {
		t.Fatalf("closing failed: %v", err)
	}
	w.tell(c, landed(n, head, tip), "")
	if p, err := w.hub.Pull(repo, int(n)); err != nil || p.Open || len(p.Comments) != 1 {
		t.Errorf("it is %+v, %v", p, err)
	}
}

func TestAHeadThatIsGoneNeedsNoStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n, _ := w.pull("door")
	gone := queue.SHA(strings.Repeat("b", 40))
	w.tell(w.client(), living(n, gone, 1), "")
	if len(w.comments(n)) != 1 {
		t.Error("the comment stands for itself")
	}
}

func TestSomebodyElseWritesLandersStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n, head := w.pull("door")
	w.tell(w.client(), living(n, head, 1), "")
	w.must(w.hub.SetStatus(repo, string(head), "bob", hub.Status{State: "success", Context: forge.StatusContext, Description: "trust me"}))
	w.tell(w.client(), living(n, head, 1), "")
	if got := w.status(head); got != "pending: Next in the queue" {
		t.Errorf("the status is %q", got)
	}
}

func TestTellingWhereNothingIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, head := w.pull("door")
	_, err := w.client().Tell(t.Context(), repo, living(99, head, 1), "")
	if !errors.Is(err, forge.ErrNotFound) || !forge.Permanent(err) {
		t.Errorf("got %v", err)
	}
	_, err = w.client().Tell(t.Context(), repo, queue.Notice{Key: "x", Kind: "unheard of", Number: 1}, "")
	if !forge.Permanent(err) {
		t.Errorf("got %v", err)
	}
}

// A killed lander's request arrives after its successor has said the same.
func TestWhatWasSaidTwiceIsTakenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	n, _ := w.pull("door")
	notice := queue.Notice{Key: "answer/c1.0", Kind: queue.NoticeAnswer, Number: n, Text: "Pong"}
	remote, err := c.Tell(t.Context(), repo, notice, "")
	w.must(err)
	said := w.comments(n)[0]
	w.say(n, "lander-bot", said.Body)
	w.say(n, "carol", said.Body) // whoever copies it has not said it twice
	w.look(c, n)
	left := w.comments(n)
	if len(left) != 2 || strconv.FormatInt(left[0].ID, 10) != remote || left[1].Author != "carol" {
		t.Fatalf("left are %+v", left)
	}
	w.say(n, "lander-bot", said.Body)
	w.look(w.client(), n) // one that wrote neither
	if left = w.comments(n); len(left) != 2 || strconv.FormatInt(left[0].ID, 10) != remote {
		t.Fatalf("left are %+v", left)
	}
}
