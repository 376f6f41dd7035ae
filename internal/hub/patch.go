package hub

import "strings"

// patchMax is the longest patch of one file that is given out, in bytes; GitHub too leaves long ones out.
const patchMax = 200_000

// patches gives the unified diff of each file, beginning with its first hunk. Binary files and very long diffs have none.
func (h *Hub) patches(r *repo, between string, files []file) (map[string]string, error) {
	out := map[string]string{}
	if len(files) == 0 {
		return out, nil
	}
	args := []string{"diff", "--no-color", "--no-ext-diff", "-M", between, "--"}
	for _, f := range files {
		args = append(args, ":(literal)"+f.Path)
		if f.Was != "" {
			args = append(args, ":(literal)"+f.Was)
		}
	}
	text, err := h.in(r, args...)
	if err != nil {
		return nil, err
	}
	// Files come in the order of the list; a line of a diff's body never begins with "diff".
	parts := strings.Split("\n"+text, "\ndiff --git ")[1:]
	if len(parts) != len(files) {
		return out, nil
	}
	for i, part := range parts {
		at := strings.Index(part, "\n@@ ")
		if at >= 0 && len(part)-at < patchMax {
			out[files[i].Path] = part[at+1:]
		}
	}
	return out, nil
}
