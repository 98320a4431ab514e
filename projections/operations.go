package projections

import (
	"context"
	"fmt"
	"slices"

	"muster/events"
)

// An operation is all that was said about one operation, besides its name.
type operation struct {
	name       events.Operation
	first      uint64 // the first record that is about it
	catalogues history[Catalogue]
	scopes     map[events.Nation]*history[Scope]
	nations    []events.Nation // of scopes, sorted
	lines      map[events.Line]*line
	lineNames  []events.Line // of lines, sorted
	pledges    []*pledge     // by ID

	predecessors map[events.ID][]uint32 // the records that name a pledge as the one that is relieved
}

func newOperation(name events.Operation, first uint64) *operation {
	return &operation{name: name, first: first, scopes: map[events.Nation]*history[Scope]{}, lines: map[events.Line]*line{},
		predecessors: map[events.ID][]uint32{}}
}

// takePlan folds in a row about an operation's catalogue, a scope or a requirement.
func (p *Picture) takePlan(seq uint64, r *row) error {
	switch r.Type {
	case "operation.opened", "operation.revised":
		p.operation(seq, r.Operation).takeCatalogue(seq, r)
	case "scope.declared":
		p.operation(seq, r.Operation).takeScope(seq, r)
	case "requirement.issued":
		p.operation(seq, r.Operation).line(r.Line).take(seq, r)
	case "requirement.revised", "requirement.cancelled":
		o, ok := p.operations[r.Operation]
		if !ok || o.lines[r.Line] == nil {
			return fmt.Errorf("the operation %s has no requirement %q to change", r.Operation, r.Line)
		}
		o.line(r.Line).take(seq, r)
	default:
		return fmt.Errorf("no projection knows a %s", r.Type)
	}
	return nil
}

func (o *operation) takeCatalogue(seq uint64, r *row) {
	c := Catalogue{Operation: o.name, Title: r.Title, Note: r.Text, Effective: events.Date(r.Effective), Sequence: seq}
	for _, role := range r.Roles {
		c.Roles = append(c.Roles, events.RoleDefinition(role))
	}
	o.catalogues.add(said[Catalogue]{seq, c.Effective, c})
}

func (o *operation) takeScope(seq uint64, r *row) {
	s := Scope{Operation: o.name, Nation: r.Nation, Unlimited: r.Unlimited, Note: r.Text, Effective: events.Date(r.Effective), Sequence: seq}
	for _, role := range r.Roles {
		s.Roles = append(s.Roles, role.Role)
	}
	h, ok := o.scopes[r.Nation]
	if !ok {
		h = new(history[Scope])
		o.scopes[r.Nation] = h
		at, _ := slices.BinarySearch(o.nations, r.Nation)
		o.nations = slices.Insert(o.nations, at, r.Nation)
	}
	h.add(said[Scope]{seq, s.Effective, s})
}

// A Catalogue is what an operation is and which roles it has.
type Catalogue struct {
	Operation events.Operation        `json:"operation"`
	Title     string                  `json:"title"`
	Note      string                  `json:"note,omitzero"`
	Roles     []events.RoleDefinition `json:"roles"`
	Effective events.Date             `json:"effective"`
	Sequence  uint64                  `json:"sequence"` // the record that says so
}

// Terms returns the catalogue as a statement carries it.
func (c Catalogue) Terms() events.OperationTerms {
	return events.OperationTerms{Operation: c.Operation, Title: c.Title, Note: c.Note, Roles: c.Roles}
}

// Operations is the catalogues of operations at a moment.
type Operations struct {
	Basis
	Operations []Catalogue `json:"operations"`
}

// Operations returns the catalogue of each operation, by name. One that is opened only after m.On is there as it will be
// opened: its plan is made before it begins. Of a range, each is as it stands on the last day. The slices of
// the answer are shared and must not be changed.
func (p *Picture) Operations(ctx context.Context, m Moment) (Operations, error) {
	b, err := p.Basis(m)
	if err != nil {
		return Operations{}, err
	}
	answer := Operations{Basis: b, Operations: []Catalogue{}}
	for _, name := range p.names {
		if c, ok := p.operations[name].catalogue(b); ok {
			answer.Operations = append(answer.Operations, c)
		}
	}
	return answer, nil
}

func (o *operation) catalogue(b Basis) (Catalogue, bool) {
	c, ok := o.catalogues.last(b.AsOf, b.last())
	if !ok {
		c, ok = o.catalogues.first(b.AsOf)
	}
	return c.what, ok
}

// Catalogue returns one operation's catalogue, as Operations does.
func (p *Picture) Catalogue(ctx context.Context, m Moment, name events.Operation) (Catalogue, error) {
	b, err := p.Basis(m)
	if err != nil {
		return Catalogue{}, err
	}
	if o, ok := p.operations[name]; ok {
		if c, ok := o.catalogue(b); ok {
			return c, nil
		}
	}
	return Catalogue{}, p.noOperation(b.AsOf, name)
}

// A Scope is what a nation is ready to give in an operation.
type Scope struct {
	Operation events.Operation `json:"operation"`
	Nation    events.Nation    `json:"nation"`
	Roles     []events.Role    `json:"roles,omitzero"` // all that it is ready to fill
	Unlimited bool             `json:"unlimited,omitzero"`
	Note      string           `json:"note,omitzero"`
	Effective events.Date      `json:"effective"`
	Sequence  uint64           `json:"sequence"` // the record that says so
}

// Allows reports whether an offer for the role is within the scope.
func (s Scope) Allows(role events.Role) bool { return s.Unlimited || slices.Contains(s.Roles, role) }

// String says the scope for people: "unlimited", or "intelligence only".
func (s Scope) String() string {
	if s.Unlimited {
		return "unlimited"
	}
	return fmt.Sprintf("%s only", list(s.Roles))
}

// Scopes is the declared scopes at a moment.
type Scopes struct {
	Basis
	Scopes []Scope `json:"scopes"`
}

// Scopes returns the scopes in force, by operation and nation. A nation that declared none is not there: it may offer
// anything. Of a range, they are those that are in force on any of its days, one after the other. The slices of the answer are shared
// and must not be changed.
func (p *Picture) Scopes(ctx context.Context, m Moment, f Filter) (Scopes, error) {
	b, err := p.Basis(m)
	if err != nil {
		return Scopes{}, err
	}
	chosen, err := p.chosen(b.AsOf, f.Operation)
	if err != nil {
		return Scopes{}, err
	}
	answer := Scopes{Basis: b, Scopes: []Scope{}}
	for _, o := range chosen {
		for _, nation := range o.nations {
			for _, s := range o.scopes[nation].during(b.AsOf, b.On, b.last()) {
				if f.nation(nation) && (f.Role == "" || s.what.Allows(f.Role)) {
					answer.Scopes = append(answer.Scopes, s.what)
				}
			}
		}
	}
	return answer, nil
}
