package config

import (
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/queue"
)

// Server is all that a lander is told about where and for whom it works. Load fills it in and checks it.
type Server struct {
	DatabaseURL    Secret // empty: the embedded Postgres, in DataDir
	DataDir        string // absolute; holds the embedded Postgres, mirrors, checkouts and logs
	Listen         string // host:port; port 0 takes a free one
	URL            string // where people reach the pages, without a slash at its end; empty: only known once a free port was taken
	Public         bool   // anybody who reaches the pages may read them
	APIToken       Secret // lets a CLI on another machine act as an admin; empty: only the local socket does
	ForgeURL       string // base of the forge's REST API, without a slash at its end
	Token          Secret // a personal access token; empty: App is used
	App            App
	WebhookSecrets []Secret     // any of them may sign; none: webhooks are refused and the poll does it all
	Lanes          []queue.Lane // sorted as given, each once
	Prefix         string       // how comments address lander, as in "@lander"
	Poll           time.Duration
	BranchGrace    time.Duration // how long the branch of a candidate is kept after its verdict
	Workers        int           // test runs at a time on this machine; 0: a quarter of its processors, at least one; NoWorkers: none
	RunLabels      []string      // what this machine has, for recipes that ask; as queue.ParseLabels gives them
	WorkerName     string        // of a worker, among all of a database's; empty: the machine's
	ReadToken      Secret        // what a worker fetches with; empty: nothing
	GitRemote      string        // where git fetches and pushes, with {repo} for OWNER/NAME
	RunEnv         []string      // names of lander's own environment variables that test runs may see
	Sandbox        string        // what keeps test runs apart: "bubblewrap", "none", or empty: bubblewrap where it can be had
	RunNetwork     string        // which commands may reach the network: "setup", "all" or "none"
	RunRead        []string      // absolute paths of more that sandboxed runs may read
	RunLimits      Limits
	SecretFiles    []string // files that secrets were read from, and the one of the settings
	Committer      Committer
	SigningKey     Secret // empty: the ledger is not signed
	AllowedSigners string // a file; empty: whoever signed is believed
	Log            Log
}

// NoWorkers is the number of workers that says that no test runs here.
const NoWorkers = -1

// App is a GitHub App's identity.
type App struct {
	ID           int64
	Key          Secret // the private key itself, PEM
	Installation int64  // 0: looked up per repository
}

// Limits bound one sandboxed test run. 0: as testrun has it.
type Limits struct {
	Memory, Disk, Output int64 // bytes
	Pids, Files          int
}

// Committer stands on every commit that lander makes.
type Committer struct{ Name, Email string }

// String is as git writes it: "Name <address>".
func (c Committer) String() string { return c.Name + " <" + c.Email + ">" }

// Log says how lander logs.
type Log struct {
	Format string // "json", "console", or "auto": console on a terminal
	Level  zerolog.Level
}

// Socket is the path of the socket over which a CLI on this machine acts as an admin.
func (s Server) Socket() string { return filepath.Join(s.DataDir, "lander.sock") }

// Remote is where git finds a repository "owner/name".
func (s Server) Remote(repo string) string { return strings.ReplaceAll(s.GitRemote, remoteRepo, repo) }

// remoteRepo is what stands for the repository in Server.GitRemote.
const remoteRepo = "{repo}"

// remoteOf guesses where git lives from where the forge's API lives; empty when that is not a shape GitHub has.
func remoteOf(forge string) string {
	u, err := url.Parse(forge)
	switch {
	case err != nil:
		return ""
	case u.Host == "api.github.com":
		return "https://github.com/" + remoteRepo + ".git"
	case strings.TrimSuffix(u.Path, "/") == "/api/v3": // GitHub Enterprise Server
		return u.Scheme + "://" + u.Host + "/" + remoteRepo + ".git"
	}
	return ""
}
