package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"lander/internal/queue"
	"lander/internal/store/storetest"
)

// Each law of the schema is broken on purpose, by hand and past all Go code.
func TestTheSchemaRefuses(t *testing.T) {
	t.Parallel()
	url := storetest.New(t)
	s, conn := open(t, url), sql(t, url)
	q := ready(t, s, lane)
	second := candidate(2, q.Tip, sha("d"), q.Entries[1])
	q = save(t, s, queue.Save{Old: q, New: put(q, second)})
	n := q
	n.Outbox = []queue.Notice{{Key: "answer/1", Kind: queue.NoticeAnswer}, {Key: "living/1", Kind: queue.NoticeLiving}}
	q = save(t, s, queue.Save{Old: q, New: n})
	// Beside lane 1, in which #1 is confirmed, there is lane 2, where it is landing, and lane 3, where it has landed.
	two := ready(t, s, queue.Lane{Repo: "acme/app", Trunk: "landing"})
	save(t, s, queue.Save{Old: two, New: begin(two, 1)})
	three := ready(t, s, queue.Lane{Repo: "acme/app", Trunk: "landed"})
	three = save(t, s, queue.Save{Old: three, New: begin(three, 1)})
	save(t, s, queue.Save{Old: three, New: landed(three, 1, noon)})
	run(t, conn, "set lander.schema = 9000")
	run(t, conn, "set default_transaction_isolation = serializable")
	intent := func(ledger queue.SHA, seq int) string {
		return fmt.Sprintf(`update candidates set state = 'landing', intent = '{"ledger": %q, "seq": %d, "record": {"sha": %q, "text": "tree"}}' where lane_id = 1 and id = 1`, ledger, seq, record(2))
	}
	land := intent(record(1), 2)
	policy := func(text string) string {
		return "update lanes set version = version + 1, policy = policy || '" + text + "' where id = 1; " + land
	}
	// log adds a line to lane 2's trunk log, heads one to its landed heads.
	log := func(candidate, kind, old, new string) string {
		return fmt.Sprintf(`insert into trunk_log (lane_id, seq, kind, old, new, candidate, record, ledger_seq, members, recalled)
			values (2, 1, '%s', repeat('%s', 40), repeat('%s', 40), %s, '%s', 2, '[]', false)`, kind, old, new, candidate, record(2))
	}
	heads := func(head, tip string) string {
		return fmt.Sprintf(`insert into landed_heads (lane_id, number, head, candidate, tip, commits, record)
			values (2, 1, repeat('%s', 40), 1, repeat('%s', 40), '[]', '%s')`, head, tip, record(2))
	}
	const end = "update candidates set state = 'landed' where lane_id = 2"
	const follow = "; update lanes set version = version + 1, tip = repeat('c', 40) where id = 2"

	// insert makes one like 2, with what is given in the place of its own.
	insert := func(id, below, sha string) string {
		return `insert into candidates (lane_id, id, base, below, style, at, sha, tree, commits, recipe, recipe_digest, state, run, since, outcome, reason)
			select lane_id, ` + id + `, base, ` + below + `, style, at, ` + sha + `, tree, commits, recipe, recipe_digest, 'built', 0, since, null, ''
			from candidates where lane_id = 1 and id = 2`
	}
	probe := func(state string) string {
		return `insert into candidates (lane_id, id, base, below, style, at, sha, tree, commits, recipe, recipe_digest, state, run, since, outcome, reason, of, trial)
			select lane_id, 9, base, 0, style, at, base, '', '[]', recipe, recipe_digest, '` + state + `', run, since, outcome, '', 1, '{}'
			from candidates where lane_id = 1 and id = 1`
	}
	for name, c := range map[string]struct {
		sql  string
		want string // the constraint, or words of the message
	}{
		"a version skipped":                      {"update lanes set version = version + 2", "is at version"},
		"a version kept":                         {"update lanes set tip = ''", "is at version"},
		"a candidate id given out again":         {"update lanes set version = version + 1, next_candidate = 0", "lanes_next_candidate_grows"},
		"a lane twice":                           {"insert into lanes (repo, trunk) values ('acme/app', 'main')", "lanes_repo_trunk_key"},
		"a tip that is no object id":             {"update lanes set version = version + 1, tip = 'HEAD'", "lanes_tip_check"},
		"an abbreviated head":                    {"update entries set head = 'abcdef1' where number = 2", "entries_head_check"},
		"a head in upper case":                   {"update entries set head = upper(head || 'A') where number = 2", "entries_head_check"},
		"a pull request twice":                   {"update entries set number = 2 where number = 1", "entries_pkey"},
		"an unknown state":                       {"update entries set state = 'green'", "entries_state_check"},
		"dropped without a reason":               {"update entries set state = 'dropped' where number = 2", "entries_dropped_why"},
		"landed without a landing":               {"update entries set state = 'landed' where number = 2", "entries_landed_how"},
		"an approval that follows a push":        {"update entries set head = repeat('9', 40) where number = 2", "approvals_lane_id_number_head_author_id_fkey"},
		"an approval of another head":            {"update approvals set head = repeat('9', 40) where number = 2", "approvals_lane_id_number_head_author_id_fkey"},
		"the author's own approval":              {"update approvals set person_id = author_id", "approvals_not_by_author"},
		"a bot's approval":                       {"update approvals set bot = true", "approvals_bot_check"},
		"two approvals of one person":            {"insert into approvals select * from approvals", "approvals_pkey"},
		"a candidate twice":                      {insert("2", "0", "sha"), "candidates_pkey"},
		"a candidate that is its base":           {"update candidates set sha = base where id = 2", "is what was built"},
		"another commit under a verdict":         {"update candidates set sha = repeat('e', 40) where id = 1", "candidates_same"},
		"another recipe under a verdict":         {"update candidates set recipe = '{}' where id = 1", "candidates_same"},
		"a new candidate with a strange sha":     {insert("3", "0", "'refs/heads/x'"), "candidates_moves"},
		"a candidate that stands on itself":      {insert("3", "3", "sha"), "candidates_above"},
		"passed without a verdict":               {"update candidates set state = 'passed' where id = 2", "candidates_pass_green"},
		"landing on a red verdict":               {land + "; update candidates set outcome = 'red' where lane_id = 1 and id = 1", "candidates_pass_green"},
		"green by word of the candidate only":    {"update candidates set state = 'passed', outcome = 'green', run = 1 where id = 2", "candidates_outcome_of_run"},
		"landing while trunk is elsewhere":       {land + "; insert into trunk_log (lane_id, seq, kind, old, new, record, ledger_seq, members, recalled) values (1, 1, 'bypass', repeat('a', 40), repeat('f', 40), '', 0, '[]', false); update lanes set version = version + 1, tip = repeat('f', 40) where id = 1", "candidates_intent_on_tip"},
		"landing while paused":                   {`update lanes set version = version + 1, pause = '{"until": "0001-01-01T00:00:00Z"}' where id = 1; ` + land, "candidates_intent_moving"},
		"landing while paused for a time":        {`update lanes set version = version + 1, pause = '{"until": "2026-03-04T12:00:01Z"}' where id = 1; ` + land, "candidates_intent_moving"},
		"landing while stopped":                  {"update lanes set version = version + 1, stop = '{}' where id = 1; " + land, "candidates_intent_moving"},
		"landing what was withdrawn":             {"update entries set state = 'idle' where number = 1; " + land, "candidates_intent_members"},
		"landing what was closed":                {"update entries set gone = true where number = 1; " + land, "candidates_intent_members"},
		"landing a head that was not tested":     {"delete from approvals; update entries set head = repeat('9', 40) where number = 1; " + land, "candidates_intent_members"},
		"an ended candidate that comes back":     {"update candidates set state = 'abandoned' where id = 2; update candidates set state = 'built' where id = 2", "candidates_end_once"},
		"a candidate that becomes a probe":       {"update candidates set of = 1, trial = '{}' where id = 2", "candidates_same"},
		"a verdict handed to a candidate":        {"update candidates set via = 1 where id = 2", "candidates_same"},
		"a probe that passes":                    {probe("passed"), "candidates_probes_only_test"},
		"a probe of nothing":                     {strings.Replace(probe("built"), "'{}'", "null", 1), "candidates_of"},
		"red without a verdict":                  {"update candidates set state = 'red' where id = 2", "candidates_red"},
		"a joined candidate that comes back":     {"update candidates set state = 'joined' where id = 2; update candidates set state = 'passed' where id = 2", "candidates_end_once"},
		"a run of what has ended":                {"update candidates set state = 'joined' where id = 2; update candidates set run = run + 1, outcome = null where id = 2", "candidates_run_grows"},
		"a case of another candidate":            {`insert into cases (lane_id, candidate, body) values (1, 1, '{"id": 2}')`, "cases_check"},
		"a case of nothing":                      {`insert into cases (lane_id, candidate, body) values (1, 9, '{"id": 9}')`, "cases_lane_id_candidate_fkey"},
		"a run taken back":                       {"update candidates set run = 0 where id = 1", "candidates_run_grows"},
		"a candidate deleted":                    {"delete from candidates", "append-only"},
		"a member changed":                       {"update members set head = repeat('9', 40)", "append-only"},
		"a member deleted":                       {"delete from members", "append-only"},
		"a member twice":                         {"insert into members select lane_id, candidate, position + 1, number, head, message from members", "members_pkey"},
		"a member nobody has seen":               {"insert into members values (1, 1, 2, 99, repeat('9', 40), '')", "members_lane_id_number_fkey"},
		"a verdict turned":                       {`update runs set outcome = 'red', verdict = '{"outcome": "red"}'`, "runs_verdict_once"},
		"a verdict taken back":                   {"update runs set outcome = null, verdict = null", "runs_verdict_once"},
		"a verdict that says something else":     {`insert into runs values (1, 2, 1, null, null, 'green', '{"outcome": "red"}')`, "runs_outcome_of_verdict"},
		"a run deleted":                          {"delete from runs", "append-only"},
		"a landing of what has not landed":       {log("1", "land", "a", "c"), "trunk_log_landed"},
		"the journal changed":                    {"update journal set text = 'something else'", "append-only"},
		"the journal shortened":                  {"delete from journal", "append-only"},
		"the journal emptied":                    {"truncate journal", "append-only"},
		"a notice twice":                         {"insert into outbox (lane_id, key, living, notice) values (1, 'answer/1', false, '{}')", "outbox_once"},
		"two living notices for one comment":     {"insert into outbox (lane_id, key, living, notice) values (1, 'living/1', true, '{}')", "outbox_one_living"},
		"a delivery twice":                       {"insert into deliveries values ('d', '', '', '', null, now()), ('d', '', '', '', null, now())", "deliveries_pkey"},
		"a body twice":                           {"insert into deliveries values ('d', '', '', '', sha256('x'), now()), ('e', '', '', '', sha256('x'), now())", "deliveries_digest_key"},
		"an inbox item about nothing":            {"insert into inbox (lane_id, number, trunk) values (1, 0, false)", "inbox_one_thing"},
		"an inbox item about two things":         {"insert into inbox (lane_id, number, trunk) values (1, 1, true)", "inbox_one_thing"},
		"a second intent for one trunk":          {`insert into candidates select lane_id, 3, base, below, style, at, sha, tree, commits, recipe, recipe_digest, state, run, since, not_till, outcome, reason, jsonb_set(intent, '{seq}', '7') from candidates where lane_id = 2`, "candidates_one_intent"},
		"a landing on another commit":            {end + "; " + log("1", "land", "a", "e"), "trunk_log_landed"},
		"a landing of a head nobody tested":      {end + "; " + log("1", "land", "a", "c") + "; " + heads("9", "c"), "landed_heads_lane_id_candidate_number_head_fkey"},
		"a head that lands twice":                {end + "; " + log("1", "land", "a", "c") + "; " + heads("1", "c") + "; " + heads("1", "c"), "landed_heads_pkey"},
		"landing without an intent":              {"update candidates set state = 'landing' where lane_id = 1 and id = 1", "candidates_landed_by_intent"},
		"landing on another ledger":              {intent(record(8), 2), "candidates_intent_ledger"},
		"landing with another number":            {intent(record(1), 3), "candidates_intent_ledger"},
		"landing without a ledger's record":      {strings.Replace(land, `"text": "tree"`, `"text": ""`, 1), "candidates_intent_ledger"},
		"landing in an ordinary transaction":     {"begin isolation level repeatable read; " + land + "; commit", "candidates_intent_serializable"},
		"landing without enough approvals":       {policy(`{"approvals": 2}`), "candidates_intent_approved"},
		"landing without an approval":            {"delete from approvals where lane_id = 1; " + land, "candidates_intent_approved"},
		"landing with a label that holds back":   {"update entries set labels = '{ui,wip}' where number = 1; " + land, "candidates_intent_wanted"},
		"landing a draft":                        {"update entries set draft = true where number = 1; " + land, "candidates_intent_wanted"},
		"landing over an objection":              {`update entries set objections = '[{"id": 7, "login": "eve"}]' where number = 1; ` + land, "candidates_intent_wanted"},
		"landing what is held":                   {"update entries set held = true where number = 1; " + land, "candidates_intent_wanted"},
		"landing what the forge does not show":   {"update entries set unseen = true where number = 1; " + land, "candidates_intent_wanted"},
		"landing by a broken policy":             {policy(`{"problem": "no such style"}`), "candidates_intent_policy"},
		"landing by a policy that tests nothing": {policy(`{"recipe": {"timeout": 0, "quiet": 0}}`), "candidates_intent_policy"},
		"landing by no policy":                   {"update lanes set version = version + 1, policy = null where id = 1; " + land, "candidates_intent_policy"},
		"landing a head that has landed": {
			`insert into trunk_log (lane_id, seq, kind, old, new, record, ledger_seq, members, recalled) values (1, 1, 'land', repeat('a', 40), repeat('f', 40), repeat('d', 40), 2, '[]', true);
			 insert into trunk_log (lane_id, seq, kind, old, new, record, ledger_seq, members, recalled) values (1, 1, 'rewind', repeat('f', 40), repeat('a', 40), '', 0, '[]', false);
			 insert into landed_heads (lane_id, number, head, tip, commits, record) values (1, 1, repeat('1', 40), repeat('f', 40), '[]', repeat('d', 40)); ` + land, "candidates_intent_once",
		},
		"an intent rewritten":                  {`update candidates set intent = jsonb_set(intent, '{record,sha}', to_jsonb(repeat('9', 40))) where lane_id = 2`, "candidates_intent_kept"},
		"an intent forgotten":                  {"update candidates set intent = null, state = 'passed' where lane_id = 2", "candidates_intent_kept"},
		"an intent begun again on one ledger":  {"update candidates set state = 'passed' where lane_id = 2; update candidates set state = 'landing' where lane_id = 2", "candidates_intent_kept"},
		"trunk moved under an intent":          {log("null", "bypass", "a", "d") + "; update lanes set version = version + 1, tip = repeat('d', 40) where id = 2", "candidates_intent_open"},
		"the ledger moved under an intent":     {"update lanes set version = version + 1, ledger_tip = repeat('d', 40), ledger_seq = 2 where id = 2", "candidates_intent_open"},
		"the ledger shortened":                 {"update lanes set version = version + 1, ledger_tip = repeat('d', 40), ledger_seq = 1 where id = 3", "lanes_ledger_grows"},
		"a record of the ledger replaced":      {"update lanes set version = version + 1, ledger_tip = repeat('d', 40) where id = 3", "lanes_ledger_grows"},
		"a ledger without a record":            {"update lanes set version = version + 1, ledger_seq = 9 where id = 3; update lanes set version = version + 1, ledger_tip = '', ledger_seq = 10 where id = 3", "lanes_ledger_begun"},
		"landed without an intent":             {"update candidates set state = 'landed' where lane_id = 1 and id = 1", "candidates_landed_by_intent"},
		"landed without a line of the log":     {end, "candidates_landed"},
		"landed without its members":           {end + "; " + log("1", "land", "a", "c") + follow, "candidates_landed"},
		"a head on trunk that no landing put":  {heads("1", "c"), "landed_heads_logged"},
		"a landed head forgotten":              {"delete from landed_heads", "append-only"},
		"a landed head changed":                {"update landed_heads set head = repeat('9', 40)", "append-only"},
		"a line of the trunk log changed":      {"update trunk_log set new = repeat('9', 40)", "append-only"},
		"the trunk log emptied":                {"truncate trunk_log", "append-only"},
		"a gap in the trunk log":               {strings.Replace(log("null", "bypass", "b", "d"), "values (2", "values (3", 1), "trunk_log_chain"},
		"a second beginning of the trunk log":  {strings.Replace(log("null", "adopt", "c", "d"), "values (2", "values (3", 1), "trunk_log_begins"},
		"a landing without a record":           {"insert into trunk_log (lane_id, seq, kind, old, new, record, ledger_seq, members, recalled) values (3, 1, 'land', repeat('c', 40), repeat('d', 40), '', 0, '[]', true)", "trunk_log_land_recorded"},
		"a landing by nobody":                  {strings.Replace(log("null", "land", "c", "d"), "values (2", "values (3", 1), "trunk_log_land_whose"},
		"trunk moved past its log":             {"update lanes set version = version + 1, tip = repeat('d', 40) where id = 3", "trunk_log_complete"},
		"a log that says more than trunk does": {strings.Replace(log("null", "bypass", "c", "d"), "values (2", "values (3", 1), "trunk_log_complete"},
		"a lander that is too old":             {"set local lander.schema = 1; update lanes set version = version + 1", "made for schema 1"},
		"a lander that does not say how old":   {"set local lander.schema = ''; update lanes set version = version + 1", "made for schema 1"},
		"two opinions on who may write":        {"insert into schema_floor (oldest) values (1)", "schema_floor_pkey"},
		"a line of the trunk log taken out":    {"delete from trunk_log", "append-only"},
	} {
		t.Run(name, func(t *testing.T) {
			// Several statements in one go are one transaction, and its end checks what was deferred.
			_, err := conn.PgConn().Exec(t.Context(), c.sql).ReadAll()
			var pg *pgconn.PgError
			if !errors.As(err, &pg) {
				t.Fatalf("accepted: %v", err)
			}
			if !strings.Contains(pg.ConstraintName+" "+pg.Message, c.want) {
				t.Errorf("refused by %q: %s\nwant %s", pg.ConstraintName, pg.Message, c.want)
			}
		})
	}
	same(t, load(t, s, lane), q)
}

// The same through Save: what the brain must never do comes back as an error that names the law, and nothing is changed.
func TestSaveReportsABrokenLaw(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t))
	q := ready(t, s, lane)
	landing := begin(q, 1)
	paused := landing
	paused.Pause = &queue.Pause{By: "ada", At: noon}
	for name, c := range map[string]struct {
		new  queue.Queue
		want string
	}{
		"an intent in a paused lane":       {paused, "candidates_intent_moving"},
		"an intent for a withdrawn change": {edit(landing, 1, func(e *queue.Entry) { e.State = queue.Idle }), "candidates_intent_members"},
		"an own approval":                  {edit(q, 1, func(e *queue.Entry) { e.Approvals = []queue.Approval{{Who: ann, Via: "review"}} }), "approvals_not_by_author"},
	} {
		if _, err := s.Save(t.Context(), queue.Save{Old: q, New: c.new}); constraint(err) != c.want {
			t.Errorf("%s: want %s, got %v", name, c.want, err)
		}
	}
	for name, n := range map[string]queue.Queue{
		"a candidate rebuilt":   put(q, with(q.Candidates[0], func(c *queue.Candidate) { c.Built.SHA = sha("9") })),
		"members changed":       put(q, with(q.Candidates[0], func(c *queue.Candidate) { c.Members = nil })),
		"verdict without a run": put(q, with(q.Candidates[0], func(c *queue.Candidate) { c.Run = 0 })),
		"another lane":          {Lane: queue.Lane{Repo: "acme/app", Trunk: "other"}},
	} {
		if _, err := s.Save(t.Context(), queue.Save{Old: q, New: n}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	same(t, load(t, s, lane), q)
}
