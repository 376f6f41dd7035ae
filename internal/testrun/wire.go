package testrun

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

// order is what Runner sends its supervisor, once, before anything starts.
type order struct {
	Dir     string   // root of the checkout
	Scratch string   // removed when the tree is gone
	Env     []string // the commands' environment
	Box     *box     `json:",omitempty"` // nil: no sandbox
}

// ended is the supervisor's report of one command.
type ended struct {
	Exit   int    // 128+n when signal n killed the shell itself
	Signal int    `json:",omitempty"` // n, likewise
	Fault  string `json:",omitempty"` // the command could not be started, and why
	Lost   bool   `json:",omitempty"` // ... because the checkout's root is not there any more
}

// fault is the supervisor's report that something of the host's went wrong.
type fault struct{ Text string }

// Kinds of frame. Each is a kind byte, the body's length in four bytes, and the body.
const (
	frameOrder  = 'O' // lander to supervisor: order
	frameNext   = 'N' // likewise: a shell, once the one before it has ended
	frameOver   = 'X' // likewise: there is none
	frameOutput = 'o' // supervisor to lander: bytes that the commands wrote
	frameBegun  = 'b' // a command starts
	frameEnded  = 'e' // it ended: ended
	frameGone   = 'g' // no process of the run is left; always the last
	frameReady  = 'r' // from inside a sandbox, to the supervisor outside: it stands
	frameLimit  = 'l' // the run was ended for a limit: over
	frameFault  = 'f' // it cannot be told how the run went, and why: fault
)

const maxFrame = 16 << 20

func writeFrame(w io.Writer, kind byte, body []byte) error {
	frame := make([]byte, 5+len(body))
	frame[0] = kind
	binary.BigEndian.PutUint32(frame[1:], uint32(len(body)))
	copy(frame[5:], body)
	_, err := w.Write(frame)
	return err
}

func writeJSON(w io.Writer, kind byte, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if len(body) > maxFrame {
		return fmt.Errorf("frame of %d bytes: the most is %d", len(body), maxFrame)
	}
	return writeFrame(w, kind, body)
}

// frames reads frames; a body is valid until the next read.
type frames struct {
	r    io.Reader
	body []byte
}

// next gives io.EOF only between frames.
func (f *frames) next() (kind byte, body []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(f.r, head[:]); err != nil {
		return 0, nil, err
	}
	n := int(binary.BigEndian.Uint32(head[1:]))
	if n > maxFrame {
		return 0, nil, fmt.Errorf("read frame: %d bytes is too long", n)
	}
	if cap(f.body) < n {
		f.body = make([]byte, n)
	}
	f.body = f.body[:n]
	if _, err := io.ReadFull(f.r, f.body); err != nil {
		return 0, nil, fmt.Errorf("read frame: %w", err)
	}
	return head[0], f.body, nil
}
