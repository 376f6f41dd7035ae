package forge

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"
)

// ErrNotFound says that the forge has no such thing, or does not show it to lander.
var ErrNotFound = errors.New("not found on the forge")

// RateLimitError says that the forge wants no requests for a while. Nothing was done.
type RateLimitError struct {
	RetryAt   time.Time // required: not before this
	Secondary bool      // too fast, rather than too many this hour
}

func (e *RateLimitError) Error() string {
	return "forge asks to wait until " + e.RetryAt.UTC().Format(time.RFC3339)
}

// Until is when to try again.
func (e *RateLimitError) Until() time.Time { return e.RetryAt }

// DeniedError says that the forge knows lander and refuses: a token that is no longer good, a permission that it lacks, a locked
// conversation. Trying again helps only after somebody changed something there.
type DeniedError struct {
	Status  int    // HTTP status
	Message string // the forge's own words
}

func (e *DeniedError) Error() string {
	return fmt.Sprintf("denied by the forge (%d): %s", e.Status, e.Message)
}

// RejectedError says that the forge understood the request and finds it wrong. The same request never succeeds.
type RejectedError struct {
	Status  int
	Message string
}

func (e *RejectedError) Error() string {
	return fmt.Sprintf("rejected by the forge (%d): %s", e.Status, e.Message)
}

// UnavailableError says that the forge itself failed. Whether a write took effect is not known.
type UnavailableError struct {
	Status  int // HTTP status, 500 and above
	Message string
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("forge is not available (%d): %s", e.Status, e.Message)
}

// Temporary reports whether the same request may succeed by itself later.
func Temporary(err error) bool {
	var limit *RateLimitError
	var down *UnavailableError
	var network net.Error
	var address *url.Error
	return errors.As(err, &limit) || errors.As(err, &down) || errors.As(err, &network) || errors.As(err, &address) ||
		errors.Is(err, context.DeadlineExceeded)
}

// Permanent reports whether trying again is useless: what was asked for is gone, or was wrong.
func Permanent(err error) bool {
	var rejected *RejectedError
	return errors.Is(err, ErrNotFound) || errors.As(err, &rejected)
}
