package testrun

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// leastSecret is how long a value must be to be taken for a secret: shorter ones are words that may stand anywhere.
const leastSecret = 8

const redacted = "[redacted]"

// redactor takes secrets out of output: as they are, and as base64, URLs and JSON write them. A nil redactor knows none.
type redactor struct {
	forms   [][]byte // the longest first
	longest int
	kept    []byte // the end of what came, in which a secret may have begun
}

// newRedactor knows each secret in all its forms. nil: there is nothing to take out.
func newRedactor(secrets []string) *redactor {
	r := &redactor{}
	add := func(form string) {
		if len(form) >= leastSecret && !slices.ContainsFunc(r.forms, func(f []byte) bool { return string(f) == form }) {
			r.forms = append(r.forms, []byte(form))
			r.longest = max(r.longest, len(form))
		}
	}
	for _, secret := range secrets {
		if len(secret) < leastSecret {
			continue
		}
		for _, text := range append([]string{secret}, longLines(secret)...) {
			add(text)
			add(url.QueryEscape(text))
			add(url.PathEscape(text))
			for _, form := range append(inBase64(text), inJSON(text)...) {
				add(form)
			}
		}
	}
	if len(r.forms) == 0 {
		return nil
	}
	slices.SortFunc(r.forms, func(a, b []byte) int { return len(b) - len(a) })
	return r
}

// longLines are the lines of a secret that has several, as a key has: tools break them where they like.
func longLines(secret string) []string {
	if !strings.Contains(secret, "\n") {
		return nil
	}
	return strings.FieldsFunc(secret, func(c rune) bool { return c == '\n' || c == '\r' })
}

// inBase64 is how text looks within something larger in base64, at each of the three places that it can begin at there, without the letters
// that the neighbours have a part in.
func inBase64(text string) []string {
	var forms []string
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			coded := encoding.EncodeToString([]byte(strings.Repeat("\x00", before) + text))
			from := (before*8 + 5) / 6
			to := (before + len(text)) * 8 / 6
			forms = append(forms, coded[from:to])
		}
	}
	return forms
}

// inJSON is how text looks within a string in JSON, as Go writes it and as others do.
func inJSON(text string) []string {
	var forms []string
	for _, html := range []bool{true, false} {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(html)
		if e.Encode(text) == nil {
			forms = append(forms, b.String()[1:b.Len()-2]) // without quotes and the line's end
		}
	}
	return forms
}

// all is a text without the secrets in it.
func (r *redactor) all(text string) string {
	if r == nil {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		if n := r.at([]byte(text[i:min(len(text), i+r.longest)])); n > 0 {
			b.WriteString(redacted)
			i += n
			continue
		}
		b.WriteByte(text[i])
		i++
	}
	return b.String()
}

// add takes in output, and gives what can be shown by now. It is valid until the next call.
func (r *redactor) add(p []byte) []byte {
	if r == nil {
		return p
	}
	r.kept = append(r.kept, p...)
	var out []byte
	from, i := 0, 0
	for i < len(r.kept) {
		if n := r.at(r.kept[i:]); n > 0 {
			out = append(append(out, r.kept[from:i]...), redacted...)
			i += n
			from = i
			continue
		}
		if len(r.kept)-i < r.longest && r.begins(r.kept[i:]) {
			break
		}
		i++
	}
	out = append(out, r.kept[from:i]...)
	r.kept = append(r.kept[:0], r.kept[i:]...)
	return out
}

// rest gives what was kept back, when nothing more comes.
func (r *redactor) rest() []byte {
	if r == nil {
		return nil
	}
	out := slices.Clone(r.kept)
	r.kept = r.kept[:0]
	return out
}

// at is the length of the secret that p begins with; 0: it begins with none.
func (r *redactor) at(p []byte) int {
	for _, form := range r.forms {
		if bytes.HasPrefix(p, form) {
			return len(form)
		}
	}
	return 0
}

// begins reports whether p is the beginning of a secret.
func (r *redactor) begins(p []byte) bool {
	return slices.ContainsFunc(r.forms, func(form []byte) bool { return len(form) > len(p) && bytes.HasPrefix(form, p) })
}
