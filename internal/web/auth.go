package web

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

type socketKey struct{}

// FromSocket marks a connection's context as come over the local socket, whose file only lander's own user can open.
func FromSocket(ctx context.Context) context.Context {
	return context.WithValue(ctx, socketKey{}, true)
}

func overSocket(ctx context.Context) bool {
	yes, _ := ctx.Value(socketKey{}).(bool)
	return yes
}

// reading lets through whoever may read. A browser is asked for the token as a password.
func (s *Server) reading(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		if s.Public || overSocket(r.Context()) || s.isToken(bearer(r)) || s.isToken(password) {
			next(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="lander", charset="UTF-8"`)
		s.refuse(w, r, notAReader())
	}
}

// admin lets through whoever may act. A browser's stored password is not enough: it is sent along without anybody's will.
func (s *Server) admin(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case overSocket(r.Context()) || s.isToken(bearer(r)):
			next(w, r)
		case bearer(r) == "":
			w.Header().Set("WWW-Authenticate", `Bearer realm="lander"`)
			s.refuse(w, r, noToken(s.APIToken != ""))
		default:
			s.refuse(w, r, wrongToken())
		}
	}
}

func bearer(r *http.Request) string {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// isToken compares in a time that tells nothing about the token, not even its length.
func (s *Server) isToken(given string) bool {
	want, have := sha256.Sum256([]byte(s.APIToken)), sha256.Sum256([]byte(given))
	return s.APIToken != "" && subtle.ConstantTimeCompare(want[:], have[:]) == 1
}

// guarded sets the headers that bound what a page may do in a browser.
func (s *Server) guarded(next http.Handler) http.Handler {
	const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
