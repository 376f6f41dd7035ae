package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// journal is what a story notes down for the one that goes on with it after a kill: only what neither the hub nor lander can tell.
// Whether somebody has approved, pushed or commented is looked up where it happened.
type journal struct {
	path string

	Format int               `json:"format"`
	Begun  time.Time         `json:"begun"` // dates every commit of the story, so that one made twice is the same commit
	Notes  map[string]string `json:"notes"` // what is over, and what was found then
	Wrong  []string          `json:"wrong,omitempty"`
}

const journalFormat = 1

// errUnread says that there is no journal.
var errUnread = errors.New("no story")

// readJournal reads the journal of a data directory.
func readJournal(dir string) (*journal, error) {
	j := &journal{path: filepath.Join(dir, "story.json")}
	text, err := os.ReadFile(j.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errUnread
	}
	if err == nil {
		err = json.Unmarshal(text, j)
	}
	if err != nil {
		return nil, fmt.Errorf("read story: %w", err)
	}
	if j.Format != journalFormat {
		return nil, errOtherStory(dir)
	}
	return j, nil
}

// beginJournal starts one.
func beginJournal(dir string) (*journal, error) {
	j := &journal{
		path:   filepath.Join(dir, "story.json"),
		Format: journalFormat, Begun: time.Now().UTC().Truncate(time.Second), Notes: map[string]string{},
	}
	return j, j.save()
}

// over reports whether that is over, and what was noted then.
func (j *journal) over(what string) (note string, is bool) {
	note, is = j.Notes[what]
	return note, is
}

// note notes that something is over. Once it returns no kill takes it back.
func (j *journal) note(what, found string) error {
	j.Notes[what] = found
	return j.save()
}

// blame notes what is not as it must be.
func (j *journal) blame(what string) error {
	if slices.Contains(j.Wrong, what) {
		return nil
	}
	j.Wrong = append(j.Wrong, what)
	return j.save()
}

func (j *journal) save() error {
	text, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return fmt.Errorf("save story: %w", err)
	}
	if err := replace(j.path, append(text, '\n')); err != nil {
		return fmt.Errorf("save story: %w", err)
	}
	return nil
}

// replace writes a file so that a crash leaves the old text or the new one.
func replace(path string, text []byte) error {
	f, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
