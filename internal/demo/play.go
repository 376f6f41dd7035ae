package demo

import (
	"context"
	"errors"
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
	Resumed bool     `json:"resumed,omitempty"` // it was begun by an earlier process
	Wrong   []string `json:"wrong,omitempty"`   // what else was not as it must be
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
// goroutine at a time. With Resume it goes on with a story that was cut off, by a kill or otherwise, where that one was; a story that
// is over is only judged again.
func Play(ctx context.Context, o Options, progress func(News)) (r Result, err error) {
	began := time.Now()
	files, err := sample()
	if err != nil {
		return Result{}, err
	}
	if o.Poll == 0 {
		o.Poll = time.Second // the story has a lost webhook in it
	}
	o.keep = true
	w, err := claim(ctx, o, repository)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	s := &story{world: w, progress: progress, fates: fates(files), numbers: map[string]int{}}
	if s.journal, r.Resumed, err = journalOf(o); err != nil {
		return Result{}, err
	}
	if r.Resumed {
		s.tell(sayResuming(len(s.journal.Notes) > 0))
	}
	if err := w.open(ctx, o, func(h *hub.Hub) error { return fill(ctx, h, files, s.journal.Begun) }); err != nil {
		return Result{}, err
	}
	if err := s.run(ctx, &r); err != nil {
		return Result{}, err
	}
	r.Seconds = time.Since(began).Seconds()
	return r, nil
}

// journalOf is the journal to play by: a new one where nothing was played, and the one that is there to resume a story.
func journalOf(o Options) (j *journal, resumed bool, err error) {
	j, err = readJournal(o.Data)
	switch {
	case err == nil && o.Resume:
		return j, true, nil
	case err == nil:
		return nil, false, errBegunAlready(o.Data)
	case !errors.Is(err, errUnread):
		return nil, false, err
	}
	if err := unplayed(o.Data); err != nil {
		if o.Resume {
			err = errNoStory(o.Data)
		}
		return nil, false, err
	}
	j, err = beginJournal(o.Data)
	return j, false, err
}

// unplayed refuses a directory that something was played in.
func unplayed(dir string) error {
	for _, name := range []string{"story.json", "hub/hub.json", "hub/repos"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return errPlayedAlready(dir)
		}
	}
	return nil
}

// story is a play under way.
type story struct {
	*world
	fates   []fate
	numbers map[string]int // of pull requests, by branch
	journal *journal

	telling  sync.Mutex
	progress func(News)
}

// run plays and judges, and tells meanwhile where everybody stands.
func (s *story) run(ctx context.Context, r *Result) error {
	watching, stop := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { s.watch(watching) })
	err := s.play(ctx)
	stop()
	watch.Wait()
	if err != nil {
		return err
	}
	return s.judge(ctx, r)
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
