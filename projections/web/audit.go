package web

import (
	"context"
	"fmt"

	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/projections"
)

// This file has the questions that auditors and liaisons ask about records.

// LateQuery asks what was recorded late.
type LateQuery struct {
	MomentQuery
	Filter projections.Filter
	Days   int
}

func (q *LateQuery) read(p *parameters) {
	q.MomentQuery.readAsItIs(p)
	q.Filter = p.filter()
	q.Days = usualWithin
	days := p.number("days", "Recorded more than so many days after the date from which it holds; "+
		"30 without it.", 0, events.MaxNotice)
	if p.given["days"] != "" {
		q.Days = int(days)
	}
}

// Late answers what was recorded late.
func (s *Service) Late(ctx context.Context, q *LateQuery) (a projections.LateRecords, err error) {
	return a, s.lookOf(ctx, q.MomentQuery, 0, q.Filter,
		func(p *projections.Picture, m projections.Moment) (err error) {
			a, err = p.Late(ctx, m, q.Filter, q.Days)
			return err
		})
}

// LateTable has a row for each record.
func LateTable(a projections.LateRecords) Table {
	t := Table{Basis: &a.Basis, Head: []string{"record", "recorded", "effective", "days", "nation",
		"operation", "type", "signed by", "what", "pledge"}}
	t.Above = []string{fmt.Sprintf(
		"Recorded about pledges more than %s after the date from which it holds, %s.",
		english.Several(a.MoreThan, "day"), a.Known()), ""}
	for _, r := range a.Records {
		t.Add(r, number(r.Sequence), r.Recorded.UTC().Format(timeForm), r.Effective.String(),
			number(r.Days), string(r.Nation), string(r.Operation), string(r.Type),
			r.Signer, r.Sentence, r.Pledge.String())
	}
	t.Below = []string{english.Several(len(a.Records), "record") + "."}
	return t
}

// PastQuery asks about what was said so far, of pledges on whatever rung, and so never from a day
// that is still to come.
type PastQuery struct{ FilterQuery }

func (q *PastQuery) read(p *parameters) {
	q.MomentQuery.readAsItIs(p)
	q.Filter = p.filter()
}

// Corrections answers what was corrected, by whom and why.
func (s *Service) Corrections(ctx context.Context, q *PastQuery) (projections.Corrections, error) {
	return filtered(ctx, s, &q.FilterQuery,
		func(p *projections.Picture, m projections.Moment) (projections.Corrections, error) {
			return p.Corrections(ctx, m, q.Filter)
		})
}

// CorrectionsTable has a row for each correction.
func CorrectionsTable(a projections.Corrections) Table {
	t := Table{Basis: &a.Basis,
		Head: []string{"record", "recorded", "signed by", "nation", "operation", "mends",
			"what was said", "what is right", "pledge"}}
	t.Above = []string{fmt.Sprintf("Corrections, %s.", a.Known()), ""}
	for _, c := range a.Corrections {
		t.Add(c, number(c.Sequence), c.Recorded.UTC().Format(timeForm), c.Signer, string(c.Nation),
			string(c.Operation), number(c.Mends.Sequence),
			c.Mends.Sentence, c.Sentence, c.Pledge.String())
	}
	t.Below = []string{english.Several(len(a.Corrections), "correction") + "."}
	return t
}

// Delivery answers what was pledged and what was delivered.
func (s *Service) Delivery(ctx context.Context, q *PastQuery) (projections.Deliveries, error) {
	return filtered(ctx, s, &q.FilterQuery,
		func(p *projections.Picture, m projections.Moment) (projections.Deliveries, error) {
			return p.Delivery(ctx, m, q.Filter)
		})
}

// DeliveryTable has a row for each nation, operation and role.
func DeliveryTable(a projections.Deliveries) Table {
	t := Table{Basis: &a.Basis, Head: []string{"nation", "operation", "role", "offered", "deployed",
		"unit", "percent", "ended before",
		"offered to confirmed", "days to confirmed", "longest to confirmed", "not confirmed",
		"offered since",
		"confirmed to deployed", "days to deployed", "longest to deployed", "not deployed",
		"confirmed since"}}
	t.Above = []string{fmt.Sprintf(
		"Pledged and delivered, %s. Days are the median and the longest, of those that came so "+
			"far.", a.Basis), ""}
	for _, d := range a.Deliveries {
		cells := []string{string(d.Nation), string(d.Operation), string(d.Role), d.Offered.String(),
			d.Deployed.String(), string(d.Unit), percentOf(d.Percent), number(d.Ended)}
		for _, s := range []projections.Stage{d.OfferedToConfirmed, d.ConfirmedToDeployed} {
			median, longest := number(s.Median), number(s.Longest)
			if s.Pledges == 0 { // nobody knows how long it takes
				median, longest = "", ""
			}
			cells = append(cells, number(s.Pledges), median, longest, number(s.Waiting),
				s.Oldest.String())
		}
		t.Add(d, cells...)
	}
	if len(a.Deliveries) == 0 {
		t.Below = []string{"Nothing was offered."}
	}
	return t
}

// percentOf writes a part in percent, nothing where it is not known.
func percentOf(part *int) string {
	if part == nil {
		return ""
	}
	return fmt.Sprintf("%d%%", *part)
}

// CountedQuery asks what was counted where for one record.
type CountedQuery struct {
	MomentQuery
	Record uint64
}

func (q *CountedQuery) read(p *parameters) {
	q.Record = p.number("record", "The record's sequence.", 1, events.MaxCount)
	p.must("record", "write the record's sequence, as the receipt tells it")
	q.MomentQuery.read(p)
}

// Counted answers what was counted where for one record.
func (s *Service) Counted(ctx context.Context,
	q *CountedQuery) (a projections.Counting, err error) {
	if last := s.Source.Last(); q.Record > last {
		return a, problem.New(problem.NotFound, "there is no record %d yet: the ledger has %d",
			q.Record, last)
	}
	q.MinSeq = max(q.MinSeq, q.Record)
	return a, s.look(ctx, q.MomentQuery, 0,
		func(p *projections.Picture, m projections.Moment) (err error) {
			a, err = p.Counting(ctx, m, q.Record)
			return err
		})
}

// CountedTable has a row for each rung and each place where the pledge counts, or does not; as of
// the record, and now.
func CountedTable(a projections.Counting) Table {
	t := Table{Basis: &a.Basis, Head: []string{"when", "from the rung", "counted for", "quantity",
		"unit", "why not", "by"}}
	t.Above = []string{fmt.Sprintf("Record %d, recorded %s UTC, signed by %s: %s.",
		a.Record.Sequence, a.Record.Recorded.UTC().Format(timeForm), a.Record.Signer,
		a.Record.Sentence),
		"The pledge: " + PledgeSentence(a.Pledge) + ".", ""}
	now := "now"
	if a.NowOn > a.On { // while its first day lies ahead
		now = "now, for " + a.NowOn.String()
	}
	for _, when := range []struct {
		name string
		all  []projections.CountedAt
	}{{"as of the record", a.Then}, {now, a.Now}} {
		for _, at := range when.all {
			for _, c := range at.Counted {
				t.Add(countedRow{When: when.name, Rung: at.Rung, Counted: &c}, when.name,
					at.Rung.String(), string(c.Line), c.Quantity.String(), string(c.Unit), "",
					decidedBy(&c.Counted))
			}
			for _, n := range at.NotCounted {
				t.Add(countedRow{When: when.name, Rung: at.Rung, NotCounted: &n}, when.name,
					at.Rung.String(), "", n.Quantity.String(), string(n.Unit), n.Sentence, "")
			}
		}
	}
	for i := range a.Later {
		addLater(&t, &a.Later[i])
	}
	t.Below = []string{fmt.Sprintf("Now is %s.", a.Basis)}
	if a.LaterMore {
		t.Below = append(t.Below,
			fmt.Sprintf("It changes on more days after %s: ask with --on a later one.",
				a.Later[len(a.Later)-1].On))
	}
	if a.NowOn > a.On {
		t.Below = append(t.Below,
			fmt.Sprintf("The pledge is there from %s on: what counts now is told for that day.",
				a.NowOn))
	}
	return t
}

// addLater adds where a pledge counts, or does not, from a later day on.
func addLater(t *Table, one *projections.FirstDay) {
	when := fmt.Sprintf("from %s on", one.On)
	for i := range one.Places {
		at := &one.Places[i]
		whyNot, by := at.Sentence, ""
		if at.Line != "" {
			whyNot, by = "", decidedBy(&projections.Counted{By: at.By, Allocation: at.Allocation})
		}
		t.Add(countedRow{When: when, Rung: projections.Offered, Later: one}, when,
			projections.Offered.String(), string(at.Line),
			at.Quantity.String(), string(at.Unit), whyNot, by)
	}
}

// decidedBy says what has decided that a pledge counts for a line: the code, and the allocation
// where it is one.
func decidedBy(c *projections.Counted) string {
	if c.Allocation.IsZero() {
		return string(c.By)
	}
	return string(c.By) + " " + c.Allocation.String()
}

type countedRow struct {
	When       string                  `json:"when"`
	Rung       projections.Rung        `json:"rung"`
	Counted    *projections.CountedFor `json:"counted,omitempty"`
	NotCounted *projections.NotCounted `json:"not_counted,omitempty"`
	Later      *projections.FirstDay   `json:"later,omitempty"`
}
