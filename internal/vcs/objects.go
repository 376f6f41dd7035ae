package vcs

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"lander/internal/queue"
)

// objects reads objects through one git cat-file process, which answers each request at once.
type objects struct {
	ctx   context.Context
	cmd   *exec.Cmd
	words *tail
	in    io.WriteCloser
	out   *bufio.Reader
}

func (r *Repo) objects(ctx context.Context) (*objects, error) {
	cmd, words, err := r.git().command(ctx, process{args: []string{"cat-file", "--batch", "-z"}})
	if err != nil {
		return nil, err
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("git cat-file: %w", err)
	}
	return &objects{ctx: ctx, cmd: cmd, words: words, in: in, out: bufio.NewReaderSize(out, 64<<10)}, nil
}

// read returns an object's type and content; an object that is missing has the type "missing".
func (o *objects) read(name string) (kind string, data []byte, err error) {
	if _, err := io.WriteString(o.in, name+"\x00"); err != nil {
		return "", nil, o.broken(err)
	}
	header, err := o.out.ReadString('\n')
	if err != nil {
		return "", nil, o.broken(err)
	}
	header = strings.TrimSuffix(header, "\n")
	if strings.HasSuffix(header, " missing") {
		return "missing", nil, nil
	}
	var id string
	var size int64
	if _, err := fmt.Sscanf(header, "%s %s %d", &id, &kind, &size); err != nil {
		return "", nil, fmt.Errorf("read object %s: %q: %w", name, header, err)
	}
	data = make([]byte, size+1)
	if _, err := io.ReadFull(o.out, data); err != nil {
		return "", nil, o.broken(err)
	}
	return kind, data[:size], nil
}

// commit reads a commit that must be there.
func (o *objects) commit(sha queue.SHA) (commit, error) {
	kind, data, err := o.read(string(sha))
	if err != nil {
		return commit{}, err
	}
	if kind != "commit" {
		return commit{}, fmt.Errorf("read commit %s: it is %s", sha, kind)
	}
	return parseCommit(sha, data)
}

// blob reads a file's content that must be there.
func (o *objects) blob(sha queue.SHA) ([]byte, error) {
	kind, data, err := o.read(string(sha))
	if err == nil && kind != "blob" {
		err = fmt.Errorf("read blob %s: it is %s", sha, kind)
	}
	return data, err
}

func (o *objects) broken(err error) error {
	if o.ctx.Err() != nil {
		return fmt.Errorf("git cat-file: %w", context.Cause(o.ctx))
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, os.ErrClosed) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("git cat-file: %w", err)
}

// close ends the process. Its exit status says nothing that a read has not said.
func (o *objects) close() {
	o.in.Close()
	_ = o.cmd.Wait()
}
