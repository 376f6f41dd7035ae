package testrun

import (
	"cmp"
	"strconv"
)

// Sandbox is what runs are kept in: see doc.go. Prove makes one.
type Sandbox struct {
	limits  Limits
	network Network

	bwrap   string            // the program
	uid     int               // the kernel's number of the commands' user; 0: lander's own, which is then not root
	system  []bind            // what of this machine they see
	links   map[string]string // symbolic links beside it
	hidden  []string          // what of it they do not see
	named   []string          // see Options.Named
	proxies proxies
	overlay bool   // tool caches are layers that the kernel lays over one another, see ProveOverlay
	tasks   bool   // this kernel counts the processes of a user by sandbox
	group   string // the cgroup to make those of runs in; "": there is none
	notes   []string
}

// Options say how a sandbox is to be. The zero Options are usable.
type Options struct {
	Limits  Limits
	Network Network  // who may reach the network; "" is NetworkSetup
	Named   []string // addresses, as host:port, that may be reached although they are this machine's: a package mirror, say
	Read    []string // more of this machine that the commands may read, beside the system and the toolchains of lander's environment
	Hide    []string // what they must not see, should the system hold it: lander's data, files with secrets
	Bwrap   string   // the program; "": bwrap, from PATH

	LookupEnv func(string) (string, bool) // nil: os.LookupEnv
}

// MissingError says that there can be no sandbox here, and how that is mended.
type MissingError struct{ Reason, Mend string }

func (e *MissingError) Error() string { return e.Reason }

// Notes are sentences on what the sandbox does without on this machine. None of them is what Prove proves.
func (s *Sandbox) Notes() []string { return s.notes }

// Limits are those of each run.
func (s *Sandbox) Limits() Limits { return s.limits }

// Network says which commands may reach the network.
type Network string

const (
	NetworkSetup Network = "setup" // setup, and the steps whose recipe asks for it
	NetworkAll   Network = "all"
	NetworkNone  Network = "none"
)

// Limits bound one run. A field of 0 has its default.
type Limits struct {
	Memory int64 // bytes that its processes hold, and that it keeps in /tmp and /dev/shm
	Pids   int   // processes and threads
	Disk   int64 // bytes in its checkout and its private directory; no file may be larger, wherever it is
	Files  int   // files there
	Output int64 // bytes written to the log, kept or not
}

// Limits that are not set. Memory has none of its own: see usualMemory.
const (
	usualPids   = 4096
	usualDisk   = 20 << 30
	usualFiles  = 2_000_000
	usualOutput = 2 << 30
)

// filled gives each field that is 0 its default.
func (l Limits) filled() Limits {
	return Limits{
		Memory: cmp.Or(l.Memory, usualMemory()), Pids: cmp.Or(l.Pids, usualPids), Disk: cmp.Or(l.Disk, usualDisk),
		Files: cmp.Or(l.Files, usualFiles), Output: cmp.Or(l.Output, usualOutput),
	}
}

// Limit is one that a run went over.
type Limit string

const (
	OverMemory Limit = "memory"
	OverPids   Limit = "pids"
	OverDisk   Limit = "disk"
	OverFiles  Limit = "files"
	OverOutput Limit = "output"
)

// over is the report that a run went over a limit, and was ended for it.
type over struct {
	Limit Limit
	Most  int64
}

// may reports whether a command may reach the network.
func (n Network) may(setup, asked bool) bool {
	switch n {
	case NetworkAll:
		return true
	case NetworkNone:
		return false
	}
	return setup || asked
}

// Where things are in a sandbox. They are the same for every run, so that what a tool keeps by path is found again.
const (
	insideCheckout = "/src"
	insideScratch  = "/scratch" // HOME and TMPDIR are in it
	insideCache    = "/cache"
	insideUser     = 1000 // the number that the commands' user has in there
)

// bind is a part of this machine that a sandbox shows.
type bind struct {
	From  string // required
	To    string // required: where it is in there
	Write bool   `json:",omitempty"`
	// Own says that its files are lander's, and become those of the commands' user. It matters only where that is another one.
	Own bool `json:",omitempty"`
	// Reach says that the way there may be closed to the commands' user. It matters only where that is another one.
	Reach bool `json:",omitempty"`
	// Over is what is to be laid over one another at From, which is an empty directory; nil: it shows what From has.
	Over *overlay `json:",omitempty"`
}

// overlay is directories that the kernel shows as one. What is written goes to the uppermost, and nothing is ever changed in the others.
// Paths are relative to Base, which has no say in what they may hold.
type overlay struct {
	Base  string   // required
	Run   string   // required: a directory with "up", which is the uppermost, and "work" and "at", which are the kernel's
	Lower []string // required: the topmost first
}

// box is a sandbox for one run, as the supervisor is told of it.
type box struct {
	Bwrap   string
	UID     int // 0: this process's own
	Binds   []bind
	Links   map[string]string // symbolic links to make, by where they are
	Hidden  []string          // files and directories that Binds show, and that are not to be seen
	Limits  Limits
	Named   []string
	Proxies proxies
	Group   string `json:",omitempty"` // the cgroup to make the run's in; "": none
	Tasks   bool   // this kernel counts the processes of a user by sandbox
}

// passwd is all that the commands know of who there is.
func passwd() string {
	return "root:x:0:0:root:/:/bin/sh\nlander:x:" + insideID + ":" + insideID + ":lander:" + insideScratch + "/home:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
}

func group() string { return "root:x:0:\nlander:x:" + insideID + ":\nnogroup:x:65534:\n" }

const hosts = "127.0.0.1 localhost " + insideName + "\n::1 localhost\n"

const insideName = "lander"

var insideID = strconv.Itoa(insideUser)
