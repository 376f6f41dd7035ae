package testrun

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A mutant is a small bug in a file: some of its text is another one.
type mutant struct {
	file     string // in the module
	from, to int    // bytes
	text     string
	kind     string
}

func (m mutant) String() string { return fmt.Sprintf("%s:%d %s", m.file, m.from, m.kind) }

// swapped are operators that are taken for one another.
var swapped = map[token.Token]token.Token{
	token.EQL: token.NEQ, token.NEQ: token.EQL, token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
	token.LAND: token.LOR, token.LOR: token.LAND, token.ADD: token.SUB, token.SUB: token.ADD,
}

// mutantsOf lists the small bugs that a file can have.
func mutantsOf(name string, source []byte) ([]mutant, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil || ast.IsGenerated(file) {
		return nil, err
	}
	var all []mutant
	at := func(p token.Pos) int { return files.Position(p).Offset }
	put := func(from, to token.Pos, text, kind string) {
		all = append(all, mutant{file: name, from: at(from), to: at(to), text: text, kind: kind})
	}
	old := func(n ast.Node) string { return string(source[at(n.Pos()):at(n.End())]) }
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		ast.Inspect(f.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.IfStmt:
				put(n.Cond.Pos(), n.Cond.End(), "!("+old(n.Cond)+")", "negates a condition")
			case *ast.BinaryExpr:
				if op, ok := swapped[n.Op]; ok {
					put(n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), op.String(), "swaps an operator")
				}
			case *ast.BasicLit:
				switch n.Kind {
				case token.INT:
					put(n.Pos(), n.End(), "("+n.Value+"+1)", "changes a number")
				case token.STRING:
					if s, err := strconv.Unquote(n.Value); err == nil && s != "" {
						put(n.Pos(), n.End(), strconv.Quote(s+"_"), "changes a text")
					}
				}
			case *ast.BlockStmt:
				for _, s := range n.List {
					switch s := s.(type) {
					case *ast.ExprStmt, *ast.IncDecStmt:
						put(s.Pos(), s.End(), "", "drops a statement")
					case *ast.AssignStmt:
						if s.Tok != token.DEFINE {
							put(s.Pos(), s.End(), "", "drops a statement")
						}
					}
				}
			}
			return true
		})
	}
	return all, nil
}

// mutantsIn lists the small bugs that a module's own code can have, in an order that comes from a seed.
func mutantsIn(dir string, seed uint64) ([]mutant, error) {
	var all []mutant
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		name := entry.Name()
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if path != dir && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || slices.Contains([]string{"testdata", "vendor", "examples", "cmd", "_benchmark"}, name)) {
				return fs.SkipDir
			}
			return nil
		case filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		if ok, err := build.Default.MatchFile(filepath.Dir(path), name); err != nil || !ok {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		found, err := mutantsOf(rel, source)
		all = append(all, found...)
		return err
	})
	r := rand.New(rand.NewPCG(seed, seed))
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all, err
}

// with puts bugs into a module, and gives what takes them out again.
func with(dir string, bugs ...mutant) (restore func() error, err error) {
	before := map[string][]byte{}
	restore = func() error {
		for name, source := range before {
			if err := os.WriteFile(filepath.Join(dir, name), source, 0o600); err != nil {
				return err
			}
		}
		return nil
	}
	last := slices.SortedFunc(slices.Values(bugs), func(a, b mutant) int { return b.from - a.from }) // from the end, so that places stay right
	now := map[string][]byte{}
	for _, m := range last {
		if before[m.file] == nil {
			source, err := os.ReadFile(filepath.Join(dir, m.file))
			if err != nil {
				return restore, err
			}
			before[m.file], now[m.file] = source, source
		}
		now[m.file] = slices.Concat(now[m.file][:m.from], []byte(m.text), now[m.file][m.to:])
	}
	for name, source := range now {
		if err := os.WriteFile(filepath.Join(dir, name), source, 0o600); err != nil {
			return restore, err
		}
	}
	return restore, nil
}

// overlap reports whether two bugs are in the same place.
func overlap(a, b mutant) bool { return a.file == b.file && a.from < b.to && b.from < a.to }

func TestMutants(t *testing.T) {
	t.Parallel()
	const source = "package p\n\nfunc f(a int) string {\n\tif a < 3 {\n\t\ta++\n\t}\n\treturn \"x\"\n}\n"
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "p.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := mutantsIn(dir, 1)
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]string{}
	for _, m := range all {
		restore, err := with(dir, m)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, "p.go"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.ParseFile(token.NewFileSet(), "p.go", text, 0); err != nil {
			t.Errorf("%v: %v", m, err)
		}
		made[m.kind] = string(text)
		if err := restore(); err != nil {
			t.Fatal(err)
		}
	}
	for kind, want := range map[string]string{
		"negates a condition": "if !(a < 3) {", "swaps an operator": "if a <= 3 {", "changes a number": "if a < (3+1) {", "drops a statement": "{\n\t\t\n\t}", "changes a text": `return "x_"`,
	} {
		if !strings.Contains(made[kind], want) {
			t.Errorf("%s: %s", kind, made[kind])
		}
	}
	again, err := mutantsIn(dir, 1)
	if err != nil || !slices.Equal(all, again) || len(all) != 5 {
		t.Errorf("%v, then %v, %v", all, again, err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "p.go"))
	if err != nil || string(text) != source {
		t.Errorf("left is %s, %v", text, err)
	}
}
