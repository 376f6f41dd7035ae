package verify

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// merging is a three-way merge of two commits, and what comes of it.
type merging struct {
	ours, theirs string
	tree         string // of no use with conflicts
	conflicts    []string
	clean        bool
}

// merge makes all merges in memory. In a lens no attributes take part.
func (l *lens) merge(ctx context.Context, all []*merging) error {
	args := []string{"merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", "--allow-unrelated-histories"}
	if len(all) == 0 {
		return nil
	}
	if !l.stdin {
		return l.mergeEach(ctx, all, args)
	}
	var in strings.Builder
	for _, m := range all {
		in.WriteString(m.ours + " " + m.theirs + "\n")
	}
	err := l.git(ctx, strings.NewReader(in.String()), func(out io.Reader) error {
		r := bufio.NewReader(out)
		for _, m := range all {
			status, err := r.ReadString(0)
			if err != nil {
				return err
			}
			if m.clean = status == "1\x00"; !m.clean && status != "0\x00" {
				return fmt.Errorf("an answer that is none: %q", status)
			}
			if err := m.read(r, l.digits); err != nil {
				return err
			}
		}
		return nil
	}, append(args, "--stdin")...)
	if err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	return nil
}

// mergeEach is for a git that takes one merge at a time.
func (l *lens) mergeEach(ctx context.Context, all []*merging, args []string) error {
	for _, m := range all {
		out, err := l.output(ctx, nil, append(args[:len(args):len(args)], m.ours, m.theirs)...)
		if m.clean = err == nil; err != nil && exitStatus(err) != 1 {
			return fmt.Errorf("merge: %w", err)
		}
		if err := m.read(bufio.NewReader(strings.NewReader(out+"\x00")), l.digits); err != nil {
			return fmt.Errorf("merge: %w", err)
		}
	}
	return nil
}

// read reads a tree, the paths in conflict, and the empty field that ends them.
func (m *merging) read(r *bufio.Reader, digits int) error {
	tree, err := r.ReadString(0)
	if m.tree = strings.TrimSuffix(tree, "\x00"); err != nil || !isName(m.tree, digits) {
		return errors.Join(err, fmt.Errorf("no tree: %q", tree))
	}
	for {
		path, err := r.ReadString(0)
		if err != nil {
			return err
		}
		if path == "\x00" {
			return nil
		}
		m.conflicts = append(m.conflicts, strings.TrimSuffix(path, "\x00"))
	}
}

// standIn writes a throw-away commit into the lens, which has a tree and whatever parents a merge must see: with them one chooses
// what git finds as the merge base.
func (l *lens) standIn(tree string, parents []string) (string, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "tree %s\n", tree)
	for _, p := range parents {
		fmt.Fprintf(&b, "parent %s\n", p)
	}
	b.WriteString("author nobody <> 0 +0000\ncommitter nobody <> 0 +0000\n\nstand-in\n")
	id := hash("commit", b.Bytes(), l.digits)
	dir := filepath.Join(l.dir, "objects", id[:2])
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("write commit: %w", err)
	}
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	fmt.Fprintf(z, "commit %d\x00%s", b.Len(), b.Bytes())
	z.Close()
	if err := os.WriteFile(filepath.Join(dir, id[2:]), packed.Bytes(), 0o600); err != nil {
		return "", fmt.Errorf("write commit: %w", err)
	}
	return id, nil
}
