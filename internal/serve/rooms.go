package serve

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/config"
	"lander/internal/forge"
	"lander/internal/forge/github"
	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/store/errands"
	"lander/internal/testrun"
	"lander/internal/vcs"
	"lander/internal/web"
)

// Rooms joins the rooms that do not know one another. A Server does nothing without it; tests use it alone, and put a clock of
// their own and faults in between.
type Rooms struct {
	Settings config.Server    // required, as config.Load gives it
	Store    *store.Store     // required
	Forge    *github.Client   // required
	Policy   []byte           // the policy of repositories that have no policy file; nil: nothing lands there
	Signer   *vcs.Signer      // of the ledger; nil: it is not signed
	Trusted  bool             // see Options
	Version  string           // see Options
	Giver    *errands.Giver   // hands runs out to workers; nil: all run here
	Now      func() time.Time // nil: time.Now
	Log      zerolog.Logger

	repos   map[string]*repository
	hired   sync.Once
	crew    *crew
	sandbox *testrun.Sandbox // nil: there is none
	noForks bool             // what comes from other repositories is not tested

	enclosure   []Finding // what there is to say of the sandbox
	unsandboxed string    // why there is none; empty: there is, or need not be
}

// forgeTimeout bounds one request to the forge unless something else is asked for.
const forgeTimeout = 30 * time.Second

// ForgeOptions are what the client of the forge needs to know beyond the settings.
type ForgeOptions struct {
	URL     string           // required: where people reach lander's pages
	Timeout time.Duration    // of one request; 0: 30 s
	Now     func() time.Time // nil: time.Now
	Log     zerolog.Logger
}

// NewForge makes the client of the forge that settings name.
func NewForge(settings config.Server, o ForgeOptions) (*github.Client, error) {
	page := func(repo string, n queue.Number) string {
		i := slices.IndexFunc(settings.Lanes, func(l queue.Lane) bool { return l.Repo == repo })
		if i < 0 {
			return ""
		}
		return o.URL + web.ChangePath(settings.Lanes[i], n)
	}
	c := github.Config{
		BaseURL: settings.ForgeURL, Token: settings.Token.Reveal(), Prefix: settings.Prefix, Log: o.Log, Now: o.Now,
		HTTP: &http.Client{Timeout: cmp.Or(o.Timeout, forgeTimeout)}, Site: forge.Site{URL: o.URL, Prefix: settings.Prefix, Change: page},
	}
	if settings.App.ID != 0 {
		c.App = &github.App{ID: settings.App.ID, Key: []byte(settings.App.Key.Reveal()), InstallationID: settings.App.Installation}
	}
	return github.New(c)
}

// Web makes the web server, which may be changed until it is first used. nudge wakes a lane's keeper.
func (r *Rooms) Web(nudge func(queue.Lane)) *web.Server {
	var secrets [][]byte
	for _, secret := range r.Settings.WebhookSecrets {
		secrets = append(secrets, []byte(secret.Reveal()))
	}
	return &web.Server{
		Inbox: r.Store, Views: r.Store, Flakes: r.Store, Lanes: r.Settings.Lanes, Healthy: r.Store.Healthy, WebhookSecrets: secrets, Verify: forge.Verify,
		Decode: github.Decode, Nudge: nudge, Logs: r.logs, Follow: r.follow, Workers: r.staff, APIToken: r.Settings.APIToken.Reveal(), Public: r.Settings.Public,
		Forge: forgePages(r.Settings.ForgeURL), Now: r.Now, Log: r.Log,
	}
}

func (r *Rooms) follow(ctx context.Context, l queue.Lane, id web.RunID, w io.Writer) error {
	repo := r.repos[l.Repo]
	if repo == nil {
		return fmt.Errorf("follow log: %v is not kept here", l)
	}
	return repo.runner.Follow(ctx, runID(l, id.Candidate, id.Number), w)
}

func (r *Rooms) logs(_ context.Context, l queue.Lane, id web.RunID) (io.ReadCloser, error) {
	repo := r.repos[l.Repo]
	if repo == nil {
		return nil, fmt.Errorf("open log: %v is not kept here", l)
	}
	return repo.runner.Open(runID(l, id.Candidate, id.Number))
}
