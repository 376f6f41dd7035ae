package github

import (
	"bytes"
	"container/list"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	mostAnswer = 32 << 20 // bytes of one answer
	mostKept   = 4 << 20  // bytes of one answer that is kept
	mostCache  = 16 << 20 // bytes of all answers that are kept
)

// again repeats a GET once when the first try failed in a way that may pass.
type again struct{ next http.RoundTripper }

func (a *again) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := a.next.RoundTrip(r)
	if r.Method != http.MethodGet || r.Context().Err() != nil || err == nil && resp.StatusCode < 500 {
		return resp, err
	}
	if err == nil {
		resp.Body.Close()
	}
	return a.next.RoundTrip(r.Clone(r.Context()))
}

// metered keeps what the answers say of the budget.
type metered struct {
	client *Client
	key    string
	next   http.RoundTripper
}

type budget struct {
	limit     int // of a whole hour; 0: not said
	remaining int
	reset     time.Time
}

// less takes in what an answer says. Answers of one moment come in any order: of the same hour the lower number is the newer.
func (b budget) less(said budget) budget {
	if said.reset.Equal(b.reset) {
		said.remaining = min(said.remaining, b.remaining)
	}
	if said.reset.Before(b.reset) {
		return b
	}
	return said
}

func (m *metered) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := m.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	charge(r, resp.StatusCode)
	remaining, err1 := strconv.Atoi(resp.Header.Get("X-RateLimit-Remaining"))
	reset, err2 := strconv.ParseInt(resp.Header.Get("X-RateLimit-Reset"), 10, 64)
	if err1 == nil && err2 == nil {
		limit, _ := strconv.Atoi(resp.Header.Get("X-RateLimit-Limit")) // not said: 0
		m.client.mu.Lock()
		m.client.budgets[m.key] = m.client.budgets[m.key].less(budget{limit: limit, remaining: remaining, reset: time.Unix(reset, 0)})
		m.client.mu.Unlock()
	}
	return resp, nil
}

// anew marks the context of a request that is answered by the forge itself, whatever is kept.
type anew struct{}

// conditional asks again only for what has changed.
type conditional struct {
	cache *cache
	next  http.RoundTripper
}

func (c *conditional) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet {
		return c.next.RoundTrip(r)
	}
	key := r.Header.Get("Accept") + " " + r.URL.String()
	kept := c.cache.get(key)
	if r.Context().Value(anew{}) != nil {
		kept = nil
		r = r.Clone(r.Context())
		r.Header.Set("Cache-Control", "no-cache")
	}
	if kept != nil {
		r = r.Clone(r.Context())
		r.Header.Set("If-None-Match", kept.header.Get("ETag"))
	}
	resp, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if kept != nil && resp.StatusCode == http.StatusNotModified {
		resp.Body.Close()
		return kept.again(resp, r), nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer+1))
	resp.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	if len(body) > mostAnswer {
		return nil, errors.New("read answer: it is too large")
	}
	if text := bytes.TrimSpace(body); resp.StatusCode == http.StatusOK && (len(text) == 0 || string(text) == "null") {
		// It would read as an empty list: no reviews, and so nobody who objects.
		return nil, errors.New("read answer: it is empty")
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if resp.StatusCode == http.StatusOK && resp.Header.Get("ETag") != "" && len(body) <= mostKept {
		c.cache.put(&answer{key: key, header: resp.Header.Clone(), body: body})
	}
	return resp, nil
}

// answer is a kept answer.
type answer struct {
	key    string
	header http.Header
	body   []byte
}

// again is the kept answer with the fresh one's headers: its date and budget are news.
func (a *answer) again(fresh *http.Response, r *http.Request) *http.Response {
	header := a.header.Clone()
	for name, values := range fresh.Header {
		if name != "Content-Length" && name != "Content-Type" {
			header[name] = values
		}
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: fresh.Proto, ProtoMajor: fresh.ProtoMajor, ProtoMinor: fresh.ProtoMinor,
		Header: header, Body: io.NopCloser(bytes.NewReader(a.body)), ContentLength: int64(len(a.body)), Request: r,
	}
}

// cache keeps the answers used last.
type cache struct {
	mu    sync.Mutex
	byKey map[string]*list.Element
	used  *list.List // of *answer, last used first
	size  int
}

func newCache() *cache { return &cache{byKey: map[string]*list.Element{}, used: list.New()} }

func (c *cache) get(key string) *answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byKey[key]
	if e == nil {
		return nil
	}
	c.used.MoveToFront(e)
	return e.Value.(*answer)
}

func (c *cache) put(a *answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.byKey[a.key]; e != nil {
		c.drop(e)
	}
	c.byKey[a.key] = c.used.PushFront(a)
	c.size += len(a.body)
	for c.size > mostCache {
		c.drop(c.used.Back())
	}
}

func (c *cache) drop(e *list.Element) {
	a := c.used.Remove(e).(*answer)
	delete(c.byKey, a.key)
	c.size -= len(a.body)
}
