package web

import (
	"context"
	"fmt"
	"strings"

	"muster/events"
	"muster/events/english"
	"muster/projections"
)

// This file has the questions that coordinators ask besides coverage.

// DependenceQuery asks what hangs on one nation.
type DependenceQuery struct {
	MomentQuery
	Rung   projections.Rung
	Filter projections.Filter
	ByRole bool
}

func (q *DependenceQuery) read(p *parameters) {
	q.MomentQuery.readOpening(p)
	q.Rung, q.Filter = p.rung(), p.filter()
	q.opening(q.Filter.Operation)
	q.ByRole = p.flag("by_role", "Tell the strength of operations by role, and not as a whole.")
}

// Dependence answers which lines, and the strength of which operations, one nation holds to at
// least half.
func (s *Service) Dependence(ctx context.Context,
	q *DependenceQuery) (a projections.Dependences, err error) {
	return a, s.lookOf(ctx, q.MomentQuery, q.Rung, q.Filter,
		func(p *projections.Picture, m projections.Moment) (err error) {
			a, err = p.Dependences(ctx, m,
				projections.DependenceFilter{Filter: q.Filter, ByRole: q.ByRole})
			return err
		})
}

// DependenceTable has a row for each line or strength that hangs on one nation.
func DependenceTable(a projections.Dependences) Table {
	t := Table{Basis: &a.Basis, Head: []string{"operation", "requirement", "role", "held by",
		"percent", "quantity", "of", "unit", "gap without it", "level", "essential", "unknown by"}}
	t.days()
	t.Above = []string{fmt.Sprintf("What one nation holds to at least half, %s.", a.Basis), ""}
	for _, h := range a.Holds {
		t.AddOn(h.Day, h, string(h.Operation), string(h.Line), string(h.Role), string(h.Nation),
			number(h.Percent), h.Quantity.String(), h.Of.String(), string(h.Unit),
			h.Without.String(), map[projections.DependenceLevel]string{projections.Alone: "alone",
				projections.FourFifths: "80% or more", projections.Half: "50% or more"}[h.Level],
			yes(h.Essential), text(h.UnknownBy, ", "))
	}
	if len(a.Holds) == 0 {
		t.Below = []string{"No nation holds half of anything " + onDays(a.Basis) + "."}
	}
	return t
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// FilterQuery asks about what passes a filter, from a rung up.
type FilterQuery struct {
	MomentQuery
	Rung   projections.Rung
	Filter projections.Filter
}

func (q *FilterQuery) read(p *parameters) {
	q.MomentQuery.readOpening(p)
	q.Rung, q.Filter = p.rung(), p.filter()
	q.opening(q.Filter.Operation)
}

// filtered answers a question about what passes a filter.
func filtered[A any](ctx context.Context, s *Service, q *FilterQuery,
	answer func(*projections.Picture, projections.Moment) (A, error)) (a A, err error) {
	return a, s.lookOf(ctx, q.MomentQuery, q.Rung, q.Filter,
		func(p *projections.Picture, m projections.Moment) (err error) {
			a, err = answer(p, m)
			return err
		})
}

// Hanging answers which supply hangs on a condition or a caveat.
func (s *Service) Hanging(ctx context.Context,
	q *FilterQuery) (projections.HangingSupplies, error) {
	return filtered(ctx, s, q,
		func(p *projections.Picture, m projections.Moment) (projections.HangingSupplies, error) {
			return p.Hanging(ctx, m, q.Filter)
		})
}

// HangingTable has a row for each condition or caveat and line.
func HangingTable(a projections.HangingSupplies) Table {
	t := Table{Basis: &a.Basis, Head: []string{"kind", "name", "operation", "requirement", "role",
		"quantity", "unit", "gap without it", "nations", "pledges", "of unknown size"}}
	t.days()
	t.Above = []string{fmt.Sprintf(
		"Supply that hangs on a condition or a caveat, %s. A pledge that hangs on two is in "+
			"both rows.", a.Basis), ""}
	for _, h := range a.Hanging {
		t.AddOn(h.Day, h, h.Kind, string(h.Name), string(h.Operation), string(h.Line),
			string(h.Role), h.Quantity.String(), string(h.Unit), h.Gap.String(),
			text(h.Nations, ", "), number(len(h.Pledges)), severalOrNone(h.Unknown))
	}
	if len(a.Hanging) == 0 {
		t.Below = []string{"No supply hangs on anything " + onDays(a.Basis) + "."}
	}
	return t
}

// ReadinessQuery asks what can move within some days.
type ReadinessQuery struct {
	FilterQuery
	Within   int
	ByNation bool
}

func (q *ReadinessQuery) read(p *parameters) {
	q.FilterQuery.read(p)
	q.Within = int(p.number("within", "Also within so many days of the call.", 0, events.MaxNotice))
	q.ByNation = p.flag("by_nation", "Tell each nation's by itself.")
}

// Readiness answers what can move within some days.
func (s *Service) Readiness(ctx context.Context, q *ReadinessQuery) (projections.Readiness, error) {
	f := projections.ReadinessFilter{Filter: q.Filter, Within: q.Within, ByNation: q.ByNation}
	return filtered(ctx, s, &q.FilterQuery,
		func(p *projections.Picture, m projections.Moment) (projections.Readiness, error) {
			return p.Readiness(ctx, m, f)
		})
}

// ReadinessTable has a row for each role, and a column for each number of days.
func ReadinessTable(a projections.Readiness) Table {
	t := Table{Basis: &a.Basis, Head: []string{"operation", "role", "nation", "unit", "in place"},
		Wide: []string{"operation", "unit", "in place", "notice not said", "of unknown size"}}
	t.Above = []string{fmt.Sprintf("What can move, and within how many days of the call, %s.",
		a.Basis), "What can move sooner is in the later columns too.", ""}
	for _, days := range a.Steps {
		t.Head = append(t.Head, fmt.Sprintf("%d d", days))
	}
	t.Head = append(t.Head, "notice not said", "in reserve", "of unknown size")
	t.days()
	for _, r := range a.Rows {
		cells := []string{string(r.Operation), string(r.Role), string(r.Nation), string(r.Unit),
			r.InPlace.String()}
		for _, n := range r.Ready {
			cells = append(cells, n.String())
		}
		unknown := ""
		if r.Unknown > 0 {
			unknown = english.Several(r.Unknown, "pledge")
		}
		t.AddOn(r.Day, r, append(cells, r.NotSaid.String(), r.Reserve.String(), unknown)...)
	}
	if len(a.Rows) == 0 {
		t.Below = []string{nothingThere(a.Basis, "", a.Next)}
	}
	return t
}

// Review answers what does not fit.
func (s *Service) Review(ctx context.Context, q *FilterQuery) (projections.Review, error) {
	return filtered(ctx, s, q,
		func(p *projections.Picture, m projections.Moment) (projections.Review, error) {
			return p.Review(ctx, m, q.Filter)
		})
}

// ReviewTable has a row for each finding.
func ReviewTable(a projections.Review) Table {
	t := Table{Basis: &a.Basis, Head: []string{"finding", "operation", "requirement", "nation",
		"quantity", "unit", "what", "records", "pledge"},
		Wide: []string{"records", "operation", "unit", "quantity", "requirement", "nation"}}
	t.days()
	t.Above = []string{fmt.Sprintf("What does not fit, %s.", a.Basis), ""}
	for _, f := range a.Findings {
		pledge := ""
		if !f.Pledge.IsZero() {
			pledge = f.Pledge.String()
		}
		t.AddOn(f.Day, f, string(f.Kind), string(f.Operation), string(f.Line), string(f.Nation),
			f.Quantity.String(), string(f.Unit), f.Sentence, recordsOf(f.Sequences), pledge)
	}
	t.Below = []string{english.Several(len(a.Findings), "finding") + "."}
	return t
}

func recordsOf(all []uint64) string {
	words := make([]string, len(all))
	for i, seq := range all {
		words[i] = number(seq)
	}
	return strings.Join(words, " ")
}

// DueQuery asks what is due within some days.
type DueQuery struct {
	MomentQuery
	Filter projections.Filter
	Within int
}

// usualWithin is how many days ahead is looked when the question does not say.
const usualWithin = 30

func (q *DueQuery) read(p *parameters) {
	q.MomentQuery.read(p)
	q.Filter, q.Within = p.filter(), p.within()
}

// within reads how many days ahead is looked for what is due.
func (p *parameters) within() int {
	return p.daysAhead("What lapses or ends within so many days, 0 for today; 30 without it.")
}

func (p *parameters) daysAhead(doc string) int {
	n := p.number("within", doc, 0, events.MaxNotice)
	if p.given["within"] == "" {
		return usualWithin
	}
	return int(n)
}

// Due answers what lapses, ends or waits.
func (s *Service) Due(ctx context.Context, q *DueQuery) (a projections.Dues, err error) {
	return a, s.lookOf(ctx, q.MomentQuery, 0, q.Filter,
		func(p *projections.Picture, m projections.Moment) (err error) {
			a, err = p.Due(ctx, m, q.Filter, q.Within)
			return err
		})
}

// DueTable has a row for each thing that somebody has to do.
func DueTable(a projections.Dues) Table {
	t := Table{Basis: &a.Basis,
		Head: []string{"by", "due", "nation", "operation", "role", "quantity", "unit", "waits for",
			"since", "record", "recorded", "what", "pledge"},
		// what is said in a sentence, too
		Wide: []string{"recorded", "record", "operation", "unit", "quantity", "role", "since",
			"waits for", "nation"}}
	t.Above = []string{fmt.Sprintf("What is due within %s, and what waits, %s.",
		english.Several(a.Within, "day"), a.Basis), ""}
	for _, d := range a.Due {
		t.Add(d, d.By.String(), string(d.Kind), string(d.Nation), string(d.Operation),
			string(d.Role), d.Quantity.String(), string(d.Unit), string(d.WaitsFor),
			d.Since.String(),
			number(d.Sequence), d.Recorded.UTC().Format(timeForm), d.Sentence, d.Pledge.String())
	}
	if len(a.Due) == 0 && len(a.ToSecond) == 0 {
		t.Below = []string{"Nothing is due, and nothing waits."}
	}
	if len(a.ToSecond) > 0 {
		t.Beside = []Table{waitingTable(a.ToSecond)}
	}
	for i := range a.ToSecond { // which has no day, and is about no pledge
		w := &a.ToSecond[i]
		t.Also = append(t.Also, Row{w, []string{"", "second", string(w.Party), "", "", "", "",
			Lacks(*w), "", number(w.Sequence), "", w.Phrase().String(), ""}})
	}
	return t
}

// NationQuery asks for everything about one nation.
type NationQuery struct {
	MomentQuery
	Rung      projections.Rung
	Nation    events.Nation
	Operation events.Operation
}

func (q *NationQuery) read(p *parameters) {
	q.Nation = p.nation("The nation's code, such as FRA.")
	p.must("nation", "write the nation's code, such as FRA")
	q.MomentQuery.readOpening(p)
	q.Rung, q.Operation = p.rung(), p.operation()
	q.opening(q.Operation)
}

// Nation answers everything about one nation.
func (s *Service) Nation(ctx context.Context,
	q *NationQuery) (a projections.NationPage, err error) {
	return a, s.lookOf(ctx, q.MomentQuery, q.Rung, projections.Filter{Operation: q.Operation},
		func(p *projections.Picture, m projections.Moment) (err error) {
			a, err = p.Nation(ctx, m, q.Nation, q.Operation)
			return err
		})
}

// NationTable has a row for each role, by rung; its pledges, and what was counted of them, stand
// beside.
func NationTable(a projections.NationPage) Table {
	t := Table{Basis: &a.Basis, Head: []string{"operation", "role", "unit", "indicated", "offered",
		"accepted", "confirmed", "deployed", "in reserve", "of unknown size"}}
	t.days()
	t.Above = []string{fmt.Sprintf("%s (%s), %s.", a.Name, a.Nation, a.Basis)}
	for _, s := range a.Scopes {
		t.Above = append(t.Above, fmt.Sprintf("Ready to give in %s: %s, from %s on (record %d).",
			s.Operation, s, s.Effective, s.Sequence))
	}
	t.Above = append(t.Above, "")
	for _, r := range a.Roles {
		cells := []string{string(r.Operation), string(r.Role), string(r.Unit)}
		for _, n := range r.Rungs {
			cells = append(cells, n.String())
		}
		unknown := ""
		if r.Unknown > 0 {
			unknown = english.Several(r.Unknown, "pledge")
		}
		t.AddOn(r.Day, r, append(cells, r.Reserve.String(), unknown)...)
	}
	if len(a.Roles) == 0 {
		t.Below = []string{nothingThere(a.Basis, " of it", a.Next)}
	}
	pledges := PledgesTable(projections.PledgeList{Basis: a.Basis, Pledges: a.Pledges})
	pledges.Above, pledges.Below = []string{"Its pledges:"}, nil
	counted := Table{Above: []string{"Counted:"},
		Head: []string{"operation", "requirement", "quantity", "unit", "by", "records", "pledge"}}
	for _, c := range a.Counted {
		counted.Add(c, string(c.Operation), string(c.Line), c.Quantity.String(), string(c.Unit),
			decidedBy(&c.Counted), recordsOf(c.Sequences),
			c.Pledge.String())
	}
	members := MembersTable(projections.Roster{Members: a.Members})
	members.Above = []string{"Its members, who sign for it or, as readers, are to read:"}
	for _, beside := range []Table{pledges, counted, notCountedTable(a.NotCounted), members} {
		if len(beside.Rows) > 0 {
			t.Beside = append(t.Beside, beside)
		}
	}
	return t
}

// NationsQuery asks which nations give what, in short.
type NationsQuery struct {
	MomentQuery
	Rung      projections.Rung
	Operation events.Operation
	Only      events.Role
}

func (q *NationsQuery) read(p *parameters) {
	q.MomentQuery.readOpening(p)
	q.Rung, q.Operation = p.rung(), p.operation()
	q.opening(q.Operation)
	q.Only = p.roleAs("only",
		"Only nations that give this role and no other, such as intelligence.")
}

// Nations answers which nations give what.
func (s *Service) Nations(ctx context.Context, q *NationsQuery) (a projections.Nations, err error) {
	return a, s.lookOf(ctx, q.MomentQuery, q.Rung,
		projections.Filter{Operation: q.Operation, Role: q.Only},
		func(p *projections.Picture, m projections.Moment) (err error) {
			a, err = p.Nations(ctx, m, q.Operation, q.Only)
			return err
		})
}

// NationsTable has a row for each nation.
func NationsTable(a projections.Nations) Table {
	t := Table{Basis: &a.Basis, Head: []string{"nation", "name", "pledges", "roles", "only",
		"as declared", "scope"}, Wide: []string{"as declared", "only", "name"}}
	t.Above = []string{fmt.Sprintf("Nations and what they give, %s.", a.Basis), ""}
	for _, n := range a.Nations {
		t.Add(n, string(n.Nation), n.Name, number(n.Pledges), text(n.Roles, ", "), string(n.Only),
			yes(n.Declared), n.Scope)
	}
	t.Below = []string{english.Several(len(a.Nations), "nation") + "."}
	if a.Next != 0 {
		t.Below = append(t.Below, nothingThere(a.Basis, "", a.Next))
	}
	return t
}

// Said answers what a nation's keys have said last of its pledges: see [projections.Picture.Said].
func (s *Service) Said(ctx context.Context, q *NationQuery, most int) (a []projections.SaidRecord,
	err error) {
	say := func(p *projections.Picture, m projections.Moment) (err error) {
		a, err = p.Said(ctx, m, q.Nation, most)
		return err
	}
	return a, s.look(ctx, q.MomentQuery, 0, say)
}
