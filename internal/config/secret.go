package config

import (
	"fmt"
	"io"
)

const redacted = "[redacted]"

// Secret is a text that no log, page or message may show. However it is printed it reads "[redacted]", or nothing when it is empty;
// only Reveal gives it away.
type Secret struct{ text string }

// NewSecret keeps text secret.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal is the text itself, for the one place that hands it to its owner.
func (s Secret) Reveal() string { return s.text }

// Empty reports whether there is no secret.
func (s Secret) Empty() bool { return s.text == "" }

func (s Secret) String() string {
	if s.Empty() {
		return ""
	}
	return redacted
}

// Format covers every verb of package fmt, also those that would print the fields.
func (s Secret) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, s.String()) // a fmt.State keeps its own error
}

// MarshalText covers JSON, YAML and the loggers.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
