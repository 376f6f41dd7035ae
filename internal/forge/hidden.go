package forge

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf16"

	"lander/internal/queue"
)

// keyVersion is raised when the JSON at the end of a comment changes so that an older reader would misread it.
const keyVersion = 1

var keyLine = regexp.MustCompile(`^<!-- lander:([^\s:]+):v([0-9]+) (\{.*\}) -->$`)

// trailer is what programs read at the end of a comment. It holds no time of writing: the same facts give the same comment.
type trailer struct {
	Kind      queue.NoticeKind  `json:"kind"`
	Number    queue.Number      `json:"number"`
	Head      queue.SHA         `json:"head,omitempty"`
	Stage     queue.Stage       `json:"stage,omitempty"`
	Position  int               `json:"position,omitempty"`
	Code      queue.DropCode    `json:"code,omitempty"`
	Base      queue.SHA         `json:"base,omitempty"`
	Candidate queue.SHA         `json:"candidate,omitempty"`
	ID        queue.CandidateID `json:"id,omitempty"`
	Run       int               `json:"run,omitempty"`
	Outcome   queue.Outcome     `json:"outcome,omitempty"`
}

func hiddenKey(key string, t trailer) string {
	text, err := json.Marshal(t)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	// The encoder writes < and > as escapes, so nothing in the JSON can end the comment; two hyphens in a row are no good either.
	return fmt.Sprintf("<!-- lander:%s:v%d %s -->", escapeKey(key), keyVersion, strings.ReplaceAll(ascii(string(text)), "--", `-\u002d`))
}

// ascii writes JSON text so that no character in it can confuse whoever looks at the comment's source.
func ascii(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < 0x7f:
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// HiddenKey reads the key at the end of a comment that lander wrote. Anybody can write such a line: who wrote the comment is for the
// caller to check.
func HiddenKey(body string) (key string, ok bool) {
	body = strings.TrimRight(body, " \t\r\n")
	m := keyLine.FindStringSubmatch(body[strings.LastIndexByte(body, '\n')+1:])
	if m == nil {
		return "", false
	}
	key, err := url.PathUnescape(m[1])
	return key, err == nil
}

func escapeKey(key string) string {
	var b strings.Builder
	for i := range len(key) {
		c := key[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '/', c == '.', c == '_',
			c == '-' && i > 0 && key[i-1] != '-':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
