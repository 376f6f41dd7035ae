package mutants

const over = ` || slices.ContainsFunc(chain, func(c *Candidate) bool { return c.State == CandidateLanding })`

// trains are what binds what lands together, and what finds out whose fault a red run is.
var trains = []mutant{
	{
		name:  "that nothing is joined over an open landing",
		edits: []edit{{"internal/queue/train.go", over, ``}},
		red:   []test{{"internal/queue", "TestWhatCannotBeJoined/over one that is landing"}},
	},
	{
		name:  "that only what is green is joined",
		edits: []edit{{"internal/queue/train.go", `top.State != CandidatePassed && top.State != CandidateConfirmed || ev.As`, `ev.As`}},
		red:   []test{{"internal/queue", "TestWhatCannotBeJoined/what is red"}, {"internal/queue", "TestWhatCannotBeJoined/what is under test"}},
	},
	{
		name:  "that what is joined stands on trunk",
		edits: []edit{{"internal/queue/train.go", `chain[0].Base != q.Tip || slices`, `slices`}},
		red:   []test{{"internal/queue", "TestWhatCannotBeJoined/on a trunk that moved"}},
	},
	{
		name:  "that what is joined is all that it stands on",
		edits: []edit{{"internal/queue/train.go", "\tfor _, c := range chain {\n\t\twhole.Members", "\tfor _, c := range chain[len(chain)-1:] {\n\t\twhole.Members"}},
		red:   []test{{"internal/queue", "TestAGreenRunLandsAllBelowIt"}, {"internal/queue", "TestTheModelSeesTrains"}},
	},
	{
		name:  "that nobody lands from the middle of a train",
		edits: []edit{{"internal/queue/intent.go", `c.Base != q.Tip || `, ``}},
		red:   []test{{"internal/queue", "TestNoIntentInTheMiddleOfATrain"}},
	},
	{
		name:  "that a candidate stands on trunk or on the end of its train",
		edits: []edit{{"internal/queue/apply.go", "\t\tif len(train) == 0 || train[len(train)-1].Built.SHA != ev.Request.Base {\n\t\t\treturn\n\t\t}\n\t\tbelow =", "\t\tif len(train) == 0 {\n\t\t\ttrain = []*Candidate{{}}\n\t\t}\n\t\tbelow ="}},
		red:   []test{{"internal/queue", "TestABuildOnATrainThatIsNoMoreIsThrownAway"}, {"internal/queue", "TestABuildThatCameTooLateIsThrownAway"}},
	},
	{
		name:  "that a trial's verdict is of its case",
		edits: []edit{{"internal/queue/apply.go", "\tif c.Of != 0 {\n\t\tq.probeReported(c, v, ev.At)\n\t\treturn\n\t}\n", ``}},
		red:   []test{{"internal/queue", "TestATrialNeverLands"}, {"internal/queue", "TestWhoBreaksATestIsNamed"}},
	},
	{
		name:  "that a part is not the whole",
		edits: []edit{{"internal/queue/proof.go", "\t\t\tv.Outcome, v.Reason = Unmeasured, sayUnproven(name)\n\t\t\treturn v\n", "\t\t\tcontinue\n"}},
		red:   []test{{"internal/queue", "TestAPartIsNotTheWhole"}},
	},
	{
		name:  "that a red run may be chance",
		edits: []edit{{"internal/queue/case.go", "\t\tq.open(c, v, at)\n\t} else {", "\t\tq.open(c, v, at)\n\t\tq.editCase(c.ID, func(k *Case) { k.Sure = true })\n\t} else {"}},
		red:   []test{{"internal/queue", "TestChanceIsAcquitted"}},
	},
	{
		name:  "that trunk itself may be red",
		edits: []edit{{"internal/queue/lens.go", "\t\tif base == Red {\n\t\t\tf.own = append(f.own, name)\n\t\t\tcontinue\n\t\t}\n", ``}},
		red:   []test{{"internal/queue", "TestTrunkItselfIsRed"}},
	},
	{
		name:  "that a partner must be there",
		edits: []edit{{"internal/queue/blame.go", "\t\treturn pending\n\t}\n\treturn innocent\n}", "\t\treturn pending\n\t}\n\treturn guilty\n}"}},
		red:   []test{{"internal/queue", "TestAPartnerLeaves"}},
	},
	{
		name:  "that nobody is blamed on a trunk that is no more",
		edits: []edit{{"internal/queue/moves.go", `if m.Kind == MoveBypass || m.Kind == MoveRewind {`, `if false {`}},
		red:   []test{{"internal/queue", "TestNobodyIsBlamedOnATrunkThatIsNoMore"}},
	},
	{
		name:  "that what failed once only is not blamed",
		edits: []edit{{"internal/queue/case.go", `return !v.fails(name) })`, `return false })`}},
		red:   []test{{"internal/queue", "TestSomethingElseFailsEveryTime"}},
	},
}
