package hub

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"hash/fnv"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed page asset
var pageFiles embed.FS

// pages are the templates, by name; each is layout.html with a main part of its own. They are parsed when the first is shown: this is part of a
// program that is started for each test run.
var pages = sync.OnceValue(func() map[string]*template.Template {
	all := map[string]*template.Template{}
	for _, name := range []string{"home", "pulls", "pull", "commits", "commit", "edit", "behind", "problem"} {
		all[name] = template.Must(template.New("layout.html").Funcs(pageFuncs).ParseFS(pageFiles, "page/layout.html", "page/parts.html", "page/"+name+".html"))
	}
	return all
})

var pageFuncs = template.FuncMap{
	"short":  func(sha string) string { return sha[:min(7, len(sha))] },
	"plural": func(n int, one, many string) string { return counted(n, one, many) },
	"lower":  strings.ToLower,
	"when":   when,
	"stamp":  stamp,
	"title":  func(c commit) string { return c.title() },
	"path":   func(parts ...string) string { return (&url.URL{Path: "/" + strings.Join(parts, "/")}).EscapedPath() },
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

func (h *Hub) pageRoutes() http.Handler {
	mux := http.NewServeMux()
	on := func(pattern string, f func(*visit) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { h.servePage(w, r, f) })
	}
	on("GET /{$}", showHome)
	on("GET /{owner}", showOwner)
	on("GET /{owner}/{repo}", showPulls)
	on("GET /{owner}/{repo}/pulls", showPulls)
	on("GET /{owner}/{repo}/pull/{number}", showPull)
	on("GET /{owner}/{repo}/pull/{number}/commits", showPullCommits)
	on("GET /{owner}/{repo}/pull/{number}/files", showPullFiles)
	on("POST /{owner}/{repo}/pull/{number}", actOnPull)
	on("GET /{owner}/{repo}/commits/{branch...}", showCommits)
	on("GET /{owner}/{repo}/commit/{sha}", showCommit)
	on("GET /{owner}/{repo}/edit", showEdit)
	on("POST /{owner}/{repo}/edit", actOnEdit)
	on("GET /{owner}/{repo}/behind", showBehind)
	on("POST /{owner}/{repo}/behind", actBehind)
	on("POST /you", actOnYou)
	on("/", func(*visit) error { return notFound() })
	return mux
}

// visit is one page being asked for, or one form being sent.
type visit struct {
	h    *Hub
	w    http.ResponseWriter
	req  *http.Request
	you  actor
	repo *repo
}

// frame is what every page shows around its own part.
type frame struct {
	Title   string
	Version uint64
	You     personView
	People  []personView
	Lander  string
	Repo    *repoView
	Tab     string
	Here    string // the address of the page
	Now     time.Time
	Live    bool // the page renews itself
	Main    any
}

type personView struct {
	Login, Name string
	Role        Role // in the repository that the page is about
	Bot         bool
}

type repoView struct {
	Full, Branch, Description, Parent string
	Open, Closed                      int
	Protected                         bool
	Pushers                           string
	PushedAt                          time.Time
}

func (h *Hub) servePage(w http.ResponseWriter, r *http.Request, f func(*visit) error) {
	v := &visit{h: h, w: w, req: r}
	err := v.enter()
	if err == nil {
		err = f(v)
	}
	if err == nil {
		return
	}
	code, words := 500, "Something went wrong in the playground: "+err.Error()
	var no *Refusal
	var pushed *RefusedPushError
	switch {
	case errors.As(err, &no):
		code, words = no.Status, no.Error()
	case errors.As(err, &pushed):
		code, words = 403, pushed.Output
	default:
		h.log.Error().Err(err).Str("path", r.URL.Path).Msg("page failed")
	}
	v.show(code, "problem", frame{Title: http.StatusText(code), Main: map[string]any{"Code": code, "Words": words, "Back": v.back()}})
}

// enter finds out who the visitor plays, and what the address is about.
func (v *visit) enter() error {
	cookie, cookieErr := v.req.Cookie("hub_you")
	var err error
	v.h.read(func() {
		if name := v.req.PathValue("owner") + "/" + v.req.PathValue("repo"); v.req.PathValue("repo") != "" {
			v.repo, err = v.h.repo(name)
		}
		if cookieErr == nil {
			if u := v.h.state.Users[key(cookie.Value)]; u != nil && u.Type == "User" {
				v.you = actor{user: u}
				return
			}
		}
		v.you = actor{user: v.h.host()}
	})
	if err != nil || v.repo == nil {
		return err
	}
	v.h.read(func() { err = v.h.need(v.you, v.repo, RoleRead) })
	if err != nil {
		v.repo = nil // not even its name is shown
		return err
	}
	return v.h.settle(v.repo)
}

// host is who a visitor is at first: the one who may do most without being able to break everything.
func (h *Hub) host() *User {
	var best *User
	rank := func(u *User) int {
		most := 0
		for _, r := range h.state.Repos {
			if role := r.Roles[key(u.Login)]; role != RoleAdmin {
				most = max(most, roleRank[role])
			}
		}
		return most
	}
	for _, u := range h.people() {
		if best == nil || rank(u) > rank(best) {
			best = u
		}
	}
	return best
}

// people are those whom a visitor can play, in the order in which they came.
func (h *Hub) people() []*User {
	var all []*User
	for _, u := range h.state.Users {
		if u.Type == "User" {
			all = append(all, u)
		}
	}
	slices.SortFunc(all, func(x, y *User) int { return int(x.ID - y.ID) })
	return all
}

// show writes a page.
func (v *visit) show(code int, name string, f frame) {
	v.h.read(func() {
		f.Version, f.Lander, f.Now, f.Here = v.h.version, v.h.landerURL, v.h.now(), v.req.URL.RequestURI()
		f.You = v.person(v.you.user)
		for _, u := range v.h.people() {
			f.People = append(f.People, v.person(u))
		}
		if v.repo != nil {
			f.Repo = v.h.repoView(v.repo)
		}
	})
	var b bytes.Buffer
	if err := pages()[name].Execute(&b, f); err != nil {
		v.h.log.Error().Err(err).Str("page", name).Msg("page failed")
		http.Error(v.w, "page failed", http.StatusInternalServerError)
		return
	}
	header := v.w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	v.w.WriteHeader(code)
	if _, err := v.w.Write(b.Bytes()); err != nil {
		v.h.log.Debug().Err(err).Msg("client gone")
	}
}

func (v *visit) person(u *User) personView {
	if u == nil {
		return personView{Login: "nobody", Name: "Nobody", Role: RoleNone}
	}
	p := personView{Login: u.Login, Name: u.Name, Bot: u.Type == "Bot"}
	if v.repo != nil {
		p.Role = v.h.role(actor{user: u}, v.repo)
	}
	return p
}

func (h *Hub) repoView(r *repo) *repoView {
	v := &repoView{Full: r.full(), Branch: r.DefaultBranch, Description: r.Description, PushedAt: r.PushedAt}
	if parent := h.state.Repos[r.Parent]; parent != nil {
		v.Parent = parent.full()
	}
	for _, p := range r.Pulls {
		if p.Open {
			v.Open++
		} else {
			v.Closed++
		}
	}
	if p := r.protection(r.DefaultBranch); p != nil {
		v.Protected, v.Pushers = true, strings.Join(p.Push, ", ")
	}
	return v
}

// back is the page that a form says it was sent from.
func (v *visit) back() string {
	if at := v.req.FormValue("back"); strings.HasPrefix(at, "/") && !strings.HasPrefix(at, "//") && !strings.ContainsAny(at, "\\\r\n\t") {
		return at
	}
	if v.repo != nil {
		return "/" + v.repo.full()
	}
	return "/"
}

// leave sends the browser on after a form.
func (v *visit) leave(to string) error {
	http.Redirect(v.w, v.req, to, http.StatusSeeOther)
	return nil
}

func actOnYou(v *visit) error {
	u, ok := v.h.User(v.req.FormValue("login"))
	if !ok || u.Type != "User" {
		return notFound()
	}
	http.SetCookie(v.w, &http.Cookie{Name: "hub_you", Value: u.Login, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: 30 * 24 * 3600})
	return v.leave(v.back())
}

// serveAvatar draws somebody's first letter on a colour of his own.
func (h *Hub) serveAvatar(w http.ResponseWriter, r *http.Request) {
	login := r.PathValue("login")
	sum := fnv.New32a()
	sum.Write([]byte(key(login))) // never fails
	letter := template.HTMLEscapeString(strings.ToUpper(string([]rune(login + "?")[:1])))
	shape := `<circle cx="32" cy="32" r="32"`
	if strings.HasSuffix(login, "[bot]") || strings.HasSuffix(login, "-bot") {
		shape = `<rect width="64" height="64" rx="14"`
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", "max-age=3600")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">%s fill="hsl(%d 45%% 42%%)"/>`+
		`<text x="32" y="43" font-family="system-ui,sans-serif" font-size="32" font-weight="600" text-anchor="middle" fill="#fff">%s</text></svg>`,
		shape, sum.Sum32()%360, letter)
}

// serveAsset serves the style sheet and the script by which a page renews itself.
func (h *Hub) serveAsset(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, pageFiles, "asset/"+r.PathValue("name"))
}

// serveVersion tells the script whether anything has changed.
func (h *Hub) serveVersion(w http.ResponseWriter, _ *http.Request) {
	for _, r := range h.repos() {
		if err := h.settleOne(r); err != nil {
			h.log.Error().Err(err).Msg("push not dealt with")
		}
	}
	var n uint64
	h.read(func() { n = h.version })
	w.Header().Set("Cache-Control", "no-store")
	h.say(w, 200, strconv.FormatUint(n, 10))
}
