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

// changed is called after each change, without the lock.
func (s *saver) changed() error {
	if s.h.sync {
		return s.save()
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
	s.mu.Lock()
	defer s.mu.Unlock()
	s.h.mu.RLock()
	text, err := json.Marshal(&s.h.state)
	s.h.mu.RUnlock()
	if err != nil {
		return fmt.Errorf("save hub state: %w", err)
	}
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
	if err := json.Unmarshal(text, &h.state); err != nil {
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
