package projections

import (
	"fmt"
	"strings"
	"testing"

	"muster/events"
	"muster/events/problem"
	"muster/projections/internal/ledgertest"
)

func TestRequirementsOnBothClocks(t *testing.T) {
	l := newTestLedger(t)
	first := l.need("west", 1000, func(t *events.RequirementTerms) { t.Until = day(25) })
	terms := must[Requirements](t)(l.picture().Requirements(t.Context(), Moment{On: day(2)},
		Filter{})).Requirements[0].Terms()
	terms.Quantity = events.Count(1500)
	revised := l.revise(10, terms)
	cancelled := l.cancel(20, "west")
	p := l.picture()
	for _, test := range []struct {
		asOf uint64
		on   int
		want string
	}{
		{0, 5, "1000 in-force"}, {0, 10, "1500 in-force"}, {0, 20, "1500 cancelled"},
		{0, 30, "1500 cancelled"},
		{revised, 20, "1500 in-force"}, {revised, 26, "1500 over"}, {first, 10, "1000 in-force"},
		{first - 1, 10, ""},
	} {
		got := ""
		for _, q := range must[Requirements](t)(p.Requirements(t.Context(),
			Moment{AsOf: test.asOf, On: day(test.on)}, Filter{})).Requirements {
			got = fmt.Sprintf("%s %s", q.Required, q.State)
		}
		equal(t, fmt.Sprintf("as of %d on the %d", test.asOf, test.on), got, test.want)
	}
	now := must[Requirements](t)(p.Requirements(t.Context(), Moment{On: day(20)},
		Filter{})).Requirements[0]
	equal(t, "record", now.Sequence, cancelled)
}

// A line that is cancelled before it begins never begins.
func TestRequirementCancelledAhead(t *testing.T) {
	l := newTestLedger(t)
	terms := events.RequirementTerms{Operation: "op-a", Line: "late", Role: "ground",
		Quantity: events.Count(5), Unit: "personnel",
		Window: events.Window{From: day(20)}, Priority: 1}
	l.say("HQ/founder", &events.RequirementIssued{Header: l.head("requirement.issued"),
		Dated: dated(20), RequirementTerms: terms})
	p := l.picture()
	state := func(p *Picture, on int) LineState {
		return must[Requirements](t)(p.Requirements(t.Context(), Moment{On: day(on)},
			Filter{})).Requirements[0].State
	}
	equal(t, "ahead", state(p, 10), Upcoming)
	equal(t, "begun", state(p, 20), InForce)
	l.cancel(10, "late")
	p = l.picture()
	equal(t, "before", state(p, 9), Upcoming)
	equal(t, "cancelled", state(p, 10), Cancelled)
	equal(t, "never begun", state(p, 20), Cancelled)
}

func TestRequirementsByPriority(t *testing.T) {
	l := newTestLedger(t)
	for name, priority := range map[events.Line]int{"c": 2, "b": 2, "a": 3, "d": 1} {
		l.need(name, 1, func(t *events.RequirementTerms) { t.Priority = priority })
	}
	l.need("e", 1, func(t *events.RequirementTerms) { t.Role, t.Unit = "air", "aircraft" })
	names := func(f Filter) string {
		var all []string
		for _, q := range must[Requirements](t)(l.picture().Requirements(t.Context(), Moment{},
			f)).Requirements {
			all = append(all, string(q.Line))
		}
		return strings.Join(all, " ")
	}
	equal(t, "all", names(Filter{Operation: "op-a"}), "d e b c a")
	equal(t, "air", names(Filter{Role: "air"}), "e")
}

func TestOperationsOnBothClocks(t *testing.T) {
	l := newTestLedger(t)
	terms := must[Catalogue](t)(l.picture().Catalogue(t.Context(), Moment{}, "op-a")).Terms()
	terms.Title, terms.Roles = "Renamed", terms.Roles[:1]
	revised := l.say("HQ/founder", &events.OperationRevised{Header: l.head("operation.revised"),
		Dated: dated(10), OperationTerms: terms})
	p := l.picture()
	title := func(asOf uint64, on int) string {
		c := must[Catalogue](t)(p.Catalogue(t.Context(), Moment{AsOf: asOf, On: day(on)}, "op-a"))
		return fmt.Sprint(c.Title, " ", len(c.Roles), " ", c.Sequence)
	}
	equal(t, "before", title(0, 9), "Operation op-a 3 2")
	equal(t, "ahead", must[Catalogue](t)(p.Catalogue(t.Context(), Moment{On: day(1).AddDays(-1)},
		"op-a")).Title, "Operation op-a")
	equal(t, "after", title(0, 10), "Renamed 1 3")
	equal(t, "as of before", title(revised-1, 10), "Operation op-a 3 2")
	equal(t, "all", len(must[Operations](t)(p.Operations(t.Context(), Moment{})).Operations), 1)
	equal(t, "none yet", len(
		must[Operations](t)(p.Operations(t.Context(), Moment{AsOf: 1})).Operations), 0)
	if _, err := p.Catalogue(t.Context(), Moment{}, "op-x"); !problem.Is(err, problem.NotFound) {
		t.Errorf("an operation that is not there: %v", err)
	}
}

func TestScopesOnBothClocks(t *testing.T) {
	l := newTestLedger(t)
	declare := func(nation events.Nation, on int, roles ...events.Role) uint64 {
		return l.say(liaison(nation),
			&events.ScopeDeclared{Header: l.head("scope.declared"), Dated: dated(on),
				Place: place(nation),
				Roles: roles, Unlimited: roles == nil})
	}
	declare("JPN", 5, "air")
	declare("FRA", 5, "ground", "air")
	lifted := declare("JPN", 10)
	p := l.picture()
	scopes := func(m Moment, f Filter) string {
		var all []string
		for _, s := range must[Scopes](t)(p.Scopes(t.Context(), m, f)).Scopes {
			all = append(all, string(s.Nation)+" "+s.String())
		}
		return strings.Join(all, "; ")
	}
	equal(t, "before", scopes(Moment{On: day(4)}, Filter{}), "")
	equal(t, "declared", scopes(Moment{On: day(5)}, Filter{}),
		"FRA ground and air only; JPN air only")
	equal(t, "lifted", scopes(Moment{On: day(10)}, Filter{}),
		"FRA ground and air only; JPN unlimited")
	equal(t, "as of before", scopes(Moment{AsOf: lifted - 1, On: day(10)}, Filter{Nation: "JPN"}),
		"JPN air only")
	equal(t, "of a role", scopes(Moment{On: day(5)}, Filter{Role: "ground"}),
		"FRA ground and air only")
}

func TestRoster(t *testing.T) {
	l := newTestLedger(t)
	paris := l.key("FRA/paris").Key()
	admit := func() uint64 {
		return l.say("HQ/founder",
			&events.MemberAdmitted{Header: l.head("member.admitted"), Key: paris,
				Role: events.Liaison, Note: "hello"})
	}
	admitted := admit()
	revoked := l.say("HQ/founder",
		&events.MemberRevoked{Header: l.head("member.revoked"), Key: paris, Reason: "lost"})
	again := admit()
	p := l.picture()
	members := func(asOf uint64) string {
		var all []string
		for _, m := range must[Roster](t)(p.Members(t.Context(), Moment{AsOf: asOf})).Members {
			all = append(all, fmt.Sprintf("%s %s %s %d-%d", m.Name, m.Party, m.Role,
				m.Admitted, m.Revoked))
		}
		return strings.Join(all, "; ")
	}
	equal(t, "founded", members(1), "HQ/founder HQ coordinator 1-0")
	equal(t, "admitted", members(admitted),
		"HQ/founder HQ coordinator 1-0; FRA/paris FRA liaison 3-0")
	equal(t, "revoked", members(revoked),
		"HQ/founder HQ coordinator 1-0; FRA/paris FRA liaison 3-4")
	equal(t, "again", members(again),
		"HQ/founder HQ coordinator 1-0; FRA/paris FRA liaison 3-4; FRA/paris FRA liaison 5-0")
	l.say("HQ/founder", &events.MemberRevoked{Header: l.head("member.revoked"), Key: paris,
		Reason: "lost again"})
	twice := l.say("HQ/founder", &events.MemberRevoked{Header: l.head("member.revoked"), Key: paris,
		Reason: "lost twice"})
	if err := l.pictureUpTo(twice - 1).Apply(l.All[twice-1]); err == nil {
		t.Error("a key that was revoked is revoked again")
	}
	founding, ok := p.Founding()
	equal(t, "founded", ok, true)
	equal(t, "founding", founding, Founding{ledgertest.Origin, "A test",
		l.key("HQ/founder").Key(), 0})
}
