package landertest

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// story is one txtar file under way.
type story struct {
	*world
	file    string
	archive *archive
	update  bool
	used    map[string]bool // golden sections
	texts   map[string]string
}

// command is one line of a story with what is indented below it.
type command struct {
	number int
	text   string
	below  []string
}

// Play plays a story and lets the oracle look at it. With update, it writes the golden sections instead of comparing them.
func Play(tb testing.TB, file string, update bool) {
	tb.Helper()
	archive, err := readArchive(file)
	if err != nil {
		tb.Fatal(err)
	}
	s := &story{file: file, archive: archive, update: update, used: map[string]bool{}, texts: map[string]string{}}
	files := map[string]string{}
	for _, f := range archive.sections {
		switch {
		case golden(f.name):
		case strings.HasPrefix(f.name, "@"):
			s.texts[f.name[1:]] = f.text
		default:
			files[f.name] = f.text
		}
	}
	commands, err := parseStory(archive.text)
	if err != nil {
		tb.Fatalf("%s: %v", filepath.Base(file), err)
	}
	var trunks []string
	if len(commands) > 0 && strings.HasPrefix(commands[0].text, "lanes main ") {
		trunks = strings.Fields(commands[0].text)[2:]
		commands = commands[1:]
	}
	s.world = newWorld(tb, files, trunks...)
	s.act = s.do
	for _, c := range commands {
		s.advance(time.Second)
		s.log.note("line %d: %s", c.number, c.text)
		if err := s.do(c); err != nil {
			tb.Fatalf("%s:%d: %s: %v", filepath.Base(file), c.number, c.text, err)
		}
	}
	s.end()
}

// end checks what every story must leave behind.
func (s *story) end() {
	s.Helper()
	for _, p := range s.points.left() {
		s.Errorf("%s never happened", p)
	}
	if s.life == nil {
		s.Fatal("the story ends without a lander")
	}
	if err := s.delivered(); err != nil {
		s.Fatal(err)
	}
	s.compare("end trunk", s.sayTrunks())
	s.compare("end pulls", s.sayPulls())
	o := newOracle(s.world)
	for _, wrong := range o.judge() {
		s.Error(wrong)
	}
	s.compare("end verify", s.plain(strings.Join(o.found, "")))
	for _, f := range s.archive.sections {
		if golden(f.name) && !s.used[f.name] && !s.update {
			s.Errorf("section %q is compared with nothing", f.name)
		}
	}
	if s.update && !s.Failed() {
		s.must(s.write())
	}
}

// write puts the golden sections of this play into the file.
func (s *story) write() error {
	kept := s.archive.sections[:0]
	for _, f := range s.archive.sections {
		if !golden(f.name) || s.used[f.name] {
			kept = append(kept, f)
		}
	}
	s.archive.sections = kept
	return s.archive.write(s.file)
}

// golden reports whether a section is compared, and no file.
func golden(name string) bool {
	return strings.HasPrefix(name, "end ") || strings.HasPrefix(name, "expect ")
}

// compare holds text against a golden section.
func (s *story) compare(name, text string) {
	s.Helper()
	for n := 2; s.used[name]; n++ {
		name = strings.TrimSuffix(name, fmt.Sprintf(" (%d)", n-1)) + fmt.Sprintf(" (%d)", n)
	}
	s.used[name] = true
	known := slices.ContainsFunc(s.archive.sections, func(f section) bool { return f.name == name })
	if name == "end verify" && text == "" && (s.update || !known) {
		s.used[name] = known && !s.update
		return // nothing is found in most stories
	}
	for i, f := range s.archive.sections {
		if f.name != name {
			continue
		}
		if s.update {
			s.archive.sections[i].text = text
		} else if f.text != text {
			s.Errorf("%s: %s\ngot\n%s\nwant\n%s", filepath.Base(s.file), name, text, f.text)
		}
		return
	}
	if !s.update {
		s.Errorf("%s has no section %q; got\n%s", filepath.Base(s.file), name, text)
		return
	}
	s.archive.sections = append(s.archive.sections, section{name: name, text: text})
}

// parseStory reads the lines of a story.
func parseStory(text string) ([]command, error) {
	var all []command
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, " \t\r\n")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '\t' || line[0] == ' ':
			if len(all) == 0 {
				return nil, fmt.Errorf("line %d belongs to no command", number)
			}
			last := &all[len(all)-1]
			last.below = append(last.below, strings.TrimSpace(line))
		default:
			all = append(all, command{number: number, text: line})
		}
	}
	if len(all) == 0 {
		return nil, errors.New("there is no story in it")
	}
	return all, nil
}
