package serve

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/rs/zerolog"

	"lander/internal/forge"
	"lander/internal/forge/github"
	"lander/internal/queue"
	"lander/internal/vcs"
)

// quiet is the log of whoever tells all that there is to tell in findings.
var quiet = zerolog.Nop()

// reach finds out whether lander gets to the forge, and who it is there. False: nothing more can be asked.
func (d *Doctor) reach(ctx context.Context) bool {
	var err error
	if d.forge, err = NewForge(d.Settings, ForgeOptions{Now: d.Now, Log: quiet}); err != nil {
		d.tell(bad(aboutForge, "forge", oneLine(err), sayMendCredential))
		return false
	}
	isApp := d.Settings.App.ID != 0
	ahead, within, err := d.forge.Clock(ctx)
	if err != nil {
		d.tell(away(aboutForge, "forge", err, sayMendForge(d.Settings.ForgeURL)))
		return false
	}
	self, err := d.forge.Self(ctx)
	var denied *forge.DeniedError
	switch {
	case err == nil:
		d.tell(good(aboutForge, "forge", saySelf(self.Login, isApp, forgePages(d.Settings.ForgeURL))))
	case errors.As(err, &denied) && denied.Status == http.StatusUnauthorized:
		d.tell(bad(aboutForge, "forge", sayNotTaken(isApp, denied.Message), sayMendCredential))
	case forge.Temporary(err):
		d.tell(away(aboutForge, "forge", err, sayMendForge(d.Settings.ForgeURL)))
	default:
		d.tell(bad(aboutForge, "forge", oneLine(err), sayMendCredential))
	}
	d.tell(judgeClock(aboutForge, "forge-clock", ahead, within, isApp))
	if err != nil {
		return false
	}
	d.tell(d.allowance(ctx))
	return true
}

// allowance is what the first repository is granted that tells.
func (d *Doctor) allowance(ctx context.Context) Finding {
	var last error
	for _, name := range d.names() {
		a, err := d.forge.Allowance(ctx, name)
		if err == nil {
			return judgeAllowance(a)
		}
		last = err
	}
	return unproven(aboutForge, "forge-budget", oneLine(last), "")
}

func (d *Doctor) repositories(ctx context.Context) {
	self, err := d.forge.Self(ctx)
	if err != nil { // it was known a moment ago, and is kept
		d.tell(away(aboutForge, "forge", err, ""))
		return
	}
	for _, name := range d.names() {
		access, ok := d.access(ctx, name)
		if !ok {
			continue
		}
		var guards []Finding
		for _, l := range d.lanesOf(name) {
			guards = append(guards, d.guards(ctx, l, self, access)...)
		}
		r, remove, err := d.scratch(ctx, name)
		if err != nil {
			d.tell(bad(name, "push", oneLine(err), sayMendGitRemote(d.Settings.Remote(name))))
		} else if access.Push != github.No { // else that was told
			d.push(ctx, name, r, firm(guards, len(d.lanesOf(name))), self, access)
		}
		for _, l := range d.lanesOf(name) {
			for _, f := range guards {
				if f.About == l.String() {
					d.tell(f)
				}
			}
			if r != nil {
				d.ledger(ctx, r, l)
			}
			d.webhooks(ctx, l)
		}
		remove()
	}
}

// access tells what lander may do with a repository; not ok: it cannot even be seen.
func (d *Doctor) access(ctx context.Context, name string) (github.Access, bool) {
	a, err := d.forge.Access(ctx, name)
	switch {
	case errors.Is(err, forge.ErrNotFound):
		d.tell(bad(name, "repository", sayNotSeen(name), sayMendNotSeen(d.Settings.App.ID != 0)))
		return a, false
	case err != nil && forge.Temporary(err):
		d.tell(away(name, "repository", err, sayMendForge(d.Settings.ForgeURL)))
		return a, false
	case err != nil:
		d.tell(bad(name, "repository", oneLine(err), sayMendNotSeen(d.Settings.App.ID != 0)))
		return a, false
	}
	for _, f := range judgeAccess(name, a, d.Settings.App.ID != 0) {
		d.tell(f)
	}
	return a, true
}

// guards looks at what the forge lets happen to a lane's two branches.
func (d *Doctor) guards(ctx context.Context, l queue.Lane, self queue.Person, access github.Access) (found []Finding) {
	about := l.String()
	for _, at := range []struct{ what, branch string }{{"trunk", l.Trunk}, {"ledger", l.LedgerBranch()}} {
		g, err := d.forge.Guard(ctx, l.Repo, at.branch)
		switch {
		case err != nil:
			found = append(found, unproven(about, at.what+"-push", oneLine(err), ""))
		case at.what == "trunk" && !g.Exists:
			found = append(found, bad(about, "trunk", sayNoTrunk(l, access.DefaultBranch), sayMendTrunk))
		default:
			found = append(found, d.guarded(g, about, at.what, self, access).judge()...)
		}
	}
	return found
}

func (d *Doctor) guarded(g github.Guard, about, what string, self queue.Person, access github.Access) guarded {
	repo, _, _ := strings.Cut(about, ":")
	return guarded{Guard: g, about: about, what: what, self: self.Login, admin: access.Administers, rules: d.forge.Pages(repo) + "/settings/rules"}
}

func (d *Doctor) lanesOf(name string) (lanes []queue.Lane) {
	for _, l := range d.Settings.Lanes {
		if l.Repo == name {
			lanes = append(lanes, l)
		}
	}
	return lanes
}

// push finds out how the git server takes pushes: by trying, or else by asking. firm: the forge forbids force on trunk and ledger.
func (d *Doctor) push(ctx context.Context, name string, r *vcs.Repo, firm bool, self queue.Person, access github.Access) {
	trunk := d.lanesOf(name)[0].Trunk
	if !d.Push {
		d.tell(offered(ctx, name, r))
		d.tell(unproven(name, "push", sayNotProbed, ""))
		return
	}
	// What cannot be removed again is not made.
	scratch, err := d.forge.Guard(ctx, name, queue.LedgerPrefix+"tmp-probe-doctor/"+trunk+"/one")
	if err == nil && d.guarded(scratch, name, "", self, access).keeps() {
		d.tell(offered(ctx, name, r))
		d.tell(unproven(name, "push", sayWouldStay, sayMendWouldStay))
		return
	}
	found, err := r.Probe(ctx, trunk)
	for _, f := range found.Findings {
		d.tell(judgeProbe(name, f, firm))
	}
	switch {
	case err != nil && len(found.Findings) == 0: // not even one push was answered
		d.tell(bad(name, "push", oneLine(err), sayMendGitRemote(d.Settings.Remote(name))))
	case err != nil:
		d.tell(unproven(name, "push", oneLine(err), sayMendGitRemote(d.Settings.Remote(name))))
	}
}

// firm reports whether the forge forbids force on both branches of all lanes.
func firm(guards []Finding, lanes int) bool {
	n := 0
	for _, f := range guards {
		if strings.HasSuffix(f.Check, "-force") && f.Mark == Good {
			n++
		}
	}
	return n == 2*lanes
}

// offered asks a git server whether it moves two branches at once.
func offered(ctx context.Context, name string, r *vcs.Repo) Finding {
	can, err := r.Atomic(ctx)
	switch {
	case err != nil:
		return unproven(name, "push-atomic", oneLine(err), "")
	case !can:
		return warning(name, "push-atomic", sayNotAtomic, saySingleRef)
	}
	return good(name, "push-atomic", sayAtomicOffered)
}

// signed tells whether records carry a signature: those to come, and the newest one.
func (d *Doctor) signed(ctx context.Context, about string, r *vcs.Repo, tip queue.SHA) Finding {
	signs, newest := d.Settings.SigningKey.Reveal() != "", false
	if tip != "" {
		text, err := vcs.Git{Dir: r.Dir}.Text(ctx, "cat-file", "commit", string(tip))
		if err != nil {
			return unproven(about, "ledger-signed", oneLine(err), "")
		}
		newest = hasSignature(text)
	}
	if signs {
		if _, err := vcs.NewSigner([]byte(d.Settings.SigningKey.Reveal())); err != nil {
			return bad(about, "ledger-signed", oneLine(err), sayMendSigning)
		}
	}
	return judgeSigned(about, signs, tip != "", newest)
}
