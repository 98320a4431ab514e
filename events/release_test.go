package events

import (
	"fmt"
	"slices"
	"testing"

	"muster/events/problem"
)

// Every label that the tests need: of each circle, with and without an owner and others.
func testLabels() []Label {
	return []Label{
		{Release: Public}, {Release: Public, Owner: "FRA"}, {},
		{Release: CoalitionOnly, Owner: "FRA"},
		{Release: CoordinatorsOnly}, {Release: CoordinatorsOnly, Owner: "FRA"},
		{Release: CoordinatorsOnly, Owner: "GBR", To: []Nation{"FRA"}},
		{Release: CoordinatorsOnly, Owner: "FRA", To: []Nation{"GBR", "NOR"}},
		{Release: CoordinatorsOnly, Owner: "GBR"},
	}
}

func testViews() []View {
	return []View{PublicView, CoalitionView, "FRA", "GBR", "NOR", "POL", CoordinatorsView}
}

// audience returns who of the views may read what has the label.
func audience(l Label) (all []View) {
	for _, v := range testViews() {
		if l.OpenTo(v) {
			all = append(all, v)
		}
	}
	return all
}

func TestLabelsAreOpenTo(t *testing.T) {
	for i, want := range []string{
		"[public coalition FRA GBR NOR POL coordinators]",
		"[public coalition FRA GBR NOR POL coordinators]",
		"[coalition FRA GBR NOR POL coordinators]", "[coalition FRA GBR NOR POL coordinators]",
		"[coordinators]", "[FRA coordinators]", "[FRA GBR coordinators]",
		"[FRA GBR NOR coordinators]",
	} {
		if l := testLabels()[i]; fmt.Sprint(audience(l)) != want {
			t.Errorf("%q is open to %s, want %s", l, audience(l), want)
		}
	}
}

// What a label covers, and what it is within another, follow from who may read either.
func TestLabelsCompareByWhoReads(t *testing.T) {
	isSubset := func(a, b []View) bool {
		return !slices.ContainsFunc(a, func(v View) bool { return !slices.Contains(b, v) })
	}
	for _, l := range testLabels() {
		for _, other := range testLabels() {
			if got, want := l.Covers(other), isSubset(audience(other), audience(l)); got != want {
				t.Errorf("%q covers %q: %v, want %v", l, other, got, want)
			}
			if in := audience(l.Within(other)); !isSubset(in, audience(l)) ||
				!isSubset(in, audience(other)) {
				t.Errorf("%q within %q is read by %s", l, other, in)
			}
		}
	}
}

// Whose a pledge is may be among those to which it is releasable, and is told once.
func TestLabelsNameEachNationOnce(t *testing.T) {
	l := NewLabel(CoordinatorsOnly, "x-nato", []Nation{"x-nato", "FRA"})
	if got := fmt.Sprint(l.Nations(), l); got != "[x-nato FRA] coordinators x-nato+FRA" {
		t.Error(got)
	}
}

func TestLabelOfStatements(t *testing.T) {
	confided := PledgeTerms{Release: CoordinatorsOnly, ReleasableTo: []Nation{"NOR", "GBR"}}
	for _, test := range []struct {
		statement Statement
		label     string
		own       bool
	}{
		{&LedgerFounded{}, "public", true}, {&MemberAdmitted{}, "public", true},
		{&MemberRevoked{}, "public", true},
		{&OperationOpened{}, "coalition", true},
		{&OperationOpened{Release: Public}, "public", true},
		{&OperationRevised{}, "coalition", false},
		{&RequirementIssued{Release: CoordinatorsOnly}, "coordinators", true},
		{&RequirementCancelled{}, "coalition", false},
		{&ScopeDeclared{Place: goldenPlace}, "coalition", true},
		{&PledgeIndicated{Place: goldenPlace, PledgeTerms: confided}, "coordinators FRA+GBR+NOR",
			true},
		{&PledgeOffered{Place: goldenPlace, PledgeTerms: confided}, "coordinators FRA+GBR+NOR",
			true},
		{&PledgeObserved{Place: goldenPlace}, "coalition", true},
		{&PledgeDisclosed{Place: goldenPlace, PledgeTerms: PledgeTerms{Release: Public}}, "public",
			true},
		{&AllocationMade{}, "coalition", false},
	} {
		if l, own := LabelOf(test.statement); l.String() != test.label || own != test.own {
			t.Errorf("%T has the label %q, its own: %v; want %q, %v", test.statement, l, own,
				test.label, test.own)
		}
	}
	indicated := &PledgeOffered{Pledge: goldenID(1), PledgeTerms: confided}
	if _, own := LabelOf(indicated); own {
		t.Error("an offer of what was indicated says a label of its own")
	}
}

func TestViewsOfMembers(t *testing.T) {
	hq, france := hqSigner(t).Key(), franceSigner(t).Key()
	for _, test := range []struct {
		key       Key
		role      MemberRole
		clearance Clearance
		want      View
	}{
		{hq, Coordinator, "", CoordinatorsView}, {france, Liaison, "", "FRA"},
		{hq, Importer, "", CoalitionView},
		{france, Reader, ForTheNation, "FRA"}, {france, Reader, ForTheCoalition, CoalitionView},
		{hq, Reader, ForTheCoordinators, CoordinatorsView}, {hq, Reader, ForThePublic, PublicView},
	} {
		if v := ViewOf(test.key, test.role, test.clearance); v != test.want {
			t.Errorf("a %s with the key %s and the clearance %q reads %s, want %s", test.role,
				test.key.Name(), test.clearance, v, test.want)
		}
	}
}

func TestParseView(t *testing.T) {
	for text, want := range map[string]View{"public": PublicView, "coalition": CoalitionView,
		"coordinators": CoordinatorsView, "FRA": "FRA", "France": "FRA"} {
		if v, ok := ParseView(text); v != want || !ok {
			t.Errorf("%q is %q, %v; want %s", text, v, ok, want)
		}
	}
	if v, ok := ParseView("everybody"); ok {
		t.Errorf("everybody is %s", v)
	}
}

func TestBadReleases(t *testing.T) {
	admit := func(key Key, role MemberRole, clearance Clearance) Statement {
		return &MemberAdmitted{goldenHead(1, "member.admitted"), key, role, "", clearance}
	}
	disclose := func(change func(*PledgeDisclosed)) Statement {
		s := &PledgeDisclosed{goldenHead(1, "pledge.disclosed"), goldenDated, goldenPlace,
			goldenID(11), Upon{}, goldenTerms(), Standing{Rung: Offered}}
		change(s)
		return s
	}
	hq, france := hqSigner(t).Key(), franceSigner(t).Key()
	for _, test := range []struct {
		statement Statement
		message   string
	}{
		{admit(hq, Reader, ""),
			"clearance: missing: write one of: public, coalition, nation, coordinators"},
		{admit(hq, Importer, ForTheCoalition),
			`clearance "coalition": is for readers: leave it out, or admit the key as a reader`},
		{admit(hq, Reader, ForTheNation),
			`clearance "nation": the key's name "HQ/test" names no nation: write another clearance`},
		{admit(france, Reader, ForTheCoordinators),
			`clearance "coordinators": is for keys whose name begins with HQ/: write nation for what the nation may read`},
		{disclose(func(s *PledgeDisclosed) { s.Release = "" }),
			"release: missing: write who may read the pledge from now on, one of: public, " +
				"coalition, coordinators"},
		{disclose(func(s *PledgeDisclosed) { s.ReleasableTo = []Nation{"GBR"} }),
			`releasable_to: opens what is released to the coordinators alone: release it to the coordinators, or leave this out`},
		{disclose(func(s *PledgeDisclosed) {
			s.Release, s.ReleasableTo = CoordinatorsOnly,
				[]Nation{"GBR", "GBR"}
		}), `releasable_to[1] "GBR": is there twice: leave one out`},
		{disclose(func(s *PledgeDisclosed) {
			s.Release, s.ReleasableTo = CoordinatorsOnly,
				[]Nation{"HQ"}
		}), `releasable_to[0] "HQ": not a nation that is known here: write the nation's three-letter code (ISO 3166-1) in capitals, such as FRA`},
		{disclose(func(s *PledgeDisclosed) { s.Rung = Deployed }),
			"in_place: missing: write the strength last reported"},
		{disclose(func(s *PledgeDisclosed) { s.InPlace = &Strength{Count(1), "personnel"} }),
			"in_place: a pledge that is offered has no strength in place: leave it out"},
		{disclose(func(s *PledgeDisclosed) { s.Rung = "returned" }),
			`rung "returned": write one of: indicated, offered, accepted, confirmed, deployed`},
		{disclose(func(s *PledgeDisclosed) {
			s.Conditions = []StandingCondition{{"vote", Parliament, false},
				{"vote", Parliament, true}}
		}), "conditions[1]: is there twice: leave one out"},
		{disclose(func(s *PledgeDisclosed) {
			s.Allocations = []StandingAllocation{{goldenID(3), "west",
				Strength{Count(1), "personnel"}, Window{From: 2027_02_01, Until: 2027_01_01}}}
		}), `allocations[0].until "2027-01-01": the window ends before it begins: write 2027-02-01 or later, or leave until out for an open window`},
	} {
		_, err := Marshal(test.statement)
		refused(t, err, problem.Invalid, test.message)
	}
}

// Which view is within which follows from what is open to them.
func TestViewsWithinViews(t *testing.T) {
	for _, v := range testViews() {
		for _, other := range testViews() {
			within, common := true, v.Common(other)
			for _, l := range testLabels() {
				within = within && (!l.OpenTo(v) || l.OpenTo(other))
				if l.OpenTo(common) && (!l.OpenTo(v) || !l.OpenTo(other)) {
					t.Errorf("%q is open to %s, which %s and %s have in common", l,
						common, v, other)
				}
			}
			// Of whom no label speaks alone.
			if v.Within(other) != within && v != "POL" && v != "NOR" {
				t.Errorf("%s within %s: %v", v, other, v.Within(other))
			}
			if !common.Within(v) || !common.Within(other) || common != other.Common(v) {
				t.Errorf("%s and %s have %s in common", v, other, common)
			}
		}
	}
	if View("POL").Within("FRA") || View("FRA").Within("POL") {
		t.Error("a nation is within another")
	}
}
