package mutants

const ledgerSQL, startSQL = "sql/migrations/0002_ledger.sql", "sql/migrations/0001_start.sql"

// intentSQL has the check at intent as it is by now: a later migration replaced that of an earlier one.
const intentSQL = "sql/migrations/0006_checks.sql"

// refuses is a case of the test that breaks each law of the schema past all Go code: where the law stands in Go too, only there is it
// seen that Postgres holds it by itself.
func refuses(what string) test { return test{"internal/store", "TestTheSchemaRefuses/" + what} }

// intents are what stands between a green candidate and its push.
var intents = []mutant{
	{
		name: "that the intent is stored before the push",
		edits: []edit{{
			"internal/gate/land.go", "Policy: k.policy, At: k.Now()})\n\tif err := k.save(ctx); err != nil {\n\t\treturn err\n\t}\n", "Policy: k.policy, At: k.Now()})\n",
		}},
		red: []test{{"internal/gate", "TestAPushLeavesOnlyWhenItsIntentIsStored"}},
	},
	{
		name:  "the look before the intent",
		edits: []edit{{"internal/gate/deeds.go", "\tlooked, err := k.look(ctx, a.Candidate.Numbers())\n", "\tif true {\n\t\tk.apply(queue.Confirmed{ID: a.Candidate.ID, At: k.Now()})\n\t\treturn nil\n\t}\n\tlooked, err := k.look(ctx, a.Candidate.Numbers())\n"}},
		red:   []test{{"internal/gate", "TestAnApprovalThatWasTakenBackUnheardIsMissed"}, {"internal/gate", "TestALookFromAClockThatIsBehindConfirmsNothing"}},
	},
	{
		name:  "the check at intent, of pause and stop",
		edits: []edit{{"internal/queue/intent.go", `q.Stop != nil || q.PausedAt(ev.At) || `, ``}},
		red:   []test{{"internal/queue", "TestNoIntentWhileSomethingStandsAgainstIt/paused"}},
	},
	{
		name:  "the check at intent, of the look's age",
		edits: []edit{{"internal/queue/intent.go", `!fresh(c.Since, ev.At) || `, ``}},
		red:   []test{{"internal/queue", "TestAnIntentNeedsAFreshLook"}},
	},
	{
		name:  "the check at intent, of trunk and the members",
		edits: []edit{{"internal/queue/intent.go", `q.moot(c, ev.At, ev.Policy) != "" ||`, ``}},
		red: []test{
			{"internal/queue", "TestNoIntentWhileSomethingStandsAgainstIt/withdrawn"},
			{"internal/queue", "TestNoIntentWhileSomethingStandsAgainstIt/held"},
			{"internal/queue", "TestNoIntentWhileSomethingStandsAgainstIt/closed"},
		},
	},
	{
		name:  "the check at intent, of the ledger",
		edits: []edit{{"internal/queue/intent.go", `ev.Intent.Ledger == "" || ev.Intent.Ledger != q.Ledger.Tip || ev.Intent.Seq != q.Ledger.Seq+1 || `, ``}},
		red:   []test{{"internal/queue", "TestAnIntentStandsOnTheLedgersTip"}},
	},
	{
		name:  "one intent for each trunk",
		edits: []edit{{"internal/queue/intent.go", `return c.State == CandidateLanding })`, `return false })`}},
		red:   []test{{"internal/queue", "TestOfTwoCandidatesOneHasTheIntent"}},
	},
	{
		name:  "the check at intent, all that Postgres makes",
		edits: []edit{{intentSQL, "    select * into lane from lanes where id = new.lane_id;\n    if lane.tip <> new.base then", "    return null;\n    if lane.tip <> new.base then"}},
		red:   []test{{"internal/store", "TestAnIntentIsCheckedAgain"}, {"internal/store", "TestSaveReportsABrokenLaw"}},
	},
	schema("of trunk", "stands on %, and trunk on %", "landing while trunk is elsewhere"),
	schema("of the ledger", "cannot land: its record", "landing on another ledger", "landing with another number", "landing without a ledger's record"),
	schema("of pause and stop", "cannot land: its lane is stopped or paused", "landing while paused", "landing while stopped"),
	schema("of the policy", "cannot land: its lane has no policy", "landing by no policy", "landing by a broken policy", "landing by a policy that tests nothing"),
	schema("of the members", "cannot land: #% is no longer queued", "landing what was withdrawn", "landing what was closed"),
	schema("of what has landed", "cannot land: #% landed at this head", "landing a head that has landed"),
	schema("of the approvals", "cannot land: #% has % approvals", "landing without an approval", "landing without enough approvals"),
	schema("of what holds a change back", "cannot land: #% is held back", "landing a draft", "landing what is held", "landing over an objection"),
	schema("of the transaction", "cannot land: its intent is not saved", "landing in an ordinary transaction"),
	{
		name: "the serializable transaction", // Postgres insists on it, so that both go
		edits: []edit{
			{"internal/store/save.go", `w.serializable = intends(step)`, `w.serializable = false`},
			{intentSQL, `raise exception 'candidate % cannot land: its intent is not saved`, `raise notice 'candidate % cannot land: its intent is not saved`},
		},
		red: []test{{"internal/store", "TestAnIntentThatSeemsToHangOnAnotherLaneIsSentAgain"}},
	},
	{
		name:  "one intent for each trunk, in Postgres",
		edits: []edit{{startSQL, `create unique index candidates_one_intent`, `create index candidates_one_intent`}},
		red:   []test{refuses("a second intent for one trunk")},
	},
	{
		name:  "one intent for each place in the ledger, in Postgres",
		edits: []edit{{ledgerSQL, `create unique index candidates_intent_fence`, `create index candidates_intent_fence`}},
		red:   []test{{"internal/store", "TestNoTwoIntentsHaveOnePlaceInTheLedger"}},
	},
	{
		name:  "that an open intent stays as it is, in Postgres",
		edits: []edit{{ledgerSQL, `if new.intent is distinct from old.intent or (`, `if false and (`}},
		red:   []test{refuses("an intent rewritten"), refuses("an intent begun again on one ledger")},
	},
	{
		name:  "that nothing moves under an open intent, in Postgres",
		edits: []edit{{ledgerSQL, `if found and (open.base`, `if false and (open.base`}},
		red:   []test{refuses("trunk moved under an intent"), refuses("the ledger moved under an intent")},
	},
	{
		name: "that branches are moved before trunk",
		edits: []edit{{
			"internal/gate/land.go", "\tif !k.moveHeads(ctx, c) {\n\t\treturn k.resolve(ctx, c, nil)\n\t}\n\tif err", "\tdefer k.moveHeads(ctx, c)\n\tif err",
		}},
		red: []test{{"internal/gate", "TestAnAuthorWhoPushesInTheMiddleOfALandingIsHeard"}},
	},
}

// schema takes out one question of the check that Postgres makes at the intent: what it says is noted, and no more.
func schema(of, words string, cases ...string) mutant {
	m := mutant{
		name:  "the check at intent, " + of + ", in Postgres",
		edits: []edit{{intentSQL, "raise exception 'candidate % " + words, "raise notice 'candidate % " + words}},
	}
	for _, c := range cases {
		m.red = append(m.red, refuses(c))
	}
	return m
}
