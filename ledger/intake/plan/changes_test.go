package plan_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake/plan"
)

const (
	origin = events.Origin("muster.example/berlin")
	today  = events.Date(2026_11_23)
)

// ids returns a maker of ids that count from 1.
func ids() func() events.ID {
	n := byte(0)
	return func() events.ID { n++; return events.ID{15: n} }
}

func changes(t *testing.T, text string, now plan.Current) []plan.Change {
	t.Helper()
	all, err := plan.Changes(read(t, text), now, today, origin, ids())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if _, err := events.Marshal(c.Statement); err != nil {
			t.Errorf("%s %s: %v", c.Verb, c.Sentence, err)
		}
	}
	return all
}

// apply does to the current picture what a ledger does that takes the changes.
func apply(now plan.Current, all []plan.Change) plan.Current {
	next := plan.Current{Operation: now.Operation, Lines: map[events.Line]events.RequirementTerms{},
		Cancelled: map[events.Line]bool{}}
	for line, terms := range now.Lines {
		next.Lines[line] = terms
	}
	for _, c := range all {
		switch s := c.Statement.(type) {
		case *events.OperationOpened:
			next.Operation = &s.OperationTerms
		case *events.OperationRevised:
			next.Operation = &s.OperationTerms
		case *events.RequirementIssued:
			next.Lines[s.Line] = s.RequirementTerms
		case *events.RequirementRevised:
			next.Lines[s.Line] = s.RequirementTerms
		case *events.RequirementCancelled:
			delete(next.Lines, s.Line)
			next.Cancelled[s.Line] = true
		}
	}
	return next
}

func sentences(all []plan.Change) string {
	var b strings.Builder
	for _, c := range all {
		fmt.Fprintf(&b, "%s %s %s\n", c.Statement.Head().Type, c.Verb, c.Sentence)
	}
	return b.String()
}

func TestFirstApplication(t *testing.T) {
	all := changes(t, small, plan.Current{})
	want := `operation.opened add operation mnf-u: A force, with the roles ground, sustainment
requirement.issued add ground-west: 15000 personnel for ground in west, 2026-03-01 to 2027-02-28, priority 1, essential
requirement.issued add upkeep: 2500000.00 EUR for sustainment, from 2026-01-01, priority 5
`
	if got := sentences(all); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	opened := all[0].Statement.(*events.OperationOpened)
	if opened.Effective != today || opened.Ledger != origin || opened.ID != (events.ID{15: 1}) {
		t.Errorf("%+v", opened)
	}
}

func TestTwiceChangesNothing(t *testing.T) {
	now := apply(plan.Current{}, changes(t, small, plan.Current{}))
	if again := changes(t, small, now); len(again) != 0 {
		t.Errorf("the second time: %s", sentences(again))
	}
}

func TestRevision(t *testing.T) {
	now := apply(plan.Current{}, changes(t, small, plan.Current{}))
	changed := strings.NewReplacer(
		"title: A force", "title: The force\nnote: illustrative\neffective: 2026-12-01",
		"[personnel, unit]", "[personnel]",
		"quantity: 15000", "quantity: 12000",
		"    until: 2027-02-28\n", "",
		"- line: upkeep", "- line: money").Replace(small)
	all := changes(t, changed, now)
	want := `operation.revised revise operation mnf-u: title is now "The force"; note is now "illustrative"; units of ground personnel or unit → personnel
requirement.cancelled cancel upkeep: 2500000.00 EUR for sustainment, from 2026-01-01, priority 5; not in the plan any more
requirement.revised revise ground-west: quantity 15000 → 12000; until 2027-02-28 → none
requirement.issued add money: 2500000.00 EUR for sustainment, from 2026-01-01, priority 5
`
	if got := sentences(all); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	cancelled := all[1].Statement.(*events.RequirementCancelled)
	if cancelled.Effective != 2026_12_01 ||
		cancelled.Reason != "not in the plan any more: test.yaml" {
		t.Errorf("%+v", cancelled)
	}
	if again := changes(t, changed, apply(now, all)); len(again) != 0 {
		t.Errorf("the second time: %s", sentences(again))
	}
}

// Whatever term of a requirement differs, it is noticed: a field that is added to the terms must be
// added to the diff.
func TestEveryTermIsCompared(t *testing.T) {
	p := read(t, small)
	full := p.Requirements[0]
	typ := reflect.TypeFor[events.RequirementTerms]()
	for _, field := range reflect.VisibleFields(typ) {
		if field.Anonymous || field.Name == "Operation" || field.Name == "Line" ||
			field.Name == "Role" {
			continue // what names the line, and the role, which may not differ
		}
		have := full
		v := reflect.ValueOf(&have).Elem().FieldByIndex(field.Index)
		switch field.Type.Kind() {
		case reflect.String:
			v.SetString(v.String() + "x")
		case reflect.Int, reflect.Int32:
			v.SetInt(v.Int() + 1)
		case reflect.Bool:
			v.SetBool(!v.Bool())
		case reflect.Struct:
			v.Set(reflect.ValueOf(events.Count(1)))
		}
		now := plan.Current{Operation: &p.Operation,
			Lines: map[events.Line]events.RequirementTerms{full.Line: have,
				"upkeep": p.Requirements[1]}}
		all, err := plan.Changes(p, now, today, origin, ids())
		if err != nil || len(all) != 1 || all[0].Verb != plan.Revise {
			t.Errorf("%s differs: %v %v", field.Name, sentences(all), err)
		}
	}
}

func TestEveryTermOfTheOperationIsCompared(t *testing.T) {
	p := read(t, strings.Replace(small, "[personnel, unit]", "[personnel]", 1))
	for name, differ := range map[string]func(o *events.OperationTerms){
		"title":       func(o *events.OperationTerms) { o.Title = "x" },
		"note":        func(o *events.OperationTerms) { o.Note = "x" },
		"role's name": func(o *events.OperationTerms) { o.Roles[0].Role = "x" },
		"role's tile": func(o *events.OperationTerms) { o.Roles[0].Title = "x" },
		"units": func(o *events.OperationTerms) {
			o.Roles[0].Units = []events.Unit{"personnel", "ship"}
		},
		"more": func(o *events.OperationTerms) {
			o.Roles = append(o.Roles, events.RoleDefinition{Role: "x"})
		},
		"order": func(o *events.OperationTerms) { o.Roles[0], o.Roles[1] = o.Roles[1], o.Roles[0] },
	} {
		have := p.Operation
		have.Roles = append([]events.RoleDefinition(nil), have.Roles...)
		differ(&have)
		now := plan.Current{Operation: &have, Lines: map[events.Line]events.RequirementTerms{}}
		all, err := plan.Changes(p, now, today, origin, ids())
		if err != nil || len(all) == 0 || all[0].Verb != plan.Revise {
			t.Errorf("%s differs: %v %v", name, sentences(all), err)
		}
	}
}

func TestWhatNoLedgerCanFollow(t *testing.T) {
	p := read(t, small)
	other := p.Requirements[1]
	other.Role = "ground"
	now := plan.Current{
		Operation: &p.Operation,
		Lines:     map[events.Line]events.RequirementTerms{"upkeep": other},
		Cancelled: map[events.Line]bool{"ground-west": true},
	}
	all, err := plan.Changes(p, now, today, origin, ids())
	if !problem.Is(err, problem.Conflict) || all != nil {
		t.Fatalf("%v, %v", all, err)
	}
	got := problem.From(err)
	if len(got.Fields) != 2 || got.Fields[0].Location != "requirements[0].line" ||
		got.Fields[1].Location != "requirements[1].role" {
		t.Errorf("%+v", got.Fields)
	}
	if !strings.Contains(err.Error(), "never issued again: give the requirement another name") {
		t.Error(err)
	}
}

// Organisations are declared with the catalogue, and what changes of them is told.
func TestOrganisations(t *testing.T) {
	with := func(lines string) string { return small + "organisations:\n" + lines }
	first := with("  - {code: x-nato, name: NATO, also: [OTAN]}\n  - {code: x-au, name: UA}\n")
	all := changes(t, first, plan.Current{})
	if got := all[0].Sentence; got != "operation mnf-u: A force, with the roles ground, "+
		"sustainment; organisation NATO (x-nato) added; organisation UA (x-au) added" {
		t.Error(got)
	}
	now := apply(plan.Current{}, all)
	if again := changes(t, first, now); len(again) != 0 {
		t.Errorf("the second time: %s", sentences(again))
	}
	next := with("  - {code: x-nato, name: Alliance, also: [NATO, OTAN]}\n" +
		"  - {code: x-osce, name: OSCE}\n")
	if got, want := sentences(changes(t, next, now)), "operation.revised revise operation "+
		`mnf-u: name of x-nato is now "Alliance"; other names of x-nato OTAN → NATO, OTAN; `+
		"organisation OSCE (x-osce) added; organisation UA (x-au) removed\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	_, err := plan.Read("test.yaml", []byte(with("  - {code: NATO, nom: NATO}\n")))
	for _, want := range []string{"organisations[0].code \"NATO\": not an organisation's code",
		"organisations[0].name: missing", "organisations[0].nom: unknown"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}
