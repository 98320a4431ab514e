package projections

import (
	"fmt"
	"math"
	"slices"

	"muster/events"
	"muster/events/english"
	"muster/projections/records"
)

// A State says whether a pledge is on the ladder of rungs, or how it left.
type State string

// The states of a pledge.
const (
	Live      State = "live"
	Ahead     State = "ahead" // known, and effective only later
	Withdrawn State = "withdrawn"
	Declined  State = "declined"
	Lapsed    State = "lapsed" // its expiry passed before it was deployed, and it was not renewed
	Returned  State = "returned"
	Struck    State = "struck" // it should never have been recorded, and was never made
)

// States returns all states.
func States() []State {
	return []State{Live, Ahead, Withdrawn, Declined, Lapsed, Returned, Struck}
}

// A ConditionState says where a condition stands, or a caveat, which holds (is open) until it is
// lifted (discharged).
type ConditionState string

// The states of a condition.
const (
	Hanging    ConditionState = "open"
	Discharged ConditionState = "discharged"
	Failed     ConditionState = "failed"
)

// A move is what a kind of statement does to a pledge. It is the whole of a pledge's life in one
// table.
type move struct {
	typ       events.Type
	begins    bool           // the pledge is there from then on
	terms     bool           // restates what is pledged, in full
	strength  bool           // tells how much is there
	rung      Rung           // climbs to it; nothing ever climbs down
	exit      State          // leaves the ladder, for good
	condition ConditionState // what becomes of a condition
	caveat    ConditionState // what becomes of a caveat
	allocates bool           // sets some of it against a line
	releases  bool           // ends an allocation
	discloses bool           // opens the pledge to more, for whom it begins here
	asks      bool           // puts a question about it
	answers   bool           // and answers one
	says      string         // for people; see sentence
}

// Rows are added with new kinds of statement. The rows of old ones stay: they say what old records
// mean.
var moves = byType(
	move{typ: "pledge.indicated", begins: true, terms: true, rung: Indicated,
		says: "%s is likely to offer"},
	move{typ: "pledge.offered", begins: true, terms: true, rung: Offered, says: "%s offers"},
	move{typ: "pledge.amended", terms: true, says: "%s changes it to"},
	move{typ: "pledge.observed", begins: true, terms: true, strength: true, rung: Deployed,
		says: "%s was seen with"},
	move{typ: "pledge.disclosed", terms: true, discloses: true, says: "%s opens it to"},
	move{typ: "pledge.accepted", rung: Accepted, says: "the coordinators accept it"},
	move{typ: "pledge.confirmed", rung: Confirmed, says: "%s is bound"},
	move{typ: "pledge.deployed", rung: Deployed, strength: true, says: "in place:"},
	move{typ: "pledge.reported", strength: true, says: "reported in place:"},
	move{typ: "pledge.declined", exit: Declined, says: "the coordinators decline it"},
	move{typ: "pledge.withdrawn", exit: Withdrawn, says: "%s withdraws it"},
	move{typ: "pledge.returned", exit: Returned, says: "the forces have gone home"},
	move{typ: "pledge.renewed", says: "%s renews it until"},
	move{typ: "pledge.corrected", says: "corrected:"},
	move{typ: "condition.added", condition: Hanging, says: "it hangs on the condition"},
	move{typ: "condition.discharged", condition: Discharged, says: "what it hung on has happened:"},
	move{typ: "condition.failed", condition: Failed, says: "what it hangs on will not happen:"},
	move{typ: "caveat.declared", caveat: Hanging, says: "%s restricts its use by the caveat"},
	move{typ: "caveat.lifted", caveat: Discharged, says: "%s lifts the caveat"},
	move{typ: "allocation.made", allocates: true, says: "the coordinators set"},
	move{typ: "allocation.released", releases: true,
		says: "the coordinators release what was set against"},
	move{typ: "pledge.queried", asks: true},
	move{typ: "pledge.answered", answers: true, says: "answered:"},
)

func byType(rows ...move) map[events.Type]*move {
	table := map[events.Type]*move{}
	for i := range rows {
		table[rows[i].typ] = &rows[i]
	}
	return table
}

// A pledge is one nation's pledge: what it is for good, and what was said of it so far.
type pledge struct {
	id        events.ID
	no        uint32 // in Picture.pledges
	nationNo  uint32 // in Picture.nations
	operation *operation
	nation    events.Nation
	first     uint32 // the record that began it
	rotates   bool   // is in Picture.rotating; of the writer alone
	label     uint16 // in Picture.labels, of what is said now; likewise

	published[chronicle]
	begun chronicle // what is published first, in the same piece of memory
}

// A chronicle is all that was said of a pledge, and what follows from it.
type chronicle struct {
	facts  []fact
	last   uint32      // the last record about it
	latest events.Date // the latest date from which something holds
	struck uint32      // the record that struck its beginning, and so all of it; 0 for none
	// The fold of all facts that are known now, which is what most questions ask for.
	head standing
	open []uint32 // its rows in Picture.versions that are known now, by date
}

// isKnown reports whether the pledge is known as of a record: begun by then, and not struck.
func (pl *pledge) isKnown(asOf uint64) bool {
	return uint64(pl.first) <= asOf && pl.struckBy(asOf) == 0
}

// struckBy returns the record that struck the pledge, 0 where none had as of a record.
func (pl *pledge) struckBy(asOf uint64) uint64 {
	if by := uint64(pl.now().struck); by <= asOf {
		return by
	}
	return 0
}

// admit makes of a row about a pledge what is to be folded into it.
func (p *Picture) admit(seq uint64, m *move, r *records.Row, a *admitted) error {
	if seq >= math.MaxUint32 {
		return fmt.Errorf("there are more than %d records", uint32(math.MaxUint32))
	}
	pl, known := p.find(r.Thing)
	switch {
	case r.New && known:
		return fmt.Errorf("the pledge %s is begun a second time", r.Thing)
	case !r.New && !known && !m.discloses:
		return fmt.Errorf("a %s for the pledge %s, which no record before it began",
			r.Type, r.Thing)
	case known && (pl.nation != r.Nation || pl.operation.name != r.Operation):
		return fmt.Errorf("the pledge %s is %s in %s, and not %s in %s", r.Thing,
			english.Possessive(string(pl.nation)), pl.operation.name,
			english.Possessive(string(r.Nation)), r.Operation)
	case r.Standing != nil && !p.hasLines(r):
		return fmt.Errorf("the pledge %s is disclosed with an allocation to a requirement that "+
			"the operation %s does not have", r.Thing, r.Operation)
	case m.allocates && p.operations[r.Operation].now().lines[r.Line] == nil:
		return fmt.Errorf("the operation %s has no requirement %q to set a pledge against",
			r.Operation, r.Line)
	case !known:
		pl = p.begin(seq, r)
	}
	if err := p.labelPledge(pl, m, r); err != nil {
		return err
	}
	if (!r.Predecessor.IsZero() || !r.Successor.IsZero()) && !pl.rotates {
		pl.rotates = true
		p.rotating = append(p.rotating, pl)
	}
	a.pledge = pl
	p.fact(&a.fact, pl, seq, m, r)
	if !r.Corrects.IsZero() {
		a.mends = p.mending(pl, r)
	}
	return nil
}

// hasLines reports whether the requirements are there that a disclosure tells to be filled.
func (p *Picture) hasLines(r *records.Row) bool {
	o := p.operations[r.Operation]
	return !slices.ContainsFunc(r.Standing.Allocations, func(a records.Allocation) bool {
		return o == nil || o.now().lines[a.Line] == nil
	})
}

func (p *Picture) begin(seq uint64, r *records.Row) *pledge {
	o := p.operation(seq, r.Operation)
	number := p.nations.of(r.Nation)
	pl := &pledge{id: r.Thing, no: uint32(len(p.pledges)), operation: o,
		nation: p.nations.names[number], nationNo: uint32(number), first: uint32(seq)}
	pl.publish(&pl.begun)
	p.byID.add(pl)
	p.pledges = append(p.pledges, pl)
	p.sorted.add(pl, p.watched)
	said := o.change(p.watched)
	said.pledges.add(pl, p.watched)
	o.publish(said)
	return pl
}

// fact makes of a row what it says of its pledge.
func (p *Picture) fact(d *fact, pl *pledge, seq uint64, m *move, r *records.Row) {
	*d = fact{knownFrom: uint32(seq), knownTo: forever, order: uint32(seq),
		effective: events.Date(r.Effective),
		id:        r.StatementID(), move: m, quantity: r.Quantity(), unit: intern(p.words, r.Unit),
		extra: noExtra, remark: p.remarkOf(r)}
	if !r.Predecessor.IsZero() {
		p.operations[r.Operation].relieve(r.Predecessor, uint32(seq), p.watched)
	}
	switch {
	case m.terms:
		d.terms = p.terms(pl, r)
		if r.Standing != nil {
			d.extra = &extra{stands: p.standsAt(pl, d, r)}
		}
	case m.condition != "":
		p.conditions.add(plainWord(string(r.Line)))
		d.extra = &extra{hold: &hold{name: intern(p.words, r.Line), kind: r.Kind,
			state: m.condition}}
	case m.caveat != "":
		d.extra = &extra{hold: &hold{name: intern(p.words, r.Line), text: r.Title, state: m.caveat}}
	case m.allocates:
		d.extra = &extra{share: &allotment{id: d.id,
			line: p.operations[r.Operation].now().lines[r.Line], number: r.Number,
			Window: r.Window()}}
	case m.releases:
		d.extra = &extra{share: &allotment{id: r.Allocation}}
	case m.asks:
		d.extra = &extra{query: &query{id: d.id, to: intern(p.words, r.To[0]), text: r.Title,
			due: events.Date(r.Expires)}}
	case m.answers:
		d.extra = &extra{query: &query{id: r.Allocation, text: r.Title}}
	case r.Reason != "":
		d.remark = p.share(remark{intern(p.words, r.Signer), intern(p.words, r.Source), r.Reason})
	case r.Expires != 0:
		d.extra = &extra{expires: events.Date(r.Expires)}
	}
}

// standsAt makes of a disclosure where the pledge stands.
func (p *Picture) standsAt(pl *pledge, d *fact, r *records.Row) *standsAt {
	s := &standsAt{}
	s.rung, _ = ParseRung(string(r.Standing.Rung))
	if n := r.Standing.InPlace; n > 0 {
		s.strength = amount{quantity: d.unit.Of(n), unit: d.unit}
	}
	for _, h := range r.Standing.Conditions {
		state := Hanging
		if h.Failed {
			state = Failed
		}
		p.conditions.add(plainWord(string(h.Condition)))
		s.conditions = append(s.conditions,
			hold{name: intern(p.words, h.Condition), kind: h.Kind, state: state})
	}
	for _, h := range r.Standing.Caveats {
		s.caveats = append(s.caveats,
			hold{name: intern(p.words, h.Caveat), text: h.Restriction, state: Hanging})
	}
	for _, a := range r.Standing.Allocations {
		s.allocations = append(s.allocations,
			allotment{id: a.ID, line: pl.operation.now().lines[a.Line], number: a.Number,
				Window: events.Window{From: events.Date(a.From), Until: events.Date(a.Until)}})
	}
	return s
}

// mending makes of the row of a correction what it does to the statement that it mends.
func (p *Picture) mending(pl *pledge, r *records.Row) *mending {
	m := &mending{statement: r.Corrects, struck: r.Struck, all: r.Struck && r.Corrects == r.Thing,
		amount: amount{quantity: r.Quantity(), unit: intern(p.words, r.Unit)}}
	if r.Role != "" {
		m.terms, m.remark = p.terms(pl, r), p.remarkOf(r)
	}
	return m
}

func (p *Picture) terms(pl *pledge, r *records.Row) *terms {
	t := &terms{role: intern(p.words, r.Role), area: intern(p.words, r.Area),
		line: intern(p.words, r.Line), Window: r.Window(), notice: r.Notice,
		presence: intern(p.words, r.Presence), release: intern(p.words, r.Release),
		expires: events.Date(r.Expires)}
	t.kind = p.kindOf(kind{pl.operation, t.role, t.area, t.line, intern(p.words, r.Unit)})
	more := bounds{r.Least, r.Most}
	if !r.Predecessor.IsZero() || !r.Successor.IsZero() || r.Elsewhere != nil || r.To != nil ||
		r.Reference != "" || more != (bounds{}) {
		t.further = &further{r.Predecessor, r.Successor, r.Elsewhere, r.To, r.Reference, more}
	}
	return t
}

// remarkOf shares what many records have in common: a signer and a source, and nothing of its own.
func (p *Picture) remarkOf(r *records.Row) *remark {
	return p.share(remark{intern(p.words, r.Signer), intern(p.words, r.Source), r.Text})
}

func (p *Picture) share(r remark) *remark {
	if r.text != "" {
		return &r
	}
	kept, ok := p.remarks[r]
	if !ok {
		kept = &r
		p.remarks[r] = kept
	}
	return kept
}
