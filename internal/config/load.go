package config

import (
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/goccy/go-yaml/ast"
	"github.com/rs/zerolog"
)

// Source is where settings come from. The zero Source gives the defaults.
type Source struct {
	Flags   map[string][]string          // flags that were given, by name without dashes
	Env     map[string]string            // the whole environment; see EnvMap
	File    string                       // path of the settings file (--config); empty: LANDER_CONFIG, or none
	Read    func(string) ([]byte, error) // reads a file; nil means os.ReadFile
	UID     int                          // the user's id; 0 is root
	Serving bool                         // also check what only a server needs: lanes and a way into the forge
	Working bool                         // also check what a worker needs, and that it is given nothing that could push
}

// EnvMap makes a map of the environment as os.Environ gives it.
func EnvMap(environ []string) map[string]string {
	env := make(map[string]string, len(environ))
	for _, e := range environ {
		if name, value, ok := strings.Cut(e, "="); ok {
			env[name] = value
		}
	}
	return env
}

// Load reads the settings: a flag beats a variable, a variable beats the file, the file beats the default. The error is a
// *SettingsError with every problem of every source.
func Load(src Source) (Server, error) {
	if src.Read == nil {
		src.Read = os.ReadFile
	}
	l := &loader{src: src, given: map[string]bool{}, server: Server{
		Listen: "127.0.0.1:8080", Public: true, ForgeURL: "https://api.github.com", Prefix: "@lander", Poll: 30 * time.Second, BranchGrace: time.Hour, RunNetwork: "setup",
		Committer: Committer{Name: "lander", Email: "lander@localhost"}, Log: Log{Format: "auto", Level: zerolog.InfoLevel},
	}}
	l.file()
	l.env()
	l.flags()
	l.derive()
	if src.Serving {
		l.serving()
	}
	if src.Working {
		l.working()
	}
	if len(l.problems) > 0 {
		return Server{}, &SettingsError{Problems: l.problems}
	}
	return l.server, nil
}

type loader struct {
	reader
	src    Source
	server Server
	given  map[string]bool // by name: somebody tried to set it
}

// set gives one setting its value; origin is how people know where it stands.
func (l *loader) set(s Setting, words []string, origin string, line, column int) {
	l.given[s.Name] = true
	if len(words) == 0 {
		l.add(line, column, sayNoValue(origin))
		return
	}
	if wrong := s.apply(&l.server, words); wrong != "" {
		l.add(line, column, origin+" "+wrong)
	}
}

// fromFile gives one setting the contents of a file.
func (l *loader) fromFile(s Setting, path, origin string, line, column int) {
	l.given[s.Name] = true
	l.secretFile(path)
	data, err := l.src.Read(path)
	if err != nil {
		l.add(line, column, sayCannotRead(origin, err))
		return
	}
	value := strings.TrimSpace(string(data))
	switch {
	case value == "":
		l.add(line, column, sayEmptyFile(origin, path))
	case s.List:
		l.set(s, strings.Fields(value), origin, line, column)
	default:
		l.set(s, []string{value}, origin, line, column)
	}
}

// secretFile keeps in mind where secrets are.
func (l *loader) secretFile(path string) {
	if abs, err := filepath.Abs(path); err == nil {
		l.server.SecretFiles = append(l.server.SecretFiles, abs)
	}
}

func (l *loader) env() {
	for _, s := range Settings() {
		value, path := l.src.Env[s.Env], l.src.Env[s.Env+"_FILE"]
		switch {
		case value != "" && path != "":
			l.add(0, 0, sayBoth(s.Env))
		case value != "" && s.List:
			l.set(s, split(value), s.Env, 0, 0)
		case value != "":
			l.set(s, []string{value}, s.Env, 0, 0)
		case path != "":
			l.fromFile(s, path, s.Env+"_FILE", 0, 0)
		}
	}
}

func (l *loader) flags() {
	for _, s := range Settings() {
		words, given := l.src.Flags[s.Flag]
		if !given {
			continue
		}
		origin := "--" + s.Flag
		switch {
		case len(words) == 0 || words[len(words)-1] == "":
			l.add(0, 0, sayNoValue(origin))
		case s.secret:
			l.fromFile(s, words[len(words)-1], origin, 0, 0)
		case s.List:
			l.set(s, split(strings.Join(words, ",")), origin, 0, 0)
		default:
			l.set(s, words[len(words)-1:], origin, 0, 0)
		}
	}
}

func (l *loader) file() {
	path := l.src.File
	if path == "" {
		path = l.src.Env["LANDER_CONFIG"]
	}
	if path == "" {
		return
	}
	data, err := l.src.Read(path)
	if err != nil {
		l.add(0, 0, sayCannotRead("--config", err))
		return
	}
	l.secretFile(path)
	if root := l.parse(data); root != nil {
		l.mapping(root, "", l.fields())
	}
	for i := range l.problems {
		l.problems[i].Text = path + ": " + l.problems[i].Text
	}
	sortProblems(l.problems)
}

// fields is the settings table in the shape of the file. A secret may also stand as NAME_file: the path of a file that holds it.
func (l *loader) fields() []field {
	var top []field
	nested := map[string][]field{}
	for _, s := range Settings() {
		group, name, inGroup := strings.Cut(s.Name, ".")
		if !inGroup {
			group, name = "", s.Name
		}
		fields := []field{{name: name, read: func(n ast.Node) { l.fileValue(s, n) }}}
		if s.secret {
			fields = append(fields, field{name: name + "_file", read: func(n ast.Node) {
				if path, ok := l.text(n, s.Name+"_file"); ok {
					at := place(n)
					l.fromFile(s, path, s.Name+"_file", at.Line, at.Column)
				}
			}})
		}
		if !inGroup {
			top = append(top, fields...)
			continue
		}
		if nested[group] == nil {
			top = append(top, field{name: group, read: func(n ast.Node) { l.mapping(n, group, nested[group]) }})
		}
		nested[group] = append(nested[group], fields...)
	}
	return top
}

func (l *loader) fileValue(s Setting, n ast.Node) {
	at := place(n)
	if s.List {
		l.given[s.Name] = true
		before := len(l.problems)
		if words := l.texts(n, s.Name); len(l.problems) == before {
			l.set(s, words, s.Name, at.Line, at.Column)
		}
		return
	}
	l.given[s.Name] = true
	var word string
	if scalar(n) {
		word = n.GetToken().Value
	} else if t, ok := l.text(n, s.Name); ok {
		word = strings.TrimSpace(t)
	} else {
		return
	}
	l.set(s, []string{word}, s.Name, at.Line, at.Column)
}

// derive fills in what follows from the rest.
func (l *loader) derive() {
	s := &l.server
	if s.DataDir == "" {
		s.DataDir = l.defaultDataDir()
	}
	if s.URL == "" && !strings.HasSuffix(s.Listen, ":0") {
		s.URL = "http://" + s.Listen
	}
	if s.GitRemote == "" {
		s.GitRemote = remoteOf(s.ForgeURL)
	}
}

func (l *loader) defaultDataDir() string {
	xdg, home := l.src.Env["XDG_DATA_HOME"], l.src.Env["HOME"]
	switch {
	case l.src.UID == 0:
		return "/var/lib/lander"
	case filepath.IsAbs(xdg):
		return filepath.Join(xdg, "lander")
	case filepath.IsAbs(home):
		return filepath.Join(home, ".local", "share", "lander")
	}
	l.add(0, 0, sayNoHome())
	return ""
}

// serving checks what a server cannot do without.
func (l *loader) serving() {
	s := &l.server
	app := l.given["app.id"] || l.given["app.key"] || l.given["app.installation"]
	switch {
	case l.given["token"] && app:
		l.add(0, 0, sayTokenAndApp())
	case !l.given["token"] && !app:
		l.add(0, 0, sayNoWayIn())
	case app && (!l.given["app.id"] || !l.given["app.key"]):
		l.add(0, 0, sayHalfAnApp())
	}
	if !l.given["lanes"] {
		l.add(0, 0, sayNoLanes())
	}
	if s.GitRemote == "" && !l.given["git_remote"] {
		l.add(0, 0, sayNoRemote(s.ForgeURL))
	}
	if len(s.Socket()) > mostSocket {
		l.add(0, 0, sayLongSocket(s.DataDir))
	}
}

// working checks that a worker has what it needs, and nothing by which it could push, or order lander about.
func (l *loader) working() {
	for _, name := range []string{"token", "app.id", "app.key", "app.installation", "webhook_secrets", "api_token", "signing_key"} {
		if l.given[name] {
			l.add(0, 0, sayWorkerMayNotPush(name))
		}
	}
	if l.server.DatabaseURL.Empty() && !l.given["database_url"] {
		l.add(0, 0, sayWorkerNeedsDatabase())
	}
	if l.server.GitRemote == "" && !l.given["git_remote"] {
		l.add(0, 0, sayNoRemote(l.server.ForgeURL))
	}
	if l.server.Workers == NoWorkers {
		l.add(0, 0, sayWorkerRuns())
	}
}

// mostSocket is the longest path of a unix socket that every system takes.
const mostSocket = 103

// split takes a list apart at commas and spaces.
func split(s string) []string {
	return strings.FieldsFunc(s, func(c rune) bool { return c == ',' || unicode.IsSpace(c) })
}
