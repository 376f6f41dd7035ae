package vcs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"lander/internal/queue"
)

// Seal makes the commit that a statement is written as, on top of the record before it (empty: it is the first), and stores it in the
// mirror. Equal statements give equal records, but for the signature of an ECDSA key.
func (r *Repo) Seal(ctx context.Context, parent queue.SHA, s queue.Statement) (queue.Sealed, error) {
	sealed, err := r.seal(ctx, parent, s)
	if err != nil {
		return queue.Sealed{}, fmt.Errorf("seal record %d: %w", s.Seq, err)
	}
	return sealed, nil
}

func (r *Repo) seal(ctx context.Context, parent queue.SHA, s queue.Statement) (queue.Sealed, error) {
	if err := ctx.Err(); err != nil {
		return queue.Sealed{}, err
	}
	if err := sound(s); err != nil {
		return queue.Sealed{}, err
	}
	first := s.Decision == queue.DecisionAdopt
	if first != (parent == "") {
		return queue.Sealed{}, fmt.Errorf("%s on top of record %q", s.Decision, parent.Short())
	}
	if !first {
		if err := full(parent); err != nil {
			return queue.Sealed{}, err
		}
	}
	message, err := recordMessage(s)
	if err != nil {
		return queue.Sealed{}, err
	}
	by := r.committer(s.At)
	format := len(parent)
	if first {
		format = len(s.New)
	}
	c := commit{tree: emptyTree(format), parents: recordParents(parent, s), author: by, committer: by, message: message}
	text, err := r.signed(c.bytes(), format)
	if err != nil {
		return queue.Sealed{}, err
	}
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return queue.Sealed{}, errors.New("the committer's name is not text")
	}
	sealed := queue.Sealed{SHA: objectID("commit", text, format), Text: string(text)}
	return sealed, r.keepRecord(sealed)
}

// signed is a commit object with the signature of all of it as one more header.
func (r *Repo) signed(object []byte, format int) ([]byte, error) {
	if r.Sign == nil {
		return object, nil
	}
	signature, err := r.Sign(object)
	if err != nil {
		return nil, err
	}
	header := "gpgsig"
	if format == 64 {
		header = "gpgsig-sha256"
	}
	head, rest, _ := bytes.Cut(object, []byte("\n\n"))
	value := strings.ReplaceAll(strings.TrimSuffix(signature, "\n"), "\n", "\n ")
	return fmt.Appendf(nil, "%s\n%s %s\n\n%s", head, header, value, rest), nil
}

// recordMessage is a line for people and the statement for programs.
func recordMessage(s queue.Statement) (string, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(s); err != nil { // ends with a line end
		return "", err
	}
	return sayRecord(s) + "\n\n" + text.String(), nil
}

// recordParents are the record before, and whatever the statement speaks of: a clone that has the ledger has that as well.
func recordParents(parent queue.SHA, s queue.Statement) []queue.SHA {
	var parents []queue.SHA
	if parent != "" {
		parents = append(parents, parent)
	}
	if s.Decision != queue.DecisionLand {
		return parents
	}
	parents = append(parents, s.New)
	for _, e := range s.Entries {
		if !slices.Contains(parents, e.Head) {
			parents = append(parents, e.Head)
		}
	}
	return parents
}

// sound refuses a statement that lacks what others need to act on it.
func sound(s queue.Statement) error {
	if s.Format != 1 {
		return fmt.Errorf("format %d, want 1", s.Format)
	}
	if _, err := queue.ParseLane(s.Lane); err != nil {
		return err
	}
	if s.At.IsZero() {
		return errors.New("no time")
	}
	for _, e := range s.Entries {
		if err := full(append(slices.Clone(e.Commits), e.Head)...); err != nil {
			return err
		}
	}
	switch s.Decision {
	case queue.DecisionAdopt:
		return full(s.New)
	case queue.DecisionLand:
		return full(s.Old, s.New, s.Tree)
	case queue.DecisionAbort:
		return full(s.Aborts)
	}
	return fmt.Errorf("unknown decision %q", s.Decision)
}
