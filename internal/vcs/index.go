package vcs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

// kind is what the index has at a path.
type kind byte

const (
	aFile kind = iota + 1
	aProgram
	aLink
	aSubmodule
	aDir
)

// entry is what belongs at a name: its kind, and when its inode last changed as far as git knows.
type entry struct {
	kind      kind
	sec, nsec uint32
}

// listing is what belongs into each directory, by path and name. "" is the root.
type listing map[string]map[string]entry

// readIndex reads a git index of version 2 or 3, the ones that git writes unless it is told otherwise. width is the
// length of an object id in bytes. Asking git ls-files for the same costs three times as much, and it hides part of the
// change times.
func readIndex(path string, width int) (listing, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	known, err := parseIndex(data, width)
	if err != nil {
		return nil, fmt.Errorf("read index %s: %w", path, err)
	}
	return known, nil
}

func parseIndex(data []byte, width int) (listing, error) {
	const (
		head     = 12
		stat     = 40 // ctime, mtime, dev, ino, mode, uid, gid, size: 32 bits each, the times two of them
		extended = 0x4000
	)
	broken := errors.New("not an index of version 2 or 3")
	if len(data) < head || string(data[:4]) != "DIRC" {
		return nil, broken
	}
	version, count := binary.BigEndian.Uint32(data[4:]), binary.BigEndian.Uint32(data[8:])
	if version != 2 && version != 3 {
		return nil, broken
	}
	known := listing{"": {}}
	at := head
	for range count {
		name := at + stat + width + 2
		if name > len(data) {
			return nil, broken
		}
		if binary.BigEndian.Uint16(data[name-2:])&extended != 0 {
			name += 2
		}
		end := -1
		if name <= len(data) {
			end = bytes.IndexByte(data[name:], 0)
		}
		if end < 0 {
			return nil, broken
		}
		e := entry{sec: binary.BigEndian.Uint32(data[at:]), nsec: binary.BigEndian.Uint32(data[at+4:])}
		switch mode := binary.BigEndian.Uint32(data[at+24:]); mode {
		case 0o100644:
			e.kind = aFile
		case 0o100755:
			e.kind = aProgram
		case 0o120000:
			e.kind = aLink
		case 0o160000:
			e.kind = aSubmodule
		default:
			return nil, fmt.Errorf("mode %o", mode)
		}
		known.add(string(data[name:name+end]), e)
		at += (name - at + end + 8) &^ 7
	}
	return known, nil
}

// add puts a path and the directories above it into the listing.
func (l listing) add(path string, e entry) {
	if e.kind == aSubmodule {
		l[path] = map[string]entry{} // nothing belongs into it
	}
	for {
		slash := len(path) - 1
		for slash >= 0 && path[slash] != '/' {
			slash--
		}
		dir := path[:max(slash, 0)]
		names, seen := l[dir]
		if !seen {
			names = map[string]entry{}
			l[dir] = names
		}
		names[path[slash+1:]] = e
		if seen {
			return
		}
		path, e = dir, entry{kind: aDir}
	}
}
