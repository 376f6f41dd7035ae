package hub

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// call is one REST request under way.
type call struct {
	h     *Hub
	w     http.ResponseWriter
	req   *http.Request
	who   actor
	app   *App  // for a request signed with an app's JWT
	repo  *repo // of requests about a repository
	shape shaper
}

// operation answers a call with a status and something to be written as JSON, or with a *Refusal.
type operation func(c *call) (int, any, error)

// bodyMax is the most that a request may carry, in bytes.
const bodyMax = 1 << 20

// rate counts one token's requests in the present hour.
type rate struct {
	used, limit int
	reset       time.Time
}

func (h *Hub) apiRoutes() http.Handler {
	mux := http.NewServeMux()
	on := func(pattern string, op operation) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { h.serveAPI(w, r, op) })
	}
	h.accountRoutes(on)
	h.repoRoutes(on)
	h.pullRoutes(on)
	h.issueRoutes(on)
	h.commitRoutes(on)
	h.hookRoutes(on)
	on("/", func(*call) (int, any, error) { return 0, nil, notFound() })
	return mux
}

func (h *Hub) serveAPI(w http.ResponseWriter, r *http.Request, op operation) {
	name := r.PathValue("owner") + "/" + r.PathValue("repo")
	s := scene{method: r.Method, path: r.URL.Path, repo: name}
	w.Header().Set("X-GitHub-Request-Id", guid())
	w.Header().Set("X-GitHub-Media-Type", "github.v3; format=json")
	if h.misbehave(w, r, s) {
		return
	}
	mute := h.strike(s, "reply") != nil
	if mute {
		w = deaf{header: http.Header{}}
	}
	c := &call{h: h, w: w, req: r}
	code, answer, err := c.do(op, name)
	if err != nil {
		c.charge(true)
		h.refuse(w, err)
	} else {
		c.answer(code, answer)
	}
	if mute {
		panic(http.ErrAbortHandler)
	}
}

func (c *call) do(op operation, name string) (int, any, error) {
	if err := c.authenticate(); err != nil {
		return 0, nil, err
	}
	if limited := c.limited(); limited != nil {
		return 0, nil, limited
	}
	if name != "/" {
		var err error
		c.h.read(func() {
			if c.repo, err = c.h.repo(name); err == nil {
				err = c.h.need(c.who, c.repo, RoleRead)
			}
		})
		if c.app != nil && err == nil && !strings.HasSuffix(c.req.URL.Path, "/installation") {
			err = forbidden("Resource not accessible by integration")
		}
		if err != nil {
			return 0, nil, err
		}
		if err := c.h.settle(c.repo); err != nil {
			return 0, nil, err
		}
	}
	c.h.read(func() { c.shape = c.h.shape(site(c.req)) })
	return op(c)
}

// authenticate finds out who asks. Nobody is fine; somebody unknown is not.
func (c *call) authenticate() error {
	header := c.req.Header.Get("Authorization")
	kind, secret, _ := strings.Cut(header, " ")
	switch strings.ToLower(kind) {
	case "":
		return nil
	case "bearer", "token":
	case "basic":
		raw, err := base64.StdEncoding.DecodeString(secret)
		if err != nil {
			return &Refusal{Status: 401, Message: "Bad credentials"}
		}
		_, secret, _ = strings.Cut(string(raw), ":")
	default:
		return &Refusal{Status: 401, Message: "Bad credentials"}
	}
	if strings.Count(secret, ".") == 2 {
		app, err := c.h.authApp(secret)
		c.app = app
		return err
	}
	who, err := c.h.login(secret)
	c.who = who
	return err
}

// login is the actor to whom a token belongs.
func (h *Hub) login(secret string) (actor, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	t := h.state.Tokens[secret]
	if t == nil || !t.Expires.IsZero() && !h.clock().Before(t.Expires) {
		return actor{}, &Refusal{Status: 401, Message: "Bad credentials"}
	}
	return actor{user: h.state.Users[t.User], install: h.install(t.Install), token: t}, nil
}

// limited refuses when the hour's requests are used up.
func (c *call) limited() error {
	if c.req.URL.Path == "/rate_limit" {
		return nil
	}
	if r := c.charge(false); r.used >= r.limit {
		who := "0.0.0.0"
		if c.who.user != nil {
			who = "user ID " + itoa(c.who.user.ID)
		}
		return &Refusal{Status: 403, Message: "API rate limit exceeded for " + who + "."}
	}
	return nil
}

// charge sets the rate-limit headers and, if count, takes the request into account.
func (c *call) charge(count bool) rate {
	k, limit := "anonymous", 60
	switch {
	case c.app != nil:
		k, limit = "app "+itoa(c.app.ID), c.h.rateLimit
	case c.who.user != nil:
		k, limit = c.who.user.Login, c.h.rateLimit
	}
	c.h.rateMu.Lock()
	defer c.h.rateMu.Unlock()
	now := c.h.now()
	r := c.h.rates[k]
	if r == nil || !now.Before(r.reset) {
		r = &rate{limit: limit, reset: now.Add(time.Hour)}
		c.h.rates[k] = r
	}
	if count && c.req.URL.Path != "/rate_limit" && r.used < r.limit {
		r.used++
	}
	header := c.w.Header()
	header.Set("X-RateLimit-Limit", strconv.Itoa(r.limit))
	header.Set("X-RateLimit-Remaining", strconv.Itoa(r.limit-r.used))
	header.Set("X-RateLimit-Used", strconv.Itoa(r.used))
	header.Set("X-RateLimit-Reset", itoa(r.reset.Unix()))
	header.Set("X-RateLimit-Resource", "core")
	return *r
}

// answer writes what an operation gave. A client that has it already is told so, which costs it nothing.
func (c *call) answer(code int, v any) {
	header := c.w.Header()
	header.Set("Content-Type", "application/json; charset=utf-8")
	header.Set("Cache-Control", "private, max-age=0, s-maxage=0")
	if v == nil {
		c.charge(true)
		header.Del("Content-Type")
		c.w.WriteHeader(code)
		return
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		c.h.refuse(c.w, err)
		return
	}
	if code == 200 && c.req.Method == http.MethodGet {
		sum := sha256.Sum256(b.Bytes())
		tag := `W/"` + hex.EncodeToString(sum[:16]) + `"`
		header.Set("ETag", tag)
		if c.req.Header.Get("If-None-Match") == tag {
			c.charge(false)
			c.w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	c.charge(true)
	c.w.WriteHeader(code)
	if _, err := c.w.Write(b.Bytes()); err != nil {
		c.h.log.Debug().Err(err).Msg("client gone")
	}
}

type errorJSON struct {
	Message string  `json:"message"`
	Errors  []Field `json:"errors,omitempty"`
	Doc     string  `json:"documentation_url"`
	Status  string  `json:"status"`
}

// refuse writes an error as GitHub would.
func (h *Hub) refuse(w http.ResponseWriter, err error) {
	var no *Refusal
	var pushed *RefusedPushError
	switch {
	case errors.As(err, &no):
	case errors.As(err, &pushed):
		no = &Refusal{Status: 422, Message: pushed.Error()}
	default:
		h.log.Error().Err(err).Msg("request failed")
		no = &Refusal{Status: 500, Message: "Server Error"}
	}
	doc := or(no.Doc, "https://docs.github.com/rest")
	text, err := json.Marshal(errorJSON{Message: no.Message, Errors: no.Errors, Doc: doc, Status: strconv.Itoa(no.Status)})
	if err != nil {
		panic(err) // plain strings
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(no.Status)
	if _, err := w.Write(text); err != nil {
		h.log.Debug().Err(err).Msg("client gone")
	}
}

// body reads the request's JSON. No body is an empty one.
func (c *call) body(v any) error {
	text, err := io.ReadAll(http.MaxBytesReader(c.w, c.req.Body, bodyMax))
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return &Refusal{Status: 413, Message: "Payload too large"}
	}
	if err != nil {
		return &Refusal{Status: 400, Message: "Problems parsing JSON"}
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil
	}
	if err := json.Unmarshal(text, v); err != nil {
		return &Refusal{Status: 400, Message: "Problems parsing JSON"}
	}
	return nil
}

// number is a number in the path; what is none is not there.
func (c *call) number(name string) (int64, error) {
	n, err := strconv.ParseInt(c.req.PathValue(name), 10, 64)
	if err != nil || n <= 0 {
		return 0, notFound()
	}
	return n, nil
}

// pull is the pull request that the path names. The state must be locked for reading.
func (c *call) pull() (*Pull, error) {
	n, err := c.number("number")
	if err != nil {
		return nil, err
	}
	p := c.repo.Pulls[int(n)]
	if p == nil {
		return nil, notFound()
	}
	return p, nil
}

func (c *call) query(name string) string { return c.req.URL.Query().Get(name) }
