package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"lander/internal/hub"
	"lander/internal/queue"
)

// The story can be killed at any moment and be played again from its beginning: every deed looks first whether it was done, and the
// waits that follow a deed hold at once where lander has gone on meanwhile. A scene that is over is not played again.
func (s *story) play(ctx context.Context) error {
	for i, f := range s.fates {
		s.numbers[f.name] = i + 1
	}
	s.tell(sayOpen(len(s.fates), s.url))
	for _, scene := range []struct {
		name string
		play func(context.Context) error
	}{{"plain", s.plain}, {"pause", s.pause}, {"guests", s.guests}, {"webhooks", s.webhooks}, {"past", s.past}} {
		if _, over := s.journal.over(scene.name); over {
			continue
		}
		if err := scene.play(ctx); err != nil {
			return err
		}
		if err := s.journal.note(scene.name, "over"); err != nil {
			return err
		}
	}
	return nil
}

// plain is what happens every day: most land, some are dropped for a good reason.
func (s *story) plain(ctx context.Context) error {
	names := []string{"how-to-test", "tax-free", "discount", "how-to-test-better", "round-up", "wait-for-rates", "rename-total", "receipt"}
	return s.approveAndWait(ctx, names...)
}

// pause is an admin's stop in the middle, and what people do meanwhile. Whether trunk stood still is noted before the resume: after a
// kill nobody could tell any more what landed because of it.
func (s *story) pause(ctx context.Context) error {
	before, over := s.journal.over("paused")
	if !over {
		var err error
		if before, err = s.stop(ctx); err != nil {
			return err
		}
	}
	if _, over := s.journal.over("stood still"); !over {
		if err := s.meanwhile(ctx); err != nil {
			return err
		}
		after, err := s.hub.Tip(repository, trunk)
		if err != nil {
			return err
		}
		if before != after {
			if err := s.journal.blame(wrongMoved(before, after)); err != nil {
				return err
			}
		}
		if err := s.journal.note("stood still", after); err != nil {
			return err
		}
	}
	s.tell(sayResumes())
	if _, err := s.lander.Store().Post(ctx, s.lane, queue.Resumed{By: admin, At: time.Now()}); err != nil {
		return err
	}
	return s.settled(ctx, "through-the-pause")
}

// stop pauses the lane, and notes where trunk stands then.
func (s *story) stop(ctx context.Context) (tip string, err error) {
	if _, err := s.lander.Store().Post(ctx, s.lane, queue.Paused{By: admin, Reason: "looking into an incident", At: time.Now()}); err != nil {
		return "", err
	}
	err = s.until(ctx, "the lane is paused", func(ctx context.Context) (bool, error) {
		q, _, err := s.lander.Store().View(ctx, s.lane)
		return q.PausedAt(time.Now()), err
	})
	if err != nil {
		return "", err
	}
	if tip, err = s.hub.Tip(repository, trunk); err != nil {
		return "", err
	}
	s.tell(sayPauses())
	return tip, s.journal.note("paused", tip)
}

// meanwhile is what people do while landing is paused.
func (s *story) meanwhile(ctx context.Context) error {
	pushed, err := s.pushedMore()
	if err != nil {
		return err
	}
	withdrawn, err := s.withdrawn()
	if err != nil {
		return err
	}
	undone := map[string]bool{"sneaky": pushed, "second-thoughts": withdrawn} // and before that lander knew of the approval
	for _, name := range []string{"sneaky", "second-thoughts", "through-the-pause"} {
		if undone[name] {
			continue
		}
		if err := s.approve(ctx, name); err != nil {
			return err
		}
	}
	if !pushed {
		more := hub.Commit{Message: "And one more thing", Files: map[string]string{"tests/assert.sh": "same() {\n\treturn 0 # nobody will notice\n}\n"}, At: s.journal.Begun}
		if _, err := s.hub.Push(repository, hub.Push{By: contributor, Branch: "sneaky", Commits: []hub.Commit{more}}); err != nil {
			return err
		}
		s.tell(sayPushesMore(s.numbers["sneaky"]))
	}
	if !withdrawn {
		if _, err := s.hub.Comment(repository, s.numbers["second-thoughts"], contributor, "On second thoughts, no.\n\n"+withdrawal); err != nil {
			return err
		}
	}
	return s.settled(ctx, "sneaky", "second-thoughts")
}

const withdrawal = "@lander withdraw"

// pushedMore reports whether more was pushed after the approval.
func (s *story) pushedMore() (bool, error) {
	pull, err := s.hub.Pull(repository, s.numbers["sneaky"])
	approval := approvalOf(pull)
	return approval != nil && approval.SHA != pull.HeadSHA, err
}

func (s *story) withdrawn() (bool, error) {
	said, err := s.hub.Comments(repository, s.numbers["second-thoughts"])
	return slices.ContainsFunc(said, func(c hub.Comment) bool { return c.Author == contributor && strings.Contains(c.Body, withdrawal) }), err
}

// guests are the ones who come from elsewhere, are not ready, or try to trick the gate.
func (s *story) guests(ctx context.Context) error {
	return s.approveAndWait(ctx, "from-a-fork", "draft", "free-pass", "news-one", "news-union")
}

// webhooks is the forge's delivery going wrong.
func (s *story) webhooks(ctx context.Context) error {
	if err := s.lose(ctx); err != nil {
		return err
	}
	if err := s.approve(ctx, "webhook-twice"); err != nil {
		return err
	}
	if err := s.repeat(ctx); err != nil {
		return err
	}
	return s.settled(ctx, "webhook-twice")
}

// lose has the webhook of an approval lost. The hub keeps the fault until it has struck, also over a kill.
func (s *story) lose(ctx context.Context) error {
	pull, err := s.hub.Pull(repository, s.numbers["lost-webhook"])
	if err != nil {
		return err
	}
	if approvalOf(pull) == nil {
		s.hub.Heal() // one at most, however often this is played
		if err := s.hub.Fault("lose the next webhook on pull_request_review"); err != nil {
			return err
		}
		s.tell(sayLoses())
	}
	if err := s.approveAndWait(ctx, "lost-webhook"); err != nil {
		return err
	}
	_, accepted, err := s.deliveries(ctx, "lost-webhook")
	if err == nil && accepted > 0 {
		err = s.journal.blame(wrongNotLost)
	}
	return err
}

// repeat has the hub send the webhook of an approval until lander has taken it twice, as a forge does on request, or by mistake. After
// a kill that is done even if lander has landed the change by then.
func (s *story) repeat(ctx context.Context) error {
	for told := false; ; {
		first, accepted, err := s.deliveries(ctx, "webhook-twice")
		if err != nil || accepted >= 2 {
			return err
		}
		if !told {
			s.tell(sayTwice())
			told = true
		}
		if err := s.hub.Redeliver(repository, first.ID); err != nil {
			return err
		}
	}
}

// deliveries is the webhook of the maintainer's approval, and how often lander has taken it, once all that is queued was sent.
func (s *story) deliveries(ctx context.Context, name string) (first hub.Delivery, accepted int, err error) {
	if err := s.hub.WaitDelivered(ctx); err != nil {
		return first, 0, err
	}
	all, err := s.hub.Deliveries(repository)
	if err != nil {
		return first, 0, err
	}
	for _, d := range all {
		if d.Event != "pull_request_review" {
			continue
		}
		payload, err := s.hub.Payload(d)
		if err != nil {
			return first, 0, err
		}
		n, err := pullOf(payload)
		if err != nil {
			return first, 0, err
		}
		if n != s.numbers[name] {
			continue
		}
		if first.ID == 0 {
			first = d
		}
		if d.Code/100 == 2 {
			accepted++
		}
	}
	if first.ID == 0 {
		err = errors.New(wrongNoWebhook)
	}
	return first, accepted, err
}

// past is a human who pushes to trunk while lander is testing. The test takes so long on the old trunk that this is in time even after
// a kill and a restart in between.
func (s *story) past(ctx context.Context) error {
	if err := s.approve(ctx, "pushed-past"); err != nil {
		return err
	}
	at, err := s.byHand(ctx)
	if err != nil {
		return err
	}
	if at < 0 {
		err := s.until(ctx, "it is being tested", func(ctx context.Context) (bool, error) {
			st, err := s.standing(ctx, s.numbers["pushed-past"])
			return st.Stage == queue.StageTesting || st.Stage == queue.StageLanded, err
		})
		if err != nil {
			return err
		}
		urgent := hub.Commit{Message: fire, Files: map[string]string{"NOTICE": "Not for bookkeeping. Not for taxes either.\n"}, At: s.journal.Begun}
		if _, err = s.hub.Push(repository, hub.Push{By: admin, Branch: trunk, Commits: []hub.Commit{urgent}}); err != nil {
			return err
		}
		s.tell(sayPushesPast())
	}
	return s.settled(ctx, "pushed-past")
}

const fire = "Put out a fire"

// byHand is where on trunk the commit stands that was pushed past lander, counted from the tip; -1: nowhere.
func (s *story) byHand(ctx context.Context) (int, error) {
	tip, err := s.hub.Tip(repository, trunk)
	if err != nil {
		return 0, err
	}
	history, err := onTrunk(ctx, s.hub, tip)
	return slices.IndexFunc(history, func(l landed) bool { return l.subject == fire }), err
}

// approve lets the maintainer approve, unless that was done. The story goes on only when lander knows.
func (s *story) approve(ctx context.Context, name string) error {
	n := s.numbers[name]
	pull, err := s.hub.Pull(repository, n)
	if err != nil {
		return err
	}
	if approvalOf(pull) == nil {
		if _, err := s.hub.Approve(repository, n, maintainer); err != nil {
			return fmt.Errorf("approve #%d: %w", n, err)
		}
		s.tell(sayApproves(maintainer, n, s.fates[n-1].title))
	}
	return s.until(ctx, fmt.Sprintf("lander knows that #%d is approved", n), func(ctx context.Context) (bool, error) {
		st, err := s.standing(ctx, n)
		return st.Stage != queue.StageIdle, err
	})
}

// approvalOf is the maintainer's approval; nil: there is none yet.
func approvalOf(pull hub.Pull) *hub.Review {
	for _, r := range pull.Reviews {
		if r.Author == maintainer && r.State == "APPROVED" {
			return r
		}
	}
	return nil
}

func (s *story) approveAndWait(ctx context.Context, names ...string) error {
	for _, name := range names {
		if err := s.approve(ctx, name); err != nil {
			return err
		}
	}
	return s.settled(ctx, names...)
}

// settled waits until lander has nothing more to do for them by itself.
func (s *story) settled(ctx context.Context, names ...string) error {
	for _, name := range names {
		n := s.numbers[name]
		err := s.until(ctx, fmt.Sprintf("#%d %s is settled", n, s.fates[n-1].title), func(ctx context.Context) (bool, error) {
			st, err := s.standing(ctx, n)
			switch st.Stage {
			case queue.StageLanded, queue.StageDropped, queue.StageHeld:
				return true, err
			case queue.StageIdle:
				return name == "sneaky" || name == "second-thoughts", err
			}
			return false, err
		})
		if err != nil {
			return err
		}
		if name == "sneaky" || name == "second-thoughts" { // lander's comment says which it is
			if err := s.told(ctx); err != nil {
				return err
			}
		}
		what, reason, err := s.became(ctx, n)
		if err != nil {
			return err
		}
		s.tell(sayFate(n, s.fates[n-1].title, what, reason))
	}
	return nil
}

// pullOf is the number of the pull request that a webhook is about.
func pullOf(payload []byte) (int, error) {
	var about struct {
		Pull struct {
			Number int `json:"number"`
		} `json:"pull_request"`
	}
	if err := json.Unmarshal(payload, &about); err != nil {
		return 0, fmt.Errorf("read webhook: %w", err)
	}
	return about.Pull.Number, nil
}
