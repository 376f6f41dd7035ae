package mutants

import "slices"

// all is every mutant that there is.
func all() []mutant { return slices.Concat(git, burns, intents, heads, once, checks, trains) }

const lease = `		args = append(args, "--force-with-lease="+u.ref+":"+string(u.old))`

// git are the defences of a push.
var git = []mutant{
	{
		name:  "the lease on trunk",
		edits: []edit{{"internal/vcs/push.go", lease, "if u.ref != \"refs/heads/main\" {\n" + lease + "\n}"}},
		red:   []test{{"internal/vcs", "TestLandLosesARaceWithoutHarm/trunk is rewound"}, {"internal/vcs", "TestLandLosesARaceWithoutHarm/trunk is gone"}},
	},
	{
		name:  "the lease on the ledger",
		edits: []edit{{"internal/vcs/push.go", lease, "if !strings.Contains(u.ref, \"/lander-ledger/\") {\n" + lease + "\n}"}},
		red:   []test{{"internal/vcs", "TestALedgerThatWasTakenBackIsNotMadeAnewByAPush"}},
	},
	{
		name: "the lease on a change's branch", // a lease on what was read a moment ago is none
		edits: []edit{{
			"internal/vcs/movehead.go", `	pushErr := r.pushTo(ctx, remote, update{ref: ref, old: m.From, new: m.To})`,
			`	now, lookErr := r.refsOf(ctx, remote, ref)
	if lookErr != nil {
		return lookErr
	}
	pushErr := r.pushTo(ctx, remote, update{ref: ref, old: now[ref], new: m.To})`,
		}},
		red: []test{{"internal/vcs", "TestMoveHead"}},
	},
	{
		name: "the lease on the branches of a batch",
		edits: []edit{{
			"internal/vcs/movehead.go", `			updates = append(updates, update{ref: ref, old: m.From, new: m.To})`,
			`			now, lookErr := r.refsOf(ctx, remote, ref)
			if lookErr != nil {
				return moved
			}
			updates = append(updates, update{ref: ref, old: now[ref], new: m.To})`,
		}},
		red: []test{{"internal/vcs", "TestMoveHeads"}},
	},
	{
		name:  "both branches or none",
		edits: []edit{{"internal/vcs/push.go", `if len(updates) > 1 {`, `if len(updates) > 2 {`}},
		red:   []test{{"internal/vcs", "TestTwoRefsMoveTogetherOrNotAtAll"}, {"internal/vcs", "TestLandLosesARaceWithoutHarm/it was burnt"}},
	},
	{
		name:  "the descendant check",
		edits: []edit{{"internal/vcs/land.go", `if !above || req.New == req.Old {`, `if _ = above; req.New == req.Old {`}},
		red:   []test{{"internal/vcs", "TestLandRefusesWhatNoLeaseWouldStop"}},
	},
	{
		name:  "that the record says what is pushed",
		edits: []edit{{"internal/vcs/land.go", `if s.Decision != queue.DecisionLand || s.Old != req.Old || s.New != req.New {`, `if s.Format == 0 {`}},
		red:   []test{{"internal/vcs", "TestLandRefusesWhatNoLeaseWouldStop"}},
	},
	{
		name:  "that a record stands on the one before it",
		edits: []edit{{"internal/vcs/land.go", `if err == nil && stands != before {`, `if err != nil && stands != before {`}},
		red:   []test{{"internal/vcs", "TestAppend"}, {"internal/vcs", "TestLandRefusesWhatNoLeaseWouldStop"}},
	},
	{
		name:  "reading back what was pushed",
		edits: []edit{{"internal/vcs/land.go", `if at[b.ledger] == req.Record && at[b.trunk] == req.New {`, `if pushErr == nil || at[b.ledger] == req.Record && at[b.trunk] == req.New {`}},
		red:   []test{{"internal/vcs", "TestLandDoesNotBelieveHalfAMove"}},
	},
}

// burns are what decides about a landing whose push may have left.
var burns = []mutant{
	{
		name:  "the burn, as it is decided",
		edits: []edit{{"internal/queue/resolve.go", "\t}\n\treturn ResolveBurn\n}", "\t}\n\treturn ResolveAborted\n}"}},
		red:   []test{{"internal/queue", "TestALandingThatIsNotWantedAnyMoreIsBurned"}, {"internal/gate", "TestAnAttemptThatWasGivenUpNeverLands"}},
	},
	{
		name: "the burn, as it is carried out",
		edits: []edit{{
			"internal/gate/land.go", "\t\tcase queue.ResolveBurn:\n",
			"\t\tcase queue.ResolveBurn:\n\t\t\tif true {\n\t\t\t\treturn k.undone(ctx, c, r, denied)\n\t\t\t}\n",
		}},
		red: []test{{"internal/gate", "TestAnAttemptThatWasGivenUpNeverLands"}},
	},
	{
		name:  "that the ledger and not trunk says what landed",
		edits: []edit{{"internal/queue/resolve.go", "\tswitch {\n\tcase aborted:", "\twritten = r.Contains\n\tswitch {\n\tcase aborted:"}},
		red:   []test{{"internal/queue", "TestWhatTheLedgerHoldsHasLandedWhereverTrunkStands"}},
	},
	{
		name:  "that half a push is read again",
		edits: []edit{{"internal/queue/resolve.go", `const halfSeen = 5`, `const halfSeen = 0`}},
		red:   []test{{"internal/queue", "TestATrunkThatIsSeenBeforeItsLedgerIsReadAgain"}},
	},
	{
		name: "that the ledger is heard before trunk",
		edits: []edit{{
			"internal/gate/look.go", "func (k *Keeper) tipsAt(ctx context.Context, tips Tips) error {\n",
			"func (k *Keeper) tipsAt(ctx context.Context, tips Tips) error {\n\tif err := k.trunkAt(ctx, tips.Trunk); err != nil {\n\t\treturn err\n\t}\n",
		}},
		red: []test{{"internal/gate", "TestWhatTheLedgerSaysLandedIsNoBypass"}},
	},
	{
		name:  "that lander's own push is no bypass",
		edits: []edit{{"internal/queue/apply.go", `return // it may be our own push; its resolution reads trunk again`, `break`}},
		red:   []test{{"internal/queue", "TestACrashAfterTheIntentLandsItAgain/the push had arrived"}},
	},
	{
		name:  "that nobody's look is pushed on once it is old",
		edits: []edit{{"internal/queue/resolve.go", ` && fresh(c.Since, now):`, `:`}},
		red:   []test{{"internal/queue", "TestAnOldIntentIsNotPushedWithoutALook"}},
	},
	{
		name:  "that a ledger is this lane's",
		edits: []edit{{"internal/queue/recall.go", `case s.Lane != q.Lane.String():`, `case false:`}},
		red:   []test{{"internal/queue", "TestARecordThatIsNotLanders/of another lane"}},
	},
	{
		name:  "that a lane is adopted once",
		edits: []edit{{"internal/queue/recall.go", `, (s.Decision == DecisionAdopt) != (s.Seq == 1):`, `:`}},
		red:   []test{{"internal/queue", "TestARecordThatIsNotLanders/a second first"}},
	},
	{
		name:  "that nothing lands without a ledger",
		edits: []edit{{"internal/queue/plan.go", `case c != top, !q.moving(now, p), q.Ledger.Tip == "":`, `case c != top, !q.moving(now, p):`}},
		red:   []test{{"internal/queue", "TestWithoutALedgerNothingLands"}},
	},
}
