package forge

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
)

// ErrSignature says that a webhook's body was not signed with any of the secrets. Nothing in it may be believed or parsed.
var ErrSignature = errors.New("webhook signature does not match")

// Verify checks a webhook's signature header ("sha256=" and 64 hex digits) over the raw body. Several secrets may be valid at once,
// so that one can be replaced without losing deliveries. An empty secret never matches.
func Verify(secrets [][]byte, signature string, body []byte) error {
	digits, ok := strings.CutPrefix(signature, "sha256=")
	given, err := hex.DecodeString(digits)
	if !ok || err != nil || len(given) != sha256.Size {
		return ErrSignature
	}
	match := false
	for _, secret := range secrets {
		if len(secret) == 0 {
			continue
		}
		mac := hmac.New(sha256.New, secret)
		mac.Write(body)
		// No early end: which of the secrets matched does not show in the time it takes.
		match = hmac.Equal(mac.Sum(nil), given) || match
	}
	if !match {
		return ErrSignature
	}
	return nil
}
