package hub

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// details are what git knows of pull requests, found in the background and remembered.
type details struct {
	h       *Hub
	mu      sync.Mutex
	jobs    []job
	merges  []job // tried beside the others, and slower
	queue   chan struct{}
	tries   chan struct{}
	commits map[int64]found[commit] // by pull request id
	files   map[int64]found[file]
	tried   map[int64]*mergeTry
}

type job struct {
	r *repo
	p *Pull
}

// span is from where to where a pull request reaches.
type span struct{ base, head string }

// found is what was found for a span.
type found[T any] struct {
	span
	all []T
}

// file is one changed file of a diff.
type file struct {
	Path, Was          string // Was: the name before a rename
	Status             string // added, removed, modified or renamed
	Blob               string
	Additions, Deleted int
	Binary             bool
}

// mergeTry is whether a head can be merged into a tip.
type mergeTry struct {
	head, tip string
	clean     bool
	asked     bool // the answer is under way
}

// mergePause keeps a wish to know whether something merges from competing with the work of whoever looks at it:
// GitHub's answer does not come at once either. Between two tries there is a pause that grows with what they take, so that
// hundreds of them cost no more than a part of one processor.
const mergePause = 300 * time.Millisecond

func (d *details) init(h *Hub) {
	d.h = h
	d.queue, d.tries = make(chan struct{}, 1), make(chan struct{}, 1)
	d.commits, d.files = map[int64]found[commit]{}, map[int64]found[file]{}
	d.tried = map[int64]*mergeTry{}
}

// want has the size of p's diff found soon.
func (d *details) want(r *repo, p *Pull) { d.add(&d.jobs, d.queue, job{r: r, p: p}) }

func (d *details) add(list *[]job, wake chan struct{}, j job) {
	d.mu.Lock()
	*list = append(*list, j)
	d.mu.Unlock()
	select {
	case wake <- struct{}{}:
	default:
	}
}

func (d *details) work() {
	d.each(&d.jobs, d.queue, func(j job) error {
		_, err := d.stat(j.r, j.p)
		return err
	})
}

func (d *details) tryMerges() {
	d.each(&d.merges, d.tries, func(j job) error {
		began := time.Now()
		_, err := d.mergeable(j.r, j.p)
		pause := time.NewTimer(2 * time.Since(began))
		defer pause.Stop()
		select {
		case <-d.h.life.Done():
		case <-pause.C:
		}
		return err
	})
}

// each does the jobs of a list until the hub is closed.
func (d *details) each(list *[]job, wake chan struct{}, do func(job) error) {
	for {
		d.mu.Lock()
		var j job
		if len(*list) > 0 {
			j, *list = (*list)[0], (*list)[1:]
		}
		d.mu.Unlock()
		if j.r == nil {
			select {
			case <-d.h.life.Done():
				return
			case <-wake:
			}
			continue
		}
		if err := do(j); err != nil && d.h.life.Err() == nil {
			d.h.log.Warn().Err(err).Str("repo", j.r.full()).Int("pull", j.p.Number).Msg("pull request details not found")
		}
	}
}

func (d *details) span(p *Pull) (s span) {
	d.h.read(func() { s = span{p.BaseSHA, p.HeadSHA} })
	return s
}

// commitsOf lists the commits of p, oldest first; as many as GitHub lists. The result is shared: it must not be changed.
func (d *details) commitsOf(r *repo, p *Pull) ([]commit, error) {
	s := d.span(p)
	all, err := remember(d, d.commits, p.ID, s, func() ([]commit, error) {
		return d.h.history(r, "--reverse", "--topo-order", "--max-count=250", s.head, "--not", s.base)
	})
	if err != nil {
		return nil, fmt.Errorf("list commits of #%d: %w", p.Number, err)
	}
	return all, nil
}

// filesOf lists the files that p changes, and the range in which it does. The result is shared: it must not be changed.
func (d *details) filesOf(r *repo, p *Pull) ([]file, span, error) {
	s := d.span(p)
	all, err := remember(d, d.files, p.ID, s, func() ([]file, error) { return d.h.files(r, s.both()) })
	if err != nil {
		return nil, s, fmt.Errorf("list files of #%d: %w", p.Number, err)
	}
	return all, s, nil
}

// both is the range as git diff wants it: from where the two parted.
func (s span) both() string { return s.base + "..." + s.head }

// remember gives what was found before for the same span, or finds it.
func remember[T any](d *details, known map[int64]found[T], id int64, s span, find func() ([]T, error)) ([]T, error) {
	d.mu.Lock()
	f, ok := known[id]
	d.mu.Unlock()
	if ok && f.span == s {
		return f.all, nil
	}
	all, err := find()
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	known[id] = found[T]{s, all}
	d.mu.Unlock()
	return all, nil
}

// stat gives the size of p's diff.
func (d *details) stat(r *repo, p *Pull) (stat, error) {
	var s stat
	var head string
	d.h.read(func() {
		head = p.HeadSHA
		if p.Stat != nil {
			s = *p.Stat
		}
	})
	if s.Head == head {
		return s, nil
	}
	files, at, err := d.filesOf(r, p)
	if err != nil {
		return s, err
	}
	s = stat{Head: at.head, Files: len(files)}
	for _, f := range files {
		s.Additions += f.Additions
		s.Deletions += f.Deleted
	}
	return s, d.h.change(func() error {
		p.Stat = &s
		return nil
	})
}

// known is whether p can be merged; nil when that is not known at present. The state must be locked for reading.
func (d *details) known(r *repo, p *Pull) *bool {
	tip, ok := r.branch(p.Base)
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.tried[p.ID]
	if !p.Open || !ok || t == nil || t.asked || t.head != p.HeadSHA || t.tip != tip {
		return nil
	}
	clean := t.clean
	return &clean
}

// ask has somebody find out whether p can be merged. The state must be locked for reading.
func (d *details) ask(r *repo, p *Pull) {
	tip, ok := r.branch(p.Base)
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.tried[p.ID]
	if !p.Open || !ok || t != nil && t.head == p.HeadSHA && t.tip == tip {
		return
	}
	d.tried[p.ID] = &mergeTry{head: p.HeadSHA, tip: tip, asked: true}
	time.AfterFunc(mergePause, func() { d.add(&d.merges, d.tries, job{r: r, p: p}) })
}

// mergeable finds out whether p can be merged.
func (d *details) mergeable(r *repo, p *Pull) (bool, error) {
	var t mergeTry
	var open bool
	d.h.read(func() {
		t.head, open = p.HeadSHA, p.Open
		t.tip, _ = r.branch(p.Base)
	})
	if !open || t.tip == "" {
		return false, nil
	}
	d.mu.Lock()
	known := d.tried[p.ID]
	d.mu.Unlock()
	if known != nil && !known.asked && known.head == t.head && known.tip == t.tip {
		return known.clean, nil // it was asked for again while trunk moved
	}
	_, err := d.h.in(r, "merge-tree", "--write-tree", "--name-only", "--no-messages", t.tip, t.head)
	if err != nil && !isCode(err, 1) {
		return false, fmt.Errorf("try to merge #%d: %w", p.Number, err)
	}
	t.clean = err == nil
	d.mu.Lock()
	d.tried[p.ID] = &t
	d.mu.Unlock()
	return t.clean, nil
}

// files lists what a range changes.
func (h *Hub) files(r *repo, between string) ([]file, error) {
	out, err := h.in(r, "diff", "--raw", "--numstat", "-z", "-M", "--no-abbrev", "--end-of-options", between)
	if err != nil {
		return nil, err
	}
	var all []file
	at := map[string]int{}
	f := strings.Split(out, "\x00")
	next := func() string {
		if len(f) == 0 {
			return ""
		}
		var s string
		s, f = f[0], f[1:]
		return s
	}
	for len(f) > 0 {
		head := next()
		if strings.HasPrefix(head, ":") {
			raw := strings.Fields(head)
			if len(raw) != 5 {
				return nil, fmt.Errorf("read diff: odd line %q", head)
			}
			one := file{Path: next(), Blob: raw[3], Status: "modified"}
			switch raw[4][0] {
			case 'A':
				one.Status = "added"
			case 'D':
				one.Status, one.Blob = "removed", raw[2]
			case 'R', 'C':
				one.Status, one.Was, one.Path = "renamed", one.Path, next()
			}
			at[one.Path] = len(all)
			all = append(all, one)
			continue
		}
		num := strings.SplitN(head, "\t", 3)
		if len(num) != 3 {
			continue
		}
		path := num[2]
		if path == "" { // a rename: both names follow
			next()
			path = next()
		}
		i, ok := at[path]
		if !ok {
			return nil, fmt.Errorf("read diff: unknown path %q", path)
		}
		if num[0] == "-" {
			all[i].Binary = true
			continue
		}
		if all[i].Additions, err = strconv.Atoi(num[0]); err != nil {
			return nil, fmt.Errorf("read diff: %w", err)
		}
		if all[i].Deleted, err = strconv.Atoi(num[1]); err != nil {
			return nil, fmt.Errorf("read diff: %w", err)
		}
	}
	return all, nil
}
