package verify

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Every sentence of this room that a person may read stands in this file, but for what is wrong inside a record, a signature or a
// file of signers: that stands where it is read.

func sayForged(r *record, err error) string {
	return fmt.Sprintf("%s is no record that lander writes: %v", r, err)
}

func sayNoAdoption(r *record) string {
	return fmt.Sprintf("the ledger begins with %s, which does not adopt a trunk: what came before it is gone", r)
}

func sayNoBeginning(r *record, n int, err error) string {
	if n == 1 {
		return fmt.Sprintf("the ledger does not begin with a record: below %s comes a commit that is none: %v", r, err)
	}
	return fmt.Sprintf("the ledger does not begin with a record: below %s come %d commits that are none: %v", r, n, err)
}

func sayAdoptedTwice(r *record) string {
	return fmt.Sprintf("%s adopts trunk a second time", r)
}

func sayUprooted(since string) string {
	return fmt.Sprintf("record %s is not in the ledger any more: the ledger was rewritten", short(since))
}

func sayGap(r *record, want int64) string {
	if r.s.Seq == want+1 {
		return fmt.Sprintf("record %d is missing: %s comes in its place", want, r)
	}
	return fmt.Sprintf("records %d to %d are missing: %s comes in their place", want, r.s.Seq-1, r)
}

func sayBackwards(r *record, want int64) string {
	return fmt.Sprintf("%s stands where record %d must stand", r, want)
}

func sayForeign(r *record, lane, trunk string) string {
	if r.s.Lane != lane {
		return fmt.Sprintf("%s is of lane %s, not of %s", r, r.s.Lane, lane)
	}
	return fmt.Sprintf("%s is of lane %s, in the ledger of %s", r, r.s.Lane, trunk)
}

func sayParents(r *record) string {
	return fmt.Sprintf("%s does not stand on the record before it and on the commits that it names, and on nothing else", r)
}

func sayCommitter(r *record, by, before string) string {
	return fmt.Sprintf("%s was committed by %s, those before it by %s, and no key says that both are lander", r, by, before)
}

func saySignature(r *record, err error) string {
	return fmt.Sprintf("the signature of %s does not count: %v", r, err)
}

func sayUnsigned(r *record) string { return fmt.Sprintf("%s is not signed", r) }

func sayNoLongerSigned(r *record) string {
	return fmt.Sprintf("%s is not signed, though records before it are", r)
}

func sayAborted(abort, landed *record) string {
	return fmt.Sprintf("%s gives attempt %d up for ever, but %s landed it", abort, abort.s.Attempt, landed)
}

func sayTakenBack(r *record) string {
	return fmt.Sprintf("%s was taken back by the one after it, but its commit %s is on trunk", r, short(r.s.New))
}

func sayTwice(r *record, e entry, before *record) string {
	return fmt.Sprintf("head %s of #%d landed twice: by %s and by %s", short(e.Head), e.Number, before, r)
}

func sayLostStart(id string) string {
	return fmt.Sprintf("trunk was adopted at %s, and somebody took that away before anything landed on it", short(id))
}

func sayUnknownCommits(r *record) string {
	return fmt.Sprintf("%s moves trunk from %s to %s, and there is no such commit here", r, short(r.s.Old), short(r.s.New))
}

func sayNotOnOld(r *record) string {
	return fmt.Sprintf("%s moves trunk from %s to %s, which does not stand on it", r, short(r.s.Old), short(r.s.New))
}

func sayOtherCommits(r *record, path, named []string) string {
	for i, id := range named {
		if len(path) == 0 {
			break
		}
		if !slices.Contains(path, id) || len(path) == len(named) && path[i] != id {
			return fmt.Sprintf("%s names commit %s, which is not in that place between %s and %s", r, short(id), short(r.s.Old), short(r.s.New))
		}
	}
	return fmt.Sprintf("%s moves trunk from %s to %s over more commits than the %d that it names", r, short(r.s.Old), short(r.s.New), len(named))
}

func sayStyle(r *record, c commit) string {
	return fmt.Sprintf("%s says style %s, and commit %s does not stand where that style would put it", r, r.s.Style, short(c.id))
}

func sayCommittedBy(r *record, c commit) string {
	return fmt.Sprintf("commit %s of %s is neither the author's own nor lander's: it was committed by %s", short(c.id), r, identity(c.committer))
}

func sayTree(r *record, tree string) string {
	return fmt.Sprintf("%s landed tree %s, but its commit %s holds tree %s", r, short(r.s.Tree), short(r.s.New), short(tree))
}

func sayNothingOwn(p *part) string {
	return fmt.Sprintf("head %s of #%d has no commits that trunk did not have, and %s landed something for it", short(p.e.Head), p.e.Number, p.r)
}

func sayAuthor(p *part, c commit) string {
	return fmt.Sprintf("commit %s landed for #%d, but no commit of its head %s has that author and message", short(c.id), p.e.Number, short(p.e.Head))
}

func saySplit(p *part, id string) string {
	return fmt.Sprintf("commit %s landed for #%d, and changes something else than the commit of head %s that it comes from", short(id), p.e.Number, short(p.e.Head))
}

func sayChanged(p *part, paths []string) string {
	return fmt.Sprintf("what landed for #%d is not what its head %s changes: %s", p.e.Number, short(p.e.Head), quoteAll(paths))
}

func sayConflict(p *part, paths []string) string {
	return fmt.Sprintf("what landed for #%d cannot come from its head %s, which conflicts with trunk: %s", p.e.Number, short(p.e.Head), quoteAll(paths))
}

func sayLeftOut(p *part, id string) string {
	return fmt.Sprintf("commit %s of #%d did not land, and trunk does not have it", short(id), p.e.Number)
}

// quoteAll lists paths, with those that could confuse a reader in quotes.
func quoteAll(paths []string) string {
	var all []string
	for _, p := range paths {
		if q := fmt.Sprintf("%q", p); q != `"`+p+`"` && p != "…" {
			p = q
		}
		all = append(all, p)
	}
	return strings.Join(all, ", ")
}

func sayBypass(c commit) string {
	return fmt.Sprintf("commit %s by %s came to trunk past lander", short(c.id), identity(c.committer))
}

func sayMissing(c commit) string {
	return fmt.Sprintf("commit %s was committed as lander, and no record says that it landed", short(c.id))
}

func sayRewind(from, to string, lost []*record) string {
	text := fmt.Sprintf("trunk was set back from %s to %s", short(from), short(to))
	if len(lost) == 0 {
		return text
	}
	var numbers []string
	for _, r := range slices.Backward(lost) {
		numbers = append(numbers, r.s.numbers())
	}
	if n := len(numbers); n > 5 {
		numbers = append(numbers[:5], fmt.Sprintf("%d landings more", n-5))
	}
	return text + ", and has lost what landed: " + strings.Join(numbers, ", ")
}

func sayBehind(r *record) string {
	return fmt.Sprintf("%s landed %s, but trunk still stands where it stood before", r, short(r.s.New))
}

// Why nothing can be proven.

func errNoGit() error { return errors.New("there is no git on this machine, and verify asks git") }

func errOldGit(found string) error {
	return fmt.Errorf("%s is too old: verify takes git 2.38 or newer", found)
}

// here is a repository in a sentence, and gitAt how git is called there.
func here(dir string) string {
	if dir == "." {
		return "this repository"
	}
	return dir
}

func gitAt(dir string) string {
	if dir == "." {
		return "git"
	}
	return "git -C " + quoteWord(dir)
}

// quoteWord makes a text one word for a shell.
func quoteWord(text string) string {
	if text != "" && strings.Trim(text, "/._-+@%,=:0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

func errNoRepository(dir string, err error) error {
	if dir == "." {
		dir = "this directory"
	}
	return &RequestError{fmt.Sprintf("%s is no git repository: %v", dir, err)}
}

func errShallow(dir string) error {
	return fmt.Errorf("%s is a shallow clone, and the proof needs the history since lander began; get it with: %s fetch --unshallow", here(dir), gitAt(dir))
}

func errPartial(dir string, err error) error {
	return fmt.Errorf("%s is a partial clone, and objects that the proof needs are not in it; get them with: %s fetch --refetch --no-filter (%w)", here(dir), gitAt(dir), err)
}

func errIncomplete(dir string, err error) error {
	return fmt.Errorf("%s cannot be read: %w; if objects are missing, fetch again, or look with: %s fsck", here(dir), err, gitAt(dir))
}

func errNotItself(id string) error {
	return fmt.Errorf("what this repository holds as %s is something else: it is damaged, or was tampered with; look with: git fsck", id)
}

// fetch is the command that brings trunk and ledger, and brings both, for they are only good together. No trunk: any.
func fetch(dir, trunk string) string {
	command := gitAt(dir) + " fetch origin"
	names := []string{"*"}
	if trunk != "" {
		names = []string{trunk, ledgerPrefix + trunk}
	}
	for _, name := range names {
		command += fmt.Sprintf(" '+refs/heads/%s:refs/remotes/origin/%s'", name, name)
	}
	return command
}

func errNoLedger(dir, trunk string) error {
	name := "*"
	if trunk != "" {
		name = trunk
	}
	return fmt.Errorf("there is no branch %s%s in %s, so nothing is proven; if lander lands here, get it with: %s", ledgerPrefix, name, here(dir), fetch(dir, trunk))
}

func errNoTrunk(dir, trunk string) error {
	if trunk == "" {
		return &RequestError{"with a ledger named by hand, name the trunk too"}
	}
	return fmt.Errorf("there is a ledger, but no branch %s in %s; get both with: %s", trunk, here(dir), fetch(dir, trunk))
}

func errWhichTrunk(names []string) error {
	return &RequestError{"several trunks have a ledger here; name one: " + strings.Join(names, ", ")}
}

func errNoSuchName(name string) error {
	return &RequestError{fmt.Sprintf("%q names no commit here", name)}
}

func errNoSuchRange(text string) error {
	return &RequestError{fmt.Sprintf("%q is no range of commits here; write it as in v1.0..HEAD", text)}
}

func errEmptyRange(text string, older int) error {
	if older > 0 {
		return fmt.Errorf("all of %s is from before lander began here, so nothing is proven about it", text)
	}
	return fmt.Errorf("no commit of %s is on trunk, so nothing is proven about it", text)
}

func errSigners(path string, err error) error {
	return &RequestError{fmt.Sprintf("allowed signers %s: %v", path, err)}
}

func errNoRecord(name string, err error) error {
	return fmt.Errorf("%s holds no record of lander, so it is no ledger and nothing is proven: %w", name, err)
}

func errNotTrusted(since string) error {
	return &RequestError{fmt.Sprintf("%s cannot be trusted as a record: it is none", short(since))}
}
