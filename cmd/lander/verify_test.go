package main

import (
	"context"
	"crypto/ed25519"
	"encoding/pem"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"

	"lander/internal/hub"
	"lander/internal/verify"
)

// What scripts can say about clones:
//
//	clone DIR [ARG...]         what git clone makes of acme/app on the code host
//	push LOGIN BRANCH TITLE    a commit by hand
//	rewind LOGIN BRANCH REV    by force; REV as git names it there
//	key NAME PRINCIPAL         makes a signing key in the file NAME, and a line for allowed signers in NAME.allowed
func init() {
	commands["clone"] = func(ts *testscript.TestScript, neg bool, args []string) {
		dir, err := worldOf(ts).hub.GitDir(repository)
		ts.Check(err)
		git(ts, neg, append([]string{"clone", "-q", "file://" + dir}, args...))
	}
	commands["push"] = func(ts *testscript.TestScript, _ bool, args []string) {
		_, err := worldOf(ts).hub.Push(repository, hub.Push{By: args[0], Branch: args[1], Commits: []hub.Commit{
			{Message: args[2], Files: map[string]string{"by-hand": args[2]}},
		}})
		ts.Check(err)
	}
	commands["rewind"] = func(ts *testscript.TestScript, _ bool, args []string) {
		dir, err := worldOf(ts).hub.GitDir(repository)
		ts.Check(err)
		out, err := gitCommand(ts, "--git-dir", dir, "rev-parse", args[2]).Output()
		ts.Check(err)
		_, err = worldOf(ts).hub.Push(repository, hub.Push{By: args[0], Branch: args[1], SHA: strings.TrimSpace(string(out)), Force: true})
		ts.Check(err)
	}
	commands["key"] = func(ts *testscript.TestScript, _ bool, args []string) {
		public, private, err := ed25519.GenerateKey(nil)
		ts.Check(err)
		block, err := ssh.MarshalPrivateKey(private, "")
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(args[0]), pem.EncodeToMemory(block), 0o600))
		shown, err := ssh.NewPublicKey(public)
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(args[0]+".allowed"), []byte(args[1]+" "+string(ssh.MarshalAuthorizedKey(shown))), 0o644))
	}
}

func TestAProofIsToldInAFewLines(t *testing.T) {
	t.Parallel()
	const trunk, ledger = "refs/remotes/origin/main", "refs/remotes/origin/lander-ledger/main"
	bypass := verify.Finding{Kind: verify.Bypass, Text: "commit 1 came\x1b[2J past"}
	report := func(change func(*verify.Report)) verify.Report {
		r := verify.Report{
			Lane: "acme/app:main", TrunkRef: trunk, TrunkTip: strings.Repeat("a", 40), LedgerRef: ledger, LedgerTip: strings.Repeat("b", 40),
			AdoptedAt: strings.Repeat("c", 40), Records: 3, Landings: 2, Commits: 5,
		}
		change(&r)
		return r
	}
	for name, c := range map[string]struct {
		r    verify.Report
		o    verify.Options
		says []string
		not  string
	}{
		"clean": {report(func(*verify.Report) {}), verify.Options{}, []string{
			"✓ commits          5 commits in 2 landings, each what", "✓ ledger           3 records in one chain, up to bbbbbbbbbb (origin/lander-ledger/main)",
			"? signatures       no record is signed", "\nProven: lander landed all of trunk since lander began.\n",
		}, "approvals"},
		"a range": {report(func(r *verify.Report) { r.Commits, r.Older = 1, 2 }), verify.Options{Range: "v1..v2"}, []string{
			"1 commit of v1..v2 is lander's", "? older            2 commits of the range are from before that", "Proven: lander landed all of v1..v2.",
		}, "in 2 landings"},
		"per area": {report(func(r *verify.Report) { r.PerArea, r.Areas = 1, []string{"api"} }), verify.Options{}, []string{
			"5 commits in 2 landings, each what", "? areas            1 landing was tested per area, as another commit than the one that landed", "Proven: lander landed all of trunk",
		}, "approvals"},
		"nothing yet": {report(func(r *verify.Report) { r.Records, r.Landings, r.Commits = 1, 0, 0 }), verify.Options{}, []string{
			"✓ commits          nothing landed", "1 record in one chain", "Proven: nothing moved trunk since lander began.",
		}, ""},
		"others": {report(func(r *verify.Report) { r.Bypassed, r.Rewinds, r.Findings = 2, 1, []verify.Finding{bypass, bypass} }), verify.Options{}, []string{
			"What others did to trunk\n  ! bypass           commit 1 came [2J past\n", "Proven, but 2 commits came past lander, and trunk was set back once.",
		}, "What must not be"},
		"many": {report(func(r *verify.Report) {
			for range 25 {
				r.Findings = append(r.Findings, bypass)
			}
		}), verify.Options{}, []string{"\n  … and 5 more; --json has them all\n"}, ""},
		"broken": {report(func(r *verify.Report) {
			r.Breaches, r.Findings = 1, []verify.Finding{{Kind: verify.Missing, Breach: true, Text: "it was committed as lander"}, bypass}
		}), verify.Options{}, []string{
			"? commits          5 commits were held against 2 landings", "? ledger           3 records, up to", "What must not be\n  ✗ missing          it was",
			"→ If the two were not fetched together, do that and verify again: git fetch origin +refs/heads/main:refs/remotes/origin/main +refs/heads/lander-ledger/main:refs/remotes/origin/lander-ledger/main",
			"\nBroken: 1 thing is not as it must be.\n",
		}, "✓ commits"},
		"signed": {report(func(r *verify.Report) {
			r.Signed, r.Vouched, r.Keys = 3, true, []verify.Key{{Fingerprint: "SHA256:x", Type: "ssh-ed25519", Principal: "lander@example.com", Records: 3}}
		}), verify.Options{}, []string{"✓ signatures       all by lander@example.com (ssh-ed25519 SHA256:x)\n"}, "vouches"},
		"signed by whomever": {report(func(r *verify.Report) {
			r.Signed, r.Since = 2, strings.Repeat("d", 40)
			for _, name := range []string{"1", "2", "3", "4", "5"} {
				r.Keys = append(r.Keys, verify.Key{Fingerprint: "SHA256:" + name, Type: "k"})
			}
		}), verify.Options{}, []string{
			"? signatures       2 of 3 records, by k SHA256:1, k SHA256:2, k SHA256:3, 2 other keys, for whom nobody vouches", "--signers",
			"from record dddddddddd, which is trusted, to aaaaaaaaaa (origin/main)", "all of trunk since record dddddddddd.",
		}, "lander began"},
	} {
		var out strings.Builder
		(&proof{program: &program{stdout: &out}, asked: c.o, Report: c.r}).show()
		for _, want := range c.says {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s does not say %q:\n%s", name, want, out.String())
			}
		}
		if c.not != "" && strings.Contains(out.String(), c.not) || strings.Contains(out.String(), "\x1b") {
			t.Errorf("%s says %q:\n%s", name, c.not, out.String())
		}
	}
}

func TestAProofThatWasCutOffIsNoBreach(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, words strings.Builder
	if code := run(ctx, []string{"verify"}, nil, &out, &words); code != exitUnreachable || out.Len() > 0 || words.String() != "lander: ended before it was done\n" {
		t.Errorf("status %d, %q, %q", code, out.String(), words.String())
	}
}
