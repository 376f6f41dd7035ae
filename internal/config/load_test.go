package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/queue"
)

// disk is a Read over files that exist only in the test.
func disk(files map[string]string) func(string) ([]byte, error) {
	return func(path string) ([]byte, error) {
		if text, ok := files[path]; ok {
			return []byte(text), nil
		}
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
}

func problems(t *testing.T, src Source) []string {
	t.Helper()
	_, err := Load(src)
	var bad *SettingsError
	if !errors.As(err, &bad) {
		t.Fatalf("no problems: %v", err)
	}
	return strings.Split(bad.Error(), "\n")
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	s, err := Load(Source{Env: map[string]string{"HOME": "/home/ann"}, UID: 1000})
	if err != nil {
		t.Fatal(err)
	}
	want := Server{
		DataDir: "/home/ann/.local/share/lander", Listen: "127.0.0.1:8080", URL: "http://127.0.0.1:8080", Public: true,
		ForgeURL: "https://api.github.com", GitRemote: "https://github.com/{repo}.git", Prefix: "@lander", Poll: 30 * time.Second, BranchGrace: time.Hour, RunNetwork: "setup",
		Committer: Committer{Name: "lander", Email: "lander@localhost"}, Log: Log{Format: "auto", Level: zerolog.InfoLevel},
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
	if got := s.Remote("acme/app"); got != "https://github.com/acme/app.git" {
		t.Errorf("Remote = %s", got)
	}
}

func TestDataDir(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env  map[string]string
		uid  int
		want string
	}{
		{map[string]string{"HOME": "/root", "XDG_DATA_HOME": "/x"}, 0, "/var/lib/lander"},
		{map[string]string{"HOME": "/h", "XDG_DATA_HOME": "/x"}, 7, "/x/lander"},
		{map[string]string{"HOME": "/h", "XDG_DATA_HOME": "relative"}, 7, "/h/.local/share/lander"},
		{map[string]string{"HOME": "/h", "LANDER_DATA_DIR": "/d"}, 7, "/d"},
	} {
		s, err := Load(Source{Env: c.env, UID: c.uid})
		if err != nil || s.DataDir != c.want || s.Socket() != c.want+"/lander.sock" {
			t.Errorf("%v, uid %d: %s, %v", c.env, c.uid, s.DataDir, err)
		}
	}
	if got := problems(t, Source{UID: 7}); len(got) != 1 || !strings.Contains(got[0], "--data") {
		t.Errorf("without a home: %q", got)
	}
}

func TestAFlagBeatsAVariableBeatsTheFile(t *testing.T) {
	t.Parallel()
	file := disk(map[string]string{"/etc/lander.yml": "listen: 127.0.0.1:1\nprefix: '@file'\npoll: 2m\nlanes: [a/file:main]\n"})
	env := map[string]string{"LANDER_CONFIG": "/etc/lander.yml", "LANDER_PREFIX": "@env", "LANDER_POLL": "3m", "LANDER_LANES": "a/env:main, b/env:main"}
	s, err := Load(Source{Env: env, Read: file, Flags: map[string][]string{"poll": {"4m"}, "lane": {"a/flag:main", "b/flag:x,c/flag:y"}}})
	if err != nil {
		t.Fatal(err)
	}
	if s.Listen != "127.0.0.1:1" || s.Prefix != "@env" || s.Poll != 4*time.Minute {
		t.Errorf("listen %s, prefix %s, poll %v", s.Listen, s.Prefix, s.Poll)
	}
	if want := []queue.Lane{{Repo: "a/flag", Trunk: "main"}, {Repo: "b/flag", Trunk: "x"}, {Repo: "c/flag", Trunk: "y"}}; !reflect.DeepEqual(s.Lanes, want) {
		t.Errorf("lanes %v", s.Lanes)
	}
}

func TestEverySettingStandsInFileVariableAndFlag(t *testing.T) {
	t.Parallel()
	const key = "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----"
	file := disk(map[string]string{"/c": `
database_url: postgres://u:p@h/d
data_dir: /d
listen: ":0"
url: https://land.example.com/
public: false
api_token: 0123456789012345678901234567890
forge_url: https://git.example.com/api/v3/
app: {id: 7, key_file: /key, installation: 8}
webhook_secrets: ["old secret, long", new-secret]
lanes: ["acme/app:main"]
prefix: "@queue"
poll: 45s
branch_grace: 0s
workers: 6
run_env: [GOPROXY]
sandbox: bubblewrap
run_network: none
run_read: [/srv/tools/]
run_limits: {memory: 1.5GiB, pids: 100, disk: 2G, files: 5000, output: 64MiB}
committer: {name: Q Bot, email: q@example.com}
log: {format: json, level: debug}
`, "/key": key + "\n", "/secrets": "one-secret\ntwo-secret\n", "/db": "postgres://h/other\n"})
	s, err := Load(Source{File: "/c", Read: file, Serving: true})
	if err != nil {
		t.Fatal(err)
	}
	want := Server{
		DatabaseURL: NewSecret("postgres://u:p@h/d"), DataDir: "/d", Listen: ":0", URL: "https://land.example.com",
		APIToken: NewSecret("0123456789012345678901234567890"), ForgeURL: "https://git.example.com/api/v3",
		App:            App{ID: 7, Key: NewSecret(key), Installation: 8},
		WebhookSecrets: []Secret{NewSecret("old secret, long"), NewSecret("new-secret")},
		Lanes:          []queue.Lane{{Repo: "acme/app", Trunk: "main"}}, Prefix: "@queue", Poll: 45 * time.Second, Workers: 6,
		GitRemote: "https://git.example.com/{repo}.git", RunEnv: []string{"GOPROXY"},
		Sandbox: "bubblewrap", RunNetwork: "none", RunRead: []string{"/srv/tools"},
		RunLimits: Limits{Memory: 3 << 29, Pids: 100, Disk: 2 << 30, Files: 5000, Output: 64 << 20}, SecretFiles: []string{"/c", "/key"},
		Committer: Committer{Name: "Q Bot", Email: "q@example.com"}, Log: Log{Format: "json", Level: zerolog.DebugLevel},
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("differs from what was written")
	}

	s, err = Load(Source{
		Read: file, Serving: true,
		Env:   map[string]string{"LANDER_WEBHOOK_SECRETS_FILE": "/secrets", "LANDER_APP_KEY_FILE": "/key", "LANDER_APP_ID": "9", "LANDER_LANES": "a/b:c"},
		Flags: map[string][]string{"database-url-file": {"/db"}, "public": {"false"}, "log-level": {"warn"}},
	})
	if err != nil || s.DatabaseURL.Reveal() != "postgres://h/other" || len(s.WebhookSecrets) != 2 || s.App.Key.Reveal() != key || s.Public || s.Log.Level != zerolog.WarnLevel {
		t.Errorf("from files: %+v, %v", s, err)
	}
}

func TestSettingsTellEveryProblemAtOnce(t *testing.T) {
	t.Parallel()
	file := disk(map[string]string{"/c": "listn: x\nlog: {level: loud}\npoll: [1]\ntoken_file: /gone\n", "/empty": "\n"})
	got := problems(t, Source{
		File: "/c", Read: file, Serving: true,
		Env: map[string]string{
			"LANDER_URL": "land.example.com", "LANDER_LANES": "acme/app", "LANDER_TOKEN": "x", "LANDER_TOKEN_FILE": "/t", "LANDER_API_TOKEN_FILE": "/empty",
			"LANDER_RUN_ENV": "LANDER_TOKEN", "LANDER_COMMITTER_EMAIL": "me", "LANDER_WORKERS": "many", "LANDER_SANDBOX": "jail", "LANDER_RUN_READ": "tools",
			"LANDER_RUN_LIMITS_MEMORY": "lots", "LANDER_RUN_LIMITS_DISK": "1GiBB", "LANDER_RUN_LIMITS_PIDS": "3", "LANDER_DATABASE_URL": "mysql://root:hunter22@db/x",
		},
		Flags: map[string][]string{"listen": {"8080"}, "data": {""}},
	})
	want := []string{
		`line 1, column 1: /c: unknown key "listn"; did you mean "listen"?`,
		`line 2, column 14: /c: log.level wants one of debug, info, warn, error, not "loud"`,
		"line 3, column 7: /c: poll wants text, not a list",
		"line 4, column 13: /c: token_file cannot be read: open /gone: file does not exist",
		"LANDER_DATABASE_URL wants the address of a Postgres, as in postgres://user@host:5432/lander; leave it out for a private one",
		"LANDER_URL wants a plain http:// or https:// address, without user, query or fragment",
		"LANDER_API_TOKEN_FILE names /empty, which is empty; put the value into it",
		"LANDER_TOKEN and LANDER_TOKEN_FILE are both set; keep one",
		`LANDER_LANES wants OWNER/NAME:BRANCH, as in acme/app:main, not "acme/app"`,
		`LANDER_WORKERS wants a whole number from 1 to 1000, as in 4, or none, not "many"`,
		"LANDER_RUN_ENV cannot hand LANDER_TOKEN to test runs: what begins with LANDER_ is lander's own",
		`LANDER_SANDBOX wants one of bubblewrap, none, not "jail"`,
		`LANDER_RUN_READ wants absolute paths below /, not "tools"`,
		`LANDER_RUN_LIMITS_MEMORY wants a size from 16MiB, as in 512MiB or 4GiB, not "lots"`,
		`LANDER_RUN_LIMITS_PIDS wants a whole number from 16, not "3"`,
		`LANDER_RUN_LIMITS_DISK wants a size from 16MiB, as in 512MiB or 4GiB, not "1GiBB"`,
		`LANDER_COMMITTER_EMAIL wants a bare mail address, as in lander@example.com, not "me"`,
		"--data has no value",
		`--listen wants HOST:PORT, as in 127.0.0.1:8080 or :8080, not "8080"`,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if strings.Contains(strings.Join(got, ""), "hunter22") {
		t.Error("a problem shows a password")
	}
}

func TestWhatOnlyAServerNeeds(t *testing.T) {
	t.Parallel()
	key := disk(map[string]string{"/k": "-----BEGIN RSA PRIVATE KEY-----"})
	for _, c := range []struct {
		env  map[string]string
		want []string
	}{
		{nil, []string{sayNoWayIn(), sayNoLanes()}},
		{map[string]string{"LANDER_LANES": "a/b:c", "LANDER_TOKEN": "t", "LANDER_APP_ID": "1"}, []string{sayTokenAndApp()}},
		{map[string]string{"LANDER_LANES": "a/b:c", "LANDER_APP_KEY_FILE": "/k"}, []string{sayHalfAnApp()}},
		{map[string]string{"LANDER_LANES": "a/b:c", "LANDER_TOKEN": "t", "LANDER_FORGE_URL": "http://127.0.0.1:9"}, []string{sayNoRemote("http://127.0.0.1:9")}},
		{map[string]string{"LANDER_LANES": "a/b:c", "LANDER_TOKEN": "t", "LANDER_DATA_DIR": "/" + strings.Repeat("d", 120)}, []string{sayLongSocket("/" + strings.Repeat("d", 120))}},
	} {
		if got := problems(t, Source{Env: c.env, Read: key, Serving: true}); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v:\n got %q\nwant %q", c.env, got, c.want)
		}
		if _, err := Load(Source{Env: c.env, Read: key}); err != nil {
			t.Errorf("%v: a CLI is refused too: %v", c.env, err)
		}
	}
}

func TestASecretPrintsAsRedacted(t *testing.T) {
	t.Parallel()
	s := Server{Token: NewSecret("hunter22"), WebhookSecrets: []Secret{NewSecret("hunter22")}, App: App{Key: NewSecret("hunter22")}}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t"} {
		fmt.Fprintf(&out, verb+verb+"\n", s, s.Token)
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(text)
	log := zerolog.New(&out)
	log.Info().Interface("server", s).Any("secret", s.Token).Stringer("token", s.Token).Msg(fmt.Sprint(s.WebhookSecrets))
	log.Error().Err(fmt.Errorf("use %v", s.Token)).Send()
	if strings.Contains(out.String(), "hunter") || strings.Contains(out.String(), "68756e746572") {
		t.Errorf("shown: %s", out.String())
	}
	if strings.Count(out.String(), redacted) < 20 {
		t.Errorf("not marked: %s", out.String())
	}
	if s.Token.Reveal() != "hunter22" || NewSecret("").String() != "" {
		t.Error("Reveal or Empty is wrong")
	}
}

func TestSettingsHaveNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, s := range Settings() {
		for _, n := range []string{"flag " + s.Flag, "env " + s.Env} {
			if seen[n] != "" {
				t.Errorf("%s and %s are both %s", seen[n], s.Name, n)
			}
			seen[n] = s.Name
		}
		if s.Usage == "" {
			t.Errorf("%s says nothing", s.Name)
		}
	}
}
