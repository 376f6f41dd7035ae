package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/config"
	"lander/internal/hub"
	"lander/internal/queue"
	"lander/internal/serve"
	"lander/internal/vcs"
)

// Options say where a demo lives.
type Options struct {
	Data      string         // required: directory for everything it keeps
	Listen    string         // of lander's pages; empty: any free port
	HubListen string         // of the playground; empty: any free port
	Poll      time.Duration  // how often lander asks beside webhooks; 0: 30 s
	Log       zerolog.Logger // lander's and the playground's
	Policy    []byte         // for a repository that has no policy file; nil: then nothing lands
	Resume    bool           // of a story: go on with what is in Data, if there is anything
	Say       func(string)   // hears at the start what people should know; nil: nobody does
	keep      bool           // the playground outlives a kill, at the price of writing each change down before anybody sees it
}

// world is a playground with a lander in it.
type world struct {
	free   func() // gives the directory back
	hub    *hub.Hub
	lander *serve.Server
	lane   queue.Lane
	url    string // the playground's
	server *http.Server
	group  sync.WaitGroup
}

// open starts the hub and lets prepare fill it, which it may have done before; then it starts a lander on repo.
func open(ctx context.Context, o Options, repo string, prepare func(*hub.Hub) error) (*world, error) {
	w, err := claim(ctx, o, repo)
	if err != nil {
		return nil, err
	}
	if err := w.open(ctx, o, prepare); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// claim takes the directory, before anything is read there: two playgrounds in it would undo what the other writes.
func claim(ctx context.Context, o Options, repo string) (w *world, err error) {
	if err := vcs.CheckVersion(ctx); err != nil {
		return nil, err
	}
	w = &world{lane: queue.Lane{Repo: repo, Trunk: trunk}}
	w.free, err = serve.LockDir(filepath.Join(o.Data, "hub"))
	return w, err
}

func (w *world) open(ctx context.Context, o Options, prepare func(*hub.Hub) error) (err error) {
	if w.hub, err = hub.Open(filepath.Join(o.Data, "hub"), hub.Options{Log: o.Log, RateLimit: 1_000_000, Sync: o.keep}); err != nil {
		return err
	}
	listener, err := listen(o.HubListen)
	if err != nil {
		return err
	}
	w.url = "http://" + listener.Addr().String()
	w.hub.SetURL(w.url)
	w.server = &http.Server{Handler: w.hub.Handler(), ReadHeaderTimeout: 10 * time.Second}
	w.group.Go(func() { _ = w.server.Serve(listener) }) // ends with close
	if err := prepare(w.hub); err != nil {
		return fmt.Errorf("fill the playground: %w", err)
	}
	return w.land(ctx, o)
}

// land starts lander on the hub, as its only committer.
func (w *world) land(ctx context.Context, o Options) error {
	repo := w.lane.Repo
	if _, err := w.hub.AddUser(hub.User{Login: bot, Type: "Bot"}); err != nil {
		return err
	}
	if err := w.hub.SetRole(repo, bot, "admin"); err != nil {
		return err
	}
	if err := w.hub.Protect(repo, trunk, hub.Protection{Push: []string{bot}, Bypass: []string{admin}}); err != nil {
		return err
	}
	token, err := w.hub.AddToken(bot, "")
	if err != nil {
		return err
	}
	secret := rand.Text()
	flags := map[string][]string{
		"data": {o.Data}, "listen": {orAny(o.Listen)}, "forge-url": {w.url + "/api/v3"}, "lane": {w.lane.String()},
	}
	if o.Poll > 0 {
		flags["poll"] = []string{o.Poll.String()}
	}
	settings, err := config.Load(config.Source{
		Serving: true, Flags: flags, Env: map[string]string{"LANDER_TOKEN": token, "LANDER_WEBHOOK_SECRETS": secret},
	})
	if err != nil {
		return err
	}
	if w.lander, err = serve.Start(ctx, serve.Options{Settings: settings, Log: o.Log, Policy: o.Policy, Trusted: true}); err != nil {
		return err
	}
	if why := w.lander.Unsandboxed(); why != "" && o.Say != nil {
		o.Say(sayUnsandboxed(why))
	}
	w.hub.SetLanderURL(w.lander.URL())
	hooks, err := w.hub.Hooks(repo)
	if err != nil {
		return err
	}
	if len(hooks) > 0 { // it was played before, and has the address of a lander that is no more
		return w.hub.MoveHook(repo, hooks[0].ID, w.lander.URL()+"/webhook", secret)
	}
	_, err = w.hub.AddHook(repo, w.lander.URL()+"/webhook", secret, "*")
	return err
}

func (w *world) close() error {
	var errs []error
	if w.lander != nil {
		w.lander.Stop()
	}
	if w.server != nil {
		errs = append(errs, w.server.Close())
		w.group.Wait()
	}
	if w.hub != nil {
		errs = append(errs, w.hub.Close())
	}
	if w.free != nil {
		w.free()
	}
	return errors.Join(errs...)
}

// standing is what lander says of a change now. A change it has not seen is idle.
func (w *world) standing(ctx context.Context, n int) (queue.Standing, error) {
	q, p, err := w.lander.Store().View(ctx, w.lane)
	if err != nil {
		return queue.Standing{}, err
	}
	if s, ok := q.Standing(queue.Number(n), time.Now(), p); ok {
		return s, nil
	}
	former, err := w.lander.Store().Former(ctx, w.lane, queue.Number(n))
	if err != nil || former == nil {
		return queue.Standing{Number: queue.Number(n), Stage: queue.StageIdle}, err
	}
	q.Entries = []*queue.Entry{former}
	s, _ := q.Standing(former.Number, time.Now(), p)
	return s, nil
}

// until waits for something to be so.
func (w *world) until(ctx context.Context, what string, is func(context.Context) (bool, error)) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := is(ctx)
		if ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w", what, context.Cause(ctx))
		}
	}
}

func listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", orAny(address))
	if err != nil {
		return nil, errHubListen(address, err)
	}
	return l, nil
}

func orAny(address string) string {
	if strings.TrimSpace(address) == "" {
		return "127.0.0.1:0"
	}
	return address
}
