package hub

import (
	"errors"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

func showCommits(v *visit) error {
	l := listView{Branch: v.req.PathValue("branch"), Page: v.pageNumber()}
	var tip string
	v.h.read(func() { tip, _ = v.repo.branch(l.Branch) })
	if tip == "" {
		return &Refusal{Status: 404, Message: "There is no branch " + l.Branch + "."}
	}
	all, err := v.h.history(v.repo, "--first-parent", "--max-count="+strconv.Itoa(rowsPerPage+1), "--skip="+strconv.Itoa((l.Page-1)*rowsPerPage), tip)
	if err != nil {
		return err
	}
	l.turn("", len(all) > rowsPerPage)
	l.Rows = v.days(all[:min(len(all), rowsPerPage)])
	v.show(200, "commits", frame{Title: "Commits of " + l.Branch, Tab: "commits", Live: true, Main: l})
	return nil
}

// day is a day's commits.
type day struct {
	Day  string
	Rows []commitRow
}

type commitRow struct {
	commit
	Title         string
	Login, Lander string // the author's login; the committer's name when it is another
	Pull          int    // the pull request that it landed
	Check         string
}

func (v *visit) days(all []commit) []day {
	var out []day
	v.h.read(func() {
		landed := map[string]int{}
		for _, p := range v.repo.Pulls {
			if p.Merged {
				landed[p.MergeSHA] = p.Number
			}
		}
		for _, c := range all {
			row := commitRow{commit: c, Title: c.title(), Login: c.Author.Name, Pull: landed[c.SHA], Check: v.h.checksOf(v.repo, c.SHA).State}
			if u := v.h.byEmail(c.Author.Email); u != nil {
				row.Login = u.Login
			}
			if c.Committer.Name != c.Author.Name {
				row.Lander = c.Committer.Name
			}
			name := c.Committer.At.Format("Monday, 2 January 2006")
			if len(out) == 0 || out[len(out)-1].Day != name {
				out = append(out, day{Day: name})
			}
			d := &out[len(out)-1]
			d.Rows = append(d.Rows, row)
		}
	})
	return out
}

type commitView struct {
	commitRow
	Words    template.HTML
	FileRows []fileView
	Checks   checksView
	Now      time.Time
	Repo     string
}

func showCommit(v *visit) error {
	sha := v.req.PathValue("sha")
	if !isSHA(sha) || !v.h.knows(v.repo, sha) {
		return notFound()
	}
	one, err := v.h.history(v.repo, "--max-count=1", sha)
	if err != nil {
		return err
	}
	between := sha + "^!"
	if len(one[0].Parents) != 1 {
		between = v.emptyTree(len(sha)) + ".." + sha
		if len(one[0].Parents) > 1 {
			between = one[0].Parents[0] + ".." + sha
		}
	}
	files, err := v.h.files(v.repo, between)
	if err != nil {
		return err
	}
	view := commitView{commitRow: v.days(one)[0].Rows[0], Now: v.h.now(), Repo: v.repo.full()}
	if view.FileRows, err = v.h.diffView(v.repo, between, files); err != nil {
		return err
	}
	_, rest, _ := strings.Cut(strings.TrimSpace(one[0].Message), "\n")
	view.Words = template.HTML(strings.ReplaceAll(template.HTMLEscapeString(strings.TrimSpace(rest)), "\n", "<br>")) //nolint:gosec // escaped
	v.h.read(func() { view.Checks = v.h.checksOf(v.repo, sha) })
	v.show(200, "commit", frame{Title: one[0].title(), Tab: "commits", Main: view})
	return nil
}

// emptyTree is the id of the tree without entries, which every git knows, for ids of a length.
func (v *visit) emptyTree(length int) string {
	if length == 64 {
		return "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"
	}
	return "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
}

type editView struct {
	Branch, Path, Text, Message, Back string
	Paths                             []string
	Past                              bool // straight to a protected branch
	Pull                              int
	New                               bool // there is no such file yet
	Locked                            bool // protection would refuse the visitor
	Guard                             string
}

// pathsOffered is how many files an edit page offers.
const pathsOffered = 200

func showEdit(v *visit) error {
	e := editView{Branch: v.req.FormValue("branch"), Path: strings.TrimSpace(v.req.FormValue("path")), Back: v.back()}
	var tip string
	v.h.read(func() {
		tip, _ = v.repo.branch(e.Branch)
		e.Pull = v.pullOf(e.Branch)
		if p := v.repo.protection(e.Branch); p != nil && v.you.user != nil {
			e.Past, e.Guard = true, strings.Join(p.Push, ", ")
			e.Locked = !hasLogin(p.Push, v.you.user.Login) && !hasLogin(p.Bypass, v.you.user.Login)
		}
	})
	if tip == "" {
		return &Refusal{Status: 404, Message: "There is no branch " + e.Branch + "."}
	}
	out, err := v.h.in(v.repo, "ls-tree", "-r", "-z", "--name-only", tip)
	if err != nil {
		return err
	}
	all := strings.Split(strings.TrimRight(out, "\x00"), "\x00")
	e.Paths = all[:min(len(all), pathsOffered)]
	if e.Path == "" && len(all) > 0 {
		e.Path = v.likely(e, all)
	}
	e.New = !slices.Contains(all, e.Path)
	if !e.New {
		if e.Text, err = v.h.in(v.repo, "cat-file", "blob", tip+":"+e.Path); err != nil {
			return err
		}
		if strings.ContainsRune(e.Text, 0) || len(e.Text) > patchMax {
			return &Refusal{Status: 422, Message: e.Path + " cannot be edited here: it is binary, or too long."}
		}
		e.Text += "\n"
	}
	v.show(200, "edit", frame{Title: "Edit " + e.Branch, Main: e})
	return nil
}

// pullOf is the open pull request whose head is a branch of the repository being visited, in it; else 0.
func (v *visit) pullOf(branch string) int {
	for _, p := range v.repo.Pulls {
		if p.Open && p.Head == branch && key(p.HeadRepo) == key(v.repo.full()) {
			return p.Number
		}
	}
	return 0
}

// likely is the file that somebody wants to edit: one that the pull request changes, or a text to begin with.
func (v *visit) likely(e editView, all []string) string {
	var p *Pull
	v.h.read(func() { p = v.repo.Pulls[e.Pull] })
	if p != nil {
		if files, _, err := v.h.details.filesOf(v.repo, p); err == nil {
			for _, f := range files {
				if f.Status != "removed" && !f.Binary {
					return f.Path
				}
			}
		}
	}
	for _, path := range all {
		if strings.HasSuffix(path, ".md") {
			return path
		}
	}
	return all[0]
}

func actOnEdit(v *visit) error {
	if v.you.user == nil {
		return &Refusal{Status: 401, Message: "Requires authentication"}
	}
	path, branch := strings.TrimSpace(v.req.FormValue("path")), v.req.FormValue("branch")
	if path == "" || strings.HasPrefix(path, "/") || strings.Contains("/"+path+"/", "/../") || strings.Contains("/"+path+"/", "/.git/") {
		return &Refusal{Status: 422, Message: "That is no path for a file of a repository."}
	}
	text := strings.ReplaceAll(v.req.FormValue("text"), "\r\n", "\n")
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	message := or(strings.TrimSpace(v.req.FormValue("message")), "Edit "+path)
	_, err := v.h.Push(v.repo.full(), Push{
		By: v.you.user.Login, Branch: branch, Commits: []Commit{{Files: map[string]string{path: text}, Message: message}},
	})
	var refused *RefusedPushError
	if errors.As(err, &refused) {
		return refused
	}
	if err != nil {
		return err
	}
	if v.req.FormValue("back") == "" {
		return v.leave((&url.URL{Path: "/" + v.repo.full() + "/commits/" + branch}).EscapedPath())
	}
	return v.leave(v.back())
}
