package github

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	gogithub "github.com/google/go-github/v60/github"

	"lander/internal/forge"
)

// unsaid is how long to wait when the forge asks to wait and does not say how long.
const unsaid = time.Minute

// fault turns what go-github says into the errors that lander's rooms branch on. deed reads as in "look at acme/app#7".
func (c *Client) fault(deed string, s *session, err error) error {
	if err == nil {
		return nil
	}
	return wrap(deed, c.kind(s, err))
}

func wrap(deed string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", deed, err)
}

func (c *Client) kind(s *session, err error) error {
	var rate *gogithub.RateLimitError
	if errors.As(err, &rate) {
		return &forge.RateLimitError{RetryAt: c.notBefore(rate.Rate.Reset.Time)}
	}
	var abuse *gogithub.AbuseRateLimitError
	if errors.As(err, &abuse) {
		at := c.config.Now().Add(unsaid)
		if abuse.RetryAfter != nil {
			at = c.config.Now().Add(*abuse.RetryAfter)
		}
		return &forge.RateLimitError{RetryAt: at, Secondary: true}
	}
	var two *gogithub.TwoFactorAuthError
	if errors.As(err, &two) {
		return &forge.DeniedError{Status: http.StatusUnauthorized, Message: two.Message}
	}
	var said *gogithub.ErrorResponse
	if !errors.As(err, &said) || said.Response == nil {
		return err
	}
	status := said.Response.StatusCode
	message := said.Message
	for _, e := range said.Errors {
		if e.Message != "" {
			message += "; " + e.Message
		}
	}
	switch {
	case status == http.StatusTooManyRequests, status == http.StatusForbidden && said.Response.Header.Get("Retry-After") != "":
		return &forge.RateLimitError{RetryAt: c.retryAt(said.Response.Header), Secondary: said.Response.Header.Get("X-RateLimit-Remaining") != "0"}
	case status == http.StatusNotFound, status == http.StatusGone:
		return forge.ErrNotFound
	case status == http.StatusUnauthorized:
		c.forget(s)
		return &forge.DeniedError{Status: status, Message: message}
	case status == http.StatusForbidden, status == http.StatusUnavailableForLegalReasons:
		return &forge.DeniedError{Status: status, Message: message}
	case status >= 500:
		return &forge.UnavailableError{Status: status, Message: message}
	}
	return &forge.RejectedError{Status: status, Message: message}
}

func (c *Client) retryAt(h http.Header) time.Time {
	if n, err := strconv.Atoi(h.Get("Retry-After")); err == nil {
		return c.config.Now().Add(time.Duration(n) * time.Second)
	}
	if n, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64); err == nil && h.Get("X-RateLimit-Remaining") == "0" {
		return c.notBefore(time.Unix(n, 0))
	}
	return c.config.Now().Add(unsaid)
}

// notBefore guards against a reset that has passed by lander's own clock.
func (c *Client) notBefore(reset time.Time) time.Time {
	if soonest := c.config.Now().Add(time.Second); reset.Before(soonest) {
		return soonest
	}
	return reset
}
