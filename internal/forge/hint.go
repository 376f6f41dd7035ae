package forge

import "lander/internal/queue"

// Hint says where to look again. It carries no fact: the look is the fact.
type Hint struct {
	Repo         string       // required: "owner/name" in the forge's own spelling
	Number       queue.Number // a pull request that changed; 0: none
	Branch       string       // a branch that was pushed to or deleted; empty: none
	Tip          queue.SHA    // with Branch: where it stands now, as the sender says; empty: it is gone, or not said
	Checks       bool         // with Branch: what was told is of checks at its tip
	Installation int64        // the App installation that was told; 0: none
}
