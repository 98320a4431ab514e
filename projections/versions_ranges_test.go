package projections

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/events"
)

// rangeMoment draws a moment about a range of days, in which anything may be supposed.
func (s *storyteller) rangeMoment() Moment {
	m := s.moment()
	m.Until = day(rapid.IntRange(int(m.On%100), 31).Draw(s.T, "until"))
	m.WhatIf = rapid.SampledFrom([]*WhatIf{nil, {Without: []events.Nation{"FRA"}},
		{WithoutConditional: true}, {Discharge: []string{"parliament"}}}).Draw(s.T, "what if")
	return m
}

// each calls do with the moment of each day of a range.
func (m Moment) each(do func(Moment)) {
	one := m
	for one.Until = 0; one.On <= m.Until; one.On = one.On.AddDays(1) {
		do(one)
	}
}

// Of a range, each row of strength is that of its day, which is the first on which it is lowest;
// and there is a row for whatever is there on any day.
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
			for _, r := range must[Strength](t)(p.Strength(t.Context(), one, f, by)).Rows {
				keys[r.key()], days[one.On][r.key()] = true, r
			}
		})
		a := must[Strength](t)(p.Strength(t.Context(), m, f, by))
		for _, r := range a.Rows {
			delete(keys, r.key())
			on := r.Day
			if on == 0 && m.Until == m.On {
				on = m.On
			}
			r.Day = 0
			if want := days[on][r.key()]; r != want && r.Pledges+r.Unknown+r.ReserveUnknown+
				r.Failed+int(number(r.Reserve)) > 0 {
				t.Fatalf("from %s to %s: %+v, and on %s: %+v", m.On, m.Until, r, on, want)
			}
			m.each(func(one Moment) {
				n, lowest := number(days[one.On][r.key()].Quantity), number(r.Quantity)
				if n < lowest || n == lowest && one.On < on &&
					days[one.On][r.key()].Unknown <= r.Unknown {
					t.Fatalf("from %s to %s %+v is not the lowest: %s is lower", m.On,
						m.Until, r, one.On)
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
		for _, r := range must[Strength](t)(p.Strength(t.Context(), Moment{On: on, Until: until},
			Filter{}, []string{"nation"})).Rows {
			text += fmt.Sprint(r.Nation, " ", r.Quantity, " on ", r.Day, "; ")
		}
		return text
	}
	equal(t, "closed", tell(day(1), day(30)), "FRA 0 on 2026-01-01; ")
	equal(t, "within", tell(day(4), day(6)), "FRA 40 on 2026-01-04; ")
	equal(t, "no beginning", tell(events.FirstDate, day(9)), "FRA 40 on 2026-01-03; ")
	equal(t, "no end", tell(day(5), events.LastDate), "FRA 5 on 2026-01-10; ")
	equal(t, "neither", tell(events.FirstDate, events.LastDate), "FRA 5 on 2026-01-10; ")
	equal(t, "before anything", tell(day(1), day(2)), "")
	equal(t, "one day", tell(day(5), day(5)), "FRA 45 on ; ")
}

func TestDaysOfBasis(t *testing.T) {
	for text, says := range map[string]string{
		"2026-01-01..2026-06-30": "from 2026-01-01 to 2026-06-30",
		"..2026-06-30":           "until 2026-06-30", "2026-01-01..": "from 2026-01-01 on",
		"..":         "on any day",
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
	for _, text := range []string{"2026-06-30..2026-01-01", "2026-01-01..2026-13-01", "x..", "..x",
		"2026-01-01...2026-01-02", "2026-01-01.." + "2026-01-02.."} {
		if _, _, err := ParseDays(text); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
	if _, err := newTestLedger(t).picture().Coverage(t.Context(), Moment{On: day(2), Until: day(1)},
		CoverageFilter{}); err == nil {
		t.Error("a range that ends before it begins is taken")
	}
}

// Of a range, each line is as coverage tells it of its day, which is the first on which it is met
// least of all days on which it is in force; in any world, at any rung, and whoever asks for how
// much.
func TestCoverageOfRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		p, m := s.picture(), s.rangeMoment()
		f := CoverageFilter{Role: rapid.SampledFrom([]events.Role{"", "ground"}).Draw(t, "role"),
			Brief: rapid.Bool().Draw(t, "brief")}
		days, least := map[events.Date]map[events.Line]LineCoverage{},
			map[events.Line]LineCoverage{}
		m.each(func(one Moment) {
			days[one.On] = map[events.Line]LineCoverage{}
			for _, l := range must[Coverage](t)(p.Coverage(t.Context(), one, f)).Lines {
				days[one.On][l.Line] = l
				gap, supply := number(l.Gap), number(l.Supply)
				if was, ok := least[l.Line]; !ok || gap > number(was.Gap) ||
					gap == number(was.Gap) && supply < number(was.Supply) {
					l.Day = one.On
					least[l.Line] = l
				}
			}
		})
		a := must[Coverage](t)(p.Coverage(t.Context(), m, f))
		if len(a.Lines) != len(least) {
			t.Fatalf("%d lines, and %d are in force on any day", len(a.Lines), len(least))
		}
		for _, l := range a.Lines {
			want := least[l.Line]
			if m.Until == m.On {
				want.Day = 0
			}
			if got, want := asJSON(l), asJSON(want); got != want {
				t.Fatalf("from %s to %s:\n%s\nand on the day\n%s", m.On, m.Until, got, want)
			}
		}
	})
}

// What does not count on any day of a range is told once for each reason, as it is on the first of
// these days.
func TestNotCountedOfRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		p, m := s.picture(), s.rangeMoment()
		want, there := []string{}, map[string]bool{}
		m.each(func(one Moment) {
			for _, n := range must[Coverage](t)(p.Coverage(t.Context(), one,
				CoverageFilter{})).NotCounted {
				n.Day = one.On
				if m.Until == m.On {
					n.Day = 0
				}
				allocation := ""
				if n.Reason == LineNotInForce {
					allocation = fmt.Sprint(n.Lines)
				}
				if key := fmt.Sprint(n.Pledge, n.Reason, allocation); !there[key] {
					there[key] = true
					want = append(want, asJSON(n))
				}
			}
		})
		told, twice := []string{}, map[string]bool{}
		for _, n := range must[Coverage](t)(p.Coverage(t.Context(), m,
			CoverageFilter{})).NotCounted {
			if key := fmt.Sprint(n.Pledge, n.Reason, n.Lines); n.Reason != LineNotInForce ||
				!twice[key] {
				twice[key] = true
				told = append(told, asJSON(n))
			}
		}
		slices.Sort(want)
		slices.Sort(told)
		if fmt.Sprint(told) != fmt.Sprint(want) {
			t.Fatalf("from %s to %s:\n%s\nand day by day\n%s", m.On, m.Until,
				strings.Join(told, "\n"), strings.Join(want, "\n"))
		}
	})
}

func asJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}
