package vcs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"
)

// helper is what git runs to learn the credentials: it copies them from the pipe that git was started with. A pipe can
// be read once, and only by git and what git starts; nothing of it is in an argument, in an environment or on a disk.
const helper = `!f() { test "$1" = get && cat <&3; }; f`

// How long a network command may take: one that asks or pushes, and one that may bring a whole history.
const (
	callLimit  = 2 * time.Minute
	fetchLimit = time.Hour
)

// remote runs one network command and returns what it printed, also when it failed.
func (r *Repo) remote(ctx context.Context, g Git, args ...string) ([]byte, error) {
	// A server that takes the call and then says nothing must not hold up a lane for ever.
	limit := callLimit
	if len(args) > 0 && args[0] == "fetch" {
		limit = fetchLimit
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var out bytes.Buffer
	p := process{args: args, stdout: &out, env: networkEnviron()}
	secret, err := r.secret(ctx)
	if err != nil {
		return nil, err
	}
	if secret != nil {
		defer secret.Close()
		p.files = []*os.File{secret}
		// Bound to the remote's own scheme and host: a redirect elsewhere gets nothing.
		p.config = []string{"credential." + authority(r.Remote) + ".helper=" + helper, "http.proactiveAuth=basic"}
	}
	err = g.run(ctx, p)
	return out.Bytes(), err
}

// secret is the reading end of a pipe that holds the credentials, or nil when the remote needs none.
func (r *Repo) secret(ctx context.Context) (*os.File, error) {
	if r.Auth == nil || authority(r.Remote) == "" {
		return nil, nil
	}
	user, password, err := r.Auth(ctx)
	if err != nil {
		return nil, fmt.Errorf("get credentials: %w", err)
	}
	if strings.ContainsAny(user+password, "\n\x00") {
		return nil, errors.New("get credentials: a line end in the user name or the password")
	}
	text := "username=" + user + "\npassword=" + password + "\n"
	if len(text) > 4096 { // what every system's pipe holds without a reader
		return nil, errors.New("get credentials: longer than 4096 bytes")
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("hand over credentials: %w", err)
	}
	_, err = write.WriteString(text)
	if err := errors.Join(err, write.Close()); err != nil {
		read.Close()
		return nil, fmt.Errorf("hand over credentials: %w", err)
	}
	return read, nil
}

// authority is the scheme and host of an HTTP remote, and empty for others.
func authority(remote string) string {
	u, err := url.Parse(remote)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
