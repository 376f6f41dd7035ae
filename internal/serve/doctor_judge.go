package serve

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"lander/internal/forge/github"
	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/vcs"
)

const (
	giga = 1 << 30
	mega = 1 << 20

	tight  = 5 * giga   // a disk with less than this, or a tenth, is told of
	full   = 500 * mega // with less nothing can be tested
	fewest = 5_000      // files that one checkout may well have

	apart    = 5 * time.Second // how far clocks may be apart before people wonder
	mistaken = time.Minute     // how far before GitHub takes no proof of an App
)

func judgeHoles(v vcs.Release) Finding {
	holes := v.Holes()
	if len(holes) == 0 {
		return good(aboutMachine, "git-holes", sayNoHoles)
	}
	return warning(aboutMachine, "git-holes", sayHoles(holes), sayMendHoles(v.Mended()))
}

func judgeDisk(dir string, d disk) []Finding {
	space := good(aboutMachine, "disk-space", saySpace(dir, d))
	switch {
	case d.free < full:
		space = bad(aboutMachine, "disk-space", saySpace(dir, d), sayMendSpace)
	case d.free < tight, d.size > 0 && d.free < d.size/10:
		space = warning(aboutMachine, "disk-space", saySpace(dir, d), sayMendSpace)
	}
	found := []Finding{space}
	if d.all > 0 {
		inodes := good(aboutMachine, "disk-inodes", sayInodes(dir, d))
		switch {
		case d.inodes < fewest:
			inodes = bad(aboutMachine, "disk-inodes", sayInodes(dir, d), sayMendInodes)
		case d.inodes < d.all/10:
			inodes = warning(aboutMachine, "disk-inodes", sayInodes(dir, d), sayMendInodes)
		}
		found = append(found, inodes)
	}
	switch {
	case slices.Contains([]string{"tmpfs", "ramfs"}, d.kind):
		found = append(found, warning(aboutMachine, "disk-kind", sayInMemory(dir), sayMendKind))
	case strings.HasPrefix(d.kind, "nfs"), strings.HasPrefix(d.kind, "fuse."), slices.Contains([]string{"cifs", "smb3", "9p", "afs", "ceph"}, d.kind):
		found = append(found, warning(aboutMachine, "disk-kind", sayOverNetwork(dir, d.kind), sayMendKind))
	}
	return found
}

// owned judges whether lander can keep its data in dir. at is dir or, where it is not there yet, what it will be made in; err is what
// came of writing there.
func owned(dir, at string, err error) Finding {
	const check = "data-directory"
	if errors.Is(err, fs.ErrPermission) {
		return bad(aboutMachine, check, sayNotWritable(at), sayMendOwner(dir))
	}
	if err != nil {
		return bad(aboutMachine, check, sayWriteFailed(at, err), sayMendSpace)
	}
	if at != dir {
		return good(aboutMachine, check, sayDirWillBeMade(dir, at))
	}
	info, err := os.Stat(dir)
	if err != nil {
		return unproven(aboutMachine, check, oneLine(err), "")
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Geteuid() {
		return warning(aboutMachine, check, sayOthersDir(dir), sayMendOwner(dir))
	}
	return good(aboutMachine, check, sayWritable(dir))
}

func judgeClock(about, check string, ahead, within time.Duration, proofs bool) Finding {
	off := ahead.Abs() - within // at least so far
	switch {
	case proofs && off > mistaken:
		return bad(about, check, sayClock(ahead), sayMendProofs)
	case off > apart:
		return warning(about, check, sayClock(ahead), sayMendClock)
	}
	return good(about, check, sayClock(ahead))
}

func judgeDatabase(a store.About) []Finding {
	server := good(aboutDatabase, "database", sayPostgres(a.Version))
	switch {
	case a.TooOld:
		server = bad(aboutDatabase, "database", sayPostgresOld(a.Version), sayMendPostgres)
	case a.ReadOnly:
		server = bad(aboutDatabase, "database", sayStandby(a.Version), sayMendStandby)
	}
	schema := good(aboutDatabase, "database-schema", saySchema(a.Have, a.Want))
	switch {
	case a.ShutOut != nil:
		schema = bad(aboutDatabase, "database-schema", oneLine(a.ShutOut), sayMendShutOut)
	case a.Have > a.Want:
		schema = warning(aboutDatabase, "database-schema", saySchema(a.Have, a.Want), sayMendBehind)
	}
	return []Finding{server, schema, judgeClock(aboutDatabase, "database-clock", a.Ahead, a.Within, false)}
}

func judgeMissed(about string, n int) Finding {
	if n > 0 {
		return warning(about, "webhooks", sayMissed(n), sayMendMissed)
	}
	return good(about, "webhooks", sayNoneMissed)
}

func judgeAllowance(a github.Allowance) Finding {
	switch {
	case a.Limit == 0:
		return good(aboutForge, "forge-budget", sayNotCounted)
	case a.Remaining*10 < a.Limit:
		return warning(aboutForge, "forge-budget", sayAllowance(a), sayMendAllowance)
	}
	return good(aboutForge, "forge-budget", sayAllowance(a))
}

func judgeAccess(name string, a github.Access, isApp bool) []Finding {
	var may, cannot, unknown []string
	for _, right := range []struct {
		answer github.Answer
		words  string
	}{{a.Push, "push"}, {a.Comment, "comment"}, {a.Status, "set statuses"}} {
		switch right.answer {
		case github.Yes:
			may = append(may, right.words)
		case github.No:
			cannot = append(cannot, right.words)
		default:
			unknown = append(unknown, right.words)
		}
	}
	var found []Finding
	switch {
	case a.Archived:
		found = append(found, bad(name, "repository", sayArchived, sayMendArchived))
	case len(cannot) > 0:
		found = append(found, bad(name, "repository", sayCannot(cannot), sayMendRights(isApp, cannot)))
	default:
		found = append(found, good(name, "repository", sayMay(may)))
	}
	if len(unknown) > 0 {
		found = append(found, unproven(name, "repository-rights", sayRightsUntold(unknown), sayMendUntold))
	}
	if a.Workflows == github.No {
		found = append(found, warning(name, "repository-workflows", sayNoWorkflows, sayMendWorkflows(isApp)))
	}
	return found
}

// judgeProbe gives what a push showed its weight. firm: the forge has rules against force for trunk and ledger, which do not hold for
// the branches of the probe.
func judgeProbe(about string, f vcs.Finding, firm bool) Finding {
	check := "push-" + f.Name
	switch {
	case f.OK:
		return good(about, check, f.Text)
	case f.Name == "atomic":
		return warning(about, check, f.Text, saySingleRef)
	case f.Name == "rewind" && firm:
		return good(about, check, sayForceElsewhere)
	case f.Name == "rewind":
		return warning(about, check, f.Text, sayMendRewind)
	case f.Name == "delete":
		return warning(about, check, f.Text, "")
	case f.Name == "create":
		return bad(about, check, f.Text, sayMendCreate)
	}
	return bad(about, check, f.Text, sayMendServer)
}

func judgeLedger(about string, l queue.Lane, all []queue.Written) Finding {
	if len(all) == 0 {
		return good(about, "ledger", sayLedgerUnbegun(l.LedgerBranch()))
	}
	if s := all[len(all)-1].Statement; s.Lane != about {
		return bad(about, "ledger", sayLedgerOfOther(l.LedgerBranch(), s.Lane), sayMendForeign(l.LedgerBranch()))
	}
	return good(about, "ledger", sayLedger(l.LedgerBranch(), all))
}

func judgeSigned(about string, signs, begun, newest bool) Finding {
	switch {
	case !signs && newest:
		return bad(about, "ledger-signed", saySignedBefore, sayMendSigning)
	case !signs:
		return warning(about, "ledger-signed", sayUnsigned, sayMendSigning)
	case begun && !newest:
		return good(about, "ledger-signed", saySignedFromNow)
	}
	return good(about, "ledger-signed", saySigned)
}

// judgeKnown compares the ledger with what the database knows of it: the record known, and how many the ledger has above that and in all.
func judgeKnown(about string, l queue.Lane, known queue.SHA, above, all int, wrong *queue.LedgerError) Finding {
	const check = "ledger-database"
	switch {
	case wrong != nil && wrong.Missing:
		return bad(about, check, wrong.Reason, sayMendMissing)
	case wrong != nil:
		return bad(about, check, wrong.Reason, sayMendForeign(l.LedgerBranch()))
	case known == "" && all > 0:
		return warning(about, check, sayForgotten(all), sayMendForgotten)
	case above > 0:
		return good(about, check, sayAbove(above))
	case all == 0:
		return good(about, check, sayBothEmpty)
	}
	return good(about, check, saySame(known))
}

// hasSignature looks for one among the headers of a commit.
func hasSignature(commit string) bool {
	headers, _, _ := strings.Cut(commit, "\n\n")
	return strings.Contains("\n"+headers, "\ngpgsig")
}

// oneLine is an error as one line of text.
func oneLine(err error) string {
	return strings.Join(strings.FieldsFunc(err.Error(), func(c rune) bool { return c == '\n' || c == '\r' || c == '\t' }), "; ")
}
