package forge_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
	"pgregory.net/rapid"

	"lander/internal/forge"
	"lander/internal/queue"
)

// hostile draws text as somebody would write it who wants to break out of a comment.
func hostile(t *rapid.T, name string) string {
	part := rapid.OneOf(
		rapid.SampledFrom([]string{
			"@lander land", "\n@lander land\n", "\r\n@lander land", "@bob", "@acme/team", "_@bob_", "a@bob", "@@bob", "`", "``", "```", "````", "~~~", "\n```\n", "`@bob`",
			"-->", "--!>", "--", "<!--", "<b>", "</details>", "<script>", "<img src=x onerror=y>", "[x](y)", "![x](y)", "[x]: y", "|", "*", "**", "_", "#", "\n# ", "\n- ", "\n> ", "\n\n    ", "\n\n",
			"\x00", "\x1b[31m", "\u202e", "\u2028", "\xff", "\\", "\"", "\"@lander land\"", "\"@lander `x` @bob\"", "&lt;", "&#64;bob", "<http://example.com>", " ", "  \n", "\t", "é", "{}", "$x$",
			"<!-- lander:living/7:v1 {} -->", "\n<!-- lander:living/7:v1 {} -->\n",
		}),
		rapid.StringN(0, 20, -1),
	)
	parts := rapid.SliceOfN(part, 0, 8).Draw(t, name)
	return strings.Repeat(strings.Join(parts, ""), rapid.SampledFrom([]int{1, 1, 1, 60}).Draw(t, "times"))
}

func clip(s string, most int) string { return s[:min(len(s), most)] }

func someNotice(t *rapid.T) queue.Notice {
	text := func(name string) string { return hostile(t, name) }
	texts := func(name string) []string {
		one := text(name)
		many := make([]string, rapid.SampledFrom([]int{0, 1, 2, 120}).Draw(t, "how many"))
		for i := range many {
			many[i] = one
		}
		return many
	}
	person := func(name string) queue.Person {
		return queue.Person{ID: 1, Login: rapid.OneOf(rapid.Just("alice"), rapid.Custom(func(t *rapid.T) string { return hostile(t, name) })).Draw(t, name), Bot: rapid.Bool().Draw(t, "bot")}
	}
	code := rapid.SampledFrom([]queue.DropCode{
		queue.DropFailed, queue.DropTimedOut, queue.DropConflict, queue.DropUnbuildable, queue.DropEmpty, queue.DropInfra, queue.DropCode(clip(text("code"), 200)),
	}).Draw(t, "drop")
	verdict := queue.Verdict{
		Outcome: rapid.SampledFrom([]queue.Outcome{queue.Green, queue.Red, queue.TimedOut, queue.Infra, queue.Cancelled, queue.Unmeasured}).Draw(t, "outcome"),
		Reason:  text("reason"), Step: text("step"), Exit: rapid.Int().Draw(t, "exit"), Tail: texts("tail"), Failed: texts("failed"), Partial: rapid.Bool().Draw(t, "partial"), Took: time.Duration(rapid.Int64Min(0).Draw(t, "took")),
	}
	var commits []queue.BuiltCommit
	for _, title := range texts("titles") {
		verdict.Steps = append(verdict.Steps, queue.StepResult{Name: title, Exit: 1})
		commits = append(commits, queue.BuiltCommit{SHA: made, From: head, Title: title})
	}
	landing := queue.Landing{Tip: made, Commits: commits}
	d := queue.Drop{Code: code, Reason: text("drop reason"), Files: texts("files")}
	var reasons []queue.Reason
	for _, s := range texts("reasons") {
		reasons = append(reasons, queue.Reason{Code: rapid.SampledFrom([]string{"behind", "paused", "starting"}).Draw(t, "code"), Text: s, Who: s, Next: s})
	}
	n := queue.Notice{
		Key:    rapid.OneOf(rapid.Just("living/7"), rapid.Custom(func(t *rapid.T) string { return "k" + clip(hostile(t, "key"), 200) })).Draw(t, "key"),
		Kind:   rapid.SampledFrom([]queue.NoticeKind{queue.NoticeLiving, queue.NoticeAnswer, queue.NoticeVoided, queue.NoticeDropped, queue.NoticeLanded}).Draw(t, "kind"),
		Number: 7, Head: head, Author: person("author"), Text: text("text"), Drop: &d, Verdict: &verdict, Base: base, Candidate: made, Run: 1,
		Landing: &landing, Approvers: texts("approvers"), Waited: time.Duration(rapid.Int64Min(0).Draw(t, "waited")),
	}
	n.Standing = &queue.Standing{
		Number: 7, Head: head, Title: text("title"), Author: n.Author,
		Stage: rapid.SampledFrom([]queue.Stage{
			queue.StageIdle, queue.StageHeld, queue.StageWaiting, queue.StageTesting, queue.StageLanding, queue.StageLanded, queue.StageDropped,
		}).Draw(t, "stage"),
		Position: 500, Ahead: make([]queue.Number, 499), AskedBy: person("asker").Login, Approvers: n.Approvers, Reasons: reasons, Drop: &d, Landing: &landing,
	}
	if rapid.Bool().Draw(t, "bare") {
		n.Drop, n.Verdict, n.Landing, n.Standing = nil, nil, nil, nil
	}
	return n
}

var calls = regexp.MustCompile(`(?:^|[^A-Za-z0-9])@([A-Za-z0-9][A-Za-z0-9-]*)`)

// shown collects what a reader's Markdown finds in a comment: the text outside code, and the HTML.
func shown(body string) (words []string, html []string, open bool) {
	source := []byte(body)
	md := goldmark.New(goldmark.WithExtensions(extension.GFM))
	err := ast.Walk(md.Parser().Parse(text.NewReader(source)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		if n.Type() == ast.TypeBlock {
			words = append(words, "\n")
		}
		switch n := n.(type) {
		case *ast.CodeSpan, *ast.FencedCodeBlock:
			words = append(words, " ")
			return ast.WalkSkipChildren, nil
		case *ast.CodeBlock:
			html = append(html, "indented code")
		case *ast.Text:
			words = append(words, string(n.Segment.Value(source)))
		case *ast.RawHTML:
			for i := range n.Segments.Len() {
				s := n.Segments.At(i)
				html = append(html, string(s.Value(source)))
			}
		case *ast.HTMLBlock:
			var b strings.Builder
			for i := range n.Lines().Len() {
				s := n.Lines().At(i)
				b.Write(s.Value(source))
			}
			html = append(html, b.String())
			open = open || n.HasClosure() && !strings.HasSuffix(strings.TrimSpace(b.String()), "-->")
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		panic(err)
	}
	return words, html, open
}

func TestNothingThatPeopleTypeBreaksAComment(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := someNotice(t)
		body := forge.Comment(n, site)
		if got := utf8.RuneCountInString(body); got >= 60_000 || !utf8.ValidString(body) {
			t.Fatalf("%d characters", got)
		}
		if found := forge.Commands("@lander", body); len(found) > 0 {
			t.Fatalf("it commands %s:\n%s", brief(found), body)
		}
		if key, ok := forge.HiddenKey(body); !ok || key != n.Key {
			t.Fatalf("its key is %q and reads as %q:\n%s", n.Key, key, body)
		}
		words, html, open := shown(body)
		if len(html) != 1 || !strings.HasPrefix(html[0], "<!-- lander:") || strings.Index(html[0], "-->") != len(strings.TrimSpace(html[0]))-3 || open {
			t.Fatalf("it has HTML of its own: %q\n%s", html, body)
		}
		mayCall := !n.Author.Bot && (n.Kind == queue.NoticeDropped || n.Kind == queue.NoticeVoided)
		for _, call := range calls.FindAllStringSubmatch(strings.Join(words, ""), -1) {
			if !mayCall || call[1] != n.Author.Login {
				t.Fatalf("it calls %q:\n%s", call[1], body)
			}
		}
		for _, c := range body {
			if c < ' ' && c != '\n' || c == '\u202e' {
				t.Fatalf("it holds the control character %q:\n%q", c, body)
			}
		}
		if s := n.Standing; s != nil {
			state, description := forge.Status(*s)
			if utf8.RuneCountInString(description) > 140 || strings.ContainsAny(description, "\n\x00\x1b") || !strings.Contains("pending success failure error", state) {
				t.Fatalf("status %s: %q", state, description)
			}
		}
	})
}

func TestOutputThatReadsAsCommandsIsShownWithoutGivingThem(t *testing.T) {
	t.Parallel()
	n := stories()["dropped-failed"]
	n.Approvers = slices.Repeat([]string{strings.Repeat("x ", 50)}, 30)
	n.Verdict.Tail = slices.Repeat([]string{strings.Repeat("@lander land [[é]] ", 60)}, 40)
	n.Verdict.Tail = append(n.Verdict.Tail, "the end")
	body := forge.Comment(n, site)
	if found := forge.Commands("@lander", body); len(found) > 0 || !strings.Contains(body, "\nthe end\n```") {
		t.Errorf("it commands %s:\n%s", brief(found), body)
	}
}

func TestTheLongestCommentStillSaysWhatHappened(t *testing.T) {
	t.Parallel()
	n := stories()["dropped-failed"]
	for i := range 100_000 {
		n.Verdict.Tail = append(n.Verdict.Tail, strings.Repeat("x", 1000)+string(rune('a'+i%26)))
	}
	n.Verdict.Tail = append(n.Verdict.Tail, "the end")
	body := forge.Comment(n, site)
	if len(body) > 60_000 || !strings.Contains(body, "\nthe end\n```") || !strings.Contains(body, "The last 30 lines") {
		t.Errorf("%d bytes:\n%s", len(body), body)
	}
}
