package projections

import (
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"muster/events"
	"muster/projections/records"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file in testdata. Such a file is added, and not edited: it says what old
// files hold.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs:\n%s", path, got)
	}
}

// newAllKinds returns a ledger in which every kind of statement was made.
func newAllKinds(t tb) *testLedger {
	l := newTestLedger(t)
	paris := l.key("FRA/paris").Key()
	l.say("HQ/founder", &events.MemberAdmitted{Header: l.head("member.admitted"), Key: paris,
		Role: events.Liaison, Note: "the first"})
	l.say("HQ/founder", &events.MemberRevoked{Header: l.head("member.revoked"), Key: paris,
		Reason: "lost"})
	l.say("HQ/founder", &events.OperationRevised{Header: l.head("operation.revised"),
		Dated: dated(2), OperationTerms: events.OperationTerms{
			Operation: "op-a", Title: "Renamed", Note: "illustrative",
			Roles: []events.RoleDefinition{{Role: "ground", Title: "Troops",
				Units: []events.Unit{"personnel", "team"}}}}})
	full := func(t *events.RequirementTerms) {
		t.Area, t.Until, t.Essential, t.Note = "west", day(28), true, "first of all"
	}
	l.need("west", 1000, full)
	west := l.All[l.Last()-1].Statement.(*events.RequirementIssued).RequirementTerms
	west.Quantity = events.Count(900)
	l.revise(3, west)
	l.cancel(27, "west")
	l.say("FRA/paris", &events.ScopeDeclared{Header: l.head("scope.declared"), Dated: dated(1),
		Place: place("FRA"), Roles: []events.Role{"ground"}, Note: "for now"})
	l.say("FRA/paris", &events.ScopeDeclared{Header: l.head("scope.declared"), Dated: dated(2),
		Place: place("FRA"), Unlimited: true})
	days := 0
	p := l.indicate("FRA", 1, 100)
	p.offerNow(2, pledgeTerms(120, func(t *events.PledgeTerms) {
		t.Area, t.NoticeToMove, t.Presence, t.Release, t.Source, t.Note = "west", &days,
			events.Present, events.Public, "a paper", "“really”"
	}))
	p.amend(3, pledgeTerms(1, func(t *events.PledgeTerms) { t.Quantity = events.Unknown }))
	p.condition("condition.added", 3, "parliament")
	p.condition("condition.discharged", 4, "parliament")
	p.move("pledge.accepted", 5)
	p.move("pledge.confirmed", 6)
	p.deploy(7, 110)
	p.report(8, 105)
	p.move("pledge.returned", 9)
	l.offer("DEU", 5).move("pledge.withdrawn", 3)
	other := l.offer("ITA", 6)
	other.condition("condition.added", 3, "money")
	other.condition("condition.failed", 4, "money")
	other.move("pledge.declined", 5)
	l.observe("ETH", 5, 4010)
	l.need("east", 50)
	rotation := l.offer("ITA", 60, func(t *events.PledgeTerms) {
		t.Expires, t.Predecessor, t.Successor, t.Elsewhere = day(9), p.id, other.id,
			[]string{"NATO Response Force"}
	})
	rotation.caveat("caveat.declared", 2, "by-day")
	rotation.caveat("caveat.lifted", 3, "by-day")
	rotation.renew(4, 20)
	rotation.release(8, rotation.allocate(5, "east", 40,
		events.Window{From: day(6), Until: day(20)}))
	terms := pledgeTerms(66, func(t *events.PledgeTerms) { t.Note = "in full" })
	rotation.correct(rotation.seq, 1, func(s *events.PledgeCorrected) { s.Terms = &terms })
	rotation.correct(l.Last()-2, 8, func(s *events.PledgeCorrected) { s.Struck = true })
	seen := l.observe("KEN", 5, 10)
	seen.correct(seen.seq, 6, func(s *events.PledgeCorrected) {
		s.Strength = &events.Strength{Quantity: events.Count(100), Unit: "personnel"}
	})
	l.offer("ESP", 1, func(t *events.PledgeTerms) {
		t.Role, t.Unit, t.Quantity = "fund", "EUR",
			must[events.Quantity](l.t)(events.ParseQuantity("2500000.50"))
	})
	l.offer("POL", 9, inLine("east"))
	l.tellReleases()
	return l
}

// beforeReleases is how many records newAllKinds has before those that say who may read.
const beforeReleases = 40

// tellReleases says what there is to say of who may read.
func (l *testLedger) tellReleases() {
	l.say("HQ/founder", &events.MemberAdmitted{Header: l.head("member.admitted"),
		Key:  l.key("HQ/auditor").Key(),
		Role: events.Reader, Clearance: events.ForTheCoalition})
	l.say("HQ/founder", &events.OperationOpened{Header: l.head("operation.opened"), Dated: dated(1),
		Release: events.CoordinatorsOnly,
		OperationTerms: events.OperationTerms{Operation: "quiet", Title: "Quiet",
			Roles: []events.RoleDefinition{{Role: "ground", Title: "Troops",
				Units: []events.Unit{"personnel"}}}}})
	l.say("HQ/founder", &events.RequirementIssued{Header: l.head("requirement.issued"),
		Dated: dated(1), Release: events.CoordinatorsOnly,
		RequirementTerms: events.RequirementTerms{Operation: "op-a", Line: "hidden", Role: "ground",
			Quantity: events.Count(5), Unit: "personnel",
			Window: events.Window{From: day(1)}, Priority: 1}})
	confided := func(t *events.PledgeTerms) {
		t.Release, t.ReleasableTo = events.CoordinatorsOnly, []events.Nation{"NOR", "GBR"}
	}
	p := l.offer("FRA", 70, confided)
	p.condition("condition.added", 1, "vote")
	p.condition("condition.added", 1, "funds")
	p.condition("condition.failed", 1, "funds")
	p.caveat("caveat.declared", 2, "by-day")
	share := p.allocate(2, "east", 7, events.Window{From: day(6)})
	p.disclose(3, pledgeTerms(70, func(t *events.PledgeTerms) { t.Release = events.CoalitionOnly }),
		events.Standing{Rung: events.Offered,
			Conditions: []events.StandingCondition{{Condition: "vote", Kind: events.Parliament},
				{Condition: "funds", Kind: events.Funding, Failed: true}},
			Caveats: []events.StandingCaveat{{Caveat: "by-day", Restriction: "by day only"}},
			Allocations: []events.StandingAllocation{{Allocation: share, Line: "east",
				Window:   events.Window{From: day(6)},
				Strength: events.Strength{Quantity: events.Count(7), Unit: "personnel"}}}})
	deployed := l.offer("ESP", 80, confided)
	for i, step := range []events.Type{"pledge.accepted", "pledge.confirmed"} {
		deployed.move(step, 2+i)
	}
	deployed.deploy(4, 77)
	deployed.disclose(5, pledgeTerms(80, func(t *events.PledgeTerms) {
		t.Release = events.CoalitionOnly
	}), events.Standing{Rung: events.Deployed,
		InPlace: &events.Strength{Quantity: events.Count(77), Unit: "personnel"}})
	deployed.report(6, 75)
}

// rowsOf are the rows of all records.
func (l *testLedger) rows() (rows []records.Row) {
	for _, rec := range l.All {
		rows = append(rows, must[records.Row](l.t)(records.RowOf(rec)))
	}
	return rows
}

// The records of every kind of statement that tests of other packages read are these.
func TestAllKinds(t *testing.T) {
	var all strings.Builder
	for _, rec := range newAllKinds(t).All {
		fmt.Fprintln(&all, strconv.Quote(string(rec.Stored)))
	}
	golden(t, filepath.Join("..", "internal", "ledgertest", "all-kinds.txt"), all.String())
}

// The saved form of every kind of statement is frozen. When this fails, the form has changed: see
// records.Form.
func TestStoredFormIsFrozen(t *testing.T) {
	rows := append(newAllKinds(t).rows(), newSeconding(t).rows()...)
	golden(t, fmt.Sprintf("rows-%d.golden", records.Form), hex.Dump(records.Encode(rows).Data))
	between := newBetweenMeetings(t).rows()
	golden(t, fmt.Sprintf("rows-%d-between-meetings.golden", records.Form),
		hex.Dump(records.Encode(between).Data))
	rows = append(rows, between...)
	queried, _, _, _ := newQueried(t)
	golden(t, fmt.Sprintf("rows-%d-queries.golden", records.Form),
		hex.Dump(records.Encode(queried.rows()).Data))
	rows = append(rows, queried.rows()...)
	organised, _ := newOrganised(t)
	golden(t, fmt.Sprintf("rows-%d-organisations.golden", records.Form),
		hex.Dump(records.Encode(organised.rows()).Data))
	retracting := newRetracting(t).rows()
	golden(t, fmt.Sprintf("rows-%d-retracting.golden", records.Form),
		hex.Dump(records.Encode(retracting).Data))
	rows = append(rows, retracting...)
	seen := map[events.Type]bool{}
	for i := range rows {
		seen[rows[i].Type] = true
	}
	for _, typ := range events.Types() {
		if !seen[typ] {
			t.Errorf("no row of a %s is shown", typ)
		}
	}
}

// What is read from a segment is what was written, to the last member, and what is missing stays
// missing.
func TestSegmentsKeepRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := newStory(t).rows()
		rows = append(rows, records.Row{Elsewhere: []string{},
			Roles: []records.Role{{Role: "a", Units: []events.Unit{}}, {Title: "b"}}, Number: -1,
			Priority: -1})
		got := must[[]records.Row](t)(records.Decode(nil, records.Encode(rows).Data))
		if diff := cmp.Diff(rows, got); diff != "" {
			t.Fatal(diff)
		}
	})
	queried, _, _, _ := newQueried(t)
	organised, _ := newOrganised(t)
	all := slices.Concat(newAllKinds(t).rows(), newRetracting(t).rows(),
		newBetweenMeetings(t).rows(), queried.rows(), organised.rows())
	if diff := cmp.Diff(all,
		must[[]records.Row](t)(records.Decode(nil, records.Encode(all).Data))); diff != "" {
		t.Error(diff)
	}
}

// A segment that is cut off anywhere but between two rows is no segment.
func TestSegmentCutOff(t *testing.T) {
	if testing.Short() {
		t.Skip("one after the other: there is no race to find")
	}
	rows := newAllKinds(t).rows()
	data := records.Encode(rows).Data
	whole := 0
	for n := range data {
		got, err := records.Decode(nil, data[:n])
		if err == nil {
			whole++
			if diff := cmp.Diff(rows[:len(got)], got, cmpopts.EquateEmpty()); diff != "" {
				t.Fatal(diff)
			}
		} else if !errors.Is(err, records.ErrDamaged) {
			t.Fatal(err)
		}
	}
	equal(t, "places between rows", whole, len(rows))
}

func FuzzSegment(f *testing.F) {
	f.Add(records.Encode(newAllKinds(f).rows()).Data)
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := records.Decode(nil, data)
		if err != nil {
			return
		}
		again, err := records.Decode(nil, records.Encode(rows).Data)
		if err != nil || !reflect.DeepEqual(rows, again) {
			t.Errorf("%v: %+v comes back as %+v", err, rows, again)
		}
	})
}
