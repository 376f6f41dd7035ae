package hub

import (
	"bytes"
	"fmt"
	"html"
	"html/template"
	"net/url"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	renderer "github.com/yuin/goldmark/renderer/html"
)

// markdown reads what people write as GitHub does: GFM, line ends kept, raw HTML passed on to the sieve below.
var markdown = goldmark.New(
	goldmark.WithExtensions(
		extension.Strikethrough, extension.TaskList, extension.Linkify,
		extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)),
	),
	goldmark.WithRendererOptions(renderer.WithHardWraps(), renderer.WithUnsafe()),
)

// prose is markdown text as safe HTML. repo is where #7 leads to.
func prose(text, repo string) template.HTML {
	var b bytes.Buffer
	if err := markdown.Convert([]byte(text), &b); err != nil {
		return template.HTML("<pre>" + html.EscapeString(text) + "</pre>") //nolint:gosec // escaped
	}
	return template.HTML(sift(b.String(), repo)) //nolint:gosec // sifted
}

// allowed are the elements that come through the sieve, with their attributes. Whatever else is written is left out,
// its content kept.
var allowed = map[string]string{
	"a": "href title", "b": "", "blockquote": "", "br": "", "code": "class", "dd": "", "del": "", "details": "open", "div": "align",
	"dl": "", "dt": "", "em": "", "h1": "", "h2": "", "h3": "", "h4": "", "h5": "", "h6": "", "hr": "", "i": "", "img": "src alt title width height",
	"input": "checked", "ins": "", "kbd": "", "li": "", "ol": "start", "p": "align", "pre": "", "q": "", "s": "", "samp": "", "small": "",
	"span": "", "strike": "", "strong": "", "sub": "", "summary": "", "sup": "", "table": "", "tbody": "", "td": "align colspan rowspan",
	"tfoot": "", "th": "align colspan rowspan", "thead": "", "tr": "", "tt": "", "ul": "", "var": "",
}

// dumb are elements whose content is no text for people.
var dumb = map[string]bool{"script": true, "style": true, "template": true, "noscript": true, "iframe": true, "object": true, "svg": true, "math": true}

var (
	void      = map[string]bool{"br": true, "hr": true, "img": true, "input": true}
	tagForm   = regexp.MustCompile(`^<(/?)([A-Za-z][A-Za-z0-9]*)((?:\s+[^\s"'<>/=]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'=<>` + "`" + `]+))?)*)\s*(/?)>`)
	attrForm  = regexp.MustCompile(`([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>` + "`" + `]+)))?`)
	classForm = regexp.MustCompile(`^language-[A-Za-z0-9_+-]+$`)
	plainForm = regexp.MustCompile(`^[A-Za-z0-9%]*$`)
	linkForm  = regexp.MustCompile(`(^|[\s(\[,;:])(?:@([A-Za-z0-9][A-Za-z0-9-]*(?:\[bot\])?)|#([0-9]{1,9})\b|([0-9a-f]{40})\b)`)
)

// sieve writes HTML again with what is allowed, every element closed.
type sieve struct {
	b    strings.Builder
	open []string
	repo string
}

func sift(text, repo string) string {
	s := sieve{repo: repo}
	for text != "" {
		i := strings.IndexByte(text, '<')
		if i < 0 {
			i = len(text)
		}
		s.text(text[:i])
		text = text[i:]
		switch tag := tagForm.FindStringSubmatch(text); {
		case text == "":
		case strings.HasPrefix(text, "<!--"):
			_, text, _ = strings.Cut(text[4:], "-->")
		case strings.HasPrefix(text, "<!") || strings.HasPrefix(text, "<?"):
			_, text, _ = strings.Cut(text, ">")
		case tag == nil:
			s.b.WriteString("&lt;")
			text = text[1:]
		default:
			text = text[len(tag[0]):]
			name := strings.ToLower(tag[2])
			if tag[1] == "" && tag[4] == "" && dumb[name] {
				text = after(text, "</"+name)
				continue
			}
			s.tag(tag[1] == "/", name, tag[3])
		}
	}
	for len(s.open) > 0 {
		s.close(s.open[len(s.open)-1])
	}
	return s.b.String()
}

// after is what follows a closing tag; nothing when it never comes.
func after(text, closing string) string {
	i := strings.Index(strings.ToLower(text), closing)
	if i < 0 {
		return ""
	}
	_, text, _ = strings.Cut(text[i:], ">")
	return text
}

func (s *sieve) tag(closing bool, name, attrs string) {
	known, ok := allowed[name]
	switch {
	case !ok:
	case closing:
		s.close(name)
	default:
		list, ok := attributes(name, known, attrs)
		if !ok {
			return
		}
		fmt.Fprintf(&s.b, "<%s%s>", name, list)
		if !void[name] {
			s.open = append(s.open, name)
		}
	}
}

func (s *sieve) close(name string) {
	for i := len(s.open) - 1; i >= 0; i-- {
		if s.open[i] != name {
			continue
		}
		for len(s.open) > i {
			s.b.WriteString("</" + s.open[len(s.open)-1] + ">")
			s.open = s.open[:len(s.open)-1]
		}
		return
	}
}

// attributes writes the allowed attributes of one element; false leaves the whole element out.
func attributes(name, known, text string) (string, bool) {
	var b strings.Builder
	checkbox := false
	for _, m := range attrForm.FindAllStringSubmatch(text, -1) {
		attr, value := strings.ToLower(m[1]), html.UnescapeString(m[2]+m[3]+m[4])
		checkbox = checkbox || attr == "type" && strings.EqualFold(value, "checkbox")
		if !strings.Contains(" "+known+" ", " "+attr+" ") {
			continue
		}
		switch attr {
		case "href", "src":
			if !safeURL(value) {
				continue
			}
		case "class":
			if !classForm.MatchString(value) {
				continue
			}
		case "align", "width", "height", "start", "colspan", "rowspan", "open", "checked":
			if !plainForm.MatchString(value) {
				continue
			}
		}
		fmt.Fprintf(&b, ` %s="%s"`, attr, html.EscapeString(value))
	}
	switch name {
	case "a":
		b.WriteString(` rel="nofollow noopener"`)
	case "input":
		b.WriteString(` type="checkbox" disabled`)
		return b.String(), checkbox
	}
	return b.String(), true
}

func safeURL(value string) bool {
	u, err := url.Parse(strings.TrimSpace(value))
	return err == nil && (u.Scheme == "" || u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "mailto")
}

// text writes text, in which people, pull requests and commits become links unless it is code or a link already.
func (s *sieve) text(text string) {
	for _, name := range s.open {
		if name == "a" || name == "code" || name == "pre" {
			s.b.WriteString(text)
			return
		}
	}
	s.b.WriteString(linkForm.ReplaceAllStringFunc(text, func(hit string) string {
		m := linkForm.FindStringSubmatch(hit)
		switch {
		case m[2] != "":
			return fmt.Sprintf(`%s<a class="mention" href="/%s">@%s</a>`, m[1], url.PathEscape(m[2]), m[2])
		case m[3] != "":
			return fmt.Sprintf(`%s<a href="/%s/pull/%s">#%s</a>`, m[1], s.repo, m[3], m[3])
		default:
			return fmt.Sprintf(`%s<a href="/%s/commit/%s"><code>%s</code></a>`, m[1], s.repo, m[4], m[4][:7])
		}
	}))
}
