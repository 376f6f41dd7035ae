package demo

import (
	"context"
	"slices"
	"strings"
	"time"

	"lander/internal/queue"
)

// judge finds out what became of everybody. Whether something landed is read from git and from the hub.
func (s *story) judge(ctx context.Context, r *Result) error {
	if err := s.told(ctx); err != nil {
		return err
	}
	tip, err := s.hub.Tip(repository, trunk)
	if err != nil {
		return err
	}
	history, err := onTrunk(ctx, s.hub, tip)
	if err != nil {
		return err
	}
	var there []string
	for _, l := range history {
		there = append(there, l.sha)
	}
	r.Trunk, r.OK, r.Wrong = tip, true, slices.Clone(s.journal.Wrong)
	for i, f := range s.fates {
		fate, err := s.fate(ctx, i+1, f, there)
		if err != nil {
			return err
		}
		r.OK = r.OK && fate.Met
		r.Fates = append(r.Fates, fate)
	}
	switch at, err := s.byHand(ctx); {
	case err != nil:
		return err
	case at < 0:
		r.Wrong = append(r.Wrong, wrongGone)
	case at != 1:
		r.Wrong = append(r.Wrong, wrongNotOnTop)
	}
	r.OK = r.OK && len(r.Wrong) == 0
	return nil
}

// told waits until lander has told everybody all there is to tell.
func (s *story) told(ctx context.Context) error {
	return s.until(ctx, "everybody is told", func(ctx context.Context) (bool, error) {
		left, err := s.lander.Store().Unsent(ctx, s.lane, time.Now().Add(time.Hour), 1)
		return len(left) == 0, err
	})
}

func (s *story) fate(ctx context.Context, n int, f fate, onTrunk []string) (Fate, error) {
	out := Fate{Number: n, Title: f.title, Expected: f.want}
	st, err := s.standing(ctx, n)
	if err != nil {
		return out, err
	}
	if out.Actual, out.Reason, err = s.became(ctx, n); err != nil {
		return out, err
	}
	pull, err := s.hub.Pull(repository, n)
	if err != nil {
		return out, err
	}
	if st.Stage == queue.StageLanded {
		out.Commit = string(st.Landing.Commits[len(st.Landing.Commits)-1].SHA)
		switch {
		case !slices.Contains(onTrunk, out.Commit):
			out.Actual = "said to have landed, but is not on trunk"
		case pull.Open:
			out.Actual = "landed, but is still open"
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

// became is what lander says became of a pull request, and why.
func (s *story) became(ctx context.Context, n int) (what, reason string, err error) {
	st, err := s.standing(ctx, n)
	if err != nil {
		return "", "", err
	}
	if len(st.Reasons) > 0 {
		reason = st.Reasons[0].Text
	}
	switch st.Stage {
	case queue.StageLanded:
		return fateLanded, "", nil
	case queue.StageDropped:
		return "dropped: " + string(st.Drop.Code), reason, nil
	case queue.StageHeld:
		return "held: " + st.Reasons[0].Code, reason, nil
	case queue.StageIdle:
		comments, err := s.hub.Comments(repository, n)
		for _, c := range comments {
			if c.Author == bot && strings.Contains(c.Body, "new commits were pushed") {
				return fateVoided, sayVoided(), nil
			}
		}
		return fateWithdrawn, sayWithdrawn(), err
	}
	return string(st.Stage), reason, nil
}
