package events

import (
	"slices"
	"testing"
	"time"
)

// goldens lists every golden file's statement. Add to it; change nothing.
func goldens(t testing.TB) []golden {
	return slices.Concat(coordinatorGoldens(t), pledgeGoldens(), stepGoldens(), correctionGoldens(),
		uponGoldens(),
		releaseGoldens(t), trustGoldens(t), amountGoldens(), deskGoldens(),
		organisationGoldens(t))
}

func goldenHead(n int, typ Type) Header {
	return Header{Type: typ, ID: goldenID(n), Ledger: testOrigin}
}

func goldenHeadSeen(n int, typ Type) Header {
	h := goldenHead(n, typ)
	h.Seen = &Seen{Size: int64(n), Root: "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0="}
	return h
}

var (
	goldenDated  = Dated{Effective: 2026_11_23}
	goldenPlace  = Place{Operation: "mnf-u", Nation: "FRA"}
	goldenWindow = Window{From: 2027_01_01, Until: 2027_06_30}
)

func goldenTerms() PledgeTerms {
	notice := 30
	return PledgeTerms{
		Role: "ground", Quantity: Count(1200), Unit: "personnel", Area: "west",
		Window:       goldenWindow,
		NoticeToMove: &notice, Presence: New, Release: CoalitionOnly,
		Source: "press release of 23 November 2026", Note: "deux bataillons, à l’ouest",
	}
}

func coordinatorGoldens(t testing.TB) []golden {
	catalogue := []RoleDefinition{
		{"ground", "Troops in the country", nil, []Unit{"personnel", "battalion"}},
		{"sustainment", "Money for upkeep", nil, []Unit{"EUR"}},
	}
	line := RequirementTerms{
		Operation: "mnf-u", Line: "ground-west", Role: "ground", Area: "west",
		Quantity: Count(7000), Unit: "personnel",
		Window: goldenWindow, Priority: 1, Essential: true, Note: "two brigades",
	}
	return []golden{
		{1, "", "muster.ev.HQ.-.ledger.01M833DG030000000000000001.founded",
			&LedgerFounded{goldenHead(1, "ledger.founded"), "The test ledger", hqSigner(t).Key(),
				0}},
		{2, "", "muster.ev.HQ.-.member.01M833DGZB0000000000000002.admitted",
			&MemberAdmitted{goldenHeadSeen(2, "member.admitted"), franceSigner(t).Key(), Liaison,
				"by letter of 20 November 2026", ""}},
		{3, "", "muster.ev.HQ.-.member.01M833DHYK0000000000000003.revoked",
			&MemberRevoked{goldenHeadSeen(3, "member.revoked"), franceSigner(t).Key(),
				"the laptop was lost"}},
		{4, "", "muster.ev.HQ.mnf-u.operation.01M833DJXV0000000000000004.opened",
			&OperationOpened{goldenHeadSeen(4, "operation.opened"), goldenDated,
				OperationTerms{"mnf-u", "Multinational Force Ukraine",
					"The figures are illustrative.", catalogue, nil}, ""}},
		{5, "", "muster.ev.HQ.mnf-u.operation.01M833DKX30000000000000005.revised",
			&OperationRevised{goldenHeadSeen(5, "operation.revised"), goldenDated,
				OperationTerms{"mnf-u", "Multinational Force Ukraine", "Ground alone.",
					catalogue[:1], nil}}},
		{6, "", "muster.ev.HQ.mnf-u.requirement.01M833DMWB0000000000000006.issued",
			&RequirementIssued{goldenHeadSeen(6, "requirement.issued"), goldenDated, line, ""}},
		{7, "", "muster.ev.HQ.mnf-u.requirement.01M833DNVK0000000000000007.revised",
			&RequirementRevised{goldenHeadSeen(7, "requirement.revised"), goldenDated, line}},
		{8, "", "muster.ev.HQ.mnf-u.requirement.01M833DPTV0000000000000008.cancelled",
			&RequirementCancelled{goldenHeadSeen(8, "requirement.cancelled"), goldenDated, "mnf-u",
				"ground-west", "merged with ground-east"}},
	}
}

func pledgeGoldens() []golden {
	unknownShips, open := goldenTerms(), goldenTerms()
	unknownShips.Role, unknownShips.Quantity, unknownShips.Unit = "sea", Unknown, "ship"
	open.Role, open.Quantity, open.Unit, open.Until = "sustainment",
		Unit("EUR").Of(2_500_000_05), "EUR", 0
	atOnce := 0
	open.NoticeToMove = &atOnce
	return []golden{
		{9, "", "muster.ev.FRA.mnf-u.scope.01M833DQT30000000000000009.declared",
			&ScopeDeclared{goldenHeadSeen(9, "scope.declared"), goldenDated, goldenPlace,
				[]Role{"intelligence", "sea"}, false, "until the vote"}},
		{10, "unlimited", "muster.ev.FRA.mnf-u.scope.01M833DRSB000000000000000A.declared",
			&ScopeDeclared{goldenHead(10, "scope.declared"), goldenDated, goldenPlace,
				nil, true, ""}},
		{11, "", "muster.ev.FRA.mnf-u.pledge.01M833DSRK000000000000000B.indicated",
			&PledgeIndicated{goldenHeadSeen(11, "pledge.indicated"), goldenDated, goldenPlace,
				goldenTerms()}},
		{12, "", "muster.ev.FRA.mnf-u.pledge.01M833DSRK000000000000000B.offered",
			&PledgeOffered{goldenHeadSeen(12, "pledge.offered"), goldenDated, goldenPlace,
				goldenID(11), Upon{}, goldenTerms()}},
		{13, "unknown", "muster.ev.FRA.mnf-u.pledge.01M833DVQ3000000000000000D.offered",
			&PledgeOffered{goldenHead(13, "pledge.offered"), goldenDated, goldenPlace, ID{}, Upon{},
				unknownShips}},
		{14, "money", "muster.ev.FRA.mnf-u.pledge.01M833DWPB000000000000000E.offered",
			&PledgeOffered{goldenHead(14, "pledge.offered"), goldenDated, goldenPlace, ID{},
				Upon{}, open}},
		{15, "", "muster.ev.FRA.mnf-u.pledge.01M833DSRK000000000000000B.amended",
			&PledgeAmended{goldenHeadSeen(15, "pledge.amended"), goldenDated, goldenPlace,
				goldenID(11), Upon{}, goldenTerms()}},
		{16, "", "muster.ev.FRA.mnf-u.pledge.01M833DYMV000000000000000G.observed",
			&PledgeObserved{goldenHeadSeen(16, "pledge.observed"), goldenDated,
				goldenPlace, "troops",
				Strength{Count(42), "personnel"}, "monthly contributions, November 2026"}},
	}
}

func stepGoldens() []golden {
	return stepsFrom(17, "", func(n int, typ Type) PledgeStep {
		return PledgeStep{goldenHeadSeen(n, typ), goldenDated, goldenPlace,
			Step{goldenID(11), Upon{}, "as agreed\nby telephone", "minutes of 23 November 2026"}}
	})
}

// stepsFrom lists the statements that move a pledge along, of which the first has the number n.
func stepsFrom(first int, variant string, step func(n int, typ Type) PledgeStep) []golden {
	at := func(n int) int { return first - 17 + n }
	condition := func(n int, typ Type) ConditionStep {
		return ConditionStep{step(n, typ), "parliament"}
	}
	strength := Strength{Count(1187), "personnel"}
	subject := func(kind, event string) string {
		return "muster.ev.FRA.mnf-u." + kind + ".01M833DSRK000000000000000B." + event
	}
	return []golden{
		{at(17), variant, "muster.ev.FRA.mnf-u.pledge.01M833DSRK000000000000000B.accepted",
			&PledgeAccepted{step(at(17), "pledge.accepted")}},
		{at(18), variant, "muster.ev.FRA.mnf-u.pledge.01M833DSRK000000000000000B.declined",
			&PledgeDeclined{step(at(18), "pledge.declined")}},
		{at(19), variant, "muster.ev.FRA.mnf-u.pledge.01M833DSRK000000000000000B.confirmed",
			&PledgeConfirmed{step(at(19), "pledge.confirmed")}},
		{at(20), variant, "muster.ev.FRA.mnf-u.pledge.01M833DSRK000000000000000B.withdrawn",
			&PledgeWithdrawn{step(at(20), "pledge.withdrawn")}},
		{at(21), variant, "muster.ev.FRA.mnf-u.pledge.01M833DSRK000000000000000B.deployed",
			&PledgeDeployed{step(at(21), "pledge.deployed"), strength}},
		{at(22), variant, "muster.ev.FRA.mnf-u.pledge.01M833DSRK000000000000000B.reported",
			&PledgeReported{step(at(22), "pledge.reported"), strength}},
		{at(23), variant, "muster.ev.FRA.mnf-u.pledge.01M833DSRK000000000000000B.returned",
			&PledgeReturned{step(at(23), "pledge.returned")}},
		{at(24), variant, "muster.ev.FRA.mnf-u.condition.01M833DSRK000000000000000B.added",
			&ConditionAdded{condition(at(24), "condition.added"), Parliament}},
		{at(25), variant, "muster.ev.FRA.mnf-u.condition.01M833DSRK000000000000000B.discharged",
			&ConditionDischarged{condition(at(25), "condition.discharged")}},
		{at(26), variant, "muster.ev.FRA.mnf-u.condition.01M833DSRK000000000000000B.failed",
			&ConditionFailed{condition(at(26), "condition.failed")}},
		{at(27), variant, subject("pledge", "renewed"),
			&PledgeRenewed{step(at(27), "pledge.renewed"), goldenWindow.Until}},
		{at(28), variant, subject("caveat", "declared"),
			&CaveatDeclared{CaveatStep{step(at(28), "caveat.declared"), "no-night-flights"},
				"by day only"}},
		{at(29), variant, subject("caveat", "lifted"),
			&CaveatLifted{CaveatStep{step(at(29), "caveat.lifted"), "no-night-flights"}}},
		{at(30), variant, subject("allocation", "made"),
			&AllocationMade{step(at(30), "allocation.made"), "ground-west", strength,
				goldenWindow}},
		{at(31), variant, subject("allocation", "released"),
			&AllocationReleased{step(at(31), "allocation.released"), goldenID(30)}},
	}
}

// correctionGoldens are of what mends other statements, and of the terms that came later.
func correctionGoldens() []golden {
	terms, rotation := goldenTerms(), goldenTerms()
	rotation.Expires, rotation.Predecessor, rotation.Successor = goldenWindow.From,
		goldenID(12), goldenID(13)
	rotation.Elsewhere = []string{"NATO Response Force", "mnf-b"}
	line := goldenTerms()
	line.Line = "ground-west"
	corrected := func(n int, change func(*PledgeCorrected)) *PledgeCorrected {
		s := &PledgeCorrected{Header: goldenHeadSeen(n, "pledge.corrected"), Dated: goldenDated,
			Place:  goldenPlace,
			Pledge: goldenID(11), Corrects: goldenID(12), Reason: "a digit was missing",
			Source: "letter of 23 November 2026"}
		change(s)
		return s
	}
	subject := "muster.ev.FRA.mnf-u.pledge.01M833DSRK000000000000000B.corrected"
	return []golden{
		{32, "", subject, corrected(32, func(s *PledgeCorrected) { s.Terms = &terms })},
		{33, "strength", subject, corrected(33, func(s *PledgeCorrected) {
			s.Strength = &Strength{Count(1187), "personnel"}
		})},
		{34, "struck", subject, corrected(34, func(s *PledgeCorrected) { s.Struck = true })},
		{35, "rotation", "muster.ev.FRA.mnf-u.pledge.01M833EH6K0000000000000013.offered",
			&PledgeOffered{goldenHead(35, "pledge.offered"), goldenDated, goldenPlace, ID{},
				Upon{}, rotation}},
		{36, "rotation", "muster.ev.FRA.mnf-u.pledge.01M833EJ5V0000000000000014.indicated",
			&PledgeIndicated{goldenHead(36, "pledge.indicated"), goldenDated,
				goldenPlace, rotation}},
		{37, "rotation", "muster.ev.FRA.mnf-u.pledge.01M833DSRK000000000000000B.amended",
			&PledgeAmended{goldenHead(37, "pledge.amended"), goldenDated, goldenPlace, goldenID(11),
				Upon{}, rotation}},
		{48, "line", "muster.ev.FRA.mnf-u.pledge.01M833EXWV000000000000001G.offered",
			&PledgeOffered{goldenHead(48, "pledge.offered"), goldenDated, goldenPlace, ID{},
				Upon{}, line}},
		{49, "line", "muster.ev.FRA.mnf-u.pledge.01M833EYW3000000000000001H.indicated",
			&PledgeIndicated{goldenHead(49, "pledge.indicated"), goldenDated, goldenPlace, line}},
		{50, "line", "muster.ev.FRA.mnf-u.pledge.01M833DSRK000000000000000B.amended",
			&PledgeAmended{goldenHead(50, "pledge.amended"), goldenDated, goldenPlace, goldenID(11),
				Upon{}, line}},
		{51, "line", subject, corrected(51, func(s *PledgeCorrected) { s.Terms = &line })},
	}
}

// uponGoldens are of statements that say which state of the pledge they build on.
func uponGoldens() []golden {
	terms, upon := goldenTerms(), Upon{After: 12}
	subject := "muster.ev.FRA.mnf-u.pledge.01M833DSRK000000000000000B."
	steps := stepsFrom(64, "after", func(n int, typ Type) PledgeStep {
		return PledgeStep{goldenHead(n, typ), goldenDated, goldenPlace,
			Step{goldenID(11), upon, "as agreed", "minutes"}}
	})
	return append([]golden{
		{61, "after", subject + "offered",
			&PledgeOffered{goldenHead(61, "pledge.offered"), goldenDated, goldenPlace, goldenID(11),
				Upon{After: 11}, terms}},
		{62, "after", subject + "amended",
			&PledgeAmended{goldenHead(62, "pledge.amended"), goldenDated, goldenPlace, goldenID(11),
				upon, terms}},
		{63, "after", subject + "corrected",
			&PledgeCorrected{Header: goldenHead(63, "pledge.corrected"),
				Dated: goldenDated, Place: goldenPlace, Pledge: goldenID(11), Upon: upon,
				Corrects: goldenID(12),
				Terms:    &terms, Reason: "a digit was missing"}},
	}, steps...)
}

// releaseGoldens are of what says who may read.
func releaseGoldens(t testing.TB) []golden {
	confided := goldenTerms()
	confided.Release, confided.ReleasableTo = CoordinatorsOnly, []Nation{"GBR", "NOR"}
	rotation := confided
	rotation.Expires, rotation.Predecessor, rotation.Successor = goldenWindow.From,
		goldenID(12), goldenID(13)
	rotation.Elsewhere, rotation.Line = []string{"NATO Response Force"}, "ground-west"
	subject := "muster.ev.FRA.mnf-u.pledge.01M833DSRK000000000000000B."
	opened, issued := coordinatorGoldens(t)[3].statement.(*OperationOpened),
		coordinatorGoldens(t)[5].statement.(*RequirementIssued)
	return []golden{
		{80, "reader", "muster.ev.HQ.-.member.01M833FX4V000000000000002G.admitted",
			&MemberAdmitted{goldenHead(80, "member.admitted"), hqSigner(t).Key(), Reader,
				"the auditors", ForTheCoalition}},
		{81, "release", "muster.ev.HQ.mnf-u.operation.01M833FY43000000000000002H.opened",
			&OperationOpened{goldenHead(81, "operation.opened"), goldenDated, opened.OperationTerms,
				CoordinatorsOnly}},
		{82, "release", "muster.ev.HQ.mnf-u.requirement.01M833FZ3B000000000000002J.issued",
			&RequirementIssued{goldenHead(82, "requirement.issued"), goldenDated,
				issued.RequirementTerms, CoordinatorsOnly}},
		{83, "release", "muster.ev.FRA.mnf-u.pledge.01M833G02K000000000000002K.indicated",
			&PledgeIndicated{goldenHead(83, "pledge.indicated"), goldenDated,
				goldenPlace, confided}},
		{84, "release", "muster.ev.FRA.mnf-u.pledge.01M833G11V000000000000002M.offered",
			&PledgeOffered{goldenHead(84, "pledge.offered"), goldenDated, goldenPlace, ID{},
				Upon{}, confided}},
		{85, "release", subject + "amended",
			&PledgeAmended{goldenHead(85, "pledge.amended"), goldenDated, goldenPlace, goldenID(11),
				Upon{}, confided}},
		{86, "release", subject + "corrected",
			&PledgeCorrected{Header: goldenHead(86, "pledge.corrected"), Dated: goldenDated,
				Place: goldenPlace, Pledge: goldenID(11), Corrects: goldenID(12), Terms: &confided,
				Reason: "a digit was missing"}},
		{87, "", subject + "disclosed",
			&PledgeDisclosed{goldenHeadSeen(87, "pledge.disclosed"), goldenDated, goldenPlace,
				goldenID(11), Upon{After: 12}, goldenTerms(),
				Standing{Rung: Deployed, InPlace: &Strength{Count(1187), "personnel"},
					Conditions: []StandingCondition{{"parliament", Parliament, false},
						{"cease-fire", CeaseFire, true}},
					Caveats: []StandingCaveat{{"no-night-flights", "by day only"}},
					Allocations: []StandingAllocation{{goldenID(30), "ground-west",
						Strength{Count(700), "personnel"}, goldenWindow}}}}},
		{88, "release", subject + "disclosed",
			&PledgeDisclosed{goldenHead(88, "pledge.disclosed"), goldenDated, goldenPlace,
				goldenID(11), Upon{}, rotation, Standing{Rung: Offered}}},
	}
}

// trustGoldens may be recorded until a moment, or ask for a second word, or give it.
func trustGoldens(t testing.TB) []golden {
	head := func(n int, typ Type) Header {
		h := goldenHeadSeen(n, typ)
		h.NotAfter = InstantOf(goldenStart.Add(time.Hour))
		return h
	}
	return []golden{
		{100, "not-after", "muster.ev.FRA.mnf-u.pledge.01M833GGNV0000000000000034.offered",
			&PledgeOffered{head(100, "pledge.offered"), goldenDated, goldenPlace, ID{}, Upon{},
				goldenTerms()}},
		{102, "seconds", "muster.ev.HQ.-.ledger.01M833GJMB0000000000000036.founded",
			&LedgerFounded{goldenHead(102, "ledger.founded"), "The test ledger", hqSigner(t).Key(),
				2}},
		{103, "", "muster.ev.HQ.-.member.01M833GKKK0000000000000037.seconded",
			&MemberSeconded{goldenHeadSeen(103, "member.seconded"), goldenID(2),
				"bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=", franceSigner(t).Key()}},
		{104, "", "muster.ev.HQ.-.member.01M833GMJV0000000000000038.retracted",
			&MemberRetracted{goldenHeadSeen(104, "member.retracted"), goldenID(2),
				franceSigner(t).Key(), "the key was read out wrongly"}},
		{101, "not-after", "muster.ev.HQ.-.member.01M833GHN30000000000000035.admitted",
			&MemberAdmitted{head(101, "member.admitted"), franceSigner(t).Key(), Liaison, "", ""}},
	}
}

// deskGoldens are what coordinators and nations say between meetings.
func deskGoldens() []golden {
	return []golden{
		{120, "", "muster.ev.HQ.-.meeting.01M833H46V000000000000003R.closed",
			&MeetingClosed{goldenHeadSeen(120, "meeting.closed"), goldenDated, "FGC 4",
				"the fourth force generation conference"}},
		{121, "", "muster.ev.FRA.mnf-u.pledge.01M833DSRK000000000000000B.queried",
			&PledgeQueried{PledgeStep{goldenHeadSeen(121, "pledge.queried"), goldenDated,
				goldenPlace, Step{goldenID(11), Upon{After: 12}, "for the plan",
					"minutes"}}, "FRA",
				"By when does parliament vote?", goldenWindow.Until}},
		{122, "", "muster.ev.FRA.mnf-u.pledge.01M833DSRK000000000000000B.answered",
			&PledgeAnswered{PledgeStep{goldenHeadSeen(122, "pledge.answered"), goldenDated,
				goldenPlace, Step{goldenID(11), Upon{After: 13}, "as asked",
					"minutes"}}, goldenID(121),
				"On 12 January.\nThe committee has met."}},
		{123, "to-hq", "muster.ev.FRA.mnf-u.pledge.01M833DSRK000000000000000B.queried",
			&PledgeQueried{PledgeStep{goldenHead(123, "pledge.queried"), goldenDated,
				goldenPlace, Step{goldenID(11), Upon{}, "", ""}}, HQ,
				"Which line is it for?", 0}},
	}
}

// organisationGoldens are of one that pledges as a nation does, and of the operation that declares
// it.
func organisationGoldens(t testing.TB) []golden {
	terms := OperationTerms{"mnf-u", "Multinational Force Ukraine", "", []RoleDefinition{
		{"ground", "Troops", nil, []Unit{"personnel"}}}, Organisations{
		{"x-nato", "NATO", []string{"OTAN", "North Atlantic Treaty Organization"}},
		{"x-au", "African Union", nil}}}
	titled := terms
	titled.Organisations = nil
	titled.Roles = []RoleDefinition{{"ground", "Troops", []Translation{{"fr", "Troupes au sol"},
		{"sr-Latn", "Kopnene snage"}}, []Unit{"personnel"}}}
	place := Place{Operation: "mnf-u", Nation: "x-nato"}
	return []golden{
		{130, "organisations", "muster.ev.HQ.mnf-u.operation.01M833HDZB0000000000000042.opened",
			&OperationOpened{goldenHead(130, "operation.opened"), goldenDated, terms, Public}},
		{131, "organisations", "muster.ev.HQ.mnf-u.operation.01M833HEYK0000000000000043.revised",
			&OperationRevised{goldenHead(131, "operation.revised"), goldenDated, terms}},
		{134, "titles", "muster.ev.HQ.mnf-u.operation.01M833HHWB0000000000000046.opened",
			&OperationOpened{goldenHead(134, "operation.opened"), goldenDated, titled, ""}},
		{135, "titles", "muster.ev.HQ.mnf-u.operation.01M833HJVK0000000000000047.revised",
			&OperationRevised{goldenHead(135, "operation.revised"), goldenDated, titled}},
		{132, "organisation", "muster.ev.HQ.-.member.01M833HFXV0000000000000044.admitted",
			&MemberAdmitted{goldenHead(132, "member.admitted"), natoSigner(t).Key(), Liaison, "",
				""}},
		{133, "organisation", "muster.ev.x-nato.mnf-u.pledge.01M833HGX30000000000000045.offered",
			&PledgeOffered{goldenHead(133, "pledge.offered"), goldenDated, place, ID{}, Upon{},
				goldenTerms()}},
	}
}

// amountGoldens tell what is known of a quantity that is unknown, and the nation's own number.
func amountGoldens() []golden {
	between, most := goldenTerms(), goldenTerms()
	between.SetAmount(Amount{Unknown, Count(10), Count(14)})
	between.Reference = "NV 12/2026"
	most.Unit = "EUR"
	most.SetAmount(Amount{Quantity: Unknown, Most: most.Unit.Of(1800)})
	disclosed := between
	disclosed.Release = Public
	subject := "muster.ev.FRA.mnf-u.pledge.01M833DSRK000000000000000B."
	return []golden{
		{110, "amount", "muster.ev.FRA.mnf-u.pledge.01M833GTEB000000000000003E.offered",
			&PledgeOffered{goldenHead(110, "pledge.offered"), goldenDated, goldenPlace, ID{},
				Upon{}, between}},
		{111, "amount", "muster.ev.FRA.mnf-u.pledge.01M833GVDK000000000000003F.indicated",
			&PledgeIndicated{goldenHead(111, "pledge.indicated"), goldenDated, goldenPlace,
				between}},
		{112, "most", "muster.ev.FRA.mnf-u.pledge.01M833GWCV000000000000003G.offered",
			&PledgeOffered{goldenHead(112, "pledge.offered"), goldenDated, goldenPlace, ID{},
				Upon{}, most}},
		{113, "amount", subject + "amended",
			&PledgeAmended{goldenHead(113, "pledge.amended"), goldenDated, goldenPlace,
				goldenID(11), Upon{}, between}},
		{114, "amount", subject + "corrected",
			&PledgeCorrected{Header: goldenHead(114, "pledge.corrected"), Dated: goldenDated,
				Place: goldenPlace, Pledge: goldenID(11), Corrects: goldenID(12), Terms: &between,
				Reason: "it was a range"}},
		{115, "amount", subject + "disclosed",
			&PledgeDisclosed{goldenHead(115, "pledge.disclosed"), goldenDated, goldenPlace,
				goldenID(11), Upon{}, disclosed, Standing{Rung: Offered}}},
	}
}
