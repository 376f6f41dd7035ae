package vcs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const token = "s3cr3t-t0ken-xyz"

// serve puts the origin behind git smart HTTP with basic authentication and points the repo at it. spy is called while a
// request is being served, which is while git and its children live.
func (w *world) serve(spy func(in *http.Request)) {
	w.t.Helper()
	git, err := Path()
	w.must(err)
	backend := &cgi.Handler{
		Path: git, Args: []string{"http-backend"}, Dir: w.origin.Dir,
		Env: append(Git{Hooks: filepath.Join(w.origin.Dir, "hooks")}.Environ(), "GIT_PROJECT_ROOT="+filepath.Dir(w.origin.Dir), "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=lander"),
	}
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		user, password, ok := in.BasicAuth()
		if !ok || user != "lander" || password != token {
			out.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(out, "who are you?", http.StatusUnauthorized)
			return
		}
		if spy != nil {
			spy(in)
		}
		backend.ServeHTTP(out, in)
	}))
	w.t.Cleanup(server.Close)
	w.must(w.origin.Run(w.ctx, "config", "http.receivepack", "true"))
	w.repo.Remote = server.URL + "/" + filepath.Base(w.origin.Dir)
	w.repo.Auth = func(context.Context) (string, string, error) { return "lander", token, nil }
}

// front puts another server before the one that serve started: each request may be answered by before, and the answer to each may be
// lost after it was made.
func (w *world) front(before func(out http.ResponseWriter, in *http.Request) bool, lost ...func(in *http.Request) bool) {
	w.t.Helper()
	behind, err := url.Parse(w.repo.Remote)
	w.must(err)
	back := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: behind.Scheme, Host: behind.Host})
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		if before != nil && before(out, in) {
			return
		}
		for _, gone := range lost {
			if gone(in) {
				back.ServeHTTP(httptest.NewRecorder(), in)
				panic(http.ErrAbortHandler)
			}
		}
		back.ServeHTTP(out, in)
	}))
	w.t.Cleanup(server.Close)
	w.repo.Remote = server.URL + behind.Path
}

// children looks for the secret in the arguments and the environment of every process that this one started.
func children(t *testing.T) (seen int, leaks []string) {
	parents := map[int]int{}
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil || len(dirs) == 0 {
		t.Error("no /proc to look into")
	}
	for _, dir := range dirs {
		stat, err := os.ReadFile(filepath.Join(dir, "stat"))
		if err != nil {
			continue // it has ended
		}
		pid, _ := strconv.Atoi(filepath.Base(dir))
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		parents[pid], _ = strconv.Atoi(fields[1])
	}
	for pid := range parents {
		above := pid
		for above > 1 && above != os.Getpid() {
			above = parents[above]
		}
		if above != os.Getpid() || pid == above {
			continue
		}
		for _, name := range []string{"cmdline", "environ"} {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
			if err != nil {
				continue
			}
			if name == "environ" && len(text) > 0 {
				seen++
			}
			if strings.Contains(string(text), token) {
				leaks = append(leaks, fmt.Sprintf("%s of %q", name, text))
			}
		}
	}
	return seen, leaks
}

func TestHTTPRemoteKeepsTheTokenSecret(t *testing.T) {
	w := newWorld(t, "sha1")
	base := tree{"a": "a\n", "b": "b\n"}
	w.play(func(s *script) {
		s.commit("base", base)
		s.commit("trunk", base.with("a", "trunk\n"), "base")
		s.commit("change", base.with("b", "mine\n"), "base")
	})
	var (
		mutex sync.Mutex
		most  int
		leaks []string
	)
	w.serve(func(*http.Request) {
		seen, found := children(t)
		mutex.Lock()
		defer mutex.Unlock()
		most, leaks = max(most, seen), append(leaks, found...)
	})
	w.mirror("trunk")
	req := w.ready("trunk", "change")
	w.must(w.repo.Land(w.ctx, req))
	w.wantAt(req.New, req.Record)
	if most < 2 {
		t.Fatalf("the spy saw %d processes: git and its helper at least should have been there", most)
	}
	if len(leaks) > 0 {
		t.Fatalf("the token leaked: %s", leaks)
	}
	w.must(filepath.WalkDir(filepath.Dir(w.repo.Dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(text), token) {
			t.Errorf("the token is in %s", path)
		}
		return err
	}))
}

func TestHTTPRemoteRefusesTheToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	w.play(func(s *script) { s.commit("base", tree{"a": "a\n"}) })
	w.serve(nil)
	w.repo.Auth = func(context.Context) (string, string, error) { return "lander", "old-" + token, nil }
	err := w.repo.Init(w.ctx)
	var exit *ExitError
	if !errors.As(err, &exit) || strings.Contains(err.Error(), token) {
		t.Fatalf("got %v", err)
	}
}

// A redirect to another host must not carry the credentials along.
func TestHTTPRedirectGetsNoToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	w.play(func(s *script) { s.commit("base", tree{"a": "a\n"}) })
	var mutex sync.Mutex
	var heard []string
	thief := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		mutex.Lock()
		heard = append(heard, in.Header.Get("Authorization"))
		mutex.Unlock()
		out.Header().Set("WWW-Authenticate", `Basic realm="git"`)
		http.Error(out, "tell me", http.StatusUnauthorized)
	}))
	t.Cleanup(thief.Close)
	moved := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		http.Redirect(out, in, thief.URL+in.URL.String(), http.StatusMovedPermanently)
	}))
	t.Cleanup(moved.Close)
	w.repo.Remote = moved.URL + "/x.git"
	w.repo.Auth = func(context.Context) (string, string, error) { return "lander", token, nil }
	if err := w.repo.Init(w.ctx); err == nil {
		t.Fatal("opened a thief's repository")
	}
	mutex.Lock()
	defer mutex.Unlock()
	if len(heard) == 0 || strings.Join(heard, "") != "" {
		t.Fatalf("the thief heard %q", heard)
	}
}
