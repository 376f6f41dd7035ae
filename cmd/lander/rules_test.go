package main

import (
	"fmt"
	"os/exec"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"lander/internal/hub"
)

// What scripts can say about the code host's own rules:
//
//	protect BRANCH [WORD...]   by branch protection; rules: by rulesets; a login may push, one with ! may do anything; force: by force
//	unprotect BRANCH
//	role LOGIN ROLE
//	erase BRANCH               behind everybody's back
//	branches LIST              which there are, sorted, with blanks between
//	fault TEXT                 as hub.Hub.Fault has it; "none" mends all
func init() {
	for name, run := range map[string]func(*testscript.TestScript, *hub.Hub, []string) error{
		"protect": func(_ *testscript.TestScript, h *hub.Hub, args []string) error {
			var p hub.Protection
			for _, word := range args[1:] {
				login, bypass := strings.CutPrefix(word, "!")
				switch {
				case word == "rules":
					p.Rules = true
				case word == "force":
					p.AllowForce, p.AllowDelete = true, true
				case bypass:
					p.Bypass = append(p.Bypass, login)
				default:
					p.Push = append(p.Push, login)
				}
			}
			return h.Protect(repository, args[0], p)
		},
		"unprotect": func(_ *testscript.TestScript, h *hub.Hub, args []string) error {
			return h.Unprotect(repository, args[0])
		},
		"role": func(_ *testscript.TestScript, h *hub.Hub, args []string) error {
			return h.SetRole(repository, args[0], hub.Role(args[1]))
		},
		"erase": func(_ *testscript.TestScript, h *hub.Hub, args []string) error {
			dir, err := h.GitDir(repository)
			if err != nil {
				return err
			}
			return exec.Command("git", "--git-dir", dir, "update-ref", "-d", "refs/heads/"+args[0]).Run()
		},
		"branches": func(_ *testscript.TestScript, h *hub.Hub, args []string) error {
			dir, err := h.GitDir(repository)
			if err != nil {
				return err
			}
			out, err := exec.Command("git", "--git-dir", dir, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads").Output()
			if got := strings.Join(strings.Fields(string(out)), " "); err == nil && got != args[0] {
				err = fmt.Errorf("there are %q, want %q", got, args[0])
			}
			return err
		},
		"fault": func(_ *testscript.TestScript, h *hub.Hub, args []string) error {
			if h.Heal(); args[0] == "none" {
				return nil
			}
			return h.Fault(args[0])
		},
	} {
		commands[name] = func(ts *testscript.TestScript, _ bool, args []string) {
			if len(args) == 0 {
				ts.Fatalf("usage: see rules_test.go")
			}
			ts.Check(run(ts, worldOf(ts).hub, args))
		}
	}
}
