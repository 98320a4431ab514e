package web

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"muster/events"
	"muster/events/phrase"
	"muster/projections"
	"muster/projections/web/tabular"
)

// A calendar has what has a day as an event of that day (RFC 5545), with an alarm before. What
// waits and has no day is in none.
//
// An event has the same UID as long as it is the same thing of the same pledge, so that a calendar
// that is loaded again moves it, and its SEQUENCE is the last record that may have changed it. What
// was to be, as known once, and is no more is in it as CANCELLED until its day has passed: so it
// ends also where a calendar was loaded into another one, and not followed. All of that follows
// from the records: see [projections.Picture.Agenda].
type calendar struct {
	*ics.Calendar
	to     io.Writer
	origin string
	server string // its address, "" where nobody knows
	told   teller
}

// alarmBefore is how long before its day an event is told of.
const alarmBefore = "-P7D"

// entrySummaries say in few words what is on a day.
var entrySummaries = map[projections.DueKind]phrase.Text{
	projections.LapsesSoon:     "lapses unless renewed",
	projections.EndsUnrelieved: "ends, and nobody relieves it",
	projections.WaitsForReply:  "a question is to be answered",
	projections.Begins:         "begins",
}

// summary says in few words what is on its day, and of which pledge.
func summary(e *projections.Entry) phrase.Phrase {
	what := entrySummaries[e.Kind].Phrase()
	switch e.Kind {
	case projections.HandOverDay:
		what = phrase.Of("is relieved by %s", e.Of)
	case projections.HappensBefore:
		what = phrase.Of("hangs on %s, which has to have happened", e.Of)
	}
	return phrase.Of("%s, %s: %s", e.Nation, e.Role, what)
}

// listAgenda gives the entries of a calendar, in place of the rows of the question what is due.
func listAgenda(ctx context.Context, s *Service, asked any, write writePage) error {
	q := *asked.(*DueQuery)
	answer := func(ctx context.Context, s *Service, q *DueQuery) (projections.Agenda, error) {
		does := s.workOfQuestion("due", false)
		a, err := s.agenda(projections.WithBudget(ctx, does.budget), q)
		return a, AskLess(s.WhyEnded(ctx, err), []string{"operation", "nation", "role", "within"})
	}
	return listPages(ctx, s, &q, answer, agendaTable, write)
}

// agenda answers what has a day.
func (s *Service) agenda(ctx context.Context, q *DueQuery) (a projections.Agenda, err error) {
	return a, s.lookOf(ctx, q.MomentQuery, 0, q.Filter,
		func(p *projections.Picture, m projections.Moment) (err error) {
			a, err = p.Agenda(ctx, m, q.Filter, q.Within)
			return err
		})
}

func agendaTable(a projections.Agenda) Table {
	t := Table{Basis: &a.Basis}
	for _, e := range a.Entries {
		t.Add(e)
	}
	return t
}

func beginCalendar(w io.Writer, first Table, facts []tabular.Fact) (rowsFile, error) {
	c := &calendar{Calendar: ics.NewCalendar(), to: w, told: first.told}
	for _, f := range facts {
		switch f.Name {
		case "ledger":
			c.origin = f.Value
		case serverFact:
			c.server = f.Value
		}
	}
	c.SetProductId("-//Muster//Due//" + strings.ToUpper(c.told.lang()))
	c.SetMethod(ics.MethodPublish)
	c.SetName(c.told.tell(phrase.Of("Muster: what is due in %s", c.origin)))
	if view := first.view(); view != "" {
		c.SetDescription(c.told.tell(counted(view)))
	}
	return c, nil
}

func (c *calendar) write(page Table) error {
	for _, r := range page.Rows {
		if e, ok := r.Value.(projections.Entry); ok {
			c.add(&e)
		}
	}
	return nil
}

// add adds an event.
func (c *calendar) add(e *projections.Entry) {
	uid := fmt.Sprintf("%s-%s", e.Pledge, e.Kind)
	if e.Key != "" {
		uid += "-" + e.Key
	}
	said := summary(e)
	v := c.AddEvent(uid + "@" + c.origin)
	v.SetDtStampTime(e.Recorded)
	v.SetModifiedAt(e.Recorded)
	v.SetSequence(int(e.Sequence))
	v.SetAllDayStartAt(day(e.Day))
	v.SetAllDayEndAt(day(e.Day.AddDays(1)))
	v.SetTimeTransparency(ics.TransparencyTransparent)
	v.SetDescription(c.told.tell(e.Said))
	if c.server != "" {
		v.SetURL(fmt.Sprintf("%s/pledges/%s", c.server, e.Pledge))
	}
	if e.Cancelled {
		v.SetStatus(ics.ObjectStatusCancelled)
		v.SetSummary(c.told.tell(phrase.Of("Cancelled: %s", said)))
		return
	}
	v.SetStatus(ics.ObjectStatusConfirmed)
	v.SetSummary(c.told.tell(said))
	alarm := v.AddAlarm()
	alarm.SetAction(ics.ActionDisplay)
	alarm.SetTrigger(alarmBefore)
	alarm.SetProperty(ics.ComponentPropertyDescription, c.told.tell(said))
}

func day(d events.Date) time.Time { return d.Time() }

func (c *calendar) close() error { return c.SerializeTo(c.to) }

func (*calendar) discard() {}
