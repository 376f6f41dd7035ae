package github

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	gogithub "github.com/google/go-github/v60/github"
	"github.com/rs/zerolog"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"lander/internal/forge"
	"lander/internal/queue"
)

// Config is how to reach GitHub and who lander is there. Exactly one of Token and App is required.
type Config struct {
	BaseURL string // empty: github.com; else as in https://github.example.com, with or without /api/v3/
	Token   string
	App     *App
	Prefix  string     // of commands; empty means forge.DefaultPrefix
	Site    forge.Site // what comments link to; Repo and Web are filled in
	HTTP    *http.Client
	Log     zerolog.Logger
	Now     func() time.Time // nil: time.Now
}

// App is a GitHub App.
type App struct {
	ID             int64  // required
	Key            []byte // required: its private key, PEM
	InstallationID int64  // 0: found by repository
}

// Client speaks to one GitHub as one account. It is safe for concurrent use.
type Client struct {
	config Config
	api    *url.URL
	web    string
	base   http.RoundTripper // to the network, with one repetition of a failed GET
	cache  *cache
	app    *signer // nil with a token

	single singleflight.Group

	mu       sync.Mutex
	sessions map[string]*session // by repository; "" with a token
	self     queue.Person
	roles    map[roleKey]roleSeen
	written  map[string]string // digest of the last words by comment or status, so that the same are not written again
	budgets  map[string]budget // by session
	polls    map[string]polled // by lane
}

// session is the API under one token.
type session struct {
	gh      *gogithub.Client
	token   string
	expires time.Time // zero: never
}

// New checks the settings. It makes no request.
func New(c Config) (*Client, error) {
	if (c.Token == "") == (c.App == nil) {
		return nil, errors.New("configure github: want a token or an App, and not both")
	}
	api, web, err := addresses(c.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("configure github: %w", err)
	}
	if c.Prefix == "" {
		c.Prefix = forge.DefaultPrefix
	}
	if c.Site.Prefix == "" {
		c.Site.Prefix = c.Prefix
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.HTTP == nil {
		c.HTTP = &http.Client{Timeout: 30 * time.Second}
	}
	transport := c.HTTP.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	cl := &Client{
		config: c, api: api, web: web, base: &again{next: transport}, cache: newCache(),
		sessions: map[string]*session{}, roles: map[roleKey]roleSeen{}, written: map[string]string{}, budgets: map[string]budget{}, polls: map[string]polled{},
	}
	if c.App != nil {
		if cl.app, err = newSigner(c.App, c.Now); err != nil {
			return nil, fmt.Errorf("configure github: %w", err)
		}
	}
	return cl, nil
}

// addresses finds the API and the pages that people read.
func addresses(base string) (api *url.URL, web string, err error) {
	if base == "" {
		return &url.URL{Scheme: "https", Host: "api.github.com", Path: "/"}, "https://github.com", nil
	}
	u, err := url.Parse(base)
	if err != nil {
		return nil, "", fmt.Errorf("parse address: %w", err)
	}
	if u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, "", fmt.Errorf("address %q: want https://HOST", u.Redacted())
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, "", fmt.Errorf("address %q: want https, because a token goes there", u.Redacted())
	}
	if strings.EqualFold(u.Host, "github.com") || strings.EqualFold(u.Host, "api.github.com") {
		return addresses("")
	}
	root := strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/api/v3")
	web = u.Scheme + "://" + u.Host + root
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: root + "/api/v3/"}, web, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// session gives the API for a repository, with a token that is good for five more minutes.
func (c *Client) session(ctx context.Context, repo string) (*session, error) {
	owner, name, err := split(repo)
	if err != nil {
		return nil, err
	}
	key := ""
	if c.app != nil {
		key = strings.ToLower(repo)
	}
	c.mu.Lock()
	s := c.sessions[key]
	c.mu.Unlock()
	if s != nil && (s.expires.IsZero() || c.config.Now().Before(s.expires.Add(-renewal))) {
		return s, nil
	}
	if c.app == nil {
		return c.open(key, c.config.Token, time.Time{}), nil
	}
	// One renewal for all who wait, so that it does not end with whoever asked first.
	done := c.single.DoChan("token "+key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		token, expires, err := c.installationToken(ctx, owner, name)
		if err != nil {
			return nil, err
		}
		return c.open(key, token, expires), nil
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-done:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*session), nil
	}
}

func (c *Client) open(key, token string, expires time.Time) *session {
	source := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token})
	s := &session{gh: c.rest(key, source), token: token, expires: expires}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions[key] = s
	return s
}

// forget drops a token that the forge does not take any more.
func (c *Client) forget(s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, known := range c.sessions {
		if known == s {
			delete(c.sessions, key)
		}
	}
}

// rest is go-github under one credential, or none: cache, then budget, then credential, then network.
func (c *Client) rest(key string, source oauth2.TokenSource) *gogithub.Client {
	signed := c.base
	if source != nil {
		signed = &oauth2.Transport{Source: source, Base: c.base}
	}
	gh := gogithub.NewClient(&http.Client{
		Timeout:   c.config.HTTP.Timeout,
		Transport: &conditional{cache: c.cache, next: &metered{client: c, key: key, next: signed}},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if r.URL.Host != c.api.Host || r.URL.Scheme != c.api.Scheme {
				return fmt.Errorf("redirect to %s: refused, because the credential is not for that host", r.URL.Host)
			}
			if len(via) >= 5 {
				return errors.New("too many redirects")
			}
			return nil
		},
	})
	gh.BaseURL = c.api
	gh.UserAgent = "lander"
	return gh
}

// GitAuth is what git shows the forge over HTTP for this repository. The password of an App is good for at least five minutes.
func (c *Client) GitAuth(ctx context.Context, repo string) (user, password string, err error) {
	s, err := c.session(ctx, repo)
	if err != nil {
		return "", "", wrap("get git credential for "+repo, err)
	}
	return "x-access-token", s.token, nil
}

// Budget is how many requests the forge still grants, and when it grants more: the least of all tokens in use. Before the first
// answer, reset is zero.
func (c *Client) Budget() (remaining int, reset time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range c.budgets {
		if reset.IsZero() || b.remaining < remaining {
			remaining, reset = b.remaining, b.reset
		}
	}
	return remaining, reset
}
