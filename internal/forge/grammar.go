package forge

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"lander/internal/queue"
)

// Hotfix is the priority that the word hotfix stands for; MaxPriority bounds the numbers that people may give.
const (
	Hotfix      = 1000
	MaxPriority = 1000
)

var (
	verbs = map[string]queue.Verb{
		"land": queue.VerbLand, "r+": queue.VerbLand, "merge": queue.VerbLand,
		"withdraw": queue.VerbWithdraw, "r-": queue.VerbWithdraw,
		"retry": queue.VerbRetry, "hold": queue.VerbHold, "unhold": queue.VerbUnhold, "after": queue.VerbAfter,
		"why": queue.VerbWhy, "help": queue.VerbHelp, "ping": queue.VerbPing,
		"pause": queue.VerbPause, "resume": queue.VerbResume,
	}
	// Promised by the language, not built yet.
	laterVerbs = []string{"try", "delegate", "undelegate"}
	laterArgs  = []string{"squash", "rebase", "merge", "note"}

	verbWords = []string{"land", "withdraw", "retry", "p=N", "hold", "unhold", "after", "why", "help", "ping", "pause", "resume"}
	landWords = []string{"p=N", "hotfix", "alone"}

	// What people try first who come from elsewhere.
	synonyms = map[string]string{
		"approve": "land", "queue": "land", "enqueue": "land", "cancel": "withdraw", "dequeue": "withdraw", "unapprove": "withdraw",
		"rerun": "retry", "retest": "retry", "status": "why", "priority": "p=N", "prio": "p=N", "unpause": "resume", "commands": "help",
	}

	hexDigits = regexp.MustCompile(`^[0-9a-fA-F]+$`)
	likeSHA   = regexp.MustCompile(`^[0-9a-zA-Z]*[0-9][0-9a-zA-Z]*$`)
)

// parse reads what follows the prefix.
func parse(prefix, whole, rest string) Parsed {
	g := grammar{prefix: prefix}
	p := g.command(rest)
	if g.problem != "" {
		return Parsed{Line: whole, Text: clip(whole, 200), Problem: g.problem}
	}
	p.Line = whole
	return p
}

type grammar struct {
	prefix  string
	problem string // the first one found
}

func (g *grammar) command(rest string) Parsed {
	word := firstWord(rest)
	args := words(strings.TrimSpace(rest[len(word):]))
	name := strings.ToLower(word)
	if name == "" {
		g.fail(sayNoCommand(g.prefix))
		return Parsed{}
	}
	if key, value, ok := strings.Cut(name, "="); name == "p" || ok && key == "p" {
		p := Parsed{Verb: queue.VerbPriority, Priority: g.number(value)}
		g.none("p=N", args)
		return p
	}
	if slices.Contains(laterVerbs, name) {
		g.fail(sayLater(name))
		return Parsed{}
	}
	verb, ok := verbs[name]
	switch {
	case !ok:
		g.fail(sayUnknownCommand(g.prefix, word, nearest(name, verbWords)))
	case verb == queue.VerbLand:
		return g.land(args)
	case verb == queue.VerbAfter:
		return g.after(args)
	case verb == queue.VerbPause:
		reason := strings.Join(strings.Fields(rest[len(word):]), " ")
		if reason == "" {
			g.fail(sayNoReason(g.prefix))
		}
		return Parsed{Verb: verb, Text: clip(reason, 500)}
	default:
		g.none(name, args)
	}
	return Parsed{Verb: verb}
}

func (g *grammar) land(args []string) Parsed {
	p := Parsed{Verb: queue.VerbLand}
	for _, arg := range args {
		name := strings.ToLower(arg)
		key, value, assigned := strings.Cut(name, "=")
		switch {
		case name == "hotfix", key == "p":
			if p.Priority != nil {
				g.fail(sayTwice(arg, "a priority"))
				continue
			}
			n := Hotfix
			p.Priority = &n
			if key == "p" {
				p.Priority = g.number(value)
			}
		case name == "alone":
			p.Alone = true
		case slices.Contains(laterArgs, key):
			g.fail(sayLater(key))
		case !assigned && (hexDigits.MatchString(arg) || likeSHA.MatchString(arg)):
			if p.SHA != "" {
				g.fail(sayTwice(arg, "a commit"))
				continue
			}
			p.SHA = g.sha(arg)
		default:
			g.fail(sayUnknownArgument(g.prefix, "land", arg, nearest(name, landWords)))
		}
	}
	return p
}

// after reads what comes first: a change, a time, or one of each.
func (g *grammar) after(args []string) Parsed {
	p := Parsed{Verb: queue.VerbAfter}
	for _, arg := range args {
		if n, ok := strings.CutPrefix(arg, "#"); ok {
			number, err := strconv.ParseInt(n, 10, 32)
			switch {
			case err != nil || number < 1:
				g.fail(sayNoSuchNumber(arg))
			case p.After != 0:
				g.fail(sayTwice(arg, "a pull request"))
			}
			p.After = queue.Number(number)
			continue
		}
		at, ok := moments(arg)
		switch {
		case !ok:
			g.fail(sayNoMoment(g.prefix, arg))
		case !p.NotBefore.IsZero():
			g.fail(sayTwice(arg, "a time"))
		}
		p.NotBefore = at
	}
	if len(args) == 0 {
		g.fail(sayAfterWhat(g.prefix))
	}
	return p
}

// moments reads a time as people write it in comments, with its zone.
func moments(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(layout, strings.ToUpper(text)); err == nil && t.Year() < 9000 {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

func (g *grammar) sha(arg string) string {
	switch {
	case !hexDigits.MatchString(arg):
		g.fail(sayNotHex(arg))
	case len(arg) < 7:
		g.fail(sayShortSHA(arg))
	case len(arg) > 64:
		g.fail(sayLongSHA(arg))
	}
	return strings.ToLower(arg)
}

func (g *grammar) number(value string) *int {
	if value == "" {
		g.fail(sayNoNumber(g.prefix))
		return nil
	}
	n, err := strconv.Atoi(value)
	switch {
	case err != nil:
		g.fail(sayBadNumber(g.prefix, value))
	case n < -MaxPriority || n > MaxPriority:
		g.fail(sayFarNumber(value))
	}
	return &n
}

func (g *grammar) none(verb string, args []string) {
	if len(args) > 0 {
		g.fail(sayNoArguments(g.prefix, verb, args[0]))
	}
}

func (g *grammar) fail(problem string) {
	if g.problem == "" {
		g.problem = problem
	}
}

// words splits at spaces outside double quotes.
func words(s string) []string {
	quoted := false
	return strings.FieldsFunc(s, func(r rune) bool {
		if r == '"' || r == '“' || r == '”' {
			quoted = !quoted
		}
		return !quoted && (r == ' ' || r == '\t')
	})
}

// nearest is the word that takes the fewest changed letters to reach, if that is few for its length.
func nearest(typed string, known []string) string {
	key, _, _ := strings.Cut(typed, "=")
	if s := synonyms[key]; slices.Contains(known, s) {
		return s
	}
	best, least := "", 4
	for _, k := range known {
		target := strings.ToLower(k)
		if d := distance(typed, target); d < least && d <= max(1, utf8.RuneCountInString(target)/3) {
			best, least = k, d
		}
	}
	return best
}

// distance counts the letters to add, drop, change or swap with a neighbour.
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	if len(s) > 32 {
		return len(s)
	}
	d := make([][]int, len(s)+1)
	for i := range d {
		d[i] = make([]int, len(t)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(s); i++ {
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(s)][len(t)]
}
