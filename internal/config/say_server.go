package config

import (
	"fmt"
	"strings"
)

// What the operator is told of the settings. What is wrong with one follows its name, or the name of its flag or variable.

func sayWantDatabase() string {
	return "wants the address of a Postgres, as in postgres://user@host:5432/lander; leave it out for a private one"
}

func sayNoWorkDir(err error) string { return "wants an absolute path here: " + err.Error() }

func sayWantAddress(got string) string {
	return fmt.Sprintf("wants HOST:PORT, as in 127.0.0.1:8080 or :8080, not %q", got)
}

func sayWantURL() string {
	return "wants a plain http:// or https:// address, without user, query or fragment"
}

func sayWantBool(got string) string { return fmt.Sprintf("wants true or false, not %q", got) }

func sayWeakToken() string {
	return "wants a token of at least 20 letters without spaces; \"openssl rand -hex 24\" makes one"
}

func sayWeakSecret() string {
	return "wants secrets of at least 8 letters; \"openssl rand -hex 24\" makes one"
}

func sayWantOneWord() string { return "wants one token without spaces" }

func sayWantKey() string {
	return "wants the App's private key in PEM form, as GitHub gave it for download"
}

func sayWantSigningKey() string {
	return "wants an OpenSSH private key without a passphrase, as ssh-keygen -t ed25519 -N '' makes it"
}

func sayWantID(got string) string { return fmt.Sprintf("wants a number above 0, not %q", clip(got)) }

func sayWantLane(got string) string {
	return fmt.Sprintf("wants OWNER/NAME:BRANCH, as in acme/app:main, not %q", clip(got))
}

func sayLaneTwice(lane string) string { return fmt.Sprintf("names %s twice; keep one", lane) }

func sayWantPrefix(got string) string {
	return fmt.Sprintf("wants one word that begins with @ or /, as in @lander, not %q", clip(got))
}

func sayWantPoll(got string) string {
	return fmt.Sprintf("wants a time from 1s to 1h, as in 30s, not %q", clip(got))
}

func sayWantGrace(got string) string {
	return fmt.Sprintf("wants a time from 0s to 720h, as in 1h, not %q", clip(got))
}

func sayWantWorkers(got string) string {
	return fmt.Sprintf("wants a whole number from 1 to %d, as in 4, or none, not %q", mostWorkers, clip(got))
}

func sayWantLabels(err error) string { return "wants labels, as in linux,big: " + err.Error() }

func sayWantWorkerName(got string) string {
	return fmt.Sprintf("wants a name of letters, digits, dots and dashes, as in builder-2, not %q", clip(got))
}

func sayLabels(path string, err error) string { return path + ": " + err.Error() }

// What a worker is told.

func sayWorkerNeedsDatabase() string {
	return "a worker needs the database of the lander that it works for: set database_url (LANDER_DATABASE_URL)"
}

func sayWorkerMayNotPush(name string) string {
	return "a worker gets no " + name + ": it only reads and runs tests; leave it out (read_token is what it fetches with)"
}

func sayWorkerRuns() string {
	return "a worker with workers: none has nothing to do; leave it out or give a number"
}

func sayWantPath(got string) string {
	return fmt.Sprintf("wants absolute paths below /, not %q", clip(got))
}

func sayWantBytes(got string) string {
	return fmt.Sprintf("wants a size from 16MiB, as in 512MiB or 4GiB, not %q", clip(got))
}

func sayWantCount(got string) string {
	return fmt.Sprintf("wants a whole number from 16, not %q", clip(got))
}

func sayWantRemote() string {
	return "wants an http, https or file address with {repo} for OWNER/NAME and without a user, as in https://github.com/{repo}.git"
}

func sayWantName(got string) string {
	return fmt.Sprintf("wants names of environment variables, not %q", clip(got))
}

func sayOwnName(name string) string {
	return fmt.Sprintf("cannot hand %s to test runs: what begins with LANDER_ is lander's own", name)
}

func sayWantCommitter() string { return "wants a name without < and > and of one line" }

func sayWantEmail(got string) string {
	return fmt.Sprintf("wants a bare mail address, as in lander@example.com, not %q", clip(got))
}

func sayWantWord(known []string, got string) string {
	return fmt.Sprintf("wants one of %s, not %q", strings.Join(known, ", "), clip(got))
}

func sayCannotRead(origin string, err error) string {
	return fmt.Sprintf("%s cannot be read: %v", origin, err)
}

func sayEmptyFile(origin, path string) string {
	return fmt.Sprintf("%s names %s, which is empty; put the value into it", origin, path)
}

func sayBoth(name string) string {
	return fmt.Sprintf("%s and %s_FILE are both set; keep one", name, name)
}

func sayNoHome() string {
	return "no place to keep data: neither HOME nor XDG_DATA_HOME is set; set LANDER_DATA_DIR or --data"
}

func sayTokenAndApp() string {
	return "both a token and a GitHub App are set; keep one: LANDER_TOKEN, or LANDER_APP_ID with LANDER_APP_KEY_FILE"
}

func sayNoWayIn() string {
	return "no way into the forge: set LANDER_TOKEN or --token-file, or be a GitHub App with LANDER_APP_ID and LANDER_APP_KEY_FILE"
}

func sayHalfAnApp() string {
	return "a GitHub App needs both its id and its key: set LANDER_APP_ID and LANDER_APP_KEY_FILE"
}

func sayNoLanes() string {
	return "nothing to land on: name at least one lane with --lane or LANDER_LANES, as in acme/app:main"
}

func sayNoRemote(forge string) string {
	return fmt.Sprintf("where git finds repositories does not follow from %s: set LANDER_GIT_REMOTE, as in https://github.com/{repo}.git", forge)
}

func sayLongSocket(dir string) string {
	return fmt.Sprintf("the data directory %s is too long a path for the socket in it; choose one shorter than 90 letters", dir)
}
