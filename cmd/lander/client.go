package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lander/internal/config"
	"lander/internal/queue"
	"lander/internal/web"
)

// client speaks to a running lander: over the socket in its data directory, or over HTTP with a token.
type client struct {
	base  string
	token string
	where string // for people
	local bool   // over the socket
	http  *http.Client
}

// reach gives a verb the flags that say which lander it means.
func (p *program) reach(c *cobra.Command) {
	p.settingFlags(c, "data_dir", "api_token")
	c.Flags().String("server", "", usageServer)
	c.Flags().String("lane", "", usageLane)
	c.Flags().BoolVar(&p.json, "json", false, usageJSON)
	_ = c.RegisterFlagCompletionFunc("lane", p.completeLanes) // fails only for a flag that is not there
}

func (p *program) client(c *cobra.Command) (*client, error) {
	settings, err := p.load(c, false)
	if err != nil {
		return nil, err
	}
	server, _ := c.Flags().GetString("server")
	if server == "" && !c.Flags().Changed("data") { // a flag beats a variable
		server = p.env["LANDER_SERVER"]
	}
	if server != "" {
		u, err := url.Parse(server)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, usage(errServerAddress(server))
		}
		return &client{base: strings.TrimRight(server, "/"), token: settings.APIToken.Reveal(), where: server, http: &http.Client{Timeout: 90 * time.Second}}, nil
	}
	return localClient(settings), nil
}

func localClient(settings config.Server) *client {
	socket := settings.Socket()
	return &client{base: "http://lander", where: socket, local: true, http: &http.Client{
		Timeout: 90 * time.Second,
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		}},
	}}
}

// refusal is how a lander says no.
type refusal struct {
	Error string `json:"error"`
	ToDo  string `json:"what_to_do"`
}

// call asks the server. body nil: GET. answer may be nil.
func (c *client) call(ctx context.Context, method, path string, query url.Values, body, answer any) error {
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		in = bytes.NewReader(text)
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, in)
	if err != nil {
		return err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := c.http.Do(r)
	if err != nil {
		return unreachable(c.explain(err))
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 64<<20))
	if err != nil {
		return unreachable(errAsk(c.where, err))
	}
	if res.StatusCode >= 300 {
		var no refusal
		if json.Unmarshal(text, &no) != nil || no.Error == "" {
			no.Error = errStatus(c.where, res.Status).Error()
		}
		if no.ToDo != "" {
			no.Error += "; " + no.ToDo
		}
		code := exitNo
		switch {
		case res.StatusCode == http.StatusBadRequest:
			code = exitUsage
		case res.StatusCode >= 500:
			code = exitUnreachable
		}
		return &failure{code, errors.New(no.Error)}
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return unreachable(errForeignAnswer(c.where, err))
	}
	return nil
}

// explain says why no lander answered and what to do.
func (c *client) explain(err error) error {
	var op *net.OpError
	var slow interface{ Timeout() bool }
	dialled := errors.As(err, &op) && op.Op == "dial"
	switch {
	case c.local && dialled && errors.Is(err, os.ErrPermission):
		return errNotYourSocket(c.where)
	case c.local && dialled:
		return errNoServer(c.where)
	case errors.As(err, &slow) && slow.Timeout():
		return errSlowAnswer(c.where)
	case dialled:
		return errNoAnswer(c.where, op.Err)
	}
	return errAsk(c.where, err)
}

// lane finds the lane that is meant: the one named, or the only one.
func (c *client) lane(ctx context.Context, cmd *cobra.Command, arg string) (web.LaneView, error) {
	name := arg
	if name == "" {
		name, _ = cmd.Flags().GetString("lane")
	}
	all, err := c.lanes(ctx)
	if err != nil {
		return web.LaneView{}, err
	}
	var names []string
	for _, l := range all {
		if strings.EqualFold(l.Lane, name) || name == "" && len(all) == 1 {
			return l, nil
		}
		names = append(names, l.Lane)
	}
	if name == "" {
		return web.LaneView{}, usage(errWhichLane(names))
	}
	if _, err := queue.ParseLane(name); err != nil {
		return web.LaneView{}, usage(err)
	}
	return web.LaneView{}, usage(errNoLane(name, names))
}

func (c *client) lanes(ctx context.Context) ([]web.LaneView, error) {
	all, _, err := c.glance(ctx)
	return all, err
}

func (c *client) glance(ctx context.Context) ([]web.LaneView, []web.WorkerView, error) {
	var all struct {
		Lanes   []web.LaneView
		Workers []web.WorkerView
	}
	err := c.call(ctx, http.MethodGet, "/api/v1/lanes", nil, nil, &all)
	return all.Lanes, all.Workers, err
}

func laneQuery(l web.LaneView) url.Values { return url.Values{"lane": {l.Lane}} }

// ready asks whether the server does its work.
func (c *client) ready(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/readyz", nil)
	if err != nil {
		return err
	}
	res, err := c.http.Do(r)
	if err != nil {
		return unreachable(c.explain(err))
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<10))
	if err != nil {
		return unreachable(err)
	}
	if res.StatusCode != http.StatusOK {
		return no(errNotReady(strings.TrimSpace(string(text))))
	}
	return nil
}
