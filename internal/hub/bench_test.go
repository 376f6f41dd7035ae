package hub

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
)

// crowd is a hub with a repository of many files and many open pull requests.
func crowd(b *testing.B, files, pulls int) (*Hub, *httptest.Server) {
	b.Helper()
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	h, err := Open(b.TempDir(), Options{RateLimit: 1 << 30})
	must(err)
	srv := httptest.NewServer(h.Handler())
	b.Cleanup(func() {
		srv.Close()
		if err := h.Close(); err != nil {
			b.Error(err)
		}
	})
	h.SetURL(srv.URL)
	_, err = h.AddUser(User{Login: "wim"})
	must(err)
	_, err = h.AddToken("wim", "token-of-wim")
	must(err)
	all := map[string]string{}
	for i := range files {
		all[fmt.Sprintf("d%02d/f%d.txt", i%50, i)] = fmt.Sprintln("file", i)
	}
	must(h.AddRepo(app, Seed{Files: all}))
	must(h.SetRole(app, "wim", RoleWrite))
	for i := range pulls {
		branch := fmt.Sprintf("b%d", i)
		_, err := h.Push(app, Push{By: "wim", Branch: branch, From: "main", Commits: []Commit{{Files: map[string]string{"d00/" + branch: "x\n"}, Message: branch}}})
		must(err)
		_, err = h.OpenPull(app, NewPull{Author: "wim", Title: branch, Head: branch})
		must(err)
	}
	return h, srv
}

func BenchmarkREST(b *testing.B) {
	h, srv := crowd(b, 100, 120)
	for name, path := range map[string]string{
		"pull": "/pulls/50", "pulls": "/pulls?per_page=100&sort=updated&direction=desc", "comments": "/issues/50/comments",
		"ref": "/git/ref/heads/main", "permission": "/collaborators/wim/permission", "commits": "/pulls/50/commits",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				req, err := http.NewRequest("GET", srv.URL+"/api/v3"+repoPath("%s", path), nil)
				if err != nil {
					b.Fatal(err)
				}
				req.Header.Set("Authorization", "Bearer token-of-wim")
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != 200 {
					b.Fatal(resp.Status, err)
				}
				resp.Body.Close()
			}
		})
	}
	b.Run("comment", func(b *testing.B) {
		for b.Loop() {
			if _, err := h.Comment(app, 50, "wim", "Hello."); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("save", func(b *testing.B) {
		for b.Loop() {
			if err := h.saver.save(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkPush is a push of one commit to trunk over HTTP, beside the same push to the same bare repository by path.
func BenchmarkPush(b *testing.B) {
	for _, files := range []int{1000, 20000} {
		h, srv := crowd(b, files, 20)
		if err := h.Protect(app, "main", Protection{Push: []string{"wim"}}); err != nil {
			b.Fatal(err)
		}
		dir, err := h.GitDir(app)
		if err != nil {
			b.Fatal(err)
		}
		w := &world{T: nil, hub: h, dir: b.TempDir(), url: srv.URL}
		clone := filepath.Join(w.dir, "clone")
		run := func(args ...string) {
			b.Helper()
			if out, err := gitAs(b.Context(), w.dir, clone, args...); err != nil {
				b.Fatal(err, out)
			}
		}
		if out, err := gitAs(b.Context(), w.dir, w.dir, "clone", "--quiet", "--no-checkout", w.remote("wim", app), clone); err != nil {
			b.Fatal(err, out)
		}
		for name, to := range map[string]string{"http": w.remote("wim", app), "path": dir} {
			b.Run(fmt.Sprintf("%s-%d", name, files), func(b *testing.B) {
				for b.Loop() {
					b.StopTimer()
					run("fetch", "--quiet", "origin", "main")
					run("reset", "--quiet", "--soft", "FETCH_HEAD")
					run("commit", "--quiet", "--allow-empty", "-m", "x")
					b.StartTimer()
					run("push", "--quiet", to, "HEAD:main")
				}
			})
		}
	}
}
