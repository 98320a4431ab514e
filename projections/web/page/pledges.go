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
	l.CSV = web.Root + "/pledges.csv?" + f.only("as_of", "on", "rung", "operation", "nation",
		"role", "line", "reference", "state", "without", "without_conditional", "without_caveated",
		"discharge").
		Encode()
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
	// Counts are what it counts for, and Left what of it counts for nothing.
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
	one.place(&c)
	return one, nil
}

// LifeCSV and VersionsCSV are where the API gives all rows.
func (p *pledgePage) LifeCSV() string { return p.csv("pledges/"+p.id, pledgeTakes) }

// VersionsCSV: see [pledgePage.LifeCSV].
func (p *pledgePage) VersionsCSV() string { return p.csv("pledges/"+p.id+"/versions", pledgeTakes) }

var pledgeTakes = []string{"as_of", "on", "without", "without_conditional", "without_caveated",
	"discharge"}

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

// place finds where the pledge counts.
func (p *pledgePage) place(c *web.Coverage) {
	for i := range c.Lines {
		l := &c.Lines[i]
		for _, counted := range l.Counted {
			if counted.Pledge == p.Pledge.ID {
				p.Counts = append(p.Counts,
					countedFor{l.Line, counted.Quantity, l.Unit, counted.By, counted.Sequences})
			}
		}
	}
	for _, n := range c.NotCounted {
		if n.Pledge == p.Pledge.ID {
			p.Left = append(p.Left, n)
		}
	}
}

// An act is something that can be said of the pledge, and the address of its form.
type act struct {
	Type    events.Type
	Address any
}

// Acts lists what can be said of the pledge: of one that has ended, that it never was.
func (p *pledgePage) Acts() (all []act) {
	if p.Pledge.State == projections.Struck {
		return nil
	}
	goesOn := p.Pledge.State == projections.Live || p.Pledge.State == projections.Ahead
	for _, f := range forms {
		if f.Pledge && (goesOn || f.Type == struck) {
			all = append(all, act{f.Type,
				p.To("/submit", "type", string(f.Type), "pledge", p.Pledge.ID, "as_of", "")})
		}
	}
	return all
}
