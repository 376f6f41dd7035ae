package queue

import (
	"errors"
	"time"
)

// Item is one thing in a lane's inbox: somewhere to look, or an order.
type Item struct {
	ID     int64
	Number Number // look at this pull request; 0: not that
	Trunk  bool   // look at trunk
	Tip    SHA    // with Trunk: where the hint says it stands; when that is known already, no look is needed
	Order  Event  // ChangeAsked, Paused or Resumed; nil: not that
}

// Save is what one transaction stores: the state that grew from Old, and the inbox items that it dealt with.
type Save struct {
	Old, New Queue
	Policy   *Policy // nil: as before
	Done     []int64
}

// Glimpse is what a list of pull requests tells of one of them: enough to know whether it is worth a look.
type Glimpse struct {
	Number  Number
	Head    SHA
	Open    bool
	Updated time.Time // forge's clock
}

// Outgoing is a notice that is still to be sent.
type Outgoing struct {
	Seq    int64
	Notice Notice
	Remote string // the forge's id of what was posted under the same key before; empty: nothing known
	Tries  int
}

// ErrStale says that somebody else saved the lane since it was loaded; nothing was stored.
var ErrStale = errors.New("lane was saved by somebody else")
