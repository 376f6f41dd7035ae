package landertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"lander/internal/hub"
)

// commits reads the indented lines of a push.
func (s *story) commits(message string, below []string) (all []hub.Commit, body string, err error) {
	c := hub.Commit{Message: message, Files: map[string]string{}, Links: map[string]string{}}
	for _, line := range below {
		first, rest, _ := strings.Cut(line, " ")
		path, text, isFile := strings.Cut(line, ": ")
		from, to, isLink := strings.Cut(line, " -> ")
		switch {
		case first == "commit":
			all = append(all, c)
			c = hub.Commit{Message: rest, Files: map[string]string{}, Links: map[string]string{}}
		case first == "body":
			body = strings.ReplaceAll(rest, `\n`, "\n")
		case first == "-":
			c.Remove = append(c.Remove, rest)
		case first == "x":
			c.Execs = append(c.Execs, rest)
		case first == "author":
			c.Author = rest
		case strings.HasPrefix(text, "@") && isFile:
			known, ok := s.texts[text[1:]]
			if !ok {
				return nil, "", fmt.Errorf("no section %q", text)
			}
			c.Files[path] = known
		case isFile:
			c.Files[path] = strings.ReplaceAll(text, `\n`, "\n") + "\n"
		case isLink:
			c.Links[from] = to
		default:
			return nil, "", fmt.Errorf("line %q is not understood", line)
		}
	}
	return append(all, c), body, nil
}

func (s *story) open(c command, a []string) error {
	branch, who, fork, draft, onto, off, title := a[0], a[1], a[2] != "", a[3] != "", a[4], a[5], a[6]
	repo, head := repository, branch
	if fork {
		var err error
		repo, err = s.hub.Fork(repository, who)
		if err != nil && !errors.Is(err, hub.ErrExists) {
			return err
		}
		head = who + ":" + branch
	}
	if onto == "" {
		onto = "main"
	}
	from := onto
	if off != "" {
		var err error
		if from, err = s.commit(off); err != nil {
			return err
		}
	}
	commits, body, err := s.commits(title, c.below)
	if err != nil {
		return err
	}
	// Without a line below it, the branch is there already.
	if len(c.below) > 0 {
		if _, err := s.pushTo(repo, hub.Push{By: who, Branch: branch, From: from, Commits: commits}); err != nil {
			return err
		}
	}
	_, err = s.hub.OpenPull(repository, hub.NewPull{
		Author: who, Title: title, Body: body, Head: head, Base: onto, Draft: draft, NoEdits: strings.HasSuffix(a[2], "without edits"),
	})
	return err
}

// pushTo pushes and names the new commits.
func (s *story) pushTo(repo string, p hub.Push) (string, error) {
	sha, err := s.hub.Push(repo, p)
	if err != nil {
		return "", err
	}
	s.pushes[p.Branch]++
	s.name(sha, fmt.Sprintf("%s.%d", p.Branch, s.pushes[p.Branch]))
	return sha, nil
}

func (s *story) push(c command, a []string) error {
	who, force, branch, off, message := a[0], a[1] != "", a[2], a[3], a[4]
	p := hub.Push{By: who, Branch: branch, Force: force}
	var err error
	if p.Commits, _, err = s.commits(message, c.below); err != nil {
		return err
	}
	if off != "" {
		if p.From, err = s.commit(off); err != nil {
			return err
		}
	}
	repo := repository
	if pulls, err := s.hub.Pulls(repository); err == nil {
		if i := slices.IndexFunc(pulls, func(p hub.Pull) bool { return p.Head == branch }); i >= 0 {
			repo = pulls[i].HeadRepo
		}
	}
	_, err = s.pushTo(repo, p)
	return err
}

func (s *story) rewind(_ command, a []string) error {
	sha, err := s.commit(a[2])
	if err != nil {
		return err
	}
	_, err = s.hub.Push(repository, hub.Push{By: a[0], Branch: a[1], SHA: sha, Force: true})
	return err
}

func (s *story) deleteBranch(_ command, a []string) error {
	_, err := s.hub.Push(repository, hub.Push{By: a[0], Branch: a[1], Delete: true})
	return err
}

func (s *story) merge(_ command, a []string) error {
	n, _ := strconv.Atoi(a[1])
	sha, err := s.hub.MergePull(repository, n, a[0], hub.Merge{})
	if err != nil {
		return err
	}
	s.pushes["merge"]++
	s.name(sha, fmt.Sprintf("merge.%d", s.pushes["merge"]))
	return nil
}

// mergeInto makes a merge commit by hand, as somebody does who merges trunk into a branch. It must be free of conflicts. With more,
// it also changes a file that neither side has changed.
func (s *story) mergeInto(_ command, a []string) error {
	who, from, into, more, message := a[0], a[1], a[2], a[3] != "", a[4]
	git, ctx := s.git(), context.Background()
	ours, theirs := s.tip(into), s.tip(from)
	tree, err := git.Text(ctx, "merge-tree", "--write-tree", ours, theirs)
	if err != nil {
		return err
	}
	if more {
		if tree, err = s.with(tree, "readme.txt", "A place of its own.\n"); err != nil {
			return err
		}
	}
	u, _ := s.hub.User(who)
	date := s.Now().Format(time.RFC3339)
	git.Env = []string{
		"GIT_AUTHOR_NAME=" + u.Name, "GIT_AUTHOR_EMAIL=" + u.Email, "GIT_AUTHOR_DATE=" + date,
		"GIT_COMMITTER_NAME=" + u.Name, "GIT_COMMITTER_EMAIL=" + u.Email, "GIT_COMMITTER_DATE=" + date,
	}
	sha, err := git.Text(ctx, "commit-tree", "-p", ours, "-p", theirs, "-m", message, tree)
	if err != nil {
		return err
	}
	_, err = s.pushTo(repository, hub.Push{By: who, Branch: into, SHA: sha})
	return err
}

// with gives the tree with another text in a file of its root.
func (s *story) with(tree, path, text string) (string, error) {
	git, ctx := s.git(), context.Background()
	blob, err := git.Output(ctx, []byte(text), "hash-object", "-w", "--stdin")
	if err != nil {
		return "", err
	}
	listed, err := git.Output(ctx, nil, "ls-tree", tree)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for line := range strings.Lines(string(listed)) {
		if strings.HasSuffix(line, "\t"+path+"\n") {
			line = "100644 blob " + strings.TrimSpace(string(blob)) + "\t" + path + "\n"
		}
		b.WriteString(line)
	}
	made, err := git.Output(ctx, []byte(b.String()), "mktree")
	return strings.TrimSpace(string(made)), err
}

func (s *story) approve(_ command, a []string) error {
	n, _ := strconv.Atoi(a[0])
	at := ""
	if a[2] != "" {
		var err error
		if at, err = s.commit(a[2]); err != nil {
			return err
		}
	}
	id, err := s.hub.Review(repository, n, a[1], hub.EventApprove, "", at)
	if err != nil {
		return err
	}
	return s.consent(n, a[1], at, id)
}

func (s *story) object(_ command, a []string) error {
	n, _ := strconv.Atoi(a[0])
	_, err := s.hub.Review(repository, n, a[1], hub.EventChanges, "No.", "")
	return err
}

func (s *story) remark(_ command, a []string) error {
	n, _ := strconv.Atoi(a[0])
	text, err := s.spell(a[2])
	if err != nil {
		return err
	}
	if _, err := s.hub.Review(repository, n, a[1], hub.EventComment, text, ""); err != nil {
		return err
	}
	return s.asked(n, a[1], text)
}

// dismiss dismisses the newest review that weighs something.
func (s *story) dismiss(_ command, a []string) error {
	n, _ := strconv.Atoi(a[0])
	p, err := s.hub.Pull(repository, n)
	if err != nil {
		return err
	}
	for _, v := range slices.Backward(p.Reviews) {
		if v.State == "APPROVED" || v.State == "CHANGES_REQUESTED" {
			s.revoke(v.ID)
			return s.hub.Dismiss(repository, n, v.ID, a[1], "On second thoughts.")
		}
	}
	return errors.New("there is nothing to dismiss")
}

func (s *story) comment(_ command, a []string) error {
	n, _ := strconv.Atoi(a[0])
	text, err := s.spell(a[2])
	if err != nil {
		return err
	}
	if _, err := s.hub.Comment(repository, n, a[1], text); err != nil {
		return err
	}
	return s.asked(n, a[1], text)
}

// newest is the newest comment of a person on a pull request.
func (s *story) newest(n int) (int64, error) {
	all, err := s.hub.Comments(repository, n)
	if err != nil {
		return 0, err
	}
	for _, c := range slices.Backward(all) {
		if c.Author != bot {
			return c.ID, nil
		}
	}
	return 0, errors.New("nobody has commented")
}

func (s *story) edit(_ command, a []string) error {
	n, _ := strconv.Atoi(a[0])
	id, err := s.newest(n)
	if err != nil {
		return err
	}
	return s.hub.EditComment(repository, id, a[1], strings.ReplaceAll(a[2], `\n`, "\n"))
}

func (s *story) remove(_ command, a []string) error {
	n, _ := strconv.Atoi(a[0])
	id, err := s.newest(n)
	if err != nil {
		return err
	}
	return s.hub.DeleteComment(repository, id, a[1])
}

func (s *story) draft(_ command, a []string) error {
	n, _ := strconv.Atoi(a[1])
	return s.hub.SetDraft(repository, n, owner, a[0] == "draft")
}

func (s *story) close(_ command, a []string) error {
	n, _ := strconv.Atoi(a[1])
	if a[0] == "close" {
		return s.hub.ClosePull(repository, n, a[2])
	}
	return s.hub.ReopenPull(repository, n, a[2])
}

func (s *story) retarget(_ command, a []string) error {
	n, _ := strconv.Atoi(a[0])
	return s.hub.EditPull(repository, n, owner, hub.Edit{Base: &a[1]})
}

func (s *story) retitle(_ command, a []string) error {
	n, _ := strconv.Atoi(a[0])
	return s.hub.EditPull(repository, n, owner, hub.Edit{Title: &a[1]})
}

func (s *story) label(_ command, a []string) error {
	n, _ := strconv.Atoi(a[1])
	if a[0] == "" {
		return s.hub.AddLabel(repository, n, owner, a[2])
	}
	return s.hub.RemoveLabel(repository, n, owner, a[2])
}
