package vcs

import (
	"errors"
	"testing"

	"lander/internal/queue"
)

// Only a refusal of every ref that was not taken says that nothing was changed.
func TestRefusal(t *testing.T) {
	t.Parallel()
	const (
		moved   = "!\tabc:refs/heads/main\t[rejected] (stale info)\n"
		atomic  = "!\tdef:refs/heads/x\t[rejected] (atomic push failed)\n"
		denied  = "!\tabc:refs/heads/main\t[remote rejected] (protected branch hook declined)\n"
		unknown = "!\tdef:refs/heads/x\t[remote failure] (remote failed to report status)\n"
		fine    = "*\tdef:refs/heads/x\t[new branch]\n"
	)
	for name, c := range map[string]struct {
		out           string
		stale, denied bool
	}{
		"a lease":              {"To x\n" + moved + atomic, true, false},
		"the server":           {"To x\n" + fine + denied + "Done\n", false, true},
		"both":                 {moved + denied, false, true},
		"no answer":            {"To x\n" + unknown, false, false},
		"half an answer":       {denied + unknown, false, false},
		"half an answer first": {unknown + denied, false, false},
		"nothing":              {"", false, false},
		"all is well":          {fine, false, false},
	} {
		cause := &ExitError{Verb: "push", Code: 1}
		err := refusal([]byte(c.out), cause)
		var stale *staleError
		var no *queue.DeniedError
		if errors.As(err, &stale) != c.stale || errors.As(err, &no) != c.denied || !c.stale && !c.denied && !errors.Is(err, cause) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
