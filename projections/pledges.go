package projections

import (
	"fmt"
	"slices"
	"strings"

	"muster/events"
)

// A State says whether a pledge is on the ladder of rungs, or how it left.
type State string

// The states of a pledge.
const (
	Live      State = "live"
	Ahead     State = "ahead" // known, and effective only later
	Withdrawn State = "withdrawn"
	Declined  State = "declined"
	Returned  State = "returned"
)

// States returns all states.
func States() []State { return []State{Live, Ahead, Withdrawn, Declined, Returned} }

// A ConditionState says where a condition stands.
type ConditionState string

// The states of a condition.
const (
	Hanging    ConditionState = "open"
	Discharged ConditionState = "discharged"
	Failed     ConditionState = "failed"
)

// A move is what a kind of statement does to a pledge. It is the whole of a pledge's life in one table.
type move struct {
	typ       events.Type
	begins    bool           // the pledge is there from then on
	terms     bool           // restates what is pledged, in full
	strength  bool           // tells how much is there
	rung      Rung           // climbs to it; nothing ever climbs down
	exit      State          // leaves the ladder, for good
	condition ConditionState // what becomes of a condition
	says      string         // for people; see sentence
}

// Rows are added with new kinds of statement. The rows of old ones stay: they say what old records mean.
var moves = byType(
	move{typ: "pledge.indicated", begins: true, terms: true, rung: Indicated, says: "%s is likely to offer"},
	move{typ: "pledge.offered", begins: true, terms: true, rung: Offered, says: "%s offers"},
	move{typ: "pledge.amended", terms: true, says: "%s changes it to"},
	move{typ: "pledge.observed", begins: true, terms: true, strength: true, rung: Deployed, says: "%s was seen with"},
	move{typ: "pledge.accepted", rung: Accepted, says: "the coordinators accept it"},
	move{typ: "pledge.confirmed", rung: Confirmed, says: "%s is bound"},
	move{typ: "pledge.deployed", rung: Deployed, strength: true, says: "in place:"},
	move{typ: "pledge.reported", strength: true, says: "reported in place:"},
	move{typ: "pledge.declined", exit: Declined, says: "the coordinators decline it"},
	move{typ: "pledge.withdrawn", exit: Withdrawn, says: "%s withdraws it"},
	move{typ: "pledge.returned", exit: Returned, says: "the forces have gone home"},
	move{typ: "condition.added", condition: Hanging, says: "it hangs on the condition"},
	move{typ: "condition.discharged", condition: Discharged, says: "what it hung on has happened:"},
	move{typ: "condition.failed", condition: Failed, says: "what it hangs on will not happen:"},
)

func byType(rows ...move) map[events.Type]*move {
	table := map[events.Type]*move{}
	for i := range rows {
		table[rows[i].typ] = &rows[i]
	}
	return table
}

// An amount is a quantity in its unit.
type amount struct {
	quantity events.Quantity
	unit     events.Unit
}

// A change is what one record says of a pledge. It is small because there are many: what records have in common is shared.
type change struct {
	move      *move
	amount    amount
	terms     *terms     // where the move restates them
	condition *condition // where the move is about one
	remark    *remark
}

// terms are what is pledged, besides the amount. They are never changed, so they may be shared.
type terms struct {
	role   events.Role
	roleNo int // in Picture.roles
	area   events.Area
	events.Window
	notice   *int
	presence events.Presence
	release  events.Release
}

type condition struct {
	name  events.Line
	kind  events.ConditionKind // given when it was added
	state ConditionState
	seq   uint64
}

// A remark is what a record adds for people.
type remark struct{ signer, source, text string }

// A pledge is one nation's pledge with its history.
type pledge struct {
	id        events.ID
	operation events.Operation
	nation    events.Nation
	nationNo  int // in Picture.nations
	history   history[change]
	first     uint64      // the record that began it
	last      uint64      // the last record about it
	latest    events.Date // the latest date from which something holds
	head      standing    // the fold of the whole history, which is what most questions ask for
}

// takePledge folds in a row about a pledge.
func (p *Picture) takePledge(seq uint64, r *row) error {
	m, ok := moves[r.Type]
	if !ok {
		return fmt.Errorf("no projection knows a %s", r.Type)
	}
	pl, known := p.byID[r.Thing]
	switch {
	case r.New && known:
		return fmt.Errorf("the pledge %s is begun a second time", r.Thing)
	case !r.New && !known:
		return fmt.Errorf("a %s for the pledge %s, which no record before it began", r.Type, r.Thing)
	case known && (pl.nation != r.Nation || pl.operation != r.Operation):
		return fmt.Errorf("the pledge %s is %s's in %s, and not %s's in %s", r.Thing, pl.nation, pl.operation, r.Nation, r.Operation)
	case !known:
		pl = p.begin(seq, r)
	}
	pl.add(said[change]{seq, events.Date(r.Effective), p.change(seq, m, r)})
	return nil
}

func (p *Picture) begin(seq uint64, r *row) *pledge {
	o := p.operation(seq, r.Operation)
	number := p.nations.of(r.Nation)
	pl := &pledge{id: r.Thing, operation: o.name, nation: p.nations.names[number], nationNo: number, first: seq}
	p.byID[pl.id] = pl
	p.pledges = insertByID(p.pledges, pl)
	o.pledges = insertByID(o.pledges, pl)
	return pl
}

// insertByID keeps pledges by ID. Most IDs ascend, so most are appended.
func insertByID(pledges []*pledge, pl *pledge) []*pledge {
	at, _ := findByID(pledges, pl.id)
	return slices.Insert(pledges, at, pl)
}

func findByID(pledges []*pledge, id events.ID) (int, bool) {
	return slices.BinarySearchFunc(pledges, id, func(p *pledge, id events.ID) int { return compareIDs(p.id, id) })
}

func compareIDs(a, b events.ID) int { return strings.Compare(string(a[:]), string(b[:])) }

func (p *Picture) change(seq uint64, m *move, r *row) change {
	c := change{move: m, amount: amount{r.quantity(), intern(p.words, r.Unit)}}
	c.remark = p.remark(remark{intern(p.words, r.Signer), intern(p.words, r.Source), r.Text})
	if m.terms {
		number := p.roles.of(r.Role)
		c.terms = &terms{
			role: p.roles.names[number], roleNo: number, area: intern(p.words, r.Area), Window: r.window(), notice: r.Notice,
			presence: intern(p.words, r.Presence), release: intern(p.words, r.Release),
		}
	}
	if m.condition != "" {
		c.condition = &condition{intern(p.words, r.Line), r.Kind, m.condition, seq}
	}
	return c
}

// remark shares what many records have in common: a signer and a source, and nothing of its own.
func (p *Picture) remark(r remark) *remark {
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

// add takes in a change and brings the head up to date: by one step when the change applies last, or else from the start.
func (pl *pledge) add(c said[change]) {
	pl.last, pl.latest = c.seq, max(pl.latest, c.effective)
	pl.history.add(c)
	if end := len(pl.history) - 1; pl.history[end].seq == c.seq {
		pl.head.step(&pl.history[end])
		return
	}
	pl.head = standing{}
	for i := range pl.history {
		pl.head.step(&pl.history[i])
	}
}
