package config

import (
	"net"
	"net/mail"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/queue"
)

// Setting describes one setting of the server, for flags and for help.
type Setting struct {
	Name    string // as in the file; a dot stands for nesting
	Flag    string // without dashes; a secret's flag names a file that holds it, for arguments can be read by every user
	Env     string // the variable; with _FILE behind it, the name of a file that holds the value
	Usage   string
	Default string // for people; empty when there is none
	List    bool   // may be given several times, or with commas between
	Bool    bool

	secret bool
	apply  func(s *Server, words []string) string // says what is wrong, without the setting's name; empty when it is right
}

// Settings lists every setting there is.
func Settings() []Setting {
	all := []Setting{
		{Name: "database_url", Usage: "Postgres to work with, as in postgres://user@host/db", Default: "a private one in the data directory", secret: true, apply: databaseURL},
		{Name: "data_dir", Flag: "data", Usage: "where everything on disk is kept", Default: "$XDG_DATA_HOME/lander; as root /var/lib/lander", apply: dataDir},
		{Name: "listen", Usage: "address of webhooks and pages", Default: "127.0.0.1:8080", apply: listen},
		{Name: "url", Usage: "where people reach the pages", Default: "http:// and the address it listens on", apply: webURL(func(s *Server) *string { return &s.URL })},
		{Name: "public", Usage: "let anybody who reaches the pages read them", Default: "true", Bool: true, apply: public},
		{Name: "api_token", Usage: "lets a CLI on another machine act as an admin", secret: true, apply: apiToken},
		{Name: "forge_url", Usage: "base of the forge's REST API", Default: "https://api.github.com", apply: webURL(func(s *Server) *string { return &s.ForgeURL })},
		{Name: "token", Usage: "personal access token for the forge", secret: true, apply: secret(func(s *Server) *Secret { return &s.Token })},
		{Name: "app.id", Usage: "id of the GitHub App to be, instead of a token", apply: id(func(s *Server) *int64 { return &s.App.ID })},
		{Name: "app.key", Usage: "the App's private key, PEM", secret: true, apply: appKey},
		{Name: "app.installation", Usage: "id of the App's installation", Default: "looked up", apply: id(func(s *Server) *int64 { return &s.App.Installation })},
		{Name: "webhook_secrets", Usage: "secrets that webhooks may be signed with", List: true, secret: true, apply: webhookSecrets},
		{Name: "lanes", Flag: "lane", Usage: "what to land on, as in acme/app:main", List: true, apply: lanes},
		{Name: "prefix", Usage: "how comments address lander", Default: "@lander", apply: prefix},
		{Name: "poll", Usage: "how often the forge is asked, beside webhooks", Default: "30s", apply: poll},
		{Name: "branch_grace", Usage: "how long the branch of a candidate with checks is kept after its verdict", Default: "1h", apply: branchGrace},
		{Name: "workers", Usage: "test runs at a time on this machine; none: all run on other machines", Default: "a quarter of its processors, at least 1", apply: workers},
		{Name: "run_labels", Flag: "labels", Usage: "what this machine has, for suites that ask for labels, as in linux,big", List: true, apply: runLabels},
		{Name: "worker_name", Flag: "name", Usage: "name of a worker, of its own", Default: "the machine's", apply: workerName},
		{Name: "read_token", Usage: "token that may read the repositories, for a worker to fetch with", secret: true, apply: secret(func(s *Server) *Secret { return &s.ReadToken })},
		{Name: "git_remote", Usage: "where git fetches and pushes, with {repo} for OWNER/NAME", Default: "found from forge_url", apply: gitRemote},
		{Name: "run_env", Usage: "names of environment variables that test runs may see", List: true, apply: runEnv},
		{Name: "sandbox", Usage: "what keeps test runs apart: bubblewrap or none", Default: "bubblewrap where it can be had; else forks are not tested", apply: sandbox},
		{Name: "run_network", Usage: "what of a test run may reach the network: setup (and steps that ask), all or none", Default: "setup", apply: runNetwork},
		{Name: "run_read", Usage: "more files and directories that sandboxed test runs may read", List: true, apply: runRead},
		{Name: "run_limits.memory", Usage: "most memory of a sandboxed test run, as in 4GiB", Default: "three quarters of the machine's", apply: size(func(s *Server) *int64 { return &s.RunLimits.Memory })},
		{Name: "run_limits.pids", Usage: "most processes and threads of one", Default: "4096", apply: number(func(s *Server) *int { return &s.RunLimits.Pids })},
		{Name: "run_limits.disk", Usage: "most that its checkout and private directory hold, as in 20GiB", Default: "20GiB", apply: size(func(s *Server) *int64 { return &s.RunLimits.Disk })},
		{Name: "run_limits.files", Usage: "most files there", Default: "2000000", apply: number(func(s *Server) *int { return &s.RunLimits.Files })},
		{Name: "run_limits.output", Usage: "most that it writes to its log, kept or not", Default: "2GiB", apply: size(func(s *Server) *int64 { return &s.RunLimits.Output })},
		{Name: "committer.name", Usage: "name on the commits that lander makes", Default: "lander", apply: committerName},
		{Name: "committer.email", Usage: "address on the commits that lander makes", Default: "lander@localhost", apply: committerEmail},
		{Name: "signing_key", Usage: "OpenSSH private key that signs the ledger", secret: true, apply: signingKey},
		{Name: "allowed_signers", Usage: "file of the keys that may have signed the ledger, as git reads it", Default: "any key is believed", apply: allowedSigners},
		{Name: "log.format", Usage: "json, console, or auto: console on a terminal", Default: "auto", apply: logFormat},
		{Name: "log.level", Usage: "debug, info, warn or error", Default: "info", apply: logLevel},
	}
	for i := range all {
		s := &all[i]
		s.Env = "LANDER_" + strings.ToUpper(strings.ReplaceAll(s.Name, ".", "_"))
		if s.Flag == "" {
			s.Flag = strings.NewReplacer(".", "-", "_", "-").Replace(s.Name)
		}
		if s.secret {
			s.Flag += "-file"
			s.Usage += " (a file that holds it)"
		}
	}
	return all
}

func databaseURL(s *Server, words []string) string {
	u, err := url.Parse(words[0])
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return sayWantDatabase() // the address holds a password: it is not repeated
	}
	s.DatabaseURL = NewSecret(words[0])
	return ""
}

func dataDir(s *Server, words []string) string {
	dir, err := filepath.Abs(words[0])
	if err != nil {
		return sayNoWorkDir(err)
	}
	s.DataDir = dir
	return ""
}

func listen(s *Server, words []string) string {
	_, port, err := net.SplitHostPort(words[0])
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return sayWantAddress(words[0])
	}
	s.Listen = words[0]
	return ""
}

func webURL(field func(*Server) *string) func(*Server, []string) string {
	return func(s *Server, words []string) string {
		u, err := url.Parse(words[0])
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return sayWantURL()
		}
		*field(s) = strings.TrimRight(words[0], "/")
		return ""
	}
}

func public(s *Server, words []string) string {
	switch words[0] {
	case "true", "yes", "1":
		s.Public = true
	case "false", "no", "0":
		s.Public = false
	default:
		return sayWantBool(words[0])
	}
	return ""
}

func apiToken(s *Server, words []string) string {
	if len(words[0]) < 20 || strings.ContainsAny(words[0], " \t\n") {
		return sayWeakToken()
	}
	s.APIToken = NewSecret(words[0])
	return ""
}

func secret(field func(*Server) *Secret) func(*Server, []string) string {
	return func(s *Server, words []string) string {
		if strings.ContainsAny(words[0], " \t\r\n") {
			return sayWantOneWord()
		}
		*field(s) = NewSecret(words[0])
		return ""
	}
}

func appKey(s *Server, words []string) string {
	if !strings.Contains(words[0], "PRIVATE KEY-----") {
		return sayWantKey()
	}
	s.App.Key = NewSecret(words[0])
	return ""
}

func signingKey(s *Server, words []string) string {
	if !strings.Contains(words[0], "BEGIN OPENSSH PRIVATE KEY-----") {
		return sayWantSigningKey()
	}
	s.SigningKey = NewSecret(words[0])
	return ""
}

func allowedSigners(s *Server, words []string) string {
	name, err := filepath.Abs(words[0])
	if err != nil {
		return sayNoWorkDir(err)
	}
	s.AllowedSigners = name
	return ""
}

func id(field func(*Server) *int64) func(*Server, []string) string {
	return func(s *Server, words []string) string {
		n, err := strconv.ParseInt(words[0], 10, 64)
		if err != nil || n <= 0 {
			return sayWantID(words[0])
		}
		*field(s) = n
		return ""
	}
}

func webhookSecrets(s *Server, words []string) string {
	s.WebhookSecrets = nil
	for _, w := range words {
		if len(w) < 8 {
			return sayWeakSecret()
		}
		s.WebhookSecrets = append(s.WebhookSecrets, NewSecret(w))
	}
	return ""
}

func lanes(s *Server, words []string) string {
	s.Lanes = nil
	for _, w := range words {
		lane, err := queue.ParseLane(w)
		if err != nil || !validBranch(lane.Trunk) {
			return sayWantLane(w)
		}
		if slices.Contains(s.Lanes, lane) {
			return sayLaneTwice(w)
		}
		s.Lanes = append(s.Lanes, lane)
	}
	return ""
}

func prefix(s *Server, words []string) string {
	if w := words[0]; len(w) < 2 || w[0] != '@' && w[0] != '/' || strings.ContainsAny(w, " \t\r\n") {
		return sayWantPrefix(w)
	}
	s.Prefix = words[0]
	return ""
}

func poll(s *Server, words []string) string {
	d, err := time.ParseDuration(words[0])
	if err != nil || d < time.Second || d > time.Hour {
		return sayWantPoll(words[0])
	}
	s.Poll = d
	return ""
}

func branchGrace(s *Server, words []string) string {
	d, err := time.ParseDuration(words[0])
	if err != nil || d < 0 || d > 30*24*time.Hour {
		return sayWantGrace(words[0])
	}
	s.BranchGrace = d
	return ""
}

func workers(s *Server, words []string) string {
	if words[0] == "none" {
		s.Workers = NoWorkers
		return ""
	}
	n, err := strconv.Atoi(words[0])
	if err != nil || n < 1 || n > mostWorkers {
		return sayWantWorkers(words[0])
	}
	s.Workers = n
	return ""
}

// mostWorkers is more than any machine has room for.
const mostWorkers = 1000

func gitRemote(s *Server, words []string) string {
	u, err := url.Parse(words[0])
	if err != nil || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "file" || u.User != nil || !strings.Contains(words[0], remoteRepo) {
		return sayWantRemote()
	}
	s.GitRemote = words[0]
	return ""
}

func runEnv(s *Server, words []string) string {
	s.RunEnv = nil
	for _, w := range words {
		switch {
		case !validName(w):
			return sayWantName(w)
		case strings.HasPrefix(w, "LANDER_"):
			return sayOwnName(w)
		}
		s.RunEnv = append(s.RunEnv, w)
	}
	return ""
}

func committerName(s *Server, words []string) string {
	if strings.ContainsAny(words[0], "<>\n\r\x00") {
		return sayWantCommitter()
	}
	s.Committer.Name = words[0]
	return ""
}

func committerEmail(s *Server, words []string) string {
	if a, err := mail.ParseAddress(words[0]); err != nil || a.Address != words[0] {
		return sayWantEmail(words[0])
	}
	s.Committer.Email = words[0]
	return ""
}

func logFormat(s *Server, words []string) string {
	known := []string{"auto", "json", "console"}
	if !slices.Contains(known, words[0]) {
		return sayWantWord(known, words[0])
	}
	s.Log.Format = words[0]
	return ""
}

func logLevel(s *Server, words []string) string {
	known := []string{"debug", "info", "warn", "error"}
	level, err := zerolog.ParseLevel(words[0])
	if err != nil || !slices.Contains(known, words[0]) {
		return sayWantWord(known, words[0])
	}
	s.Log.Level = level
	return ""
}

func validName(w string) bool {
	for i, c := range w {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return w != ""
}
