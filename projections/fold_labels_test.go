package projections

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/events"
	"muster/projections/records"
)

var someViews = []events.View{events.PublicView, events.CoalitionView, "FRA", "DEU", "GBR", "POL",
	events.CoordinatorsView}

// seenBy returns the picture of those who have a view, of whom p knows what they may read.
func (l *testLedger) seenBy(p *Picture, v events.View) *Picture {
	seen := NewPicture()
	for i, r := range l.rows() {
		if label, _ := p.Label(uint64(i + 1)); !label.OpenTo(v) {
			r = records.Row{Type: records.Withheld}
		}
		if err := seen.ApplyRow(uint64(i+1), &r); err != nil {
			l.t.Fatalf("seen by %s: %v", v, err)
		}
	}
	return seen
}

// audienceOf returns who reads a record, by looking through what was said before.
func (l *testLedger) audienceOf(rec events.Record) (all []events.View) {
	label := events.Label{Release: events.Public}
	_, operation := events.About(rec.Statement)
	for _, old := range l.All[:rec.Sequence] {
		said, says := events.LabelOf(old.Statement)
		_, in := events.About(old.Statement)
		isSame := events.Thing(old.Statement) == events.Thing(rec.Statement)
		if issued, ok := old.Statement.(*events.RequirementIssued); ok {
			isSame = isSame || rec.Statement.Head().Type.Subject() == "requirement" &&
				issued.Line == lineIn(rec.Statement) && in == operation
		}
		opened, ok := old.Statement.(*events.OperationOpened)
		if ok && in == operation {
			label.Release = opened.Release // what nothing below says more of
			isSame = isSame || rec.Statement.Head().Type.Subject() == "operation"
		}
		if says && isSame {
			label = said
		}
	}
	for _, v := range someViews {
		if label.OpenTo(v) && (operation == "" || v != events.PublicView) &&
			(operation != "quiet" || v == events.CoordinatorsView) {
			all = append(all, v)
		}
	}
	return all
}

func lineIn(st events.Statement) events.Line {
	switch st := st.(type) {
	case *events.RequirementIssued:
		return st.Line
	case *events.RequirementRevised:
		return st.Line
	case *events.RequirementCancelled:
		return st.Line
	}
	return ""
}

func checkLabels(t tb, l *testLedger, p *Picture) {
	t.Helper()
	for _, rec := range l.All {
		label, ok := p.Label(rec.Sequence)
		var got []events.View
		for _, v := range someViews {
			if label.OpenTo(v) {
				got = append(got, v)
			}
		}
		if want := l.audienceOf(rec); !ok || !slices.Equal(got, want) {
			t.Fatalf("record %d, %s, is read by %s, want %s", rec.Sequence,
				rec.Statement.Head().Type, got, want)
		}
	}
}

func TestLabelsOfAllKinds(t *testing.T) {
	l := newAllKinds(t)
	checkLabels(t, l, l.picture())
	if label, ok := l.picture().Label(l.Last() + 1); ok {
		t.Errorf("a record that is not there has the label %q", label)
	}
}

// Labels follow from what was said, whether it is folded one by one or loaded; what a view is shown
// can be folded by itself, since nothing rests on what may not be read; and all questions are
// answered from it.
func TestViewsFold(t *testing.T) {
	disclosed, withheldRecords := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		disclosed += len(s.disclosed)
		p := s.picture()
		checkLabels(t, s.testLedger, p)
		for _, v := range someViews {
			seen := s.seenBy(p, v)
			for seq := range s.Last() {
				if _, ok := seen.Label(seq + 1); !ok {
					withheldRecords++
				}
			}
			m := s.moment()
			if v != events.CoordinatorsView {
				s.answers(seen, m, false)
			} else if got, want := s.everything(seen, m), s.everything(p, m); got != want {
				t.Fatalf("the coordinators do not see all:\n%s\n%s", got, want)
			}
		}
	})
	if disclosed == 0 || withheldRecords == 0 {
		t.Errorf("%d pledges were disclosed, and %d records withheld", disclosed, withheldRecords)
	}
}

// Who meets a pledge in its disclosure sees it stand from there on as those do who always could
// read it.
func TestDisclosedPledgeStandsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		all := s.picture()
		coalition := s.seenBy(all, events.CoalitionView)
		for id, on := range s.disclosed {
			for d := on; d <= 27; d++ {
				m := Moment{On: day(d)}
				here, err := coalition.Pledge(t.Context(), m, id)
				there, err2 := all.Pledge(t.Context(), m, id)
				if err != nil || err2 != nil {
					t.Fatal(err, err2)
				}
				if got, want := sameForAll(here), sameForAll(there); got != want {
					t.Fatalf("pledge %s on %s\nfor the coalition %s\nfor all           %s", id,
						m.On, got, want)
				}
			}
		}
	})
}

// sameForAll is what everybody who reads a pledge sees alike, once it is disclosed.
func sameForAll(p Pledge) string {
	as := p.Standing()
	// never added
	as.Conditions = slices.DeleteFunc(as.Conditions, func(c events.StandingCondition) bool {
		return c.Kind == ""
	})
	inPlace := events.Quantity{}
	if as.InPlace != nil {
		inPlace, as.InPlace = as.InPlace.Quantity, nil
	}
	return fmt.Sprint(p.Terms(), as, inPlace, p.State, p.Ended)
}
