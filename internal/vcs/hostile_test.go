package vcs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lander/internal/queue"
)

// union is a file that is in conflict, and the attribute that would let it pass in a work tree.
func union(w *world, where string) {
	base := tree{"a.txt": "a\n"}
	attributes := []string{".gitattributes", "* merge=union\n"}
	w.play(func(s *script) {
		fork := base
		if where == "both" {
			fork = base.with(attributes...)
		}
		trunk, mine := fork.with("a.txt", "trunk\n"), fork.with("a.txt", "mine\n")
		if where == "trunk" {
			trunk = trunk.with(attributes...)
		}
		s.commit("base", fork)
		s.commit("trunk", trunk, "base")
		s.commit("attributes", fork.with(attributes...), "base")
		s.commit("mine", mine.with(attributes...), "attributes")
	}).mirror("trunk")
}

func TestUnionAttributesDoNotHideAConflict(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"pull request", "trunk", "both"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "sha1")
			union(w, where)
			for _, style := range []queue.Style{queue.StyleRebase, queue.StyleSquash, queue.StyleMerge} {
				req := w.request("trunk", "mine")
				req.Style = style
				w.wantRefusal(req, "conflict", "a.txt")
			}
			// The trap is real: a rebase in a work tree walks into it.
			tree := t.TempDir()
			g := Git{Dir: filepath.Join(tree, ".git"), WorkTree: tree, Env: []string{
				"GIT_COMMITTER_NAME=x", "GIT_COMMITTER_EMAIL=x@example.com", "GIT_SEQUENCE_EDITOR=true",
			}}
			w.must(Git{}.Run(w.ctx, "clone", "--quiet", w.repo.Remote, tree))
			w.must(g.Run(w.ctx, "fetch", "--quiet", "origin", string(w.ids["mine"])))
			w.must(g.Run(w.ctx, "checkout", "--quiet", "--detach", string(w.ids["mine"])))
			w.must(g.Run(w.ctx, "rebase", "--quiet", string(w.ids["trunk"])))
		})
	}
}

// A machine whose administrator, user and mirror are all set up against us.
func TestOutsideConfigurationIsIgnored(t *testing.T) {
	w := newWorld(t, "sha1")
	union(w, "both")
	home, alarm := t.TempDir(), filepath.Join(t.TempDir(), "alarm")
	trap := filepath.Join(home, "trap")
	w.must(os.WriteFile(trap, []byte("#!/bin/sh\ntouch "+alarm+"\n"), 0o777))
	w.must(os.WriteFile(filepath.Join(home, "attributes"), []byte("* merge=union filter=trap diff=trap\n"), 0o666))
	w.must(os.MkdirAll(filepath.Join(home, "hooks"), 0o777))
	for _, hook := range []string{"pre-push", "post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc"} {
		w.must(os.Symlink(trap, filepath.Join(home, "hooks", hook)))
	}
	config := "[core]\n\tattributesFile = " + home + "/attributes\n\thooksPath = " + home + "/hooks\n\tfsmonitor = " + trap +
		"\n\tautocrlf = true\n\tsshCommand = " + trap + "\n\tpager = " + trap + "\n\taskPass = " + trap +
		"\n[filter \"trap\"]\n\tsmudge = " + trap + "\n\tclean = " + trap + "\n\trequired = true\n[merge \"trap\"]\n\tdriver = " + trap +
		"\n[diff]\n\texternal = " + trap + "\n[credential]\n\thelper = " + trap + "\n[url \"file:///nowhere\"]\n\tinsteadOf = file:\n"
	w.must(os.WriteFile(filepath.Join(home, ".gitconfig"), []byte(config), 0o666))
	for name, value := range map[string]string{
		"HOME": home, "XDG_CONFIG_HOME": home, "GIT_CONFIG_GLOBAL": home + "/.gitconfig", "GIT_CONFIG_SYSTEM": home + "/.gitconfig",
		"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.hooksPath", "GIT_CONFIG_VALUE_0": home + "/hooks",
		"GIT_DIR": home, "GIT_WORK_TREE": home, "GIT_INDEX_FILE": home + "/i", "GIT_OBJECT_DIRECTORY": home, "GIT_EXTERNAL_DIFF": trap,
		"GIT_ASKPASS": trap, "GIT_SSH": trap, "GIT_EXEC_PATH": home, "GIT_TEMPLATE_DIR": home, "GIT_TRACE": home + "/trace", "GIT_EDITOR": trap,
	} {
		t.Setenv(name, value)
	}
	// The mirror's own hooks and configuration, had somebody got at them.
	w.must(os.MkdirAll(filepath.Join(w.repo.Dir, "hooks"), 0o777))
	w.must(os.Symlink(trap, filepath.Join(w.repo.Dir, "hooks", "reference-transaction")))
	w.must(os.Symlink(trap, filepath.Join(w.repo.Dir, "hooks", "post-checkout")))
	w.must(w.repo.git().Run(w.ctx, "config", "core.fsmonitor", trap))

	w.wantRefusal(w.request("trunk", "mine"), "conflict", "a.txt")
	fine := w.request("base", "mine")
	built := w.build(fine)
	dir, release, err := (&Slots{Repo: w.repo, Dir: t.TempDir()}).Checkout(w.ctx, built.SHA)
	w.must(err)
	defer release()
	if text, err := os.ReadFile(filepath.Join(dir, "a.txt")); err != nil || string(text) != "mine\n" {
		t.Fatalf("checked out %q, %v", text, err)
	}
	w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/main", string(w.ids["base"])))
	_, err = w.repo.Fetch(w.ctx, "main", Want{Head: w.ids["trunk"]})
	w.must(err)
	first := w.adopt("main", w.ids["base"])
	record := w.seal(first, landOf(w.ids["base"], built, w.ids["mine"])).SHA
	w.must(w.repo.Land(w.ctx, queue.LandRequest{Trunk: "main", Old: w.ids["base"], New: built.SHA, Ledger: first, Record: record}))
	if _, err := os.Stat(alarm); err == nil {
		t.Fatal("something of the machine's configuration was run")
	}
	if _, err := os.Stat(home + "/trace"); err == nil {
		t.Fatal("git was traced")
	}
}

func TestEnvironmentIsBuiltFromNothing(t *testing.T) {
	t.Setenv("GITHUB_TOKEN", "secret")
	t.Setenv("LANDER_DATABASE_URL", "secret")
	for _, setting := range (Git{}).Environ() {
		if strings.Contains(setting, "secret") {
			t.Errorf("git would see %q", setting)
		}
	}
}

func TestOddNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	w.play(func(s *script) {
		s.commit("base", tree{"a": "a\n"})
		s.commit("mine", tree{"a": "mine\n"}, "base")
	}).mirror("base")
	for _, name := range []string{"--upload-pack=x", "-d", "ümlaut/\"quoted\"", "a/b", "HEAD"} {
		w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/"+name, string(w.ids["base"])))
		tip, err := w.repo.Fetch(w.ctx, name)
		w.must(err)
		if tip != w.ids["base"] {
			t.Fatalf("%s at %s", name, tip)
		}
		first := w.adopt(name, w.ids["base"])
		record := w.seal(first, landOf(w.ids["base"], queue.Built{SHA: w.ids["mine"], Tree: w.ids["mine"]}, w.ids["mine"])).SHA
		w.must(w.repo.Land(w.ctx, queue.LandRequest{Trunk: name, Old: w.ids["base"], New: w.ids["mine"], Ledger: first, Record: record}))
		if tip, err := w.repo.Tip(w.ctx, name); err != nil || tip != w.ids["mine"] {
			t.Fatalf("%s at %s, %v", name, tip, err)
		}
	}
	for _, name := range []string{"", "a:b", "a..b", "a b", "a*", ".a", "a.lock", "a/", "a\x00b", "a@{1}", "a^", "a~1"} {
		if _, err := w.repo.Tip(w.ctx, name); err == nil {
			t.Errorf("branch %q was looked for", name)
		}
	}
	for _, sha := range []queue.SHA{"", "HEAD", "--all", "abcdef1", queue.SHA(strings.Repeat("A", 40))} {
		if _, err := w.repo.Build(w.ctx, queue.BuildRequest{Base: sha, At: at, Members: []queue.Member{{Number: 1, Head: w.ids["mine"]}}}); err == nil {
			t.Errorf("base %q was taken", sha)
		}
		if w.repo.Has(w.ctx, sha) {
			t.Errorf("has %q", sha)
		}
	}
}
