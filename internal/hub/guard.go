package hub

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The hooks below run inside git receive-pack. What they must know about the person who pushes comes by environment:
//
//	HUB_USER    the login
//	HUB_ONLY    when set: the only refs that may be moved
//	HUB_RULES   RIGHTS:MATCH of each protection; the first that matches a ref counts. RIGHTS are letters for what this person
//	            may do: p push, f force, d delete; MATCH is a ref, or ~ and a regular expression
//	HUB_REFUSE  when set: refuse everything, with these words
//	HUB_NOW     the time, by the hub's clock
//
// No ref name holds a blank or a glob character, so lists are blank-separated words.

const updateHook = `#!/bin/sh
# Refuses what branch protection refuses. Arguments: ref, old commit, new commit.
set -f
ref=$1 old=$2 new=$3
refuse() {
	echo "error: GH006: Protected branch update failed for $ref." >&2
	echo "error: $1" >&2
	exit 1
}
if [ -n "$HUB_REFUSE" ]; then
	echo "error: $HUB_REFUSE" >&2
	exit 1
fi
if [ -n "$HUB_ONLY" ]; then
	allowed=
	for r in $HUB_ONLY; do [ "$r" = "$ref" ] && allowed=yes; done
	[ -n "$allowed" ] || { echo "error: You may push only to:$HUB_ONLY" >&2; exit 1; }
fi
for rule in $HUB_RULES; do
	may=${rule%%:*} match=${rule#*:}
	case $match in
	"~"*) printf '%s\n' "$ref" | grep -Eqx -e "${match#?}" || continue ;;
	*) [ "$match" = "$ref" ] || continue ;;
	esac
	case $may in *p*) ;; *) refuse "You're not authorized to push to this branch." ;; esac
	case $new in
	*[!0]*) ;;
	*)
		case $may in *d*) exit 0 ;; esac
		refuse "Cannot delete this protected branch"
		;;
	esac
	case $may in *f*) exit 0 ;; esac
	case $old in
	*[!0]*) git merge-base --is-ancestor "$old" "$new" || refuse "Cannot force-push to this protected branch" ;;
	esac
	exit 0
done
exit 0
`

const postReceiveHook = `#!/bin/sh
# Appends one line per moved ref: time, login, old commit, new commit, ref. Lines of one push are written at once.
lines=
while read -r old new ref; do
	lines="$lines${HUB_NOW:-$(date -u +%Y-%m-%dT%H:%M:%SZ)} ${HUB_USER:--} $old $new $ref
"
done
printf '%s' "$lines" >>post-receive.log
`

const repoConfig = `
[gc]
	auto = 0
[receive]
	autogc = false
	hideRefs = refs/pull
	hideRefs = refs/hub
[uploadpack]
	allowAnySHA1InWant = true
	allowFilter = true
	hideRefs = refs/hub
[http]
	receivepack = true
[core]
	hooksPath = hooks
`

// equip gives a bare repository its settings and hooks.
func equip(dir string) error {
	f, err := os.OpenFile(filepath.Join(dir, "config"), os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("equip repository: %w", err)
	}
	if _, err = f.WriteString(repoConfig); err == nil {
		err = f.Close()
	}
	if err != nil {
		return fmt.Errorf("equip repository: %w", err)
	}
	hooks := filepath.Join(dir, "hooks")
	if err := os.RemoveAll(hooks); err != nil { // the samples of a template
		return fmt.Errorf("equip repository: %w", err)
	}
	if err := os.Mkdir(hooks, 0o755); err != nil {
		return fmt.Errorf("equip repository: %w", err)
	}
	for name, text := range map[string]string{"update": updateHook, "post-receive": postReceiveHook} {
		if err := os.WriteFile(filepath.Join(hooks, name), []byte(text), 0o755); err != nil {
			return fmt.Errorf("equip repository: %w", err)
		}
	}
	return nil
}

// pass is what a push by somebody to r may do, in the words of the hooks' environment. The state must be locked for
// reading. An error means that the person may not push at all.
func (h *Hub) pass(a actor, r *repo) ([]string, error) {
	env := []string{"HUB_USER=" + a.user.Login, "HUB_NOW=" + h.clock().Format(time.RFC3339)}
	if !h.role(a, r).allows(RoleWrite) {
		only := h.editable(a, r)
		if len(only) == 0 {
			return nil, forbidden(fmt.Sprintf("Permission to %s.git denied to %s.", r.full(), a.user.Login))
		}
		env = append(env, "HUB_ONLY= "+strings.Join(only, " "))
	}
	if h.strike(scene{git: "push", repo: r.full()}, "readonly") != nil {
		return nil, forbidden("This repository was archived so it is read-only.")
	}
	return append(env, "HUB_RULES="+r.rulesFor(a.user.Login)), nil
}

// editable lists the branches of the fork r that a may push to because of a pull request that lets the maintainers
// of its base edit it.
func (h *Hub) editable(a actor, r *repo) []string {
	var refs []string
	for _, base := range h.state.Repos {
		if base == r || r.Parent == "" || !h.role(a, base).allows(RoleWrite) {
			continue
		}
		for _, p := range base.Pulls {
			if p.Open && p.MayEdit && key(p.HeadRepo) == key(r.full()) {
				refs = append(refs, "refs/heads/"+p.Head)
			}
		}
	}
	return refs
}
