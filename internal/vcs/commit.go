package vcs

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"lander/internal/queue"
)

// commit is a commit object. The texts are raw bytes as they are stored, in whatever encoding.
type commit struct {
	id        queue.SHA
	tree      queue.SHA
	parents   []queue.SHA
	author    string // "Name <email> seconds zone"
	committer string
	encoding  string // of the texts; empty means UTF-8
	message   string
}

func parseCommit(id queue.SHA, data []byte) (commit, error) {
	c := commit{id: id}
	head, message, _ := bytes.Cut(data, []byte("\n\n"))
	c.message = string(message)
	for line := range strings.SplitSeq(string(head), "\n") {
		key, value, _ := strings.Cut(line, " ") // a continuation line has an empty key
		switch {
		case key == "tree":
			c.tree = queue.SHA(value)
		case key == "parent":
			c.parents = append(c.parents, queue.SHA(value))
		case key == "author" && c.author == "":
			c.author = value
		case key == "committer" && c.committer == "":
			c.committer = value
		case key == "encoding" && c.encoding == "":
			c.encoding = value
		}
	}
	if c.tree == "" || c.author == "" || c.committer == "" {
		return commit{}, fmt.Errorf("read commit %s: it has no tree, author or committer", id)
	}
	return c, nil
}

// bytes is the object as git stores it. Signatures and other headers are not part of it: they belong to another commit.
func (c commit) bytes() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "tree %s\n", c.tree)
	for _, parent := range c.parents {
		fmt.Fprintf(&b, "parent %s\n", parent)
	}
	fmt.Fprintf(&b, "author %s\ncommitter %s\n", c.author, c.committer)
	if c.encoding != "" {
		fmt.Fprintf(&b, "encoding %s\n", c.encoding)
	}
	b.WriteByte('\n')
	b.WriteString(c.message)
	return b.Bytes()
}

// title is the first line of the message.
func (c commit) title() string {
	line, _, _ := strings.Cut(strings.TrimLeft(c.message, "\n"), "\n")
	return strings.TrimSpace(c.decode(line))
}

// decode makes a text of the commit UTF-8. Encodings other than Latin-1 lose what is not ASCII: this is for people only.
func (c commit) decode(text string) string {
	switch strings.ToLower(c.encoding) {
	case "iso-8859-1", "iso8859-1", "latin1", "latin-1":
	default:
		return strings.ToValidUTF8(text, string(utf8.RuneError))
	}
	runes := make([]rune, len(text))
	for i := range len(text) {
		runes[i] = rune(text[i])
	}
	return string(runes)
}

// signature splits "Name <email> seconds zone"; a date that cannot be read is the zero time.
func signature(line string) (name, email string, at time.Time) {
	name, rest, _ := strings.Cut(line, "<")
	end := strings.LastIndexByte(rest, '>')
	if end < 0 {
		return strings.TrimSpace(line), "", time.Time{}
	}
	fields := strings.Fields(rest[end+1:])
	if len(fields) > 0 {
		if seconds, err := strconv.ParseInt(fields[0], 10, 64); err == nil {
			at = time.Unix(seconds, 0).UTC()
		}
	}
	return strings.TrimSpace(name), rest[:end], at
}
