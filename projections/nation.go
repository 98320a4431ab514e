package projections

import (
	"cmp"
	"slices"

	"muster/events"
)

// A NationRole is what a nation has in one role of an operation, in one unit, by the rung that pledges are on.
type NationRole struct {
	Operation events.Operation `json:"operation"`
	Role      events.Role      `json:"role"`
	Unit      events.Unit      `json:"unit"`
	Pledges   int              `json:"pledges"`
	// Rungs are the sums from each rung up, from the lowest rung.
	Rungs []events.Quantity `json:"rungs"`
	// Reserve is what stands by at home, and Unknown how many pledges have not said of how much they are. Neither is in the sums.
	Reserve events.Quantity `json:"reserve,omitzero"`
	Unknown int             `json:"unknown,omitzero"`
}

// A CountedFor is one pledge in the supply of a line.
type CountedFor struct {
	Operation events.Operation `json:"operation"`
	Line      events.Line      `json:"line"`
	Unit      events.Unit      `json:"unit"`
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
}

// Nation answers everything about one nation: what it has declared and pledged, what of that was counted for which requirement and
// what was not, and who signs for it.
func (p *Picture) Nation(m Moment, nation events.Nation, o events.Operation) (NationPage, error) {
	f := Filter{Operation: o, Nation: nation}
	c, err := p.Coverage(m, CoverageFilter{Operation: o})
	if err != nil {
		return NationPage{}, err
	}
	page := NationPage{Basis: c.Basis, Nation: nation, Name: nation.Name(), Counted: []CountedFor{}, NotCounted: []NotCounted{}, Members: []Member{}}
	all, counting := c.Moment(), c.Basis
	all.Rung = 0
	list, err1 := p.Pledges(all, PledgeFilter{Filter: f})
	scopes, err2 := p.Scopes(all, f)
	roster, err3 := p.Members(all)
	if err := cmp.Or(err1, err2, err3); err != nil {
		return NationPage{}, err
	}
	page.Pledges, page.Scopes, page.Roles = list.Pledges, scopes.Scopes, p.nationRoles(&counting, f)
	for _, l := range c.Lines {
		for _, one := range l.Counted {
			if one.Nation == nation {
				page.Counted = append(page.Counted, CountedFor{l.Operation, l.Line, l.Unit, one})
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
	return page, nil
}

// nationRoles sums a nation's pledges by role and rung.
func (p *Picture) nationRoles(b *Basis, f Filter) []NationRole {
	type sum struct {
		exact            [Deployed + 1]int64
		reserve          int64
		pledges, unknown int
	}
	sums := map[kind]*sum{}
	p.each(b, func(v *version) {
		if p.nations.names[v.nation] != f.Nation || v.flags&isFailed != 0 {
			return
		}
		for i, r := range v.counting() {
			n, number, known := v.amount(r)
			k := p.kinds.names[number]
			if k.area = ""; f.Operation != "" && f.Operation != k.operation.name {
				return
			}
			s, ok := sums[k]
			if !ok {
				s = new(sum)
				sums[k] = s
			}
			if i == 0 {
				s.pledges++
			}
			switch {
			case !known && i == 0:
				s.unknown++
			case v.flags&isReserve != 0 && i == 0:
				s.reserve = add(s.reserve, n)
			case known && v.flags&isReserve == 0:
				s.exact[r] = add(s.exact[r], n)
			}
		}
	})
	rows := []NationRole{}
	for k, s := range sums {
		row := NationRole{Operation: k.operation.name, Role: k.role, Unit: k.unit, Pledges: s.pledges, Unknown: s.unknown}
		supply := supplies(s.exact)
		for _, r := range Rungs() {
			row.Rungs = append(row.Rungs, k.unit.Of(supply[r]))
		}
		if s.reserve > 0 {
			row.Reserve = k.unit.Of(s.reserve)
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b NationRole) int {
		return cmp.Or(cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Role, b.Role), cmp.Compare(a.Unit, b.Unit))
	})
	return rows
}

// A NationRow is one nation in short.
type NationRow struct {
	Nation events.Nation `json:"nation"`
	Name   string        `json:"name"`
	// Roles are those in which it has a pledge that is there, or that its scope names.
	Roles   []events.Role `json:"roles"`
	Pledges int           `json:"pledges"`
	// Only is the one role that it gives: it has declared no other, or, where it has declared nothing, pledged no other.
	Only events.Role `json:"only,omitzero"`
	// Declared says that Only follows from its declared scope.
	Declared bool `json:"declared,omitzero"`
	// Scope is what it has declared, in words.
	Scope string `json:"scope,omitzero"`
}

// Nations is all nations that have pledged or declared something at a moment.
type Nations struct {
	Basis
	Nations []NationRow `json:"nations"`
}

// Nations answers which nations give what, in short, by code. Only leaves out all but those that give this role and no other,
// such as intelligence; "" leaves out none.
func (p *Picture) Nations(m Moment, o events.Operation, only events.Role) (Nations, error) {
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
			rows[n] = &NationRow{Nation: n, Name: n.Name(), Roles: []events.Role{}}
		}
		return rows[n]
	}
	p.each(&b, func(v *version) {
		_, number, _ := v.amount(b.Rung)
		if k := p.kinds.names[number]; v.rung >= b.Rung && slices.Contains(chosen, k.operation) {
			r := row(p.nations.names[v.nation])
			r.Pledges++
			r.addRole(k.role)
		}
	})
	scopes, err := p.Scopes(b.Moment(), Filter{Operation: o})
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
	slices.SortFunc(answer.Nations, func(a, b NationRow) int { return cmp.Compare(a.Nation, b.Nation) })
	return answer, nil
}

func (r *NationRow) addRole(role events.Role) {
	if !slices.Contains(r.Roles, role) {
		r.Roles = append(r.Roles, role)
		slices.Sort(r.Roles)
	}
}

func (r *NationRow) declare(s Scope) {
	if r.Scope != "" {
		r.Scope += "; "
	}
	r.Scope += string(s.Operation) + ": " + s.String()
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
