package vcs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"lander/internal/queue"
)

// Repo is one bare mirror of one remote. Its methods may be called at the same time; network calls that write to the
// mirror wait for one another.
type Repo struct {
	Dir    string // required: the mirror, an absolute path
	Remote string // required: http, https or file URL, or an absolute path; without credentials
	// Auth is asked for credentials once for each network call. nil: none.
	Auth  func(ctx context.Context) (user, password string, err error)
	Name  string // the committer's; empty means lander
	Email string // the committer's address; empty means lander@localhost
	// Sign makes the armored signature of a record of the ledger, see Signer. nil: records are not signed.
	Sign func(payload []byte) (string, error)

	fetching sync.Mutex // two fetches at once would fight over the refs

	opening  sync.Mutex
	unlocked bool // what locks there are now are this process's own
}

var (
	// ErrNoBranch says that the remote has no such branch.
	ErrNoBranch = errors.New("no such branch")
	// ErrNotFound says that a commit has no file of that name. It is an fs.ErrNotExist.
	ErrNotFound = fmt.Errorf("no such file: %w", fs.ErrNotExist)
)

// Init makes the mirror if there is none, in the remote's object format. A mirror that is there is left as it is, but for the locks
// that a killed git has left in it: those the first call removes.
func (r *Repo) Init(ctx context.Context) error {
	if err := CheckVersion(ctx); err != nil {
		return err
	}
	if !filepath.IsAbs(r.Dir) {
		return fmt.Errorf("open mirror %s: not an absolute path", r.Dir)
	}
	if err := checkRemote(r.Remote); err != nil {
		return err
	}
	switch _, err := os.Stat(filepath.Join(r.Dir, "HEAD")); {
	case err == nil:
		return r.unlock(ctx)
	case !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("open mirror: %w", err)
	}
	return r.create(ctx)
}

func (r *Repo) unlock(ctx context.Context) error {
	r.opening.Lock()
	defer r.opening.Unlock()
	if r.unlocked {
		return nil
	}
	err := r.git().Unlock(ctx)
	r.unlocked = err == nil
	return err
}

// create makes the mirror aside and renames it, so that a crash leaves either all of it or none.
func (r *Repo) create(ctx context.Context) error {
	format, err := r.remoteFormat(ctx)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(r.Dir), 0o777); err != nil {
		return fmt.Errorf("create mirror: %w", err)
	}
	aside, err := os.MkdirTemp(filepath.Dir(r.Dir), ".mirror-*")
	if err != nil {
		return fmt.Errorf("create mirror: %w", err)
	}
	defer os.RemoveAll(aside)
	if err := (Git{}).Run(ctx, "init", "--quiet", "--bare", "--template=", "--object-format="+format, "--", aside); err != nil {
		return fmt.Errorf("create mirror: %w", err)
	}
	// Unborn for ever: a bare repository's HEAD is where some versions of git look for attributes.
	if err := os.WriteFile(filepath.Join(aside, "HEAD"), []byte("ref: refs/heads/none\n"), 0o666); err != nil {
		return fmt.Errorf("create mirror: %w", err)
	}
	if err := os.Remove(r.Dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("create mirror: %w", err)
	}
	if err := os.Rename(aside, r.Dir); err != nil {
		return fmt.Errorf("create mirror: %w", err)
	}
	return nil
}

// remoteFormat is sha1 or sha256, as the ids that the remote shows say.
func (r *Repo) remoteFormat(ctx context.Context) (string, error) {
	out, err := r.remote(ctx, Git{}, "ls-remote", "--", r.Remote)
	if err != nil {
		return "", fmt.Errorf("open remote: %w", err)
	}
	id, _, ok := bytes.Cut(out, []byte("\t"))
	switch {
	case !ok:
		return "", errors.New(sayEmptyRemote(r.Remote))
	case len(id) == 64:
		return "sha256", nil
	}
	return "sha1", nil
}

func (r *Repo) git() Git { return Git{Dir: r.Dir} }

func checkRemote(remote string) error {
	if filepath.IsAbs(remote) {
		return nil
	}
	u, err := url.Parse(remote)
	if err != nil {
		return fmt.Errorf("remote: %w", err)
	}
	switch u.Scheme {
	case "http", "https", "file":
	default:
		return fmt.Errorf("remote %s: want an http, https or file URL, or an absolute path", u.Redacted())
	}
	if u.User != nil {
		u.User = nil
		return errors.New(sayCredentialsInURL(u.String()))
	}
	return nil
}

// full refuses everything but full object ids, so that no abbreviation, ref name or option ever reaches git.
func full(ids ...queue.SHA) error {
	for _, id := range ids {
		if _, err := queue.ParseSHA(string(id)); err != nil {
			return err
		}
	}
	return nil
}

// branchRef is the full name of a branch, after the rules of git check-ref-format.
func branchRef(branch string) (string, error) {
	bad := branch == "" || branch == "@" || strings.HasPrefix(branch, "/") || strings.HasSuffix(branch, "/") ||
		strings.HasSuffix(branch, ".") || strings.ContainsAny(branch, " ~^:?*[\\\x7f") ||
		strings.Contains(branch, "..") || strings.Contains(branch, "//") || strings.Contains(branch, "@{")
	for _, part := range strings.Split(branch, "/") {
		bad = bad || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock")
	}
	for _, c := range []byte(branch) {
		bad = bad || c < ' '
	}
	if bad {
		return "", fmt.Errorf("branch %q: not a name that git allows", branch)
	}
	return "refs/heads/" + branch, nil
}
