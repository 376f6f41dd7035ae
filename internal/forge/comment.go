package forge

import (
	"strings"

	"lander/internal/queue"
)

// Site is what comments link to and how people address lander.
type Site struct {
	URL    string // base address of lander's own pages, without a final slash; empty: they are not linked
	Prefix string // what commands begin with; empty means DefaultPrefix
	Repo   string // "owner/name"; with Web, commits on trunk are linked
	Web    string // base address of the forge's pages, without a final slash

	// Change is the address of a change's own page, Log that of a run's whole output; nil or an empty answer: it is not linked.
	Change func(repo string, n queue.Number) string
	Log    func(repo string, id queue.CandidateID, run int) string
}

// DefaultPrefix is what commands begin with where no setting says otherwise.
const DefaultPrefix = "@lander"

// Bounds that keep the longest comment below 60,000 characters; the forge's own limit is 65,536.
const (
	mostFiles   = 50
	mostCommits = 50
	mostLines   = 30
	mostNames   = 20
	mostReasons = 10
	mostSteps   = 40
	mostTests   = 20
)

// Comment is the notice as GitHub-flavoured Markdown, below 60,000 characters. It ends with the notice's hidden key. A thumb has no
// words, and gives an empty comment.
func Comment(n queue.Notice, site Site) string { return comment(n, site, false) }

// CommentOnClosed is Comment for a landed change whose pull request lander closes itself, because the forge does not show it as merged.
func CommentOnClosed(n queue.Notice, site Site) string { return comment(n, site, true) }

func comment(n queue.Notice, site Site, closed bool) string {
	if site.Prefix == "" {
		site.Prefix = DefaultPrefix
	}
	body := draw(n, site, closed)
	// A test's output may hold a line that reads as a command, in a comment too long for lander to see that it only shows it. The end of
	// the output matters most.
	for n.Verdict != nil && len(n.Verdict.Tail) > 0 && len(Commands(site.Prefix, body)) > 0 {
		v := *n.Verdict
		v.Tail = v.Tail[len(v.Tail)-min(mostLines, len(v.Tail))/2:]
		n.Verdict = &v
		body = draw(n, site, closed)
	}
	return body
}

func draw(n queue.Notice, site Site, closed bool) string {
	p := page{site: site}
	t := trailer{Kind: n.Kind, Number: n.Number, Head: n.Head, Base: n.Base, Candidate: n.Candidate, ID: n.ID, Run: n.Run}
	switch n.Kind {
	case queue.NoticeLiving:
		s := standing(n)
		p.living(s)
		t = trailer{
			Kind: n.Kind, Number: s.Number, Head: s.Head, Stage: s.Stage, Position: s.Position,
			Base: s.Base, Candidate: s.Candidate, ID: s.ID, Run: s.Run,
		}
		if s.Drop != nil {
			t.Code = s.Drop.Code
		}
	case queue.NoticeDropped:
		p.dropped(n)
		if n.Drop != nil {
			t.Code = n.Drop.Code
		}
	case queue.NoticeLanded:
		p.landed(n, closed)
	case queue.NoticeVoided:
		p.add(headline(signStop, sayVoidedHead(), ""))
		p.add(at(n.Author.Login, n.Author.Bot) + ": " + p.plain(n.Text, 4000))
	case queue.NoticeAnswer:
		p.answer(n)
	default:
		return ""
	}
	if n.Verdict != nil {
		t.Outcome = n.Verdict.Outcome
	}
	p.links(n)
	p.add(hiddenKey(n.Key, t))
	return strings.Join(p.parts, "\n\n") + "\n"
}

// standing is what the living notice describes. A notice without one describes a change that nothing is known of.
func standing(n queue.Notice) queue.Standing {
	if n.Standing == nil {
		return queue.Standing{Number: n.Number, Head: n.Head, Author: n.Author, Stage: queue.StageIdle}
	}
	return *n.Standing
}

// page is a comment under way: blocks that an empty line parts.
type page struct {
	site  Site
	parts []string
}

func (p *page) add(part string) { p.parts = append(p.parts, part) }

func (p *page) items(items []string) {
	if len(items) > 0 {
		p.add("- " + strings.Join(items, "\n- "))
	}
}

func (p *page) plain(text string, most int) string { return plain(clip(text, most), p.site.Prefix) }

// trunk names a commit that the forge has: one that is, or was, on trunk.
func (p *page) trunk(sha queue.SHA) string {
	if sha == "" {
		return "an unknown commit"
	}
	if p.site.Web == "" || p.site.Repo == "" {
		return commit(sha)
	}
	return link(commit(sha), p.site.Web+"/"+p.site.Repo+"/commit/"+string(sha))
}

func (p *page) links(n queue.Notice) {
	if n.Kind == queue.NoticeAnswer {
		return
	}
	change, log := "", ""
	if p.site.Change != nil {
		change = p.site.Change(p.site.Repo, n.Number)
	}
	id, run := n.ID, n.Run
	if n.Verdict != nil && n.Verdict.Reused != nil {
		id, run = n.Verdict.Reused.Candidate, n.Verdict.Reused.Run // whose output there is
	}
	if n.Standing != nil {
		id, run = n.Standing.ID, n.Standing.Run
	}
	if p.site.Log != nil && run > 0 {
		log = p.site.Log(p.site.Repo, id, run)
	}
	if s := sayLinks(change, log, p.site.URL); s != "" {
		p.add(s)
	}
}

func (p *page) living(s queue.Standing) {
	var first queue.Reason
	rest := s.Reasons
	switch n := len(rest) - 1; {
	case n < 0:
	case s.Stage == queue.StageLanding, s.Stage == queue.StageTesting && (n == 0 || rest[n].Code != "landing"):
		first, rest = rest[n], rest[:n] // what becomes of it comes last, after all that is in its way
	default:
		first, rest = rest[0], rest[1:]
	}
	text := p.plain(first.Text, 500)
	next := sayWho(p.plain(first.Who, 200), p.plain(first.Next, 500))
	place := sayPlace(s.Position, s.Ahead)
	var items []string
	switch s.Stage {
	case queue.StageHeld:
		p.add(headline(signStop, sayHeldFor(text), next))
		items = append(items, place+".")
	case queue.StageTesting:
		switch {
		case first.Code == "starting", first.Code == "red", first.Code == "testing" && s.Again:
			p.add(headline(signRun, capital(text), next))
		case first.Code == "landing":
			p.add(headline(signRun, sayLanding(commit(s.Candidate)), ""))
		case len(rest) > 0 && rest[len(rest)-1].Code == "landing": // green, and something is in its way
			p.add(headline(signWait, sayWaitsFor(text), next))
		default:
			p.add(headline(signRun, sayTesting(commit(s.Candidate), p.trunk(s.Base), s.With, moment(s.Since), s.Run), sayIfGreen(s.Areas)))
		}
	case queue.StageLanding:
		p.add(headline(signRun, sayLanding(commit(s.Candidate)), ""))
	case queue.StageLanded:
		p.add(headline(signDone, sayLanded(p.landing(s.Landing, s.Head), 0), ""))
		rest = nil
	case queue.StageDropped:
		reason := text
		if s.Drop != nil {
			reason = p.dropReason(s.Drop)
		}
		p.add(headline(signFail, sayNotLanded(reason), next))
	case queue.StageWaiting:
		if first.Code == "" || first.Code == "behind" || first.Code == "next" {
			p.add(headline(signWait, place, sayPatience()))
			break
		}
		p.add(headline(signWait, sayWaitsFor(text), next))
		items = append(items, place+".")
	default:
		p.add(headline(signStop, sayIdle(text), next))
	}
	for i, r := range rest {
		if i == mostReasons {
			items = append(items, sayMore(len(rest)-i)+".")
			break
		}
		items = append(items, sayReason(p.plain(r.Text, 500), moment(r.Since), p.plain(r.Who, 200), p.plain(r.Next, 500)))
	}
	items = append(items, sayAsked(commit(s.Head), asker(s), moment(s.AskedAt), people(s.Approvers), s.Priority))
	p.items(items)
}

func (p *page) dropped(n queue.Notice) {
	d := queue.Drop{}
	if n.Drop != nil {
		d = *n.Drop
	}
	p.add(headline(signFail, sayNotLanded(p.dropReason(&d)), ""))
	p.add(sayNext(at(n.Author.Login, n.Author.Bot), d.Code, code(p.site.Prefix+" retry")))
	items := []string{sayAuthor(person(n.Author.Login), people(n.Approvers))}
	if n.Verdict != nil {
		items = append(items, sayTested(commit(n.Candidate), p.trunk(n.Base), n.With, sayVerdict(*n.Verdict)))
		if steps := steps(n.Verdict.Steps); len(steps) > 1 {
			items = append(items, saySteps(steps))
		}
		if n.Verdict.Outcome != queue.Green && len(n.Verdict.Failed) > 0 {
			items = append(items, sayTests(files(n.Verdict.Failed, mostTests), n.Verdict.Partial))
		}
		if n.Verdict.Outcome == queue.Red || n.Verdict.Outcome == queue.TimedOut {
			items = append(items, sayFault(d.With))
		}
	}
	p.items(items)
	switch {
	case d.Code == queue.DropConflict:
		if len(d.Files) > 3 {
			p.add(sayFiles() + "\n\n- " + strings.Join(files(d.Files, mostFiles), "\n- "))
		}
		if n.Base != "" {
			p.add(sayMend() + "\n\n```sh\n" + strings.Join(sayMendSteps(n.Base), "\n") + "\n```")
		}
	case n.Verdict != nil && len(n.Verdict.Tail) > 0:
		tail := n.Verdict.Tail[max(0, len(n.Verdict.Tail)-mostLines):]
		var lines []string
		for _, l := range tail {
			lines = append(lines, output(l))
		}
		p.add(sayTail(len(lines)) + "\n\n" + fence(lines))
	}
}

// dropReason is short enough for a first line; the files of a long conflict follow below.
func (p *page) dropReason(d *queue.Drop) string {
	if d.Code != queue.DropConflict || len(d.Files) == 0 {
		return p.plain(d.Reason, 500)
	}
	shown := d.Files[:min(3, len(d.Files))]
	return sayConflictIn(files(shown, 3), len(d.Files)-len(shown))
}

func (p *page) landed(n queue.Notice, closed bool) {
	l := queue.Landing{}
	if n.Landing != nil {
		l = *n.Landing
	}
	p.add(headline(signDone, sayLanded(p.landing(&l, n.Candidate), len(l.Commits)), ""))
	var items []string
	if len(n.Approvers) > 0 {
		items = append(items, sayApproved(people(n.Approvers)))
	}
	if n.Verdict != nil {
		if r := n.Verdict.Reused; r != nil {
			items = append(items, sayReused(commit(r.Commit), int64(r.Candidate), r.Run, moment(r.At)))
		}
		if l.Tested == "" {
			items = append(items, sayTestedTip(commit(n.Candidate), p.trunk(n.Base), n.With, n.Run, n.Verdict.Reused != nil, sayPassed(n.Verdict.Steps)))
		} else {
			items = append(items, sayTestedPerArea(l.Areas, commit(l.Tested), p.trunk(n.Base), n.With, n.Run, sayPassed(n.Verdict.Steps)))
		}
		if steps := steps(n.Verdict.Steps); len(steps) > 0 {
			items = append(items, saySteps(steps))
		}
		if unneeded := sayUnneeded(n.Verdict.Steps); unneeded != "" {
			items = append(items, unneeded)
		}
		if optional := sayOptional(n.Verdict.Optional); optional != "" {
			items = append(items, optional)
		}
	}
	if n.Waited > 0 {
		took := queue.Verdict{}
		if n.Verdict != nil {
			took = *n.Verdict
		}
		items = append(items, sayTook(n.Waited, took.Took))
	}
	p.items(items)
	if closed {
		p.add(sayClosed())
	}
	var commits []string
	for i, c := range l.Commits {
		if i == mostCommits {
			commits = append(commits, sayMore(len(l.Commits)-i))
			break
		}
		from := ""
		if c.From != "" {
			from = commit(c.From)
		}
		to := p.trunk(c.SHA)
		if c.From == c.SHA {
			from = to
		}
		commits = append(commits, sayCommit(from, to, code(clip(c.Title, 150))))
	}
	if len(commits) > 0 {
		p.add(sayCommits() + "\n\n- " + strings.Join(commits, "\n- "))
	}
}

// landing names the commit of trunk that brought the change.
func (p *page) landing(l *queue.Landing, otherwise queue.SHA) string {
	switch {
	case l != nil && len(l.Commits) > 0:
		return p.trunk(l.Commits[len(l.Commits)-1].SHA)
	case l != nil && l.Tip != "":
		return p.trunk(l.Tip)
	}
	return commit(otherwise)
}

func (p *page) answer(n queue.Notice) {
	var lines []string
	for l := range strings.Lines(clip(n.Text, 8000)) {
		if l = p.plain(l, 8000); l != "" {
			lines = append(lines, capital(l))
		}
	}
	who := "**" + person(n.Author.Login) + ":**"
	if len(lines) == 1 {
		p.add(who + " " + lines[0])
		return
	}
	p.add(who)
	p.items(lines)
}

func commit(sha queue.SHA) string {
	if sha == "" {
		return "an unknown commit"
	}
	return code(clip(sha.Short(), 8))
}

func people(names []string) []string {
	var words []string
	for i, name := range names {
		if i == mostNames {
			return append(words, sayMore(len(names) - i)[len("and "):])
		}
		words = append(words, person(name))
	}
	return words
}

func asker(s queue.Standing) string {
	if s.AskedBy == "" {
		return ""
	}
	return person(s.AskedBy)
}

func files(paths []string, most int) []string {
	var words []string
	for i, path := range paths {
		if i == most {
			return append(words, sayMore(len(paths)-i))
		}
		words = append(words, code(clip(path, 200)))
	}
	return words
}

func steps(results []queue.StepResult) []string {
	var words []string
	for i, s := range results {
		if i == mostSteps {
			return append(words, sayMore(len(results)-i))
		}
		words = append(words, sayStep(s))
	}
	return words
}
