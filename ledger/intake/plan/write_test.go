package plan_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake/plan"
)

var writtenFrom = plan.Base{Ledger: origin, AsOf: 57, On: today}

// written is what a ledger holds, as a file, read again.
func written(t interface{ Fatalf(string, ...any) }, now plan.Current) plan.Plan {
	data := plan.Write(now, writtenFrom)
	p, err := plan.Read("plan.yaml", data)
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	return p
}

func TestWrite(t *testing.T) {
	now := apply(plan.Current{}, changes(t, strings.Replace(small, "title: Troops,",
		"title: Troops, titles: {fr: Troupes au sol, no: Styrker},", 1)+"organisations:\n"+
		"  - {code: x-nato, name: NATO, also: [OTAN]}\n", plan.Current{}))
	want := `# What mnf-u asks for, as muster.example/berlin has it on 2026-11-23.
# Change what is to change, and give the file back: on the page Plan, or with
#   muster plan apply FILE
# What others have changed by then, and you have not, stays as they said it.
operation: mnf-u
title: A force
base: {ledger: muster.example/berlin, as_of: 57, on: 2026-11-23}
# effective: 2026-11-23  # the day from which it holds; without it, the day on which it is given back
roles:
  - role: ground
    title: Troops
    titles:
      fr: Troupes au sol
      "no": Styrker
    units: [personnel, unit]
  - role: sustainment
    title: Money
    units: [EUR]
organisations:
  - code: x-nato
    name: NATO
    also: [OTAN]
requirements:
  - line: ground-west
    role: ground
    quantity: 15000
    unit: personnel
    area: west
    from: 2026-03-01
    until: 2027-02-28
    priority: 1
    essential: true
    note: "first: the west"
  - line: upkeep
    role: sustainment
    quantity: 2500000.00
    unit: EUR
    from: 2026-01-01
    priority: 5
`
	if got := string(plan.Write(now, writtenFrom)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if p := written(t, now); p.Base == nil || *p.Base != writtenFrom {
		t.Errorf("base %+v", p.Base)
	}
}

// Whatever texts an operation has, its file says the same, and given back changes nothing.
func TestWrittenIsRead(t *testing.T) {
	text := rapid.OneOf(rapid.StringN(1, 60, 300), rapid.SampledFrom([]string{"null", "~", "yes",
		"- a", "a: b", "# c", "*x", "&x y", "!!str x", "|", ">-", "'", "\"", "\\", "a\nb\n", "\tx",
		" x ", "[", "{a}", "%x", "@x", "`x", "1_000", "0x10", "2026-01-01", "\u202ea", "\u0085b",
		"\u2028", "é, à", "a #b", "a:", "?", "-", "---", "...", "<<", "=", "\ufeff"}))
	rapid.Check(t, func(t *rapid.T) {
		now := drawn(t, text)
		p := written(t, now)
		all, err := plan.Changes(p, now, today, origin, ids())
		if err != nil || len(all) > 0 {
			t.Fatalf("%v %s\n%s", err, sentences(all), plan.Write(now, writtenFrom))
		}
		q, kept, err := p.Since(now, now)
		if err == nil {
			all, err = plan.Changes(q, now, today, origin, ids())
		}
		if err != nil || len(kept)+len(all) > 0 {
			t.Fatalf("%v %v %s", err, kept, sentences(all))
		}
	})
}

// drawn draws what a ledger can hold of an operation.
func drawn(t *rapid.T, text *rapid.Generator[string]) plan.Current {
	title := text.Filter(func(s string) bool {
		st := &events.OperationOpened{OperationTerms: events.OperationTerms{Operation: "op",
			Title: s, Note: s, Roles: []events.RoleDefinition{{Role: "a", Title: s,
				Units: []events.Unit{"personnel"}}}}}
		st.Type, st.ID, st.Ledger, st.Effective = "operation.opened", events.ID{1}, origin, today
		_, err := events.Marshal(st)
		return err == nil
	})
	o := events.OperationTerms{Operation: "op", Title: title.Draw(t, "title"),
		Note: title.Draw(t, "note"), Roles: []events.RoleDefinition{
			{Role: "a", Title: title.Draw(t, "role"), Units: []events.Unit{"personnel", "EUR"}},
			{Role: "b", Title: title.Draw(t, "role"), Units: []events.Unit{"ship"}}}}
	if rapid.Bool().Draw(t, "organisations") {
		o.Organisations = events.Organisations{{Code: "x-nato", Name: "NATO",
			Also: []string{"OTAN"}}}
	}
	now := plan.Current{Operation: &o, Lines: map[events.Line]events.RequirementTerms{}, AsOf: 57}
	names := []events.Line{"one", "two", "null", "on", "0-3"}
	for _, line := range names[:rapid.IntRange(0, len(names)).Draw(t, "lines")] {
		r := events.RequirementTerms{Operation: "op", Line: line, Role: "a", Unit: "EUR",
			Quantity:  func() events.Quantity { q, _ := events.ParseQuantity("2.50"); return q }(),
			Window:    events.Window{From: 2026_01_01},
			Priority:  rapid.IntRange(1, 9).Draw(t, "priority"),
			Essential: rapid.Bool().Draw(t, "essential"), Note: title.Draw(t, "note")}
		if rapid.Bool().Draw(t, "ships") {
			r.Role, r.Unit, r.Quantity, r.Area = "b", "ship", events.Count(7), "west"
		}
		now.Lines[line] = r
	}
	return now
}

// edited is a file that was written from a state and changed by hand, as it is meant beside what
// the ledger has by now.
func edited(t *testing.T, base, now plan.Current, change ...string) (string, []plan.Kept, error) {
	t.Helper()
	data := strings.NewReplacer(change...).Replace(string(plan.Write(base, writtenFrom)))
	p, err := plan.Read("plan.yaml", []byte(data))
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	q, kept, err := p.Since(base, now)
	if err != nil {
		return "", kept, err
	}
	all, err := plan.Changes(q, now, today, origin, ids())
	return sentences(all), kept, err
}

// What others have changed since a file was written, and the file has not, stays as they said it.
func TestSince(t *testing.T) {
	base := apply(plan.Current{}, changes(t, small, plan.Current{}))
	others := strings.NewReplacer("quantity: 15000", "quantity: 18000", "title: A force",
		"title: The force", "{role: ground, title: Troops", "{role: ground, title: Soldiers").
		Replace(small) + "  - {line: sea, role: ground, quantity: 10, from: 2026-03-01}\n"
	now := apply(base, changes(t, others, base))
	now.AsOf = 61

	said, kept, err := edited(t, base, now, "priority: 1", "priority: 2")
	const revised = "requirement.revised revise ground-west: priority 1 → 2\n"
	if err != nil || said != revised {
		t.Errorf("%v %s", err, said)
	}
	var told []string
	for _, k := range kept {
		told = append(told, k.Sentence)
	}
	want := `the operation: others have changed it since the file was written, and so it stays: title is now "The force"; role of ground Troops (personnel or unit) → Soldiers (personnel or unit)
ground-west: others have changed it since the file was written, and so it stays: quantity 15000 → 18000
sea: others have added it since the file was written, and so it stays: 10 personnel for ground, from 2026-03-01, priority 5`
	if got := strings.Join(told, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if said, _, err := edited(t, base, now); err != nil || said != "" {
		t.Errorf("given back as it was: %v %s", err, said)
	}
	said, _, err = edited(t, base, base, "title: Troops",
		"title: Troops\n    titles: {fr: Troupes}")
	if err != nil || !strings.Contains(said, "titles of ground none → fr: Troupes") {
		t.Errorf("with a title in another language: %v %s", err, said)
	}
	if said, _, err := edited(t, base, now, "quantity: 15000", "quantity: 18000"); err != nil ||
		said != "" {
		t.Errorf("with the same change: %v %s", err, said)
	}
}

// What a file and others have changed, each otherwise, is told with its line, and nothing is said.
func TestSinceContested(t *testing.T) {
	base := apply(plan.Current{}, changes(t, small, plan.Current{}))
	now := apply(base, changes(t, strings.ReplaceAll(small, "quantity: 15000", "quantity: 18000"),
		base))
	now.AsOf = 61
	_, _, err := edited(t, base, now, "quantity: 15000", "quantity: 12000")
	for _, want := range []string{`requirements[0].quantity "12000": was 15000 when the file was ` +
		"written, and others have made it 18000 since (line 19)"} {
		if !problem.Is(err, problem.Conflict) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	if hint := problem.From(err).Hint; !strings.Contains(hint, "as_of: 61 under its base") {
		t.Error(hint)
	}
	data := string(plan.Write(base, writtenFrom))
	at, end := strings.Index(data, "  - line: ground-west"), strings.Index(data, "  - line: upkeep")
	_, _, err = edited(t, base, now, data[at:end], "")
	if want := "requirements ground-west: is not in the file, and others have changed it since " +
		"the file was written: quantity 15000 → 18000"; !problem.Is(err, problem.Conflict) ||
		!strings.Contains(err.Error(), want) {
		t.Errorf("%v does not say %q", err, want)
	}
	// Once they have cancelled it, it stays cancelled where the file has left it as it was.
	none := strings.Split(small, "requirements:")[0] + "requirements: []\n"
	gone := apply(base, changes(t, none, base))
	said, kept, err := edited(t, base, gone)
	if err != nil || said != "" || len(kept) != 2 {
		t.Errorf("%v %s %v", err, said, kept)
	}
	_, _, err = edited(t, base, gone, "quantity: 15000", "quantity: 12000")
	if !problem.Is(err, problem.Conflict) || !strings.Contains(err.Error(), "was cancelled") {
		t.Error(err)
	}
}

// A file is compared with the ledger that it was written from, by who could read as much.
func TestFits(t *testing.T) {
	now := apply(plan.Current{}, changes(t, small, plan.Current{}))
	p := written(t, now)
	if err := p.Fits(origin, 57, ""); err != nil {
		t.Error(err)
	}
	for want, err := range map[string]error{
		"another ledger than muster.example/oslo: leave the base out": written(t, now).
			Fits("muster.example/oslo", 57, ""),
		"the ledger has 56 records": written(t, now).Fits(origin, 56, ""),
		"something else than you (coalition)": written(t, now).Fits(origin, 57,
			events.CoalitionView),
	} {
		if !problem.Is(err, problem.Conflict) || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), "(line 7)") {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	for _, bad := range []string{"base: x\n", "base: {ledger: a.example/b, on: 2026-01-01}\n",
		"base: {ledger: a.example/b, on: 2026-01-01, as_of: 0}\n"} {
		if _, err := plan.Read("x.yaml", []byte(bad+small)); err == nil ||
			!strings.Contains(err.Error(), "base") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
