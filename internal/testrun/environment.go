//go:build unix

package testrun

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
)

// Environment is the digest of what the runner's runs run in, which their verdicts name: this lander, this machine's system, the sandbox
// and its limits, where tools are looked for, and the names of the variables that are added. Values of variables, which may be secret, are
// not part of it; nor is what is inside the tools. Two runs of one digest may be taken for each other for a while, not for ever.
func (r *Runner) Environment() string {
	r.env.Do(func() {
		sum := sha256.New()
		say := func(what string, is ...any) { fmt.Fprintf(sum, "%s %q\n", what, fmt.Sprint(is...)) }
		say("lander", r.Version)
		say("platform", runtime.GOOS, "/", runtime.GOARCH)
		for _, path := range []string{"/etc/os-release", "/proc/sys/kernel/osrelease"} {
			text, _ := os.ReadFile(path) // where there is none, that is part of the environment
			say(path, string(text))
		}
		if r.Sandbox == nil {
			say("sandbox", "none")
		} else {
			r.Sandbox.describe(say)
		}
		own := func(name string) string { return os.Getenv(name) }
		for _, name := range append([]string{"PATH"}, passed...) {
			if strings.HasSuffix(strings.ToUpper(name), "_PROXY") && name != "GOPROXY" {
				continue
			}
			if value := own(name); value != "" && !secret(value) {
				say(name, value)
			}
		}
		names := make([]string, 0, len(r.Env))
		for _, entry := range r.Env {
			name, _, _ := strings.Cut(entry, "=")
			names = append(names, name)
		}
		slices.Sort(names)
		say("variables", strings.Join(names, " "))
		for _, tool := range []string{"go", "node", "python3", "java", "cargo", "cc", "git", "sh"} {
			say(tool, tooled(tool))
		}
		r.environment = hex.EncodeToString(sum.Sum(nil))
	})
	return r.environment
}

// tooled is where a tool is and what its program looks like from outside, so that one that was replaced is another.
func tooled(name string) string {
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	info, err := os.Stat(path)
	if err != nil {
		return path
	}
	return fmt.Sprint(path, info.Size(), info.ModTime().UnixNano())
}

// describe says what a sandbox is made of.
func (s *Sandbox) describe(say func(what string, is ...any)) {
	say("sandbox", "bubblewrap ", tooled(s.bwrap))
	say("limits", fmt.Sprintf("%+v", s.limits))
	say("network", string(s.network), " ", strings.Join(s.named, " "))
	shown := make([]string, 0, len(s.system))
	for _, b := range s.system {
		shown = append(shown, b.From+" "+b.To)
	}
	slices.Sort(shown)
	say("system", strings.Join(shown, "\n"))
	say("hidden", strings.Join(s.hidden, "\n"))
	say("uid", s.uid == 0)
}
