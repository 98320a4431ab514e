package peacekeeping

import (
	"fmt"
	"strconv"
	"strings"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake/sheet"
)

// all stands for every contributor or every mission: the row is a total.
const all = "all"

// maxPeople is more than anybody ever sent; what is beyond it is a slip.
const maxPeople = 1_000_000_000

// A cleaner takes the rows of a table, one by one, and keeps what is left of them.
type cleaner struct {
	report Report
	faults sheet.Faults

	rows      map[place]numbers
	published map[events.Date]total       // the totals of everything
	dates     map[events.Date]int         // the line that a date is first in
	titles    map[events.Operation]string // missions as they are written
	spelling  map[string]events.Nation    // contributors as they are written
	unknown   map[nameIn]string           // what is wrong with names
	operation map[string]events.Operation // the operation of a mission
	nation    map[coded]events.Nation     // the nation of a code and name
	inMonth   map[events.Date]events.Date // the date of a month, by its first day

	declared func(events.Operation) events.Organisations
}

// A nameIn is a contributor's name, in the operation that it stands with, whose organisations may
// have it. With the code in front of it, it is coded.
type nameIn struct {
	operation events.Operation
	name      string
}

type coded struct {
	code string
	nameIn
}

// A place is where a row belongs; no two rows may say different things of one.
type place struct {
	month   events.Date
	nation  events.Nation
	mission events.Operation
}

// numbers are what a row says: men, women and in total, by groups.
type numbers struct {
	line              int
	men, women, total [5]int64
	na                int
}

type total struct {
	line int
	n    int64
}

func newCleaner() *cleaner {
	return &cleaner{
		rows: map[place]numbers{}, published: map[events.Date]total{}, dates: map[events.Date]int{},
		titles: map[events.Operation]string{}, spelling: map[string]events.Nation{},
		unknown: map[nameIn]string{}, operation: map[string]events.Operation{},
		nation:   map[coded]events.Nation{},
		inMonth:  map[events.Date]events.Date{},
		declared: func(events.Operation) events.Organisations { return nil },
	}
}

// fault records what is wrong with a line.
func (c *cleaner) fault(line int, column, value, message string) {
	c.faults.Add(sheet.Row{Line: line}.Place(),
		problem.Field{Location: column, Value: value, Message: message})
}

func (c *cleaner) err() error { return c.faults.Err() }

// row takes one row of the table.
func (c *cleaner) row(l layout, line int, cells []string, stray bool) {
	c.report.Rows++
	if stray {
		c.report.Apostrophes++
	}
	month, ok := c.month(line, cells[l.date])
	if !ok {
		return
	}
	everybody, everywhere := strings.EqualFold(cells[l.name], all),
		strings.EqualFold(cells[l.mission], all)
	if everybody || everywhere {
		c.report.Totals++
		if everybody && everywhere {
			c.publish(line, month, cells[l.total[4]])
		}
		return
	}
	mission, ok2 := c.mission(line, cells[l.mission])
	nation, ok := c.contributor(line, cells[l.code], nameIn{mission, cells[l.name]})
	n, ok3 := c.numbers(l, line, cells)
	if ok && ok2 && ok3 {
		c.keep(place{month, nation, mission}, n)
	}
}

// keep keeps a row, if it was not there before.
func (c *cleaner) keep(at place, n numbers) {
	before, again := c.rows[at]
	switch {
	case !again:
		c.rows[at] = n
		c.report.NA += n.na
		if !n.gendersAddUp() {
			c.report.MenAndWomen++
		}
	case before.men == n.men && before.women == n.women && before.total == n.total:
		c.report.Repeated++
	default:
		c.fault(n.line, "", "",
			fmt.Sprintf("says something else of %s in %s than line %d does, for the same month: "+
				"take out the wrong one",
				at.nation, strings.ToUpper(string(at.mission)), before.line))
	}
}

func (n *numbers) gendersAddUp() bool {
	for i := range n.total {
		if n.men[i]+n.women[i] != n.total[i] {
			return false
		}
	}
	return true
}

// month reads a date. A month has one date, or its rows would be taken for two months.
func (c *cleaner) month(line int, text string) (events.Date, bool) {
	date, err := events.ParseDate(text)
	if err != nil {
		c.fault(line, colDate, text, "write the last day of the month, such as 2014-02-28")
		return 0, false
	}
	first := date - date%100 + 1
	before, known := c.inMonth[first]
	if known && before != date {
		c.fault(line, colDate, text,
			fmt.Sprintf("the month has the date %s in line %d: give all its rows one date", before,
				c.dates[before]))
		return 0, false
	}
	if !known {
		c.inMonth[first], c.dates[date] = date, line
	}
	return date, true
}

// publish keeps a published total of everything.
func (c *cleaner) publish(line int, month events.Date, cell string) {
	n, _, ok := people(cell)
	if !ok {
		c.fault(line, "Total_Total", cell, notPeople)
		return
	}
	if before, again := c.published[month]; again && before.n != n {
		c.fault(line, "Total_Total", cell,
			fmt.Sprintf("the total of all in this month is %d in line %d: take out the wrong one",
				before.n, before.line))
		return
	}
	c.published[month] = total{line, n}
}

// contributor finds the nation by its code, or by its name where there is no code; or an
// organisation of the mission. The two must not contradict each other.
func (c *cleaner) contributor(line int, code string, in nameIn) (events.Nation, bool) {
	if n, ok := c.nation[coded{code, in}]; ok {
		return n, true
	}
	name := in.name
	n, byCode := events.Nation(code), events.Nation(code).Valid()
	named, byName := c.find(in)
	switch {
	case byCode && byName && n != named:
		c.fault(line, colCode, code,
			fmt.Sprintf("is not the code of %s, which is %s: mend one of them", name, named))
		return "", false
	case !byCode && code != "" && code != "NA":
		c.fault(line, colCode, code,
			"no code of ISO 3166-1 that is known here: mend it, or leave it empty to go by the "+
				"name")
		return "", false
	case !byCode && !byName:
		c.fault(line, colName, name, c.unknownName(in))
		return "", false
	case !byCode:
		n = named
	}
	c.nation[coded{code, in}] = n
	if name != n.Name() {
		c.spelling[name] = n
	}
	return n, true
}

// find finds a nation, or an organisation that the mission declares.
func (c *cleaner) find(in nameIn) (events.Nation, bool) {
	if n, ok := events.FindNation(in.name); ok {
		return n, true
	}
	return c.declared(in.operation).Find(in.name)
}

// unknownName says what is wrong with a name, and looks once for names that are near to it.
func (c *cleaner) unknownName(in nameIn) string {
	message, known := c.unknown[in]
	if !known {
		if _, err := c.declared(in.operation).Parse(in.name); err != nil {
			message = err.Error() + "; the code goes into the column " + colCode
		}
		c.unknown[in] = message
	}
	return message
}

// mission finds the operation that a mission is: its name in lower case.
func (c *cleaner) mission(line int, name string) (events.Operation, bool) {
	if o, ok := c.operation[name]; ok {
		return o, true
	}
	o := events.Operation(strings.ToLower(name))
	if !o.Valid() {
		c.fault(line, colMission, name,
			"write the mission's short name in letters, digits and hyphens, at most 32, such as "+
				"MINUSMA")
		return "", false
	}
	c.operation[name], c.titles[o] = o, strings.ToUpper(name)
	return o, true
}

const notPeople = "write a whole number of people, or NA for none"

// people reads a number of people. NA means none, as 0 does.
func people(cell string) (n int64, na, ok bool) {
	if cell == "NA" {
		return 0, true, true
	}
	n, err := strconv.ParseInt(cell, 10, 64)
	return n, false, err == nil && n >= 0 && n <= maxPeople
}

// numbers reads all the numbers of a row, whose roles must add up to its total.
func (c *cleaner) numbers(l layout, line int, cells []string) (numbers, bool) {
	n, good := numbers{line: line}, true
	for i := range groups {
		for _, to := range []struct {
			n      *int64
			column int
			end    string
		}{{&n.men[i], l.men[i], "_Male"}, {&n.women[i], l.women[i], "_Female"},
			{&n.total[i], l.total[i], "_Total"}} {
			count, na, ok := people(cells[to.column])
			if !ok {
				c.fault(line, groups[i]+to.end, cells[to.column], notPeople)
				good = false
			}
			if na {
				n.na++
			}
			*to.n = count
		}
	}
	if sum := n.total[0] + n.total[1] + n.total[2] + n.total[3]; good && sum != n.total[4] {
		c.fault(line, "Total_Total", cells[l.total[4]],
			fmt.Sprintf("the roles add up to %d: the row is damaged or cut, get the file again",
				sum))
		good = false
	}
	return n, good
}
