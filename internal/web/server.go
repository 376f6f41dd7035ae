package web

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/forge"
	"lander/internal/queue"
)

// Server answers webhooks, API calls and browsers. Its Handler may be used by many at once.
type Server struct {
	Inbox  Inbox        // required
	Views  Views        // required
	Flakes Flakes       // nil: nothing is told of chance
	Lanes  []queue.Lane // required: the lanes that are kept

	Healthy func(context.Context) error // required: why the database does not answer

	// WebhookSecrets are the secrets a webhook may be signed with; with none, every webhook is refused.
	WebhookSecrets [][]byte
	Verify         func(secrets [][]byte, signature string, body []byte) error     // required
	Decode         func(event string, body []byte) (hints []forge.Hint, err error) // required: no hints and no error: nothing to do with lander

	Nudge func(queue.Lane)                                                         // wakes a lane's keeper; nil: it polls
	Alive func() error                                                             // why lander does not do its work, though it runs; nil: it always does
	Logs  func(ctx context.Context, l queue.Lane, id RunID) (io.ReadCloser, error) // a run's output; fs.ErrNotExist: there is none; nil: none is shown

	// Follow writes a run's output as it comes, until the run is over; errors are as those of Logs. nil: a log is shown as it is.
	Follow func(ctx context.Context, l queue.Lane, id RunID, w io.Writer) error

	Workers func(context.Context) ([]WorkerView, error) // who runs tests; nil: nobody says

	APIToken string // a caller who shows it is an admin; empty: only the local socket is
	Public   bool   // everybody may read
	Forge    string // base of the forge's pages, for links to pull requests and commits; empty: only the links that the forge gave

	Patience time.Duration    // how long a request waits for a lane's keeper; 0: one minute
	Every    time.Duration    // between looks at a lane that somebody watches; 0: one second
	Now      func() time.Time // nil: time.Now
	Log      zerolog.Logger

	once     sync.Once
	handler  http.Handler
	watchers map[queue.Lane]*watcher
	viewing  atomic.Int64 // pages that listen
}

// RunID names one run within its lane.
type RunID struct {
	Candidate queue.CandidateID
	Number    int
}

// Handler answers every request. The Server's fields must not change any more.
func (s *Server) Handler() http.Handler {
	s.init()
	return s.handler
}

// Stir says that a lane may have changed, so that its viewers see it sooner. It never blocks.
func (s *Server) Stir(l queue.Lane) {
	s.init()
	if w := s.watchers[l]; w != nil {
		w.stir()
	}
}

func (s *Server) init() {
	s.once.Do(func() {
		s.Patience = cmp.Or(s.Patience, time.Minute)
		s.Every = cmp.Or(s.Every, time.Second)
		if s.Now == nil {
			s.Now = time.Now
		}
		s.watchers = map[queue.Lane]*watcher{}
		for _, l := range s.Lanes {
			s.watchers[l] = &watcher{lane: l, views: s.Views, every: s.Every, log: s.Log, stirred: make(chan struct{}, 1)}
		}
		s.handler = s.routes()
	})
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /webhook", s.webhook)
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)

	mux.HandleFunc("GET /api/v1/lanes", s.reading(s.apiLanes))
	mux.HandleFunc("GET /api/v1/queue", s.reading(s.apiQueue))
	mux.HandleFunc("GET /api/v1/flakes", s.reading(s.apiFlakes))
	mux.HandleFunc("GET /api/v1/history", s.reading(s.apiHistory))
	mux.HandleFunc("GET /api/v1/changes/{number}", s.reading(s.apiChange))
	mux.HandleFunc("GET /api/v1/runs/{candidate}/{run}", s.reading(s.apiRun))
	mux.HandleFunc("POST /api/v1/pause", s.admin(s.pause))
	mux.HandleFunc("POST /api/v1/resume", s.admin(s.resume))
	mux.HandleFunc("POST /api/v1/changes/{number}/{verb}", s.admin(s.ask))
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) { s.refuse(w, r, noSuchCall(r)) })

	mux.HandleFunc("GET /events", s.reading(s.events))
	mux.HandleFunc("GET /{$}", s.reading(s.lanesPage))
	mux.HandleFunc("GET /lanes/{owner}/{name}/{trunk...}", s.reading(s.queuePage))
	mux.HandleFunc("GET /flakes/{owner}/{name}/{trunk...}", s.reading(s.flakesPage))
	mux.HandleFunc("GET /changes/{number}/{owner}/{name}/{trunk...}", s.reading(s.changePage))
	mux.HandleFunc("GET /logs/{candidate}/{run}/{owner}/{name}/{trunk...}", s.reading(s.logPage))
	mux.HandleFunc("GET /assets/{file}", serveAsset)
	mux.HandleFunc("/", s.reading(s.notFoundPage))

	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.refuse(w, r, crossOrigin()) }))
	return s.guarded(cross.Handler(mux))
}

// LanePath is where a lane's page lives on a Server.
func LanePath(l queue.Lane) string { return "/lanes/" + escaped(l) }

// ChangePath is where a change's page lives on a Server.
func ChangePath(l queue.Lane, n queue.Number) string {
	return "/changes/" + strings.TrimPrefix(n.String(), "#") + "/" + escaped(l)
}

// LogPath is where a run's output lives on a Server; with ?follow it goes on until the run is over.
func LogPath(l queue.Lane, id RunID) string {
	return "/logs/" + strconv.FormatInt(int64(id.Candidate), 10) + "/" + strconv.Itoa(id.Number) + "/" + escaped(l)
}

// kept finds a lane that is kept here, in the forge's spelling or another case of it.
func (s *Server) kept(l queue.Lane) (queue.Lane, bool) {
	i := slices.IndexFunc(s.Lanes, func(k queue.Lane) bool { return strings.EqualFold(k.Repo, l.Repo) && k.Trunk == l.Trunk })
	if i < 0 {
		return queue.Lane{}, false
	}
	return s.Lanes[i], true
}
