package testrun

import (
	"slices"
	"strings"

	"lander/internal/queue"
)

// course is how a job's recipe is run: its commands one after the other, and of the step that runs again only the tests that failed,
// as far as that tells enough.
//
//	some ──all passed──▶ done, or where a proof is asked for: around ──passed──▶ done
//	  ├──one did not run──▶ whole
//	  └──failed──▶ done
//
// around is the packages that the tests are of where these are known to be independent of the rest, and else the whole step. It is
// there because a test may fail in company only: passing alone is then no chance, and no proof.
type course struct {
	recipe queue.Recipe
	rerun  queue.Rerun
	list   []string
	at     int // the command of the recipe that is next, or under way
	stage  stage
	some   shell
	around *shell
	sum    Record // of the stages that are over
}

// stage is which tests of a step a command runs. The zero stage: all.
type stage string

const (
	allTests   stage = ""
	someTests  stage = "only what failed"
	aroundThem stage = "all around what failed"
	afterAll   stage = "all of it after all"
	alsoAll    stage = "all of it, for a proof"
)

func newCourse(job Job) *course {
	return &course{recipe: job.Recipe, rerun: job.Rerun, list: commands(job.Recipe)}
}

// step is the step of the command that is next or under way; nil: it is none.
func (c *course) step() *queue.Step {
	s, _ := stepAt(c.recipe, c.at)
	return s
}

// gates reports whether the run cannot be green, and need not go on, where the command that is next or under way fails.
func (c *course) gates() bool {
	_, optional := stepAt(c.recipe, c.at)
	return !optional
}

// again reports whether it is the step of which only some tests are asked for.
func (c *course) again() bool {
	s := c.step()
	return s != nil && len(c.rerun.Names) > 0 && s.Name == c.rerun.Step && s.Results.Format != ""
}

// asked are the names that the command's results are to be held against.
func (c *course) asked() []string {
	if c.again() {
		return c.rerun.Names
	}
	return nil
}

// begin is the first command of what is next; ok is false when nothing is.
func (c *course) begin() (cmd shell, ok bool) {
	if c.at >= len(c.list) {
		return shell{}, false
	}
	c.stage, c.sum = allTests, Record{}
	if c.again() {
		if c.some, c.around, ok = rerunOf(*c.step(), c.rerun.Names); ok {
			c.stage = someTests
			return c.some, true
		}
	}
	return shell{Text: c.list[c.at]}, true
}

// end takes in how a command ended. What is not over goes on with another command; else record is of all of it.
func (c *course) end(r Record, t *tally) (record Record, goOn *shell) {
	c.sum.Took += r.Took
	r.Took = c.sum.Took
	r.told(t)
	good := r.Exit == 0 && r.Fault == "" && !r.fails()
	unseen := c.unseen(t)
	switch c.stage {
	case someTests:
		switch {
		case r.Fault != "":
		case good && len(unseen) > 0:
			return r, c.turn(afterAll, shell{Text: c.list[c.at]})
		case good && c.rerun.Proof && c.around != nil && c.some.Text == c.around.Text:
			r.Asked = c.rerun.Names // these were whole packages
		case good && c.rerun.Proof && c.around != nil:
			return r, c.turn(aroundThem, *c.around)
		case good && c.rerun.Proof:
			return r, c.turn(alsoAll, shell{Text: c.list[c.at]})
		default:
			r.Asked = c.rerun.Names
			if !good {
				r.Failed = union(r.Failed, unseen)
			}
		}
	case aroundThem:
		r.Asked = c.rerun.Names
		if !good {
			r.Failed = c.inCompany(r.Failed)
		}
	case alsoAll:
		if !good && slices.ContainsFunc(r.Failed, c.wasAsked) { // alone they pass: whose fault it is, only the whole step can tell
			r.Failed, r.Partial = slices.DeleteFunc(r.Failed, c.wasAsked), true
		}
	case afterAll, allTests:
		if !good && c.again() {
			r.Failed = union(r.Failed, unseen)
		}
	}
	c.at++
	return r, nil
}

// cutShort is the record of a command that the run ended before it did.
func (c *course) cutShort(t *tally) Record {
	r := Record{Exit: -1}
	r.told(t)
	r.Partial = t != nil
	if c.again() && (c.stage == someTests || c.stage == allTests || c.stage == afterAll) {
		r.Failed = union(r.Failed, c.unseen(t))
	}
	if c.stage == someTests {
		r.Asked, r.Partial = c.rerun.Names, false
	}
	return r
}

func (c *course) turn(s stage, cmd shell) *shell {
	c.stage = s
	return &cmd
}

// unseen are the tests that were asked for and not seen to pass.
func (c *course) unseen(t *tally) (names []string) {
	for _, name := range c.asked() {
		if t == nil || !t.passed(name) {
			names = append(names, name)
		}
	}
	return names
}

// inCompany names what failed, though it passes alone, by its package.
func (c *course) inCompany(failed []string) []string {
	var all []string
	for _, name := range failed {
		if c.wasAsked(name) {
			name, _, _ = strings.Cut(name, " ")
		}
		all = append(all, name)
	}
	return distinct(all)
}

func (c *course) wasAsked(name string) bool { return slices.Contains(c.rerun.Names, name) }

func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, name := range b {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}
