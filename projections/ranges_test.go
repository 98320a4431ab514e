package projections

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"muster/events"
)

// rangeMoment draws a moment about a range of days, in which anything may be supposed.
func (s *storyteller) rangeMoment() Moment {
	m := s.moment()
	m.Until = day(rapid.IntRange(int(m.On%100), 31).Draw(s.T, "until"))
	m.WhatIf = rapid.SampledFrom([]*WhatIf{nil, {Without: []events.Nation{"FRA"}}, {WithoutConditional: true}, {Discharge: []string{"parliament"}}}).Draw(s.T, "what if")
	return m
}

// each calls do with the moment of each day of a range.
func (m Moment) each(do func(Moment)) {
	one := m
	for one.Until = 0; one.On <= m.Until; one.On = one.On.AddDays(1) {
		do(one)
	}
}

// Of a range, each row of strength is that of its day, which is the first on which it is lowest; and there is a row for whatever is
// there on any day.
func TestStrengthOfRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		p, m := s.picture(), s.rangeMoment()
		f := Filter{Role: rapid.SampledFrom([]events.Role{"", "ground"}).Draw(t, "role")}
		by := rapid.SampledFrom([][]string{nil, {"nation"}, {"nation", "role"}}).Draw(t, "by")
		days := map[events.Date]map[groupKey]StrengthRow{}
		keys := map[groupKey]bool{}
		m.each(func(one Moment) {
			days[one.On] = map[groupKey]StrengthRow{}
			for _, r := range must[Strength](t)(p.Strength(one, f, by)).Rows {
				keys[r.key()], days[one.On][r.key()] = true, r
			}
		})
		a := must[Strength](t)(p.Strength(m, f, by))
		for _, r := range a.Rows {
			delete(keys, r.key())
			on := r.Day
			if on == 0 && m.Until == m.On {
				on = m.On
			}
			r.Day = 0
			if want := days[on][r.key()]; r != want && r.Pledges+r.Unknown+r.ReserveUnknown+r.Failed+int(number(r.Reserve)) > 0 {
				t.Fatalf("from %s to %s: %+v, and on %s: %+v", m.On, m.Until, r, on, want)
			}
			m.each(func(one Moment) {
				n, lowest := number(days[one.On][r.key()].Quantity), number(r.Quantity)
				if n < lowest || n == lowest && one.On < on && days[one.On][r.key()].Unknown <= r.Unknown {
					t.Fatalf("from %s to %s %+v is not the lowest: %s is lower", m.On, m.Until, r, one.On)
				}
			})
		}
		if len(keys) > 0 {
			t.Fatalf("left out: %v", keys)
		}
	})
}

func (r StrengthRow) key() groupKey { return groupKey{r.Operation, r.Nation, r.Role, r.Unit} }

// An end that is left open asks for all days on which there is anything of a sum.
func TestStrengthOfOpenRange(t *testing.T) {
	l := newTestLedger(t)
	l.offer("FRA", 40, func(t *events.PledgeTerms) { t.From, t.Until = day(3), day(9) })
	l.offer("FRA", 5, func(t *events.PledgeTerms) { t.From, t.Until = day(5), day(20) })
	p := l.picture()
	tell := func(on, until events.Date) (text string) {
		for _, r := range must[Strength](t)(p.Strength(Moment{On: on, Until: until}, Filter{}, []string{"nation"})).Rows {
			text += fmt.Sprint(r.Nation, " ", r.Quantity, " on ", r.Day, "; ")
		}
		return text
	}
	equal(t, "closed", tell(day(1), day(30)), "FRA 0 on 2026-01-01; ")
	equal(t, "within", tell(day(4), day(6)), "FRA 40 on 2026-01-04; ")
	equal(t, "no beginning", tell(FirstDate, day(9)), "FRA 40 on 2026-01-03; ")
	equal(t, "no end", tell(day(5), LastDate), "FRA 5 on 2026-01-10; ")
	equal(t, "neither", tell(FirstDate, LastDate), "FRA 5 on 2026-01-10; ")
	equal(t, "before anything", tell(day(1), day(2)), "")
	equal(t, "one day", tell(day(5), day(5)), "FRA 45 on ; ")
}

func TestDaysOfBasis(t *testing.T) {
	for text, says := range map[string]string{
		"2026-01-01..2026-06-30": "from 2026-01-01 to 2026-06-30", "..2026-06-30": "until 2026-06-30", "2026-01-01..": "from 2026-01-01 on", "..": "on any day",
		"2026-01-01": "on 2026-01-01",
	} {
		on, until, err := ParseDays(text)
		if err != nil {
			t.Fatal(err)
		}
		b := Basis{AsOf: 3, On: on, Until: until}
		equal(t, "written", b.Days(), text)
		equal(t, "said", b.String(), says+", as of record 3")
	}
	for _, text := range []string{"2026-06-30..2026-01-01", "2026-01-01..2026-13-01", "x..", "..x", "2026-01-01...2026-01-02", "2026-01-01.."+"2026-01-02.."} {
		if _, _, err := ParseDays(text); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
	if _, err := newTestLedger(t).picture().Coverage(Moment{On: day(2), Until: day(1)}, CoverageFilter{}); err == nil {
		t.Error("a range that ends before it begins is taken")
	}
}
