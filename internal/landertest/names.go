package landertest

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"lander/internal/queue"
)

// name gives a commit and the unnamed ones before it a name.
func (w *world) name(sha, name string) {
	git := w.git()
	out, err := git.Text(context.Background(), "rev-list", "--first-parent", "--max-count=20", sha)
	if err != nil { // only lander's mirror has what has not landed
		git.Dir = w.mirror()
		out, err = git.Text(context.Background(), "rev-list", "--first-parent", "--max-count=20", sha)
	}
	if err != nil {
		// A fork's commits are in the fork alone.
		if w.names[sha] == "" {
			w.names[sha] = name
		}
		return
	}
	for i, id := range strings.Fields(out) {
		if w.names[id] != "" {
			return
		}
		if w.names[id] = name; i > 0 {
			w.names[id] = fmt.Sprintf("%s~%d", name, i)
		}
	}
}

func (w *world) mirror() string { return w.settings.DataDir + "/mirrors/" + repository + ".git" }

// nameRecords names what is new in the ledgers.
func (w *world) nameRecords() {
	for i, l := range w.lanes {
		tip, err := w.hub.Tip(repository, l.LedgerBranch())
		if err != nil || tip == w.records[l.Trunk] {
			continue // there is none, or nothing new
		}
		w.records[l.Trunk] = tip
		out, err := w.git().Text(context.Background(), "rev-list", "--first-parent", "--reverse", tip)
		w.must(err)
		prefix := "r"
		if i > 0 {
			prefix = l.Trunk + "/r"
		}
		for n, sha := range strings.Fields(out) {
			if name := fmt.Sprint(prefix, n+1); w.names[sha] == "" {
				w.names[sha] = name
			}
		}
	}
}

// nameCandidates names what lander built and tested.
func (w *world) nameCandidates() {
	w.nameRecords()
	for i, l := range w.lanes {
		runs, err := w.life.store.Runs(context.Background(), l, 0, 0, 1000)
		w.must(err)
		for _, r := range runs {
			if w.names[string(r.SHA)] != "" {
				continue
			}
			w.nameCandidate(i, r.SHA, r.Candidate)
		}
		landed, err := w.life.store.Landings(context.Background(), l, 1000)
		w.must(err)
		for _, g := range slices.Backward(landed) { // of which another commit was tested
			if g.Candidate != 0 && w.names[string(g.Tip)] == "" {
				w.nameCandidate(i, g.Tip, g.Candidate)
			}
		}
	}
}

func (w *world) nameCandidate(lane int, sha queue.SHA, id queue.CandidateID) {
	name := fmt.Sprintf("c%d", id)
	if lane > 0 {
		name = w.lanes[lane].Trunk + "/" + name
	}
	w.name(string(sha), name)
}

// named is the name of a commit.
func (w *world) named(sha string) string {
	if w.life != nil {
		w.nameCandidates()
	}
	return w.names[sha]
}

// commit finds a commit by its name in the story.
func (w *world) commit(name string) (string, error) {
	if w.life != nil {
		w.nameCandidates()
	}
	name, back, _ := strings.Cut(name, "~")
	for sha, n := range w.names {
		if n != name {
			continue
		}
		if back == "" {
			return sha, nil
		}
		return w.git().Text(context.Background(), "rev-parse", "--verify", sha+"~"+back)
	}
	return "", fmt.Errorf("no commit has the name %q", name)
}

var (
	likeSHA   = regexp.MustCompile(`\b[0-9a-f]{7,40}\b`)
	braces    = regexp.MustCompile(`\{(\w[^{}\s]*)\}`)
	durations = regexp.MustCompile(`\b\d+(\.\d+)? (ms|s|min \d+ s)\b`)
	hidden    = regexp.MustCompile(`(?s)\n*<!-- lander:.*-->\s*$`)
)

// spell puts commits into what people say: {NAME} is the id of a commit, {NAME:10} its first ten digits, \n a line end.
func (w *world) spell(text string) (string, error) {
	var wrong error
	text = braces.ReplaceAllStringFunc(text, func(found string) string {
		name, digits, short := strings.Cut(found[1:len(found)-1], ":")
		sha, err := w.commit(name)
		if err != nil {
			wrong = err
			return found
		}
		var n int
		if short {
			if _, wrong = fmt.Sscan(digits, &n); wrong != nil {
				return found
			}
			return sha[:n]
		}
		return sha
	})
	return strings.ReplaceAll(text, `\n`, "\n"), wrong
}

// plain makes text the same each time: commits by name, addresses and lengths of time without numbers.
func (w *world) plain(text string) string {
	text = strings.NewReplacer(w.hubURL, "http://hub", w.wire.url, "http://lander").Replace(text)
	text = likeSHA.ReplaceAllStringFunc(text, func(found string) string {
		best := ""
		for sha, name := range w.names {
			if strings.HasPrefix(sha, found) && (best == "" || name < best) {
				best = name
			}
		}
		if best == "" {
			return found
		}
		return best
	})
	return durations.ReplaceAllString(text, "some time")
}

// short is the name of a commit, or the beginning of its id.
func (w *world) short(sha string) string {
	if name := w.names[sha]; name != "" {
		return name
	}
	return queue.SHA(sha).Short()
}
