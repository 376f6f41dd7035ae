package main

import "strings"

const (
	shortDoctor = "Check all that lander serve would stand on, and say how to mend it"
	longDoctor  = `Check all that lander serve would stand on, with the same settings: this machine, the
database, the forge, and for each repository who may push, how its git server answers
pushes, and the ledger. A lander may be running meanwhile.

How pushes are answered is tried with branches of its own below lander-ledger/, which
it removes again.

  ✓ good   ! could be better   ? could not be found out   ✗ must be mended

The exit status is 0 if nothing must be mended, 1 if something must be, and 3 if the
database or the forge cannot be reached.`
	exampleDoctor = `  LANDER_TOKEN=… lander doctor --lane acme/app:main
  lander doctor --config /etc/lander.yml --json`

	usageNoPush    = "push nothing: do not try how the git server answers pushes"
	sayMendSetting = "Rename it, or unset it."
)

// sayAbout is the heading of what findings are about.
func sayAbout(about string) string {
	if said := map[string]string{"machine": "This machine", "database": "Database", "forge": "Forge"}[about]; said != "" {
		return said
	}
	return about
}

// sayCheck is what was looked at, in a word or two.
func sayCheck(check string) string {
	said := map[string]string{
		"git": "git", "git-holes": "known holes", "sandbox": "sandbox", "sandbox-holes": "in the sandbox", "disk-space": "disk", "disk-inodes": "inodes", "disk-kind": "file system",
		"database": "server", "database-schema": "schema", "database-clock": "clock",
		"forge": "account", "forge-clock": "clock", "forge-budget": "requests",
		"repository": "permissions", "repository-rights": "permissions", "repository-workflows": "workflow files",
		"push": "pushes", "push-create": "branches", "push-lease": "lease", "push-atomic": "atomic push", "push-fast-forward": "fast-forward",
		"push-rewind": "force", "push-delete": "deletion", "trunk": "trunk", "trunk-push": "trunk", "trunk-force": "trunk, by force",
		"ledger-push": "ledger", "ledger-force": "ledger, by force", "ledger": "records", "ledger-signed": "signatures",
		"ledger-database": "in the database",
	}[check]
	if said == "" {
		return strings.ReplaceAll(check, "-", " ")
	}
	return said
}

func sayDiagnosis(bad, warnings, unproven int) string {
	var rest []string
	if warnings > 0 {
		rest = append(rest, count(warnings, "warning", "warnings"))
	}
	if unproven > 0 {
		rest = append(rest, count(unproven, "thing is not proven", "things are not proven"))
	}
	first := "Nothing must be mended"
	if bad > 0 {
		first = count(bad, "thing must be mended", "things must be mended")
	}
	if len(rest) == 0 {
		return first + "."
	}
	return first + "; " + strings.Join(rest, ", ") + "."
}
