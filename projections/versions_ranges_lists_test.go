package projections

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/events"
)

// union collects what is told on any day, each once by its key.
type union map[string]bool

// sameKeys fails when a range does not tell what its days do.
func sameKeys(t *rapid.T, what string, m Moment, told []string, want union) {
	t.Helper()
	all := []string{}
	for key := range want {
		all = append(all, key)
	}
	slices.Sort(all)
	slices.Sort(told)
	if fmt.Sprint(told) != fmt.Sprint(all) {
		t.Fatalf("%s from %s to %s as of %d:\n%q\nand day by day\n%q", what, m.On, m.Until,
			m.AsOf, told, all)
	}
}

// dayOf is the day of which a row of a range tells.
func (m Moment) dayOf(day events.Date) Moment {
	m.On, m.Until = max(day, m.On), 0
	return m
}

// Of a range, gaps are the lines that are short on any day; each with its worst day, the first, and
// how many there are.
func TestGapsOfRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		p, m := s.picture(), s.rangeMoment()
		days, first, most, want := map[events.Line]int{}, map[events.Line]events.Date{},
			map[events.Line]int64{}, union{}
		m.each(func(one Moment) {
			for _, g := range must[Gaps](t)(p.Gaps(t.Context(), one, CoverageFilter{})).Gaps {
				days[g.Line]++
				if first[g.Line] == 0 {
					first[g.Line] = one.On
				}
				most[g.Line] = max(most[g.Line], number(g.Missing))
				want[string(g.Line)] = true
			}
		})
		told := []string{}
		for i, g := range must[Gaps](t)(p.Gaps(t.Context(), m, CoverageFilter{})).Gaps {
			told = append(told, string(g.Line))
			on := m.dayOf(g.Day)
			if g.Rank != i+1 || number(g.Missing) != most[g.Line] || g.From > on.On ||
				g.Until != 0 && g.Until < on.On {
				t.Fatalf("%+v, and the most that is missing is %d", g, most[g.Line])
			}
			if m.On != m.Until && (g.Days != days[g.Line] || g.First != first[g.Line]) {
				t.Fatalf("%+v, and it is short on %d days from %s on", g, days[g.Line],
					first[g.Line])
			}
			for _, same := range must[Gaps](t)(p.Gaps(t.Context(), on, CoverageFilter{})).Gaps {
				if same.Line == g.Line && (same.Supply != g.Supply || same.Required != g.Required ||
					asJSON(same.Who) != asJSON(g.Who)) {
					t.Fatalf("%+v, and on its day %+v", g, same)
				}
			}
		}
		sameKeys(t, "gaps", m, told, want)
	})
}

// Of a range, each row tells what the same question tells of the row's day; and what hangs on a
// nation, a condition or a caveat is asked of each line on its own day.
func TestRowsOfRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		p, m := s.picture(), s.rangeMoment()
		held, hanging := []string{}, []string{}
		for _, h := range must[Dependences](t)(p.Dependences(t.Context(), m,
			DependenceFilter{ByRole: true})).Holds {
			held = append(held, asJSON(h))
		}
		for _, h := range must[HangingSupplies](t)(p.Hanging(t.Context(), m, Filter{})).Hanging {
			hanging = append(hanging, asJSON(h))
		}
		wantHeld, wantHanging := union{}, union{}
		for _, l := range must[Coverage](t)(p.Coverage(t.Context(), m,
			CoverageFilter{Brief: true})).Lines {
			for _, h := range must[Dependences](t)(p.Dependences(t.Context(), m.dayOf(l.Day),
				DependenceFilter{})).Holds {
				h.Day = l.Day
				if h.Line == l.Line {
					wantHeld[asJSON(h)] = true
				}
			}
			for _, h := range must[HangingSupplies](t)(p.Hanging(t.Context(), m.dayOf(l.Day),
				Filter{})).Hanging {
				h.Day = l.Day
				if h.Line == l.Line {
					wantHanging[asJSON(h)] = true
				}
			}
		}
		for _, r := range must[Strength](t)(p.Strength(t.Context(), m, Filter{},
			[]string{"operation", "role"})).Rows {
			for _, h := range must[Dependences](t)(p.Dependences(t.Context(), m.dayOf(r.Day),
				DependenceFilter{ByRole: true})).Holds {
				h.Day = r.Day
				if h.Line == "" && h.Role == r.Role && h.Unit == r.Unit {
					wantHeld[asJSON(h)] = true
				}
			}
		}
		sameKeys(t, "dependence", m, held, wantHeld)
		sameKeys(t, "hanging", m, hanging, wantHanging)
	})
}

// Of a range, a row of readiness is that of the first day on which least is in place or can move.
func TestReadinessOfRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		p, m := s.picture(), s.rangeMoment()
		f := ReadinessFilter{ByNation: rapid.Bool().Draw(t, "by nation")}
		keyOf := func(r ReadyRow) string { return fmt.Sprint(r.Role, r.Nation, r.Unit) }
		days, want := map[events.Date]map[string]ReadyRow{}, union{}
		m.each(func(one Moment) {
			days[one.On] = map[string]ReadyRow{}
			for _, r := range must[Readiness](t)(p.Readiness(t.Context(), one, f)).Rows {
				days[one.On][keyOf(r)], want[keyOf(r)] = r, true
			}
		})
		told := []string{}
		for _, r := range must[Readiness](t)(p.Readiness(t.Context(), m, f)).Rows {
			told = append(told, keyOf(r))
			on := m.dayOf(r.Day).On
			r.Day = 0
			same, there := days[on][keyOf(r)]
			if there && asJSON(r) != asJSON(same) || !there && canMove(r)+number(r.NotSaid) != 0 {
				t.Fatalf("%+v, and on %s %+v", r, on, same)
			}
			m.each(func(one Moment) {
				other := days[one.On][keyOf(r)]
				if n := canMove(other); n < canMove(r) || n == canMove(r) && one.On < on &&
					other.Unknown <= r.Unknown {
					t.Fatalf("%+v on %s, and %s has less", r, on, one.On)
				}
			})
		}
		sameKeys(t, "readiness", m, told, want)
	})
}

func canMove(r ReadyRow) int64 {
	n := number(r.InPlace)
	if len(r.Ready) > 0 {
		n += number(r.Ready[len(r.Ready)-1])
	}
	return n
}

// Of a range, lists tell what is so on any of its days.
func TestListsOfRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		p, m := s.picture(), s.rangeMoment()
		told, want := map[string][]string{},
			map[string]union{"due": {}, "review": {}, "scopes": {}, "lines": {}, "nations": {}}
		tell := func(m Moment, put func(what, key string)) {
			for _, d := range must[Dues](t)(p.Due(t.Context(), m, Filter{}, 3)).Due {
				put("due", fmt.Sprint(d.Kind, d.Pledge, d.By, d.Sequence))
			}
			for _, f := range must[Review](t)(p.Review(t.Context(), m, Filter{})).Findings {
				switch f.Kind {
				case Oversupplied: // must be so on all days
				case AlsoElsewhere, RotationBroken, Overdrawn:
					put("review", fmt.Sprint(f.Kind, f.Sentence))
				default:
					put("review", fmt.Sprint(f.Kind, f.Pledge))
				}
			}
			for _, s := range must[Scopes](t)(p.Scopes(t.Context(), m, Filter{})).Scopes {
				put("scopes", fmt.Sprint(s.Nation, s.Sequence))
			}
			for _, q := range must[Requirements](t)(p.Requirements(t.Context(), m,
				Filter{})).Requirements {
				if q.State == InForce {
					put("lines", fmt.Sprint(q.Line, q.Sequence))
				}
			}
			for _, n := range must[Nations](t)(p.Nations(t.Context(), m, "", "")).Nations {
				for _, role := range n.Roles {
					put("nations", fmt.Sprint(n.Nation, role))
				}
			}
		}
		m.each(func(one Moment) { tell(one, func(what, key string) { want[what][key] = true }) })
		tell(m, func(what, key string) {
			// A pledge may be in the way of two lines, from different days on.
			if what != "review" || !slices.Contains(told[what], key) {
				told[what] = append(told[what], key)
			}
		})
		for what := range want {
			sameKeys(t, what, m, told[what], want[what])
		}
	})
}

// Of a range, each pledge that passes the filter on any day is listed as it stands on the last of
// these.
func TestPledgesOfRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		p, m := s.picture(), s.rangeMoment()
		f := PledgeFilter{State: rapid.SampledFrom(append(States(), "")).Draw(t, "state"),
			Filter: Filter{Role: rapid.SampledFrom([]events.Role{"", "ground"}).Draw(t, "role")}}
		last, want := map[events.ID]string{}, union{}
		m.each(func(one Moment) {
			for _, pl := range must[PledgeList](t)(p.Pledges(t.Context(), one, f)).Pledges {
				last[pl.ID] = asJSON(pl)
			}
		})
		for _, text := range last {
			want[text] = true
		}
		told := []string{}
		for _, pl := range must[PledgeList](t)(p.Pledges(t.Context(), m, f)).Pledges {
			if (pl.Day != 0) != (m.On != m.Until) {
				t.Fatalf("day %s", pl.Day)
			}
			pl.Day = 0
			told = append(told, asJSON(pl))
		}
		sameKeys(t, "pledges", m, told, want)
	})
}

// Of a range, a nation's page tells each role on the day on which least of it is there from the
// rung asked.
func TestNationOfRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		p, m := s.picture(), s.rangeMoment()
		keyOf := func(r NationRole) string { return fmt.Sprint(r.Role, r.Unit) }
		days, want := map[events.Date]map[string]NationRole{}, union{}
		rung := m.Rung
		if rung == 0 {
			rung = Offered
		}
		m.each(func(one Moment) {
			days[one.On] = map[string]NationRole{}
			for _, r := range must[NationPage](t)(p.Nation(t.Context(), one, "DEU", "")).Roles {
				days[one.On][keyOf(r)], want[keyOf(r)] = r, true
			}
		})
		amount := func(r NationRole) int64 {
			if r.Rungs == nil {
				return 0
			}
			return number(r.Rungs[rung-1])
		}
		told := []string{}
		for _, r := range must[NationPage](t)(p.Nation(t.Context(), m, "DEU", "")).Roles {
			told = append(told, keyOf(r))
			on := m.dayOf(r.Day).On
			r.Day = 0
			if same, there := days[on][keyOf(r)]; there && asJSON(r) != asJSON(same) || !there &&
				r.Pledges != 0 {
				t.Fatalf("%+v, and on %s %+v", r, on, same)
			}
			m.each(func(one Moment) {
				if other := days[one.On][keyOf(r)]; amount(other) < amount(r) {
					t.Fatalf("%+v on %s, and %s has less", r, on, one.On)
				}
			})
		}
		sameKeys(t, "roles", m, told, want)
	})
}

// What happens within a range is in its answers, on its last day too.
func TestWithinRange(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 100)
	fra := l.offer("FRA", 60, func(t *events.PledgeTerms) { t.Until = day(12) })
	l.offer("POL", 5, func(t *events.PledgeTerms) { t.Until = day(15) })
	deu := l.offer("DEU", 30, func(t *events.PledgeTerms) { t.Expires = day(5) })
	deu.renew(5, 9)
	ita := l.offer("ITA", 20)
	ita.condition("condition.added", 14, "parliament")
	l.say(liaison("FRA"), &events.ScopeDeclared{Header: l.head("scope.declared"), Dated: dated(20),
		Place: place("FRA"), Roles: []events.Role{"ground"}})
	p, m := l.picture(), Moment{On: day(1), Until: day(20)}
	tell := func(state State) (text string) {
		for _, one := range must[PledgeList](t)(p.Pledges(t.Context(), m,
			PledgeFilter{State: state})).Pledges {
			text += fmt.Sprint(one.Nation, " ", one.State, " ", one.Day, "; ")
		}
		return text
	}
	equal(t, "live", tell(Live),
		"FRA live 2026-01-01; POL live 2026-01-01; DEU live 2026-01-05; ITA live 2026-01-14; ")
	equal(t, "lapsed", tell(Lapsed), "DEU lapsed 2026-01-10; ")
	equal(t, "scopes", len(must[Scopes](t)(p.Scopes(t.Context(), m, Filter{})).Scopes), 1)
	c := must[Coverage](t)(p.Coverage(t.Context(), m, CoverageFilter{})).Lines[0]
	equal(t, "line", fmt.Sprint(c.Supply, " ", c.Gap, " ", c.Day), "20 80 2026-01-16")
	h := must[HangingSupplies](t)(p.Hanging(t.Context(), m, Filter{})).Hanging
	equal(t, "hangs", fmt.Sprint(h[0].Name, " ", h[0].Quantity, " ", h[0].Gap, " ", h[0].Day),
		"parliament 20 100 2026-01-16")
	g := must[Gaps](t)(p.Gaps(t.Context(), m, CoverageFilter{})).Gaps[0]
	equal(t, "gap", fmt.Sprint(g.Missing, " on ", g.Day, ", first ", g.First, ", on ", g.Days,
		" from ", g.From, " on"), "80 on 2026-01-16, first 2026-01-10, on 11 from 2026-01-10 on")
	one := must[Pledge](t)(p.Pledge(t.Context(), m, fra.id))
	equal(t, "one pledge", one.State, Live)
}

// A number of a range is explained as it is on its day.
func TestExplainOfRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		p, m := s.picture(), s.rangeMoment()
		for _, l := range must[Coverage](t)(p.Coverage(t.Context(), m,
			CoverageFilter{Brief: true})).Lines {
			e, one := must[Explanation](t)(p.ExplainCoverage(t.Context(), m, "", l.Line)),
				must[Explanation](t)(p.ExplainCoverage(t.Context(), m.dayOf(l.Day), "", l.Line))
			if e.Requirement.Supply != l.Supply || e.Requirement.Day != l.Day ||
				asJSON(e.Parts) != asJSON(one.Parts) || asJSON(e.Records) != asJSON(one.Records) {
				t.Fatalf("%s\nand on the day\n%s", asJSON(e), asJSON(one))
			}
		}
		e := must[Explanation](t)(p.ExplainStrength(t.Context(), m, Filter{}))
		for _, total := range must[Strength](t)(p.Strength(t.Context(), m, Filter{}, nil)).Totals {
			sum := int64(0)
			for _, part := range e.Parts {
				if part.Unit == total.Unit {
					sum += number(part.Quantity)
				}
			}
			if sum != number(total.Quantity) ||
				!slices.Contains(e.Sums, Sum{total.Quantity, total.Unit, total.Day}) {
				t.Fatalf("the parts of %+v make %d: %s", total, sum, asJSON(e))
			}
		}
	})
}
