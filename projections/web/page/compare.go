package page

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/events"
	"muster/projections"
	"muster/projections/web"
)

// A comparison is the page of what two moments differ in, by whom and why. The moment compared with
// is the one of the two clocks, as_of and on, as on every page; from and from_on, of this page
// alone, say what it is compared to. So the same link leads on to any other page.
type comparison struct {
	*frame
	D projections.Diff
	// Exact is the address of this very comparison, whatever is recorded later.
	Exact any
	// Swapped is the address of the same, the other way round.
	Swapped any
	// Since are moments to compare to with one click.
	Since []sinceWhen
	CSV   string
}

// maxDiffs is how many differences of a kind the page shows.
const maxDiffs = 150

// Lines are the requirements that are shown.
func (c *comparison) Lines() []projections.LineDiff {
	return c.D.Lines[:min(maxDiffs, len(c.D.Lines))]
}

// Pledges are the pledges that are shown.
func (c *comparison) Pledges() []projections.PledgeDiff {
	return c.D.Pledges[:min(maxDiffs, len(c.D.Pledges))]
}

// Sums are the sums that are shown.
func (c *comparison) Sums() []projections.StrengthDiff {
	return c.D.Strength[:min(maxDiffs, len(c.D.Strength))]
}

// Left returns how many differences of a kind the page leaves out, of so many; the CSV has them.
func (c *comparison) Left(of int) int { return max(0, of-maxDiffs) }

// PledgesAll is how many pledges count otherwise, also of those of which nothing is told.
func (c *comparison) PledgesAll() int { return len(c.D.Pledges) + c.D.PledgesMore }

// A sinceWhen is a moment on the recorded clock that the reader may choose.
type sinceWhen struct {
	Name    string // among the words
	Address any
	Here    bool
}

// comparison answers the page of what two moments differ in.
func (p *Pages) comparison(f *frame) (any, error) {
	c := &comparison{frame: f}
	if err := f.readBasis(); err != nil {
		return nil, err
	}
	to := f.Basis
	ledger, err := f.pastOf(&to)
	if err != nil {
		return nil, err
	}
	fromOn, toOn := to.On, max(to.On, to.Until)
	pairs := []any{"from", cmp.Or(f.Get("from"), strconv.FormatUint(ledger.usual(), 10)), "to",
		place(to), "from_on", cmp.Or(f.Get("from_on"), fromOn.String()), "to_on", toOn, "on", ""}
	if c.D, err = ask(f, web.Read[web.DiffQuery], f.service.Diff, pairs...); err != nil {
		return nil, err
	}
	if f.Basis = c.D.To; f.Basis.On == to.On {
		f.Basis.Beginning = to.Beginning
	}
	c.Exact = f.Here("from", place(c.D.From), "from_on", c.D.From.On, "as_of", place(c.D.To),
		"on", c.D.To.On)
	c.Swapped = f.Here("from", place(c.D.To), "from_on", c.D.To.On, "as_of", place(c.D.From),
		"on", c.D.From.On)
	c.CSV = f.csv("diff",
		[]string{"operation", "nation", "role", "rung", "without", "without_conditional",
			"without_caveated", "discharge"},
		"from", place(c.D.From), "from_on", c.D.From.On, "to", place(c.D.To), "to_on", c.D.To.On)
	for _, one := range []struct {
		name string
		seq  uint64
	}{{"record", ledger.before}, {"day", ledger.day}, {"week", ledger.week},
		{"month", ledger.month}, {"beginning", 1}} {
		if one.seq > 0 && one.seq < to.AsOf {
			c.Since = append(c.Since,
				sinceWhen{one.name, f.Here("from", one.seq), c.D.From.AsOf == one.seq})
		}
	}
	c.Since = slices.CompactFunc(c.Since, func(a, b sinceWhen) bool {
		return a.Address == b.Address
	})
	return c, nil
}

// A past is which records were the last ones a while before a moment; 0 where there was none yet.
type past struct{ before, day, week, month uint64 }

// pastOf returns what was known before a moment.
func (f *frame) pastOf(b *projections.Basis) (all past, err error) {
	return all, f.service.Projector.View(func(pic *projections.Picture) error {
		at := func(t time.Time) uint64 { return pic.SequenceAt(t) }
		seen := b.Recorded
		if b.AsOf == pic.Sequence() {
			// What is looked at is what is known now, however long ago it was recorded.
			seen = f.service.Now()
		}
		all = past{b.AsOf - min(b.AsOf, 1), at(seen.AddDate(0, 0, -1)), at(seen.AddDate(0, 0, -7)),
			at(seen.AddDate(0, -1, 0))}
		return nil
	})
}

// usual returns the record compared to when nobody names one: the last of a week before or, where
// nothing was recorded since or nothing before that, the one before the last.
func (p past) usual() uint64 {
	if p.week > 0 && p.week <= p.before {
		return p.week
	}
	return max(p.before, 1)
}

// A reasons is why something differs, and by whom: the records and the days that made it so.
type reasons struct {
	F        *frame
	Records  []projections.Told
	Calendar []projections.Passing
	Pledges  int // of which nothing is told here, and which may have caused it too
}

// maxReasons is how many records stand beside one difference; the CSV has them all.
const maxReasons = 12

// More returns how many records are left out.
func (r reasons) More() int { return max(0, len(r.Records)-maxReasons) }

// Told returns the records that are shown.
func (r reasons) Told() []projections.Told { return r.Records[:min(maxReasons, len(r.Records))] }

// Because shows why a pledge counts otherwise.
func (c *comparison) Because(d projections.PledgeDiff) reasons {
	return reasons{F: c.frame, Records: d.Records, Calendar: d.Calendar}
}

// LineBecause shows why a requirement is met otherwise: what has caused any of its numbers to
// differ, or else its terms.
func (c *comparison) LineBecause(l projections.LineDiff) reasons {
	r := reasons{F: c.frame, Pledges: l.PledgesMore}
	for _, cause := range l.Causes {
		for _, t := range cause.Records {
			if !slices.ContainsFunc(r.Records, t.Is) {
				r.Records = append(r.Records, t)
			}
		}
		for _, day := range cause.Calendar {
			if !slices.ContainsFunc(r.Calendar, day.Is) {
				r.Calendar = append(r.Calendar, day)
			}
		}
	}
	if len(r.Records)+len(r.Calendar) == 0 {
		r.Records, r.Calendar = l.Records, l.Calendar
	}
	slices.SortStableFunc(r.Records, func(a, b projections.Told) int {
		return cmp.Compare(a.Sequence, b.Sequence)
	})
	return r
}

// SumBecause shows why a sum differs.
func (c *comparison) SumBecause(s projections.StrengthDiff) reasons {
	return reasons{c.frame, s.Records, s.Calendar, s.PledgesMore}
}

// Stand is the terms of a requirement, which both moments have unless it is in force at one alone.
func (c *comparison) Stand(l projections.LineDiff) *projections.LineStand {
	return cmp.Or(l.To, l.From)
}

// A shownStand is a requirement at one of the two moments.
type shownStand struct {
	cell
	F       *frame
	Address any
}

// StandCell shows a requirement at one of the two moments; s is nil where it is not in force.
func (c *comparison) StandCell(l projections.LineDiff, s *projections.LineStand,
	b projections.Basis) shownStand {
	shown := shownStand{F: c.frame, cell: cell{State: "off"}}
	if s != nil {
		shown.cell = cellOf(s.Required, numbers{Supply: s.Supply, Gap: s.Gap, Unknown: s.Unknown})
		shown.Address = c.To("/", "open", string(l.Operation)+"/"+string(l.Line), "as_of",
			c.Seq(b.AsOf), "on", b.On, "at", b.On)
	}
	return shown
}

// A change is what else differs, at both moments.
type change struct{ Name, From, To string }

// Changes lists what else differs of a requirement: supply from other rungs up, what hangs and what
// it is, where both moments have it, and what is unknown or waits for an allocation.
func (c *comparison) Changes(l projections.LineDiff) (all []change) {
	was, is := l.From, l.To
	if was == nil || is == nil {
		return c.besides(cmp.Or(was, &projections.LineStand{}),
			cmp.Or(is, &projections.LineStand{}))
	}
	add := func(name string, from, to events.Quantity) {
		if from != to {
			all = append(all, change{name, c.Amount(from), c.Amount(to)})
		}
	}
	for i, r := range projections.Rungs() {
		if r != c.Basis.Rung && (was.Rungs[i] != was.Supply || is.Rungs[i] != is.Supply) {
			add(c.T("compare.from-rung", c.Word("rung", r)), was.Rungs[i], is.Rungs[i])
		}
	}
	add(c.T("compare.conditional"), was.Conditional, is.Conditional)
	add(c.T("compare.caveated"), was.Caveated, is.Caveated)
	add(c.T("compare.priority"), events.Count(int64(was.Priority)),
		events.Count(int64(is.Priority)))
	say := func(name, from, to string) {
		if from != to {
			all = append(all, change{name, from, to})
		}
	}
	say(c.T("area"), cmp.Or(string(was.Area), "–"), cmp.Or(string(is.Area), "–"))
	yes := map[bool]string{true: c.T("compare.yes"), false: c.T("compare.no")}
	say(c.T("essential"), yes[was.Essential], yes[is.Essential])
	return append(all, c.besides(was, is)...)
}

// besides lists what differs of what is in no sum: how many pledges are of unknown quantity, and
// what waits for an allocation.
func (c *comparison) besides(was, is *projections.LineStand) (all []change) {
	add := func(name, from, to string) {
		if from != to {
			all = append(all, change{name, from, to})
		}
	}
	add(c.T("compare.unknown"), strconv.Itoa(was.Unknown), strconv.Itoa(is.Unknown))
	add(c.T("compare.waiting"), c.Amount(was.Waiting), c.Amount(is.Waiting))
	add(c.T("compare.waiting-unknown"), strconv.Itoa(was.WaitingUnknown),
		strconv.Itoa(is.WaitingUnknown))
	return all
}

// A shownPledge is where a pledge stands at one of the two moments; S is nil where it is not known.
type shownPledge struct {
	F *frame
	S *projections.PledgeStand
}

// PledgeStand shows where a pledge stands at one of the two moments.
func (c *comparison) PledgeStand(s *projections.PledgeStand) shownPledge {
	return shownPledge{c.frame, s}
}

// PledgeOf is the stand that tells a pledge's role and unit.
func (c *comparison) PledgeOf(d projections.PledgeDiff) *projections.PledgeStand {
	return cmp.Or(d.To, d.From)
}

// Place says for which requirement a pledge, or a part of it, counts, or why it counts for none.
func (s shownPledge) Place(p projections.Place) string {
	amount := ""
	if p.Quantity != s.S.Quantity && !p.Quantity.IsZero() {
		amount = s.F.Q(p.Quantity) + " "
	}
	switch {
	case p.Line != "":
		return amount + s.F.T("compare.counts-for", p.Line)
	case string(p.Reason) == string(s.S.State):
		return ""
	case p.Reason == projections.SeveralLines:
		return amount + s.F.T("compare.not-counted-at", s.F.Word("reason", p.Reason),
			named(p.Lines))
	}
	return amount + s.F.T("compare.not-counted", s.F.Word("reason", p.Reason))
}

// named writes the names of requirements.
func named(lines []events.Line) string {
	all := make([]string, len(lines))
	for i, l := range lines {
		all[i] = string(l)
	}
	return strings.Join(all, ", ")
}

// Amount writes a quantity of a difference, 0 where there is none.
func (c *comparison) Amount(q events.Quantity) string { return cmp.Or(c.Q(q), "0") }

// Sequences returns the records, each once.
func (r reasons) Sequences() (all []uint64) {
	for _, t := range r.Records {
		all = append(all, t.Sequence)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// A shownMoment is one of the two moments.
type shownMoment struct {
	F    *frame
	Name string
	B    projections.Basis
}

// Given writes a place on the recorded clock for its field: the record, or what was written there.
func (c *comparison) Given(name string, b projections.Basis) string {
	if isBefore(b) {
		return cmp.Or(c.Get(name), place(b))
	}
	if name == "as_of" {
		return c.Seq(b.AsOf)
	}
	return place(b)
}

// Moment shows one of the two moments.
func (c *comparison) Moment(name string, b projections.Basis) shownMoment {
	return shownMoment{c.frame, name, b}
}
