package web

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"lander/internal/queue"
)

// Every sentence of this room that a person may read stands in this file.

// What a webhook's sender is told.

func tooBigABody() string { return "refused: the body is larger than 26 MiB" }
func cutBody() string     { return "refused: the body ended early" }
func badSignature(secrets int) string {
	if secrets == 0 {
		return "refused: lander has no webhook secret; set LANDER_WEBHOOK_SECRETS to the one the forge has"
	}
	return "refused: the signature is wrong; the forge and lander must have the same webhook secret"
}

func noHeaders() string {
	return "refused: X-GitHub-Event and X-GitHub-Delivery are missing, so this is no webhook"
}

func brokenJSON() string {
	return "refused: the body is not JSON; set the webhook's content type to application/json"
}
func brokenEvent() string { return "refused: the body is not what this event should hold" }
func ignored() string     { return "ignored: it concerns no lane here" }
func notStored() string {
	return "refused: the database is away; the poll will find what this was about"
}
func knownAlready() string { return "known: it was stored before" }
func stored() string       { return "stored" }

// What somebody who asks is told when it cannot be.

func internal() refusal {
	return refusal{http.StatusInternalServerError, "lander made a mistake", "look at lander's log"}
}

func databaseAway() refusal {
	return refusal{http.StatusServiceUnavailable, "the database is away", "try again soon; if it stays away, look at lander's log"}
}

func notPosted() refusal {
	return refusal{http.StatusServiceUnavailable, "the database is away, so nothing was asked for", "try again soon; if it stays away, look at lander's log"}
}

func notKeptYet(l queue.Lane) refusal {
	return refusal{http.StatusConflict, fmt.Sprintf("%v has not been looked at yet, so nothing was asked for", l), "look whether lander serves this lane (/readyz), and try again"}
}

func unsureWhether() refusal {
	return refusal{http.StatusServiceUnavailable, "what was asked for is stored, but the database went away before its outcome was known", "look at the lane's status before relying on it"}
}

func ending() refusal {
	return refusal{http.StatusServiceUnavailable, "what was asked for is stored, but lander is ending before its outcome is known", "look at the lane's status once lander is back"}
}

func noSuchCall(r *http.Request) refusal {
	return refusal{http.StatusNotFound, fmt.Sprintf("there is no %s %s", r.Method, clip(r.URL.Path, 100)), "GET /api/v1/lanes, /api/v1/queue, /api/v1/changes/N, /api/v1/history, /api/v1/flakes; POST /api/v1/pause, /api/v1/resume, /api/v1/changes/N/VERB; each with ?lane=OWNER/NAME:BRANCH"}
}

func noSuchPage() refusal {
	return refusal{http.StatusNotFound, "there is no such page", "begin at the first page, which lists the lanes"}
}

func noLog() refusal {
	return refusal{http.StatusNotFound, "there is no log of this run", "it may have been cleared away, or the run may not have begun"}
}

func noSuchRun() refusal {
	return refusal{http.StatusNotFound, "there is no such run", "a run is named by its candidate and its number, as in 12.1"}
}

func crossOrigin() refusal {
	return refusal{http.StatusForbidden, "a page of another site asked for this", "ask from lander's own pages or from the command line"}
}

func notAReader() refusal {
	return refusal{http.StatusUnauthorized, "this lander shows its pages only to those who have its API token", "give the token as the password, or as \"Authorization: Bearer TOKEN\""}
}

func noToken(set bool) refusal {
	if !set {
		return refusal{http.StatusUnauthorized, "only an admin may do this, and this lander has no API token", "use the command line on lander's own machine, as lander's user; or set LANDER_API_TOKEN"}
	}
	return refusal{http.StatusUnauthorized, "only an admin may do this", "send \"Authorization: Bearer TOKEN\" with lander's API token"}
}

func wrongToken() refusal {
	return refusal{http.StatusForbidden, "this is not lander's API token", "look up LANDER_API_TOKEN where lander runs"}
}

func whichLane(lanes []queue.Lane) refusal {
	return refusal{http.StatusBadRequest, "it is not said which lane is meant", "name one: " + laneNames(lanes)}
}

func badLane(given string) refusal {
	return refusal{http.StatusBadRequest, fmt.Sprintf("%q is not a lane", clip(given, 100)), "write OWNER/NAME:BRANCH, as in acme/app:main"}
}

func noSuchLane(given string, lanes []queue.Lane) refusal {
	return refusal{http.StatusNotFound, fmt.Sprintf("this lander does not keep the lane %s", clip(given, 100)), "it keeps " + laneNames(lanes)}
}

func badNumber(given string) refusal {
	return refusal{http.StatusBadRequest, fmt.Sprintf("%q is not the number of a pull request", clip(given, 40)), "write it as in 12"}
}

func badLimit() refusal {
	return refusal{http.StatusBadRequest, "limit is not a number that can be", fmt.Sprintf("write one from 1 to %d", mostHistory)}
}

func noSuchChange(l queue.Lane, n queue.Number) refusal {
	return refusal{http.StatusNotFound, fmt.Sprintf("%v is not known on %v", n, l), "lander knows open pull requests that ask to land there, and those it knew before; a new one shows within a poll"}
}

func noSuchVerb(given string) refusal {
	return refusal{http.StatusNotFound, fmt.Sprintf("%q is nothing that can be asked for", clip(given, 40)), "use land, withdraw, retry, priority, hold, unhold or after"}
}

func badOrder(err error) refusal {
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return refusal{http.StatusRequestEntityTooLarge, "the body is too large", "send a JSON object of at most 64 KiB"}
	}
	return refusal{http.StatusBadRequest, "the body cannot be read: " + clip(err.Error(), 200), "send a JSON object with by, reason, until, head, priority, alone, after, not_before and wait as far as they are needed"}
}

func noReason() refusal {
	return refusal{http.StatusBadRequest, "a pause needs a reason", "say why, for everybody who waits will read it"}
}

func untilIsPast(until time.Time) refusal {
	return refusal{http.StatusBadRequest, "the pause would be over already: " + until.UTC().Format(time.RFC3339) + " is past", "name a later time, or none"}
}

func noPriority() refusal {
	return refusal{http.StatusBadRequest, "no priority is given", "send a whole number; higher lands first, and 0 is usual"}
}

func afterWhat() refusal {
	return refusal{http.StatusBadRequest, "it is not said after what", "send after, the number of a pull request, or not_before, a time"}
}

func otherHead(n queue.Number, given string, head queue.SHA) refusal {
	return refusal{http.StatusConflict, fmt.Sprintf("%s is not the head of %v, which is %s", clip(given, 70), n, head), "look at the head as it is now, and ask for that one"}
}

func stillLanding(cs []CandidateView) refusal {
	var words []string
	for _, c := range cs {
		words = append(words, fmt.Sprintf("%s (%s) since %s", c.SHA.Short(), list(numberWords(c.Members)), c.Since.UTC().Format("15:04:05 MST")))
	}
	return refusal{http.StatusGatewayTimeout, "the pause holds, but a push that left before it may still move trunk: " + list(words), "nothing new is begun; ask for the lane's status until nothing is landing"}
}

func pauseNotTaken() refusal {
	return refusal{http.StatusGatewayTimeout, "the pause is stored, but the lane's keeper has not taken it up yet, so trunk may still move", "look whether lander serves this lane (/readyz), then ask for the lane's status"}
}

func resumedMeanwhile() refusal {
	return refusal{http.StatusConflict, "the lane was paused and has been resumed since", "ask who resumed it: the lane's journal says"}
}

func tooManyViewers() refusal {
	return refusal{http.StatusServiceUnavailable, "too many pages are listening", "reload the page instead"}
}

func sayNotYet() string { return "stored; the lane's keeper has not taken it up yet" }

func sayNoKeeper() string { return "a lane is not kept; the log says why" }

func errListen(addr string, err error) error {
	const another = "choose another with --listen or LANDER_LISTEN"
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("listen on %s: the port is in use; end what uses it, or %s", addr, another)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("listen on %s: this user may not open that port, only those above 1023; %s", addr, another)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("listen on %s: this machine does not have that address; %s", addr, another)
	}
	return fmt.Errorf("listen on %s: %w", addr, err)
}

func errSocketInUse(path string) error {
	return fmt.Errorf("listen on %s: another lander answers there; end it, or use another data directory", path)
}

// What the pages say.

// banner is what there is to say about a whole lane.
type banner struct {
	Class string // running, paused or stopped
	Title string
	Text  string
	By    string
	Since time.Time
	Until time.Time
}

func bannerOf(v LaneView) banner {
	switch {
	case v.Stopped != nil:
		why := v.Stopped.Why()
		text := fmt.Sprintf("%s. Who can lift it: %s. Then: %s.", strings.TrimSuffix(clean(v.Stopped.Reason), "."), why.Who, why.Next)
		return banner{Class: "stopped", Title: "Stopped", Text: text, Since: v.Stopped.At}
	case v.Paused != nil:
		return banner{Class: "paused", Title: "Paused", Text: clean(v.Paused.Reason), By: clean(v.Paused.By), Since: v.Paused.At, Until: v.Paused.Until}
	case v.Policy != "":
		return banner{Class: "stopped", Title: "Nothing can land", Text: clean(v.Policy)}
	case v.Trouble != nil:
		return banner{Class: "paused", Title: "In trouble", Text: strings.TrimSuffix(clean(v.Trouble.Reason), ".") + ". It is tried again by itself.", Since: v.Trouble.At}
	case v.Red != nil:
		why := v.Red.Why()
		return banner{Class: "paused", Title: "Trunk is red", Text: clean(fmt.Sprintf("%s. Who can mend it: %s. Then: %s.", why.Text, why.Who, why.Next)), Since: v.Red.At}
	case v.Warning != "":
		return banner{Class: "paused", Title: "Running, by an older policy", Text: clean(v.Warning)}
	case v.Tip == "":
		return banner{Class: "paused", Title: "Starting", Text: "Trunk has not been looked at yet."}
	}
	return banner{Class: "running", Title: "Running"}
}

func sayNoRecipe() string {
	return "nothing lands untested, and " + queue.PolicyFile + " on trunk names no suite; \"lander init\" proposes one"
}

func sayStage(s queue.Stage) string {
	if s == queue.StageIdle {
		return "not queued"
	}
	return string(s)
}

func sayCandidate(s queue.CandidateState) string {
	switch s {
	case queue.CandidateBuilt:
		return "about to be tested"
	case queue.CandidateTesting:
		return "being tested"
	case queue.CandidateRed:
		return "red"
	case queue.CandidatePassed, queue.CandidateConfirmed:
		return "green"
	case queue.CandidateLanding:
		return "landing"
	}
	return string(s)
}

func sayVerdict(r RunView) string {
	switch {
	case r.Verdict != nil && r.Verdict.Outcome == queue.Unmeasured:
		return "unmeasured"
	case r.Verdict != nil && r.Verdict.Reused != nil:
		return fmt.Sprintf("green by run %d.%d of the same tree", r.Verdict.Reused.Candidate, r.Verdict.Reused.Run)
	case r.Verdict != nil:
		return string(r.Verdict.Outcome)
	case r.Ended.IsZero():
		return "under way"
	}
	return "lost"
}

// sayOptional tells of a step that gates nothing.
func sayOptional(r queue.StepResult) string {
	switch {
	case r.Skipped != "":
		return "Optional: " + clean(r.Name) + " " + clean(r.Skipped)
	case r.Why != "":
		return "Optional, and holds nothing up: " + clean(r.Why)
	case r.Exit != 0:
		return "Optional, and holds nothing up: " + clean(r.Name) + " did not pass"
	}
	return "Optional: " + clean(r.Name) + " passed in " + took(r.Took)
}

// phrase is one of the sentences that the templates show as they are.
func phrase(name string) string { return phrases[name] }

var phrases = map[string]string{
	"no flight": "Nothing is being tested.",
	"no line":   "Nobody is waiting.",
	"no lately": "Nothing has landed here yet.",
	"no flakes": "Nothing was seen to fail by chance in the last 30 days.",
	"flakes":    "What failed on a commit and passed on the very same one, in the last 30 days; the dearest first.",
	"no lanes":  "No lane is kept here. Start lander with --lane OWNER/NAME:BRANCH.",
	"no runs":   "It has not been tested here.",
	"gone":      "It is not open any more.",
	"clear":     "Nothing stands between it and trunk.",
	"home":      "All lanes",
	"foot":      "Only lander commits to trunk, and only what passed as exactly that commit, or per area where a policy has areas.",
}

// sayPerArea tells of a landing that is another commit than the one that was tested; empty: it is that one.
func sayPerArea(l *queue.Landing) string {
	switch {
	case l.Tested == "":
		return ""
	case l.Areas.Everywhere():
		return "tested per area (all areas), as " + l.Tested.Short()
	}
	return fmt.Sprintf("tested per area (%s), as %s", strings.Join(l.Areas, ", "), l.Tested.Short())
}

// sentence gives words that may begin or end anywhere the look of a sentence.
func sentence(words string) string {
	words = strings.TrimSpace(clean(words))
	if words == "" {
		return ""
	}
	first, n := utf8.DecodeRuneInString(words)
	words = string(unicode.ToUpper(first)) + words[n:]
	if strings.ContainsRune(".!?", rune(words[len(words)-1])) {
		return words
	}
	return words + "."
}

func laneNames(lanes []queue.Lane) string {
	var names []string
	for _, l := range lanes {
		names = append(names, l.String())
	}
	return list(names)
}

func numberWords(ns []queue.Number) []string {
	var words []string
	for _, n := range ns {
		words = append(words, n.String())
	}
	return words
}

func list(words []string) string {
	switch len(words) {
	case 0:
		return "none"
	case 1:
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// ago is how long before now t was, in one unit.
func ago(t, now time.Time) string {
	switch d := now.Sub(t); {
	case d < 0:
		return "in " + span(-d)
	case d < 5*time.Second:
		return "just now"
	default:
		return span(d) + " ago"
	}
}

func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// took is how long something lasted, to read and not to reckon with.
func took(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
