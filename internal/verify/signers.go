package verify

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// signers is a file of allowed signers, as ssh-keygen reads it: on each line principals, options, and a public key.
type signers struct{ lines []signer }

type signer struct {
	principals string
	namespaces string // patterns; empty: all
	after      time.Time
	before     time.Time
	key        ssh.PublicKey
}

// find is who a key belongs to, if that one may sign for git at a time in seconds since 1970.
func (s *signers) find(key ssh.PublicKey, at int64) (string, error) {
	wrong := errors.New("its key " + ssh.FingerprintSHA256(key) + " is not among the allowed signers")
	for _, l := range s.lines {
		if !bytes.Equal(l.key.Marshal(), key.Marshal()) {
			continue
		}
		switch when := time.Unix(at, 0); {
		case l.namespaces != "" && !matchList(l.namespaces, "git"):
			wrong = fmt.Errorf("the allowed signers let its key %s sign for %s only, not for git", ssh.FingerprintSHA256(key), l.namespaces)
		case !l.after.IsZero() && when.Before(l.after):
			wrong = fmt.Errorf("its key %s was not valid yet", ssh.FingerprintSHA256(key))
		case !l.before.IsZero() && when.After(l.before):
			wrong = fmt.Errorf("its key %s was not valid any more", ssh.FingerprintSHA256(key))
		default:
			return l.principals, nil
		}
	}
	return "", wrong
}

// parseSigners reads a file of allowed signers. A line that it cannot honour is an error: a list of which a part is ignored would
// say something else than its writer meant.
func parseSigners(text string) (*signers, error) {
	s := &signers{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		l, err := parseSigner(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		s.lines = append(s.lines, l)
	}
	if len(s.lines) == 0 {
		return nil, errors.New("it names nobody")
	}
	return s, nil
}

func parseSigner(line string) (signer, error) {
	var l signer
	var ok bool
	if l.principals, line, ok = word(line); !ok || l.principals == "" {
		return l, errors.New("it begins with no principal")
	}
	l.principals = strings.ReplaceAll(l.principals, `"`, "")
	for {
		next, rest, ok := word(line)
		if !ok || next == "" {
			return l, errors.New("it has no key")
		}
		if _, known := algorithms[next]; known {
			return l.withKey(next, rest)
		}
		if err := l.option(next); err != nil {
			return l, err
		}
		line = rest
	}
}

func (l signer) withKey(kind, rest string) (signer, error) {
	text, _, _ := word(rest) // then comes a comment
	blob, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return l, fmt.Errorf("its key cannot be decoded: %w", err)
	}
	if l.key, err = ssh.ParsePublicKey(blob); err != nil {
		return l, fmt.Errorf("its key cannot be read: %w", err)
	}
	if l.key.Type() != kind {
		return l, fmt.Errorf("its key is of type %s, not %s", l.key.Type(), kind)
	}
	if !l.after.IsZero() && !l.before.IsZero() && !l.before.After(l.after) {
		return l, errors.New("its key is valid at no time")
	}
	return l, nil
}

// option reads what stands between principals and key.
func (l *signer) option(text string) error {
	for text != "" {
		var one string
		one, text = cutOption(text)
		name, value, _ := strings.Cut(one, "=")
		value, quoted := strings.CutPrefix(value, `"`)
		if quoted {
			if value, quoted = strings.CutSuffix(value, `"`); !quoted {
				return fmt.Errorf("the value of %s has no end", name)
			}
		}
		var err error
		switch name = strings.ToLower(name); name {
		case "cert-authority":
			return errors.New("lander verify judges plain keys and no certificates: name the key itself, without cert-authority")
		case "namespaces":
			if l.namespaces = value; value == "" {
				err = errors.New("namespaces is empty")
			}
		case "valid-after":
			l.after, err = parseDate(value)
		case "valid-before":
			l.before, err = parseDate(value)
		default:
			err = fmt.Errorf("%q is no option, and no type of key that is accepted", name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// cutOption splits a list at its first comma that is not quoted.
func cutOption(text string) (first, rest string) {
	quoted := false
	for i, c := range []byte(text) {
		switch {
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			return text[:i], text[i+1:]
		}
	}
	return text, ""
}

// word splits a line at its first blank that is not quoted; not ok: a quote has no end.
func word(line string) (first, rest string, ok bool) {
	quoted := false
	for i, c := range []byte(line) {
		switch {
		case c == '"':
			quoted = !quoted
		case (c == ' ' || c == '\t') && !quoted:
			return line[:i], strings.TrimLeft(line[i:], " \t"), true
		}
	}
	return line, "", !quoted
}

// parseDate reads YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS: in this machine's time zone, or with a Z in UTC.
func parseDate(text string) (time.Time, error) {
	digits, utc := strings.CutSuffix(text, "Z")
	zone := time.Local
	if utc {
		zone = time.UTC
	}
	layout, ok := map[int]string{8: "20060102", 12: "200601021504", 14: "20060102150405"}[len(digits)]
	if !ok {
		return time.Time{}, fmt.Errorf("%q is no date as in 20261123 or 20261123093000Z", text)
	}
	at, err := time.ParseInLocation(layout, digits, zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no date as in 20261123 or 20261123093000Z", text)
	}
	return at, nil
}

// matchList reports whether a list of patterns, where "!" excludes, takes a name.
func matchList(patterns, name string) bool {
	taken := false
	for p := range strings.SplitSeq(patterns, ",") {
		p, not := strings.CutPrefix(strings.TrimSpace(p), "!")
		if !match(p, name) {
			continue
		}
		if not {
			return false
		}
		taken = true
	}
	return taken
}

// match reports whether a pattern with "*" and "?" is the whole of a name.
func match(pattern, name string) bool {
	p, n, star, from := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p++
			n++
		case star >= 0:
			from++
			p, n = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
