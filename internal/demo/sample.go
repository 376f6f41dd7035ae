package demo

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed all:sample
var sampleFiles embed.FS

// The people of the playground. Each has a role on the sample repository.
const (
	maintainer  = "maya" // reviews and approves
	contributor = "noor" // opens pull requests from branches
	outsider    = "kai"  // opens one from a fork
	admin       = "ada"  // pauses, and may push past lander
	bot         = "lander"
	repository  = "playground/abacus"
	trunk       = "main"
)

// sample is the first commit of the sample repository.
func sample() (map[string]string, error) {
	files := map[string]string{}
	err := fs.WalkDir(sampleFiles, "sample", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := sampleFiles.ReadFile(path)
		files[strings.TrimPrefix(path, "sample/")] = string(text)
		return err
	})
	return files, err
}
