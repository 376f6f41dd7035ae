package hub

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/cgi"
	"path/filepath"
	"strings"
	"time"
)

// serveGit serves git's smart HTTP at /owner/name.git/.
func (h *Hub) serveGit(w http.ResponseWriter, r *http.Request) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), ".git/")
	service := strings.TrimPrefix(rest, "git-")
	if rest == "info/refs" {
		service = strings.TrimPrefix(r.URL.Query().Get("service"), "git-")
	}
	deed, ok := map[string]string{"upload-pack": "fetch", "receive-pack": "push"}[service]
	if !ok { // the dumb protocol among others
		h.say(w, 403, "Please upgrade your git client.\n")
		return
	}
	s := scene{git: deed, repo: name, method: r.Method, path: r.URL.Path}
	if h.misbehave(w, r, s) {
		return
	}
	repo, env, err := h.admit(r, name, deed)
	if err != nil {
		h.turnAway(w, err)
		return
	}
	var config []string
	if deed == "push" && h.strike(s, "noatomic") != nil {
		config = append(config, "receive.advertiseAtomic=false")
	}
	if rest == "info/refs" {
		if err := h.settle(repo); err != nil {
			h.turnAway(w, err)
			return
		}
		h.runGit(w, r, repo, rest, env, config...)
		return
	}
	if deed == "push" && isProbe(r) { // not yet the push itself, so no fault strikes
		h.runGit(w, r, repo, rest, env, config...)
		return
	}
	if deed == "push" {
		if f := h.strike(s, "refuse"); f != nil {
			env = append(env, "HUB_REFUSE=GH013: Repository rule violations found: "+f.line)
		}
		if f := h.strike(s, "hang"); f != nil && !h.hang(r, f.delay) {
			panic(http.ErrAbortHandler)
		}
	}
	mute := h.strike(s, "reply") != nil
	if mute {
		w = deaf{header: http.Header{}}
	}
	if deed == "push" {
		out := &refusalWriter{w: w}
		h.runGit(out, r, repo, rest, env, config...)
		out.finish()
		h.spawn(func() {
			if err := h.settle(repo); err != nil && h.life.Err() == nil {
				h.log.Error().Err(err).Msg("push not dealt with")
			}
		})
	} else {
		h.runGit(w, r, repo, rest, env, config...)
	}
	if mute {
		panic(http.ErrAbortHandler)
	}
}

// isProbe reports whether a push is only the empty one by which a client that has much to send finds out whether it may.
func isProbe(r *http.Request) bool {
	body := bufio.NewReader(r.Body)
	start, err := body.Peek(5)
	r.Body = struct {
		io.Reader
		io.Closer
	}{body, r.Body}
	return errors.Is(err, io.EOF) && string(start) == "0000"
}

// hang takes all of a push and waits. It reports whether the push is to be applied, which does not depend on its sender.
func (h *Hub) hang(r *http.Request, wait time.Duration) bool {
	text, err := io.ReadAll(r.Body)
	if err != nil { // the sender was gone before all was said
		return false
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-h.life.Done():
		return false
	}
}

// admit finds out who asks, and what he may do.
func (h *Hub) admit(r *http.Request, name, deed string) (*repo, []string, error) {
	var who actor
	if _, secret, ok := r.BasicAuth(); ok {
		var err error
		if who, err = h.login(secret); err != nil {
			return nil, nil, err
		}
	} else if secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		var err error
		if who, err = h.login(secret); err != nil {
			return nil, nil, err
		}
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	repo, err := h.repo(name)
	switch {
	case who.user == nil && (err != nil || repo.Private || deed == "push"):
		return nil, nil, &Refusal{Status: 401, Message: "No anonymous write access."}
	case err != nil || !h.role(who, repo).allows(RoleRead):
		return nil, nil, &Refusal{Status: 404, Message: "Repository not found."}
	case deed == "fetch":
		return repo, nil, nil
	}
	if who.install != nil && who.token.Rights["contents"] != "write" {
		return nil, nil, forbidden("Permission to " + repo.full() + ".git denied to " + who.user.Login + ".")
	}
	env, err := h.pass(who, repo)
	return repo, append(env, "REMOTE_USER="+who.user.Login), err
}

// turnAway answers git, which shows the text to the person who typed.
func (h *Hub) turnAway(w http.ResponseWriter, err error) {
	var no *Refusal
	if !errors.As(err, &no) {
		h.log.Error().Err(err).Msg("git request failed")
		no = &Refusal{Status: 500, Message: "Server error."}
	}
	if no.Status == 401 {
		w.Header().Set("WWW-Authenticate", `Basic realm="GitHub"`)
	}
	h.say(w, no.Status, no.Message+"\n")
}

// runGit hands the request to git's own server side.
func (h *Hub) runGit(w http.ResponseWriter, r *http.Request, repo *repo, rest string, env []string, config ...string) {
	g := h.gitAt("", env...)
	g.Config = append(g.Config, config...)
	g.Hooks = filepath.Join(repo.dir, "hooks")
	all := append(g.Environ(), "GIT_PROJECT_ROOT="+repo.dir, "PATH_INFO=/"+rest, "GIT_HTTP_EXPORT_ALL=1", "GIT_PROTOCOL="+r.Header.Get("Git-Protocol"))
	// CGI knows no chunked bodies, but git's backend reads a body of unknown length to its end.
	r = r.Clone(r.Context())
	r.TransferEncoding = nil
	r.Header.Del("Authorization") // nothing there needs it
	c := cgi.Handler{Path: h.backend, Dir: repo.dir, Env: all, Stderr: gitNoise{h, repo}}
	c.ServeHTTP(steadfast{w}, r)
}

// steadfast lets git finish a push whose client is gone: net/http/cgi would kill it, and half of a push is what no
// server leaves behind.
type steadfast struct{ w http.ResponseWriter }

func (s steadfast) Header() http.Header { return s.w.Header() }
func (s steadfast) WriteHeader(code int) {
	s.w.WriteHeader(code)
}

func (s steadfast) Write(b []byte) (int, error) {
	_, _ = s.w.Write(b) // when the client is gone, nobody is left to be told
	return len(b), nil
}

// gitNoise is where git's complaints go.
type gitNoise struct {
	h *Hub
	r *repo
}

var _ io.Writer = gitNoise{}

func (g gitNoise) Write(b []byte) (int, error) {
	g.h.log.Debug().Str("repo", g.r.full()).Str("git", strings.TrimSpace(string(b))).Msg("git")
	return len(b), nil
}
