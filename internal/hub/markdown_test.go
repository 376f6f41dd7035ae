package hub

import (
	"strings"
	"testing"
)

func TestProse(t *testing.T) {
	t.Parallel()
	sha := strings.Repeat("0a", 20)
	for in, want := range map[string]string{
		"**Bold** and `@code #1`":     `<p><strong>Bold</strong> and <code>@code #1</code></p>`,
		"one\ntwo":                    "<p>one<br>\ntwo</p>",
		"@mia, see #7":                `<p><a class="mention" href="/mia">@mia</a>, see <a href="/acme/app/pull/7">#7</a></p>`,
		"it's a&b":                    `<p>it's a&amp;b</p>`,
		"&#39;":                       `<p>'</p>`,
		sha:                           `<p><a href="/acme/app/commit/` + sha + `"><code>0a0a0a0</code></a></p>`,
		"<!-- lander:key -->\nseen":   "\n<p>seen</p>",
		"<b>x":                        "<p><b>x</b></p>",
		"</div></main>x":              "x",
		"a <em onclick=\"x\" >b</em>": "<p>a <em>b</em></p>",
		"a <a href='https://e.org' target=_top>b</a>":      `<p>a <a href="https://e.org" rel="nofollow noopener">b</a></p>`,
		"a <a href=\"java\tscript:x\">b</a>":               `<p>a <a rel="nofollow noopener">b</a></p>`,
		"a <input type=text name=x> <input type=checkbox>": `<p>a  <input type="checkbox" disabled></p>`,
		"<style>p{}</style>\n\nx":                          "\n<p>x</p>",
		"a <textarea>":                                     "<p>a </p>",
		"a < b <3 <<b>":                                    "<p>a &lt; b &lt;3 &lt;<b></b></p>",
		"<script>x":                                        "",
		"- [x] done":                                       "<ul>\n<li><input checked=\"\" type=\"checkbox\" disabled> done</li>\n</ul>",
		"~~gone~~ https://e.org/a?b=1&c=2":                 `<p><del>gone</del> <a href="https://e.org/a?b=1&amp;c=2" rel="nofollow noopener">https://e.org/a?b=1&amp;c=2</a></p>`,
		"```go\na < b // @x\n```":                          "<pre><code class=\"language-go\">a &lt; b // @x\n</code></pre>",
		"<details open><summary>S</summary>\n\nx":          "<details open=\"\"><summary>S</summary>\n<p>x</p>\n</details>",
		"| a |\n|:-:|\n| b |":                              "<table>\n<thead>\n<tr>\n<th align=\"center\">a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td align=\"center\">b</td>\n</tr>\n</tbody>\n</table>",
	} {
		if got := strings.TrimSuffix(string(prose(in, app)), "\n"); got != want {
			t.Errorf("%q becomes\n%q, want\n%q", in, got, want)
		}
	}
}

// FuzzProse holds that nothing but what is allowed comes out, and that all that is opened is closed.
func FuzzProse(f *testing.F) {
	f.Add("<details><summary>x</summary>\n\n- a\n- <b>c</details> <a href=\"x\" onclick='y'>z")
	f.Add("<scr<script>ipt>x</script> <!--> <img src=x onerror=y/> <a\nhref=javascript:x>")
	f.Fuzz(func(t *testing.T, text string) {
		var open []string
		rest := string(prose(text, app))
		for {
			i := strings.IndexByte(rest, '<')
			if i < 0 {
				break
			}
			rest = rest[i:]
			tag := tagForm.FindStringSubmatch(rest)
			if tag == nil {
				t.Fatalf("%q gives a lone < in %q", text, rest)
			}
			rest = rest[len(tag[0]):]
			known, ok := allowed[tag[2]]
			switch {
			case !ok:
				t.Fatalf("%q gives <%s>", text, tag[2])
			case tag[1] == "/":
				if len(open) == 0 || open[len(open)-1] != tag[2] {
					t.Fatalf("%q closes <%s> in %q", text, tag[2], open)
				}
				open = open[:len(open)-1]
			case !void[tag[2]]:
				open = append(open, tag[2])
			}
			for _, m := range attrForm.FindAllStringSubmatch(tag[3], -1) {
				own := tag[2] == "a" && (m[1] == "rel" || m[1] == "class") || tag[2] == "input" && (m[1] == "type" || m[1] == "disabled")
				if !own && !strings.Contains(" "+known+" ", " "+m[1]+" ") {
					t.Fatalf("%q gives <%s %s>", text, tag[2], m[1])
				}
			}
		}
		if len(open) > 0 {
			t.Fatalf("%q leaves %q open", text, open)
		}
	})
}
