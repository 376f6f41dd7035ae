package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"lander/internal/queue"
)

//go:embed assets
var files embed.FS

// assets are the stylesheet and the script, by the name they are served under. The name changes with the contents, so that a browser
// may keep them for ever.
var assets = load("style.css", "live.js")

type asset struct {
	name string
	text []byte
}

func load(names ...string) map[string]asset {
	all := map[string]asset{}
	for _, n := range names {
		text, err := files.ReadFile("assets/" + n)
		if err != nil {
			panic(err) // it is part of the program
		}
		sum := sha256.Sum256(text)
		served := strings.TrimSuffix(n, path.Ext(n)) + "." + hex.EncodeToString(sum[:6]) + path.Ext(n)
		all[n] = asset{name: "/assets/" + served, text: text}
	}
	return all
}

func serveAsset(w http.ResponseWriter, r *http.Request) {
	for _, a := range assets {
		if a.name == r.URL.Path {
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			http.ServeContent(w, r, a.name, time.Time{}, bytes.NewReader(a.text))
			return
		}
	}
	http.NotFound(w, r)
}

// pages are parsed when the first is shown: this program is started for each test run as well, and that must be quick.
var pages = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{
		"asset":    func(name string) string { return assets[name].name },
		"clean":    clean,
		"short":    func(s queue.SHA) string { return s.Short() },
		"ago":      ago,
		"took":     took,
		"stage":    sayStage,
		"sentence": sentence,
		"perArea":  sayPerArea,
		"minute":   func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") },
		"list":     list,
		"few":      fewWords,
		"words":    phrase,
		"stamp":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"utc":      func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
		"verdict":  sayVerdict,
		"rate":     func(f float64) string { return fmt.Sprintf("%.1f %%", 100*f) },
		"flakes":   func(v LaneView) string { return FlakesPath(queue.Lane{Repo: v.Repo, Trunk: v.Trunk}) },
		"trial":    sayTrial,
		"optional": sayOptional,
		"outcome":  func(v *queue.Verdict) string { return outcomeClass(v) },
		"at":       func(t, now time.Time) moment { return moment{At: t, Now: now} },
		"commit":   func(sha queue.SHA, url string) commit { return commit{SHA: sha, URL: url} },
		"rowAt":    func(r row, now time.Time) rowAt { return rowAt{R: r, Now: now} },
		"bannerAt": func(b banner, now time.Time) bannerAt { return bannerAt{B: b, Now: now} },
	}).ParseFS(files, "assets/pages.html"))
})

// What the smaller templates are given.
type (
	moment struct{ At, Now time.Time }
	commit struct {
		SHA queue.SHA
		URL string
	}
	rowAt struct {
		R   row
		Now time.Time
	}
	bannerAt struct {
		B   banner
		Now time.Time
	}
)

// outcomeClass is the colour of a run.
func outcomeClass(v *queue.Verdict) string {
	switch {
	case v == nil:
		return "running"
	case v.Outcome == queue.Green:
		return "green"
	case v.Outcome == queue.Red || v.Outcome == queue.TimedOut:
		return "red"
	}
	return "infra"
}
