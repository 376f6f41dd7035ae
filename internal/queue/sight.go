package queue

import "time"

// Sight is one look at a pull request: everything the forge says of it at one moment.
type Sight struct {
	Number   Number
	At       time.Time // required: the forge's clock when it answered
	Open     bool
	Merged   bool // closed because its head reached the base
	Draft    bool
	Base     string    // branch it asks to land on
	Head     SHA       // required
	PushedAt time.Time // last push to the head's repository on the forge's clock; zero when unknown
	Branch   string    // head branch
	HeadRepo string    // "owner/name" where the head branch lives; empty when that repository is gone
	Fork     bool      // the head lives in another repository
	Editable bool      // lander may push to the head branch, as far as the forge says
	Title    string
	Body     string
	URL      string
	Author   Person
	Labels   []string
	Reviews  []Review // oldest first
	Asks     []Ask    // commands addressed to lander, oldest first
}

// ReviewState is what a review says.
type ReviewState string

const (
	ReviewApproved  ReviewState = "approved"
	ReviewObjected  ReviewState = "changes requested"
	ReviewDismissed ReviewState = "dismissed"
	ReviewCommented ReviewState = "commented"
)

// Review is one person's review, bound to the head it was given for.
type Review struct {
	ID    string // required: unique within the pull request
	Who   Person
	Role  Role // what Who may do now, not when the review was given
	Head  SHA
	State ReviewState
	At    time.Time
}

// Verb is a command of the comment language.
type Verb string

const (
	VerbLand     Verb = "land"
	VerbWithdraw Verb = "withdraw"
	VerbRetry    Verb = "retry"
	VerbPriority Verb = "p"
	VerbHold     Verb = "hold"
	VerbUnhold   Verb = "unhold"
	VerbAfter    Verb = "after"
	VerbWhy      Verb = "why"
	VerbHelp     Verb = "help"
	VerbPing     Verb = "ping"
	VerbPause    Verb = "pause"
	VerbResume   Verb = "resume"
)

// Ask is one command that somebody gave. It acts once, however often it is seen.
type Ask struct {
	ID       string // required: unique within the pull request, and in order of giving for one comment
	Comment  int64  // the comment it stands in, for the reaction; 0 when it came another way
	Who      Person
	Role     Role // what Who may do now
	At       time.Time
	Verb     Verb   // empty when Problem is set
	SHA      string // land: full or abbreviated head; empty means the head that the person saw
	Priority *int   // land, p
	Alone    bool   // land: in no batch
	After    Number // after: the change that comes first; 0: none is named
	// NotBefore is the time that after names; zero: it names none.
	NotBefore time.Time
	Text      string // pause: the reason; with Problem: what was typed
	Problem   string // why the command was not understood, as a sentence for who typed it
}
