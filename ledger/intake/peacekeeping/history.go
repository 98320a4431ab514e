package peacekeeping

import (
	"io"
	"maps"
	"slices"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake/reconcile"
)

// The roles of a peace operation, all counted in personnel.
const (
	Troops       events.Role = "troops"
	Police       events.Role = "police"        // individual police
	FormedPolice events.Role = "formed-police" // formed police units
	Experts      events.Role = "experts"       // experts on mission
)

// Personnel is the unit of every role.
const Personnel events.Unit = "personnel"

// roles are the catalogue of every mission, in the order of [groups].
var roles = []events.RoleDefinition{
	{Role: Troops, Title: "Troops", Units: []events.Unit{Personnel}},
	{Role: Police, Title: "Individual police", Units: []events.Unit{Personnel}},
	{Role: FormedPolice, Title: "Formed police units", Units: []events.Unit{Personnel}},
	{Role: Experts, Title: "Experts on mission", Units: []events.Unit{Personnel}},
}

// A History is a table of contributions after cleaning.
type History struct {
	// Report says what was cleaned, and how the sums compare with those that were published.
	Report Report
	// Gone is what becomes of contributions that are recorded and of which the file says nothing,
	// one of [GoneChoices]; "" leaves them. Reason stands in what strikes them.
	Gone   reconcile.Choice
	Reason string

	months []events.Date               // every month of the file, in order
	people map[contribution][]int64    // how many, by the index of the month
	titles map[events.Operation]string // the missions
}

// A contribution is what has a series of numbers of its own.
type contribution struct {
	mission events.Operation
	nation  events.Nation
	role    events.Role
}

// Read reads and cleans a table of contributions. Declared returns the organisations that an
// operation declares, none for one that is not there; it is asked of each mission where a name is
// no nation's, and nil declares none. The error is a [problem.Problem] with the lines that cannot
// be cleaned, at most the first twenty, unless r itself failed.
func Read(r io.Reader, declared func(events.Operation) events.Organisations) (*History, error) {
	c := newCleaner()
	if declared != nil {
		c.declared = declared
	}
	cut := func(line int, message string) { c.fault(line, "", "", message) }
	if err := readRows(r, c.row, cut); err != nil {
		return nil, err
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	if len(c.rows) == 0 {
		return nil, problem.New(problem.Invalid,
			"the file has a header, and no row of a contributor and a mission")
	}
	h := c.history()
	return h, h.Report.complete()
}

// history makes the series of the rows that were kept.
func (c *cleaner) history() *History {
	h := &History{Report: c.report, people: map[contribution][]int64{}, titles: c.titles}
	index := map[events.Date]int{}
	// A month that has nothing but totals does not say that everybody has left.
	for at := range c.rows {
		index[at.month] = 0
	}
	h.months = slices.Sorted(maps.Keys(index))
	for i, m := range h.months {
		index[m] = i
	}
	for at, n := range c.rows {
		for i, role := range roles {
			if n.total[i] == 0 {
				continue
			}
			key := contribution{at.mission, at.nation, role.Role}
			if h.people[key] == nil {
				h.people[key] = make([]int64, len(h.months))
			}
			h.people[key][index[at.month]] = n.total[i]
		}
	}
	h.Report.finish(c, h)
	return h
}

// Months returns the dates of the file's months, as published, in order.
func (h *History) Months() []events.Date { return slices.Clone(h.months) }

// StrengthOn returns how many people were there on a date, by the last month that was published
// until then; 0 before the first.
func (h *History) StrengthOn(on events.Date) int64 {
	i, found := slices.BinarySearch(h.months, on)
	if !found {
		i--
	}
	if i < 0 {
		return 0
	}
	return h.sum(i)
}

// sum returns how many people were there in a month, by its index.
func (h *History) sum(month int) (n int64) {
	for _, series := range h.people {
		n += series[month]
	}
	return n
}
