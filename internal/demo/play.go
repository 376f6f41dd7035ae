package demo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"lander/internal/hub"
	"lander/internal/queue"
)

// Fate is what one pull request was to meet with, and what it did.
type Fate struct {
	Number   int    `json:"number"`
	Title    string `json:"title"`
	Expected string `json:"expected"`
	Actual   string `json:"actual"`
	Reason   string `json:"reason"`           // lander's, where it did not land
	Commit   string `json:"commit,omitempty"` // what it landed as: the newest of its commits on trunk
	Met      bool   `json:"met"`
}

// Result is what a played story came to.
type Result struct {
	Fates   []Fate   `json:"fates"`
	OK      bool     `json:"ok"`
	Trunk   string   `json:"trunk"` // where it stands at the end
	Seconds float64  `json:"seconds"`
	Wrong   []string `json:"wrong,omitempty"` // what else was not as it must be
}

// News is something that happened in the story: a line for people, or where a pull request stands from now on, or both.
type News struct {
	Line   string
	Number int // 0: it is about no pull request
	Title  string
	Stage  queue.Stage
	Reason string // why it does not land, or not yet
}

// Play opens a playground, plays the whole story in it and says how everybody fared. progress is called as things happen, from one
// goroutine at a time.
func Play(ctx context.Context, o Options, progress func(News)) (Result, error) {
	began := time.Now()
	if err := unplayed(o.Data); err != nil {
		return Result{}, err
	}
	files, err := sample()
	if err != nil {
		return Result{}, err
	}
	if o.Poll == 0 {
		o.Poll = time.Second // the story has a lost webhook in it
	}
	w, err := openSample(ctx, o, files)
	if err != nil {
		return Result{}, err
	}
	s := &story{world: w, progress: progress, fates: fates(files), numbers: map[string]int{}}
	r, err := s.run(ctx)
	r.Seconds = time.Since(began).Seconds()
	if closeErr := w.close(); err == nil {
		err = closeErr
	}
	return r, err
}

// unplayed refuses a directory that something was played in: a story has one beginning.
func unplayed(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "hub")); err == nil {
		return errPlayedAlready(dir)
	}
	return nil
}

// story is a play under way.
type story struct {
	*world
	fates   []fate
	numbers map[string]int // of pull requests, by branch
	wrong   []string
	byHand  string // the commit that was pushed past lander

	telling  sync.Mutex
	progress func(News)
}

// run plays and judges, and tells meanwhile where everybody stands.
func (s *story) run(ctx context.Context) (Result, error) {
	watching, stop := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { s.watch(watching) })
	err := s.play(ctx)
	stop()
	watch.Wait()
	if err != nil {
		return Result{}, err
	}
	return s.judge(ctx)
}

// tell tells a line.
func (s *story) tell(line string) { s.news(News{Line: line}) }

func (s *story) news(n News) {
	s.telling.Lock()
	defer s.telling.Unlock()
	s.progress(n)
}

// watch tells of each pull request whenever it stands elsewhere. It is only looking on: what goes wrong in it, the story meets too.
func (s *story) watch(ctx context.Context) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	told := make([]News, len(s.fates))
	for {
		for i, f := range s.fates {
			if told[i].Stage == queue.StageLanded {
				continue
			}
			st, err := s.standing(ctx, i+1)
			if err != nil {
				break
			}
			now := News{Number: i + 1, Title: f.title, Stage: st.Stage}
			if len(st.Reasons) > 0 && st.Stage != queue.StageIdle {
				now.Reason = st.Reasons[0].Text
			}
			if now != told[i] {
				told[i] = now
				s.news(now)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s *story) play(ctx context.Context) error {
	for i, f := range s.fates {
		s.numbers[f.name] = i + 1
	}
	s.tell(sayOpen(len(s.fates), s.url))
	scenes := []func(context.Context) error{s.plain, s.pause, s.guests, s.webhooks, s.past}
	for _, scene := range scenes {
		if err := scene(ctx); err != nil {
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

// pause is an admin's stop in the middle, and what people do meanwhile.
func (s *story) pause(ctx context.Context) error {
	if _, err := s.lander.Store().Post(ctx, s.lane, queue.Paused{By: admin, Reason: "looking into an incident", At: time.Now()}); err != nil {
		return err
	}
	err := s.until(ctx, "the lane is paused", func(ctx context.Context) (bool, error) {
		q, _, err := s.lander.Store().View(ctx, s.lane)
		return q.PausedAt(time.Now()), err
	})
	if err != nil {
		return err
	}
	before, err := s.hub.Tip(repository, trunk)
	if err != nil {
		return err
	}
	s.tell(sayPauses())
	for _, name := range []string{"sneaky", "second-thoughts", "through-the-pause"} {
		if err := s.approve(ctx, name); err != nil {
			return err
		}
	}
	more := hub.Commit{Message: "And one more thing", Files: map[string]string{"tests/assert.sh": "same() {\n\treturn 0 # nobody will notice\n}\n"}}
	if _, err := s.hub.Push(repository, hub.Push{By: contributor, Branch: "sneaky", Commits: []hub.Commit{more}}); err != nil {
		return err
	}
	s.tell(sayPushesMore(s.numbers["sneaky"]))
	if _, err := s.hub.Comment(repository, s.numbers["second-thoughts"], contributor, "On second thoughts, no.\n\n@lander withdraw"); err != nil {
		return err
	}
	if err := s.settled(ctx, "sneaky", "second-thoughts"); err != nil {
		return err
	}
	after, err := s.hub.Tip(repository, trunk)
	if err != nil {
		return err
	}
	if before != after {
		s.wrong = append(s.wrong, fmt.Sprintf("trunk moved from %s to %s while landing was paused", before, after))
	}
	s.tell(sayResumes())
	if _, err := s.lander.Store().Post(ctx, s.lane, queue.Resumed{By: admin, At: time.Now()}); err != nil {
		return err
	}
	return s.settled(ctx, "through-the-pause")
}

// guests are the ones who come from elsewhere, are not ready, or try to trick the gate.
func (s *story) guests(ctx context.Context) error {
	return s.approveAndWait(ctx, "from-a-fork", "draft", "free-pass", "news-one", "news-union")
}

// webhooks is the forge's delivery going wrong.
func (s *story) webhooks(ctx context.Context) error {
	if err := s.hub.WaitDelivered(ctx); err != nil {
		return err
	}
	if err := s.hub.Fault("lose the next webhook"); err != nil {
		return err
	}
	s.tell(sayLoses())
	if err := s.approveAndWait(ctx, "lost-webhook"); err != nil {
		return err
	}
	if err := s.hub.WaitDelivered(ctx); err != nil {
		return err
	}
	if err := s.hub.Fault("deliver twice"); err != nil {
		return err
	}
	s.tell(sayTwice())
	return s.approveAndWait(ctx, "webhook-twice")
}

// past is a human who pushes to trunk while lander is testing.
func (s *story) past(ctx context.Context) error {
	if err := s.approve(ctx, "pushed-past"); err != nil {
		return err
	}
	err := s.until(ctx, "it is being tested", func(ctx context.Context) (bool, error) {
		st, err := s.standing(ctx, s.numbers["pushed-past"])
		return st.Stage == queue.StageTesting, err
	})
	if err != nil {
		return err
	}
	urgent := hub.Commit{Message: "Put out a fire", Files: map[string]string{"NOTICE": "Not for bookkeeping. Not for taxes either.\n"}}
	if s.byHand, err = s.hub.Push(repository, hub.Push{By: admin, Branch: trunk, Commits: []hub.Commit{urgent}}); err != nil {
		return err
	}
	s.tell(sayPushesPast())
	return s.settled(ctx, "pushed-past")
}

// approve lets the maintainer approve. The story goes on only when lander knows, unless its webhook is to be lost.
func (s *story) approve(ctx context.Context, name string) error {
	n := s.numbers[name]
	if _, err := s.hub.Approve(repository, n, maintainer); err != nil {
		return fmt.Errorf("approve #%d: %w", n, err)
	}
	s.tell(sayApproves(maintainer, n, s.fates[n-1].title))
	return s.until(ctx, fmt.Sprintf("lander knows that #%d is approved", n), func(ctx context.Context) (bool, error) {
		st, err := s.standing(ctx, n)
		return st.Stage != queue.StageIdle, err
	})
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
		what, reason, err := s.became(ctx, n)
		if err != nil {
			return err
		}
		s.tell(sayFate(n, s.fates[n-1].title, what, reason))
	}
	return nil
}
