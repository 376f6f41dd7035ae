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
	v, err := parseRelease(out)
	if err != nil {
		return err
	}
	if v.Major < 2 || v.Major == 2 && v.Minor < 38 {
		return errors.New(sayOldGit(v.Name))
	}
	return nil
}

// Release is a version of git.
type Release struct {
	Major, Minor, Patch int
	Name                string // as git says it, with whatever the distribution put behind
}

// Version asks the git in PATH. Its error is a sentence for the operator when there is none.
func Version(ctx context.Context) (Release, error) {
	out, err := Git{}.Text(ctx, "version")
	if err != nil {
		return Release{}, err
	}
	return parseRelease(out)
}

func parseRelease(out string) (Release, error) {
	name, _, _ := strings.Cut(strings.TrimPrefix(out, "git version "), " ")
	v := Release{Name: name}
	if _, err := fmt.Sscanf(name, "%d.%d", &v.Major, &v.Minor); err != nil {
		return Release{}, fmt.Errorf("read git version %q: %w", out, err)
	}
	if n, err := fmt.Sscanf(name, "%d.%d.%d", &v.Major, &v.Minor, &v.Patch); err != nil && n < 2 {
		return Release{}, fmt.Errorf("read git version %q: %w", out, err)
	}
	return v, nil
}

// Hole is a published fault of git that matters to whoever fetches and checks out what strangers wrote.
type Hole struct {
	Names []string // as published
	Means string   // what it means for lander
}

// hole is one entry of the table.
type hole struct {
	names []string
	means string
	fixed map[int]int // minor version of git 2 -> first patch release without the hole; above the highest all are without it
}

var holes = []hole{
	{[]string{"CVE-2022-23521", "CVE-2022-41903"}, sayHoleAttributes, map[int]int{38: 3, 39: 1}},
	{
		[]string{"CVE-2024-32002", "CVE-2024-32004", "CVE-2024-32465"},
		sayHoleClone,
		map[int]int{39: 4, 40: 2, 41: 1, 42: 2, 43: 4, 44: 1, 45: 1},
	},
	{
		[]string{"CVE-2025-48384", "CVE-2025-48385", "CVE-2025-48386"},
		sayHoleSubmodule,
		map[int]int{43: 7, 44: 4, 45: 4, 46: 4, 47: 3, 48: 2, 49: 1, 50: 1},
	},
}

// Holes lists the known holes of a release by its number alone: a distribution may have mended them without another number.
func (v Release) Holes() []Hole {
	var found []Hole
	for _, h := range holes {
		highest := 0
		for minor := range h.fixed {
			highest = max(highest, minor)
		}
		patch, mended := h.fixed[v.Minor]
		if v.Major != 2 || v.Minor > highest || mended && v.Patch >= patch {
			continue
		}
		found = append(found, Hole{Names: h.names, Means: h.means})
	}
	return found
}

// Mended is the lowest release from v on that has no known hole; empty: v itself has none.
func (v Release) Mended() string {
	if len(v.Holes()) == 0 {
		return ""
	}
	for minor := v.Minor; ; minor++ {
		for patch := range 10 {
			if at := (Release{Major: 2, Minor: minor, Patch: patch}); (minor > v.Minor || patch > v.Patch) && len(at.Holes()) == 0 {
				return fmt.Sprintf("2.%d.%d", minor, patch)
			}
		}
	}
}
