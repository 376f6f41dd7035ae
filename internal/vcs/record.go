package vcs

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"lander/internal/queue"
)

// record reads a record of the ledger and the id of the one before it (empty: it is the first). It must be in the mirror; what is
// there but is no record is a *queue.LedgerError.
func (o *objects) record(sha queue.SHA) (queue.Written, queue.SHA, error) {
	kind, data, err := o.read(string(sha))
	if err == nil && kind == "missing" {
		err = fmt.Errorf("record %s is not in the mirror", sha)
	}
	if err != nil {
		return queue.Written{}, "", err
	}
	s, before, err := parseRecord(sha, kind, data)
	if err != nil {
		return queue.Written{}, "", &queue.LedgerError{Reason: sayForeignRecord(sha, printable(err.Error()))}
	}
	return queue.Written{SHA: sha, Statement: s}, before, nil
}

// parseRecord is strict about everything but fields that it does not know: those belong to a later version.
func parseRecord(sha queue.SHA, kind string, data []byte) (s queue.Statement, before queue.SHA, err error) {
	if kind != "commit" {
		return s, "", errors.New("it is a " + kind)
	}
	c, err := parseCommit(sha, data)
	if err != nil {
		return s, "", err
	}
	if c.tree != emptyTree(len(sha)) {
		return s, "", errors.New("it has files")
	}
	_, text, ok := strings.Cut(c.message, "\n\n")
	if !ok {
		return s, "", errors.New("its message has no statement")
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return s, "", fmt.Errorf("its statement cannot be read: %w", err)
	}
	if err := sound(s); err != nil {
		return s, "", fmt.Errorf("its statement cannot be used: %w", err)
	}
	if s.Decision != queue.DecisionAdopt {
		if len(c.parents) == 0 {
			return s, "", fmt.Errorf("it is the first, but says %s", s.Decision)
		}
		before = c.parents[0]
	}
	if !slices.Equal(c.parents, recordParents(before, s)) {
		return s, "", errors.New("its parents are not those that its statement speaks of")
	}
	return s, before, nil
}
