package embedded

import (
	"path/filepath"
	"strconv"
)

// superuser is the one role of a cluster. Who may enter the socket's directory is it.
const superuser = "lander"

// port only names the socket file.
const port = 5432

// initdbArgs make a cluster whose sort order and messages are the same on every machine.
func initdbArgs(dir string, durable bool) []string {
	args := []string{
		"--pgdata=" + dir, "--username=" + superuser, "--encoding=UTF8", "--locale=C",
		"--auth-local=trust", "--auth-host=reject", "--no-instructions",
	}
	if durable {
		return append(args, "--wal-segsize=4")
	}
	return append(args, "--wal-segsize=1", "--no-sync")
}

// serverArgs are all settings that differ from Postgres's own. They are given as arguments so that a cluster made by an older
// lander gets today's, and nobody has two places to look.
func serverArgs(major int, cluster, sockets string, durable bool) []string {
	settings := []string{
		"listen_addresses=",
		"unix_socket_directories=" + quoteList(sockets),
		"unix_socket_permissions=0700",
		"port=" + strconv.Itoa(port),
		"cluster_name=lander",
		"ssl=off",
		"timezone=UTC",
		"log_timezone=UTC",
		"logging_collector=off",
		"log_destination=stderr",
		"log_checkpoints=off",
		"log_min_messages=warning",

		// One small program uses it: no parallel workers, no replication, no just-in-time compiler, little memory.
		"shared_buffers=32MB",
		"work_mem=4MB",
		"maintenance_work_mem=32MB",
		"max_wal_size=256MB",
		"min_wal_size=16MB",
		"huge_pages=off",
		"dynamic_shared_memory_type=mmap", // a file of the cluster: /dev/shm is small in containers, and keeps what a killed server leaves
		"jit=off",
		"max_worker_processes=0",
		"max_parallel_workers=0",
		"max_logical_replication_workers=0",
		"wal_level=minimal",
		"max_wal_senders=0",
	}
	if major >= 18 {
		settings = append(settings, "io_method=sync") // no I/O workers
	}
	if durable {
		settings = append(settings, "fsync=on", "full_page_writes=on", "synchronous_commit=on", "max_connections=100")
	} else {
		settings = append(settings, "fsync=off", "full_page_writes=off", "synchronous_commit=off", "autovacuum=off", "max_connections=200")
	}
	args := []string{"-D", cluster}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	return args
}

// quoteList writes one path as a list setting, in which a comma would divide and a blank would be lost.
func quoteList(path string) string {
	quoted := []byte{'"'}
	for _, c := range []byte(path) {
		if c == '"' {
			quoted = append(quoted, '"')
		}
		quoted = append(quoted, c)
	}
	return string(append(quoted, '"'))
}

// socketFile is where Postgres listens when its sockets live in dir.
func socketFile(dir string) string { return filepath.Join(dir, ".s.PGSQL."+strconv.Itoa(port)) }
