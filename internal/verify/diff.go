package verify

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

// diff names what changes from one tree to another.
type diff struct{ from, to string }

// question asks whether two diffs are the same.
type question struct {
	want, got diff
	same      bool
}

// compare answers questions. Two diffs are the same if they have the same paths with the same modes and blobs, before and after.
func (l *lens) compare(ctx context.Context, all []*question) error {
	var open []*question
	for _, q := range all {
		switch {
		case q.want == q.got:
			q.same = true
		case q.want.from == q.got.from: // and so only the same result is the same diff
		default:
			open = append(open, q)
		}
	}
	half := len(open) / 2
	var wait sync.WaitGroup
	var errs [2]error
	for i, some := range [][]*question{open[:half], open[half:]} {
		wait.Go(func() { errs[i] = l.ask(ctx, some) })
	}
	wait.Wait()
	return errors.Join(errs[:]...)
}

// ask puts questions to one git.
func (l *lens) ask(ctx context.Context, all []*question) error {
	if len(all) == 0 {
		return nil
	}
	var in strings.Builder
	for _, q := range all {
		fmt.Fprintf(&in, "%s %s\n%s %s\n", q.want.from, q.want.to, q.got.from, q.got.to)
	}
	err := l.git(ctx, strings.NewReader(in.String()), func(out io.Reader) error {
		r := bufio.NewReaderSize(out, 1<<18)
		var want, got []byte
		for _, q := range all {
			var err error
			if want, err = readDiff(r, q.want, want[:0]); err != nil {
				return err
			}
			if got, err = readDiff(r, q.got, got[:0]); err != nil {
				return err
			}
			q.same = bytes.Equal(want, got)
		}
		return nil
	}, "diff-tree", "--stdin", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--ignore-submodules=none")
	if err != nil {
		return fmt.Errorf("compare trees: %w", err)
	}
	return nil
}

// readDiff appends the next diff as git prints it: a line that names the trees, and for each path ":modes blobs status", NUL, path, NUL.
func readDiff(r *bufio.Reader, d diff, into []byte) ([]byte, error) {
	head, err := r.ReadSlice('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if string(head) != d.from+" "+d.to+"\n" { // git passes over what it does not have
		return nil, &missing{"tree " + d.from + " or " + d.to}
	}
	for {
		next, err := r.Peek(1)
		if errors.Is(err, io.EOF) || err == nil && next[0] != ':' {
			return into, nil
		}
		for range 2 {
			if err != nil {
				return nil, err
			}
			var field []byte
			field, err = r.ReadSlice(0)
			for errors.Is(err, bufio.ErrBufferFull) {
				into = append(into, field...)
				field, err = r.ReadSlice(0)
			}
			into = append(into, field...)
		}
		if err != nil {
			return nil, err
		}
	}
}

// paths are where two trees differ, at most so many.
func (l *lens) paths(ctx context.Context, a, b string, most int) ([]string, error) {
	out, err := l.output(ctx, nil, "diff-tree", "-r", "-z", "--name-only", "--no-renames", "--ignore-submodules=none", a, b)
	if err != nil {
		return nil, fmt.Errorf("compare trees: %w", err)
	}
	all := strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
	if len(all) > most {
		all = append(all[:most], "…")
	}
	return all, nil
}
