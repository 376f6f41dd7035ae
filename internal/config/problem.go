package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// mostProblems bounds what one file can make lander say.
const mostProblems = 50

// Problem is one thing that is wrong, with its place in the file. Line and Column count from 1; 0 means no place.
type Problem struct {
	Line, Column int
	Text         string
}

func (p Problem) String() string {
	if p.Line == 0 {
		return p.Text
	}
	return fmt.Sprintf("line %d, column %d: %s", p.Line, p.Column, p.Text)
}

// PolicyError says all that is wrong with a policy file, in the order of the file. It has at least one problem.
type PolicyError struct{ Problems []Problem }

func (e *PolicyError) Error() string { return join(e.Problems, "; ") }

// SettingsError says all that is wrong with the server's settings. It has at least one problem.
type SettingsError struct{ Problems []Problem }

func (e *SettingsError) Error() string { return join(e.Problems, "\n") }

func join(ps []Problem, sep string) string {
	words := make([]string, len(ps))
	for i, p := range ps {
		words[i] = p.String()
	}
	return strings.Join(words, sep)
}

func sortProblems(ps []Problem) {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}
