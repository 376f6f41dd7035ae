package hub

import (
	"fmt"
	"strings"
)

// actOnPull does what a button of the pull request page says, as whoever the visitor plays.
func actOnPull(v *visit) error {
	c := call{h: v.h, req: v.req, repo: v.repo, who: v.you}
	p, err := c.findPull()
	if err != nil {
		return err
	}
	h, n, body := v.h, p.Number, strings.ReplaceAll(v.req.FormValue("body"), "\r\n", "\n")
	id, err := formNumber(v.req.FormValue("id"))
	if err != nil {
		return err
	}
	yes, no := true, false
	said := strings.TrimSpace(body) != ""
	switch do := v.req.FormValue("do"); do {
	case "comment":
		_, err = h.comment(v.you, v.repo, n, body)
	case "approve":
		_, err = h.review(v.you, v.repo, n, EventApprove, body, v.req.FormValue("head"))
	case "changes":
		_, err = h.review(v.you, v.repo, n, EventChanges, or(body, "Please have another look."), v.req.FormValue("head"))
	case "dismiss":
		_, err = h.dismiss(v.you, v.repo, n, id, or(body, "Dismissed in the playground."))
	case "close", "reopen":
		if said {
			_, err = h.comment(v.you, v.repo, n, body)
		}
		if err == nil {
			e := Edit{Open: &no}
			if do == "reopen" {
				e.Open = &yes
			}
			err = h.editPull(v.you, v.repo, n, e)
		}
	case "draft", "ready":
		err = h.setDraft(v.you, v.repo, n, do == "draft")
	case "edits", "noedits":
		may := do == "edits"
		err = h.editPull(v.you, v.repo, n, Edit{MayEdit: &may})
	case "label":
		_, err = h.addLabels(v.you, v.repo, n, []string{strings.TrimSpace(v.req.FormValue("label"))})
	case "unlabel":
		_, err = h.removeLabel(v.you, v.repo, n, v.req.FormValue("label"))
	case "delete":
		err = h.deleteComment(v.you, v.repo, id)
	case "react":
		_, _, err = h.react(v.you, v.repo, n, id, v.req.FormValue("content"))
	default:
		err = &Refusal{Status: 422, Message: fmt.Sprintf("No button says %q.", do)}
	}
	if err != nil {
		return err
	}
	return v.leave(fmt.Sprintf("/%s/pull/%d", v.repo.full(), n))
}

// formNumber reads an id of a form; none is 0.
func formNumber(s string) (int64, error) {
	var n int64
	if s == "" {
		return 0, nil
	}
	if _, err := fmt.Sscan(s, &n); err != nil || n < 0 {
		return 0, notFound()
	}
	return n, nil
}
