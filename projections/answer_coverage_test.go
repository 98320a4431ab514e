package projections

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"muster/events"
	"muster/events/english"
	"muster/events/problem"
)

// coverage asks on the 20th unless another date is given.
func coverage(t *testing.T, p *Picture, m Moment) Coverage {
	t.Helper()
	if m.On == 0 {
		m.On = day(20)
	}
	return must[Coverage](t)(p.Coverage(t.Context(), m, CoverageFilter{}))
}

// summary tells lines as "name: supply/required gap gap (NAT quantity …)".
func summary(c Coverage) string {
	var lines []string
	for _, l := range c.Lines {
		who := make([]string, len(l.Who))
		for i, s := range l.Who {
			who[i] = fmt.Sprintf("%s %s", s.Nation, s.Quantity)
		}
		lines = append(lines, fmt.Sprintf("%s: %s/%s gap %s (%s)", l.Line, l.Supply, l.Required,
			l.Gap, strings.Join(who, ", ")))
	}
	return strings.Join(lines, "; ")
}

// reasons tells what is not counted as "NAT quantity unit reason lines".
func reasons(c Coverage) string {
	var all []string
	for _, n := range c.NotCounted {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s", n.Nation, n.Quantity,
			n.Unit, n.Reason, english.List(n.Lines))))
	}
	return strings.Join(all, "; ")
}

// The round that NATO announced on 4 December 2009 as "around 7,000", as AFP reported it that day:
// 5,529 in head counts, and beside them a reserve and teams that have no head count.
var afpRound = []struct {
	nation   events.Nation
	quantity int64
	unit     events.Unit
	presence events.Presence
}{
	{"ALB", 125, "personnel", ""}, {"GBR", 1200, "personnel", ""}, {"HRV", 2, "police-team", ""},
	{"CZE", 100, "personnel", ""},
	{"ITA", 1140, "personnel", ""}, {"LTU", 1, "military-team", ""}, {"POL", 600, "personnel", ""},
	{"POL", 400, "personnel", events.Reserve},
	{"POL", 2, "army-unit", ""}, {"POL", 2, "police-unit", ""}, {"PRT", 120, "personnel", ""},
	{"PRT", 1, "gendarmerie-unit", ""},
	{"ROU", 100, "personnel", ""}, {"SVK", 240, "personnel", ""}, {"TUR", 1, "military-team", ""},
	{"TUR", 2, "police-unit", ""},
	{"ARM", 40, "personnel", ""}, {"AUS", 120, "personnel", ""}, {"FIN", 25, "personnel", ""},
	{"GEO", 923, "personnel", ""},
	{"MKD", 80, "personnel", ""}, {"SWE", 125, "personnel", ""}, {"UKR", 22, "personnel", ""},
	{"COL", 84, "personnel", ""},
	{"KAZ", 5, "personnel", ""}, {"MNG", 40, "personnel", ""}, {"MNE", 40, "personnel", ""},
	{"KOR", 400, "personnel", ""},
}

func TestCoverageOfAPledgingRound(t *testing.T) {
	l := newTestLedger(t)
	l.need("surge", 7000)
	for _, r := range afpRound {
		l.offer(r.nation, r.quantity, func(p *events.PledgeTerms) {
			p.Unit, p.Presence = r.unit, r.presence
		})
	}
	c := coverage(t, l.picture(), Moment{})
	line := c.Lines[0]
	equal(t, "supply", line.Supply.String(), "5529")
	equal(t, "gap", line.Gap.String(), "1471")
	equal(t, "fill", line.Fill, 78)
	equal(t, "pledges counted", len(line.Counted), 20)
	equal(t, "largest", line.Who[0], Share{"GBR", events.Count(1200), 21})
	equal(t, "second", line.Who[1].Nation, "ITA")
	if line.Dependence != nil {
		t.Errorf("no nation holds half, and the answer says %+v", line.Dependence)
	}
	equal(t, "beside", reasons(c),
		"HRV 2 police-team other-unit surge; LTU 1 military-team other-unit surge; "+
			"POL 400 personnel reserve surge; POL 2 army-unit other-unit surge; POL 2 "+
			"police-unit other-unit surge; PRT 1 gendarmerie-unit other-unit surge; TUR 1 "+
			"military-team other-unit surge; TUR 2 police-unit other-unit surge")
	equal(t, "why", c.NotCounted[0].Sentence,
		"Croatia pledges 2 police-teams for ground, and surge counts personnel.")
}

func TestNotThereAtAll(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 1000)
	l.offer("FRA", 1, func(t *events.PledgeTerms) { t.From, t.Until = day(2), day(5) })
	l.offer("DEU", 2).move("pledge.withdrawn", 10)
	l.offer("ITA", 4).move("pledge.declined", 10)
	p := l.picture()
	for on, want := range map[int]string{1: "6", 2: "7", 5: "7", 6: "6", 9: "6", 10: "0"} {
		c := coverage(t, p, Moment{On: day(on)})
		equal(t, fmt.Sprintf("supply on the %d", on), c.Lines[0].Supply.String(), want)
		equal(t, "not counted", len(c.NotCounted), 0)
	}
}

func TestConditionalSupplyIsCountedAndTold(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 1000)
	p := l.offer("DEU", 600)
	added := p.condition("condition.added", 2, "bundestag")
	l.offer("FRA", 300)
	p.condition("condition.discharged", 15, "bundestag")
	picture := l.picture()
	line := coverage(t, picture, Moment{On: day(10)}).Lines[0]
	equal(t, "supply", line.Supply.String(), "900")
	equal(t, "conditional", line.Conditional.String(), "600")
	equal(t, "hangs on", english.List(line.Counted[0].Conditions), "bundestag")
	equal(t, "records", fmt.Sprint(line.Counted[0].Sequences), fmt.Sprint([]uint64{p.seq, added}))
	line = coverage(t, picture, Moment{On: day(15)}).Lines[0]
	equal(t, "conditional once discharged", line.Conditional.String(), "0")
	equal(t, "supply once discharged", line.Supply.String(), "900")
}

func TestRungs(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 1000)
	p := l.indicate("FRA", 1, 90)
	offered := p.offerNow(2, pledgeTerms(100))
	accepted := p.move("pledge.accepted", 3)
	p.move("pledge.confirmed", 4)
	deployed := p.deploy(5, 80)
	reported := p.report(6, 70)
	p.move("pledge.returned", 7)
	picture := l.picture()
	for _, test := range []struct {
		on   int
		rung Rung
		want string
	}{
		{1, Indicated, "90"}, {1, Offered, "0"}, {2, Offered, "100"}, {2, Accepted, "0"},
		{3, Accepted, "100"}, {4, Confirmed, "100"},
		{4, Deployed, "0"}, {5, Deployed, "80"}, {5, Confirmed, "100"}, {5, Indicated, "100"},
		{6, Deployed, "70"}, {6, Offered, "100"}, {7, Offered, "0"},
	} {
		c := coverage(t, picture, Moment{On: day(test.on), Rung: test.rung})
		equal(t, fmt.Sprintf("at %s on the %d", test.rung, test.on),
			c.Lines[0].Supply.String(), test.want)
	}
	counted := coverage(t, picture, Moment{On: day(6), Rung: Deployed}).Lines[0].Counted[0]
	equal(t, "records when deployed", fmt.Sprint(counted.Sequences),
		fmt.Sprint([]uint64{p.seq, offered, deployed, reported}))
	counted = coverage(t, picture, Moment{On: day(3)}).Lines[0].Counted[0]
	equal(t, "records when accepted", fmt.Sprint(counted.Sequences),
		fmt.Sprint([]uint64{p.seq, offered, accepted}))
}

func TestObservedCountsOnEveryRung(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 100)
	p := l.observe("ETH", 5, 97)
	p.report(10, 120)
	picture := l.picture()
	for _, rung := range Rungs() {
		equal(t, "on the 4th",
			coverage(t, picture, Moment{On: day(4), Rung: rung}).Lines[0].Supply.String(), "0")
		equal(t, "on the 5th",
			coverage(t, picture, Moment{On: day(5), Rung: rung}).Lines[0].Supply.String(), "97")
		line := coverage(t, picture, Moment{On: day(10), Rung: rung}).Lines[0]
		equal(t, "on the 10th", line.Supply.String(), "120")
		equal(t, "gap", line.Gap.String(), "0")
		equal(t, "fill", line.Fill, 120)
	}
}

func TestAreas(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 10, func(t *events.RequirementTerms) { t.Area = "west" })
	l.need("east", 10, func(t *events.RequirementTerms) { t.Area = "east"; t.Priority = 2 })
	l.need("roof", 10, func(t *events.RequirementTerms) {
		t.Role, t.Unit, t.Priority = "air", "aircraft", 3
	})
	l.offer("FRA", 3, func(t *events.PledgeTerms) { t.Area = "east" })
	l.offer("ITA", 4, func(t *events.PledgeTerms) {
		t.Role, t.Unit, t.Area = "air", "aircraft", "south"
	})
	l.offer("DEU", 5)
	c := coverage(t, l.picture(), Moment{})
	equal(t, "lines", summary(c),
		"west: 0/10 gap 10 (); east: 3/10 gap 7 (FRA 3); roof: 4/10 gap 6 (ITA 4)")
	equal(t, "not counted", reasons(c), "DEU 5 personnel several-lines west and east")
}

// A pledge that fits two lines fits one again as soon as the other is not in force.
func TestOnlyLinesInForceMatch(t *testing.T) {
	l := newTestLedger(t)
	l.need("one", 10)
	l.need("two", 10, func(t *events.RequirementTerms) { t.Until = day(5) })
	l.offer("DEU", 5)
	p := l.picture()
	equal(t, "on the 5th", summary(coverage(t, p, Moment{On: day(5)})),
		"one: 0/10 gap 10 (); two: 0/10 gap 10 ()")
	equal(t, "on the 6th", summary(coverage(t, p, Moment{On: day(6)})), "one: 5/10 gap 5 (DEU 5)")
}

func TestDependence(t *testing.T) {
	for _, test := range []struct {
		shares []int64
		want   string
	}{
		{[]int64{}, "none"}, {[]int64{10}, "alone 100"}, {[]int64{80, 20}, "80 80"},
		{[]int64{799, 201}, "50 79"}, {[]int64{50, 50}, "50 50"},
		{[]int64{499, 300, 201}, "none"},
	} {
		l := newTestLedger(t)
		l.need("west", 2000)
		for i, n := range test.shares {
			l.offer([]events.Nation{"FRA", "DEU", "ITA"}[i], n)
		}
		got := "none"
		if d := coverage(t, l.picture(), Moment{}).Lines[0].Dependence; d != nil {
			got = fmt.Sprintf("%s %d", d.Level, d.Percent)
		}
		equal(t, fmt.Sprint(test.shares), got, test.want)
	}
}

func TestMoneyIsSummedInItsCurrency(t *testing.T) {
	l := newTestLedger(t)
	amount := func(s string) events.Quantity {
		return must[events.Quantity](t)(events.ParseQuantity(s))
	}
	l.need("chest", 1, func(t *events.RequirementTerms) {
		t.Role, t.Unit, t.Quantity = "fund", "EUR", amount("1000.00")
	})
	for nation, s := range map[events.Nation]string{"FRA": "400.50", "DEU": "99.50"} {
		l.offer(nation, 1, func(t *events.PledgeTerms) {
			t.Role, t.Unit, t.Quantity = "fund", "EUR", amount(s)
		})
	}
	l.offer("USA", 1, func(t *events.PledgeTerms) {
		t.Role, t.Unit, t.Quantity = "fund", "USD", amount("5.00")
	})
	c := coverage(t, l.picture(), Moment{})
	equal(t, "lines", summary(c), "chest: 500.00/1000.00 gap 500.00 (FRA 400.50, DEU 99.50)")
	equal(t, "not counted", reasons(c), "USA 5.00 USD other-unit chest")
}

func TestCoverageFilter(t *testing.T) {
	l := newTestLedger(t)
	l.open("op-b")
	l.need("west", 10)
	l.need("roof", 10, func(t *events.RequirementTerms) { t.Role, t.Unit = "air", "aircraft" })
	l.need("elsewhere", 10, func(t *events.RequirementTerms) { t.Operation = "op-b" })
	l.offer("FRA", 3)
	p := l.picture()
	ask := func(f CoverageFilter) string {
		return summary(must[Coverage](t)(p.Coverage(t.Context(), Moment{On: day(20)}, f)))
	}
	equal(t, "all", ask(CoverageFilter{}),
		"roof: 0/10 gap 10 (); west: 3/10 gap 7 (FRA 3); elsewhere: 0/10 gap 10 ()")
	equal(t, "role", ask(CoverageFilter{Operation: "op-a", Role: "ground"}),
		"west: 3/10 gap 7 (FRA 3)")
	equal(t, "operation", ask(CoverageFilter{Operation: "op-b"}), "elsewhere: 0/10 gap 10 ()")
	equal(t, "not counted for another role",
		reasons(must[Coverage](t)(p.Coverage(t.Context(), Moment{On: day(20)},
			CoverageFilter{Role: "air"}))), "")
	_, err := p.Coverage(t.Context(), Moment{}, CoverageFilter{Operation: "op-c"})
	if !problem.Is(err, problem.NotFound) || !strings.Contains(problem.From(err).Hint,
		"op-a and op-b") {
		t.Errorf("an operation that is not there: %v", err)
	}
	_, err = p.Coverage(t.Context(), Moment{AsOf: 2}, CoverageFilter{Operation: "op-b"})
	if !problem.Is(err, problem.NotFound) || problem.From(err).Hint != "there is op-a" {
		t.Errorf("an operation that is not there yet: %v", err)
	}
}

// A record that comes late changes the past of the effective clock, and never that of the recorded
// one.
func TestLateRecord(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 1000)
	p := l.offer("FRA", 100)
	p.amend(10, pledgeTerms(200))
	before := l.Last()
	old := l.picture()
	late := p.amend(5, pledgeTerms(150))
	picture := l.picture()
	supply := func(p *Picture, asOf uint64, on int) string {
		return coverage(t, p, Moment{AsOf: asOf, On: day(on)}).Lines[0].Supply.String()
	}
	for on, want := range map[int]string{4: "100", 5: "150", 9: "150", 10: "200"} {
		equal(t, fmt.Sprintf("now, on the %d", on), supply(picture, late, on), want)
	}
	for on := 1; on < 12; on++ {
		equal(t, fmt.Sprintf("as of before, on the %d", on), supply(picture, before, on),
			supply(old, 0, on))
	}
}

func TestBriefCoverage(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 1000)
	l.offer("FRA", 100)
	l.offer("POL", 1, func(t *events.PledgeTerms) { t.Presence = events.Reserve })
	p := l.picture()
	full := coverage(t, p, Moment{})
	brief := must[Coverage](t)(p.Coverage(t.Context(), Moment{On: day(20)},
		CoverageFilter{Brief: true}))
	equal(t, "lines", summary(brief), summary(full))
	equal(t, "counted in full", len(full.Lines[0].Counted), 1)
	equal(t, "not counted in full", len(full.NotCounted), 1)
	if brief.Lines[0].Counted != nil || brief.NotCounted != nil {
		t.Error("a brief answer lists pledges")
	}
}

func TestSumsDoNotOverflow(t *testing.T) {
	equal(t, "sum", add(math.MaxInt64-1, 5), int64(math.MaxInt64))
	equal(t, "percent of much", percent(math.MaxInt64, math.MaxInt64/2), 200)
	equal(t, "almost all", percent(9_999_999, 10_000_000), 99)
	equal(t, "of nothing", percent(5, 0), 0)
}

func TestAnswersAreNeverNull(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 10)
	c := coverage(t, l.picture(), Moment{})
	if c.NotCounted == nil || c.Lines[0].Who == nil || c.Lines[0].Counted == nil {
		t.Error("an empty list is null")
	}
	if slices.Contains([]bool{c.Basis.AsOf == 3, c.Basis.On == day(20), c.Basis.Rung == Offered},
		false) {
		t.Errorf("the basis is not filled in: %+v", c.Basis)
	}
}

// The same question is answered the same, and a record that changes the answer changes it, whatever
// was answered before and whatever who asked has done with the answer.
func TestAnswersAreKept(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 100)
	p := l.picture()
	ask := func(m Moment, f CoverageFilter) string {
		c := must[Coverage](t)(p.Coverage(t.Context(), m, f))
		told := fmt.Sprint(c.AsOf, c.On, c.Rung)
		for i := range c.Lines {
			told += fmt.Sprint(" ", c.Lines[i].Line, " ", c.Lines[i].Supply, " ",
				c.Lines[i].Baseline != nil)
			c.Lines[i].Supply, c.Lines[i].Line = events.Unknown, "changed"
		}
		return told
	}
	brief := CoverageFilter{Brief: true}
	for range 3 {
		equal(t, "before", ask(Moment{On: day(5)}, brief), "3 2026-01-05 offered west 0 false")
		equal(t, "beside", ask(Moment{On: day(5), Rung: Accepted},
			CoverageFilter{Brief: true, Beside: true}), "3 2026-01-05 accepted west 0 true")
	}
	for n := range 2 * maxCachedCoverages {
		l.offer("FRA", 1)
		if err := p.Apply(l.All[len(l.All)-1]); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			equal(t, "after", ask(Moment{On: day(5)}, brief),
				fmt.Sprintf("%d 2026-01-05 offered west %d false", n+4, n+1))
		}
		equal(t, "then", ask(Moment{AsOf: 3, On: day(5)}, brief),
			"3 2026-01-05 offered west 0 false")
	}
	equal(t, "kept", p.coverages.last.Len(), maxCachedCoverages)
}
