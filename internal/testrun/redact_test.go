package testrun

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lander/internal/queue"
)

func TestSecretsAreTakenOut(t *testing.T) {
	t.Parallel()
	const secret = "s3cr&t/tok+en~=?é"
	key := "-----BEGIN KEY-----\nabcdefghijklmnop\nqrstuvwxyz012345\n-----END KEY-----\n"
	std := base64.StdEncoding.EncodeToString
	for name, text := range map[string]string{
		"plain": secret, "twice": secret + secret, "query": url.QueryEscape(secret), "path": url.PathEscape(secret), "base64": std([]byte(secret)),
		"JSON": inJSON(secret)[0], "base64, one in": std([]byte("x" + secret)), "base64, two in": std([]byte("xy" + secret + "z")), "base64 of a header": std([]byte("user:" + secret)),
		"base64 for URLs": base64.URLEncoding.EncodeToString([]byte("user:" + secret)), "a key": key, "a line of it": "abcdefghijklmnop",
		"a line of it in base64": std([]byte("qrstuvwxyz012345")),
	} {
		for _, step := range []int{1, 2, 7, 1000} {
			r := newRedactor([]string{secret, key, "short"})
			var out []byte
			whole := "before " + text + " after short"
			for i := 0; i < len(whole); i += step {
				out = append(out, r.add([]byte(whole[i:min(i+step, len(whole))]))...)
			}
			out = append(out, r.rest()...)
			got := string(out)
			for _, leak := range []string{secret, url.QueryEscape(secret), "abcdefghijklmnop", "qrstuvwxyz012345", std([]byte(secret))[:12], text} {
				if strings.Contains(got, leak) {
					t.Errorf("%s in pieces of %d: %q", name, step, got)
				}
			}
			if !strings.HasPrefix(got, "before ") || !strings.HasSuffix(got, " after short") || !strings.Contains(got, redacted) {
				t.Errorf("%s in pieces of %d: %q", name, step, got)
			}
		}
	}
	if newRedactor([]string{"", "short"}) != nil {
		t.Error("something is taken out for nothing")
	}
}

func TestWhatIsNoSecretStays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := newRedactor([]string{"abababab", "abababac"})
		text := rapid.StringOfN(rapid.SampledFrom([]rune("abc")), 0, 60, -1).Draw(t, "text")
		var out []byte
		for rest := text; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "n")
			out = append(out, r.add([]byte(rest[:n]))...)
			rest = rest[n:]
		}
		got := string(append(out, r.rest()...))
		want := text
		for i := 0; i < len(want); i++ { // the same, said otherwise
			if strings.HasPrefix(want[i:], "abababab") || strings.HasPrefix(want[i:], "abababac") {
				want = want[:i] + redacted + want[i+8:]
				i += len(redacted) - 1
			}
		}
		if got != want {
			t.Fatalf("%q became %q, want %q", text, got, want)
		}
	})
}

func TestSecretsInOutputAreNotShown(t *testing.T) {
	t.Parallel()
	const secret = "canary-of-the-operator"
	r, _ := newRunner(t)
	r.Env, r.Secrets = []string{"TOKEN=" + secret, "NAME=plain-value"}, []string{secret}
	v := r.Run(t.Context(), jobOf(steps(`
		echo "in plain: $TOKEN, $NAME"
		printf 'user:%s' "$TOKEN" | base64
		printf %s "$TOKEN" | cut -c1-9 | tr -d '\n'; sleep 0.05; printf %s "$TOKEN" | cut -c10-
		printf 'at the end: %s' "$TOKEN"; exit 1`, "true")))
	want(t, v, queue.Red, "")
	log := readLog(t, r, "run-1")
	for _, text := range []string{log, strings.Join(v.Tail, "\n")} {
		if strings.Contains(text, secret) || strings.Contains(text, "dXNlcjpjYW5hcnkt") || strings.Count(text, redacted) != 4 || !strings.Contains(text, "plain-value") {
			t.Errorf("%s", text)
		}
	}
}

// What results name is shown to everybody, and goes back into the shell of a rerun.
func TestSecretsInResultsAreNotShown(t *testing.T) {
	t.Parallel()
	const secret = `canary<of>the "operator" & co`
	event := func(ev goEvent) string {
		text, err := json.Marshal(ev)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	goFails := []string{
		event(goEvent{Action: "start", Package: "m"}),
		event(goEvent{Action: "output", Package: "m", Test: "TestA/" + secret, Output: "    a_test.go:3: it is " + secret + "\n"}),
		event(goEvent{Action: "output", Package: "m", Test: "TestA/" + secret, Output: "    in two pieces: " + secret[:9]}),
		event(goEvent{Action: "output", Package: "m", Test: "TestA/" + secret, Output: secret[9:] + "\n"}),
		event(goEvent{Action: "fail", Package: "m", Test: "TestA/" + secret}),
		event(goEvent{Action: "output", Package: "m", Output: "FAIL\n"}),
		event(goEvent{Action: "fail", Package: "m"}),
	}
	var attr strings.Builder
	if err := xml.EscapeText(&attr, []byte(secret)); err != nil {
		t.Fatal(err)
	}
	junit := `<testsuite><testcase classname="` + attr.String() + `" name="` + strings.Repeat("x", mostName-8) + attr.String() + `" file="` + attr.String() + `.c" line="3"><failure/></testcase></testsuite>`
	write := func(to string, lines ...string) string {
		return "cat > " + to + " <<'END'\n" + strings.Join(lines, "\n") + "\nEND\n"
	}
	for name, c := range map[string]struct {
		run     string
		results queue.Results
		failed  string
	}{
		"go":    {write("out", goFails...) + "cat out; exit 1", queue.Results{Format: queue.ResultsGo}, "m TestA/[redacted]"},
		"TAP":   {write("out", "1..1", "not ok 1 - "+secret+" it") + "cat out; exit 1", queue.Results{Format: queue.ResultsTAP}, "[redacted] it"},
		"JUnit": {write("r.xml", junit) + "exit 1", queue.Results{Format: queue.ResultsJUnit, Files: "*.xml"}, "[redacted] :: xxx"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, s := newRunner(t)
			r.Secrets = []string{secret}
			// It is there already, for the log has the command itself.
			if err := os.WriteFile(filepath.Join(s.dir, "suite"), []byte(c.run), 0o600); err != nil {
				t.Fatal(err)
			}
			recipe := steps("sh ./suite")
			recipe.Steps[0].Results = c.results
			v := r.Run(t.Context(), jobOf(recipe))
			want(t, v, queue.Red, "")
			if len(v.Failed) != 1 || !strings.HasPrefix(v.Failed[0], c.failed) {
				t.Errorf("failed are %q", v.Failed)
			}
			log := readLog(t, r, "run-1")
			shown := strings.Join(append(append(v.Tail, v.Failed...), v.Reason), "\n")
			for _, leak := range []string{secret, inJSON(secret)[0], inJSON(secret)[1], secret[:12]} {
				if strings.Contains(shown, leak) || name != "go" && strings.Contains(log, leak) || strings.Contains(log, secret) {
					t.Errorf("%q is in\n%s\n%s", leak, shown, log)
				}
			}
			if name == "go" && strings.Count(shown, redacted) != 3 {
				t.Errorf("%s", shown)
			}
		})
	}
}
