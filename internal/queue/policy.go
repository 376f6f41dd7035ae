package queue

// PolicyFile is where a repository keeps its policy; it is read from trunk only.
const PolicyFile = ".lander.yml"

// Policy is what a repository asks of its landings.
type Policy struct {
	Style     Style     // empty means StyleRebase
	Approvals int       // people who must approve the head
	NoLabels  []string  // labels that keep a change waiting
	Window    int       // candidates in flight; below 1 means 1
	Batch     int       // members in one candidate; below 1 means as many as lander ever puts into one
	TestEach  TestEach  // what must be green before it may be a trunk commit; empty means TestBatch
	Areas     AreaRules // which areas a change touches; off: each is tested with all ahead of it
	Recipe    Recipe    // how candidates are tested
	// ShowMerged lets lander move the head branch of a pull request to the commits that land from it, so that the forge shows it as
	// merged.
	ShowMerged bool
	// NoForks keeps what comes from other repositories from being tested, and so from landing: there is nothing to keep it apart by. It
	// is the operator's and stands in no file.
	NoForks bool `json:",omitempty"`
	// Environment is the digest of what a run here runs in, as its verdict names it; empty: it is not known, and no run is taken over
	// from another. It is this lander's and stands in no file.
	Environment string `json:",omitempty"`
	Warning     string // what is wrong with the file though landing goes on, as a sentence for the operator
	Problem     string // why nothing can be tested or landed by this policy, as a sentence for the operator; empty: it can
}

// TestEach says between what trunk never stands on anything that was not tested as exactly that commit.
type TestEach string

const (
	TestBatch  TestEach = "batch"  // between candidates: the last commit of each
	TestChange TestEach = "change" // between changes: each has a green run of its own
)
