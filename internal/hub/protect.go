package hub

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// guarded is a protection as it is kept. GitHub's rulesets bypass all of their rules or none, so it takes two to let some
// push and fewer force: one says who moves the branch, the other how.
type guarded struct {
	Protection
	IDs [2]int64 `json:"ids"`
}

// Protect protects a branch, or all branches that a pattern matches, or changes that protection. Patterns are GitHub's: *
// stands for anything but a slash, ** followed by a slash for any number of directories, ? for one character. A branch that
// has a protection of its own heeds no pattern; of several patterns the longest counts.
func (h *Hub) Protect(repo, branch string, p Protection) error {
	if branch == "" || strings.ContainsAny(branch, " [\\~^:") {
		return fmt.Errorf("protect %q: want a branch, or a pattern of *, ** and ?", branch)
	}
	return h.change(func() error {
		r, err := h.repo(repo)
		if err != nil {
			return err
		}
		g := &guarded{Protection: p, IDs: [2]int64{h.id(), h.id()}}
		if old := r.Protected[branch]; old != nil {
			g.IDs = old.IDs
		}
		g.Push, g.Bypass = slices.Clone(p.Push), slices.Clone(p.Bypass)
		r.Protected[branch] = g
		return nil
	})
}

// Unprotect takes the protection of a branch or a pattern away.
func (h *Hub) Unprotect(repo, branch string) error {
	return h.change(func() error {
		r, err := h.repo(repo)
		if err != nil {
			return err
		}
		delete(r.Protected, branch)
		return nil
	})
}

// guards lists what is protected, in the order in which it counts. The state must be locked.
func (r *repo) guards() []string {
	return slices.SortedFunc(maps.Keys(r.Protected), func(a, b string) int {
		if x, y := isPattern(a), isPattern(b); x != y {
			return map[bool]int{true: 1, false: -1}[x]
		}
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
}

// protection is what protects a branch, or nil. The state must be locked.
func (r *repo) protection(branch string) *guarded {
	if g := r.Protected[branch]; g != nil {
		return g
	}
	for _, pattern := range r.guards() {
		if isPattern(pattern) && regexp.MustCompile("^(?:"+expression(pattern)+")$").MatchString(branch) {
			return r.Protected[pattern]
		}
	}
	return nil
}

// rulesFor is what protections let somebody do, in the words of the update hook. The state must be locked.
func (r *repo) rulesFor(login string) string {
	var rules []string
	for _, name := range r.guards() {
		p, may := r.Protected[name], "-"
		switch {
		case hasLogin(p.Bypass, login):
			may = "pfd"
		case hasLogin(p.Push, login):
			may = "p"
			if p.AllowForce {
				may += "f"
			}
			if p.AllowDelete {
				may += "d"
			}
		}
		match := "refs/heads/" + name
		if isPattern(name) {
			match = "~refs/heads/" + expression(name)
		}
		rules = append(rules, may+":"+match)
	}
	return strings.Join(rules, " ")
}

func isPattern(branch string) bool { return strings.ContainsAny(branch, "*?") }

// expression is a pattern as a regular expression that Go and grep -E read alike.
func expression(pattern string) string {
	var b strings.Builder
	for rest := pattern; rest != ""; {
		switch {
		case strings.HasPrefix(rest, "**/"):
			b.WriteString("([^/]+/)*")
			rest = rest[3:]
		case rest[0] == '*':
			b.WriteString("[^/]*")
			rest = strings.TrimLeft(rest, "*")
		case rest[0] == '?':
			b.WriteString("[^/]")
			rest = rest[1:]
		default:
			b.WriteString(regexp.QuoteMeta(rest[:1]))
			rest = rest[1:]
		}
	}
	return b.String()
}

func hasLogin(logins []string, login string) bool {
	return slices.ContainsFunc(logins, func(l string) bool { return key(l) == key(login) })
}
