package peacekeeping

import (
	"cmp"
	"crypto/sha256"
	"maps"
	"slices"
	"strings"

	"muster/events"
)

// Source names the table that this package was made for. It goes into every statement, unless the
// caller says another.
const Source = "International Peace Institute, Providing for Peacekeeping, from the monthly " +
	"reports of the United Nations"

// A Month is what there is to say of one month, in that order.
type Month struct {
	// Date is the month's date as published. All the statements are effective from it.
	Date events.Date
	// Statements are complete but for their signatures: first the missions that begin, then the
	// contributions that change.
	Statements []events.Statement
}

// Statements returns what the history says, month by month, for the ledger with the given origin.
// Months in which nothing changed are there, empty. The same history, origin and source give the
// same statements, with the same IDs, every time.
func (h *History) Statements(origin events.Origin, source string) []Month {
	m := maker{origin, cmp.Or(source, Source), map[contribution]events.ID{}}
	keys := slices.SortedFunc(maps.Keys(h.people), func(a, b contribution) int {
		return cmp.Or(cmp.Compare(a.nation, b.nation), cmp.Compare(a.mission, b.mission),
			cmp.Compare(a.role, b.role))
	})
	begin := h.beginnings()
	months := make([]Month, len(h.months))
	for i, date := range h.months {
		months[i].Date = date
		for _, mission := range begin[i] {
			months[i].Statements = append(months[i].Statements,
				m.opened(date, mission, h.titles[mission]))
		}
		for _, key := range keys {
			before := int64(0)
			if i > 0 {
				before = h.people[key][i-1]
			}
			if now := h.people[key][i]; now != before {
				months[i].Statements = append(months[i].Statements,
					m.changed(date, key, before, now))
			}
		}
	}
	return months
}

// beginnings returns the missions, in order, by the index of the first month that has anybody in
// them.
func (h *History) beginnings() map[int][]events.Operation {
	first := map[events.Operation]int{}
	for key, series := range h.people {
		i := slices.IndexFunc(series, func(n int64) bool { return n > 0 })
		if before, ok := first[key.mission]; !ok || i < before {
			first[key.mission] = i
		}
	}
	begin := map[int][]events.Operation{}
	for _, mission := range slices.Sorted(maps.Keys(first)) {
		begin[first[mission]] = append(begin[first[mission]], mission)
	}
	return begin
}

// A maker makes statements, and remembers the pledges that are alive.
type maker struct {
	origin events.Origin
	source string
	alive  map[contribution]events.ID
}

func (m *maker) opened(date events.Date, mission events.Operation, title string) events.Statement {
	return &events.OperationOpened{
		Header: m.header("operation.opened", date,
			contribution{mission: mission, nation: events.HQ}),
		Dated: events.Dated{Effective: date},
		OperationTerms: events.OperationTerms{
			Operation: mission, Title: title + ", peace operation of the United Nations",
			Note: "Strength as published: " + m.source, Roles: slices.Clone(roles),
		},
	}
}

// changed says that there are now so many, and were another number before.
func (m *maker) changed(date events.Date, key contribution, before, now int64) events.Statement {
	dated := events.Dated{Effective: date}
	at := events.Place{Operation: key.mission, Nation: key.nation}
	strength := events.Strength{Quantity: events.Count(now), Unit: Personnel}
	if before == 0 {
		s := &events.PledgeObserved{Header: m.header("pledge.observed", date, key),
			Dated: dated, Place: at,
			Role: key.role, Strength: strength, Source: m.source}
		m.alive[key] = s.ID
		return s
	}
	step := events.PledgeStep{Dated: dated, Place: at,
		Step: events.Step{Pledge: m.alive[key], Source: m.source}}
	if now == 0 {
		step.Header = m.header("pledge.returned", date, key)
		return &events.PledgeReturned{PledgeStep: step}
	}
	step.Header = m.header("pledge.reported", date, key)
	return &events.PledgeReported{PledgeStep: step, Strength: strength}
}

// header gives a statement its ID, of the month and of a digest of what the statement is about. The
// digest's text is frozen: a ledger that has imported a file knows its statements by their IDs.
func (m *maker) header(t events.Type, date events.Date, key contribution) events.Header {
	text := strings.Join([]string{
		"muster peacekeeping 1", string(m.origin), string(key.nation), string(key.mission),
		string(key.role), date.String(), string(t),
	}, "\n")
	sum := sha256.Sum256([]byte(text))
	// An ID holds no time before 1970; the date is in the digest, too. Every date that can be read
	// fits at the other end, and an ID that could not be made would be zero, which no ledger takes.
	id, _ := events.IDAt(uint64(max(date.Time().UnixMilli(), 0)), [10]byte(sum[:10]))
	return events.Header{Type: t, ID: id, Ledger: m.origin}
}
