package page

import (
	"cmp"
	"slices"
	"strings"

	"muster/events"
	"muster/projections"
	"muster/projections/web"
)

// A pledgesPage lists pledges.
type pledgesPage struct {
	*frame
	Pledges []projections.Pledge
	Sort    string
	Down    bool
	// More is set when there are more than are shown.
	More bool
	CSV  string
}

// pledgesSize is how many pledges are shown at most: who looks at more narrows the list, or takes
// it as CSV.
const pledgesSize = 1000

// pledgeOrders are what the list is sorted by, by the name of the column.
var pledgeOrders = map[string]func(a, b *projections.Pledge) int{
	"nation": func(a, b *projections.Pledge) int {
		return strings.Compare(string(a.Nation), string(b.Nation))
	},
	"operation": func(a, b *projections.Pledge) int {
		return strings.Compare(string(a.Operation), string(b.Operation))
	},
	"role": func(a, b *projections.Pledge) int {
		return strings.Compare(string(a.Role), string(b.Role))
	},
	"quantity": func(a, b *projections.Pledge) int {
		return cmp.Or(strings.Compare(string(a.Unit), string(b.Unit)),
			cmp.Compare(number(a.Quantity), number(b.Quantity)))
	},
	"rung":  func(a, b *projections.Pledge) int { return cmp.Compare(a.Rung, b.Rung) },
	"from":  func(a, b *projections.Pledge) int { return cmp.Compare(a.From, b.From) },
	"until": func(a, b *projections.Pledge) int { return cmp.Compare(a.Until, b.Until) },
	"last":  func(a, b *projections.Pledge) int { return cmp.Compare(a.Last, b.Last) },
}

// pledges answers the list of pledges.
func (p *Pages) pledges(f *frame) (any, error) {
	l := &pledgesPage{frame: f}
	if l.Sort, l.Down = strings.TrimPrefix(f.Get("sort"), "-"),
		strings.HasPrefix(f.Get("sort"), "-"); l.Sort != "" && pledgeOrders[l.Sort] == nil {
		return nil, f.oneOf("sort", f.Get("sort"), f.T("problem.sorts"))
	}
	answer, err := ask(f, web.Read[web.PledgesQuery], f.service.Pledges, "limit", pledgesSize)
	if err != nil {
		return nil, err
	}
	f.Basis, l.Pledges, l.More = answer.Basis, answer.Pledges, !answer.Next.IsZero()
	if order := pledgeOrders[l.Sort]; order != nil {
		slices.SortStableFunc(l.Pledges, func(a, b projections.Pledge) int {
			if l.Down {
				return order(&b, &a)
			}
			return order(&a, &b)
		})
	}
	l.CSV = f.Path(web.Root) + "/pledges.csv?" + f.only("as_of", "on", "rung", "operation",
		"nation", "role", "line", "reference", "state", "without", "without_conditional",
		"without_caveated", "discharge").Encode()
	return l, nil
}

// A hangs is what a pledge in the list hangs on, as far as it is shown.
type hangs struct {
	Conditions cut[projections.Condition]
	Caveats    cut[projections.Caveat]
}

// Hangs shows what a pledge hangs on.
func (l *pledgesPage) Hangs(p projections.Pledge) hangs {
	return hangs{cutAt(p.Conditions, maxHanging), cutAt(p.Caveats, maxHanging)}
}

// More is how many conditions and caveats are left out.
func (h hangs) More() int { return h.Conditions.More + h.Caveats.More }

// CanChoose reports whether something can be said of a pledge: it has not ended.
func (l *pledgesPage) CanChoose(p projections.Pledge) bool {
	return p.State == projections.Live || p.State == projections.Ahead
}

// States lists the states that a pledge can be in.
func (l *pledgesPage) States() []projections.State { return projections.States() }

// A sortHead is the head of a column that the list can be sorted by.
type sortHead struct {
	Label   string
	Address any
	Aria    string // for aria-sort
}

// SortHead returns the head of a column.
func (l *pledgesPage) SortHead(column, label string) sortHead {
	h := sortHead{Label: l.T(label), Address: l.Here("sort", column)}
	if l.Sort == column {
		h.Aria = "ascending"
		h.Address = l.Here("sort", "-"+column)
		if l.Down {
			h.Aria, h.Address = "descending", l.Here("sort", column)
		}
	}
	return h
}

// A pledgePage is one pledge: as it stands, what it counts for, and its life on both clocks.
type pledgePage struct {
	*frame
	Pledge   projections.Pledge
	Versions []projections.PledgeVersion
	Life     []projections.LifeEvent
	pledgePlaces
	// First is what it counts for on its own first day, where that lies ahead; nil else.
	First *pledgePlaces
	// Now are what can be said of it now, Desk what the coordinators can say, and Grave what ends
	// it or takes it off.
	Now, Grave []act
	Desk       []events.Type
}

// A pledgePlaces is what a pledge counts for on a day, and what of it counts for nothing.
type pledgePlaces struct {
	On     events.Date
	Counts []countedFor
	Left   []projections.NotCounted
}

// A countedFor is a pledge in the supply of a line.
type countedFor struct {
	Line     events.Line
	Quantity events.Quantity
	Unit     events.Unit
	By       projections.CountedBy
	At       []uint64 // the records that make it so
}

// pledge answers the page of one pledge.
func (p *Pages) pledge(f *frame) (any, error) {
	v, err := ask(f, web.Read[web.PledgeQuery], f.service.Versions, "id", f.id)
	if err != nil {
		return nil, err
	}
	one := &pledgePage{frame: f, Pledge: v.Pledge, Versions: v.Versions, Life: v.Life}
	c, err := ask(f, web.Read[web.CoverageQuery], f.service.Coverage, "operation",
		v.Pledge.Operation, "role", "", "differences", "")
	if err != nil {
		return nil, err
	}
	f.Basis = c.Basis
	one.place(&c, v.Pledge.ID)
	if first := max(v.Pledge.From, v.Pledge.Since); first > f.Basis.On && !f.Basis.IsRange() {
		c, err := ask(f, web.Read[web.CoverageQuery], f.service.Coverage, "operation",
			v.Pledge.Operation, "role", "", "differences", "", "on", first)
		if err != nil {
			return nil, err
		}
		one.First = &pledgePlaces{On: first}
		one.First.place(&c, v.Pledge.ID)
	}
	return one, one.readActs()
}

// LifeCSV and VersionsCSV are where the API gives all rows.
func (p *pledgePage) LifeCSV() string { return p.csv("pledges/"+p.id, pledgeTakes) }

// VersionsCSV: see [pledgePage.LifeCSV].
func (p *pledgePage) VersionsCSV() string { return p.csv("pledges/"+p.id+"/versions", pledgeTakes) }

var pledgeTakes = []string{"as_of", "on", "discharge"}

// ShownLife and ShownVersions are the latest of the pledge's life.
func (p *pledgePage) ShownLife() cut[projections.LifeEvent] { return cutBefore(p.Life, maxListed) }

// ShownVersions: see [pledgePage.ShownLife].
func (p *pledgePage) ShownVersions() cut[projections.PledgeVersion] {
	return cutBefore(p.Versions, maxListed)
}

// Conditions, Caveats and Allocations are the latest of those that the pledge has.
func (p *pledgePage) Conditions() cut[projections.Condition] {
	return cutBefore(p.Pledge.Conditions, maxListed)
}

// Caveats: see [pledgePage.Conditions].
func (p *pledgePage) Caveats() cut[projections.Caveat] {
	return cutBefore(p.Pledge.Caveats, maxListed)
}

// Allocations: see [pledgePage.Conditions].
func (p *pledgePage) Allocations() cut[projections.Allocation] {
	return cutBefore(p.Pledge.Allocations, maxListed)
}

// Queries: see [pledgePage.Conditions].
func (p *pledgePage) Queries() cut[projections.Query] {
	return cutBefore(p.Pledge.Queries, maxListed)
}

// place finds where a pledge counts.
func (p *pledgePlaces) place(c *web.Coverage, id events.ID) {
	for i := range c.Lines {
		l := &c.Lines[i]
		for _, counted := range l.Counted {
			if counted.Pledge == id {
				p.Counts = append(p.Counts,
					countedFor{l.Line, counted.Quantity, l.Unit, counted.By, counted.Sequences})
			}
		}
	}
	for _, n := range c.NotCounted {
		if n.Pledge == id {
			p.Left = append(p.Left, n)
		}
	}
}

// A placed is what a pledge counts for, as its template shows it.
type placed struct {
	P  *pledgePage
	Of *pledgePlaces
}

// Placed shows what the pledge counts for on the day looked at, PlacedFirst on its first day.
func (p *pledgePage) Placed() placed { return placed{p, &p.pledgePlaces} }

// PlacedFirst: see [pledgePage.Placed].
func (p *pledgePage) PlacedFirst() placed { return placed{p, p.First} }
