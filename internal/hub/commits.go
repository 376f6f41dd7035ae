package hub

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// commit is a commit as git log shows it.
type commit struct {
	SHA, Tree         string
	Parents           []string
	Author, Committer signature
	Message           string
	Added             []string // paths, where they were asked for
	Removed           []string
	Modified          []string
}

type signature struct {
	Name, Email string
	At          time.Time
}

func (c *commit) title() string {
	title, _, _ := strings.Cut(strings.TrimSpace(c.Message), "\n")
	return title
}

// history lists commits, as git log's arguments choose them. "--name-status" among them fills the paths.
func (h *Hub) history(r *repo, args ...string) ([]commit, error) {
	// A mark that nobody can have put into a message.
	mark := randomText(20)
	format := "--format=" + mark + "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B%x00"
	out, err := h.in(r, append([]string{"-c", "core.quotePath=false", "log", "--no-renames", format}, args...)...)
	if err != nil {
		return nil, err
	}
	var all []commit
	for _, text := range strings.Split(out, mark)[1:] {
		f := strings.Split(text, "\x00")
		if len(f) != 11 {
			return nil, fmt.Errorf("read history of %s: odd record %q", r.full(), text)
		}
		c := commit{
			SHA: f[0], Tree: f[1], Parents: strings.Fields(f[2]), Message: strings.TrimRight(f[9], "\n"),
			Author: signed(f[3], f[4], f[5]), Committer: signed(f[6], f[7], f[8]),
		}
		for line := range strings.Lines(f[10]) {
			kind, path, _ := strings.Cut(strings.TrimSpace(line), "\t")
			switch kind {
			case "":
			case "A":
				c.Added = append(c.Added, path)
			case "D":
				c.Removed = append(c.Removed, path)
			default:
				c.Modified = append(c.Modified, path)
			}
		}
		all = append(all, c)
	}
	return all, nil
}

// signed reads a date that git wrote; a commit can hold one that makes no sense, and then it counts as none.
func signed(name, email, date string) signature {
	at, err := time.Parse(time.RFC3339, date)
	if err != nil {
		at = time.Unix(0, 0)
	}
	return signature{Name: name, Email: email, At: at.UTC()}
}

// pushedCommits lists what a push brought, oldest first; at most as many as GitHub puts into an event.
func (h *Hub) pushedCommits(r *repo, m *RefMove) ([]commit, error) {
	args := []string{"--reverse", "--name-status", "--max-count=2048", m.New}
	if m.made() {
		var tip string
		h.read(func() { tip, _ = r.branch(r.DefaultBranch) })
		if tip == "" || tip == m.New {
			args = append(args, "--max-count=20")
		} else {
			args = append(args, "--not", tip)
		}
	} else {
		args = append(args, "--not", m.Old)
	}
	return h.history(r, args...)
}

// count is how many commits head has that base has not. An empty base means all.
func (h *Hub) count(r *repo, base, head string) (int, error) {
	args := []string{"rev-list", "--count", head}
	if base != "" {
		args = append(args, "^"+base)
	}
	out, err := h.in(r, args...)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(out)
	if err != nil {
		return 0, fmt.Errorf("count commits of %s: %w", r.full(), err)
	}
	return n, nil
}

// knows reports whether r has the commit.
func (h *Hub) knows(r *repo, sha string) bool {
	known := false
	h.read(func() {
		_, known = r.Statuses[sha]
		for _, p := range r.Pulls {
			known = known || p.HeadSHA == sha
		}
		for _, tip := range r.Refs {
			known = known || tip == sha
		}
	})
	if known {
		return true
	}
	if !isSHA(sha) {
		return false
	}
	_, err := h.in(r, "cat-file", "-e", sha+"^{commit}")
	return err == nil
}

func isSHA(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}
