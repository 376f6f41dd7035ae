package vcs

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"lander/internal/queue"
)

func TestRecordAsItIsWritten(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	out, err := w.repo.git().Output(w.ctx, nil, "cat-file", "commit", string(req.Record))
	w.must(err)
	head, message, _ := strings.Cut(string(out), "\n\n")
	wantHead := strings.Join([]string{
		"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904",
		"parent " + string(req.Ledger),
		"parent " + string(req.New),
		"parent " + string(w.ids["change"]),
		"author lander <lander@example.com> 1714979289 +0000",
		"committer lander <lander@example.com> 1714979289 +0000",
	}, "\n")
	if head != wantHead {
		t.Errorf("head\n%s\nwant\n%s", head, wantHead)
	}
	want := strings.NewReplacer("OLD", string(req.Old), "NEW", string(req.New), "TREE", w.treeOf(req.New), "HEAD", string(w.ids["change"])).Replace(`land #3 on main

{
  "format": 1,
  "seq": 2,
  "lane": "acme/app:main",
  "decision": "land",
  "attempt": 7,
  "entries": [
    {
      "number": 3,
      "head": "HEAD",
      "commits": [
        "NEW"
      ],
      "approvals": [
        {
          "id": 11,
          "login": "maya <&> 马雅",
          "via": "review",
          "at": "2024-05-06T07:08:09Z"
        }
      ]
    }
  ],
  "old": "OLD",
  "new": "NEW",
  "tree": "TREE",
  "style": "rebase",
  "recipe_digest": "r1",
  "verdict_digest": "v1",
  "run": 1,
  "at": "2024-05-06T07:08:09Z"
}
`)
	if message != want {
		t.Errorf("message\n%s\nwant\n%s", message, want)
	}
	abort := w.seal(req.Ledger, abortOf(req.Record))
	if !strings.Contains(abort.Text, "\n\nabort #3, #4 on main\n\n{\n") || strings.Count(abort.Text, "\nparent ") != 1 {
		t.Errorf("abort\n%s", abort.Text)
	}
	out, err = w.repo.git().Output(w.ctx, nil, "cat-file", "commit", string(req.Ledger))
	w.must(err)
	if !strings.Contains(string(out), "\n\nadopt main\n\n{\n") || strings.Contains(string(out), "parent") {
		t.Errorf("adoption\n%s", out)
	}
	w.must(w.repo.git().Run(w.ctx, "fsck", "--strict", "--no-dangling"))
}

// The same statement is the same record on every machine, and its text is enough to make it again.
func TestSealAndPlant(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"sha1", "sha256"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, format)
			w.play(func(s *script) { s.commit("base", tree{"a": "a\n"}) }).mirror("base")
			signer, err := NewSigner(w.key(ed25519Key(t)))
			w.must(err)
			w.repo.Sign = signer.Sign
			first := w.adopt("main", w.ids["base"])
			sealed := w.seal(first, abortOf(first))
			if again := w.seal(first, abortOf(first)); again != sealed {
				t.Fatalf("sealed\n%v\nthen\n%v", sealed, again)
			}
			stored, err := json.Marshal(sealed)
			w.must(err)
			var loaded queue.Sealed
			w.must(json.Unmarshal(stored, &loaded))
			other := &Repo{Dir: filepath.Join(t.TempDir(), "other.git"), Remote: w.repo.Remote}
			w.must(other.Init(w.ctx))
			seen, err := other.See(w.ctx, "main")
			w.must(err)
			if seen != (Seen{Trunk: w.ids["base"], Ledger: first}) {
				t.Fatalf("saw %v", seen)
			}
			w.must(other.Plant(w.ctx, loaded))
			w.must(other.Plant(w.ctx, loaded))
			w.must(other.Append(w.ctx, "main", first, loaded.SHA))
			got, err := other.Records(w.ctx, first, loaded.SHA)
			w.must(err)
			if len(got) != 1 || got[0].SHA != sealed.SHA || got[0].Statement.Aborts != first {
				t.Fatalf("read %v", got)
			}
			loaded.Text = strings.Replace(loaded.Text, `"attempt": 7`, `"attempt": 8`, 1)
			if err := other.Plant(w.ctx, loaded); err == nil || !strings.Contains(err.Error(), "changed since") {
				t.Fatalf("planted a changed text: %v", err)
			}
			w.must(w.origin.Run(w.ctx, "fsck", "--strict"))
		})
	}
}

func TestSealRefuses(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	good := abortOf(req.Record)
	for name, change := range map[string]func(s *queue.Statement, parent *queue.SHA){
		"no parent":           func(_ *queue.Statement, parent *queue.SHA) { *parent = "" },
		"half a parent":       func(_ *queue.Statement, parent *queue.SHA) { *parent = (*parent)[:8] },
		"a second adoption":   func(s *queue.Statement, _ *queue.SHA) { s.Decision, s.New = queue.DecisionAdopt, req.Old },
		"an unknown decision": func(s *queue.Statement, _ *queue.SHA) { s.Decision = "maybe" },
		"an unknown format":   func(s *queue.Statement, _ *queue.SHA) { s.Format = 2 },
		"no lane":             func(s *queue.Statement, _ *queue.SHA) { s.Lane = "" },
		"no time":             func(s *queue.Statement, _ *queue.SHA) { s.At = time.Time{} },
		"nothing aborted":     func(s *queue.Statement, _ *queue.SHA) { s.Aborts = "" },
		"a head by its name":  func(s *queue.Statement, _ *queue.SHA) { s.Entries[0].Head = "main" },
		"a landing of nothing": func(s *queue.Statement, _ *queue.SHA) {
			s.Decision, s.Old, s.New = queue.DecisionLand, req.Old, ""
		},
	} {
		s, parent := good, req.Ledger
		s.Entries = append([]queue.LedgerEntry(nil), good.Entries...)
		change(&s, &parent)
		if sealed, err := w.repo.Seal(w.ctx, parent, s); err == nil || sealed != (queue.Sealed{}) {
			t.Errorf("%s: sealed %v", name, sealed)
		}
	}
}

// Git itself must accept the signatures, with the program that it uses for them, and must refuse them when the record was changed.
func TestGitAcceptsTheSignature(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Fatal("ssh-keygen is missing: git needs it to check signatures (apt-get install openssh-client)")
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for kind, key := range map[string]any{"ed25519": ed25519Key(t), "rsa": rsaKey, "ecdsa": ecKey} {
		for _, format := range []string{"sha1", "sha256"} {
			t.Run(kind+" "+format, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, format)
				w.play(func(s *script) { s.commit("base", tree{"a": "a\n"}) }).mirror("base")
				signer, err := NewSigner(w.key(key))
				w.must(err)
				w.repo.Sign = signer.Sign
				first := w.adopt("main", w.ids["base"])
				signed := w.seal(first, abortOf(first))
				allowed := filepath.Join(t.TempDir(), "allowed")
				w.must(os.WriteFile(allowed, []byte("lander@example.com "+signer.PublicKey()+"\n"), 0o600))
				g := w.repo.git()
				g.Config = []string{"gpg.ssh.allowedSignersFile=" + allowed, "gpg.ssh.program=" + program}
				for _, sha := range []queue.SHA{first, signed.SHA} {
					w.must(g.Run(w.ctx, "verify-commit", string(sha)))
				}
				text := strings.Replace(signed.Text, `"attempt": 7`, `"attempt": 8`, 1)
				forged := queue.Sealed{SHA: objectID("commit", []byte(text), len(first)), Text: text}
				w.must(w.repo.Plant(w.ctx, forged))
				if g.Run(w.ctx, "verify-commit", string(forged.SHA)) == nil {
					t.Fatal("git accepts the signature of another record")
				}
				w.must(os.WriteFile(allowed, []byte("lander@example.com "+mustSigner(t, w.key(ed25519Key(t))).PublicKey()+"\n"), 0o600))
				if g.Run(w.ctx, "verify-commit", string(signed.SHA)) == nil {
					t.Fatal("git accepts a key that is not allowed")
				}
			})
		}
	}
}

func TestSignerRefusesKeysThatItCannotUse(t *testing.T) {
	t.Parallel()
	block, err := ssh.MarshalPrivateKeyWithPassphrase(ed25519Key(t), "", []byte("sesame"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewSigner(pem.EncodeToMemory(block)); err == nil || err.Error() != sayLockedKey {
		t.Errorf("a locked key: got %v", err)
	}
	if _, err := NewSigner([]byte("ssh-ed25519 AAAA me")); err == nil {
		t.Error("took a public key")
	}
}

func ed25519Key(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// key is a private key as ssh-keygen writes it.
func (w *world) key(key any) []byte {
	w.t.Helper()
	block, err := ssh.MarshalPrivateKey(key, "lander")
	w.must(err)
	return pem.EncodeToMemory(block)
}

func mustSigner(t *testing.T, text []byte) *Signer {
	t.Helper()
	signer, err := NewSigner(text)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}
