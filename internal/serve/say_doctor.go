package serve

import (
	"fmt"
	"strings"
	"time"

	"lander/internal/forge/github"
	"lander/internal/queue"
	"lander/internal/vcs"
)

// Every sentence of the doctor: what it finds, and how that is mended.

func sayUnproven(what string) string { return "not proven: " + what }

// This machine.

const (
	sayEnclosed            = "test runs are kept in a sandbox, which was tried"
	sayProved              = "bubblewrap: tried, and it holds"
	sayNoSandboxWanted     = "none, as the settings say: test runs have all that lander's user has"
	sayMendNoSandboxWanted = "Remove the setting sandbox, unless you trust whoever opens pull requests."
	sayMendGit             = "Install git 2.38 or newer, as with: apt-get install git"
	sayNoHoles             = "none of the known holes that matter here"
	sayMendSpace           = "Free some space, or name a directory on a larger disk with --data."
	sayMendInodes          = "Delete files that nobody needs, or name a directory on another file system with --data."
	sayMendKind            = "Name a directory on a disk of this machine with --data."
	sayMendClock           = "Let the machines take their time from the network (NTP)."
	sayMendProofs          = "Set this machine's clock by the network (NTP): GitHub takes no proof of an App from another minute."
)

func sayHoles(holes []vcs.Hole) string {
	said := make([]string, len(holes))
	for i, h := range holes {
		said[i] = strings.Join(h.Names, ", ") + ": " + h.Means
	}
	return strings.Join(said, "; and ")
}

func sayMendHoles(release string) string {
	return fmt.Sprintf("Update git to %s or newer; if your distribution has mended this under the old number, there is nothing to do.", release)
}

func saySpace(dir string, d disk) string {
	text := fmt.Sprintf("%s free of %s", size(d.free), size(d.size))
	if d.size > 0 {
		text += fmt.Sprintf(" (%d %%)", d.free*100/d.size)
	}
	text += " for " + dir
	if d.kind != "" {
		text += ", " + d.kind
	}
	return text
}

func sayInodes(dir string, d disk) string {
	return fmt.Sprintf("%d of %d inodes free (%d %%) for %s", d.inodes, d.all, d.inodes*100/d.all, dir)
}

func sayInMemory(dir string) string {
	return fmt.Sprintf("%s is kept in memory, and gone when the machine restarts", dir)
}

func sayOverNetwork(dir, kind string) string {
	return fmt.Sprintf("%s is on %s, where neither locks nor Postgres can be relied on", dir, kind)
}

func sayWritable(dir string) string { return dir + " can be written" }

func sayDirWillBeMade(dir, at string) string { return fmt.Sprintf("%s will be made in %s", dir, at) }

func sayNotWritable(at string) string { return "this user may not write to " + at }

func sayWriteFailed(at string, err error) string { return fmt.Sprintf("write to %s: %v", at, err) }

func sayOthersDir(dir string) string { return dir + " belongs to another user than this one" }

func sayMendOwner(dir string) string {
	return fmt.Sprintf("Run the doctor as the user that lander runs as, who must own %s.", dir)
}

// size is a number of bytes as people say it.
func size(n uint64) string {
	switch {
	case n >= giga:
		return fmt.Sprintf("%.1f GB", float64(n)/giga)
	default:
		return fmt.Sprintf("%d MB", n/mega)
	}
}

func sayClock(ahead time.Duration) string {
	switch {
	case ahead.Abs() < time.Second:
		return "its clock and this machine's agree to the second"
	case ahead > 0:
		return fmt.Sprintf("its clock is %v ahead of this machine's", ahead.Round(time.Second))
	}
	return fmt.Sprintf("its clock is %v behind this machine's", -ahead.Round(time.Second))
}

// The database.

const (
	sayMendDatabase = "See that Postgres runs and that LANDER_DATABASE_URL names it."
	sayMendPostgres = "Move the database to PostgreSQL 14 or newer."
	sayMendStandby  = "Name the primary in LANDER_DATABASE_URL, and let it take writes."
	sayMendShutOut  = "Run the newer lander here too."
	sayMendBehind   = "Finish the upgrade: run the newer lander here too."
)

func sayWillBeMade(major int, bin string) string {
	return fmt.Sprintf("none yet: lander serve makes a private one with PostgreSQL %d from %s", major, bin)
}

func sayPostgres(version string) string { return "PostgreSQL " + version + " answers" }

func sayPostgresOld(version string) string {
	return "PostgreSQL " + version + " is too old: lander needs 14 or newer"
}

func sayStandby(version string) string {
	return "PostgreSQL " + version + " takes no writes here: it is a standby, or set to read only"
}

func saySchema(have, want int64) string {
	switch {
	case have == 0:
		return fmt.Sprintf("empty: lander serve makes schema %d", want)
	case have < want:
		return fmt.Sprintf("schema %d: lander serve brings it to %d", have, want)
	case have > want:
		return fmt.Sprintf("schema %d of a newer lander, which lets this one, made for %d, still write", have, want)
	}
	return fmt.Sprintf("schema %d, which this lander may write", have)
}

// The forge.

const (
	sayMendCredential = "Check LANDER_TOKEN, or the App's id and key; make a new one where it has ended."
	sayNotCounted     = "the forge does not count requests"
	sayMendAllowance  = "Let lander ask less often (--poll), or give it an account or an App of its own that nobody else uses up."
)

func sayMendForge(url string) string {
	return fmt.Sprintf("See that this machine reaches %s, through a proxy where it needs one (HTTPS_PROXY), and that --forge-url is right.", url)
}

func saySelf(login string, isApp bool, pages string) string {
	kind := "with a token"
	if isApp {
		kind = "as a GitHub App"
	}
	return fmt.Sprintf("lander is %s on %s, %s", login, pages, kind)
}

func sayNotTaken(isApp bool, words string) string {
	if isApp {
		return fmt.Sprintf("the forge does not take the App's key: %s", words)
	}
	return fmt.Sprintf("the forge does not take the token: %s", words)
}

func sayAllowance(a github.Allowance) string {
	return fmt.Sprintf("%d of %d requests left until %s", a.Remaining, a.Limit, a.Reset.Local().Format("15:04"))
}

// A repository.

const (
	sayArchived     = "it is archived: nobody may push to it"
	sayMendArchived = "Unarchive it in its settings, or take its lanes out of lander's."
	sayMendUntold   = "Nothing, if the token has write permission for pull requests, issues and commit statuses; the first landing shows."
	sayNoWorkflows  = "lander may not push changes of .github/workflows: a change that touches them cannot land"
)

func sayNotSeen(name string) string {
	return fmt.Sprintf("%s is not there, or the forge does not show it to lander", name)
}

func sayMendNotSeen(isApp bool) string {
	if isApp {
		return "Check the name, and install the App on the repository."
	}
	return "Check the name, and give lander's account write permission there."
}

func sayMay(may []string) string { return "lander may " + list(may, "and") }

func sayCannot(cannot []string) string { return "lander may not " + list(cannot, "nor") }

func sayMendRights(isApp bool, cannot []string) string {
	if isApp {
		return "Give the App write permission for contents, pull requests and commit statuses, and accept it where the App is installed."
	}
	if cannot[0] == "push" {
		return "Give lander's account write permission, and its token the scope repo."
	}
	return "Give lander's token the scope repo."
}

func sayRightsUntold(what []string) string {
	return fmt.Sprintf("whether lander may %s: tokens of this kind do not tell", list(what, "and"))
}

func sayMendWorkflows(isApp bool) string {
	if isApp {
		return "Give the App write permission for workflows."
	}
	return "Give lander's token the scope workflow."
}

func sayNoTrunk(l queue.Lane, standard string) string {
	return fmt.Sprintf("there is no branch %s; the default branch is %s", l.Trunk, standard)
}

const sayMendTrunk = "Name the branch that lander lands on with --lane, or push its first commit."

// Its branches.

func sayOnlyMe(branch, self string) string {
	return fmt.Sprintf("only lander (%s) may move %s", self, branch)
}

func sayOpen(branch string) string {
	return fmt.Sprintf("everybody with write permission may move %s past lander", branch)
}

func sayMendOpen(branch, self, page string) string {
	return fmt.Sprintf("Make two rulesets for %s at %s: one that restricts updates, with %s alone on its bypass list, and one that blocks force pushes and deletions, with nobody on it.", pattern(branch), page, self)
}

func sayMendEarly(branch, self, page string) string {
	return fmt.Sprintf("Make two rulesets for %s at %s, which hold before the branch is there: one that restricts updates and creations, with %s alone on its bypass list, and one that blocks force pushes and deletions, with nobody on it.", pattern(branch), page, self)
}

// pattern is what a ruleset should name: for a ledger all that lie beside it. GitHub's * does not go beyond a slash, and so leaves out
// the branches that the doctor tries pushes on.
func pattern(branch string) string {
	if strings.HasPrefix(branch, queue.LedgerPrefix) {
		return branch[:strings.LastIndexByte(branch, '/')+1] + "*"
	}
	return branch
}

func sayOthers(branch string, others []string) string {
	return fmt.Sprintf("beside lander %s may move %s, untested", list(others, "and"), branch)
}

func sayMendOthers(page string) string {
	return fmt.Sprintf("Leave lander alone on the list at %s.", page)
}

func sayLockedOut(branch string, l github.Lock) string {
	if len(l.Asks) > 0 {
		return fmt.Sprintf("lander may not move %s: %s asks for %s", branch, l.Name, list(l.Asks, "and"))
	}
	if who := append(append([]string(nil), l.Movers...), l.Exempt...); len(who) > 0 {
		return fmt.Sprintf("lander may not move %s: %s lets only %s", branch, l.Name, list(who, "and"))
	}
	return fmt.Sprintf("lander may not move %s: %s forbids it", branch, l.Name)
}

func sayMendLockedOut(self, page string) string {
	return fmt.Sprintf("Put %s on its bypass list, or among those who may push, at %s.", self, page)
}

func sayMineUnknown(branch, lock string) string {
	return fmt.Sprintf("whether lander may move %s: the forge does not tell whom %s lets through", branch, lock)
}

func sayOthersUnseen(branch, lock string) string {
	return fmt.Sprintf("lander may move %s; who else may by %s cannot be seen with lander's permission", branch, lock)
}

func sayDark(branch, why string) string {
	return fmt.Sprintf("what protects %s cannot be seen: %s", branch, why)
}

func sayMendSee(page string) string {
	return fmt.Sprintf("Look yourself at %s, or let lander read it (for an App: administration, read).", page)
}

func sayNoLoss(branch string) string {
	return fmt.Sprintf("nobody may push to %s by force or delete it", branch)
}

func sayLoss(branch string, open []string) string {
	return fmt.Sprintf("for %s the forge does not forbid %s", branch, list(open, "and"))
}

func sayLossBy(branch string, who []string) string {
	return fmt.Sprintf("%s may push to %s by force or delete it", list(who, "and"), branch)
}

func sayMendLoss(branch, page string) string {
	return fmt.Sprintf("Block force pushes and deletions of %s at %s, with nobody on the bypass list.", pattern(branch), page)
}

// The git server.

const (
	sayAtomicOffered  = "it offers to move two branches together or not at all"
	sayNotAtomic      = "it does not move two branches together or not at all"
	saySingleRef      = "lander works here in single-ref mode, with a weaker promise: between two pushes trunk can be moved or lander die. A landing that is recorded is then pushed on as long as trunk stands where it stood, however late and also when a pause was given meanwhile; else it is taken back by a second record; lander verify tells."
	sayNotProbed      = "how it answers pushes (leases, force, two branches at once) was not tried, because of --no-push"
	sayForceElsewhere = "trunk and ledger have rules against pushes by force; where there is no rule the server takes them"
	sayWouldStay      = "how it answers pushes was not tried, because a rule forbids to delete branches under " + queue.LedgerPrefix + " and those of the try would stay"
	sayMendWouldStay  = "Name in that rule " + queue.LedgerPrefix + "* instead of **: the ledgers lie directly below, and tries lie deeper."
	sayMendRewind     = "Forbid pushes by force to " + queue.LedgerPrefix + "* and to trunk, for lander too."
	sayMendCreate     = "Let lander make and move branches under " + queue.LedgerPrefix + "."
	sayMendServer     = "Do not let lander land there before the git server keeps to this."
)

func sayMendGitRemote(remote string) string {
	return fmt.Sprintf("See that this machine reaches %s, and that --git-remote is right.", remote)
}

// The ledger.

const (
	sayUnsigned            = "records are not signed: whoever can push to the ledger can forge one"
	saySigned              = "records are signed"
	saySignedFromNow       = "records are signed from now on; the newest one is not"
	saySignedBefore        = "the newest record is signed, but lander has no key any more"
	sayMendSigning         = "Make a key (ssh-keygen -t ed25519 -N '') and name its file with --signing-key-file."
	sayMendMissing         = "Find out who pushed there, then: lander resume, which puts lander's records back."
	sayMendForgotten       = "If the database was lost: lander migrate --rebuild."
	sayBothEmpty           = "the database knows of no record either"
	sayNoDatabaseToCompare = "whether the database knows the same, because there is none to ask"
)

func sayLedgerUnbegun(branch string) string {
	return fmt.Sprintf("%s is not there yet: lander begins it when it first keeps the lane", branch)
}

func sayLedger(branch string, all []queue.Written) string {
	last := all[len(all)-1]
	return fmt.Sprintf("%s holds %s, the newest from %s", branch, count(len(all), "record", "records"), last.Statement.At.Local().Format("2006-01-02 15:04:05 MST"))
}

func sayLedgerOfOther(branch, lane string) string {
	return fmt.Sprintf("%s is the ledger of %s", branch, lane)
}

func sayMendForeign(branch string) string {
	return fmt.Sprintf("Find out who pushed to %s, put the branch back, then: lander resume.", branch)
}

func sayForgotten(all int) string {
	return fmt.Sprintf("the database knows none of its %s", count(all, "record", "records"))
}

func sayAbove(n int) string {
	return fmt.Sprintf("the database does not know the newest %s yet, and takes it up when lander keeps the lane", count(n, "record", "records"))
}

func saySame(tip queue.SHA) string { return "the database knows the same, up to record " + tip.Short() }

// Its webhooks.

const (
	sayNoneMissed = "none is known to have got lost in the last day"
	sayMendMissed = "Look at the deliveries of the webhook on the forge. Until it is right, lander finds things by asking, and later."
)

func sayMissed(n int) string {
	return fmt.Sprintf("%s of the last day did not arrive; lander found what it had to know by asking", count(n, "delivery", "deliveries"))
}

// sayMissing says that there is no sandbox. forks: what comes from elsewhere is refused for it.
func sayMissing(why string, forks bool) string {
	if !forks {
		return why + "; lander does not start without it"
	}
	return why + "; so pull requests from forks are not tested, and all others with everything that lander's user has"
}

// list joins words as people do.
func list(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + last + " " + words[len(words)-1]
}

// count is a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
