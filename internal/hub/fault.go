package hub

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// fault is misbehaviour that somebody asked for.
type fault struct {
	line  string // as asked for
	kind  string // status, rate, secondary, timeout, reply, delay, refuse, hang, readonly, noatomic, register, lose, twice, late or swap
	left  int    // how many times still; always when negative
	code  int    // of a status
	delay time.Duration
	where string // event, event.action, "api", "git", "fetch", "push", "webhooks", or a path with or without a method
	repo  string // "owner/name"; empty means all
}

// faults are those not used up.
type faults struct {
	mu   sync.Mutex
	list []*fault
}

// ofPushes are the kinds that strike pushes without being told so.
var ofPushes = []string{"refuse", "hang", "readonly", "noatomic"}

// scene is a place where a fault may strike.
type scene struct {
	event, action string // a webhook delivery
	git           string // a git request: fetch or push
	method, path  string // a REST request; the path without /api/v3
	repo          string
}

// Fault makes the hub misbehave, as each line of text says; see ParseFaults. It does so besides what was asked for
// before. What was not used up is still there when the hub is opened again.
func (h *Hub) Fault(text string) error {
	list, err := parseFaults(text)
	if err != nil {
		return err
	}
	return h.change(func() error {
		h.faults.mu.Lock()
		defer h.faults.mu.Unlock()
		h.faults.list = append(h.faults.list, list...)
		return nil
	})
}

// Faults lists what is still to misbehave.
func (h *Hub) Faults() []string {
	h.faults.mu.Lock()
	defer h.faults.mu.Unlock()
	var all []string
	for _, f := range h.faults.list {
		left := "always"
		if f.left > 0 {
			left = fmt.Sprintf("%d left", f.left)
		}
		all = append(all, fmt.Sprintf("%s (%s)", f.line, left))
	}
	return all
}

// Heal takes all faults away.
func (h *Hub) Heal() {
	err := h.change(func() error {
		h.faults.mu.Lock()
		defer h.faults.mu.Unlock()
		h.faults.list = nil
		return nil
	})
	if err != nil {
		h.log.Error().Err(err).Msg("hub state not saved")
	}
}

// keptFault is a fault on disk.
type keptFault struct {
	Line string `json:"line"`
	Left int    `json:"left"`
}

func (f *faults) kept() []keptFault {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []keptFault
	for _, one := range f.list {
		all = append(all, keptFault{Line: one.line, Left: one.left})
	}
	return all
}

func (f *faults) restore(all []keptFault) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = nil
	for _, k := range all {
		one, err := parseFault(k.Line)
		if err != nil {
			return err
		}
		one.left = k.Left
		f.list = append(f.list, one)
	}
	return nil
}

// strike finds the first fault of one of the kinds that concerns the scene, and uses it up a little.
func (h *Hub) strike(s scene, kinds ...string) *fault {
	h.faults.mu.Lock()
	defer h.faults.mu.Unlock()
	for i, f := range h.faults.list {
		if !slices.Contains(kinds, f.kind) || !f.concerns(s) {
			continue
		}
		if f.left > 0 {
			if f.left--; f.left == 0 {
				h.faults.list = slices.Delete(h.faults.list, i, i+1)
			}
		}
		h.log.Info().Str("fault", f.line).Str("repo", s.repo).Str("event", s.event).Str("path", s.path).Msg("fault strikes")
		return f
	}
	return nil
}

func (f *fault) concerns(s scene) bool {
	if f.repo != "" && key(f.repo) != key(s.repo) {
		return false
	}
	method, pattern, _ := strings.Cut(f.where, " ")
	if strings.HasPrefix(f.where, "/") {
		method, pattern = "", f.where
	}
	switch {
	case s.event != "":
		return f.where == "" || f.where == "webhooks" || f.where == s.event || f.where == s.event+"."+s.action
	case s.git != "":
		return f.where == "git" || f.where == s.git || f.where == "" && slices.Contains(ofPushes, f.kind)
	case pattern != "":
		return (method == "" || method == s.method) && leads(pattern, s.path)
	default:
		return f.where == "" || f.where == "api"
	}
}

// leads reports whether the pattern's segments match the first segments of p.
func leads(pattern, p string) bool {
	want, have := strings.Split(strings.Trim(pattern, "/"), "/"), strings.Split(strings.Trim(p, "/"), "/")
	if len(have) < len(want) {
		return false
	}
	for i, w := range want {
		if ok, err := path.Match(w, have[i]); err != nil || !ok {
			return false
		}
	}
	return true
}

const faultForms = `want
  NUMBER                      answer with this status, from 400 to 599
  rate limit                  answer as when the hourly limit is used up
  secondary rate limit        answer as when asked too fast
  time out                    never answer
  lose the reply              do what was asked, but never answer
  delay DURATION              answer late
  refuse the push             as a server-side hook that says no
  hang the push DURATION      take all of a push, and apply it only then, even when its sender is gone by that time
  read only                   refuse every push, as an archived repository does; always, unless said otherwise
  no atomic pushes            do not offer them; always, unless said otherwise
  register heads late DURATION   let a pull request learn late that its head was pushed
  lose the next webhook       or: lose the next NUMBER webhooks, lose every webhook
  deliver twice               send a webhook a second time
  deliver late DURATION       send a webhook late
  deliver out of order        send a webhook after the one that follows it
each may be followed by how often (once, twice, NUMBER times, always), by "on" and where (api, git, fetch, push,
webhooks, an event as pull_request or pull_request.closed, or a path as POST /repos/*/*/issues), and by "in OWNER/NAME"`

// parseFaults reads one fault per line; empty lines and lines that begin with # say nothing.
func parseFaults(text string) ([]*fault, error) {
	var all []*fault
	for line := range strings.Lines(text) {
		line = strings.Join(strings.Fields(line), " ")
		if line == "" || line[0] == '#' {
			continue
		}
		f, err := parseFault(line)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

func parseFault(line string) (*fault, error) {
	f := &fault{line: line, left: 1}
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("fault %q: %s", line, fmt.Sprintf(format, args...))
	}
	rest := line
	if i := strings.LastIndex(rest, " in "); i > 0 {
		rest, f.repo = rest[:i], rest[i+4:]
		if owner, name, ok := strings.Cut(f.repo, "/"); !ok || owner == "" || !repoForm.MatchString(name) {
			return nil, wrong("%q is no repository: want OWNER/NAME", f.repo)
		}
	}
	if i := strings.LastIndex(rest, " on "); i > 0 {
		rest, f.where = rest[:i], rest[i+4:]
		if err := checkWhere(f.where); err != nil {
			return nil, wrong("%v", err)
		}
	}
	var often bool
	rest, f.left, often = cutTimes(rest)
	if rest == "deliver" && strings.HasPrefix(line, "deliver twice") {
		rest, f.left, often = "deliver twice", 1, false
	}
	words := strings.Fields(rest)
	number := func(s string) int { // 0 when it is none
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return 0
		}
		return n
	}
	switch {
	case rest == "rate limit":
		f.kind = "rate"
	case rest == "secondary rate limit":
		f.kind = "secondary"
	case rest == "time out":
		f.kind = "timeout"
	case rest == "lose the reply":
		f.kind = "reply"
	case rest == "refuse the push":
		f.kind = "refuse"
	case rest == "read only" || rest == "no atomic pushes":
		f.kind = map[bool]string{true: "readonly", false: "noatomic"}[rest == "read only"]
		if !often {
			f.left = -1
		}
	case rest == "deliver twice":
		f.kind = "twice"
	case rest == "deliver out of order":
		f.kind = "swap"
	case rest == "lose the next webhook":
		f.kind = "lose"
	case rest == "lose every webhook" && !often:
		f.kind, f.left = "lose", -1
	case len(words) == 5 && strings.HasPrefix(rest, "lose the next ") && words[4] == "webhooks" && number(words[3]) > 0 && !often:
		f.kind, f.left = "lose", number(words[3])
	case len(words) == 1 && number(words[0]) >= 400 && number(words[0]) <= 599:
		f.kind, f.code = "status", number(words[0])
	case len(words) == 4 && (strings.HasPrefix(rest, "hang the push ") || strings.HasPrefix(rest, "register heads late ")):
		d, err := time.ParseDuration(words[3])
		if err != nil || d <= 0 {
			return nil, wrong("%q is no duration: want one as 2s or 300ms", words[3])
		}
		f.kind, f.delay = map[bool]string{true: "hang", false: "register"}[words[0] == "hang"], d
	case len(words) == 2 && words[0] == "delay", len(words) == 3 && words[0] == "deliver" && words[1] == "late":
		d, err := time.ParseDuration(words[len(words)-1])
		if err != nil || d <= 0 {
			return nil, wrong("%q is no duration: want one as 2s or 300ms", words[len(words)-1])
		}
		f.kind, f.delay = "delay", d
		if words[0] == "deliver" || isEvent(f.where) && f.where != "push" || f.where == "webhooks" {
			f.kind = "late"
		}
	default:
		return nil, wrong("not understood: %s", faultForms)
	}
	if f.where != "" && f.kind != "refuse" && (f.kind == "register" || slices.Contains(ofPushes, f.kind)) {
		return nil, wrong("say no place: it has one of its own")
	}
	delivers := slices.Contains([]string{"lose", "twice", "late", "swap"}, f.kind)
	if f.where != "" && f.where != "push" && delivers != (isEvent(f.where) || f.where == "webhooks") {
		return nil, wrong("cannot happen on %s", f.where)
	}
	return f, nil
}

// cutTimes takes how often off the end of a line.
func cutTimes(line string) (rest string, times int, said bool) {
	for word, n := range map[string]int{" once": 1, " twice": 2, " always": -1} {
		if rest, ok := strings.CutSuffix(line, word); ok {
			return rest, n, true
		}
	}
	if before, ok := strings.CutSuffix(line, " times"); ok {
		i := strings.LastIndexByte(before, ' ')
		if n, err := strconv.Atoi(before[i+1:]); i > 0 && err == nil && n > 0 {
			return before[:i], n, true
		}
	}
	return line, 1, false
}

func isEvent(where string) bool {
	event, _, _ := strings.Cut(where, ".")
	return slices.Contains(allEvents, event)
}

func checkWhere(where string) error {
	method, pattern, ok := strings.Cut(where, " ")
	switch {
	case isEvent(where), slices.Contains([]string{"api", "git", "fetch", "push", "webhooks"}, where):
		return nil
	case strings.HasPrefix(where, "/"):
		method, pattern, ok = "GET", where, true
	}
	if !ok || !slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE"}, method) || !strings.HasPrefix(pattern, "/") {
		return fmt.Errorf("%q is no place: want api, git, fetch, push, webhooks, an event, or a path as POST /repos", where)
	}
	_, err := path.Match(pattern, "")
	if err != nil {
		return fmt.Errorf("path %q: %w", pattern, err)
	}
	return nil
}
