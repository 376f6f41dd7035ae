package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/config"
	"lander/internal/gate"
	"lander/internal/queue"
	"lander/internal/serve"
	"lander/internal/store"
	"lander/internal/web"
)

// orderKey in the environment makes this binary a replica.
const orderKey = "LANDER_FLEET_REPLICA"

// plan is what a replica is started with.
type plan struct {
	Database string
	Data     string
	Forge    string // the hub, through the replica's front
	Lanes    []string
	Poll     time.Duration
	Patience time.Duration // with the forge
}

const (
	token    = "token-of-lander"
	secret   = "hush-hush-hush"
	apiToken = "token-of-the-admin-of-the-fleet"

	committerName, committerEmail = "lander", "lander@fleet.test"
)

// replicate is a replica's whole life: package serve's start with questions in between. It ends only when it is killed, or when it
// cannot start.
func replicate(text string) int {
	signal.Ignore(syscall.SIGXFSZ) // so that a file that may not grow is an error, in git too
	l := &link{out: os.NewFile(4, "reports"), waiting: map[int64]chan bool{}}
	gone := make(chan struct{})
	go func() {
		l.listen(os.NewFile(3, "orders"))
		close(gone)
	}()
	log := zerolog.New(os.Stderr).With().Timestamp().Logger().Level(zerolog.DebugLevel)
	if err := live(text, l, log, gone); err != nil {
		log.Error().Err(err).Msg("replica cannot live")
		return 1
	}
	return 0
}

func live(text string, l *link, log zerolog.Logger, gone <-chan struct{}) error {
	var p plan
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return fmt.Errorf("read plan: %w", err)
	}
	settings, err := config.Load(config.Source{
		Serving: true,
		Flags: map[string][]string{
			"data": {p.Data}, "listen": {"127.0.0.1:0"}, "forge-url": {p.Forge + "/api/v3"}, "lane": p.Lanes,
			"workers": {"5"}, // on every machine: with fewer than a lane's window, there are no trains
		},
		Env: map[string]string{
			"LANDER_TOKEN": token, "LANDER_WEBHOOK_SECRETS": secret, "LANDER_DATABASE_URL": p.Database,
			"LANDER_API_TOKEN": apiToken, "LANDER_COMMITTER_NAME": committerName, "LANDER_COMMITTER_EMAIL": committerEmail,
		},
	})
	if err != nil {
		return err
	}
	settings.Poll = p.Poll // quicker than people may have it
	ctx := context.Background()
	free, err := serve.LockDir(settings.DataDir)
	if err != nil {
		return err
	}
	defer free()
	listener, err := web.Listen(settings.Listen)
	if err != nil {
		return err
	}
	url := "http://" + listener.Addr().String()
	db, err := store.Open(ctx, p.Database, log)
	if err != nil {
		return err
	}
	client, err := serve.NewForge(settings, serve.ForgeOptions{URL: url, Timeout: p.Patience, Now: l.now, Log: log})
	if err != nil {
		return err
	}
	rooms := &serve.Rooms{Settings: settings, Store: db, Forge: client, Now: l.now, Log: log}
	keepers := map[queue.Lane]*gate.Keeper{}
	for _, lane := range settings.Lanes {
		k := rooms.Keeper(lane)
		between(k, l)
		keepers[lane] = k
	}
	nudges, err := db.Nudges(ctx)
	if err != nil {
		return err
	}
	nudge := func(which queue.Lane) {
		for lane, k := range keepers {
			if which == (queue.Lane{}) || which == lane {
				k.Nudge()
			}
		}
	}
	go func() {
		for lane := range nudges {
			nudge(lane)
		}
	}()
	for _, k := range keepers {
		go func() { _ = k.Run(ctx) }() // never ends
	}
	site := rooms.Web(nudge)
	site.Inbox = inboxPort{site.Inbox, l}
	failed := make(chan error, 1)
	go func() { failed <- (&http.Server{Handler: site.Handler()}).Serve(listener) }()
	l.say(report{Kind: "ready", URL: url})
	select {
	case err := <-failed:
		return err
	case <-gone:
		return nil
	}
}

// between puts the questions into a keeper.
func between(k *gate.Keeper, l *link) {
	k.Store, k.Builder = storePort{k.Store, l}, builderPort{k.Builder, l}
	hold := k.Hold
	k.Hold = func(ctx context.Context) (func(), <-chan struct{}, error) {
		release, lost, err := hold(ctx)
		if err == nil {
			l.say(report{Kind: "held", Lane: k.Lane.String()})
		}
		return release, lost, err
	}
}

type storePort struct {
	gate.Store
	link *link
}

func (p storePort) Save(ctx context.Context, s queue.Save) (q queue.Queue, err error) {
	var steps []string
	for _, r := range s.New.Journal {
		if step := saved[r.Kind]; step != "" {
			steps = append(steps, step)
		}
	}
	return q, p.link.at(steps, func() error { q, err = p.Store.Save(ctx, s); return err })
}

type builderPort struct {
	gate.Builder
	link *link
}

func (p builderPort) Build(ctx context.Context, r queue.BuildRequest) (b queue.Built, err error) {
	return b, p.link.at([]string{candidateBuilt}, func() error { b, err = p.Builder.Build(ctx, r); return err })
}

type inboxPort struct {
	web.Inbox
	link *link
}

func (p inboxPort) Receive(ctx context.Context, d store.Delivery) (fresh bool, err error) {
	return fresh, p.link.at([]string{deliveryStored}, func() error { fresh, err = p.Inbox.Receive(ctx, d); return err })
}
