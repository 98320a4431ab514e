package web

import (
	"context"
	"strconv"
	"strings"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
)

// A Service answers questions from a projector's picture and from the log beside it. It may be used concurrently.
type Service struct {
	// Projector keeps the picture.
	Projector *projections.Projector
	// Source is where the projector reads from: the log itself.
	Source projections.Source
	// Today tells the date that questions about no date are about.
	Today func() events.Date

	rebuilding chan struct{} // capacity 1: one rebuild at a time
}

// NewService returns a service whose today is the clock's, in UTC.
func NewService(p *projections.Projector, s projections.Source) *Service {
	return &Service{Projector: p, Source: s, Today: func() events.Date { return events.DateOf(time.Now()) }, rebuilding: make(chan struct{}, 1)}
}

// MomentQuery is from where a question looks: the two clocks, and the record that must be in the picture first.
type MomentQuery struct {
	AsOf   string `query:"as_of" json:"as_of,omitempty" doc:"What was known then: a sequence, or a time as 2026-11-23T12:00:00Z or 2026-11-23 (its end). Without it, all there is."`
	On     string `query:"on" json:"on,omitempty" doc:"What applies on that date, such as 2026-11-23. Without it, today (UTC)."`
	MinSeq uint64 `query:"min_seq" json:"min_seq,omitempty" doc:"Wait until this record is in the picture: read what you wrote."`
}

// RungQuery adds the rung from which pledges count.
type RungQuery struct {
	Rung string `query:"rung" json:"rung,omitempty" doc:"Count pledges from this rung on: indicated, offered (without it), accepted, confirmed, deployed."`
}

// FilterQuery narrows a question.
type FilterQuery struct {
	Operation string `query:"operation" json:"operation,omitempty" doc:"An operation, such as mnf-u."`
	Nation    string `query:"nation" json:"nation,omitempty" doc:"A nation's code, such as FRA."`
	Role      string `query:"role" json:"role,omitempty" doc:"A role, such as ground."`
}

// minSeqTimeout is how long a question waits for the record that it asks to be in the picture.
const minSeqTimeout = 10 * time.Second

// look waits for the record asked for, and shows the picture with the moment that the parameters name.
func (s *Service) look(ctx context.Context, q MomentQuery, rung string, answer func(*projections.Picture, projections.Moment) error) error {
	if q.MinSeq > 0 {
		ctx, cancel := context.WithTimeout(ctx, minSeqTimeout)
		defer cancel()
		if err := s.Projector.WaitFor(ctx, q.MinSeq); err != nil {
			return err
		}
	}
	return s.Projector.View(func(p *projections.Picture) error {
		m, err := s.moment(p, q, rung)
		if err != nil {
			return err
		}
		return answer(p, m)
	})
}

func (s *Service) moment(p *projections.Picture, q MomentQuery, rung string) (m projections.Moment, err error) {
	var bad []problem.Field
	note := func(location, value string, err error) {
		if err == nil {
			return
		}
		f := problem.Field{Location: location, Value: value, Message: err.Error()}
		if fields := problem.From(err).Fields; len(fields) == 1 {
			f.Message = fields[0].Message // it names the same parameter
		}
		bad = append(bad, f)
	}
	m.AsOf, err = sequenceAt(p, q.AsOf)
	note("as_of", q.AsOf, err)
	if q.On != "" {
		m.On, err = events.ParseDate(q.On)
		note("on", q.On, err)
	} else if q.AsOf == "" {
		m.On = s.Today() // a question about an old moment is about the day of its last record
	}
	m.Rung, err = projections.ParseRung(rung)
	note("rung", rung, err)
	return m, problem.OfFields(bad)
}

// sequenceAt reads as_of: a sequence, a time, or a date, which means its end.
func sequenceAt(p *projections.Picture, asOf string) (uint64, error) {
	if asOf == "" {
		return 0, nil
	}
	if n, err := strconv.ParseUint(asOf, 10, 64); err == nil {
		if n == 0 {
			return 0, problem.New(problem.Invalid, "the first record is 1")
		}
		return n, nil
	}
	t, err := parseTime(asOf)
	if err != nil {
		return 0, err
	}
	n := p.SequenceAt(t)
	if n == 0 {
		return 0, problem.New(problem.Invalid, "nothing was recorded yet at that time")
	}
	return n, nil
}

func parseTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	if d, err := events.ParseDate(s); err == nil {
		return d.AddDays(1).Time().Add(-time.Microsecond), nil
	}
	return time.Time{}, problem.New(problem.Invalid, "write a sequence such as 17, a time such as 2026-11-23T12:00:00Z, or a date such as 2026-11-23")
}

// filter checks that what is filtered by could be there, so that a slip is not answered with nothing.
func (q FilterQuery) filter() (projections.Filter, error) {
	var bad []problem.Field
	if n := events.Nation(q.Nation); n != "" && !n.Known() {
		bad = append(bad, problem.Field{Location: "nation", Value: q.Nation, Message: "not a nation's code in capitals, such as FRA"})
	}
	if o := events.Operation(q.Operation); o != "" && !o.Valid() {
		bad = append(bad, problem.Field{Location: "operation", Value: q.Operation, Message: "no operation can have this name: write lower-case letters, digits and hyphens"})
	}
	if r := events.Role(q.Role); r != "" && !r.Valid() {
		bad = append(bad, problem.Field{Location: "role", Value: q.Role, Message: "no role can have this name: write lower-case letters, digits and hyphens"})
	}
	f := projections.Filter{Operation: events.Operation(q.Operation), Nation: events.Nation(q.Nation), Role: events.Role(q.Role)}
	return f, problem.OfFields(bad)
}

// known refuses an operation or role that the ledger does not have at the moment: an empty answer would mislead.
func known(p *projections.Picture, m projections.Moment, f projections.Filter) error {
	ops, err := p.Operations(m)
	if err != nil || (f.Operation == "" && f.Role == "") {
		return err
	}
	var names []string
	found := false
	for _, c := range ops.Operations {
		if f.Operation != "" && c.Operation != f.Operation {
			names = append(names, string(c.Operation))
			continue
		}
		found = true
		terms := c.Terms()
		if _, ok := terms.Units(f.Role); ok || f.Role == "" {
			return nil
		}
	}
	if !found {
		p := problem.New(problem.NotFound, "there is no operation %s in this ledger", f.Operation)
		if len(names) > 0 && len(names) <= 30 {
			p = p.WithHint("there is %s", strings.Join(names, ", "))
		}
		return p
	}
	return problem.New(problem.NotFound, "there is no role %s in the catalogue%s", f.Role, ofOperation(f.Operation))
}

func ofOperation(o events.Operation) string {
	if o == "" {
		return " of any operation"
	}
	return " of " + string(o)
}
