package projections

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/events"
)

// A storyteller makes up histories: pledges, requirements and all that moves them, with dates in
// any order. It keeps fewer rules than a ledger would, since an answer must follow from whatever
// was recorded.
type storyteller struct {
	*testLedger
	*rapid.T
	pledges []testPledge
	lines   []events.Line
	members []events.Key // that may be revoked

	allocations map[events.ID][]events.ID // by pledge
	hidden      map[events.Line]bool      // from all but the coordinators
	disclosed   map[events.ID]int         // the day from which a pledge was
	struck      []events.ID               // pledges, at their beginning
}

var (
	someNations = []events.Nation{"FRA", "DEU", "GBR"}
	someAreas   = []events.Area{"", "west", "east"}
	someLines   = []events.Line{"one", "two", "three"}
)

func (s *storyteller) day() int { return rapid.IntRange(1, 25).Draw(s.T, "day") }

func (s *storyteller) window() events.Window {
	w := events.Window{From: day(s.day())}
	if rapid.Bool().Draw(s.T, "closed") {
		w.Until = max(w.From, day(s.day()))
	}
	return w
}

// amount draws a role with a quantity, in one of the role's units.
func (s *storyteller) amount() (events.Role, events.Quantity, events.Unit) {
	count := events.Count(rapid.Int64Range(1, 1000).Draw(s.T, "quantity"))
	switch rapid.IntRange(0, 5).Draw(s.T, "sort") {
	case 0:
		return "ground", count, "team"
	case 1:
		return "air", count, "aircraft"
	case 2:
		return "ground", events.Unknown, "personnel"
	}
	return "ground", count, "personnel"
}

func (s *storyteller) terms() events.PledgeTerms {
	t := events.PledgeTerms{Window: s.window(), Area: rapid.SampledFrom(someAreas).
		Draw(s.T, "area")}
	t.Role, t.Quantity, t.Unit = s.amount()
	if t.Quantity.IsUnknown() && rapid.Bool().Draw(s.T, "at least") {
		t.Least = t.Unit.Of(rapid.Int64Range(1, 50).Draw(s.T, "least"))
		if rapid.Bool().Draw(s.T, "at most") {
			t.Most = t.Unit.Of(rapid.Int64Range(50, 90).Draw(s.T, "most"))
		}
	}
	if rapid.IntRange(0, 9).Draw(s.T, "referred") == 0 {
		t.Reference = "NV 12/2026"
	}
	if rapid.IntRange(0, 3).Draw(s.T, "meant") == 0 {
		t.Line = rapid.SampledFrom(someLines).Draw(s.T, "line")
	}
	if rapid.IntRange(0, 7).Draw(s.T, "reserve") == 0 {
		t.Presence = events.Reserve
	}
	if rapid.IntRange(0, 3).Draw(s.T, "expires") == 0 {
		t.Expires = day(s.day())
	}
	return t
}

// tell makes one record.
func (s *storyteller) tell() {
	switch rapid.IntRange(0, 15).Draw(s.T, "what") {
	case 0, 1, 2:
		s.begin()
	case 3, 4:
		s.require()
	case 5:
		s.tellPlan()
	case 6:
		s.tellRoster()
	default:
		if len(s.pledges) == 0 {
			s.begin()
			return
		}
		s.move(rapid.SampledFrom(s.pledges).Draw(s.T, "pledge"))
	}
}

func (s *storyteller) begin() {
	nation := rapid.SampledFrom(someNations).Draw(s.T, "nation")
	var p testPledge
	on := s.day()
	switch rapid.IntRange(0, 2).Draw(s.T, "how") {
	case 0:
		p = s.indicate(nation, on, rapid.Int64Range(1, 50).Draw(s.T, "indicated"))
	case 1:
		p = s.observe(nation, on, rapid.Int64Range(1, 50).Draw(s.T, "observed"))
	default:
		o := &events.PledgeOffered{Header: s.head("pledge.offered"), Dated: dated(on),
			Place: place(nation), PledgeTerms: s.terms()}
		s.release(&o.PledgeTerms)
		p = testPledge{s.testLedger, o.ID, nation, s.say(liaison(nation), o)}
	}
	s.pledges = append(s.pledges, p)
}

func (s *storyteller) move(p testPledge) {
	if slices.Contains(s.struck, p.id) {
		return // nothing more is said of it
	}
	if rapid.IntRange(0, 5).Draw(s.T, "disclosed") == 0 {
		s.disclose(p, max(s.day(), s.disclosed[p.id]))
		return
	}
	kinds := []events.Type{"pledge.offered", "pledge.amended", "pledge.amended", "pledge.accepted",
		"pledge.confirmed", "pledge.deployed",
		"pledge.reported", "pledge.reported", "pledge.declined", "pledge.withdrawn",
		"pledge.returned",
		"condition.added", "condition.added", "condition.discharged", "condition.failed",
		"caveat.declared", "caveat.lifted",
		"pledge.disclosed", "pledge.disclosed", "pledge.renewed", "pledge.corrected",
		"pledge.corrected", "pledge.corrected", "allocation.made", "allocation.made",
		"allocation.released"}
	switch kind, on := rapid.SampledFrom(kinds).Draw(s.T, "move"),
		max(s.day(), s.disclosed[p.id]); kind {
	case "pledge.disclosed":
		s.disclose(p, on)
	case "pledge.offered":
		p.offerNow(on, s.terms())
	case "pledge.amended":
		p.amend(on, s.terms())
	case "pledge.deployed":
		p.deploy(on, rapid.Int64Range(1, 500).Draw(s.T, "deployed"))
	case "pledge.reported":
		p.report(on, rapid.Int64Range(1, 500).Draw(s.T, "reported"))
	case "condition.added", "condition.discharged", "condition.failed":
		p.condition(kind, on, rapid.SampledFrom([]events.Line{"parliament", "money"}).
			Draw(s.T, "condition"))
	case "caveat.declared", "caveat.lifted":
		p.caveat(kind, on, "by-day")
	case "pledge.renewed":
		p.renew(on, rapid.IntRange(on, 26).Draw(s.T, "until"))
	case "pledge.corrected":
		s.correct(p, on)
	case "allocation.made":
		open := slices.DeleteFunc(slices.Clone(s.lines), func(name events.Line) bool {
			return s.hidden[name]
		})
		if len(open) > 0 {
			id := p.allocate(on, rapid.SampledFrom(open).Draw(s.T, "against"),
				rapid.Int64Range(1, 600).Draw(s.T, "allocated"), s.window())
			s.allocations[p.id] = append(s.allocations[p.id], id)
		}
	case "allocation.released":
		if made := s.allocations[p.id]; len(made) > 0 {
			p.release(on, rapid.SampledFrom(made).Draw(s.T, "allocation"))
		}
	default:
		p.move(kind, on)
	}
}

// correct mends one of a pledge's records: its date, what it says, or that it was made at all.
func (s *storyteller) correct(p testPledge, on int) {
	var mendable []uint64
	for _, rec := range s.All {
		if events.Thing(rec.Statement) != p.id {
			continue
		}
		switch rec.Statement.(type) {
		case *events.PledgeCorrected:
		case *events.PledgeDisclosed:
			mendable = nil // who reads it only from here does not know of the others
		default:
			mendable = append(mendable, rec.Sequence)
		}
	}
	if rapid.IntRange(0, 5).Draw(s.T, "never made") == 0 {
		p.correct(p.seq, on, func(c *events.PledgeCorrected) { c.Struck = true })
		s.struck = append(s.struck, p.id)
		return
	}
	if mendable == nil {
		return
	}
	seq := rapid.SampledFrom(mendable).Draw(s.T, "corrected")
	p.correct(seq, on, func(c *events.PledgeCorrected) {
		switch s.All[seq-1].Statement.(type) {
		case *events.PledgeIndicated, *events.PledgeOffered, *events.PledgeAmended:
			terms := s.terms()
			c.Terms = &terms
		case *events.PledgeDeployed, *events.PledgeReported, *events.PledgeObserved:
			c.Strength = &events.Strength{
				Quantity: events.Count(rapid.Int64Range(1, 500).Draw(s.T, "rightly")),
				Unit:     "personnel"}
		}
		if seq != p.seq && rapid.IntRange(0, 2).Draw(s.T, "struck") == 0 {
			c.Struck, c.Terms, c.Strength = true, nil, nil
		}
	})
}

func (s *storyteller) require() {
	name := rapid.SampledFrom(someLines).Draw(s.T, "line")
	known := slices.Contains(s.lines, name)
	if known && rapid.IntRange(0, 3).Draw(s.T, "cancelled") == 0 {
		s.cancel(s.day(), name)
		return
	}
	t := events.RequirementTerms{Operation: "op-a", Line: name, Area: rapid.SampledFrom(someAreas).
		Draw(s.T, "area"), Window: s.window(),
		Priority: rapid.IntRange(1, 3).Draw(s.T, "priority")}
	t.Role, t.Quantity, t.Unit = s.amount()
	if t.Quantity.IsUnknown() {
		t.Quantity = events.Count(100)
	}
	if known {
		s.revise(s.day(), t)
		return
	}
	s.lines = append(s.lines, name)
	release := events.Release("")
	if s.hidden[name] = rapid.IntRange(0, 3).Draw(s.T, "hidden") == 0; s.hidden[name] {
		release = events.CoordinatorsOnly
	}
	s.say("HQ/founder", &events.RequirementIssued{Header: s.head("requirement.issued"),
		Dated: dated(s.day()), RequirementTerms: t, Release: release})
}

// release draws who may read a pledge that begins.
func (s *storyteller) release(t *events.PledgeTerms) {
	t.Release = rapid.SampledFrom([]events.Release{"", events.CoalitionOnly,
		events.CoordinatorsOnly, events.CoordinatorsOnly}).Draw(s.T, "release")
	if t.Release == events.CoordinatorsOnly {
		t.ReleasableTo = rapid.SampledFrom([][]events.Nation{nil, {"GBR"}, {"DEU", "FRA"}}).
			Draw(s.T, "releasable to")
	}
}

// disclose opens a pledge that the coordinators alone can read to the coalition.
func (s *storyteller) disclose(p testPledge, on int) {
	now := s.picture()
	pl, _ := now.find(p.id)
	if label, _ := now.Label(uint64(pl.now().last)); label.Release != events.CoordinatorsOnly {
		return
	}
	on = max(on, int(pl.now().latest%100)) // nothing is said already of the days after
	shown, err := now.Pledge(s.T.Context(), Moment{On: day(on)}, p.id)
	if err != nil {
		s.T.Fatal(err)
	}
	terms := shown.Terms()
	terms.Release, terms.ReleasableTo = events.CoalitionOnly, nil
	if shown.State != Live || shown.Observed {
		return
	}
	as := shown.Standing()
	// never added
	as.Conditions = slices.DeleteFunc(as.Conditions, func(c events.StandingCondition) bool {
		return c.Kind == ""
	})
	p.disclose(on, terms, as)
	s.disclosed[p.id] = on
}

func (s *storyteller) tellPlan() {
	on := dated(s.day())
	if rapid.Bool().Draw(s.T, "scope") {
		nation := rapid.SampledFrom(someNations).Draw(s.T, "nation")
		s.say(liaison(nation), &events.ScopeDeclared{Header: s.head("scope.declared"), Dated: on,
			Place: place(nation), Roles: []events.Role{"air"}})
		return
	}
	roles := []events.RoleDefinition{{Role: "ground", Title: "Troops",
		Units: []events.Unit{"personnel"}}}
	s.say("HQ/founder", &events.OperationRevised{Header: s.head("operation.revised"), Dated: on,
		OperationTerms: events.OperationTerms{Operation: "op-a",
			Title: fmt.Sprint("Title ", s.Last()), Roles: roles}})
}

func (s *storyteller) tellRoster() {
	if n := len(s.members); n > 0 && rapid.Bool().Draw(s.T, "revoke") {
		s.say("HQ/founder", &events.MemberRevoked{Header: s.head("member.revoked"),
			Key: s.members[n-1], Reason: "lost"})
		s.members = s.members[:n-1]
		return
	}
	key := s.key(fmt.Sprint("FRA/member-", s.Last())).Key()
	s.members = append(s.members, key)
	s.say("HQ/founder", &events.MemberAdmitted{Header: s.head("member.admitted"), Key: key,
		Role: events.Liaison})
}

// newStory makes up a ledger of some records.
func newStory(t *rapid.T) *storyteller {
	s := &storyteller{testLedger: newTestLedger(t), T: t, allocations: map[events.ID][]events.ID{},
		hidden: map[events.Line]bool{}, disclosed: map[events.ID]int{}}
	for range rapid.IntRange(5, 40).Draw(t, "records") {
		s.tell()
	}
	return s
}

func (s *storyteller) moment() Moment {
	return Moment{
		AsOf: rapid.Uint64Range(1, s.Last()).Draw(s.T, "as of"),
		On:   day(rapid.IntRange(1, 26).Draw(s.T, "on")),
		Rung: rapid.SampledFrom(append(Rungs(), 0)).Draw(s.T, "rung"),
	}
}

// everything asks a picture every question about a moment and returns the answers as one text.
func (s *storyteller) everything(p *Picture, m Moment) string { return s.answers(p, m, true) }

func (s *storyteller) answers(p *Picture, m Moment, ofPledges bool) string {
	var answers []any
	ask := func(answer any, err error) {
		if err != nil {
			s.T.Fatal(err)
		}
		answers = append(answers, answer)
	}
	ask(p.Coverage(s.T.Context(), m, CoverageFilter{}))
	ask(p.Coverage(s.T.Context(), m, CoverageFilter{Role: "ground"}))
	ask(p.Strength(s.T.Context(), m, Filter{}, []string{"nation", "role"}))
	ask(p.Gaps(s.T.Context(), m, CoverageFilter{}))
	ask(p.Dependences(s.T.Context(), m, DependenceFilter{ByRole: true}))
	ask(p.Hanging(s.T.Context(), m, Filter{}))
	ask(p.Readiness(s.T.Context(), m, ReadinessFilter{ByNation: true}))
	ask(p.Review(s.T.Context(), m, Filter{}))
	ask(p.Due(s.T.Context(), m, Filter{}, 5))
	ask(p.Agenda(s.T.Context(), m, Filter{}, 9))
	ask(p.Nation(s.T.Context(), m, "FRA", ""))
	ask(p.Nations(s.T.Context(), m, "", ""))
	ask(p.Delivery(s.T.Context(), m, Filter{}))
	ask(p.Timeline(s.T.Context(), m, TimelineFilter{Days: events.Window{From: m.On, Until: day(28)},
		Step: ByChange}))
	ask(p.Pledges(s.T.Context(), m, PledgeFilter{}))
	ask(p.Pledges(s.T.Context(), m, PledgeFilter{State: Struck}))
	ask(p.Corrections(s.T.Context(), m, Filter{Role: "ground"}))
	ask(p.Requirements(s.T.Context(), m, Filter{}))
	ask(p.Operations(s.T.Context(), m))
	ask(p.Scopes(s.T.Context(), m, Filter{}))
	ask(p.Members(s.T.Context(), m))
	ask(p.Fingerprint(s.T.Context(), m.AsOf))
	for _, pl := range s.pledges {
		if _, ok := p.find(pl.id); ok && pl.seq <= m.AsOf && ofPledges {
			ask(p.Life(s.T.Context(), m, pl.id))
		}
	}
	text, err := json.Marshal(answers)
	if err != nil {
		s.T.Fatal(err)
	}
	return string(text)
}

// What a picture of many records answers as of an earlier one is, byte for byte, what a plain
// replay up to there answers.
func TestAsOfEqualsReplay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		now := s.picture()
		for range 4 {
			m := s.moment()
			if rapid.Bool().Draw(t, "range") {
				m.Until = day(rapid.IntRange(int(m.On%100), 28).Draw(t, "until"))
			}
			if got, want := s.everything(now, m),
				s.everything(s.pictureUpTo(m.AsOf), m); got != want {
				t.Fatalf("as of %d on %s at %q:\n%s\na replay says\n%s", m.AsOf, m.On,
					m.Rung, got, want)
			}
		}
	})
}
