package config

import (
	"fmt"
	"strings"
	"time"
)

// Every sentence of this room that a person may read stands in this file, and those about settings in say_server.go.

func sayTooBig(n int) string {
	return fmt.Sprintf("the file has %d bytes; at most %d are read", n, mostBytes)
}

func sayNotUTF8() string { return "the file is not UTF-8 text; save it as UTF-8" }

func sayUnreadable() string { return "this is not YAML that can be read" }

func saySyntax(message string) string { return "this is not valid YAML: " + message }

func sayTooDeep() string {
	return fmt.Sprintf("values are nested more than %d deep; write it flat", mostDepth)
}

func sayManyDocuments() string {
	return "a second document begins here; keep one, without a further \"---\""
}

func sayAlias() string { return "anchors, aliases and merge keys are not allowed; write the value out" }

func sayTag() string { return "tags and directives are not allowed; write the plain value" }

func sayQuestionKey() string { return "keys with \"?\" are not allowed; write \"key: value\"" }

func sayWantMapping(where string, known []string) string {
	if where == "" {
		return "want \"key: value\" lines; known keys: " + strings.Join(known, ", ")
	}
	return fmt.Sprintf("%s wants keys of its own: %s", where, strings.Join(known, ", "))
}

func sayUnknownKey(path, where, key string, known []string) string {
	if k := Nearest(key, known); k != "" {
		return fmt.Sprintf("unknown key %q; did you mean %q?", clip(path), dotted(where, k))
	}
	return fmt.Sprintf("unknown key %q; known here: %s", clip(path), strings.Join(known, ", "))
}

func sayTwice(path string) string { return path + " is given twice; keep one" }

func sayLater(path string) string {
	return path + " is not available in this version; remove it"
}

func sayWantList(path string) string {
	return path + " wants a list, as in [one, two]"
}

func sayWantText(path, got string, quotable bool) string {
	if quotable {
		return fmt.Sprintf("%s wants text, not %s; put it in quotes if you mean it", path, got)
	}
	return fmt.Sprintf("%s wants text, not %s", path, got)
}

func sayNoValue(path string) string { return path + " has no value" }

func sayControl(path string) string { return path + " holds a control character; remove it" }

func sayWantNumber(path string, least, most int, got string) string {
	return fmt.Sprintf("%s wants a whole number from %d to %d, not %s", path, least, most, got)
}

func sayWantDuration(path string, least, most time.Duration, got string) string {
	return fmt.Sprintf("%s wants a time from %s to %s, as in 90s, 30m or 2h, not %s", path, span(least), span(most), got)
}

func sayWantFlag(path, got string) string {
	return fmt.Sprintf("%s wants true or false, not %s", path, got)
}

func sayWantOneOf(path string, known []string, got string) string {
	return fmt.Sprintf("%s wants one of %s, not %s", path, strings.Join(known, ", "), got)
}

func sayVersion(got string) string {
	return fmt.Sprintf("version %s is not known; this lander reads version 1", got)
}

func sayWait() string {
	return "batch.wait can only be 0s in this version; remove it"
}

func sayEachCommit(style string) string {
	return fmt.Sprintf("test_each: commit can only be kept with style: squash, where a change is one commit; with style: %s only the last commit of a change is tested, so write change", style)
}

func sayWantAreas() string {
	return "areas wants a mapping of names to globs, as in {api: [\"api/**\"], web: [\"web/**\"]}"
}

func sayAreaName(got string) string {
	return fmt.Sprintf("an area cannot be called %q; a name has no comma, no space around it, at most 100 letters, and is not *", clip(got))
}

func sayNoGlobs(path string) string {
	return path + " needs at least one glob, as in [\"api/**\"]"
}

func sayGlob(path, got string) string {
	return fmt.Sprintf("%s: %q is no glob of paths from the root of the repository, as in api/** or **/*.proto", path, clip(got))
}

func sayBarrier() string {
	return "barrier says what is in every area, and there are no areas; give areas or remove it"
}

func sayBranch(path, got string) string {
	return fmt.Sprintf("%s wants the name of a branch, as in main, not %q", path, got)
}

func sayTrunkTwice(branch string) string {
	return fmt.Sprintf("trunk names %q twice; keep one", branch)
}

func sayNoTrunk() string { return "trunk names no branch; name one or remove the key" }

func sayStepKeys(path string) string {
	return path + " needs both name and run, as in {name: unit, run: make test}"
}

func sayStepName(path, name string) string {
	if name == setupName {
		return fmt.Sprintf("%s cannot be called %q, which is the name of what runs before the steps; choose another", path, name)
	}
	return path + " wants a name of one line and at most 100 letters"
}

func sayStepLimit(path string, is time.Duration, key string, most time.Duration) string {
	return fmt.Sprintf("%s is %s, and suite.%s, which bounds it, is %s", path, span(is), key, span(most))
}

func sayNeeds(path, name string) string {
	return fmt.Sprintf("%s needs %q, which is no step before it; name one that is", path, name)
}

func sayNeedsOptional(path, name string) string {
	return fmt.Sprintf("%s needs %q, which is optional: whether it passes must not matter to any other step", path, name)
}

func sayWantEnv(path string) string {
	return path + ` wants variables with their values, as in {CI_MODE: "full"}`
}

func sayEnvName(path, name string) string {
	if strings.HasPrefix(name, "LANDER_") || name == "HOME" || name == "TMPDIR" {
		return fmt.Sprintf("%s sets %s, which is lander's to set; remove it", path, clip(name))
	}
	return fmt.Sprintf("%s: %q is no name of a variable, which has letters, digits and _ only", path, clip(name))
}

func sayEnvSize(path string) string {
	return fmt.Sprintf("%s is too much: at most %d variables of %d bytes each", path, mostEnv, mostValue)
}

func sayCheckKeys(path string) string {
	return path + " needs both name and app, as in {name: windows-ci, app: github-actions}"
}

func sayCheckName(path, name string) string {
	if name == setupName {
		return fmt.Sprintf("%s cannot be called %q, which is the name of what runs before the steps", path, name)
	}
	return path + " wants a name of one line and at most 200 letters"
}

func sayCheckApp(path, app string) string {
	return fmt.Sprintf("%s wants as app the slug of a GitHub App, as in github-actions, or @ and the login of who sets commit statuses, not %q", path, clip(app))
}

func sayCheckTwice(name string) string {
	return fmt.Sprintf("the name %q stands for another check or step already; a check is known by its name alone", clip(name))
}

func saySetupAlone() string {
	return "suite.setup has no steps to come before; what checks need is set up where they run"
}

func sayStepTwice(path, name string) string {
	return fmt.Sprintf("%s has the name %q, which another step has; choose another", path, name)
}

func sayWantResults(path, got string, known []string, shown string) string {
	if k := Nearest(got, append([]string{"junit"}, known...)); got != "" && k != "" && k != "junit" {
		return fmt.Sprintf("%s: %s is not known; did you mean %q?", path, shown, k)
	} else if k == "junit" {
		return sayReports(path)
	}
	return fmt.Sprintf("%s wants %s, or {junit: FILES}, not %s", path, strings.Join(known, " or "), shown)
}

func sayReports(path string) string {
	return path + `: junit needs to know where the reports are, as in results: {junit: "reports/**/*.xml"}`
}

func sayPattern(path, got string) string {
	return fmt.Sprintf("%s wants plain paths inside the repository, as in reports/**/*.xml, not %q", path, clip(got))
}

func sayRerunAlone(path string) string {
	return path + " has rerun without results, which would tell what failed; add results, or remove rerun"
}

func sayRerunWord(path, word string) string {
	if k := Nearest(word, rerunWords); k != "" {
		return fmt.Sprintf("%s: {{%s}} is not known; did you mean {{%s}}?", path, clip(word), k)
	}
	return fmt.Sprintf("%s: {{%s}} is not known; known are {{%s}}", path, clip(word), strings.Join(rerunWords, "}}, {{"))
}

func sayRerunQuoted(path, word string) string {
	return fmt.Sprintf("%s: {{%s}} has to stand by itself and without quotes; lander hands it over in such a way that it needs none", path, word)
}

func sayReuse(got string) string {
	return fmt.Sprintf("suite.reuse wants true, false or how long a green run counts, from 1m to 720h, such as 24h, not %s", got)
}

func sayCommand(path string) string { return path + " wants a command, not only spaces" }

// span writes a length of time the way people write it: 30m, not 30m0s.
func span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// The policy file that a repository begins with.
const (
	sampleHead = `# How lander lands pull requests here. Read from trunk only: a pull request cannot change how it is tested itself.
version: 1

style: rebase          # rebase, squash or merge

require:
  approvals: 1         # people who must approve the head, never its author
  no_labels: []        # labels that keep a pull request waiting

window: 4              # test runs at a time, each on top of the one before
batch: {max: 8}        # changes that one run may prove
test_each: batch       # batch, or change: each change has a green run of its own before trunk stands on it

`
	sampleSuite = `# Every command below must pass on exactly the commit that would land.
suite:
  timeout: %s         # the whole run
  quiet: %s           # the longest time without output
`
	sampleSetup = `  setup:               # before the steps
`
	sampleSteps = `  steps:               # in order; the first that fails ends the run
`
	sampleNoSteps = `  steps: []            # nothing lands until a step is here, as in: [{name: test, run: make test}]
`
)
