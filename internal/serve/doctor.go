package serve

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"lander/internal/config"
	"lander/internal/forge/github"
	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/store/embedded"
	"lander/internal/vcs"
)

// Mark says how a finding is.
type Mark string

const (
	Good     Mark = "good"
	Warning  Mark = "warning"  // it works, and could be better or safer
	Bad      Mark = "bad"      // it must be mended
	Unproven Mark = "unproven" // it could not be found out
)

// Finding is one thing that was looked at.
type Finding struct {
	About string `json:"about"` // "machine", "database", "forge", a repository or a lane
	Check string `json:"check"` // what was looked at; never changes its name
	Mark  Mark   `json:"mark"`
	Found string `json:"found"`          // for people
	Mend  string `json:"mend,omitempty"` // one sentence, when there is something to do
	Away  bool   `json:"away,omitempty"` // the database or the forge cannot be reached
}

// What findings are about, where it is no repository and no lane.
const (
	aboutMachine  = "machine"
	aboutDatabase = "database"
	aboutForge    = "forge"
)

func good(about, check, found string) Finding {
	return Finding{About: about, Check: check, Mark: Good, Found: found}
}

func warning(about, check, found, mend string) Finding {
	return Finding{About: about, Check: check, Mark: Warning, Found: found, Mend: mend}
}

func bad(about, check, found, mend string) Finding {
	return Finding{About: about, Check: check, Mark: Bad, Found: found, Mend: mend}
}

func unproven(about, check, found, mend string) Finding {
	return Finding{About: about, Check: check, Mark: Unproven, Found: sayUnproven(found), Mend: mend}
}

func away(about, check string, err error, mend string) Finding {
	return Finding{About: about, Check: check, Mark: Bad, Found: oneLine(err), Mend: mend, Away: true}
}

// Doctor looks at all that a lander with these settings would stand on. It changes nothing but, with Push, branches of its own on the
// git server, which it removes. A lander may be running meanwhile.
type Doctor struct {
	Settings config.Server    // required, as config.Load gives it for serving
	Push     bool             // prove how the git server pushes
	Now      func() time.Time // nil: time.Now

	tell    func(Finding)
	forge   *github.Client
	store   *store.Store // nil: not to be had
	mirrors string       // a directory for mirrors to try with; empty: where temporary files go
}

// Examine tells each finding as soon as it is there.
func (d *Doctor) Examine(ctx context.Context, tell func(Finding)) {
	d.tell = tell
	if d.Now == nil {
		d.Now = time.Now
	}
	for _, f := range machine(ctx, d.Settings.DataDir) {
		tell(f)
	}
	for _, f := range examineSandbox(ctx, d.Settings) {
		tell(f)
	}
	stop := d.database(ctx)
	defer stop()
	d.workers(ctx)
	if d.reach(ctx) {
		d.repositories(ctx)
	}
}

// CheckUp is the cheap part of the doctor, for a lander that starts: everything that is not good. Whoever calls it
// holds the data directory.
func (r *Rooms) CheckUp(ctx context.Context) []Finding {
	now := r.Now
	if now == nil {
		now = time.Now
	}
	found := append(machine(ctx, r.Settings.DataDir), r.enclosure...)
	if ahead, within, err := r.Store.Clock(ctx, now); err != nil {
		found = append(found, away(aboutDatabase, "database-clock", err, ""))
	} else {
		found = append(found, judgeClock(aboutDatabase, "database-clock", ahead, within, false))
	}
	if ahead, within, err := r.Forge.Clock(ctx); err != nil {
		found = append(found, away(aboutForge, "forge-clock", err, ""))
	} else {
		found = append(found, judgeClock(aboutForge, "forge-clock", ahead, within, r.Settings.App.ID != 0))
	}
	d := &Doctor{Settings: r.Settings, Now: now, forge: r.Forge, mirrors: filepath.Join(r.Settings.DataDir, "doctor")}
	if err := errors.Join(os.RemoveAll(d.mirrors), os.MkdirAll(d.mirrors, 0o700)); err != nil { // what a killed one left behind
		found = append(found, unproven(aboutMachine, "data-directory", oneLine(err), ""))
	}
	for _, name := range d.names() {
		found = append(found, d.ask(ctx, name))
	}
	return slices.DeleteFunc(found, func(f Finding) bool { return f.Mark == Good })
}

// names lists the repositories of the lanes, in their order.
func (d *Doctor) names() (names []string) {
	for _, l := range d.Settings.Lanes {
		if !slices.Contains(names, l.Repo) {
			names = append(names, l.Repo)
		}
	}
	return names
}

// machine looks at git and at the disk.
func machine(ctx context.Context, dir string) []Finding {
	var found []Finding
	if err := vcs.CheckVersion(ctx); err != nil {
		found = append(found, bad(aboutMachine, "git", oneLine(err), sayMendGit))
	} else if v, err := vcs.Version(ctx); err != nil {
		found = append(found, bad(aboutMachine, "git", oneLine(err), sayMendGit))
	} else {
		found = append(found, good(aboutMachine, "git", "git "+v.Name), judgeHoles(v))
	}
	at := nearest(dir)
	for _, each := range disks(dir) {
		if left, err := diskOf(nearest(each)); err != nil {
			found = append(found, unproven(aboutMachine, "disk-space", oneLine(err), ""))
		} else {
			found = append(found, judgeDisk(each, left)...)
		}
	}
	return append(found, owned(dir, at, writable(at)))
}

// database looks at the database, and opens it if lander could work with it. stop is never nil.
func (d *Doctor) database(ctx context.Context) (stop func()) {
	stop = func() {}
	url := d.Settings.DatabaseURL.Reveal()
	if url == "" {
		if url, stop = d.private(ctx); url == "" {
			return stop
		}
	}
	about, err := store.Examine(ctx, url, d.Now)
	if err != nil {
		d.tell(away(aboutDatabase, "database", err, sayMendDatabase))
		return stop
	}
	for _, f := range judgeDatabase(about) {
		d.tell(f)
	}
	if about.TooOld || about.ShutOut != nil || about.Have < about.Want {
		return stop
	}
	s, err := store.Open(ctx, url, quiet)
	if err != nil {
		d.tell(away(aboutDatabase, "database", err, sayMendDatabase))
		return stop
	}
	d.store = s
	before := stop
	return func() { s.Close(); before() }
}

// private finds the embedded Postgres: the one that a running lander uses, or else it is started for as long as the doctor looks.
// An empty url: there is none yet, or it cannot be had.
func (d *Doctor) private(ctx context.Context) (url string, stop func()) {
	stop = func() {}
	dir := filepath.Join(d.Settings.DataDir, "postgres")
	seen, err := embedded.Peek(dir)
	if err != nil {
		d.tell(away(aboutDatabase, "database", err, sayMendOwner(dir)))
		return "", stop
	}
	if !seen.Made {
		if found, err := embedded.Find(); err != nil {
			d.tell(away(aboutDatabase, "database", err, ""))
		} else {
			d.tell(good(aboutDatabase, "database", sayWillBeMade(found.Major, found.Bin)))
		}
		return "", stop
	}
	if url, running := seen.Running(databaseName); running {
		return url, stop
	}
	pg, err := embedded.Start(ctx, embedded.Options{Dir: dir, Durable: true})
	if err == nil {
		stop = func() { _ = pg.Stop() } // what it would tell, its next start tells
		err = pg.Ensure(ctx, databaseName)
	}
	if err != nil {
		d.tell(away(aboutDatabase, "database", err, ""))
		return "", stop
	}
	return pg.URL(databaseName), stop
}

// scratch makes a mirror of its own for the doctor, so that it never gets in the way of a lander that runs. What lander's mirror
// holds need not be fetched again.
func (d *Doctor) scratch(ctx context.Context, name string) (r *vcs.Repo, remove func(), err error) {
	dir, err := os.MkdirTemp(d.mirrors, "lander-doctor-*")
	if err != nil {
		return nil, func() {}, fmt.Errorf("make a mirror to try with: %w", err)
	}
	remove = func() { _ = os.RemoveAll(dir) } // if it cannot be: where it is, it is swept
	r = &vcs.Repo{
		Dir: filepath.Join(dir, "mirror.git"), Remote: d.Settings.Remote(name), Name: d.Settings.Committer.Name, Email: d.Settings.Committer.Email,
		Auth: func(ctx context.Context) (string, string, error) { return d.forge.GitAuth(ctx, name) },
	}
	if err := r.Init(ctx); err != nil {
		remove()
		return nil, func() {}, err
	}
	known := filepath.Join(d.Settings.DataDir, "mirrors", filepath.FromSlash(name)+".git", "objects")
	if _, err := os.ReadDir(known); err == nil {
		if err := os.WriteFile(filepath.Join(r.Dir, "objects", "info", "alternates"), []byte(known+"\n"), 0o644); err != nil {
			remove()
			return nil, func() {}, fmt.Errorf("make a mirror to try with: %w", err)
		}
	}
	return r, remove, nil
}

// ask is offered for a repository that nothing else is asked of.
func (d *Doctor) ask(ctx context.Context, name string) Finding {
	r, remove, err := d.scratch(ctx, name)
	defer remove()
	if err != nil {
		return unproven(name, "push-atomic", oneLine(err), "")
	}
	return offered(ctx, name, r)
}

// webhooks counts those of a lane that did not arrive.
func (d *Doctor) webhooks(ctx context.Context, l queue.Lane) {
	if d.store == nil {
		return
	}
	n, err := d.store.Missed(ctx, l, d.Now().Add(-24*time.Hour))
	if err != nil {
		d.tell(unproven(l.String(), "webhooks", oneLine(err), ""))
		return
	}
	d.tell(judgeMissed(l.String(), n))
}

// ledger looks at a lane's ledger.
func (d *Doctor) ledger(ctx context.Context, r *vcs.Repo, l queue.Lane) {
	about := l.String()
	seen, err := r.See(ctx, l.Trunk)
	if err != nil {
		d.tell(unproven(about, "ledger", oneLine(err), ""))
		return
	}
	all, err := r.Records(ctx, "", seen.Ledger)
	var wrong *queue.LedgerError
	if errors.As(err, &wrong) {
		d.tell(bad(about, "ledger", wrong.Reason, sayMendForeign(l.LedgerBranch())))
		return
	}
	if err != nil {
		d.tell(unproven(about, "ledger", oneLine(err), ""))
		return
	}
	d.tell(judgeLedger(about, l, all))
	d.tell(d.signed(ctx, about, r, seen.Ledger))
	if d.store == nil {
		d.tell(unproven(about, "ledger-database", sayNoDatabaseToCompare, ""))
		return
	}
	q, _, err := d.store.View(ctx, l)
	if err != nil {
		d.tell(unproven(about, "ledger-database", oneLine(err), ""))
		return
	}
	above, err := r.Records(ctx, q.Ledger.Tip, seen.Ledger)
	if err != nil && !errors.As(err, &wrong) {
		d.tell(unproven(about, "ledger-database", oneLine(err), ""))
		return
	}
	d.tell(judgeKnown(about, l, q.Ledger.Tip, len(above), len(all), wrong))
}
