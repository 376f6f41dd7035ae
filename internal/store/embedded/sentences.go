package embedded

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Every sentence for the operator stands here.

const ownServer = "or point LANDER_DATABASE_URL at a PostgreSQL server of your own"

func errNoPostgres() error {
	text, err := os.ReadFile("/etc/os-release")
	if err != nil {
		text = nil // not a Linux with one: the general sentence
	}
	return noPostgres(installCommand(runtime.GOOS, string(text), os.Geteuid() == 0))
}

func noPostgres(command string) error {
	if command == "" {
		command = "install PostgreSQL with your package manager"
	} else {
		command = "install it with: " + command
	}
	return fmt.Errorf("find PostgreSQL: there is no PostgreSQL %d or newer on this machine; %s; %s", oldest, command, ownServer)
}

func errBadBin(dir string, err error) error {
	return fmt.Errorf("find PostgreSQL: %s must name a directory with the programs postgres and initdb of PostgreSQL %d or newer, and %s does not: %w",
		BinVariable, oldest, dir, err)
}

func errUnsupervised() error {
	return errors.New("start Postgres: embedded.Supervise was not called first thing in main")
}

func errInUse(dir string, pid int) error {
	return fmt.Errorf("open database %s: it is in use by another lander, process %d; stop that one first, or choose another directory with --data", dir, pid)
}

func errHeld(dir string, pid int) error {
	return fmt.Errorf("open database %s: another lander holds its lock (process %d, which does not run here or has just been killed) and has not let go; "+
		"look for it in another container, or choose another directory with --data", dir, pid)
}

func errForeign(dir, owner string) error {
	return fmt.Errorf("open database %s: it belongs to the user %s; run lander as that user or as root, or choose another directory with --data", dir, owner)
}

func errRootOwned(dir string) error {
	return fmt.Errorf("open database %s: it belongs to root, and Postgres refuses to run as root; "+
		"give it to another user (chown -R postgres), or choose another directory with --data", dir)
}

func errNoAccount() error {
	return fmt.Errorf("start Postgres: it refuses to run as root, and this machine has neither a user postgres nor a user nobody; run lander as an ordinary user, %s", ownServer)
}

func errOtherVersion(dir, have string, want Install) error {
	return fmt.Errorf("open database %s: it was made by PostgreSQL %s, and %s is PostgreSQL %d; install PostgreSQL %s beside it, "+
		"or move the directory away to start with an empty database", dir, have, want.Bin, want.Major, have)
}

func errNotCluster(dir string) error {
	return fmt.Errorf("open database %s: this is not a PostgreSQL data directory; move it away, or choose another directory with --data", dir)
}

func errDangling(link, target string) error {
	return fmt.Errorf("open database %s: it points to %s, and nothing is there; put that directory back, or delete the link to start with an empty database", link, target)
}

func errUnreachable(dir, door, account string) error {
	return fmt.Errorf("open database %s: Postgres runs as the user %s, who may not enter %s; allow it (chmod o+x %s), or choose another directory with --data",
		dir, account, door, door)
}

func errUnusableBin(bin, account string, err error) error {
	return fmt.Errorf("start Postgres: the user %s may not run the programs in %s: %w", account, bin, err)
}

func errSurvivor(dir string, pid int) error {
	return fmt.Errorf("open database %s: a Postgres of an earlier lander (process %d) still runs on it and does not stop; end it with: kill -QUIT %d", dir, pid, pid)
}

func errStart(log, tail string) error {
	if tail == "" {
		return fmt.Errorf("start Postgres: it ended at once without a word; see %s", log)
	}
	return fmt.Errorf("start Postgres: it ended at once; %s says: %s", log, tail)
}

// installCommand is what installs PostgreSQL on the system that an os-release file describes; empty when unknown.
func installCommand(goos, osRelease string, root bool) string {
	sudo := "sudo "
	if root {
		sudo = ""
	}
	switch goos {
	case "darwin":
		return "brew install postgresql@17"
	case "freebsd":
		return sudo + "pkg install postgresql17-server"
	}
	for _, id := range systemIDs(osRelease) {
		switch id {
		case "debian", "ubuntu":
			return sudo + "apt-get install postgresql"
		case "fedora", "rhel", "centos", "amzn":
			return sudo + "dnf install postgresql-server"
		case "alpine":
			return sudo + "apk add postgresql"
		case "arch":
			return sudo + "pacman -S postgresql"
		case "suse", "opensuse":
			return sudo + "zypper install postgresql-server"
		}
	}
	return ""
}

// systemIDs lists ID and then the words of ID_LIKE.
func systemIDs(osRelease string) []string {
	var id, like []string
	for line := range strings.Lines(osRelease) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		words := strings.Fields(strings.Trim(value, `"'`))
		switch key {
		case "ID":
			id = words
		case "ID_LIKE":
			like = words
		}
	}
	return append(id, like...)
}
