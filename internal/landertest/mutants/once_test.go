package mutants

// heads are what binds an approval, a candidate and a landing to one head.
var heads = []mutant{
	{
		name:  "the pinned head, of a candidate",
		edits: []edit{{"internal/queue/plan.go", "\t\tcase e.Head != m.Head:\n", "\t\tcase false:\n"}},
		red:   []test{{"internal/queue", "TestAHeadThatIsApprovedAnewDoesNotLandAsTheOldOne"}},
	},
	{
		name:  "the pinned head, of a review",
		edits: []edit{{"internal/queue/seen.go", `r.State == ReviewApproved && r.Head == s.Head && `, `r.State == ReviewApproved && `}},
		red:   []test{{"internal/queue", "TestAReviewOfAnOldHeadDoesNotCount"}},
	},
	{
		name:  "the pinned head, of a command",
		edits: []edit{{"internal/queue/seen.go", `= Idle, s.At, nil, nil, 0, nil, nil`, `= Idle, s.At, e.Approvals, nil, 0, nil, nil`}},
		red:   []test{{"internal/queue", "TestAPushAfterTheApprovalVoidsIt/command"}},
	},
	{
		name:  "the pinned head, at the intent, in Postgres",
		edits: []edit{{intentSQL, `e.state = 'queued' and not e.gone and e.head = m.head as queued`, `e.state = 'queued' and not e.gone as queued`}},
		red:   []test{refuses("landing a head that was not tested")},
	},
	{
		name: "the pinned head, of an approval, in Postgres",
		edits: []edit{
			{startSQL, `    foreign key (lane_id, number, head, author_id) references entries (lane_id, number, head, author_id),`, `    foreign key (lane_id, number) references entries (lane_id, number),`},
		},
		red: []test{refuses("an approval of another head"), refuses("an approval that follows a push")},
	},
	{
		name:  "that a head lands once",
		edits: []edit{{"internal/queue/seen.go", `if l := e.past(s.Head); l != nil {`, `if l := e.past(s.Head); false {`}},
		red:   []test{{"internal/queue", "TestAHeadThatLandedAndComesBackIsLanded"}},
	},
	{
		name:  "that a head lands once, in Postgres",
		edits: []edit{{ledgerSQL, `    primary key (lane_id, number, head),`, `    unique (id, lane_id, number, head),`}},
		red:   []test{refuses("a head that lands twice")},
	},
}

// once are what is said one time and not another.
var once = []mutant{
	{
		name:  "the write-once verdict, in Postgres",
		edits: []edit{{startSQL, `if old.verdict is not null and (`, `if false and (`}},
		red:   []test{refuses("a verdict turned"), refuses("a verdict taken back")},
	},
	{
		name:  "the write-once verdict, after the run",
		edits: []edit{{"internal/queue/apply.go", `c.State != CandidateTesting || c.Run != ev.Run || c.Verdict != nil {`, `c.Run != ev.Run || c.Verdict != nil && c.Verdict.Outcome == ev.Verdict.Outcome {`}},
		red:   []test{{"internal/queue", "TestALateVerdictIsRefused"}},
	},
	{
		name:  "the write-once verdict, of another run",
		edits: []edit{{"internal/queue/apply.go", `c.State != CandidateTesting || c.Run != ev.Run || c.Verdict != nil {`, `c.State != CandidateTesting || c.Verdict != nil {`}},
		red:   []test{{"internal/queue", "TestALateVerdictIsRefused"}},
	},
	{
		name:  "that a candidate's verdict is its run's, in Postgres",
		edits: []edit{{startSQL, `    foreign key (lane_id, id, run, outcome) references runs (lane_id, candidate, number, outcome)`, `    foreign key (lane_id) references lanes (id)`}},
		red:   []test{refuses("green by word of the candidate only")},
	},
	{
		name:  "that only green lands, in Postgres",
		edits: []edit{{startSQL, `coalesce(outcome, '') = 'green')`, `coalesce(outcome, '') <> 'mauve')`}},
		red:   []test{refuses("passed without a verdict"), refuses("landing on a red verdict")},
	},
	{
		name: "the outbox key", // the query leans on the index, so that both go
		edits: []edit{
			{startSQL, `create unique index outbox_once on outbox`, `create index outbox_once on outbox`},
			{"internal/store/db/outbox.sql.go", "on conflict (lane_id, key) where not living do nothing\n", ""},
		},
		red: []test{{"internal/store", "TestOutbox"}, refuses("a notice twice")},
	},
	{
		name:  "the outbox key, hidden in the comment",
		edits: []edit{{"internal/forge/github/tell.go", `ok && key == n.Key && m.GetUser().GetID() == self.ID`, `ok && key == n.Key && m.GetUser().GetID() == self.ID && false`}},
		red:   []test{{"internal/forge/github", "TestALostReplyDoesNotDoubleAComment"}, {"internal/forge/github", "TestAfterARestartNothingIsSaidTwice"}},
	},
	{
		name:  "that the hidden key is lander's",
		edits: []edit{{"internal/forge/github/tell.go", `ok && key == n.Key && m.GetUser().GetID() == self.ID`, `ok && key == n.Key && self.ID != 0`}},
		red:   []test{{"internal/forge/github", "TestNobodyCanPassForLander"}},
	},
	{
		name:  "that one writes to a lane at a time",
		edits: []edit{{ledgerSQL, `if new.version <> old.version + 1 then`, `if false then`}},
		red:   []test{{"internal/store", "TestOfTwoWritersOneIsStale"}, {"internal/store", "TestOfTwoIntentsOneIsStale"}},
	},
	{
		name:  "that one keeps a lane at a time",
		edits: []edit{{ledgerSQL, `    perform pg_advisory_lock(hashtextextended(name, 0));`, `    perform name;`}},
		red:   []test{{"internal/store", "TestOneHolderAtATime"}},
	},
}

// checks are what proves a candidate, and what landed, a second time.
var checks = []mutant{
	{
		name:  "the second check, before the run",
		edits: []edit{{"internal/gate/build.go", `		err = k.Builder.Check(ctx, r, built)`, `		err = ctx.Err()`}},
		red:   []test{{"internal/gate", "TestWhatTheSecondCheckRefusesIsNeitherTestedNorLanded"}},
	},
	{
		name:  "the second check, of a diff",
		edits: []edit{{"internal/vcs/check.go", "\twrong, unclear, err := k.whole(ctx, p)\n", "\twrong, unclear, err := k.whole(ctx, p)\n\tif err == nil {\n\t\treturn nil, nil\n\t}\n"}},
		red:   []test{{"internal/vcs", "TestCheckSeesTrunkUndone"}},
	},
	{
		name:  "the second check, of a history",
		edits: []edit{{"internal/vcs/check.go", `if err != nil || len(wrong) > 0 {`, `if wrong = nil; err != nil {`}},
		red:   []test{{"internal/vcs", "TestCheckSeesAForgedHistory"}},
	},
	{
		name:  "the second check, by lander verify",
		edits: []edit{{"internal/verify/change.go", "pr *proof) error {\n\tif pr.failed {", "pr *proof) error {\n\tif !pr.failed {"}},
		red:   []test{{"internal/verify", "TestStories/a commit on trunk has other files than its head says"}, {"internal/verify", "TestStories/a file that trunk changed too is merged wrongly"}},
	},
}
