package hub

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
)

// refusalWriter passes on what git receive-pack answers, and lets a refusal of the update hook read as GitHub's does:
// "protected branch hook declined".
//
// The answer is a row of packets, each four hex digits of length and a payload. A payload that begins with 1 carries a
// part of the report, which is a row of packets itself, "ng REF hook declined" among them; with 2, words for the person.
// The words go through as they come; the report is kept until its end, since it may be cut anywhere.
type refusalWriter struct {
	w      http.ResponseWriter
	buf    []byte // a packet not complete yet
	report []byte
	plain  bool // not what is described above: everything goes through
}

const (
	declined    = " hook declined"
	declinedAs  = " protected branch hook declined"
	packetLimit = 65515 // payload of one packet
)

func (f *refusalWriter) Header() http.Header { return f.w.Header() }

func (f *refusalWriter) WriteHeader(code int) {
	f.plain = f.plain || code != http.StatusOK
	f.w.WriteHeader(code)
}

func (f *refusalWriter) Write(b []byte) (int, error) {
	if f.plain {
		return f.w.Write(b)
	}
	f.buf = append(f.buf, b...)
	for len(f.buf) >= 4 && !f.plain {
		size, err := strconv.ParseUint(string(f.buf[:4]), 16, 16)
		switch {
		case err != nil || size > 0 && size < 5:
			f.pass()
		case size == 0:
			f.flushReport()
			f.put([]byte("0000"))
			f.buf = f.buf[4:]
			continue
		case len(f.buf) < int(size):
			return len(b), nil
		case f.buf[4] == 1:
			f.report = append(f.report, f.buf[5:size]...)
			f.buf = f.buf[size:]
		case f.buf[4] == 2 || f.buf[4] == 3:
			f.put(f.buf[:size])
			f.buf = f.buf[size:]
		default:
			f.pass()
		}
	}
	return len(b), nil
}

// pass gives up: the rest is not understood, and goes through as it is.
func (f *refusalWriter) pass() {
	f.flushReport()
	f.plain = true
	f.put(f.buf)
	f.buf = nil
}

// finish writes what is left when git is done.
func (f *refusalWriter) finish() {
	f.flushReport()
	f.put(f.buf)
	f.buf = nil
}

// put writes; an error means that the client is gone, and git is to finish all the same.
func (f *refusalWriter) put(b []byte) {
	if len(b) > 0 {
		_, _ = f.w.Write(b)
	}
}

func (f *refusalWriter) flushReport() {
	text := reword(f.report)
	f.report = nil
	for len(text) > 0 {
		n := min(len(text), packetLimit)
		f.put(fmt.Appendf(nil, "%04x\x01", n+5))
		f.put(text[:n])
		text = text[n:]
	}
}

// reword changes the refusals in a report, and the lengths of their packets.
func reword(report []byte) []byte {
	var out []byte
	for rest := report; len(rest) > 0; {
		if len(rest) < 4 {
			return report
		}
		size, err := strconv.ParseUint(string(rest[:4]), 16, 16)
		if err != nil || size > 0 && size < 4 || int(size) > len(rest) {
			return report
		}
		if size == 0 {
			out, rest = append(out, rest[:4]...), rest[4:]
			continue
		}
		line := bytes.TrimSuffix(rest[4:size], []byte("\n"))
		if bytes.HasPrefix(line, []byte("ng ")) && bytes.HasSuffix(line, []byte(declined)) && !bytes.HasSuffix(line, []byte("pre-receive"+declined)) {
			line = append(bytes.TrimSuffix(bytes.Clone(line), []byte(declined)), declinedAs...)
			out = fmt.Appendf(out, "%04x%s\n", len(line)+5, line)
		} else {
			out = append(out, rest[:size]...)
		}
		rest = rest[size:]
	}
	return out
}
