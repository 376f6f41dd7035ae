package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// Peeked is what was seen of a cluster from outside.
type Peeked struct {
	Made    bool
	sockets string // of the server that runs on it
}

// Running reports whether a server runs on the cluster, with the connection string for one of its databases.
func (p Peeked) Running(db string) (url string, ok bool) {
	return (&Server{sockets: p.sockets}).URL(db), p.sockets != ""
}

// Peek looks at the cluster of a directory, and changes nothing. Another lander may be running it.
func Peek(dir string) (Peeked, error) {
	cluster, err := filepath.EvalSymlinks(filepath.Join(dir, "cluster"))
	if errors.Is(err, fs.ErrNotExist) {
		return Peeked{}, nil
	}
	if err != nil {
		return Peeked{}, fmt.Errorf("look at database: %w", err)
	}
	f, err := readPidFile(filepath.Join(cluster, "postmaster.pid"))
	if errors.Is(err, fs.ErrNotExist) {
		return Peeked{Made: true}, nil
	}
	if err != nil {
		return Peeked{Made: true}, fmt.Errorf("look at database: %w", err)
	}
	if !f.serves(cluster) {
		return Peeked{Made: true}, nil
	}
	return Peeked{Made: true, sockets: f.sockets}, nil
}
