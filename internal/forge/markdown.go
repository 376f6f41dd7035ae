package forge

import (
	"regexp"
	"strings"
	"unicode"
)

// Everything that a person outside lander may have typed passes through one of plain, code and fence before it stands in a comment.

var (
	mention = regexp.MustCompile(`@[A-Za-z0-9][A-Za-z0-9-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)?`)
	colour  = regexp.MustCompile("\x1b\\[[0-9;?]*[ -/]*[@-~]")
	login   = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})$`)
)

// plain is text as Markdown that shows just that text, on one line, and mentions nobody. A quoted command ("@lander land") becomes code.
func plain(text, prefix string) string {
	text = oneLine(text)
	var b strings.Builder
	for text != "" {
		if end := quotedCommand(text, prefix); end > 0 {
			span(&b, text[1:end-1])
			text = text[end:]
			continue
		}
		if m := mention.FindStringIndex(text); m != nil && m[0] == 0 {
			span(&b, text[:m[1]])
			text = text[m[1]:]
			continue
		}
		// As far as the next thing that needs care.
		end := len(text)
		if i := strings.IndexAny(text[1:], `"@`); i >= 0 {
			end = i + 1
		}
		b.WriteString(escape(text[:end]))
		text = text[end:]
	}
	return b.String()
}

// span adds code. Two runs of backticks that touch are one run, and end nothing.
func span(b *strings.Builder, text string) {
	if strings.HasSuffix(b.String(), "`") {
		b.WriteByte(' ')
	}
	b.WriteString(code(text))
}

func quotedCommand(text, prefix string) (end int) {
	if prefix == "" || !strings.HasPrefix(text, `"`+prefix+" ") {
		return 0
	}
	if i := strings.IndexByte(text[1:], '"'); i >= 0 {
		return i + 2
	}
	return 0
}

func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '&':
			b.WriteString("&amp;")
			continue
		case strings.ContainsRune("\\`*_[]<>|~$", r):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// code shows text as it is, in a span that no run of backticks in it can end.
func code(text string) string {
	text = oneLine(text)
	if text == "" {
		return "``` ```"
	}
	ticks := strings.Repeat("`", longestRun(text)+1)
	if text[0] == '`' || text[len(text)-1] == '`' || text[0] == ' ' && text[len(text)-1] == ' ' {
		text = " " + text + " "
	}
	return ticks + text + ticks
}

// fence shows lines as they are, in a block that none of them can end.
func fence(lines []string) string {
	longest := 2
	for _, l := range lines {
		longest = max(longest, longestRun(l))
	}
	ticks := strings.Repeat("`", longest+1)
	var b strings.Builder
	b.WriteString(ticks + "text\n")
	for _, l := range lines {
		b.WriteString(l + "\n")
	}
	b.WriteString(ticks)
	return b.String()
}

func longestRun(s string) int {
	longest, run := 0, 0
	for _, c := range []byte(s) {
		if c != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// oneLine takes out everything that does not show: control characters, and those that change the direction of what follows.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r == '\u2028', r == '\u2029':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\uFEFF':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD")))
}

// output is oneLine for a line of a log, where the room on the left means something.
func output(s string) string {
	s = strings.ReplaceAll(colour.ReplaceAllString(s, ""), "\t", "    ")
	shown := oneLine(s)
	return clip(strings.Repeat(" ", min(40, len(s)-len(strings.TrimLeft(s, " "))))+shown, 400)
}

// at mentions a person who must act; people only: nobody reads a bot's mail.
func at(name string, bot bool) string {
	if bot || !login.MatchString(name) {
		return person(name)
	}
	return "@" + name
}

// person names somebody without calling them.
func person(name string) string {
	if name == "" {
		return "somebody"
	}
	if !login.MatchString(name) {
		return code(clip(name, 100))
	}
	return escape(name)
}

func link(text, url string) string {
	if url == "" {
		return text
	}
	return "[" + text + "](<" + strings.NewReplacer("<", "%3C", ">", "%3E", "\n", "", "\r", "", " ", "%20", "`", "%60", "\\", "%5C").Replace(url) + ">)"
}
