package hub

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func TestAnAppWorksByInstallationTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	w.must(err)
	der, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	w.must(err)
	a, err := w.hub.AddApp(App{Slug: "lander", Owner: "ada", PublicKey: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))})
	w.must(err)
	w.must(w.hub.AddRepo("acme/other", Seed{Files: map[string]string{"a": "a\n"}}))
	id, err := w.hub.Install(a.ID, "acme")
	w.must(err)

	sign := func(key any, method jwt.SigningMethod, issuer string, life time.Duration) string {
		now := time.Now()
		text, err := jwt.NewWithClaims(method, jwt.RegisteredClaims{
			Issuer: issuer, IssuedAt: jwt.NewNumericDate(now.Add(-time.Minute)), ExpiresAt: jwt.NewNumericDate(now.Add(life)),
		}).SignedString(key)
		w.must(err)
		return text
	}
	call := func(want int, token, method, path, body string) string {
		t.Helper()
		req, err := http.NewRequest(method, w.url+"/api/v3"+path, strings.NewReader(body))
		w.must(err)
		req.Header.Set("Authorization", "Bearer "+token)
		r := w.do(req)
		if r.StatusCode != want {
			t.Fatalf("%s %s: status %d, want %d: %s", method, path, r.StatusCode, want, r.text)
		}
		return string(r.text)
	}
	good := sign(k, jwt.SigningMethodRS256, itoa(a.ID), 9*time.Minute)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	w.must(err)
	call(401, sign(stranger, jwt.SigningMethodRS256, itoa(a.ID), 9*time.Minute), "GET", "/app", "")
	call(401, sign(k, jwt.SigningMethodRS256, "1", 9*time.Minute), "GET", "/app", "")
	call(401, sign(k, jwt.SigningMethodRS256, itoa(a.ID), -time.Second), "GET", "/app", "")
	call(401, sign(k, jwt.SigningMethodRS256, itoa(a.ID), time.Hour), "GET", "/app", "")
	call(401, sign([]byte(a.PublicKey), jwt.SigningMethodHS256, itoa(a.ID), 9*time.Minute), "GET", "/app", "")
	call(401, sign(jwt.UnsafeAllowNoneSignatureType, jwt.SigningMethodNone, itoa(a.ID), 9*time.Minute), "GET", "/app", "")
	if got := call(200, good, "GET", "/app", ""); !strings.Contains(got, `"slug":"lander"`) {
		t.Errorf("app %s", got)
	}
	if got := call(200, good, "GET", repoPath("/installation"), ""); !strings.Contains(got, `"id":`+itoa(id)) {
		t.Errorf("installation %s", got)
	}
	call(200, good, "GET", "/app/installations", "")
	call(403, good, "GET", repoPath("/pulls"), "")
	call(422, good, "POST", "/app/installations/"+itoa(id)+"/access_tokens", `{"permissions": {"administration": "write"}}`)
	call(422, good, "POST", "/app/installations/"+itoa(id)+"/access_tokens", `{"repositories": ["nothing"]}`)
	call(404, good, "POST", "/app/installations/1/access_tokens", "")

	secret, token, err := w.hub.installToken(&a, id, nil, []string{"app"}, nil)
	w.must(err)
	if !strings.HasPrefix(secret, "ghs_") || time.Until(token.Expires) < 59*time.Minute {
		t.Errorf("token %q until %v", secret, token.Expires)
	}
	if got := call(200, secret, "GET", "/installation/repositories", ""); !strings.Contains(got, `"total_count":1`) {
		t.Errorf("repositories %s", got)
	}
	call(403, secret, "GET", "/user", "")
	n := w.pull("feature", map[string]string{"f": "1\n"})
	got := call(201, secret, "POST", repoPath("/issues/%d/comments", n), `{"body": "Beep."}`)
	if !strings.Contains(got, `"login":"lander[bot]"`) || !strings.Contains(got, `"type":"Bot"`) || !strings.Contains(got, `"slug":"lander"`) {
		t.Errorf("comment %s", got)
	}
	call(403, secret, "POST", "/repos/acme/other/statuses/"+strings.Repeat("1", 40), `{"state": "success"}`)

	sha := w.get(n).HeadSHA
	w.ok(403, "ada", "POST", repoPath("/check-runs"), map[string]string{"name": "x", "head_sha": sha}, nil)
	call(201, secret, "POST", repoPath("/check-runs"), `{"name": "lander", "head_sha": "`+sha+`", "status": "in_progress"}`)
	got = call(200, secret, "GET", repoPath("/commits/%s/check-runs", sha), "")
	if !strings.Contains(got, `"total_count":1`) || !strings.Contains(got, `"status":"in_progress","conclusion":null`) {
		t.Errorf("check runs %s", got)
	}
	var check string
	w.hub.read(func() { check = itoa(w.hub.state.Repos[app].Checks[0].ID) })
	call(422, secret, "PATCH", repoPath("/check-runs/%s", check), `{"conclusion": "perfect"}`)
	got = call(200, secret, "PATCH", repoPath("/check-runs/%s", check), `{"conclusion": "success", "output": {"title": "Landed", "summary": "s"}}`)
	if !strings.Contains(got, `"status":"completed","conclusion":"success"`) || !strings.Contains(got, `"title":"Landed"`) {
		t.Errorf("check run %s", got)
	}

	dir := w.clone("wim")
	w.commit(dir, "x", "x\n")
	w.must(w.hub.Protect(app, "main", Protection{Push: []string{"lander[bot]"}}))
	w.mustGit(dir, "push", "--quiet", strings.Replace(w.url, "http://", "http://x-access-token:"+secret+"@", 1)+"/acme/app.git", "HEAD:main")
	if out, err := w.git(dir, "push", strings.Replace(w.url, "http://", "http://x-access-token:"+secret+"@", 1)+"/acme/other.git", "HEAD:x"); err == nil {
		t.Errorf("a token narrowed to one repository pushed to another: %s", out)
	}
	w.hub.read(func() { w.hub.state.Tokens[secret].Expires = time.Now().Add(-time.Second) })
	call(401, secret, "GET", repoPath(""), "")
}
