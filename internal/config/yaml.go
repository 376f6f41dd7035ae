package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const (
	mostBytes = 64 << 10
	mostDepth = 20 // of brackets, or of dashes on one line: the parser takes quadratic time on deep ones
)

// reader walks a YAML tree and collects what is wrong with it.
type reader struct{ problems []Problem }

// field is one known key of a mapping. Exactly one of read and refusal is set.
type field struct {
	name    string
	read    func(ast.Node)
	refusal string // why the key is known but not taken
}

// parse gives the file's only document; nil when it is empty or not readable, which is then a problem.
func (r *reader) parse(data []byte) (root ast.Node) {
	switch {
	case len(data) > mostBytes:
		r.add(1, 1, sayTooBig(len(data)))
		return nil
	case !utf8.Valid(data):
		r.add(placeOfInvalid(data), 1, sayNotUTF8())
		return nil
	}
	defer func() {
		if v := recover(); v != nil { // the parser is not ours, and what it reads is not trusted
			r.add(1, 1, sayUnreadable())
			root = nil
		}
	}()
	tokens := lexer.Tokenize(strings.TrimPrefix(string(data), "\ufeff"))
	if !r.shallow(tokens) {
		return nil
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		r.syntax(err)
		return nil
	}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if root != nil {
			r.at(doc.Body, sayManyDocuments())
			break
		}
		root = doc.Body
	}
	if root == nil {
		return nil
	}
	v := &tricks{reader: r}
	ast.Walk(v, root)
	if v.found {
		return nil
	}
	return root
}

// shallow reports whether values nest no deeper than a person would write them.
func (r *reader) shallow(tokens token.Tokens) bool {
	depth, dashes, line := 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			dashes, line = 0, t.Position.Line
		}
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			depth++
		case token.MappingEndType, token.SequenceEndType:
			depth--
		case token.SequenceEntryType, token.MappingKeyType:
			dashes++
		}
		if depth > mostDepth || dashes > mostDepth {
			r.add(t.Position.Line, t.Position.Column, sayTooDeep())
			return false
		}
	}
	return true
}

func (r *reader) syntax(err error) {
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil && at.GetToken().Position != nil {
		p := at.GetToken().Position
		r.add(p.Line, p.Column, saySyntax(at.GetMessage()))
		return
	}
	r.add(1, 1, sayUnreadable())
}

// tricks looks for what makes a YAML file mean more than it shows.
type tricks struct {
	*reader
	found bool
}

func (v *tricks) Visit(n ast.Node) ast.Visitor {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		v.at(n, sayAlias())
	case *ast.TagNode, *ast.DirectiveNode:
		v.at(n, sayTag())
	case *ast.MappingKeyNode:
		v.at(n, sayQuestionKey())
	default:
		return v
	}
	v.found = true
	return nil
}

// mapping hands each value of n to its field. where names the mapping for people; empty at the top.
func (r *reader) mapping(n ast.Node, where string, fields []field) {
	m, ok := n.(ast.MapNode)
	if !ok {
		r.at(n, sayWantMapping(where, names(fields)))
		return
	}
	seen := map[string]bool{}
	for it := m.MapRange(); it.Next(); {
		key, ok := text(it.Key())
		if !ok {
			key = it.Key().GetToken().Value
		}
		path := dotted(where, key)
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == key })
		switch {
		case !ok || i < 0:
			r.at(it.Key(), sayUnknownKey(path, where, key, names(fields)))
		case seen[key]:
			r.at(it.Key(), sayTwice(path))
		case fields[i].refusal != "":
			r.at(it.Key(), fields[i].refusal)
		default:
			fields[i].read(it.Value())
		}
		seen[key] = true
	}
}

// items hands each value of a list to read, with its place from 1.
func (r *reader) items(n ast.Node, path string, read func(int, ast.Node)) {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		r.at(n, sayWantList(path))
		return
	}
	for i, v := range s.Values {
		read(i+1, v)
	}
}

// text reads a text value that is not empty.
func (r *reader) text(n ast.Node, path string) (string, bool) {
	s, ok := text(n)
	switch {
	case !ok:
		r.at(n, sayWantText(path, shown(n), scalar(n)))
	case s == "":
		r.at(n, sayNoValue(path))
	case hasControl(s):
		r.at(n, sayControl(path))
	default:
		return s, true
	}
	return "", false
}

// texts reads a list of texts.
func (r *reader) texts(n ast.Node, path string) []string {
	var all []string
	r.items(n, path, func(i int, v ast.Node) {
		if s, ok := r.text(v, fmt.Sprintf("%s, item %d", path, i)); ok {
			all = append(all, s)
		}
	})
	return all
}

// number reads a whole number from least to most.
func (r *reader) number(n ast.Node, path string, least, most int) (int, bool) {
	i, ok := n.(*ast.IntegerNode)
	if !ok {
		r.at(n, sayWantNumber(path, least, most, shown(n)))
		return 0, false
	}
	v, err := strconv.Atoi(i.GetToken().Value)
	if err != nil || v < least || v > most {
		r.at(n, sayWantNumber(path, least, most, shown(n)))
		return 0, false
	}
	return v, true
}

// flag reads true or false.
func (r *reader) flag(n ast.Node, path string) bool {
	b, ok := n.(*ast.BoolNode)
	if !ok {
		r.at(n, sayWantFlag(path, shown(n)))
		return false
	}
	return b.Value
}

// duration reads a length of time from least to most.
func (r *reader) duration(n ast.Node, path string, least, most time.Duration) (time.Duration, bool) {
	s, _ := text(n)
	d, err := time.ParseDuration(s)
	if err != nil || d < least || d > most {
		r.at(n, sayWantDuration(path, least, most, shown(n)))
		return 0, false
	}
	return d, true
}

func (r *reader) at(n ast.Node, words string) {
	p := place(n)
	r.add(p.Line, p.Column, words)
}

func (r *reader) add(line, column int, words string) {
	if len(r.problems) < mostProblems {
		r.problems = append(r.problems, Problem{Line: line, Column: column, Text: words})
	}
}

// place is where a value begins: a block mapping's own token is the colon after its first key.
func place(n ast.Node) token.Position {
	switch v := n.(type) {
	case *ast.MappingNode:
		if !v.IsFlowStyle && len(v.Values) > 0 {
			return place(v.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return place(v.Key)
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return *t.Position
	}
	return token.Position{Line: 1, Column: 1}
}

func text(n ast.Node) (string, bool) {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.LiteralNode:
		return v.Value.Value, true
	}
	return "", false
}

// scalar reports whether n is one value that quotes would turn into text.
func scalar(n ast.Node) bool {
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return true
	}
	return false
}

// shown is a value as a person wrote it, short enough for a sentence.
func shown(n ast.Node) string {
	switch v := n.(type) {
	case *ast.NullNode:
		return "nothing"
	case ast.MapNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.StringNode:
		return clip(strconv.Quote(v.Value))
	case *ast.LiteralNode:
		return clip(strconv.Quote(v.Value.Value))
	}
	return clip(n.GetToken().Value)
}

func clip(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:57]) + "..."
	}
	return s
}

func hasControl(s string) bool {
	for _, c := range s {
		if c < ' ' && c != '\n' && c != '\t' || c == 0x7f {
			return true
		}
	}
	return false
}

func placeOfInvalid(data []byte) int {
	line := 1
	for len(data) > 0 {
		c, n := utf8.DecodeRune(data)
		if c == utf8.RuneError && n == 1 {
			break
		}
		if c == '\n' {
			line++
		}
		data = data[n:]
	}
	return line
}

func dotted(where, key string) string {
	if where == "" {
		return key
	}
	return where + "." + key
}

func names(fields []field) []string {
	var all []string
	for _, f := range fields {
		if f.refusal == "" {
			all = append(all, f.name)
		}
	}
	return all
}
