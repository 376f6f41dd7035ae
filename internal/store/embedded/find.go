package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// BinVariable names the environment variable that holds the directory of the PostgreSQL programs, when set.
const BinVariable = "LANDER_POSTGRES_BIN"

// oldest is the first major version with everything that lander's SQL uses.
const oldest = 14

// usual are the places where packages put the programs: Debian, RPM, Alpine, Homebrew on Apple silicon and on Intel, Postgres.app.
var usual = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/usr/libexec/postgresql*",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// Install is one set of PostgreSQL programs.
type Install struct {
	Bin   string // directory of postgres and initdb
	Major int    // 15 for 15.14
}

// Find gives the newest PostgreSQL on this machine, 14 or newer. BinVariable, when set, decides alone.
// Its error is a sentence for the operator, with the command that installs PostgreSQL on this system.
func Find() (Install, error) {
	all, err := search{bin: os.Getenv(BinVariable), path: os.Getenv("PATH"), places: usual}.all()
	if err != nil {
		return Install{}, err
	}
	return all[0], nil
}

// search says where to look.
type search struct {
	bin    string   // decides alone when not empty
	path   string   // as PATH
	places []string // globs
}

// all lists what there is, the newest first; in the order of the search where equally new. It is never empty without an error.
func (s search) all() ([]Install, error) {
	if s.bin != "" {
		one, err := inspect(s.bin)
		if err != nil {
			return nil, errBadBin(s.bin, err)
		}
		return []Install{one}, nil
	}
	dirs := filepath.SplitList(s.path)
	if dir := s.configured(); dir != "" {
		dirs = append(dirs, dir)
	}
	for _, place := range s.places {
		found, err := filepath.Glob(place)
		if err != nil {
			return nil, fmt.Errorf("find PostgreSQL in %s: %w", place, err)
		}
		dirs = append(dirs, found...)
	}
	var all []Install
	seen := map[string]bool{}
	for _, dir := range dirs {
		real, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
		if err != nil || seen[real] || !filepath.IsAbs(dir) {
			continue
		}
		seen[real] = true
		// A directory that does not hold a working PostgreSQL is no failure here: it is not what was looked for.
		if one, err := inspect(filepath.Dir(real)); err == nil {
			all = append(all, one)
		}
	}
	if len(all) == 0 {
		return nil, errNoPostgres()
	}
	slices.SortStableFunc(all, func(a, b Install) int { return cmp.Compare(b.Major, a.Major) })
	return all, nil
}

// configured asks pg_config, which knows about servers in unusual places.
func (s search) configured() string {
	for _, dir := range filepath.SplitList(s.path) {
		if !filepath.IsAbs(dir) {
			continue
		}
		if out, err := ask("/", nil, filepath.Join(dir, "pg_config"), "--bindir"); err == nil {
			return out
		}
	}
	return ""
}

var versionLine = regexp.MustCompile(`^postgres \(PostgreSQL\) (\d+)`)

// inspect reports the PostgreSQL in dir.
func inspect(dir string) (Install, error) {
	out, err := ask("/", nil, filepath.Join(dir, "postgres"), "--version")
	if err != nil {
		return Install{}, err
	}
	m := versionLine.FindStringSubmatch(out)
	if m == nil {
		return Install{}, fmt.Errorf("read version %q: not PostgreSQL's", out)
	}
	major, err := strconv.Atoi(m[1])
	if err != nil {
		return Install{}, fmt.Errorf("read version %q: %w", out, err)
	}
	if major < oldest {
		return Install{}, fmt.Errorf("version %d is older than %d", major, oldest)
	}
	if info, err := os.Stat(filepath.Join(dir, "initdb")); err != nil || info.IsDir() {
		return Install{}, cmp.Or(err, errors.New("initdb is a directory"))
	}
	return Install{Bin: dir, Major: major}, nil
}

// ask runs a program that prints one line.
func ask(dir string, as *syscall.SysProcAttr, program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.SysProcAttr, cmd.Env = dir, as, environment()
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("run %s: %w", program, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// environment is all that PostgreSQL's programs see: no PG* variable of the user, no secret of lander.
func environment() []string {
	return []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}
}
