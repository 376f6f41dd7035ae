package verify

import "time"

// Kind says what a finding is. The values are part of the JSON that others rely on.
type Kind string

// Bypass and Rewind are named and are no breach; all others are.
const (
	Bypass    Kind = "bypass"    // a commit came to trunk past lander
	Rewind    Kind = "rewind"    // what landed was taken off trunk again
	Tree      Kind = "tree"      // trunk has other files than the record says
	Change    Kind = "change"    // what landed is not the members' own change
	Forged    Kind = "forged"    // a record that lander cannot have written
	Missing   Kind = "missing"   // lander's commit without a record, or a gap in the ledger
	Chain     Kind = "chain"     // the ledger is not one unbroken chain
	Signature Kind = "signature" // a record is not signed as it must be
	Lane      Kind = "lane"      // a record of another lane
	Twice     Kind = "twice"     // the same head of the same change landed twice
	Behind    Kind = "behind"    // a landing that is in the ledger and not on trunk, and nobody took it away
	Aborted   Kind = "aborted"   // a landing that is in the ledger, and that another record says can never be
)

// Breach reports whether such a finding means that lander's promise was broken or cannot be proven.
func (k Kind) Breach() bool { return k != Bypass && k != Rewind }

// Finding is one thing that is not as it should be.
type Finding struct {
	Kind   Kind   `json:"kind"`
	Breach bool   `json:"breach"`
	Record string `json:"record,omitempty"` // the ledger's commit that it is about
	Seq    int64  `json:"seq,omitempty"`    // and that record's number
	Commit string `json:"commit,omitempty"` // trunk's commit that it is about
	Text   string `json:"text"`             // a sentence
}

// Key is a key that records are signed with.
type Key struct {
	Fingerprint string `json:"fingerprint"`
	Type        string `json:"type"`
	Principal   string `json:"principal,omitempty"` // as the allowed signers call it; empty: nobody vouches for the key
	Records     int    `json:"records"`
}

// Report is what is proven, and what is not.
type Report struct {
	Lane      string `json:"lane"`
	TrunkRef  string `json:"trunk_ref,omitempty"`
	TrunkTip  string `json:"trunk_tip"`
	LedgerRef string `json:"ledger_ref,omitempty"`
	LedgerTip string `json:"ledger_tip"`

	AdoptedBy string    `json:"adopted_by,omitempty"` // the record; empty: the ledger was not read to its beginning
	AdoptedAt string    `json:"adopted_at,omitempty"` // the commit of trunk
	AdoptedOn time.Time `json:"adopted_on,omitzero"`
	Since     string    `json:"since,omitempty"` // the record that was trusted

	Records    int `json:"records"`  // that were read
	Landings   int `json:"landings"` // land records that count
	Aborts     int `json:"aborts"`
	Unapproved int `json:"unapproved"` // changes that landed with no approval in their record, as a policy may allow
	Reused     int `json:"reused"`     // landings that were green by a run of another commit of the same tree, as their records say
	PerArea    int `json:"per_area"`   // landings of which another commit was tested: that of their areas
	Commits    int `json:"commits"`    // of trunk, proven to be lander's
	Bypassed   int `json:"bypassed"`   // commits past lander
	Rewinds    int `json:"rewinds"`
	Merged     int `json:"merged"` // landings and single commits that took a three-way merge to prove
	Older      int `json:"older"`  // commits of the range from before lander; nothing is said about them

	Areas []string `json:"areas,omitempty"` // of those that were tested per area, sorted; * is all of them

	Signed  int   `json:"signed"`
	Vouched bool  `json:"vouched"` // every record's key is among the allowed signers
	Keys    []Key `json:"keys,omitempty"`

	Breaches int       `json:"breaches"`
	Findings []Finding `json:"findings"` // breaches first, each kind of the two in the ledger's order
}
