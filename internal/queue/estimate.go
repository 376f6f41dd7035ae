package queue

import "time"

// Estimates is what a lane's past says of runs to come. It decides the order of work and nothing else; what is tested and what lands
// never depends on it.
type Estimates struct {
	All     Tally           `json:"all"`               // of all changes
	Authors map[int64]Tally `json:"authors,omitempty"` // by Person.ID
	Steps   map[string]Took `json:"steps,omitempty"`   // by name, of steps that passed
	Run     Took            `json:"run"`               // of whole runs that passed
}

// Tally counts what became of changes. Old ones count for less: both are multiplied by a factor below one whenever one is added.
type Tally struct {
	Good float64 `json:"good"`
	Bad  float64 `json:"bad"`
}

// Took is how long something took, oldest first.
type Took []time.Duration
