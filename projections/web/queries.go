package web

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/events"
	"muster/projections"
	"muster/projections/records"
)

// A query is the parameters of one question. How it is read is all that there is to say about them.
type query[Q any] interface {
	*Q
	read(p *parameters)
}

// MomentQuery is from where a question looks: the two clocks, and the record that must be in the
// picture first.
type MomentQuery struct {
	AsOf   Instant     // zero for all there is
	On     events.Date // zero for today, or, with AsOf, for the day of its last record
	Today  bool        // On is whichever day it is now
	Until  events.Date // the last day of a range that On begins, zero for the one day
	MinSeq uint64      // wait until this record is in the picture
	WhatIf projections.WhatIf

	opens  bool             // without On, what has not begun is answered on its first day
	of     events.Operation // which of what; all without it
	ofLine events.Line      // or the only operation that has this requirement
}

// opening makes the question one about what is there on a date: where none is asked for, and
// neither the operation nor, without one, any has begun, it is about the first day. See
// [projections.Picture.Opening].
func (q *MomentQuery) opening(o events.Operation) { q.opens, q.of = true, o }

// openingOf is opening for a question about a requirement, of which the operation may be left out.
func (q *MomentQuery) openingOf(o events.Operation, l events.Line) {
	q.opening(o)
	q.ofLine = l
}

// AsItStands makes the question one about today where it names no date, whatever has begun.
func (q *MomentQuery) AsItStands() { q.opens = false }

func (q *MomentQuery) read(p *parameters) {
	q.readAsItIs(p)
	q.WhatIf = p.whatIf()
}

// readAsItIs reads what a question is asked with that supposes nothing: it has no answer for
// another world than the one as it is, and so takes none.
func (q *MomentQuery) readAsItIs(p *parameters) { q.readOn(p, ".") }

// readOpening reads what a question is asked with that begins on the first day of what has not
// begun: see [MomentQuery.opening].
func (q *MomentQuery) readOpening(p *parameters) {
	q.readOn(p, "; and where nothing of what is asked about has begun by then, its first day. "+
		"today is always today.")
	q.WhatIf = p.whatIf()
}

// readOn reads both clocks; the end of what is told of on says where it differs.
func (q *MomentQuery) readOn(p *parameters, end string) {
	q.AsOf = p.asOf()
	q.On, q.Until = p.days("on", "What applies on that date, such as 2026-11-23, +30d or -2w from "+
		"today, or in a month, such as 2027-06, or a range of dates, such as "+
		"2026-01-01..2026-06-30, of which either end may be left out: sums then "+
		"answer for the day on which they are lowest, lists for any day. Without it, today "+
		"(UTC); with as_of, the day of its last record"+end)
	q.Today = p.passes("on")
	q.MinSeq = p.minSeq()
}

func (p *parameters) whatIf() (w projections.WhatIf) {
	w.Without = p.nations("without",
		"What if: leave out all that these nations pledge, such as FRA,GBR.")
	w.WithoutConditional = p.flag("without_conditional",
		"What if: leave out what hangs on an open condition.")
	w.WithoutCaveated = p.flag("without_caveated",
		"What if: leave out what is restricted by a caveat.")
	w.Discharge = p.discharge()
	return w
}

func (p *parameters) discharge() []string {
	return p.list("discharge",
		"What if: these conditions have happened, by name or kind, such as cease-fire,parliament.")
}

func (p *parameters) asOf() Instant {
	return p.instant("as_of",
		"What was known then: a sequence, "+string(timeForms)+
			", or the name of a meeting that was "+
			"closed; a date, or a printed second or minute, stands for its end. Without it, "+
			"all there is.", end)
}

func (p *parameters) minSeq() uint64 {
	return p.number("min_seq", "Wait until this record is in the picture: read what you wrote.", 0,
		events.MaxCount)
}

// LedgerQuery asks what the ledger is.
type LedgerQuery struct{}

func (*LedgerQuery) read(*parameters) {}

// CoverageQuery asks how far the requirements are met.
type CoverageQuery struct {
	MomentQuery
	Rung      projections.Rung
	Operation events.Operation
	Role      events.Role
	// Differences asks for those lines only that the rung or what is supposed makes another.
	Differences bool
}

func (q *CoverageQuery) read(p *parameters) {
	q.MomentQuery.readOpening(p)
	q.Rung, q.Operation, q.Role = p.rung(), p.operation(), p.role()
	q.opening(q.Operation)
	q.Differences = p.flag("differences",
		"Only lines that the rung asked, or what is supposed, makes another than they are.")
}

// StrengthQuery asks what is pledged or deployed.
type StrengthQuery struct {
	MomentQuery
	Rung   projections.Rung
	Filter projections.Filter
	// By is what to group by: see [projections.Picture.Strength].
	By []string
}

func (q *StrengthQuery) read(p *parameters) {
	q.MomentQuery.readOpening(p)
	q.Rung, q.Filter = p.rung(), p.filter()
	q.opening(q.Filter.Operation)
	q.By = []string{"nation"}
	if v := p.value("by", "What to group by, such as nation,role,operation. Without it, nation.",
		&huma.Schema{Type: huma.TypeString}); v != "" {
		q.By = once(strings.Split(v, ","))
		// Whether there are such groups does not depend on what is in them.
		if _, err := projections.NewPicture().Strength(context.Background(), projections.Moment{},
			projections.Filter{}, q.By); err != nil {
			p.refuseAs("by", v, err)
		}
	}
}

// PledgesQuery asks for a list of pledges.
type PledgesQuery struct {
	MomentQuery
	Rung projections.Rung
	// Filter says which, and which page of them. A limit of 0 is one of 1000.
	Filter projections.PledgeFilter
}

func (q *PledgesQuery) read(p *parameters) {
	q.MomentQuery.read(p)
	q.Rung, q.Filter.Filter = p.rung(), p.filter()
	q.Filter.State = projections.State(p.oneOf("state",
		"Only pledges in this state. Without it, all.", words(projections.States())))
	q.Filter.Line = p.line("line",
		"Only pledges that name this requirement as the one that they are meant for.")
	q.Filter.Reference = p.value("reference",
		"Only pledges with this number of the nation's own, exactly.",
		&huma.Schema{Type: huma.TypeString})
	q.Filter.Part = p.idPart("id", "Only pledges whose id has this part in it, in capitals.")
	q.Filter.After = p.id("after", "The next of the page before.")
	q.Filter.Limit = int(p.number("limit",
		"The most pledges to return; 1000 without it, and as CSV all.", 1, maxPage))
}

// next implements pagedQuery. A page that the client has limited is all that it asks for.
func (q *PledgesQuery) next(a projections.PledgeList) bool {
	if q.Filter.Limit > 0 || a.Next.IsZero() {
		return false
	}
	q.AsOf, q.On, q.Until, q.Filter.After = Instant{Sequence: a.AsOf}, a.On, a.Until, a.Next
	return true
}

// rest implements pagedQuery.
func (q *PledgesQuery) rest(_ context.Context, _ *Service,
	a projections.PledgeList) (map[string]string, error) {
	if q.Filter.Limit == 0 || a.Next.IsZero() {
		return nil, nil
	}
	return map[string]string{"as_of": number(a.AsOf), "on": a.Days(), "after": a.Next.String()}, nil
}

// PledgeQuery asks for one pledge and its life. It may suppose that the pledge's conditions have
// happened: what else can be supposed is of whether it is there at all.
type PledgeQuery struct {
	MomentQuery
	ID events.ID
}

func (q *PledgeQuery) read(p *parameters) {
	q.ID = p.id("id", "The pledge's id.")
	p.must("id", "write the pledge's id")
	q.MomentQuery.readAsItIs(p)
	q.WhatIf.Discharge = p.discharge()
}

// PlanQuery asks for an operation's catalogue and requirements.
type PlanQuery struct {
	MomentQuery
	Operation events.Operation
}

func (q *PlanQuery) read(p *parameters) {
	q.Operation = p.operation()
	p.must("operation", "write the operation's name, such as mnf-u")
	q.MomentQuery.readAsItIs(p)
}

// MembersQuery asks who may sign.
type MembersQuery struct{ MomentQuery }

func (q *MembersQuery) read(p *parameters) { q.MomentQuery.readAsItIs(p) }

// ScopesQuery asks what nations have declared that they are ready to give.
type ScopesQuery struct {
	MomentQuery
	Filter projections.Filter
}

func (q *ScopesQuery) read(p *parameters) {
	q.MomentQuery.readAsItIs(p)
	q.Filter = p.filter()
}

func (p *parameters) filter() projections.Filter {
	return projections.Filter{Operation: p.operation(),
		Nation: p.nation("A nation's code, such as FRA."), Role: p.role()}
}

// RecordsQuery asks for a page of the log.
type RecordsQuery struct {
	// From is the first record: the one of the sequence, or the first that was recorded at the time
	// or later.
	From   Instant
	Filter records.LogFilter
	Limit  int           // 0 is 1000
	Wait   time.Duration // for a record that passes the filter, when there is none yet
	until  uint64        // the last record to return, 0 for all
}

// How many seconds a page of the log may be waited for.
const maxWait = 60

func (q *RecordsQuery) read(p *parameters) {
	q.From = p.instant("from",
		"The first record: a sequence, "+string(timeForms)+
			"; a date, or a printed second or minute, stands for its beginning. Without it, 1.",
		beginning)
	q.readFilter(p)
	q.Limit = int(p.number("limit",
		"The most records to return; 1000 without it, and as CSV all. A page of long records "+
			"ends earlier, unless it is CSV.", 1, maxPage))
	q.Wait = time.Second * time.Duration(p.number("wait",
		"Wait so many seconds for a record to return, when there is none yet.", 0, maxWait))
}

func (q *RecordsQuery) readFilter(p *parameters) {
	q.Filter.Nation = p.nation(
		"Only what is about this nation or signed for it; HQ for the coordinators.", events.HQ)
	q.Filter.Operation = p.operation()
	q.Filter.Type = p.value("type",
		"Only this kind of statement, such as pledge.offered, or pledge for all about pledges.",
		&huma.Schema{Type: huma.TypeString})
	if err := q.Filter.Check(); err != nil {
		p.refuseAs("type", q.Filter.Type, err)
	}
	q.Filter.Import = p.value("import",
		"Only what came from the import of this name, such as kiel-tracker.",
		&huma.Schema{Type: huma.TypeString})
	if s := q.Filter.Import; s != "" && !events.IsImportName(s) {
		p.invalid("import", s, "no import can have this name: write lower-case letters, digits, "+
			"hyphens and dots")
	}
	q.Filter.Signer = p.value("signer",
		"Only what the key of this name has signed, such as FRA/paris.",
		&huma.Schema{Type: huma.TypeString})
	if s := q.Filter.Signer; s != "" && events.Key(s).Party() == "" {
		p.invalid("signer", s,
			"no key can have this name: write such as FRA/paris, or HQ/founder for the "+
				"coordinators")
	}
}

// RebuildQuery asks for all projections to be built anew and compared.
type RebuildQuery struct{}

func (*RebuildQuery) read(*parameters) {}

// How many entries a page has when the question does not say, and at most.
const (
	usualPage = 1000
	maxPage   = 10_000
)

// words returns the names of a closed set.
func words[T any](set []T) []string {
	names := make([]string, len(set))
	for i, one := range set {
		names[i] = fmt.Sprint(one)
	}
	return names
}
