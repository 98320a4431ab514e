package projections

import "muster/events"

// A matcher says which of some requirements, those in force on one day, a pledge counts for that
// has no allocation on it. Whatever sums, lists or compares what counts asks a matcher, so that all
// agree.
//
// A pledge fits a line of its operation that asks for its role in its unit, where both name the
// same area or one of them names none. Where it fits several, these steps decide, and the first
// that does is told with the number:
//
//	lines                      pledge                   counts for
//	north (in north), reserve  in north, for reserve    reserve, which it names
//	north (in north)           in north, for reserve    north, the only one that it fits
//	north (in north), reserve  in north                 north, the only one in its area
//	north (in north), reserve  in south                 reserve, the only one that it fits
//	n1, n2 (in north), reserve in north                 none: it waits at n1 and n2
//	reserve, pool              in north                 none: it waits at both
//	north (in north), reserve  anywhere                 none: it waits at both
//
// So the line that names the area goes before one that names none, which takes what fits no other;
// and forces that may be used anywhere fit each line alike, until somebody says where.
type matcher struct {
	lines  []wantedLine
	asking map[sought][]int  // the lines of each operation and role
	named  map[namedLine]int // the lines by their names
}

// A wantedLine is what a matcher knows of a requirement.
type wantedLine struct {
	sought
	area events.Area
	unit events.Unit
}

// A sought is what lines ask for.
type sought struct {
	operation events.Operation
	role      events.Role
}

type namedLine struct {
	operation events.Operation
	line      events.Line
}

// A CountedBy says why a pledge counts for the line for which it does. Codes are added, never
// renamed.
type CountedBy string

// The steps, in the order in which they are tried.
const (
	ByAllocation CountedBy = "allocation" // so much of it is allocated to the line
	ByName       CountedBy = "named"      // it names the line, and fits it
	ByFit        CountedBy = "only-line"  // it fits no other
	ByArea       CountedBy = "area"       // among those that it fits, no other names its area
)

// A match says where pledges of a kind belong.
type match struct {
	only int       // the line that they count for, or -1
	by   CountedBy // why they do
	// fits are the lines that they may be meant for: the one that they count for, or, where it is
	// not clear which that is, each of those at which they wait for an allocation.
	fits []int
	near []int // those that they would fit in another unit
}

func newMatcher() *matcher {
	return &matcher{asking: map[sought][]int{}, named: map[namedLine]int{}}
}

// add adds a requirement, which has the next number from 0 on.
func (m *matcher) add(q *Requirement) {
	at, what := len(m.lines), sought{q.Operation, q.Role}
	m.asking[what] = append(m.asking[what], at)
	m.named[namedLine{q.Operation, q.Line}] = at
	m.lines = append(m.lines, wantedLine{what, q.Area, q.Unit})
}

// match finds where a kind belongs. It looks at each line of the kind's role once, or at the one
// that the kind names.
func (m *matcher) match(k *kind) match {
	what := sought{k.operation.name, k.role}
	if at, ok := m.named[namedLine{what.operation, k.line}]; ok && m.lines[at].fits(what, k) {
		return match{only: at, by: ByName, fits: []int{at}}
	}
	found := match{only: -1, by: ByFit}
	var inArea []int // those of the lines it fits that name its area
	for _, at := range m.asking[what] {
		switch l := &m.lines[at]; {
		case l.fits(what, k):
			found.fits = append(found.fits, at)
			if k.area != "" && l.area == k.area {
				inArea = append(inArea, at)
			}
		case compatible(l.area, k.area):
			found.near = append(found.near, at)
		}
	}
	if len(found.fits) > 1 && len(inArea) > 0 {
		found.by, found.fits = ByArea, inArea
	}
	if len(found.fits) == 1 {
		found.only = found.fits[0]
	}
	return found
}

// fits reports whether forces of a kind can fill the line.
func (l *wantedLine) fits(what sought, k *kind) bool {
	return l.sought == what && l.unit == k.unit && compatible(l.area, k.area)
}

// compatible reports whether forces for one area can fill a line for the other. The empty area is
// anywhere.
func compatible(a, b events.Area) bool { return a == b || a == "" || b == "" }
