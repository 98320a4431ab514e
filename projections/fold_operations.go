package projections

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"muster/events"
	"muster/events/phrase"
	"muster/projections/records"
)

// An operation is one operation: its name, and what was said of it so far.
type operation struct {
	name  events.Operation
	first uint64 // the first record that is about it
	label uint16 // in Picture.labels; of the writer alone

	published[operationSaid]
}

// An operationSaid is all that was said about one operation.
type operationSaid struct {
	catalogues history[Catalogue]
	scopes     map[events.Nation]history[Scope]
	nations    []events.Nation // of scopes, sorted
	lines      map[events.Line]*line
	lineNames  []events.Line // of lines, sorted
	pledges    roll          // by ID

	// The records that name a pledge as the one that is relieved.
	predecessors map[events.ID][]uint32
}

func newOperation(name events.Operation, first uint64) *operation {
	o := &operation{name: name, first: first}
	o.publish(&operationSaid{scopes: map[events.Nation]history[Scope]{},
		lines:        map[events.Line]*line{},
		predecessors: map[events.ID][]uint32{}})
	return o
}

// relieve notes that a record names a pledge as the one that is relieved.
func (o *operation) relieve(pledge events.ID, seq uint32, watched bool) {
	all := o.change(watched)
	records := all.predecessors[pledge]
	if watched {
		all.predecessors, records = maps.Clone(all.predecessors), slices.Clip(records)
	}
	all.predecessors[pledge] = append(records, seq)
	o.publish(all)
}

// takePlan folds in a row about an operation's catalogue, a scope or a requirement.
func (p *Picture) takePlan(seq uint64, r *records.Row) error {
	switch r.Type {
	case "operation.opened", "operation.revised":
		o := p.operation(seq, r.Operation)
		o.takeCatalogue(seq, r, p.watched)
		return p.labelOperation(o, r)
	case "scope.declared":
		p.operation(seq, r.Operation).takeScope(seq, r, p.watched)
	case "requirement.issued":
		o := p.operation(seq, r.Operation)
		l := o.line(r.Line, p.watched)
		l.take(seq, r, p.watched)
		return p.labelLine(o, l, r)
	case "requirement.revised", "requirement.cancelled":
		o, ok := p.operations[r.Operation]
		if !ok || o.now().lines[r.Line] == nil {
			return fmt.Errorf("the operation %s has no requirement %q to change",
				r.Operation, r.Line)
		}
		o.line(r.Line, p.watched).take(seq, r, p.watched)
	default:
		return fmt.Errorf("no projection knows a %s", r.Type)
	}
	return nil
}

func (o *operation) takeCatalogue(seq uint64, r *records.Row, watched bool) {
	c := Catalogue{Operation: o.name, Title: r.Title, Note: r.Text,
		Effective: events.Date(r.Effective), Sequence: seq}
	for _, role := range r.Roles {
		c.Roles = append(c.Roles, events.RoleDefinition(role))
	}
	for _, one := range r.Organisations {
		c.Organisations = append(c.Organisations, events.Organisation(one))
	}
	all := o.change(watched)
	all.catalogues.add(said[Catalogue]{seq, c.Effective, c})
	o.publish(all)
}

func (o *operation) takeScope(seq uint64, r *records.Row, watched bool) {
	s := Scope{Operation: o.name, Nation: r.Nation, Unlimited: r.Unlimited, Note: r.Text,
		Effective: events.Date(r.Effective), Sequence: seq}
	for _, role := range r.Roles {
		s.Roles = append(s.Roles, role.Role)
	}
	all := o.change(watched)
	if watched {
		all.scopes, all.nations = maps.Clone(all.scopes), slices.Clip(all.nations)
	}
	h, ok := all.scopes[r.Nation]
	if !ok {
		at, _ := slices.BinarySearch(all.nations, r.Nation)
		all.nations = slices.Insert(all.nations, at, r.Nation)
	}
	h.add(said[Scope]{seq, s.Effective, s})
	all.scopes[r.Nation] = h
	o.publish(all)
}

// A Catalogue is what an operation is, which roles it has, and which organisations.
type Catalogue struct {
	Operation events.Operation        `json:"operation"`
	Title     string                  `json:"title"`
	Note      string                  `json:"note,omitzero"`
	Roles     []events.RoleDefinition `json:"roles"`
	// Organisations are those that may pledge in it besides nations: as they were declared last,
	// since that counts from its record on, whatever day it is effective from.
	Organisations events.Organisations `json:"organisations,omitempty"`

	Effective events.Date `json:"effective"`
	Sequence  uint64      `json:"sequence"` // the record that says so
	// Release is who may read the operation, and so all that rests on it, where that is not the
	// coalition.
	Release events.Release `json:"release,omitzero"`
}

// Terms returns the catalogue as a statement carries it.
func (c Catalogue) Terms() events.OperationTerms {
	return events.OperationTerms{Operation: c.Operation, Title: c.Title, Note: c.Note,
		Roles: c.Roles, Organisations: c.Organisations}
}

// Operations is the catalogues of operations at a moment.
type Operations struct {
	Basis
	Operations []Catalogue `json:"operations"`
}

// Operations returns the catalogue of each operation, by name. One that is opened only after m.On
// is there as it will be opened: its plan is made before it begins. Of a range, each is as it
// stands on the last day. The slices of the answer are shared and must not be changed.
func (p *Picture) Operations(ctx context.Context, m Moment) (Operations, error) {
	p = p.metered(ctx)
	b, err := p.Basis(m)
	if err != nil {
		return Operations{}, err
	}
	answer := Operations{Basis: b, Operations: []Catalogue{}}
	for _, name := range p.names {
		if c, ok := p.catalogue(p.operations[name], b); ok {
			answer.Operations = append(answer.Operations, c)
		}
	}
	return answer, p.meter.err()
}

func (p *Picture) catalogue(o *operation, b Basis) (Catalogue, bool) {
	all := o.now().catalogues
	c, ok := all.last(b.AsOf, b.last())
	if !ok {
		c, ok = all.first(b.AsOf)
	}
	if r := p.labels.all[o.label].Release; ok && r != events.CoalitionOnly {
		c.what.Release = r
	}
	c.what.Organisations = o.organisations(b.AsOf)
	return c.what, ok
}

// Catalogue returns one operation's catalogue, as Operations does.
func (p *Picture) Catalogue(ctx context.Context, m Moment,
	name events.Operation) (Catalogue, error) {
	p = p.metered(ctx)
	b, err := p.Basis(m)
	if err != nil {
		return Catalogue{}, err
	}
	if o, ok := p.operations[name]; ok {
		if c, ok := p.catalogue(o, b); ok {
			return c, p.meter.err()
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
func (s Scope) Allows(role events.Role) bool {
	return s.Unlimited || slices.Contains(s.Roles, role)
}

// String says the scope for people: "unlimited", or "intelligence only".
func (s Scope) String() string { return s.Phrase().String() }

// Phrase returns what [Scope.String] says, so that it can be told in other languages.
func (s Scope) Phrase() phrase.Phrase {
	if s.Unlimited {
		return phrase.Of("unlimited")
	}
	return phrase.Of("%s only", phrase.List(phrase.And, s.Roles...))
}

// Scopes is the declared scopes at a moment.
type Scopes struct {
	Basis
	Scopes []Scope `json:"scopes"`
}

// Scopes returns the scopes in force, by operation and nation. A nation that declared none is not
// there: it may offer anything. Of a range, they are those that are in force on any of its days,
// one after the other. The slices of the answer are shared and must not be changed.
func (p *Picture) Scopes(ctx context.Context, m Moment, f Filter) (Scopes, error) {
	p = p.metered(ctx)
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
		all := o.now()
		for _, nation := range all.nations {
			for _, s := range all.scopes[nation].during(b.AsOf, b.On, b.last()) {
				if f.nation(nation) && (f.Role == "" || s.what.Allows(f.Role)) {
					answer.Scopes = append(answer.Scopes, s.what)
				}
			}
		}
	}
	return answer, p.meter.err()
}
