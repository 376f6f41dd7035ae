package landertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"lander/internal/hub"
	"lander/internal/queue"
	"lander/internal/vcs"
)

func (s *story) startCI(_ command, a []string) error {
	s.ci = append(s.ci, hub.Check{Name: a[0], ExternalID: a[1]})
	return nil
}

// offered is where the branches of candidates stand.
func (w *world) offered() ([]string, error) {
	text, err := w.git().Text(context.Background(), "for-each-ref", "--format=%(objectname)", "refs/heads/"+queue.RunPrefix)
	return strings.Fields(text), err
}

// runCI lets every CI of the world check the candidates that are there and that it has not checked, and those that it is to check again.
func (w *world) runCI() (told bool, err error) {
	if len(w.ci) == 0 {
		return false, nil
	}
	tips, err := w.offered()
	if err != nil {
		return false, err
	}
	for _, sha := range tips {
		known, err := w.hub.Checks(repository, sha)
		if err != nil {
			return told, err
		}
		for _, c := range w.ci {
			i := slices.IndexFunc(known, func(k hub.Check) bool { return k.Name == c.Name && k.Conclusion == "" })
			if i < 0 && slices.ContainsFunc(known, func(k hub.Check) bool { return k.Name == c.Name }) {
				continue
			}
			run := hub.Check{Name: c.Name, SHA: sha, Conclusion: "success", DetailsURL: w.hubURL + "/ci"}
			if i >= 0 {
				run.ID = known[i].ID
			}
			var exit *vcs.ExitError
			switch _, err := w.git().Text(context.Background(), "grep", "-q", "red", sha, "--", "*.txt"); {
			case err == nil:
				run.Conclusion = "failure"
			case !errors.As(err, &exit):
				return told, err
			}
			if _, err := w.hub.SetCheck(repository, c.ExternalID, run); err != nil {
				return told, err
			}
			told = true
		}
	}
	return told, nil
}

// check tells of a check run, which is a new one.
func (s *story) check(_ command, a []string) error {
	sha, err := s.commit(a[2])
	if err != nil {
		return err
	}
	c := hub.Check{Name: a[0], SHA: sha, Conclusion: a[3], DetailsURL: s.hubURL + "/ci"}
	if a[3] == "pending" {
		c.Conclusion, c.Status = "", "in_progress"
	}
	_, err = s.hub.SetCheck(repository, a[1], c)
	return err
}

func (s *story) status(_ command, a []string) error {
	sha, err := s.commit(a[2])
	if err != nil {
		return err
	}
	return s.hub.SetStatus(repository, sha, a[1], hub.Status{Context: a[0], State: a[3]})
}

func (s *story) expectOffered(_ command, a []string) error {
	tips, err := s.offered()
	if err != nil {
		return err
	}
	var names []string
	for _, sha := range tips {
		names = append(names, s.named(sha))
	}
	slices.Sort(names)
	if got := strings.Join(names, ", "); got != a[0] && (got != "" || a[0] != "nothing") {
		return fmt.Errorf("there is %q", got)
	}
	return nil
}
