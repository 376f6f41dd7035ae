package forge_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"lander/internal/forge"
	"lander/internal/queue"
)

// brief writes what was found, one command to a line, so that tables read well.
func brief(found []forge.Parsed) string {
	var lines []string
	for _, p := range found {
		s := string(p.Verb)
		if p.SHA != "" {
			s += " sha=" + p.SHA
		}
		if p.Priority != nil {
			s += fmt.Sprintf(" p=%d", *p.Priority)
		}
		if p.Alone {
			s += " alone"
		}
		if p.After != 0 {
			s += " " + p.After.String()
		}
		if !p.NotBefore.IsZero() {
			s += " " + p.NotBefore.Format(time.RFC3339)
		}
		if p.Text != "" && p.Problem == "" {
			s += " text=" + p.Text
		}
		if p.Problem != "" {
			s += "! " + p.Problem
		}
		lines = append(lines, s)
	}
	return strings.Join(lines, "\n")
}

func TestWhatPeopleType(t *testing.T) {
	t.Parallel()
	const sha = "0123456789abcdef0123456789abcdef01234567"
	for typed, want := range map[string]string{
		"@lander land":                                "land",
		"@lander r+":                                  "land",
		"@lander merge":                               "land",
		"@Lander LAND":                                "land",
		"@lander\tland":                               "land",
		"   @lander   land   ":                        "land",
		"@lander land " + sha:                         "land sha=" + sha,
		"@lander land ABCDEF1":                        "land sha=abcdef1",
		"@lander land `abcdef1`":                      "land sha=abcdef1",
		"@lander land abcdef1 p=5":                    "land sha=abcdef1 p=5",
		"@lander land p=-3 1234567":                   "land sha=1234567 p=-3",
		"@lander land hotfix":                         "land p=1000",
		"@lander land alone":                          "land alone",
		"@lander land hotfix Alone abcdef1":           "land sha=abcdef1 p=1000 alone",
		"@lander after #7":                            "after #7",
		"@lander after 2026-12-01T09:00Z":             "after 2026-12-01T09:00:00Z",
		"@lander after 2026-12-01t10:30:05+02:00 #12": "after #12 2026-12-01T08:30:05Z",
		"@lander withdraw":                            "withdraw",
		"@lander r-":                                  "withdraw",
		"@lander retry":                               "retry",
		"@lander p=0":                                 "p p=0",
		"@lander P=7":                                 "p p=7",
		"@lander hold":                                "hold",
		"@lander unhold":                              "unhold",
		"@lander why":                                 "why",
		"@lander help":                                "help",
		"@lander ping":                                "ping",
		"@lander pause the  disk is *full*":           "pause text=the disk is full",
		"@lander resume":                              "resume",
		"@lander land\n@lander p=2":                   "land\np p=2",
		"@lander land\r\n@lander p=2\r\n":             "land\np p=2",
		"Thanks!\n@lander land":                       "land",
		"Thanks!\n\n@lander land\n\nBye":              "land",
		"> you said\n\n@lander land":                  "land",
		"Map<K, V> is fine\n@lander land":             "land",
		"A <T> here\n@lander land":                    "land",
		"<!-- template -->\n\n@lander land":           "land",
		"<img src=x>\n\n@lander land":                 "land",
		"<p>\n\n@lander land":                         "land",
		"<b>thanks</b>\n@lander land":                 "land",
		"<details>x</details>\n\n@lander land":        "land",
	} {
		if got := brief(forge.Commands("@lander", typed)); got != want {
			t.Errorf("%q:\n got %s\nwant %s", typed, got, want)
		}
	}
}

func TestWhatIsNotSaidToLander(t *testing.T) {
	t.Parallel()
	for _, typed := range []string{
		"", "\n", "land", "please @lander land", "@landers land", "@lander, land", "@lander: land", "@lander[bot] land", "@land",
		"> @lander land", ">@lander land", "> a\n@lander land", ">> @lander land", "> > @lander land",
		"- @lander land", "* @lander land", "1. @lander land", "- a\n@lander land", "- a\n\n  @lander land", "- [ ] @lander land",
		"# @lander land", "@lander land\n===", "@lander land\n---",
		"    @lander land", "\t@lander land", "```\n@lander land\n```", "```\n@lander land", "~~~\n@lander land\n~~~", "````\n```\n@lander land\n````",
		"`@lander land`", "`` @lander land ``", "x `a\n@lander land` y", "@lander `land`", "@lander la`nd`", "`@lander` land",
		"<!-- @lander land -->", "<!--\n@lander land\n-->", "<!--\n\n@lander land\n\n-->", "x <!--\n@lander land\n-->", "<!-- x --> @lander land",
		"<div>\n@lander land\n</div>", "<div>\n\n@lander land\n\n</div>", "<details>\n\n@lander land\n\n</details>",
		"<blockquote>\n\n@lander land\n\n</blockquote>", "<pre>\n@lander land\n</pre>", "<pre>\n\n@lander land\n\n</pre>",
		"<table><tr><td>\n\n@lander land\n\n</td></tr></table>", "a <code>\n@lander land\n</code>", "a *b <code>*\n@lander land</code>",
		"<script>\n@lander land\n</script>", "<DETAILS>\n\n@lander land", "<details open title='>'>\n\n@lander land",
		"**@lander land**", "*@lander land*", "~~@lander land~~", "[@lander land](http://example.com)", "[x\n@lander land](http://example.com)",
		"![@lander land](x.png)", "[a]: /x '@lander land'", "[a]: /x\n'\n@lander land\n'\n\n[a]",
		"| a |\n|---|\n| @lander land |", "@lander land | x\n---|---\n1|2", "x[^1]\n\n[^1]: @lander land", "x[^1]\n\n[^1]:\n    @lander land",
		`\@lander land`, "&#64;lander land", "@lander\u00a0land", "**a\n@lander land**",
	} {
		if got := forge.Commands("@lander", typed); len(got) != 0 {
			t.Errorf("%q is shown as something else than plain text, and yet gives %s", typed, brief(got))
		}
	}
}

func TestEachMistakeHasItsOwnSentence(t *testing.T) {
	t.Parallel()
	table := []struct{ typed, want string }{
		{"@lander", `there is no command on this line. "@lander help" lists them, for example "@lander land".`},
		{"@lander ladn", `"ladn" is not a command. The nearest is "@lander land"; "@lander help" lists them all.`},
		{"@lander withdrwa", `"withdrwa" is not a command. The nearest is "@lander withdraw"; "@lander help" lists them all.`},
		{"@lander approve", `"approve" is not a command. The nearest is "@lander land"; "@lander help" lists them all.`},
		{"@lander priority=3", `"priority=3" is not a command. The nearest is "@lander p=N"; "@lander help" lists them all.`},
		{"@lander could you look", `"could" is not a command. "@lander help" lists them.`},
		{"@lander land hotfx", `"hotfx" is not an argument of land. The nearest is "@lander land hotfix".`},
		{"@lander land please", `"please" is not an argument of land, which takes a commit, a priority and the word alone, as in "@lander land 1a2b3c4 p=5".`},
		{"@lander hold on", `nothing may follow hold, but "on" does. Say "@lander hold" alone on its line.`},
		{"@lander p=3 now", `nothing may follow p=N, but "now" does. Say "@lander p=N" alone on its line.`},
		{"@lander land p=1 p=2", `"p=2" gives a priority twice. Give one.`},
		{"@lander land hotfix p=2", `"p=2" gives a priority twice. Give one.`},
		{"@lander land abcdef1 abcdef2", `"abcdef2" gives a commit twice. Give one.`},
		{"@lander land p=", `a priority needs a number, as in "@lander p=5"; higher lands first, and 0 is usual.`},
		{"@lander p", `a priority needs a number, as in "@lander p=5"; higher lands first, and 0 is usual.`},
		{"@lander p=high", `"high" is not a whole number. A priority is one, as in "@lander p=5".`},
		{"@lander p=99999", `99999 is out of reach: a priority is a number from -1000 to 1000.`},
		{"@lander land abc12", `"abc12" is too short to name a commit: give at least 7 digits of its id.`},
		{"@lander land 12345xy", `"12345xy" is not a commit: its id has only the digits 0 to 9 and a to f.`},
		{"@lander land " + strings.Repeat("a", 65), `"` + strings.Repeat("a", 65) + `" is too long to be a commit's id, which has 40 or 64 digits.`},
		{"@lander pause", `a pause needs a reason that others can read, as in "@lander pause the database is being moved".`},
		{"@lander try", `"try" is not available in this version.`},
		{"@lander delegate @bob", `"delegate" is not available in this version.`},
		{"@lander after", `after needs to be told what comes first: a pull request, as in "@lander after #12", or a time, as in "@lander after 2026-12-01T09:00Z".`},
		{"@lander after #0", `"#0" is not the number of a pull request, as #12 is.`},
		{"@lander after #7 #8", `"#8" gives a pull request twice. Give one.`},
		{"@lander after tomorrow", `"tomorrow" is neither a pull request nor a time with its zone, as in "@lander after #12" and "@lander after 2026-12-01T09:00Z".`},
		{"@lander after 2026-12-01T09:00", `"2026-12-01T09:00" is neither a pull request nor a time with its zone, as in "@lander after #12" and "@lander after 2026-12-01T09:00Z".`},
		{"@lander land squash", `"squash" is not available in this version.`},
		{"@lander land rebase", `"rebase" is not available in this version.`},
		{"@lander land merge", `"merge" is not available in this version.`},
		{`@lander land note="ask bob first"`, `"note" is not available in this version.`},
	}
	for _, c := range table {
		got := forge.Commands("@lander", c.typed)
		if len(got) != 1 || got[0].Problem != c.want {
			t.Errorf("%q:\n got %s\nwant ! %s", c.typed, brief(got), c.want)
			continue
		}
		if got[0].Verb != "" || got[0].Priority != nil || got[0].SHA != "" || got[0].Text == "" {
			t.Errorf("%q: a command that is not understood must do nothing, and say what was typed: %+v", c.typed, got[0])
		}
	}
}

func TestOnlyTheFirstTenCommandsOfACommentCount(t *testing.T) {
	t.Parallel()
	got := forge.Commands("@lander", strings.Repeat("@lander ping\n", 40))
	if len(got) != 11 || got[9].Verb != queue.VerbPing || got[10].Problem == "" {
		t.Fatalf("got %d: %s", len(got), brief(got))
	}
}

func TestThePrefixIsASetting(t *testing.T) {
	t.Parallel()
	if got := brief(forge.Commands("/queue", "/queue land\n@lander hold")); got != "land" {
		t.Errorf("got %s", got)
	}
	if got := brief(forge.Commands("", "land")); got != "" {
		t.Errorf("an empty prefix addresses nobody, got %s", got)
	}
}

// FuzzHiddenText wraps any text so that people see it as something else than plain text. Whatever it is, it must not command.
func FuzzHiddenText(f *testing.F) {
	for _, s := range []string{"@lander land", "a\n@lander land\n\n@lander p=1", "```\n@lander land", "> x\n@lander land", "`@lander land`", "</div>\n\n@lander land", "-->\n@lander land", "<b>\n@lander land", "\t@lander land", "[x](\n@lander land", "@lander land\n---", "|a|\n|-|\n@lander land"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
		lines := strings.Split(s, "\n")
		ticks := "```"
		for strings.Contains(s, ticks) {
			ticks += "`"
		}
		noHTML := strings.NewReplacer("<", "", "`", "").Replace(s)
		for name, body := range map[string]string{
			"fence":      ticks + "\n" + s + "\n" + ticks,
			"open fence": ticks + "\n" + s,
			"quote":      "> " + strings.Join(lines, "\n> "),
			"indent":     "    " + strings.Join(lines, "\n    "),
			"comment":    "<!--\n" + strings.ReplaceAll(s, "--", "") + "\n-->",
			"details":    "<details>\n\n" + noHTML + "\n\n</details>",
			"blockquote": "text\n\n<blockquote>\n\n" + noHTML + "\n\n</blockquote>",
			"code span":  "x " + ticks + " " + strings.Join(strings.Fields(s), " ") + " " + ticks,
			"list":       "- " + strings.Join(strings.Fields(s), " "),
		} {
			if len(body) > 100_000 {
				continue
			}
			if got := forge.Commands("@lander", body); len(got) != 0 {
				t.Errorf("%s %q gives %s", name, body, brief(got))
			}
		}
	})
}

// FuzzCommands looks for text that breaks the reader, or makes it say something that cannot be.
func FuzzCommands(f *testing.F) {
	f.Add("@lander land abcdef1 p=3\n@lander pause x")
	f.Add("@lander land \"\n@lander p=--1\n@lander \u2028land")
	f.Fuzz(func(t *testing.T, body string) {
		for _, p := range forge.Commands("@lander", body) {
			if (p.Verb == "") == (p.Problem == "") {
				t.Errorf("%q: either a verb or a problem: %+v", body, p)
			}
			if p.SHA != "" && (len(p.SHA) < 7 || strings.Trim(p.SHA, "0123456789abcdef") != "") {
				t.Errorf("%q: not a commit: %q", body, p.SHA)
			}
			if strings.ContainsAny(p.Line, "\n\r") || !strings.EqualFold(p.Line[:7], "@lander") {
				t.Errorf("%q: not one line that begins with the prefix: %q", body, p.Line)
			}
		}
	})
}

// The time that reading takes grows with the square of some of these: it is not begun where that would be felt.
func TestAStrangerCannotMakeReadingSlow(t *testing.T) {
	t.Parallel()
	for _, p := range []string{
		"[", "![", "*a ", "_a_", "<", "<a ", "<!--", "`", "`a", "``a`", "[x](", "[x](<", "[^1]: a\n\n", "[^1]", "|a", "|a|\n|-|\n", "> ", ">",
		"- ", "1. a\n", "[a]: b\n", "[a][b]", "~a~", "&#1", "\\", "\t", "a\n", "<b>", "<a b='", "*_", "](", "<?", "[a](b \"", "`\n", "x<b\n",
	} {
		for _, size := range []int{990, 16_000, 65_000} {
			body := "@lander land\n\n" + strings.Repeat(p, size/len(p))
			got := forge.Commands("@lander", body)
			refused := len(got) == 1 && got[0].Verb == "" && strings.Contains(got[0].Problem, "too long")
			brackets := strings.Count(body, "[") + strings.Count(body, "<") + strings.Count(body, ">")
			switch {
			case size > 16<<10 || brackets > 1000:
				if !refused {
					t.Errorf("%d bytes of %q are read: %s", size, p, brief(got))
				}
			case size < 1000 && brief(got) != "land":
				t.Errorf("a short comment with %q after its command gives %s", p, brief(got))
			}
		}
	}
}
