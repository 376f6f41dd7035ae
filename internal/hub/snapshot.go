package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// snapshot is what is written: the state, and what is still to misbehave.
type snapshot struct {
	*state
	Faults []keptFault `json:"faults,omitempty"`
}

// saver writes the state to disk: soon after a change, many changes at once.
type saver struct {
	h     *Hub
	dirty chan struct{}
	mu    sync.Mutex // one writer at a time
}

// savePause is the shortest time between two writes. It grows with the time that a write takes, so that saving a big
// state never costs more than a small part of the machine.
const savePause = 200 * time.Millisecond

func (s *saver) init(h *Hub) {
	s.h = h
	s.dirty = make(chan struct{}, 1)
}

// changed is called after each change, with the state locked. A hub that saves at once does it under that lock, so that nobody
// ever sees what a kill could still undo.
func (s *saver) changed() error {
	if s.h.sync {
		text, err := s.text()
		if err != nil {
			return err
		}
		return s.write(text)
	}
	select {
	case s.dirty <- struct{}{}:
	default:
	}
	return nil
}

func (s *saver) work() {
	for {
		select {
		case <-s.h.life.Done():
			return
		case <-s.dirty:
		}
		start := time.Now()
		if err := s.save(); err != nil {
			s.h.log.Error().Err(err).Msg("hub state not saved")
		}
		pause := time.NewTimer(max(savePause, 20*time.Since(start)))
		select {
		case <-s.h.life.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
	}
}

func (s *saver) save() error {
	if s.h.sync {
		s.h.mu.Lock()
		defer s.h.mu.Unlock()
		return s.changed()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.h.mu.RLock()
	text, err := s.text()
	s.h.mu.RUnlock()
	if err != nil {
		return err
	}
	return s.write(text)
}

// text is the state as it is kept. The state must be locked.
func (s *saver) text() ([]byte, error) {
	text, err := json.Marshal(snapshot{state: &s.h.state, Faults: s.h.faults.kept()})
	if err != nil {
		return nil, fmt.Errorf("save hub state: %w", err)
	}
	return text, nil
}

func (s *saver) write(text []byte) error {
	name := filepath.Join(s.h.dir, "hub.json")
	if err := os.WriteFile(name+".new", text, 0o600); err != nil {
		return fmt.Errorf("save hub state: %w", err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		return fmt.Errorf("save hub state: %w", err)
	}
	return nil
}

func (h *Hub) load() error {
	h.state = state{
		NextID: 1000, Users: map[string]*User{}, Tokens: map[string]*token{}, Repos: map[string]*repo{},
	}
	name := filepath.Join(h.dir, "hub.json")
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load hub state: %w", err)
	}
	s := snapshot{state: &h.state}
	err = json.Unmarshal(text, &s)
	if err == nil {
		err = h.faults.restore(s.Faults)
	}
	if err != nil {
		return fmt.Errorf("load hub state %s: %w", name, err)
	}
	for _, r := range h.state.Repos {
		r.dir = h.repoDir(r.Owner, r.Name)
		r.seen.Store(r.LogOffset)
	}
	return nil
}

func (h *Hub) repoDir(owner, name string) string {
	return filepath.Join(h.dir, "repos", key(owner), key(name)+".git")
}
