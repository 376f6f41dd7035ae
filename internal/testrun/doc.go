// Package testrun is a candidate's test run: the commands of a recipe in a clean checkout of exactly that commit, and the
// verdict that comes out.
//
// # Who does what
//
//	lander (Runner.Run) ──starts──▶ supervisor ──starts──▶ /bin/sh -e -c COMMAND, one after the other
//	   │    ▲                         │   ▲
//	   │    └── frames: output, step begun, step ended, gone
//	   └─────── control pipe: the order, then one command at a time; closing it means "stop"
//
// Runner owns every decision: what is run next, limits, log, tail, verdict. The supervisor is this same binary executed again (see
// supervisor.go: the package's init notices, so no caller can forget to), one per run, started while the checkout is made, and
// does only what lander itself cannot: it is the reaper of everything that the commands leave behind. On Linux it is a child subreaper, so a process that
// forks twice, calls setsid or ignores signals is still its descendant; at the end it freezes and kills descendants until the
// kernel says that it has no child left. The control pipe closes when lander is told to cancel and also when lander is killed
// with SIGKILL, so nothing outlives lander either. The commands inherit neither pipe. When somebody kills the supervisor, its
// silence is never taken for success, and what it left is found by the run's private directory in its environment; Sweep does
// the same at start for runs whose lander died as well (scratch.go).
// On systems other than Linux only process groups are killed; a process that calls setsid there escapes.
//
// # How a command runs
//
// A command is one string as the recipe has it, handed to /bin/sh -e -c in the root of the checkout; its exit status is the
// shell's. -e is there for a recipe's multi-line command: without it "make lint" in the first line could fail and the step
// still be green. A pipe's status is that of its last part, as POSIX has it. Standard input is empty, there is no terminal,
// and standard output and error go to one log. Setup commands run first, then the steps, in order; the first that does not
// exit 0 ends the run. A process left in the background lives on into later steps (a database started in setup), and dies with
// the run; that it holds the output open delays nothing.
//
// # Environment
//
// Built from nothing (env.go). Always: PATH (lander's own), HOME and TMPDIR (private to the run, removed after it), LANG,
// CI=true, and the facts LANDER_RUN, LANDER_LANE, LANDER_REPOSITORY, LANDER_TRUNK, LANDER_CANDIDATE, LANDER_BASE,
// LANDER_MEMBERS (numbers, space between) and LANDER_SCRATCH (the private directory that HOME and TMPDIR are in); of what runs again,
// LANDER_RERUN. From
// lander's own environment pass the proxies, certificate files, package indexes and toolchain places listed in env.go, except a
// value with a password in its address; Runner.Env adds to them by name or by value. No other variable of lander's passes, and
// none that begins with LANDER_ ever does.
//
// Tools keep their caches in one directory per lane under Runner.Caches (Go's build and module caches, npm, pnpm, yarn, pip,
// cargo, gradle: through their variables), so that the second run is quick, and lanes do not see one another's.
//
// # Caches in a sandbox
//
// In a sandbox no run can put anything into another's caches. What runs see there is a stack of layers that nobody writes to any more; over it each
// run has a directory of its own (caches.go). What a run that was not green wrote is thrown away. What a green one wrote is kept until
// Runner.Landed says that its commit is on trunk, and is then one more layer, for it is trunk's own doing; and what never lands is thrown away after a
// day, or when more than 16 others wait. The kernel lays layers over one another (overlayfs): for root in the supervisor's mounts, with
// layers whose owners are mapped, in the name of the commands' user; for an ordinary user in a user namespace of its own around bwrap's
// (caches_linux.go). Those mounts are in nobody's namespace but the run's, so a crash leaves none, and what is left of a run that was killed is
// known by its lock and thrown away. More than eight layers are made one, by hard links, beside all runs, which go on seeing what they saw.
// Where the kernel does not do it (ProveOverlay), a run gets a copy, and what lands is the whole of it.
//
// Without a sandbox all runs of a lane write to one directory, as they can write to all that is lander's.
//
// # How many at a time
//
// Runners that share Slots have no more runs under way together than there are slots; one that has to wait begins nothing, and its time
// does not count. A part of a recipe, which is what runs again after a red run, is a recipe like any other: setup first, then its steps.
//
// # Results
//
// A step may say where it tells of its tests: in its output ("go test -json", TAP) or in files (JUnit). What it tells is read as a
// stranger's word, of any size and shape, into a tally that is bounded (results.go); only what failed and what was asked for is kept of
// it. The parsers are our own, for the libraries there are read everything into memory first. A test is named by its package or class
// and itself; a package of Go by itself where it failed beyond its tests, or where these did not all run. Of results and exit status
// the worse one counts: neither makes the other green. Where results may not be all (a plan that is not met, a report that cannot be
// read, a signal, more than 200 failures) the verdict says so (Partial), and it is the step that failed.
//
// Reports are looked for in the checkout only, through os.Root: no link leads out of it, a pipe holds nothing up, and a file that was
// there before the step and has not changed is none of it.
//
// # What runs again
//
// Job.Rerun names tests of a step (course.go). They run by the step's own template, or, where the step is a plain "go test -json", by
// what follows from it (rerun.go): their top-level tests, in their packages. Names are strangers' words: they get to the shell as
// arguments and in LANDER_RERUN, and never as text that it reads. A test has passed only if it was seen to: one that did not run is
// looked for by the whole step, and if that is red, it counts as failed too. Elsewhere that is enough, to see who broke it. To land it
// is not: a test can pass alone and fail in company. So on the commit that is to land, all around it has to pass as well: its whole
// package in Go, where packages are processes of their own, and the whole step everywhere else. What passes alone only is named by the
// package, or as the step, for then only these tell who broke it.
//
// # Log
//
// One file per run under Runner.Logs: the output byte for byte as it came, and between it lander's own lines, which begin with
// "===" and the time. Output beyond Runner.MaxLog is read and dropped, and the log says so; that fails nothing, until it comes to
// Limits.Output. Runner.Secrets are taken out before anything is kept, and out of the names in results. Logs are kept
// until somebody removes them. What people are shown (Tail, Verdict.Tail) is stripped of everything that is not text; of "go test -json"
// it is what go test would have said, the output of what failed.
//
// # Verdicts
//
// Judge is pure. Green needs the supervisor's report that every command of the recipe was started, exited 0, and that no
// process is left. A command that fails is Red, also when a signal killed it (exit 128+n): SIGKILL is named with the likeliest
// reason, memory, because lander cannot see who sent it. A limit of time is TimedOut with the limit named, another one Red. What the host did (no
// checkout, no process, no room for the log, a dead supervisor) is Infra. No steps: Unmeasured.
//
// # The sandbox
//
// With Runner.Sandbox the commands run in a sandbox that bubblewrap makes, one for each run:
//
//	supervisor ──starts──▶ bwrap ──▶ process 1 in there ──starts──▶ /bin/sh -e -c COMMAND, ...
//	   │  ▲                             │  ▲
//	   │  └── frames, one way ──────────┘  │
//	   └── the order, one command at a time┘
//
// Process 1 is this same binary once more. It has user, pid, mount, network, ipc, uts and cgroup namespaces of its own, no capability, and a
// seccomp filter; when it ends, whatever the reason, the kernel ends all that is in there. It ends when bwrap does, that when the
// supervisor does, and that when lander does. From inside no signal reaches it, and it cannot be traced or looked into, so the commands can end their
// own shell at most. The supervisor opens or shuts the network, gives process 1 its next command, passes on whole frames only, and adds its word
// on how the sandbox ended. Reports of results are read from outside, in the checkout.
//
// What the commands see: the system (/usr, /etc without what is not for everybody, /opt), the toolchains that lander's own environment
// names, and what the operator adds, all read-only; /src, the checkout; /scratch, with HOME and TMPDIR; /cache, the lane's caches; the
// objects that the checkout's git refers to, read-only; /tmp and /dev/shm in memory. They are user 1000, "lander". Outside they are nobody at
// all where lander is root: what is root's on the disk is shown to them as theirs by mounts that map owners, so that nothing
// changes hands (sandbox_stage_linux.go). Where lander is an ordinary user they are that user, with nothing of that user's in sight.
//
// The network of a sandbox is a loopback of its own, which lasts from setup to the last step. Setup, and steps that ask for it, find an HTTP
// proxy there, in the variables that say so. It is served from outside (sandbox_way.go), reaches what this machine reaches by TCP, through
// lander's own proxy if it has one, but not this machine, its link, nor the addresses at which clouds tell secrets, and is shut, with all
// that goes through it, before a command begins that may not use it. What speaks no HTTP proxy has no network.
//
// Limits: a watch in process 1 counts processes, what they hold, and, when the disk has lost enough, files; a run over a limit is ended, and
// the verdict names it. Below it are rlimits, and a cgroup where one is delegated. The watch looks twenty times a second: what is faster
// is held by the cgroup, or else by the machine, on which the commands are the first to go when memory runs out.
//
// Prove tries all that before it is relied on.
//
// # Without it
//
// The commands run as lander's own user. A command that sets out to do so can read what lander's user can
// read, and can kill the supervisor, or lander, from a process that has cleaned its environment and so survives. An innocent
// suite cannot do either by accident.
package testrun
