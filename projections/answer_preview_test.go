package projections

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"muster/events"
	"muster/events/problem"
)

func TestPreview(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 100)
	fra := l.offer("FRA", 60)
	p := l.picture()
	before := p.Sequence()
	say := func(m Moment, statements ...events.Statement) string {
		t.Helper()
		text := ""
		for _, e := range must[Preview](t)(p.Preview(t.Context(), m, statements)).Effects {
			text += fmt.Sprint(e.To.On, " ", tellDiff(e), " | ")
		}
		return text
	}
	withdrawn := &events.PledgeWithdrawn{PledgeStep: fra.step("pledge.withdrawn", 5)}
	gone := "west: 60/100 -> 0/100 FRA 60->; FRA: live offered 60 west -> withdrawn offered 60 " +
		"withdrawn by 0 | "
	equal(t, "today", say(Moment{On: day(9)}, withdrawn), "2026-01-09 "+gone)
	equal(t, "only later", say(Moment{On: day(3)}, withdrawn), "2026-01-05 "+gone)

	offered := &events.PledgeOffered{Header: l.head("pledge.offered"), Dated: dated(2),
		Place: place("DEU"),
		PledgeTerms: pledgeTerms(30, func(t *events.PledgeTerms) {
			t.From, t.Until = day(5), day(20)
		})}
	equal(t, "a new pledge", say(Moment{On: day(1)}, offered),
		"2026-01-01 DEU: -> ahead offered 30 ahead by 0 | 2026-01-05 west: 60/100 -> 90/100 DEU "+
			"->30; DEU: -> live offered 30 west by 0 | ")
	equal(t, "since", must[Preview](t)(p.Preview(t.Context(), Moment{On: day(9)},
		[]events.Statement{offered})).First, day(5))
	accepted := &events.PledgeAccepted{
		PledgeStep: events.PledgeStep{Header: l.head("pledge.accepted"), Dated: dated(6),
			Place: place("DEU"), Step: events.Step{Pledge: offered.ID}}}
	equal(t, "both", say(Moment{On: day(9), Rung: Accepted}, offered, accepted),
		"2026-01-05 west: 0/100 -> 0/100; DEU: -> live offered 30 below-rung by 0 | 2026-01-09 "+
			"west: 0/100 -> 30/100 DEU ->30; DEU: -> live accepted 30 west by 0 by 0 | ")

	second := &events.RequirementIssued{Header: l.head("requirement.issued"), Dated: dated(1),
		RequirementTerms: events.RequirementTerms{Operation: "op-a", Line: "east",
			Role: "ground", Quantity: events.Count(50), Unit: "personnel",
			Window: events.Window{From: day(1)}, Priority: 1}}
	equal(t, "a requirement", say(Moment{On: day(1)}, second),
		"2026-01-01 east: -> 0/50 by 0; west: 60/100 -> 0/100 FRA 60->; FRA: live offered 60 "+
			"west -> live offered 60 several-lines by 0 | ")
	admitted := &events.MemberAdmitted{Header: l.head("member.admitted"),
		Key: l.key("DEU/other").Key(), Role: events.Liaison}
	equal(t, "nothing", say(Moment{On: day(9)}, admitted), "")

	lost := &events.PledgeAccepted{PledgeStep: events.PledgeStep{Header: l.head("pledge.accepted"),
		Dated: dated(6), Place: place("DEU"), Step: events.Step{Pledge: offered.ID}}}
	if _, err := p.Preview(t.Context(), Moment{On: day(9)},
		[]events.Statement{lost}); !problem.Is(err, problem.Conflict) {
		t.Errorf("what is no pledge: %v", err)
	}
	if _, err := p.Preview(t.Context(), Moment{AsOf: before - 1},
		[]events.Statement{withdrawn}); !problem.Is(err, problem.Usage) {
		t.Errorf("in the past: %v", err)
	}
	equal(t, "the picture", p.Sequence(), before)
}

// sharedBySupposed is what a picture on which something is supposed shares with the one that is.
var (
	// Never changed there, since nobody may suppose who signs, and what is supposed has no label.
	sharedBySupposed = []string{"roster", "labels", "meter"}
	// Only added to, for which there is no room that is shared; pages of a roll are replaced.
	sharedAsFarAsItGoes = []string{"times", "meetings", "touched", "rotating", "labelled", "names",
		"nations.names", "kinds.names", "sorted.pages", "sorted.last"}
)

// Whoever gives a picture a new member has to say whether what is supposed may change it: if so, it
// must be copied, or readers of the picture that is would see what is only supposed.
func TestSupposedCopiesEachMember(t *testing.T) {
	p := newAllKinds(t).picture()
	s := p.supposing(nil)
	is, now := reflect.ValueOf(p).Elem(), reflect.ValueOf(s.now).Elem()
	for i := range is.NumField() {
		name := is.Type().Field(i).Name
		if slices.Contains(sharedBySupposed, name) {
			continue
		}
		for _, path := range sharedMemory(name, is.Field(i), now.Field(i)) {
			t.Errorf("both may write to %s: copy it in supposing, or name it as shared", path)
		}
	}
	for _, path := range slices.Concat(sharedBySupposed, sharedAsFarAsItGoes) {
		name, _, _ := strings.Cut(path, ".")
		if !is.FieldByName(name).IsValid() {
			t.Errorf("a picture has no %s", name)
		}
	}
}

// sharedMemory returns where two values lead to the same memory: to one map, one pointer or one
// slice, but for a slice that is shared as far as it goes.
func sharedMemory(path string, a, b reflect.Value) (paths []string) {
	switch a.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice:
		isShared := !a.IsNil() && a.UnsafePointer() == b.UnsafePointer()
		isFull := a.Kind() == reflect.Slice && b.Len() == b.Cap()
		if isShared && !(isFull && slices.Contains(sharedAsFarAsItGoes, path)) {
			return []string{path}
		}
	case reflect.Struct:
		for i := range a.NumField() {
			within := path + "." + a.Type().Field(i).Name
			paths = append(paths, sharedMemory(within, a.Field(i), b.Field(i))...)
		}
	case reflect.Interface, reflect.Chan, reflect.Func:
		return []string{path} // nothing of a picture is one yet
	}
	return paths
}

// Previews and other questions may be asked at the same time: the race detector sees that neither
// writes.
func TestPreviewBesideReaders(t *testing.T) {
	l, force := newForce(t)
	p := l.picture()
	withdrawn := &events.PledgeWithdrawn{PledgeStep: force["FRA"].step("pledge.withdrawn", 5)}
	second := &events.PledgeOffered{Header: l.head("pledge.offered"), Dated: dated(2),
		Place: place("GBR"), PledgeTerms: pledgeTerms(30, func(t *events.PledgeTerms) {
			t.Area = "north"
		})}
	tell := func(c Coverage) string { return string(must[[]byte](t)(json.Marshal(c))) }
	want := tell(must[Coverage](t)(p.Coverage(t.Context(), Moment{On: day(9)}, CoverageFilter{})))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 20 {
				if _, err := p.Preview(t.Context(), Moment{On: day(9)},
					[]events.Statement{withdrawn, second}); err != nil {
					t.Error(err)
				}
			}
		})
		all.Go(func() {
			for range 20 {
				if c, err := p.Coverage(t.Context(), Moment{On: day(9)}, CoverageFilter{}); err !=
					nil || tell(c) != want {
					t.Errorf("coverage is another beside a preview: %v", err)
				}
			}
		})
	}
	all.Wait()
}

// Whatever is made up: what a preview tells is what is told when it was recorded, and the picture
// stays as it is.
func TestPreviewEqualsRecording(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		n := rapid.Uint64Range(2, s.Last()-1).Draw(t, "known")
		k := rapid.Uint64Range(1, min(4, s.Last()-n)).Draw(t, "supposed")
		on := day(rapid.IntRange(1, 26).Draw(t, "on"))
		var statements []events.Statement
		for _, rec := range s.All[n : n+k] {
			statements = append(statements, rec.Statement)
		}
		p := s.pictureUpTo(n)
		was := s.everything(p, Moment{AsOf: n, On: on})
		got := must[Preview](t)(p.Preview(t.Context(), Moment{On: on}, statements))
		if now := s.everything(p, Moment{AsOf: n, On: on}); now != was {
			t.Fatalf("a preview has changed the picture from %s\nto %s", was, now)
		}
		m := Moment{AsOf: n + k, On: on}
		want := must[Diff](t)(s.pictureUpTo(n+k).Diff(t.Context(),
			Moment{AsOf: n, On: on}, m, Filter{}))
		told := ""
		for _, e := range got.Effects {
			if e.To.On == on {
				told = effectOf(e)
			}
		}
		if expected := effectOf(want); told != expected {
			t.Errorf("on %s %d statements change\n%s, and the preview says\n%s", on, k,
				expected, told)
		}
		if len(want.Lines) > 0 && (got.First == 0 || got.First > on) {
			t.Errorf("coverage changes on %s, and the preview says first on %s:\n%s", on,
				got.First, told)
		}
	})
}

// effectOf writes a diff without the records.
func effectOf(d Diff) (text string) {
	for i := range d.Lines {
		d.Lines[i].Records = nil
		l := d.Lines[i]
		text += fmt.Sprint(l.Line, l.From != nil, l.To != nil, l.Nations)
		for _, s := range []*LineStand{l.From, l.To} {
			if s != nil {
				text += fmt.Sprint(*s)
			}
		}
	}
	for i := range d.Pledges {
		d.Pledges[i].Records = nil
	}
	for _, s := range d.Strength {
		text += fmt.Sprint(s.Nation, s.Role, s.Unit, s.From, s.To)
	}
	return text + tellDiff(Diff{Pledges: d.Pledges})
}

// The first day of what would be pledged is told, also where it counts for nothing on it.
func TestPreviewTellsOfTheFirstDay(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 100, func(t *events.RequirementTerms) { t.From = day(20) })
	p := l.picture()
	offer := func(from int) []events.Statement {
		return []events.Statement{&events.PledgeOffered{Header: l.head("pledge.offered"),
			Dated: dated(2), Place: place("FRA"),
			PledgeTerms: pledgeTerms(60, func(t *events.PledgeTerms) { t.From = day(from) })}}
	}
	told := func(from int) (text string) {
		a := must[Preview](t)(p.Preview(t.Context(), Moment{On: day(3)}, offer(from)))
		for _, e := range a.Effects {
			text += fmt.Sprint(e.To.On, " ", len(e.Lines), "; ")
		}
		for _, one := range a.FirstDays {
			text += fmt.Sprint("first ", one.On, " ", one.Counts, " ", one.Places[0].Line,
				one.Places[0].Reason)
		}
		for _, one := range a.Later {
			text += fmt.Sprint("; from ", one.On, " ", one.Counts, " ", one.Places[0].Line,
				one.Places[0].Reason)
		}
		return text
	}
	equal(t, "before anything is required", told(10),
		"2026-01-03 0; 2026-01-10 0; 2026-01-20 1; first 2026-01-10 false no-line; from "+
			"2026-01-20 true west")
	equal(t, "when it is", told(25), "2026-01-03 0; 2026-01-25 1; first 2026-01-25 true west")

	// What is not changed by the statement is not told as its effect.
	fra := l.offer("FRA", 60, func(t *events.PledgeTerms) { t.Until = day(25) })
	l.need("all", 10, func(t *events.RequirementTerms) { t.From = day(22) })
	p = l.picture()
	note := pledgeTerms(60, func(t *events.PledgeTerms) { t.Until, t.Note = day(25), "as before" })
	amend := &events.PledgeAmended{Header: l.head("pledge.amended"), Dated: dated(2),
		Place: place("FRA"), Pledge: fra.id, PledgeTerms: note}
	a := must[Preview](t)(p.Preview(t.Context(), Moment{On: day(3)}, []events.Statement{amend}))
	equal(t, "later days of what stays the same", len(a.Later), 0)

	// What was counted tells of the same days: it counts, waits where it fits two, and is not told
	// when it has ended.
	c := must[Counting](t)(p.Counting(t.Context(), Moment{On: day(3)}, fra.seq))
	text := ""
	for _, one := range c.Later {
		text += fmt.Sprint(one.On, " ", one.Places[0].Line, one.Places[0].Reason, "; ")
	}
	equal(t, "later days of a record", text, "2026-01-20 west; 2026-01-22 several-lines; ")
}

// What would be told to those who may read no more leaves out what they would not read, as their
// picture does once it is recorded, whatever it is about.
func TestPreviewInANarrowerView(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 100)
	fra := l.offer("FRA", 60)
	p := l.picture()
	say := func(v events.View, statements ...events.Statement) string {
		t.Helper()
		text := ""
		m := Moment{On: day(9), View: v}
		for _, e := range must[Preview](t)(p.Preview(t.Context(), m, statements)).Effects {
			text += fmt.Sprint(e.To.On, " ", tellDiff(e), " | ")
		}
		return text
	}
	east := &events.RequirementIssued{Header: l.head("requirement.issued"), Dated: dated(9),
		Release: events.CoordinatorsOnly,
		RequirementTerms: events.RequirementTerms{Operation: "op-a", Line: "east",
			Role: "ground", Quantity: events.Count(50), Unit: "personnel",
			Window: events.Window{From: day(9)}, Priority: 1}}
	revised := &events.RequirementRevised{Header: l.head("requirement.revised"), Dated: dated(9),
		RequirementTerms: east.RequirementTerms}
	offered := &events.PledgeOffered{Header: l.head("pledge.offered"), Dated: dated(9),
		Place: place("GBR"), PledgeTerms: pledgeTerms(30, func(t *events.PledgeTerms) {
			t.Release, t.ReleasableTo = events.CoordinatorsOnly, []events.Nation{"NOR"}
		})}
	accepted := &events.PledgeAccepted{
		PledgeStep: events.PledgeStep{Header: l.head("pledge.accepted"), Dated: dated(9),
			Place: place("GBR"), Step: events.Step{Pledge: offered.ID}}}
	withdrawn := &events.PledgeWithdrawn{PledgeStep: fra.step("pledge.withdrawn", 9)}
	for _, v := range []events.View{"FRA", "coalition", "public"} {
		equal(t, string(v), say(v, east, revised, offered, accepted), "")
	}
	supplied := "2026-01-09 west: 60/100 -> 90/100 GBR ->30; " +
		"GBR: -> live accepted 30 west by 0 by 0 | "
	for _, v := range []events.View{"GBR", "NOR"} {
		equal(t, string(v), say(v, east, offered, accepted), supplied)
	}
	equal(t, "public", say("public", withdrawn), "")
	equal(t, "coalition", say("coalition", east, withdrawn), say("", withdrawn))
	if say("", east) == "" || say("coordinators", east) != say("", east) {
		t.Error("the coordinators are not told of what they keep to themselves")
	}
}
