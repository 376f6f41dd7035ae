package main

import (
	"errors"
	"fmt"
	"strings"

	"lander/internal/queue"
	"lander/internal/serve"
	"lander/internal/verify"
)

// What is said about a proof. The sentences of the findings are verify's.

const (
	shortVerify = "Prove from a clone alone what lander landed, and name what it did not"
	longVerify  = `Prove, from the clone that you stand in, that every commit of trunk since lander began is
in lander's ledger: its record, the chain of records, their signatures, the files, and
that what landed is what the pull request changed, worked out again. It asks no server and
no database, and shares no code with what lands. What others pushed is named.

The ledger is the branch lander-ledger/TRUNK; git fetch brings it. With a RANGE of
commits, as in v1.0..v1.1 or in 1a2b3c^!, only these are held against it.

The exit status is
  0 if all is proven
  1 if something is wrong with the ledger or with what landed
  2 if what was asked for makes no sense here
  3 if nothing could be proven: no ledger here, a clone that is not whole, ended too soon
  4 if all that lander did is proven, but others moved trunk too: bypasses, rewinds`
	exampleVerify = `  lander verify
  lander verify v1.0..v1.1
  lander verify -C ~/src/app --signers .lander-signers --json`

	usageVerifyDir  = "`directory` of the clone, also a bare one or a mirror (default: where you stand)"
	usageTrunk      = "`branch` that lander lands on (default: the one with a ledger)"
	usageVerifyLane = "which `lane` the ledger must be of, as in acme/app:main (default: whatever it says)"
	usageLedger     = "`commit` or ref to take for the ledger's tip (default: the branch)"
	usageSigners    = "`file` of the keys that may have signed the ledger, as git reads it (default: any key is believed)"
	usageCommitter  = "`name` that lander commits as now, as in \"lander <lander@example.com>\", if it has changed"
	usageSince      = "`record` of the ledger to trust with all below it; only later ones are verified"
	usageVerifyJSON = "print JSON, with all findings"

	headBreaches = "What must not be"
	headOthers   = "What others did to trunk"
)

var errEmptyRange = errors.New("the range is empty; leave it out, or write it as in v1.0..HEAD")

func errCommitter(given string) error {
	return fmt.Errorf("--committer %q: want a name and an address, as in \"lander <lander@example.com>\"", given)
}

func errLaneTrunk(l queue.Lane, trunk string) error {
	return fmt.Errorf("--lane %v is about trunk %s, and --trunk says %s; leave one out", l, l.Trunk, trunk)
}

// proofLine is one line of what is proven.
type proofLine struct {
	mark        serve.Mark
	label, text string
}

func sayProof(r verify.Report, o verify.Options) []proofLine {
	lines := []proofLine{
		{serve.Good, "trunk", sayRoad(r)},
		{serve.Good, "commits", sayCommits(r, o)},
		{serve.Good, "ledger", sayChain(r)},
		saySignatures(r),
	}
	if r.Unapproved > 0 {
		lines = append(lines, proofLine{
			serve.Unproven, "approvals",
			count(r.Unapproved, "change", "changes") + " landed with no approval in the record, as a policy may allow",
		})
	}
	if r.Reused > 0 {
		lines = append(lines, proofLine{
			serve.Unproven, "reused",
			count(r.Reused, "landing was", "landings were") + " not tested again, because the same tree had been green before, as another commit; the records name the runs",
		})
	}
	if r.PerArea > 0 {
		lines = append(lines, proofLine{
			serve.Unproven, "areas",
			count(r.PerArea, "landing was", "landings were") + " tested per area, as another commit than the one that landed: what landed in other areas meanwhile was not in it",
		})
	}
	if r.Older > 0 {
		lines = append(lines, proofLine{serve.Unproven, "older", count(r.Older, "commit of the range is", "commits of the range are") +
			" from before that, and nothing is said about them"})
	}
	return lines
}

// short is how commits are called: as verify's own sentences do.
func short(id string) string { return id[:min(len(id), 10)] }

// sayRef is a ref without what everybody knows.
func sayRef(name string) string {
	return strings.TrimPrefix(strings.TrimPrefix(name, "refs/remotes/"), "refs/heads/")
}

func sayRoad(r verify.Report) string {
	from := "from where its ledger begins"
	switch {
	case r.Since != "":
		from = "from record " + short(r.Since) + ", which is trusted,"
	case r.AdoptedAt != "":
		from = "from " + short(r.AdoptedAt) + ", where lander began on " + local(r.AdoptedOn) + ","
	}
	return fmt.Sprintf("%s to %s (%s)", from, short(r.TrunkTip), sayRef(r.TrunkRef))
}

func sayCommits(r verify.Report, o verify.Options) string {
	switch {
	case r.Landings == 0:
		return "nothing landed"
	case r.Breaches > 0:
		return count(r.Commits, "commit", "commits") + " were held against " + count(r.Landings, "landing", "landings")
	case o.Range != "":
		return count(r.Commits, "commit of "+o.Range+" is", "commits of "+o.Range+" are") + " lander's, and what the pull requests changed"
	}
	return count(r.Commits, "commit", "commits") + " in " + count(r.Landings, "landing", "landings") + ", each what its pull request changed"
}

func sayChain(r verify.Report) string {
	text := count(r.Records, "record", "records")
	if r.Breaches == 0 {
		text += " in one chain"
	}
	text += ", up to " + short(r.LedgerTip) + " (" + sayRef(r.LedgerRef) + ")"
	if r.Aborts > 0 {
		text += "; " + count(r.Aborts, "attempt was", "attempts were") + " given up"
	}
	return text
}

func saySignatures(r verify.Report) proofLine {
	const label = "signatures"
	switch {
	case r.Records == 0:
		return proofLine{serve.Unproven, label, "no record to look at"}
	case r.Signed == 0:
		return proofLine{serve.Unproven, label, "no record is signed: whoever may push to the ledger could have written it"}
	}
	var by []string
	for i, k := range r.Keys {
		if i == 3 && len(r.Keys) > 4 {
			by = append(by, count(len(r.Keys)-i, "other key", "other keys"))
			break
		}
		text := k.Type + " " + k.Fingerprint
		if k.Principal != "" {
			text = k.Principal + " (" + text + ")"
		}
		by = append(by, text)
	}
	text := "all by "
	if r.Signed < r.Records {
		text = fmt.Sprintf("%d of %s, by ", r.Signed, count(r.Records, "record", "records"))
	}
	text += strings.Join(by, ", ")
	switch {
	case r.Vouched:
		return proofLine{serve.Good, label, text}
	case r.Keys[0].Principal == "":
		return proofLine{serve.Unproven, label, text + ", for whom nobody vouches: name the keys you trust with --signers"}
	}
	return proofLine{serve.Unproven, label, text}
}

func sayKind(k verify.Kind) string {
	if k == verify.Lane {
		return "foreign lane"
	}
	return string(k)
}

// sayMendFinding is what to do about a finding that may come from a trunk and a ledger that were not fetched together.
func sayMendFinding(f verify.Finding, r verify.Report) string {
	late := f.Record == "" && (f.Kind == verify.Missing || f.Kind == verify.Rewind || f.Kind == verify.Behind)
	_, rest, ok := strings.Cut(r.LedgerRef, "refs/remotes/")
	if !late || !ok {
		return ""
	}
	remote, ledger, _ := strings.Cut(rest, "/")
	trunk := strings.TrimPrefix(ledger, queue.LedgerPrefix)
	spec := func(name string) string { return fmt.Sprintf("+refs/heads/%s:refs/remotes/%s/%s", name, remote, name) }
	return fmt.Sprintf("If the two were not fetched together, do that and verify again: git fetch %s %s %s", remote, spec(trunk), spec(ledger))
}

func sayMoreFindings(n int) string { return fmt.Sprintf("… and %d more; --json has them all", n) }

func sayVerdict(r verify.Report, o verify.Options) string {
	what := "trunk since lander began"
	switch {
	case o.Range != "":
		what = o.Range
	case r.Since != "":
		what = "trunk since record " + short(r.Since)
	}
	var others []string
	if r.Bypassed > 0 {
		others = append(others, count(r.Bypassed, "commit", "commits")+" came past lander")
	}
	if r.Rewinds > 0 {
		others = append(others, "trunk was set back "+strings.TrimPrefix(count(r.Rewinds, "once", "times"), "1 "))
	}
	switch {
	case r.Breaches > 0:
		return fmt.Sprintf("Broken: %s not as it must be.", count(r.Breaches, "thing is", "things are"))
	case len(others) > 0:
		return fmt.Sprintf("Proven, but %s.", strings.Join(others, ", and "))
	case r.Commits == 0:
		return fmt.Sprintf("Proven: nothing moved %s.", what)
	}
	return fmt.Sprintf("Proven: lander landed all of %s.", what)
}

// sayPerArea goes on about a landing that is another commit than the one that was tested; empty: it is that one.
func sayPerArea(l *queue.Landing) string {
	where := strings.Join(l.Areas, ", ")
	if l.Areas.Everywhere() {
		where = "all areas"
	}
	if l.Tested == "" {
		return ""
	}
	return fmt.Sprintf(", tested per area (%s), as %s", where, l.Tested)
}
