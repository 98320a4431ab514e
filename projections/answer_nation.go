package projections

import (
	"cmp"
	"context"
	"slices"

	"muster/events"
	"muster/events/phrase"
)

// A NationRole is what a nation has in one role of an operation, in one unit, by the rung that
// pledges are on.
type NationRole struct {
	Operation events.Operation `json:"operation"`
	Role      events.Role      `json:"role"`
	Unit      events.Unit      `json:"unit"`
	// Day is the day of a range of which the row tells: the first on which least is there from the
	// rung asked.
	Day     events.Date `json:"day,omitzero"`
	Pledges int         `json:"pledges"`
	// Rungs are the sums from each rung up, from the lowest rung; unknown where there are pledges
	// and none of them is known.
	Rungs []events.Quantity `json:"rungs"`
	// Reserve is what stands by at home, and Unknown how many pledges have not said of how much
	// they are. Neither is in the sums.
	Reserve events.Quantity `json:"reserve,omitzero"`
	Unknown int             `json:"unknown,omitzero"`
}

// A CountedFor is one pledge in the supply of a line.
type CountedFor struct {
	Operation events.Operation `json:"operation"`
	Line      events.Line      `json:"line"`
	Unit      events.Unit      `json:"unit"`
	Day       events.Date      `json:"day,omitzero"` // of a range, on which the line is met least
	Counted
}

// A NationPage is everything that is known of one nation at a moment.
type NationPage struct {
	Basis
	Nation     events.Nation `json:"nation"`
	Name       string        `json:"name"`
	Scopes     []Scope       `json:"scopes"`
	Roles      []NationRole  `json:"roles"`
	Pledges    []Pledge      `json:"pledges"`
	Counted    []CountedFor  `json:"counted"`
	NotCounted []NotCounted  `json:"not_counted"`
	Members    []Member      `json:"members"`
	// Next is the first later day on which a pledge of it is there, where none is. All that is
	// asked about an operation that has not begun is answered for one day, its first, so that
	// answers can be compared; a nation may come later than that.
	Next events.Date `json:"next,omitzero"`
}

// Nation answers everything about one nation: what it has declared and pledged, what of that was
// counted for which requirement and what was not, and who signs for it. Of a range, each of its
// parts answers as it does by itself.
func (p *Picture) Nation(ctx context.Context, m Moment, nation events.Nation,
	o events.Operation) (NationPage, error) {
	p = p.metered(ctx)
	f := Filter{Operation: o, Nation: nation}
	c, err := p.Coverage(ctx, m, CoverageFilter{Operation: o})
	if err != nil {
		return NationPage{}, err
	}
	page := NationPage{Basis: c.Basis, Nation: nation, Name: p.nationName(c.AsOf, nation),
		Counted: []CountedFor{}, NotCounted: []NotCounted{}, Members: []Member{}}
	chosen, err := p.chosen(c.AsOf, o)
	if err != nil {
		return NationPage{}, err
	}
	all := c.Moment()
	all.Rung = 0
	list, err := p.Pledges(ctx, all, PledgeFilter{Filter: f})
	if err != nil {
		return NationPage{}, err
	}
	scopes, err := p.Scopes(ctx, all, f)
	if err != nil {
		return NationPage{}, err
	}
	roster, err := p.Members(ctx, all)
	if err != nil {
		return NationPage{}, err
	}
	page.Pledges, page.Scopes, page.Roles = list.Pledges, scopes.Scopes,
		p.nationRoles(&c.Basis, chosen, f)
	if len(page.Roles) == 0 {
		page.Next = p.nextThere(&c.Basis, chosen, f)
	}
	for _, l := range c.Lines {
		for _, one := range l.Counted {
			if one.Nation == nation {
				page.Counted = append(page.Counted,
					CountedFor{l.Operation, l.Line, l.Unit, l.Day, one})
			}
		}
	}
	for _, n := range c.NotCounted {
		if n.Nation == nation {
			page.NotCounted = append(page.NotCounted, n)
		}
	}
	for _, member := range roster.Members {
		if member.Party == nation {
			page.Members = append(page.Members, member)
		}
	}
	return page, p.meter.err()
}

// nationRoles sums a nation's pledges by role and rung, of a range each on the day on which least
// is there.
func (p *Picture) nationRoles(b *Basis, chosen []*operation, f Filter) []NationRole {
	r := roleSums{lows: p.newLows(b, chosen), picture: p, chosen: chosen, filter: f,
		number: map[kind]int{}}
	p.eachOf(b, r.weigh)
	r.days = r.lowestDays()
	r.sums = make([]roleSum, len(r.days))
	p.eachOf(b, r.add)
	rows := []NationRole{}
	for i, k := range r.kinds {
		row := r.sums[i].row(k)
		if b.IsRange() {
			row.Day = r.days[i]
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b NationRole) int {
		return cmp.Or(cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Role, b.Role),
			cmp.Compare(a.Unit, b.Unit))
	})
	return rows
}

// A roleSums finds the day of each role of a nation and what there is on it.
type roleSums struct {
	lows
	picture *Picture
	chosen  []*operation
	filter  Filter
	number  map[kind]int // without areas
	kinds   []kind
	days    []events.Date
	sums    []roleSum
}

type roleSum struct {
	exact            [Deployed + 1]partial
	reserve          partial
	pledges, unknown int
}

// has reports whether a version is the nation's, in an operation that is asked about.
func (r *roleSums) has(v *version) bool {
	return r.picture.nations.names[v.nation] == r.filter.Nation && v.flags&isFailed == 0 &&
		isChosen(r.chosen, r.picture.kinds.names[v.promisedKind].operation)
}

// row returns the number of the sum of a kind.
func (r *roleSums) row(kind uint32) int {
	k := r.picture.kinds.names[kind]
	k.area, k.line = "", ""
	i, ok := r.number[k]
	if !ok {
		i = r.open()
		r.number[k], r.kinds = i, append(r.kinds, k)
	}
	return i
}

// weigh notes how much of a version is there from the rung asked.
func (r *roleSums) weigh(days stretch, v *version) {
	if !r.has(v) {
		return
	}
	for _, rung := range v.counting() {
		_, kind, _ := v.amount(rung)
		r.lows.add(r.row(kind), days, 0, 0)
	}
	n, kind, known := v.amount(r.basis.Rung)
	if v.rung >= r.basis.Rung {
		r.lows.add(r.row(kind), days, v.sums(n), v.unknowns(known))
	}
}

// add adds a version to its sums, where it is there on their day.
func (r *roleSums) add(days stretch, v *version) {
	if !r.has(v) {
		return
	}
	told := -1 // the row in which it is told to be of unknown quantity
	for i, rung := range v.counting() {
		n, kind, known := v.amount(rung)
		row := r.row(kind)
		if !days.includes(r.days[row]) {
			continue
		}
		if r.sums[row].add(v, rung, n, known, i == 0); !known && told != row {
			told = row
			r.sums[row].unknown++
		}
	}
}

// add adds what a version is at one of the rungs at which it is to be counted; a version is one
// pledge, whose first is such a rung.
func (s *roleSum) add(v *version, at Rung, n int64, known, first bool) {
	if first {
		s.pledges++
	}
	switch reserve := v.flags&isReserve != 0; {
	case !reserve:
		s.exact[at].add(n, known, 1)
	case first:
		s.reserve.add(n, known, 1)
	}
}

func (s *roleSum) row(k kind) NationRole {
	row := NationRole{Operation: k.operation.name, Role: k.role, Unit: k.unit, Pledges: s.pledges,
		Unknown: s.unknown}
	for _, r := range Rungs() {
		sum := s.exact[Deployed]
		if r < Deployed { // where what is deployed counts for what was pledged: see supplies
			sum = partial{}
			for at := r; at < Deployed; at++ {
				sum.merge(s.exact[at])
			}
		}
		row.Rungs = append(row.Rungs, sum.of(k.unit))
	}
	if s.reserve.isAny() {
		row.Reserve = s.reserve.of(k.unit)
	}
	return row
}

// A NationRow is one nation in short.
type NationRow struct {
	Nation events.Nation `json:"nation"`
	Name   string        `json:"name"`
	// Roles are those in which it has a pledge that is there, or that its scope names.
	Roles   []events.Role `json:"roles"`
	Pledges int           `json:"pledges"`
	// Only is the one role that it gives: it has declared no other, or, where it has declared
	// nothing, pledged no other.
	Only events.Role `json:"only,omitzero"`
	// Declared says that Only follows from its declared scope.
	Declared bool `json:"declared,omitzero"`
	// Scope is what it has declared, in words.
	Scope string `json:"scope,omitzero"`
	// ScopeTold is the scope, to be told in other languages.
	ScopeTold phrase.Phrase `json:"-"`
}

// Nations is all nations that have pledged or declared something at a moment.
type Nations struct {
	Basis
	Nations []NationRow `json:"nations"`
	// Next is the first later day on which a pledge is there, where no nation has pledged or
	// declared anything.
	Next events.Date `json:"next,omitzero"`
}

// Nations answers which nations give what, in short, by code. Only leaves out all but those that
// give this role and no other, such as intelligence; "" leaves out none. Of a range, it answers
// what they give on any of its days.
func (p *Picture) Nations(ctx context.Context, m Moment, o events.Operation,
	only events.Role) (Nations, error) {
	p = p.metered(ctx)
	b, err := p.basisAtRung(m)
	if err != nil {
		return Nations{}, err
	}
	chosen, err := p.chosen(b.AsOf, o)
	if err != nil {
		return Nations{}, err
	}
	rows := map[events.Nation]*NationRow{}
	row := func(n events.Nation) *NationRow {
		if rows[n] == nil {
			rows[n] = &NationRow{Nation: n, Name: p.nationName(b.AsOf, n), Roles: []events.Role{}}
		}
		return rows[n]
	}
	told := map[uint32]bool{}
	p.eachOf(&b, func(_ stretch, v *version) {
		_, number, _ := v.amount(b.Rung)
		if k := p.kinds.names[number]; v.rung >= b.Rung && isChosen(chosen, k.operation) {
			r := row(p.nations.names[v.nation])
			r.addRole(k.role)
			if !told[v.pledge] {
				told[v.pledge] = true
				r.Pledges++
			}
		}
	})
	scopes, err := p.Scopes(ctx, b.Moment(), Filter{Operation: o})
	if err != nil {
		return Nations{}, err
	}
	for _, s := range scopes.Scopes {
		row(s.Nation).declare(s)
	}
	answer := Nations{Basis: b, Nations: []NationRow{}}
	for _, r := range rows {
		if r.conclude(); only == "" || r.Only == only {
			answer.Nations = append(answer.Nations, *r)
		}
	}
	if len(rows) == 0 {
		answer.Next = p.nextThere(&b, chosen, Filter{})
	}
	slices.SortFunc(answer.Nations, func(a, b NationRow) int {
		return cmp.Compare(a.Nation, b.Nation)
	})
	return answer, p.meter.err()
}

func (r *NationRow) addRole(role events.Role) {
	if !slices.Contains(r.Roles, role) {
		r.Roles = append(r.Roles, role)
		slices.Sort(r.Roles)
	}
}

func (r *NationRow) declare(s Scope) {
	one := phrase.Of("%s: %s", s.Operation, s)
	if r.Scope == "" {
		r.ScopeTold = one
	} else {
		r.ScopeTold = phrase.Of("%s; %s", r.ScopeTold, one)
	}
	r.Scope = r.ScopeTold.String()
	for _, role := range s.Roles {
		r.addRole(role)
	}
	r.Declared = r.Declared || len(s.Roles) == 1
}

func (r *NationRow) conclude() {
	if len(r.Roles) == 1 {
		r.Only = r.Roles[0]
	}
	r.Declared = r.Declared && r.Only != ""
}
