package verify

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// record is a commit of the ledger, and what it says.
type record struct {
	commit
	s     statement
	err   error // why it cannot be read
	sign  seal
	void  bool // it counts for nothing: not readable, of another lane, taken back
	lands bool // it is a landing that counts
}

// String names a record for people.
func (r *record) String() string {
	if r.err != nil || r.s.Seq == 0 {
		return "record " + short(r.id)
	}
	return fmt.Sprintf("record %d (%s)", r.s.Seq, short(r.id))
}

// want are the parents that the format asks of a record.
func (r *record) want(before string) []string {
	var all []string
	if before != "" {
		all = append(all, before)
	}
	if r.s.Decision != land {
		return all
	}
	for _, id := range append([]string{r.s.New}, heads(r.s)...) {
		if !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	return all
}

func heads(s statement) []string {
	var all []string
	for _, e := range s.Entries {
		all = append(all, e.Head)
	}
	return all
}

// records reads the ledger from its oldest record, or from the one after since, to the tip.
func (l *lens) records(ctx context.Context, tip, since string, signers *signers) ([]*record, error) {
	in := []string{tip}
	if since != "" {
		in = append(in, "^"+since)
	}
	ids, err := l.list(ctx, in, "--first-parent")
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	slices.Reverse(ids)
	return l.parse(ctx, ids, signers)
}

// parse reads records, in parallel: a signature costs more than the reading.
func (l *lens) parse(ctx context.Context, ids []string, signers *signers) ([]*record, error) {
	type job struct {
		r    *record
		body []byte
	}
	all := make([]*record, 0, len(ids))
	jobs := make(chan job, 64)
	var wait sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for j := range jobs {
				j.r.read(j.body, l.digits, signers)
			}
		})
	}
	err := l.read(ctx, ids, func(id string, body []byte) error {
		r := &record{commit: commit{id: id}}
		all = append(all, r)
		jobs <- job{r, slices.Clone(body)}
		return nil
	})
	close(jobs)
	wait.Wait()
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	return all, nil
}

func (r *record) read(body []byte, digits int, signers *signers) {
	id := r.id
	if r.commit, r.err = parseCommit(id, body); r.err != nil {
		return
	}
	r.s, r.err = parseMessage(r.message, digits)
	if r.seal != "" {
		r.sign = judge(r.payload, r.seal, dateOf(r.committer), signers)
	}
	r.payload, r.seal, r.message = nil, "", ""
	if r.err == nil {
		r.err = r.shape(digits)
	}
}

// shape checks what is the same for all records.
func (r *record) shape(digits int) error {
	switch {
	case r.tree != hash("tree", nil, digits):
		return errors.New("it holds files")
	case r.author != r.committer:
		return errors.New("its author is not its committer")
	case !strings.HasSuffix(r.committer, fmt.Sprintf("> %d +0000", r.s.At.Unix())):
		return errors.New("its date is not its statement's")
	}
	return nil
}

// dateOf is the date of a committer line in seconds since 1970; 0: there is none.
func dateOf(line string) int64 {
	fields := strings.Fields(line[strings.LastIndexByte(line, '>')+1:])
	if len(fields) == 0 {
		return 0
	}
	seconds, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return 0
	}
	return seconds
}
