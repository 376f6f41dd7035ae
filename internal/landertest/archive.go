package landertest

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
)

// archive is a txtar file: some text, and then sections that each begin with a line "-- NAME --".
type archive struct {
	text     string
	sections []section
}

type section struct{ name, text string }

var sectionLine = regexp.MustCompile(`(?m)^-- (.+) --\n`)

func readArchive(file string) (*archive, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read story: %w", err)
	}
	text := string(data)
	marks := append(sectionLine.FindAllStringSubmatchIndex(text, -1), []int{len(text)})
	a := &archive{text: text[:marks[0][0]]}
	for i, m := range marks[:len(marks)-1] {
		a.sections = append(a.sections, section{name: text[m[2]:m[3]], text: text[m[1]:marks[i+1][0]]})
	}
	return a, nil
}

func (a *archive) write(file string) error {
	var b bytes.Buffer
	b.WriteString(a.text)
	for _, s := range a.sections {
		fmt.Fprintf(&b, "-- %s --\n%s", s.name, s.text)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write story: %w", err)
	}
	return nil
}
