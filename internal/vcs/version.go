package vcs

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// CheckVersion fails with one clear sentence when git is missing or too old to build candidates.
func CheckVersion(ctx context.Context) error {
	out, err := Git{}.Text(ctx, "version")
	if err != nil {
		return err
	}
	return oldEnough(out)
}

func oldEnough(out string) error {
	found, _, _ := strings.Cut(strings.TrimPrefix(out, "git version "), " ")
	var major, minor int
	if _, err := fmt.Sscanf(found, "%d.%d", &major, &minor); err != nil {
		return fmt.Errorf("read git version %q: %w", out, err)
	}
	if major < 2 || major == 2 && minor < 38 {
		return errors.New(sayOldGit(found))
	}
	return nil
}
