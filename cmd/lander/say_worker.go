package main

import (
	"fmt"

	"lander/internal/web"
)

// What the verb worker says, and what is said of workers.

const (
	shortWorker = "Take test runs from the landers of a database, on any number of machines"
	longWorker  = `Take test runs from the landers of a database, on any number of machines.

A worker needs the database and read access to git. It lands nothing, and is refused any credential that could: lander alone pushes.
SIGTERM or Ctrl-C gives back what is under way, and it begins on another machine at once. What a killed worker had begins elsewhere
after ten seconds.`
	exampleWorker = `  LANDER_DATABASE_URL=postgres://lander@db/lander lander worker
  lander worker --database-url-file /etc/lander/db --read-token-file /etc/lander/read --workers 4 --labels linux,big`
)

func errWorkerName(name string) error {
	return fmt.Errorf("another worker that is alive is called %s; give this one a name of its own with --name", name)
}

func sayWorker(w web.WorkerView) string {
	if w.Here {
		return "(lander's own)"
	}
	return w.Name
}

func workerState(w web.WorkerView) string {
	switch {
	case !w.Alive:
		return "silent since " + local(w.Seen)
	case w.Foreign:
		return "does not understand this lander"
	case len(w.Runs) == 0:
		return "idle"
	}
	return "at work"
}
