// Package embedded runs a private PostgreSQL cluster for one lander, from the machine's own PostgreSQL programs.
//
// Three processes stand in a row: lander, a watchdog, and the postmaster.
//
//	lander --(pipe)--> watchdog --(child)--> postgres
//
// The watchdog is lander's own program, started again with a private environment variable that [Supervise] looks for. It
// reads a pipe whose other end only lander holds. However lander ends, SIGKILL included, the kernel closes that end; the
// watchdog then stops Postgres, waits until it is gone, cleans up, and ends. Should the watchdog itself be killed, Linux
// tells Postgres to stop (PR_SET_PDEATHSIG; the watchdog's forking thread is locked for life, because that signal follows
// the thread). On other systems, or when everything was killed at once, the next [Start] on the directory finds what is left.
//
// A cluster belongs to one lander at a time. The lock is a flock on DIR/lock that lander and its watchdog share, so it is
// free exactly when the old Postgres has gone, and a lander that was killed can be started again at once.
//
// Postgres refuses to run as root, so under root it runs as the cluster's owner, or for a new one as "postgres" or "nobody".
// That user must be able to walk to the cluster; where DIR lies behind a closed door (/root, a directory of mktemp -d) the
// cluster is kept elsewhere, and DIR/cluster is a symbolic link to it.
//
// The server listens on a unix socket in a directory of mode 0700 and nowhere else. That directory is the whole access control:
// who can enter it (the cluster's owner and root) is trusted.
//
//	DIR/lock          who uses the directory
//	DIR/cluster/      the data directory, or a link to it; appears by one rename when it is complete
//	DIR/run/          the socket, unless the path would be too long for one
//	DIR/postgres.log  what the server says
package embedded
