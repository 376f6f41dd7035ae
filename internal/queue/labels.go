package queue

import (
	"fmt"
	"regexp"
	"slices"
)

// MostLabels is how many labels a recipe may ask for, and a worker may have.
const MostLabels = 4

var label = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,39}$`)

// ParseLabels puts labels of workers in order, each once. The error is a sentence about what cannot be.
func ParseLabels(given []string) ([]string, error) {
	all := slices.Clone(given)
	slices.Sort(all)
	all = slices.Compact(all)
	for _, l := range all {
		if !label.MatchString(l) {
			return nil, fmt.Errorf("%q is no label: want small letters, digits, dots, dashes and underscores, 40 at most", l)
		}
	}
	if len(all) > MostLabels {
		return nil, fmt.Errorf("%d labels are too many: want %d at most", len(all), MostLabels)
	}
	return all, nil
}

// Fits reports whether a worker with some labels may run what asks for others.
func Fits(has, asks []string) bool {
	return !slices.ContainsFunc(asks, func(l string) bool { return !slices.Contains(has, l) })
}
