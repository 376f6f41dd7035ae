package hub

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"lander/internal/vcs"
)

// gitAt is git in a bare repository of the hub (or, without one, nowhere), with more environment.
func (h *Hub) gitAt(dir string, env ...string) vcs.Git {
	g := vcs.Git{
		Dir: dir, Config: []string{"safe.directory=*", "safe.bareRepository=all"},
		Env: append([]string{
			"HOME=" + filepath.Join(h.dir, "home"), "GIT_CONFIG_GLOBAL=" + filepath.Join(h.dir, "home", "gitconfig"),
		}, env...),
	}
	if dir != "" {
		g.Hooks = filepath.Join(dir, "hooks")
	}
	return g
}

// in runs git in a repository and gives its standard output without the last newline.
func (h *Hub) in(r *repo, args ...string) (string, error) { return h.feed(r, nil, "", args...) }

// feed is in with more environment, and with something to read.
func (h *Hub) feed(r *repo, env []string, stdin string, args ...string) (string, error) {
	out, err := h.gitAt(r.dir, env...).Output(h.life, []byte(stdin), args...)
	return strings.TrimSuffix(string(out), "\n"), err
}

// findGit looks for git's parts, and writes the settings that git's own children find.
func (h *Hub) findGit() error {
	// A seed may belong to another user than the one that runs the hub, and so may the hub's own directory when it was
	// copied; whoever opens a hub trusts both. upload-pack heeds this setting only in a file of the user's.
	config := "[safe]\n\tdirectory = *\n[user]\n\tname = hub\n\temail = hub@hub.example\n[core]\n\tfsmonitor = false\n"
	if err := os.WriteFile(filepath.Join(h.dir, "home", "gitconfig"), []byte(config), 0o644); err != nil {
		return fmt.Errorf("write git settings: %w", err)
	}
	path, err := h.gitAt("").Text(h.life, "--exec-path")
	if err != nil {
		return fmt.Errorf("find git: %w", err)
	}
	h.backend = filepath.Join(path, "git-http-backend")
	if _, err := os.Stat(h.backend); err != nil {
		return fmt.Errorf("find git's http-backend (it belongs to git; some systems package it apart): %w", err)
	}
	return nil
}

// isCode reports whether err is git's exit status code.
func isCode(err error, code int) bool {
	var e *vcs.ExitError
	return errors.As(err, &e) && e.Code == code
}
