package hub

import (
	"cmp"
	"html/template"
	"slices"
	"strings"
	"time"
)

// pullView is the pull request page.
type pullView struct {
	Number                                      int
	Title, Author, Badge, Base, HeadRepo, Head  string
	HeadSHA, HeadLabel, MergeSHA, MergedBy, Tab string
	Fork, Open, Draft, Merged                   bool
	Commits, Files                              int
	Additions, Deletions                        int
	Talk                                        []talkView
	Labels                                      []labelView
	AllLabels                                   []string
	Standing                                    []stand
	Checks                                      checksView
	Own, CanReview, CanWrite, CanTriage         bool
	CanPush, CanPast, MayEdit, Approved         bool   // Approved: by the visitor, at this head
	Guard                                       string // who alone pushes to the base; empty when it is not protected
	CommitRows                                  []commit
	FileRows                                    []fileView
	Mergeable                                   *bool
	Now                                         time.Time
	Repo                                        string
}

// talkView is one piece of the conversation: a comment, a review or a note.
type talkView struct {
	Kind      string // comment, review or note
	ID        int64
	At        time.Time
	Edited    bool
	Author    string
	Bot       bool
	Role      Role
	Body      template.HTML
	State     string // of a review
	SHA       string
	Old       bool // of an earlier head
	Counts    bool
	Text      string // of a note
	Why       string // a review was dismissed
	Mine      bool   // the visitor may edit or delete it
	Reactions []reactionView
	First     bool
}

type reactionView struct {
	Sign, Who string
	Count     int
	Content   string
}

var reactionSigns = map[string]string{
	"+1": "👍", "-1": "👎", "laugh": "😄", "hooray": "🎉", "confused": "😕", "heart": "❤️", "rocket": "🚀", "eyes": "👀",
}

// pullPage gathers what the three pages of a pull request share.
func (v *visit) pullPage(tab string) (*Pull, *pullView, error) {
	c := call{h: v.h, req: v.req, repo: v.repo, who: v.you}
	p, err := c.findPull()
	if err != nil {
		return nil, nil, err
	}
	s, err := v.h.details.stat(v.repo, p)
	if err != nil {
		return nil, nil, err
	}
	var view pullView
	v.h.read(func() {
		v.h.details.ask(v.repo, p)
		view = v.pullView(p)
	})
	view.Tab, view.Additions, view.Deletions, view.Files = tab, s.Additions, s.Deletions, s.Files
	return p, &view, err
}

func (v *visit) pullView(p *Pull) pullView {
	h, r := v.h, v.repo
	role := h.role(v.you, r)
	view := pullView{
		Number: p.Number, Title: p.Title, Author: p.Author, Badge: p.badge(), Base: p.Base, HeadRepo: p.HeadRepo, Head: p.Head,
		HeadSHA: p.HeadSHA, MergeSHA: p.MergeSHA, MergedBy: p.MergedBy, Fork: key(p.HeadRepo) != key(r.full()), Open: p.Open, Draft: p.Draft,
		Merged: p.Merged, Commits: p.CommitCount, Labels: labelViews(r, p), Standing: h.standing(r, p), Checks: h.checksOf(r, p.HeadSHA),
		Own: v.you.user != nil && key(v.you.user.Login) == key(p.Author), CanWrite: role.allows(RoleWrite), CanTriage: role.allows(RoleTriage),
		Mergeable: h.details.known(r, p), MayEdit: p.MayEdit, Now: h.now(), Repo: r.full(),
	}
	view.CanReview = !view.Own && v.you.user != nil
	for _, s := range view.Standing {
		view.Approved = view.Approved || view.CanReview && !s.Old && s.State == "APPROVED" && key(s.Login) == key(v.you.user.Login)
	}
	view.HeadLabel = p.Head
	if view.Fork {
		owner, _, _ := strings.Cut(p.HeadRepo, "/")
		view.HeadLabel = owner + ":" + p.Head
	}
	if head := h.state.Repos[key(p.HeadRepo)]; head != nil && v.you.user != nil {
		_, there := head.branch(p.Head)
		view.CanPush = there && (h.role(v.you, head).allows(RoleWrite) || slices.Contains(h.editable(v.you, head), "refs/heads/"+p.Head))
	}
	if prot := r.protection(p.Base); prot != nil {
		view.Guard = strings.Join(prot.Push, ", ")
		view.CanPast = v.you.user != nil && hasLogin(prot.Bypass, v.you.user.Login)
	} else {
		view.CanPast = view.CanWrite
	}
	for _, l := range r.Labels {
		if !slices.Contains(p.Labels, l.Name) {
			view.AllLabels = append(view.AllLabels, l.Name)
		}
	}
	return view
}

// conversation is all that was said and done, in order. The state must be locked.
func (v *visit) conversation(p *Pull) []talkView {
	h, r := v.h, v.repo
	var all []talkView
	for _, c := range p.Comments {
		t := v.said(p, c.ID, c.Author, c.Body, c.CreatedAt)
		t.Kind, t.Edited, t.Reactions = "comment", c.UpdatedAt.After(c.CreatedAt), reactionViews(c.Reactions)
		t.Mine = h.mayEditComment(v.you, r, c) == nil
		all = append(all, t)
	}
	for _, x := range p.Reviews {
		if x.State == "PENDING" {
			continue
		}
		t := v.said(p, x.ID, x.Author, x.Body, x.At)
		t.Kind, t.State, t.SHA, t.Old, t.Why = "review", x.State, x.SHA, x.SHA != p.HeadSHA, x.Dismissed
		t.Counts = h.roleOf(x.Author, r, RoleRead).allows(RoleWrite)
		all = append(all, t)
	}
	for _, n := range p.Notes {
		all = append(all, talkView{Kind: "note", At: n.At, Author: n.Who, Text: n.Text, SHA: n.SHA})
	}
	slices.SortStableFunc(all, func(x, y talkView) int { return cmp.Or(x.At.Compare(y.At), strings.Compare(x.Kind, y.Kind)) })
	first := v.said(p, 0, p.Author, p.Body, p.CreatedAt)
	first.Kind, first.First, first.Reactions = "comment", true, reactionViews(p.Reactions)
	return append([]talkView{first}, all...)
}

func (v *visit) said(p *Pull, id int64, author, body string, at time.Time) talkView {
	u := v.h.state.Users[key(author)]
	t := talkView{ID: id, At: at, Author: author, Body: prose(body, v.repo.full()), Role: v.h.roleOf(author, v.repo, RoleRead)}
	t.Bot = u != nil && u.Type == "Bot"
	if key(author) == key(p.Author) && !t.Role.allows(RoleTriage) {
		t.Role = "author"
	}
	return t
}

func reactionViews(all []*Reaction) []reactionView {
	var out []reactionView
	for _, kind := range reactionKinds {
		var who []string
		for _, x := range all {
			if x.Content == kind {
				who = append(who, x.Author)
			}
		}
		if len(who) > 0 {
			out = append(out, reactionView{Sign: reactionSigns[kind], Content: kind, Count: len(who), Who: strings.Join(who, ", ")})
		}
	}
	return out
}

func (v *visit) pullFrame(view *pullView) frame {
	return frame{Title: "#" + itoa(int64(view.Number)) + " " + view.Title, Tab: "pulls", Live: view.Tab == "talk", Main: view}
}

func showPull(v *visit) error {
	number := v.req.PathValue("number")
	for _, end := range []string{".diff", ".patch"} {
		if bare, ok := strings.CutSuffix(number, end); ok {
			v.req.SetPathValue("number", bare)
			return v.sendPatch(end)
		}
	}
	p, view, err := v.pullPage("talk")
	if err != nil {
		return err
	}
	v.h.read(func() { view.Talk = v.conversation(p) })
	v.show(200, "pull", v.pullFrame(view))
	return nil
}

// sendPatch sends a pull request as text.
func (v *visit) sendPatch(form string) error {
	p, _, err := v.pullPage("talk")
	if err != nil {
		return err
	}
	var base, head string
	v.h.read(func() { base, head = p.BaseSHA, p.HeadSHA })
	args := []string{"diff", base + "..." + head}
	if form == ".patch" {
		args = []string{"format-patch", "--stdout", base + ".." + head}
	}
	text, err := v.h.in(v.repo, args...)
	if err != nil {
		return err
	}
	v.h.say(v.w, 200, text+"\n")
	return nil
}

func showPullCommits(v *visit) error {
	p, view, err := v.pullPage("commits")
	if err != nil {
		return err
	}
	if view.CommitRows, err = v.h.details.commitsOf(v.repo, p); err != nil {
		return err
	}
	v.show(200, "pull", v.pullFrame(view))
	return nil
}

func showPullFiles(v *visit) error {
	p, view, err := v.pullPage("files")
	if err != nil {
		return err
	}
	files, at, err := v.h.details.filesOf(v.repo, p)
	if err != nil {
		return err
	}
	if view.FileRows, err = v.h.diffView(v.repo, at.both(), files); err != nil {
		return err
	}
	v.show(200, "pull", v.pullFrame(view))
	return nil
}
