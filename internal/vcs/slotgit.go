package vcs

import (
	"fmt"
	"os"
	"path/filepath"

	"lander/internal/queue"
)

// plant puts a new, minimal .git into the tree, so that test suites can use git: HEAD detached at the commit, a copy of
// the index, and the mirror's objects as an alternate, which git only ever reads. Nothing that a run writes there can
// reach the mirror, the private index or the next run.
func (s *slot) plant(sha queue.SHA, index []byte) error {
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
	for name, text := range map[string][]byte{
		"HEAD":                    []byte(sha + "\n"),
		"config":                  []byte(config),
		"index":                   index,
		"objects/info/alternates": []byte(filepath.Join(s.repo.Dir, "objects") + "\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
			return fmt.Errorf("make .git: %w", err)
		}
	}
	return nil
}
