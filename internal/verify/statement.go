package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Decisions of a record.
const (
	adopt = "adopt" // lander begins here; New is where it found trunk
	land  = "land"  // trunk moved from Old to New with this very record
	abort = "abort" // the record that Aborts names can never be, or is taken back
)

// Styles of a landing.
const (
	rebase = "rebase"
	squash = "squash"
	merge  = "merge"
)

// statement is what a record says. Fields that this reader does not know are let through.
type statement struct {
	Format   int       `json:"format"`
	Seq      int64     `json:"seq"`
	Lane     string    `json:"lane"`
	Decision string    `json:"decision"`
	Attempt  int64     `json:"attempt"`
	Aborts   string    `json:"aborts"`
	Entries  []entry   `json:"entries"`
	Old      string    `json:"old"`
	New      string    `json:"new"`
	Tree     string    `json:"tree"`
	Style    string    `json:"style"`
	Tested   string    `json:"tested"` // another commit that was tested for this one, as good as Areas are
	Areas    []string  `json:"areas"`  // in which that was
	Reused   *reuse    `json:"reused"` // the run that was green, where it was another commit's of the same tree; nil: it was its own
	Single   bool      `json:"single"` // it was written before trunk moved, for the server cannot move two branches at once
	At       time.Time `json:"at"`
}

// entry is one change in a statement.
type entry struct {
	Number    int64      `json:"number"`
	Head      string     `json:"head"`
	Commits   []string   `json:"commits"` // its own on trunk, oldest first
	Approvals []approval `json:"approvals"`
}

// reuse is a run that a landing took over.
type reuse struct {
	Attempt int64  `json:"attempt"`
	Run     int64  `json:"run"`
	Commit  string `json:"commit"`
}

type approval struct {
	ID    int64  `json:"id"`
	Login string `json:"login"`
	Via   string `json:"via"`
}

// parseMessage reads a record's message: a line for people, an empty line, the statement. digits is how long names are.
func parseMessage(message string, digits int) (statement, error) {
	subject, text, ok := strings.Cut(message, "\n\n")
	if !ok || subject == "" || strings.Contains(subject, "\n") {
		return statement{}, errors.New("its message is no line, an empty line and a statement")
	}
	s, err := parseStatement([]byte(text), digits)
	if err != nil {
		return statement{}, err
	}
	if word, _, _ := strings.Cut(subject, " "); word != s.Decision {
		return statement{}, fmt.Errorf("its first line says %q, its statement %q", word, s.Decision)
	}
	return s, nil
}

// parseStatement reads the JSON of a record and checks that it says all that such a record must.
func parseStatement(text []byte, digits int) (statement, error) {
	var s statement
	if err := single(text); err != nil {
		return s, err
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("its statement is not as it should be: %w", err)
	}
	if s.Format != 1 {
		return s, fmt.Errorf("its format is %d, and this lander reads format 1", s.Format)
	}
	if s.Seq < 1 || s.Lane == "" || s.At.IsZero() {
		return s, errors.New("its statement has no number, lane or time")
	}
	return s, s.complete(digits)
}

func (s statement) complete(digits int) error {
	var names []string
	switch s.Decision {
	case adopt:
		names = []string{s.New}
		if s.Old != "" || len(s.Entries) > 0 || s.Seq != 1 {
			return errors.New("it adopts, and says what only a landing says")
		}
	case land:
		names = []string{s.Old, s.New, s.Tree}
		if len(s.Entries) == 0 || s.Attempt == 0 {
			return errors.New("it lands nothing")
		}
		if s.Style != rebase && s.Style != squash && s.Style != merge {
			return fmt.Errorf("its style is %q", s.Style)
		}
		if s.Tested != "" {
			names = append(names, s.Tested)
		}
		if r := s.Reused; r != nil {
			names = append(names, r.Commit)
			if r.Attempt < 1 || r.Attempt >= s.Attempt || r.Run < 1 {
				return errors.New("it does not say which run was taken over")
			}
		}
		if (s.Tested == "") != (len(s.Areas) == 0) || s.Tested == s.New {
			return errors.New("it does not say which areas were tested, or as which commit")
		}
	case abort:
		names = []string{s.Aborts}
		if s.Attempt == 0 {
			return errors.New("it aborts nothing")
		}
	default:
		return fmt.Errorf("its decision is %q", s.Decision)
	}
	for _, e := range s.Entries {
		names = append(append(names, e.Head), e.Commits...)
		if e.Number < 1 {
			return errors.New("an entry has no number")
		}
		if s.Decision != land {
			continue
		}
		if len(e.Commits) == 0 {
			return fmt.Errorf("#%d has no commits", e.Number)
		}
		for _, a := range e.Approvals {
			if a.Login == "" {
				return fmt.Errorf("#%d is approved by nobody", e.Number)
			}
		}
	}
	for _, name := range names {
		if !isName(name, digits) {
			return fmt.Errorf("%q is no name of a commit", name)
		}
	}
	return nil
}

// numbers are the changes in a statement, as people call them.
func (s statement) numbers() string {
	var all []string
	for _, e := range s.Entries {
		all = append(all, fmt.Sprintf("#%d", e.Number))
	}
	return strings.Join(all, ", ")
}

// single refuses JSON that two readers could read differently: a name given twice in one object, or something after the end.
func single(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	type level struct {
		names map[string]bool // nil: a list
		value bool            // a value comes next
	}
	var open []level
	for n := 0; ; n++ {
		t, err := d.Token()
		if errors.Is(err, io.EOF) && n > 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("its statement is no JSON: %w", err)
		}
		if n > 0 && len(open) == 0 {
			return errors.New("something stands after its statement")
		}
		if n == 0 && t != json.Delim('{') {
			return errors.New("its statement is no object")
		}
		top := len(open) - 1
		if name, ok := t.(string); ok && top >= 0 && open[top].names != nil && !open[top].value {
			if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
				return fmt.Errorf("its statement has a field %q", name) // which some readers would take for another one
			}
			if open[top].names[name] {
				return fmt.Errorf("its statement says %q twice", name)
			}
			open[top].names[name], open[top].value = true, true
			continue
		}
		if top >= 0 {
			open[top].value = false
		}
		switch t {
		case json.Delim('{'):
			open = append(open, level{names: map[string]bool{}})
		case json.Delim('['):
			open = append(open, level{})
		case json.Delim('}'), json.Delim(']'):
			open = open[:top]
		}
	}
}
