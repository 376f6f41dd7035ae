package hub

import (
	"fmt"
	"slices"
)

func (r *repo) label(name string) *Label {
	for _, l := range r.Labels {
		if key(l.Name) == key(name) {
			return l
		}
	}
	return nil
}

// labelColors are given in turn to labels that come without a colour.
var labelColors = []string{"1d76db", "0e8a16", "d93f0b", "5319e7", "fbca04", "006b75", "b60205"}

// needLabel finds a label, and makes it where there is none. The state must be locked.
func (h *Hub) needLabel(r *repo, name string) *Label {
	if l := r.label(name); l != nil {
		return l
	}
	l := &Label{ID: h.id(), Name: name, Color: labelColors[len(r.Labels)%len(labelColors)]}
	r.Labels = append(r.Labels, l)
	return l
}

// AddLabel puts labels on a pull request.
func (h *Hub) AddLabel(repo string, number int, login string, names ...string) error {
	r, who, err := h.enter(repo, login)
	if err == nil {
		_, err = h.addLabels(who, r, number, names)
	}
	if err != nil {
		return fmt.Errorf("label #%d: %w", number, err)
	}
	return nil
}

func (h *Hub) addLabels(who actor, r *repo, number int, names []string) (*Pull, error) {
	var p *Pull
	err := h.change(func() error {
		if p = r.Pulls[number]; p == nil {
			return notFound()
		}
		if err := h.need(who, r, RoleTriage); err != nil {
			return err
		}
		for _, name := range names {
			if name == "" {
				return invalid("Label", "name", "missing_field")
			}
			l := h.needLabel(r, name)
			if slices.Contains(p.Labels, l.Name) {
				continue
			}
			p.Labels = append(p.Labels, l.Name)
			p.UpdatedAt = h.clock()
			h.note(p, who.user.Login, "added the label "+l.Name, "")
			h.emitPull(r, p, who.user, "labeled", extra{label: l.Name})
		}
		return nil
	})
	return p, err
}

// RemoveLabel takes a label off a pull request.
func (h *Hub) RemoveLabel(repo string, number int, login, name string) error {
	r, who, err := h.enter(repo, login)
	if err == nil {
		_, err = h.removeLabel(who, r, number, name)
	}
	if err != nil {
		return fmt.Errorf("unlabel #%d: %w", number, err)
	}
	return nil
}

func (h *Hub) removeLabel(who actor, r *repo, number int, name string) (*Pull, error) {
	var p *Pull
	err := h.change(func() error {
		if p = r.Pulls[number]; p == nil {
			return notFound()
		}
		if err := h.need(who, r, RoleTriage); err != nil {
			return err
		}
		i := slices.IndexFunc(p.Labels, func(l string) bool { return key(l) == key(name) })
		if i < 0 {
			return &Refusal{Status: 404, Message: "Label does not exist"}
		}
		name := p.Labels[i]
		p.Labels = slices.Delete(p.Labels, i, i+1)
		p.UpdatedAt = h.clock()
		h.note(p, who.user.Login, "removed the label "+name, "")
		h.emitPull(r, p, who.user, "unlabeled", extra{label: name})
		return nil
	})
	return p, err
}
