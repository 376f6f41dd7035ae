package verify

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// commit is a commit object. All texts are the raw bytes as they are stored.
type commit struct {
	id        string
	tree      string
	parents   []string
	author    string // "Name <email> seconds zone"
	committer string
	encoding  string
	message   string
	seal      string // the armoured signature; empty: it has none
	payload   []byte // what the signature is about; nil without one
}

// parseCommit reads a commit object. It is as strict as is needed to be sure of every field.
func parseCommit(id string, body []byte) (commit, error) {
	c := commit{id: id}
	head, message, ok := bytes.Cut(body, []byte("\n\n"))
	if !ok {
		return c, errors.New("it has no message")
	}
	c.message = string(message)
	var key string
	var seal, payload bytes.Buffer
	seals := 0
	for line := range bytes.SplitSeq(head, []byte("\n")) {
		if rest, ok := bytes.CutPrefix(line, []byte(" ")); ok { // goes on with the header above
			if strings.HasPrefix(key, "gpgsig") {
				seal.WriteByte('\n')
				seal.Write(rest)
				continue
			}
			payload.Write(line)
			payload.WriteByte('\n')
			continue
		}
		name, value, _ := bytes.Cut(line, []byte(" "))
		key = string(name)
		if strings.HasPrefix(key, "gpgsig") {
			seals++
			seal.Write(value)
			continue
		}
		payload.Write(line)
		payload.WriteByte('\n')
		var field *string
		switch key {
		case "tree":
			field = &c.tree
		case "author":
			field = &c.author
		case "committer":
			field = &c.committer
		case "encoding":
			field = &c.encoding
		case "parent":
			c.parents = append(c.parents, string(value))
		}
		if field != nil {
			if *field != "" {
				return c, fmt.Errorf("it has two lines %q", key)
			}
			*field = string(value)
		}
	}
	if c.tree == "" || c.author == "" || c.committer == "" {
		return c, errors.New("it has no tree, author or committer")
	}
	if seals > 1 {
		return c, errors.New("it has two signatures")
	}
	if seals == 1 {
		payload.WriteByte('\n')
		payload.Write(message)
		c.seal, c.payload = seal.String(), payload.Bytes()
	}
	return c, nil
}

// identity is a committer or author line without its date.
func identity(line string) string {
	if end := strings.LastIndexByte(line, '>'); end >= 0 {
		return line[:end+1]
	}
	return line
}

// missing says that the repository lacks an object.
type missing struct{ id string }

func (e *missing) Error() string { return "read " + e.id + ": it is not in this repository" }

// read hands the raw bodies of commits to each, in order. They are only good until each returns.
func (l *lens) read(ctx context.Context, ids []string, each func(id string, body []byte) error) error {
	if len(ids) == 0 {
		return nil
	}
	return l.git(ctx, lines(ids), func(r io.Reader) error {
		in := bufio.NewReaderSize(r, 1<<20)
		var body []byte
		for _, id := range ids {
			head, err := in.ReadSlice('\n')
			if err != nil {
				return fmt.Errorf("read %s: %w", id, err)
			}
			fields := strings.Fields(string(head))
			if len(fields) == 2 && fields[1] == "missing" {
				return &missing{id}
			}
			if len(fields) != 3 || fields[0] != id || fields[1] != "commit" {
				return fmt.Errorf("read %s: it is no commit", id)
			}
			size, err := strconv.Atoi(fields[2])
			if err != nil {
				return fmt.Errorf("read %s: %w", id, err)
			}
			if cap(body) < size+1 {
				body = make([]byte, 2*size+1)
			}
			body = body[:size+1] // with the newline that follows
			if _, err := io.ReadFull(in, body); err != nil {
				return fmt.Errorf("read %s: %w", id, err)
			}
			if hash("commit", body[:size], l.digits) != id {
				return errNotItself(id)
			}
			if err := each(id, body[:size]); err != nil {
				return err
			}
		}
		return nil
	}, "cat-file", "--batch", "--buffer")
}

// lines is an input of one line for each.
func lines(all []string) io.Reader {
	var b strings.Builder
	for _, s := range all {
		b.WriteString(s)
		b.WriteByte('\n')
	}
	return strings.NewReader(b.String())
}

// hash is the name of an object, in hexadecimal.
func hash(kind string, body []byte, digits int) string {
	head := kind + " " + strconv.Itoa(len(body)) + "\x00"
	if digits == 64 {
		h := sha256.New()
		h.Write([]byte(head))
		h.Write(body)
		return hex.EncodeToString(h.Sum(nil))
	}
	h := sha1.New()
	h.Write([]byte(head))
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// isName reports whether a text is a full object name.
func isName(s string, digits int) bool {
	if len(s) != digits {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// short is as much of a name as people read.
func short(id string) string { return id[:min(len(id), 10)] }
