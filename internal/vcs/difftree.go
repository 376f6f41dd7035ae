package vcs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"lander/internal/queue"
)

// file is what stands at a path; the zero file is none.
type file struct {
	mode string
	id   queue.SHA
}

func (f file) none() bool { return f.mode == "" }

// text reports whether the content is lines that can be merged: not a symlink, not a submodule.
func (f file) text() bool { return strings.HasPrefix(f.mode, "100") }

// change is what a diff does at a path.
type change struct{ old, new file }

// diff is the changes by path; paths that stay the same are not in it.
type diff map[string]change

// pair names a diff by its two commits. An empty old is the empty tree.
type pair struct{ old, new queue.SHA }

// diffs compares many pairs of commits in one process.
func (r *Repo) diffs(ctx context.Context, pairs []pair) (map[pair]diff, error) {
	var in bytes.Buffer
	for _, p := range pairs {
		in.WriteString(strings.TrimSuffix(string(p.new)+" "+string(p.old), " "))
		in.WriteByte('\n')
	}
	out, err := r.git().Output(ctx, in.Bytes(),
		"diff-tree", "--stdin", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--root", "--always")
	if err != nil {
		return nil, err
	}
	fields := bytes.Split(bytes.TrimSuffix(out, []byte{0}), []byte{0})
	found := make(map[pair]diff, len(pairs))
	next := 0
	for _, p := range pairs {
		if next >= len(fields) || string(fields[next]) != string(p.new) {
			return nil, fmt.Errorf("git diff-tree: no answer about %s", p.new)
		}
		next++
		d := diff{}
		for next+1 < len(fields) && bytes.HasPrefix(fields[next], []byte(":")) {
			c, err := parseRaw(string(fields[next][1:]))
			if err != nil {
				return nil, err
			}
			d[string(fields[next+1])] = c
			next += 2
		}
		found[p] = d
	}
	return found, nil
}

// parseRaw reads "oldmode newmode oldid newid status".
func parseRaw(line string) (change, error) {
	f := strings.Fields(line)
	if len(f) != 5 {
		return change{}, fmt.Errorf("git diff-tree: %w", errors.New("a line that is none: "+line))
	}
	return change{old: fileOf(f[0], f[2]), new: fileOf(f[1], f[3])}, nil
}

func fileOf(mode, id string) file {
	if mode == "000000" {
		return file{}
	}
	return file{mode: mode, id: queue.SHA(id)}
}

// files looks up what stands at some paths of a commit.
func (r *Repo) files(ctx context.Context, commit queue.SHA, paths []string) (map[string]file, error) {
	found := map[string]file{}
	for len(paths) > 0 {
		n := min(len(paths), 500) // the system limits the length of a command line
		out, err := r.git().Output(ctx, nil, append([]string{"ls-tree", "-z", "--full-tree", string(commit), "--"}, paths[:n]...)...)
		if err != nil {
			return nil, err
		}
		for entry := range bytes.SplitSeq(bytes.TrimSuffix(out, []byte{0}), []byte{0}) {
			facts, path, ok := strings.Cut(string(entry), "\t")
			f := strings.Fields(facts)
			if ok && len(f) == 3 && f[1] != "tree" {
				found[path] = file{mode: f[0], id: queue.SHA(f[2])}
			}
		}
		paths = paths[n:]
	}
	return found, nil
}
