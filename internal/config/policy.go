package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"lander/internal/queue"
)

const (
	defaultTimeout = 30 * time.Minute
	defaultQuiet   = 15 * time.Minute
	longest        = 24 * time.Hour
	defaultWindow  = 4
	defaultBatch   = 8
	setupName      = "setup"  // how a verdict names what runs before the steps
	eachCommit     = "commit" // of test_each
)

// ParsePolicy reads a repository's policy file. What the file leaves out has its default: one approval, style rebase, heads moved, four
// candidates in flight with up to eight members each, of which the last commit is tested, a timeout of 30 minutes and a quiet limit of
// 15. An empty file is all defaults, and a policy
// without steps is no error: queue refuses to land by it, in its own words. The error is a *PolicyError with every problem.
func ParsePolicy(data []byte) (queue.Policy, error) {
	f, err := parsePolicy(data)
	if err != nil {
		return queue.Policy{}, err
	}
	return f.policy, nil
}

// PolicyTrunks lists the branches that the policy file names as trunks; none when it names none. The error is a *PolicyError with
// every problem of the whole file.
func PolicyTrunks(data []byte) ([]string, error) {
	f, err := parsePolicy(data)
	if err != nil {
		return nil, err
	}
	return f.trunks, nil
}

// policyFile is a policy file while it is read.
type policyFile struct {
	reader
	policy  queue.Policy
	trunks  []string
	barrier ast.Node // nil: there is none
	limits  []stepLimit
	checks  []checkName // of those in policy, where they stand
	setup   ast.Node    // nil: there is none
	each    ast.Node    // where test_each asks for what only one style can keep; nil: it does not
}

func parsePolicy(data []byte) (*policyFile, error) {
	f := &policyFile{policy: queue.Policy{
		Style: queue.StyleRebase, ShowMerged: true, Approvals: 1, Window: defaultWindow, Batch: defaultBatch, TestEach: queue.TestBatch,
		Recipe: queue.Recipe{Timeout: defaultTimeout, Quiet: defaultQuiet},
	}}
	if root := f.parse(data); root != nil {
		f.mapping(root, "", f.top())
	}
	f.together()
	if f.each != nil && f.policy.Style != queue.StyleSquash {
		f.at(f.each, sayEachCommit(string(f.policy.Style)))
	}
	for _, l := range f.limits {
		most := map[string]time.Duration{"timeout": f.policy.Recipe.Timeout, "quiet": f.policy.Recipe.Quiet}[l.key]
		if l.is > most {
			f.at(l.node, sayStepLimit(l.path+", "+l.key, l.is, l.key, most))
		}
	}
	if f.barrier != nil && f.policy.Areas.Off() {
		f.at(f.barrier, sayBarrier())
	}
	if len(f.problems) > 0 {
		sortProblems(f.problems)
		return nil, &PolicyError{Problems: f.problems}
	}
	return f, nil
}

func (f *policyFile) top() []field {
	fields := []field{
		{name: "version", read: f.version},
		{name: "trunk", read: f.trunk},
		{name: "style", read: f.style},
		{name: "heads", read: f.heads},
		{name: "require", read: func(n ast.Node) { f.mapping(n, "require", f.require()) }},
		{name: "batch", read: func(n ast.Node) { f.mapping(n, "batch", f.batch()) }},
		{name: "window", read: func(n ast.Node) { f.count(n, "window", 1, &f.policy.Window) }},
		{name: "test_each", read: f.testEach},
		{name: "areas", read: f.areas},
		{name: "barrier", read: func(n ast.Node) { f.barrier, f.policy.Areas.Barrier = n, f.globs(n, "barrier") }},
		{name: "suite", read: func(n ast.Node) { f.mapping(n, "suite", f.suite()) }},
	}
	fields = append(fields, field{name: "checks", read: func(n ast.Node) { f.items(n, "checks", f.check) }})
	return append(fields, later("", "message", "environment")...)
}

func (f *policyFile) require() []field {
	fields := []field{
		{name: "approvals", read: func(n ast.Node) { f.count(n, "require.approvals", 0, &f.policy.Approvals) }},
		{name: "no_labels", read: func(n ast.Node) { f.policy.NoLabels = f.texts(n, "require.no_labels") }},
	}
	return append(fields, later("require", "code_owners", "resolved_threads")...)
}

func (f *policyFile) batch() []field {
	return []field{
		{name: "max", read: func(n ast.Node) { f.count(n, "batch.max", 1, &f.policy.Batch) }},
		{name: "wait", read: func(n ast.Node) {
			if d, ok := f.duration(n, "batch.wait", 0, time.Hour); ok && d != 0 {
				f.at(n, sayWait())
			}
		}},
	}
}

func (f *policyFile) suite() []field {
	r := &f.policy.Recipe
	fields := []field{
		{name: "timeout", read: func(n ast.Node) { f.limit(n, "suite.timeout", &r.Timeout) }},
		{name: "quiet", read: func(n ast.Node) { f.limit(n, "suite.quiet", &r.Quiet) }},
		{name: "start", read: func(n ast.Node) { f.limit(n, "suite.start", &r.Start) }},
		{name: "env", read: func(n ast.Node) { r.Env = f.env(n, "suite.env") }},
		{name: "labels", read: func(n ast.Node) {
			labels, err := queue.ParseLabels(f.texts(n, "suite.labels"))
			if err != nil {
				f.at(n, sayLabels("suite.labels", err))
			}
			r.Labels = labels
		}},
		{name: "setup", read: func(n ast.Node) {
			f.setup = n
			f.items(n, "suite.setup", func(i int, v ast.Node) {
				if cmd, ok := f.command(v, fmt.Sprintf("suite.setup, item %d", i)); ok {
					r.Setup = append(r.Setup, cmd)
				}
			})
		}},
		{name: "steps", read: func(n ast.Node) { f.items(n, "suite.steps", f.step) }},
	}
	return append(fields, f.fair()...)
}

func (f *policyFile) version(n ast.Node) {
	if v, ok := n.(*ast.IntegerNode); !ok || v.GetToken().Value != "1" {
		f.at(n, sayVersion(shown(n)))
	}
}

func (f *policyFile) trunk(n ast.Node) {
	if _, ok := n.(*ast.SequenceNode); !ok {
		if b, ok := f.branch(n, "trunk"); ok {
			f.trunks = []string{b}
		}
		return
	}
	before := len(f.problems)
	f.items(n, "trunk", func(i int, v ast.Node) {
		b, ok := f.branch(v, fmt.Sprintf("trunk, item %d", i))
		switch {
		case !ok:
		case slices.Contains(f.trunks, b):
			f.at(v, sayTrunkTwice(b))
		default:
			f.trunks = append(f.trunks, b)
		}
	})
	if len(f.trunks) == 0 && len(f.problems) == before {
		f.at(n, sayNoTrunk())
	}
}

func (f *policyFile) branch(n ast.Node, path string) (string, bool) {
	b, ok := f.text(n, path)
	if ok && !validBranch(b) {
		f.at(n, sayBranch(path, b))
		return "", false
	}
	return b, ok
}

func (f *policyFile) style(n ast.Node) {
	known := []string{string(queue.StyleRebase), string(queue.StyleSquash), string(queue.StyleMerge)}
	s, _ := text(n)
	if !slices.Contains(known, s) {
		f.at(n, sayWantOneOf("style", known, shown(n)))
		return
	}
	f.policy.Style = queue.Style(s)
}

// testEach says what must be green before trunk may stand on it.
func (f *policyFile) testEach(n ast.Node) {
	known := []string{string(queue.TestBatch), string(queue.TestChange), eachCommit}
	s, _ := text(n)
	switch {
	case !slices.Contains(known, s):
		f.at(n, sayWantOneOf("test_each", known, shown(n)))
	case s == eachCommit: // squashed, a change is one commit
		f.each, f.policy.TestEach = n, queue.TestChange
	default:
		f.policy.TestEach = queue.TestEach(s)
	}
}

// heads says what becomes of the branch of a pull request that lands as other commits than it holds.
func (f *policyFile) heads(n ast.Node) {
	known := []string{"move", "keep"}
	s, _ := text(n)
	if !slices.Contains(known, s) {
		f.at(n, sayWantOneOf("heads", known, shown(n)))
		return
	}
	f.policy.ShowMerged = s == "move"
}

func (f *policyFile) command(n ast.Node, path string) (string, bool) {
	cmd, ok := f.text(n, path)
	if ok && strings.TrimSpace(cmd) == "" {
		f.at(n, sayCommand(path))
		return "", false
	}
	return cmd, ok
}

func (f *policyFile) count(n ast.Node, path string, least int, into *int) {
	if v, ok := f.number(n, path, least, 100); ok {
		*into = v
	}
}

func (f *policyFile) limit(n ast.Node, path string, into *time.Duration) {
	if d, ok := f.duration(n, path, time.Second, longest); ok {
		*into = d
	}
}

// later are keys of the policy language that this version does not act on. Landing as if they were not there would break the
// promise that the file makes.
func later(where string, keys ...string) []field {
	fields := make([]field, len(keys))
	for i, k := range keys {
		fields[i] = field{name: k, refusal: sayLater(dotted(where, k))}
	}
	return fields
}

// validBranch follows git's rules for the short name of a branch, and refuses what git would take for a ref of another kind.
func validBranch(b string) bool {
	if b == "" || b == "@" || b == "HEAD" || len(b) > 200 || strings.HasPrefix(b, "-") || strings.HasPrefix(b, "refs/") ||
		strings.HasSuffix(b, ".") || strings.Contains(b, "..") || strings.Contains(b, "@{") || strings.ContainsAny(b, " ~^:?*[\\\x7f") {
		return false
	}
	for _, c := range b {
		if c < ' ' {
			return false
		}
	}
	for part := range strings.SplitSeq(b, "/") {
		if part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock") {
			return false
		}
	}
	return true
}
