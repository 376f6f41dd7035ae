package vcs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"strings"
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

// entry is what belongs at a name, with what git remembers of its inode. The numbers are cut to 32 bits.
type entry struct {
	kind      kind
	sec, nsec uint32 // when the inode last changed
	ino, size uint32
}

// record is one path of an index.
type record struct {
	entry
	path []byte
	id   []byte
}

// records reads a git index of version 2 or 3, the ones that git writes unless it is told otherwise. width is the length
// of an object id in bytes. git ls-files would take longer, and does not tell the whole of the times.
func records(index []byte, width int) iter.Seq2[record, error] {
	const (
		head     = 12
		stat     = 40 // ctime, mtime, dev, ino, mode, uid, gid, size: 32 bits each, the two times two of them
		extended = 0x4000
	)
	broken := errors.New("read index: not one of version 2 or 3")
	return func(yield func(record, error) bool) {
		if len(index) < head || string(index[:4]) != "DIRC" {
			yield(record{}, broken)
			return
		}
		word := func(at int) uint32 { return binary.BigEndian.Uint32(index[at:]) }
		if version := word(4); version != 2 && version != 3 {
			yield(record{}, broken)
			return
		}
		at := head
		for range word(8) {
			name := at + stat + width + 2
			if name+2 > len(index) {
				yield(record{}, broken)
				return
			}
			if binary.BigEndian.Uint16(index[name-2:])&extended != 0 {
				name += 2
			}
			length := bytes.IndexByte(index[name:], 0)
			if length < 0 {
				yield(record{}, broken)
				return
			}
			r := record{path: index[name : name+length], id: index[at+stat : at+stat+width]}
			r.entry = entry{sec: word(at), nsec: word(at + 4), ino: word(at + 20), size: word(at + 36)}
			switch mode := word(at + 24); mode {
			case 0o100644:
				r.kind = aFile
			case 0o100755:
				r.kind = aProgram
			case 0o120000:
				r.kind = aLink
			case 0o160000:
				r.kind = aSubmodule
			default:
				yield(record{}, fmt.Errorf("read index: mode %o", mode))
				return
			}
			if !yield(r, nil) {
				return
			}
			at += (name - at + length + 8) &^ 7
		}
	}
}

// listing is what belongs into each directory, by path and name. "" is the root.
type listing map[string]map[string]entry

func listIndex(index []byte, width int) (listing, error) {
	known := listing{"": {}}
	for r, err := range records(index, width) {
		if err != nil {
			return nil, err
		}
		known.add(string(r.path), r.entry)
	}
	return known, nil
}

// add puts a path and the directories above it into the listing.
func (l listing) add(path string, e entry) {
	if e.kind == aSubmodule {
		l[path] = map[string]entry{} // nothing belongs into it
	}
	for {
		slash := strings.LastIndexByte(path, '/')
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

// attributes are the paths and ids of all .gitattributes files. When they change, files that are the same in two commits
// may yet look different when checked out.
func attributes(index []byte, width int) (string, error) {
	var b strings.Builder
	for r, err := range records(index, width) {
		if err != nil {
			return "", err
		}
		if bytes.HasSuffix(r.path, []byte(".gitattributes")) {
			fmt.Fprintf(&b, "%s\x00%x\x00", r.path, r.id)
		}
	}
	return b.String(), nil
}
