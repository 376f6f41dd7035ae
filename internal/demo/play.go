package demo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"lander/internal/hub"
	"lander/internal/queue"
	"lander/internal/vcs"
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

// Play opens a playground, plays the whole story in it and says how everybody fared. Progress is called as things happen; each line
// is for people.
func Play(ctx context.Context, o Options, progress func(line string)) (Result, error) {
	began := time.Now()
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
	s := &story{world: w, tell: progress, numbers: map[string]int{}}
	if err := s.play(ctx, fates(files)); err != nil {
		_ = w.close()
		return Result{}, err
	}
	r, err := s.judge(ctx)
	r.Seconds = time.Since(began).Seconds()
	if closeErr := w.close(); err == nil {
		err = closeErr
	}
	return r, err
}

// openSample opens a world with the sample repository and its pull requests, none of them approved.
func openSample(ctx context.Context, o Options, files map[string]string) (*world, error) {
	return open(ctx, o, repository, func(h *hub.Hub) error {
		for _, u := range []hub.User{{Login: maintainer, Name: "Maya"}, {Login: contributor, Name: "Noor"}, {Login: outsider, Name: "Kai"}, {Login: admin, Name: "Ada"}} {
			if _, err := h.AddUser(u); err != nil {
				return err
			}
		}
		err := h.AddRepo(repository, hub.Seed{Description: "Prices, taxes and carts in a few lines of shell", Branch: trunk, Files: files, Message: "Begin the abacus"})
		if err != nil {
			return err
		}
		for login, role := range map[string]hub.Role{maintainer: hub.RoleMaintain, contributor: hub.RoleWrite, admin: hub.RoleAdmin} {
			if err := h.SetRole(repository, login, role); err != nil {
				return err
			}
		}
		first, err := h.Tip(repository, trunk)
		if err != nil {
			return err
		}
		second := hub.Commit{Message: "Say what this is not", Files: map[string]string{"NOTICE": "Not for bookkeeping.\n"}}
		if _, err := h.Push(repository, hub.Push{By: admin, Branch: trunk, Commits: []hub.Commit{second}}); err != nil {
			return err
		}
		for _, f := range fates(files) {
			if err := openPull(h, f, first); err != nil {
				return fmt.Errorf("open %q: %w", f.title, err)
			}
		}
		return nil
	})
}

// openPull pushes a fate's branch and opens its pull request.
func openPull(h *hub.Hub, f fate, first string) error {
	author, repo, head, from := f.author, repository, f.name, trunk
	if author == "" {
		author = contributor
	}
	if f.fork {
		fork, err := h.Fork(repository, author)
		if err != nil {
			return err
		}
		repo, head = fork, author+":"+f.name
	}
	if f.behind {
		from = first
	}
	if _, err := h.Push(repo, hub.Push{By: author, Branch: f.name, From: from, Commits: f.commits}); err != nil {
		return err
	}
	_, err := h.OpenPull(repository, hub.NewPull{Author: author, Title: f.title, Body: f.body, Head: head, Draft: f.draft})
	return err
}

// story is a play under way.
type story struct {
	*world
	tell    func(string)
	fates   []fate
	numbers map[string]int // of pull requests, by branch
	wrong   []string
	byHand  string // the commit that was pushed past lander
}

func (s *story) play(ctx context.Context, fates []fate) error {
	s.fates = fates
	for i, f := range fates {
		s.numbers[f.name] = i + 1
	}
	s.tell(fmt.Sprintf("%d pull requests are open on %s", len(fates), s.url))
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
	s.tell(admin + " pauses landing")
	for _, name := range []string{"sneaky", "second-thoughts", "through-the-pause"} {
		if err := s.approve(ctx, name); err != nil {
			return err
		}
	}
	more := hub.Commit{Message: "And one more thing", Files: map[string]string{"tests/assert.sh": "same() {\n\treturn 0 # nobody will notice\n}\n"}}
	if _, err := s.hub.Push(repository, hub.Push{By: contributor, Branch: "sneaky", Commits: []hub.Commit{more}}); err != nil {
		return err
	}
	s.tell(contributor + " pushes more to #" + fmt.Sprint(s.numbers["sneaky"]) + ", which was approved already")
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
	s.tell(admin + " resumes")
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
	s.tell("the next webhook is lost")
	if err := s.approveAndWait(ctx, "lost-webhook"); err != nil {
		return err
	}
	if err := s.hub.WaitDelivered(ctx); err != nil {
		return err
	}
	if err := s.hub.Fault("deliver twice"); err != nil {
		return err
	}
	s.tell("the next webhook comes twice")
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
	s.tell(admin + " pushes to trunk, past lander")
	return s.settled(ctx, "pushed-past")
}

// approve lets the maintainer approve. The story goes on only when lander knows, unless its webhook is to be lost.
func (s *story) approve(ctx context.Context, name string) error {
	n := s.numbers[name]
	if _, err := s.hub.Approve(repository, n, maintainer); err != nil {
		return fmt.Errorf("approve #%d: %w", n, err)
	}
	s.tell(fmt.Sprintf("%s approves #%d %s", maintainer, n, s.fates[n-1].title))
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
		st, err := s.standing(ctx, n)
		if err != nil {
			return err
		}
		s.tell(fmt.Sprintf("#%d %s: %s", n, s.fates[n-1].title, st.Stage))
	}
	return nil
}

// judge finds out what became of everybody. Whether something landed is read from git and from the hub.
func (s *story) judge(ctx context.Context) (Result, error) {
	if err := s.told(ctx); err != nil {
		return Result{}, err
	}
	tip, err := s.hub.Tip(repository, trunk)
	if err != nil {
		return Result{}, err
	}
	dir, err := s.hub.GitDir(repository)
	if err != nil {
		return Result{}, err
	}
	history, err := vcs.Git{Dir: dir}.Text(ctx, "rev-list", "--first-parent", tip)
	if err != nil {
		return Result{}, err
	}
	onTrunk := strings.Fields(history)
	r := Result{Trunk: tip, OK: true, Wrong: s.wrong}
	for i, f := range s.fates {
		fate, err := s.fate(ctx, i+1, f, onTrunk)
		if err != nil {
			return Result{}, err
		}
		r.OK = r.OK && fate.Met
		r.Fates = append(r.Fates, fate)
	}
	if !slices.Contains(onTrunk, s.byHand) {
		r.Wrong = append(r.Wrong, "what was pushed past lander is no longer on trunk")
	}
	if at := slices.Index(onTrunk, s.byHand); at != 1 {
		r.Wrong = append(r.Wrong, "what was being tested when trunk was moved past lander did not land on top of that")
	}
	r.OK = r.OK && len(r.Wrong) == 0
	return r, nil
}

// told waits until lander has told everybody all there is to tell.
func (s *story) told(ctx context.Context) error {
	return s.until(ctx, "everybody is told", func(ctx context.Context) (bool, error) {
		left, err := s.lander.Store().Unsent(ctx, s.lane, time.Now().Add(time.Hour), 1)
		return len(left) == 0, err
	})
}

func (s *story) fate(ctx context.Context, n int, f fate, onTrunk []string) (Fate, error) {
	out := Fate{Number: n, Title: f.title, Expected: f.want, Actual: "waiting"}
	st, err := s.standing(ctx, n)
	if err != nil {
		return out, err
	}
	pull, err := s.hub.Pull(repository, n)
	if err != nil {
		return out, err
	}
	if len(st.Reasons) > 0 {
		out.Reason = st.Reasons[0].Text
	}
	switch st.Stage {
	case queue.StageLanded:
		out.Commit = string(st.Landing.Commits[len(st.Landing.Commits)-1].SHA)
		switch {
		case !slices.Contains(onTrunk, out.Commit):
			out.Actual = "said to have landed, but is not on trunk"
		case pull.Open:
			out.Actual = "landed, but is still open"
		default:
			out.Actual, out.Reason = fateLanded, ""
		}
	case queue.StageDropped:
		out.Actual = "dropped: " + string(st.Drop.Code)
	case queue.StageHeld:
		out.Actual = "held: " + st.Reasons[0].Code
	case queue.StageIdle:
		out.Actual = fateWithdrawn
		comments, err := s.hub.Comments(repository, n)
		if err != nil {
			return out, err
		}
		for _, c := range comments {
			if c.Author == bot && strings.Contains(c.Body, "new commits were pushed") {
				out.Actual, out.Reason = fateVoided, "new commits were pushed after it was approved"
			}
		}
	}
	if st.Stage != queue.StageLanded {
		for _, id := range onTrunk {
			if id == string(st.Head) || id == string(st.Candidate) && st.Candidate != "" {
				out.Actual = "on trunk all the same"
			}
		}
	}
	out.Met = out.Actual == f.want && strings.Contains(out.Reason, f.because)
	return out, nil
}
