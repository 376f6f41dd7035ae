package vcs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"lander/internal/queue"
)

// plant puts a new, minimal .git into the tree, so that test suites can use git: HEAD detached at the commit, a copy of
// the index, and the mirror's objects as an alternate, which git only ever reads. Nothing that a run writes there can
// reach the mirror, the private index or the next run.
func (s *slot) plant(sha queue.SHA) error {
	dir := filepath.Join(s.tree(), ".git")
	for _, sub := range []string{"", "objects", "objects/info", "objects/pack", "refs", "refs/heads", "refs/tags"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o777); err != nil {
			return fmt.Errorf("make .git: %w", err)
		}
	}
	config := "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n"
	if len(sha) == 64 {
		config = "[core]\n\trepositoryformatversion = 1\n\tfilemode = true\n\tbare = false\n[extensions]\n\tobjectformat = sha256\n"
	}
	config += "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n"
	for name, text := range map[string]string{
		"HEAD":                    string(sha) + "\n",
		"config":                  config,
		"objects/info/alternates": filepath.Join(s.repo.Dir, "objects") + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			return fmt.Errorf("make .git: %w", err)
		}
	}
	return copyFile(s.index(), filepath.Join(dir, "index"))
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("copy index: %w", err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return fmt.Errorf("copy index: %w", err)
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("copy index: %w", err)
	}
	return nil
}
