package hub

import (
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"
)

// badge is a pull request's state as people see it.
func (p *Pull) badge() string {
	switch {
	case p.Merged:
		return "merged"
	case !p.Open:
		return "closed"
	case p.Draft:
		return "draft"
	default:
		return "open"
	}
}

func showHome(v *visit) error { return v.showRepos("", "Repositories") }

func showOwner(v *visit) error {
	owner := v.req.PathValue("owner")
	if _, ok := v.h.User(owner); !ok {
		return notFound()
	}
	return v.showRepos(owner, owner)
}

func (v *visit) showRepos(owner, title string) error {
	var all []*repoView
	v.h.read(func() {
		for _, r := range v.h.state.Repos {
			if (owner == "" || key(owner) == key(r.Owner)) && v.h.role(v.you, r).allows(RoleRead) {
				all = append(all, v.h.repoView(r))
			}
		}
	})
	slices.SortFunc(all, func(x, y *repoView) int {
		if forks := strings.Compare(x.Parent, y.Parent); forks != 0 {
			return forks
		}
		return strings.Compare(x.Full, y.Full)
	})
	v.show(200, "home", frame{Title: title, Live: true, Main: all})
	return nil
}

// pullRow is a pull request in the list.
type pullRow struct {
	Number                      int
	Title, Author, Badge, Check string
	Base, Fork                  string
	Labels                      []labelView
	Comments                    int
	At                          time.Time // opened, or closed
	Approved, Wanted            bool      // approved; changes asked for
}

type labelView struct {
	Name, Class string
}

func labelViews(r *repo, p *Pull) []labelView {
	var all []labelView
	for _, name := range p.Labels {
		if l := r.label(name); l != nil {
			all = append(all, labelView{Name: l.Name, Class: "hue" + strconv.FormatInt(l.ID%7, 10)})
		}
	}
	return all
}

// rowsPerPage is how many pull requests, or commits, a page lists.
const rowsPerPage = 50

type listView struct {
	Rows         any
	Filter       string
	Page         int
	Before, Next string // addresses
	Branch       string
}

func (v *visit) pageNumber() int {
	n, err := strconv.Atoi(v.req.FormValue("page"))
	if err != nil || n < 1 {
		return 1
	}
	return min(n, 1_000_000)
}

// turn fills in the neighbours of a page.
func (l *listView) turn(query string, more bool) {
	if l.Page > 1 {
		l.Before = "?" + query + "page=" + strconv.Itoa(l.Page-1)
	}
	if more {
		l.Next = "?" + query + "page=" + strconv.Itoa(l.Page+1)
	}
}

func showPulls(v *visit) error {
	l := listView{Filter: or(v.req.FormValue("state"), "open"), Page: v.pageNumber()}
	if !slices.Contains([]string{"open", "closed", "all"}, l.Filter) {
		return notFound()
	}
	var some []pullRow
	v.h.read(func() {
		all := slices.DeleteFunc(sortedPulls(v.repo), func(p *Pull) bool { return l.Filter != "all" && l.Filter != p.stateName() })
		slices.Reverse(all)
		from := min((l.Page-1)*rowsPerPage, len(all))
		to := min(from+rowsPerPage, len(all))
		l.turn("state="+l.Filter+"&", to < len(all))
		for _, p := range all[from:to] {
			some = append(some, v.h.pullRow(v.repo, p))
		}
	})
	l.Rows = some
	v.show(200, "pulls", frame{Title: v.repo.full(), Tab: "pulls", Live: true, Main: l})
	return nil
}

func (h *Hub) pullRow(r *repo, p *Pull) pullRow {
	row := pullRow{
		Number: p.Number, Title: p.Title, Author: p.Author, Badge: p.badge(), Labels: labelViews(r, p), Comments: len(p.Comments),
		At: p.CreatedAt, Base: p.Base,
	}
	if !p.Open {
		row.At = p.ClosedAt
	}
	if key(p.HeadRepo) != key(r.full()) {
		row.Fork = p.HeadRepo
	}
	row.Check = h.checksOf(r, p.HeadSHA).State
	for _, s := range h.standing(r, p) {
		row.Approved = row.Approved || s.State == "APPROVED" && s.Counts
		row.Wanted = row.Wanted || s.State == "CHANGES_REQUESTED" && s.Counts
	}
	return row
}

// stand is what one reviewer's reviews come to.
type stand struct {
	Login, State string
	Counts       bool // the reviewer may write
	Old          bool // of an earlier head
}

// standing is each reviewer's latest word. The state must be locked.
func (h *Hub) standing(r *repo, p *Pull) []stand {
	var all []stand
	for _, v := range p.Reviews {
		if v.State == "PENDING" {
			continue
		}
		s := stand{Login: v.Author, State: v.State, Old: v.SHA != p.HeadSHA}
		s.Counts = h.roleOf(v.Author, r, RoleRead).allows(RoleWrite)
		i := slices.IndexFunc(all, func(x stand) bool { return key(x.Login) == key(s.Login) })
		switch {
		case i < 0:
			all = append(all, s)
		case v.State != "COMMENTED": // a remark takes nothing back
			all[i] = s
		}
	}
	return all
}

// checksView is what the statuses and check runs of a commit come to.
type checksView struct {
	State string // success, failure, pending, or empty when there are none
	Rows  []checkRow
}

type checkRow struct {
	State, Name, Text, Link string
}

// checksOf gathers statuses and check runs. The state must be locked.
func (h *Hub) checksOf(r *repo, sha string) checksView {
	var v checksView
	for _, t := range r.latestStatuses(sha) {
		v.Rows = append(v.Rows, checkRow{State: t.State, Name: t.Context, Text: t.Description, Link: webLink(t.TargetURL)})
	}
	for _, c := range r.latestChecks(sha) {
		row := checkRow{Name: c.Name, Text: or(c.Title, c.Conclusion), Link: webLink(c.DetailsURL), State: "pending"}
		if c.Status == "completed" {
			row.State = "failure"
			if slices.Contains([]string{"success", "neutral", "skipped"}, c.Conclusion) {
				row.State = "success"
			}
		}
		row.Text = or(row.Text, strings.ReplaceAll(c.Status, "_", " "))
		v.Rows = append(v.Rows, row)
	}
	for i := range v.Rows {
		row := &v.Rows[i]
		if row.State == "error" {
			row.State = "failure"
		}
		if v.State == "" || row.State == "failure" || row.State == "pending" && v.State == "success" {
			v.State = row.State
		}
	}
	return v
}

// webLink is a link that somebody gave, unless it is something else.
func webLink(u string) string {
	if strings.HasPrefix(u, "http://") || strings.HasPrefix(u, "https://") {
		return u
	}
	return ""
}

// when shows a moment as people say it, and exactly when the mouse rests on it.
func when(now, t time.Time) template.HTML {
	d := now.Sub(t)
	var words string
	switch {
	case d < 10*time.Second:
		words = "just now"
	case d < time.Minute:
		words = "a moment ago"
	case d < time.Hour:
		words = counted(int(d.Minutes()), "minute", "minutes") + " ago"
	case d < 24*time.Hour:
		words = counted(int(d.Hours()), "hour", "hours") + " ago"
	case d < 30*24*time.Hour:
		words = counted(int(d.Hours()/24), "day", "days") + " ago"
	default:
		words = "on " + t.Format("2 Jan 2006")
	}
	exact := t.UTC().Format(time.RFC3339)
	return template.HTML(`<time datetime="` + exact + `" title="` + exact + `">` + words + `</time>`) //nolint:gosec // no outside text
}
