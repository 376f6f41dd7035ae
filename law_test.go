// Package lander_test holds the import law: which room of the house may use what. It reads every Go file of the tree, whatever
// system the file is for, and knows nothing but import paths and, for queue, names.
package lander_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "lander"

// leaves are what the wiring rooms join.
var leaves = []string{
	"internal/queue", "internal/vcs", "internal/testrun", "internal/store", "internal/store/embedded", "internal/forge",
	"internal/config", "internal/sim", "internal/verify", "sql",
}

// rooms lists every directory that may hold Go code, and which rooms its product code may import. A room includes what is below
// it, unless that is listed itself. A new room is a new line here, and a decision.
var rooms = map[string][]string{
	"cmd/lander":               slices.Concat(leaves, []string{"internal/gate", "internal/web", "internal/serve", "internal/hub", "internal/demo"}),
	"internal/serve":           slices.Concat(leaves, []string{"internal/gate", "internal/web"}),
	"internal/demo":            slices.Concat(leaves, []string{"internal/gate", "internal/web", "internal/serve", "internal/hub"}),
	"internal/landertest":      slices.Concat(leaves, forTests, []string{"internal/gate", "internal/web", "internal/serve"}),
	"internal/queue":           {},
	"internal/vcs":             {"internal/queue"},
	"internal/testrun":         {"internal/queue"},
	"internal/forge":           {"internal/queue"},
	"internal/config":          {"internal/queue"},
	"internal/sim":             {"internal/queue"},
	"internal/verify":          {}, // shares nothing with what it verifies, not even words
	"internal/store":           {"internal/queue", "sql"},
	"internal/store/embedded":  {},
	"internal/store/storetest": {"internal/store/embedded"},
	"internal/gate":            {"internal/queue"},
	"internal/web":             {"internal/queue", "internal/store", "internal/forge"},
	"internal/hub":             {"internal/queue", "internal/vcs"},
	"sql":                      {},
	".":                        {}, // this file
}

// forTests are the rooms that every test may use beyond what its room may.
var forTests = []string{"internal/store/storetest", "internal/hub", "internal/landertest"}

// places says where an import may stand: a package and all below it. Tests are held to it too, unless testsToo is false.
var places = []struct {
	imported string
	only     []string
	testsToo bool
}{
	{"github.com/jackc", []string{"internal/store"}, true},
	{"database/sql", []string{"internal/store"}, true},
	{"github.com/pressly/goose", []string{"internal/store"}, true},
	{"github.com/riverqueue", []string{"internal/store"}, true},
	{"github.com/google/go-github", []string{"internal/forge/github"}, true},
	{"golang.org/x/oauth2", []string{"internal/forge/github"}, true},
	{"github.com/golang-jwt/jwt", []string{"internal/forge/github", "internal/hub"}, true}, // one signs, the other verifies
	{"github.com/spf13/cobra", []string{"cmd/lander"}, true},
	{"os/exec", []string{"internal/vcs", "internal/verify", "internal/testrun", "internal/store/embedded"}, false},
	{"net/http/cgi", []string{"internal/hub"}, false}, // starts processes as well
	{"testing", []string{"internal/landertest", "internal/store/storetest"}, false},
	{"pgregory.net/rapid", []string{"internal/landertest"}, false},
	{"github.com/rogpeppe/go-internal", []string{"internal/landertest"}, false},
}

// pure is all of the standard library that queue may import.
var pure = []string{
	"bytes", "cmp", "container/heap", "container/list", "crypto/sha256", "encoding", "encoding/binary", "encoding/hex",
	"encoding/json", "errors", "fmt", "hash/fnv", "iter", "maps", "math", "math/bits", "path", "regexp", "slices", "sort",
	"strconv", "strings", "sync", "time", "unicode", "unicode/utf8",
}

// played is what sim may import beside that: chance, which comes from a seed, and what it reads and writes is handed to it.
var played = slices.Concat(pure, []string{"bufio", "context", "encoding/csv", "html", "io", "math/rand/v2"})

// impure are names in pure packages that read the clock, wait, write, or share state. (Of sync, that leaves the lazy values.)
var impure = map[string][]string{
	"time": {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Local", "LoadLocation"},
	"sync": {"Mutex", "RWMutex", "WaitGroup", "Cond", "NewCond", "Map", "Pool", "Once"},
	"fmt":  {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
}

// empty are names that say nothing about what is inside.
var empty = []string{"util", "utils", "common", "model", "models", "type", "types", "service", "services", "pkg", "helper", "helpers", "misc"}

// breaches lists what one file does against the law. name is its slash-separated path in the tree.
func breaches(name string, source any) ([]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("parse: %w", err)
	}
	dir := path.Dir(name)
	isTest := strings.HasSuffix(name, "_test.go")
	var found []string
	breach := func(format string, args ...any) { found = append(found, name+": "+fmt.Sprintf(format, args...)) }

	for _, word := range append(strings.Split(dir, "/"), strings.TrimSuffix(file.Name.Name, "_test")) {
		if slices.Contains(empty, word) {
			breach("the name %q says nothing", word)
		}
	}
	room, known := roomOf(dir)
	if !known {
		breach("%s is no room of the house", dir)
	}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, fmt.Errorf("parse import: %w", err)
		}
		if imported == "C" {
			breach("imports C: the program is static")
		}
		if own, ok := strings.CutPrefix(imported, module+"/"); ok {
			if target, _ := roomOf(own); !mayImport(room, target, isTest) {
				breach("%s may not import %s", room, own)
			}
		}
		for _, p := range places {
			if below(imported, p.imported) && (p.testsToo || !isTest) && !slices.ContainsFunc(p.only, func(d string) bool { return below(dir, d) }) {
				breach("%s belongs in %s only", imported, strings.Join(p.only, ", "))
			}
		}
		if room == "internal/queue" && !isTest && !slices.Contains(pure, imported) {
			breach("queue is pure and may not import %s", imported)
		}
		if room == "internal/sim" && !isTest && !strings.HasPrefix(imported, module+"/") && !slices.Contains(played, imported) {
			breach("sim plays in virtual time and may not import %s", imported)
		}
	}
	if room == "internal/queue" && !isTest {
		for _, use := range impureUses(file) {
			breach("queue is pure and may not use %s", use)
		}
	}
	if room == "internal/sim" && !isTest {
		for _, use := range impureUses(file) {
			if !strings.HasPrefix(use, "sync.") { // it plays several days side by side
				breach("sim plays in virtual time and may not use %s", use)
			}
		}
	}
	return found, nil
}

// impureUses lists the uses of impure names, under whatever name their package is imported.
func impureUses(file *ast.File) (uses []string) {
	packages := map[string]string{} // by local name
	for _, spec := range file.Imports {
		imported := strings.Trim(spec.Path.Value, `"`)
		local := path.Base(imported)
		if spec.Name != nil {
			local = spec.Name.Name
		}
		if local == "." {
			uses = append(uses, "a dot import of "+imported)
		}
		packages[local] = imported
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && slices.Contains(impure[packages[x.Name]], sel.Sel.Name) {
				uses = append(uses, packages[x.Name]+"."+sel.Sel.Name)
			}
		}
		return true
	})
	return uses
}

// roomOf finds the room that a directory belongs to: the longest listed one that it is below.
func roomOf(dir string) (room string, known bool) {
	for at := dir; ; at = path.Dir(at) {
		if _, ok := rooms[at]; ok && (at != "." || dir == ".") {
			return at, true
		}
		if at == "." || at == "/" {
			return dir, false
		}
	}
}

func mayImport(room, target string, isTest bool) bool {
	return room == target || slices.Contains(rooms[room], target) || isTest && slices.Contains(forTests, target)
}

// below reports whether an import path or a directory is root or inside it.
func below(name, root string) bool { return name == root || strings.HasPrefix(name, root+"/") }

func TestImportLaw(t *testing.T) {
	t.Parallel()
	files := 0
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || slices.Contains([]string{"testdata", "tools", "bin"}, entry.Name())):
			return filepath.SkipDir
		case entry.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		files++
		found, err := breaches(filepath.ToSlash(name), nil)
		for _, each := range found {
			t.Error(each)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 20 {
		t.Errorf("read only %d files: the test does not see the tree", files)
	}
}

func TestLawSeesBreaches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, source, want string }{
		{"internal/queue/a.go", `import "os"`, "queue is pure and may not import os"},
		{"internal/queue/a.go", `import "context"`, "queue is pure and may not import context"},
		{"internal/queue/a.go", `import "net/url"`, "queue is pure and may not import net/url"},
		{"internal/queue/a.go", `import "math/rand/v2"`, "queue is pure and may not import math/rand/v2"},
		{"internal/queue/a.go", `import "github.com/rs/zerolog"`, "queue is pure and may not import github.com/rs/zerolog"},
		{"internal/queue/a.go", `import "lander/internal/store"`, "internal/queue may not import internal/store"},
		{"internal/queue/a.go", `import "time"; var x = time.Now()`, "queue is pure and may not use time.Now"},
		{"internal/queue/a.go", `import clock "time"; var x = clock.Since`, "queue is pure and may not use time.Since"},
		{"internal/queue/a.go", `import . "time"; var x = Now()`, "queue is pure and may not use a dot import of time"},
		{"internal/queue/a.go", `import "fmt"; func f() { fmt.Println() }`, "queue is pure and may not use fmt.Println"},
		{"internal/queue/a.go", `import "sync"; var x sync.Mutex`, "queue is pure and may not use sync.Mutex"},
		{"internal/queue/a.go", `import ("sync"; "time"); var x, y = sync.OnceValue(f), time.Second`, ""},
		{"internal/queue/a_test.go", `import ("os"; "time"; "pgregory.net/rapid"); var x = time.Now()`, ""},

		{"internal/vcs/a.go", `import ("lander/internal/queue"; "os/exec"; "github.com/rs/zerolog")`, ""},
		{"internal/vcs/a.go", `import "lander/internal/store"`, "internal/vcs may not import internal/store"},
		{"internal/store/a.go", `import "lander/internal/vcs"`, "internal/store may not import internal/vcs"},
		{"internal/store/a.go", `import ("lander/sql"; "github.com/jackc/pgx/v5/pgxpool"; "lander/internal/store/db")`, ""},
		{"internal/store/errands/a.go", `import ("github.com/riverqueue/river"; "lander/internal/store/db")`, ""},
		{"internal/serve/a.go", `import "github.com/riverqueue/river"`, "belongs in internal/store only"},
		{"internal/store/a.go", `import "lander/internal/store/embedded"`, "internal/store may not import internal/store/embedded"},
		{"internal/store/a.go", `import "lander/internal/store/storetest"`, "internal/store may not import internal/store/storetest"},
		{"internal/store/a_test.go", `import "lander/internal/store/storetest"`, ""},
		{"internal/store/a.go", `import "os/exec"`, "os/exec belongs in"},
		{"internal/store/embedded/a.go", `import ("os/exec"; "github.com/jackc/pgx/v5")`, ""},
		{"internal/testrun/a_test.go", `import "lander/internal/vcs"`, "internal/testrun may not import internal/vcs"},
		{"internal/testrun/a_test.go", `import "lander/internal/hub"`, ""},
		{"internal/forge/a.go", `import "github.com/google/go-github/v60/github"`, "belongs in internal/forge/github only"},
		{"internal/forge/github/a.go", `import ("github.com/google/go-github/v60/github"; "golang.org/x/oauth2"; "lander/internal/forge")`, ""},
		{"internal/web/a.go", `import "golang.org/x/oauth2"`, "belongs in internal/forge/github only"},
		{"internal/web/a.go", `import "lander/internal/gate"`, "internal/web may not import internal/gate"},
		{"internal/web/a.go", `import "lander/internal/hub"`, "internal/web may not import internal/hub"},
		{"internal/gate/a.go", `import "lander/internal/vcs"`, "internal/gate may not import internal/vcs"},
		{"internal/gate/a_test.go", `import "github.com/jackc/pgx/v5"`, "belongs in internal/store only"},
		{"internal/sim/a.go", `import "lander/internal/gate"`, "internal/sim may not import internal/gate"},
		{"internal/sim/a.go", `import "os"`, "sim plays in virtual time and may not import os"},
		{"internal/sim/a.go", `import "time"; var x = time.Now()`, "sim plays in virtual time and may not use time.Now"},
		{"internal/sim/a.go", `import ("lander/internal/queue"; "math/rand/v2"; "sync"); var x sync.Mutex`, ""},
		{"internal/hub/a.go", `import ("lander/internal/vcs"; "net/http/cgi")`, ""},
		{"internal/web/a.go", `import "net/http/cgi"`, "belongs in internal/hub only"},
		{"cmd/lander/a.go", `import ("lander/internal/gate"; "lander/internal/hub"; "lander/internal/store/embedded"; "github.com/spf13/cobra")`, ""},
		{"internal/serve/a.go", `import "lander/internal/hub"`, "internal/serve may not import internal/hub"},
		{"internal/verify/a.go", `import ("os/exec"; "golang.org/x/crypto/ssh")`, ""},
		{"internal/verify/a.go", `import "lander/internal/queue"`, "internal/verify may not import internal/queue"},
		{"internal/verify/a.go", `import "lander/internal/vcs"`, "internal/verify may not import internal/vcs"},
		{"internal/hub/a.go", `import "os/exec"`, "os/exec belongs in"},
		{"cmd/lander/a.go", `import "os/exec"`, "os/exec belongs in"},
		{"cmd/lander/a_test.go", `import ("os/exec"; "lander/internal/landertest")`, ""},
		{"cmd/lander/a.go", `import "lander/internal/landertest"`, "cmd/lander may not import internal/landertest"},
		{"cmd/lander/a.go", `import "testing"`, "testing belongs in"},
		{"cmd/lander/a.go", `import "C"`, "the program is static"},

		{"internal/store/util/a.go", ``, `the name "util" says nothing`},
		{"internal/store/types_test.go", ``, ""},
		{"pkg/queue/a.go", ``, `the name "pkg" says nothing`},
		{"internal/kitchen/a.go", ``, "internal/kitchen is no room of the house"},
		{"main.go", `import "lander/internal/queue"`, ". may not import internal/queue"},
	} {
		found, err := breaches(c.name, "package a\n"+c.source)
		if err != nil {
			t.Errorf("%s %s: %v", c.name, c.source, err)
			continue
		}
		got := strings.Join(found, "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s with %s\ngot  %q\nwant %q", c.name, c.source, got, c.want)
		}
	}
	if _, err := breaches("internal/queue/a.go", "package"); err == nil {
		t.Error("a file that is no Go is fine")
	}
}
