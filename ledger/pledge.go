package ledger

import (
	"slices"

	"muster/events"
)

// rung is how far a pledge has climbed. The ends are rungs too: nothing moves after them.
type rung uint8

const (
	indicated rung = iota + 1
	offered
	accepted
	confirmed
	deployed
	returned
	withdrawn
	declined
)

var rungNames = [...]string{indicated: "indicated", offered: "offered", accepted: "accepted", confirmed: "confirmed",
	deployed: "deployed", returned: "returned", withdrawn: "withdrawn", declined: "declined"}

func (r rung) String() string { return rungNames[r] }

func (r rung) ended() bool { return r >= returned }

// rungs is the rung that each kind of statement puts a pledge on.
var rungs = map[events.Type]rung{
	"pledge.indicated": indicated, "pledge.offered": offered, "pledge.accepted": accepted, "pledge.confirmed": confirmed,
	"pledge.deployed": deployed, "pledge.observed": deployed, "pledge.returned": returned, "pledge.withdrawn": withdrawn, "pledge.declined": declined,
}

// A pledge is all that was said about it, in order, and what follows from that. It is a value: whatever changes it makes
// another, and its slices are replaced or appended to, never changed in place.
type pledge struct {
	operation events.Operation
	nation    events.Nation
	role      events.Role
	unit      events.Unit
	observed  bool // seen in published figures, never offered
	said      []saying
	standing
}

// A saying is what one statement says of a pledge, as the last correction of it has it.
type saying struct {
	id        events.ID
	typ       events.Type
	sequence  uint64
	effective events.Date
	party     events.Nation // whose key signed it
	struck    bool
	*particulars
}

// particulars are what some statements say besides their type. They are never changed.
type particulars struct {
	terms      *terms
	condition  condition   // added
	name       events.Line // of the condition or caveat that is settled, and of the caveat that is declared
	expires    events.Date // of a renewal
	allocation allocation  // made
	released   events.ID   // an allocation
	corrects   events.ID   // a statement
}

var nothingMore = new(particulars)

// terms are what the rules ask of a pledge's terms.
type terms struct {
	quantity events.Quantity
	window   events.Window
	area     events.Area
	reserve  bool
	expires  events.Date
}

// A standing is the fold of what was said, in the order of recording.
type standing struct {
	rung        rung
	began       events.Date               // the effective date of its first statement
	reached     [declined + 1]events.Date // the effective date of each rung
	ended       uint64                    // the sequence that ended it
	terms       *terms                    // as they were last said; nil for what was only observed
	expiring    bool                      // it may lapse: see [pledge.lapsed]
	conditions  []condition
	caveats     []caveat
	allocations []allocation
}

type condition struct {
	name    events.Line
	kind    events.ConditionKind
	settled uint64 // the sequence that discharged it or told its failure, or 0 while it is open
	failed  bool
}

type caveat struct {
	name   events.Line
	lifted uint64 // sequence, or 0
}

type allocation struct {
	id        events.ID
	line      events.Line
	number    int64
	effective events.Date
	window    events.Window
	released  uint64      // sequence, or 0
	ends      events.Date // the effective date of its release
}

// on reports whether the allocation is there on a date.
func (a *allocation) on(d events.Date) bool {
	return a.effective <= d && a.window.Includes(d) && (a.released == 0 || d < a.ends)
}

// sayingOf takes from a statement what the rules may need of it later.
func sayingOf(st events.Statement, sequence uint64, party events.Nation) saying {
	x := saying{id: st.Head().ID, typ: st.Head().Type, sequence: sequence, effective: effective(st), party: party, particulars: nothingMore}
	switch st := st.(type) {
	case *events.PledgeIndicated:
		x.particulars = &particulars{terms: termsOf(&st.PledgeTerms)}
	case *events.PledgeOffered:
		x.particulars = &particulars{terms: termsOf(&st.PledgeTerms)}
	case *events.PledgeAmended:
		x.particulars = &particulars{terms: termsOf(&st.PledgeTerms)}
	case *events.PledgeRenewed:
		x.particulars = &particulars{expires: st.Expires}
	case *events.PledgeCorrected:
		x.particulars = &particulars{corrects: st.Corrects}
	case *events.ConditionAdded:
		x.particulars = &particulars{condition: condition{name: st.Condition, kind: st.Kind}}
	case *events.ConditionDischarged:
		x.particulars = &particulars{name: st.Condition}
	case *events.ConditionFailed:
		x.particulars = &particulars{name: st.Condition}
	case *events.CaveatDeclared:
		x.particulars = &particulars{name: st.Caveat}
	case *events.CaveatLifted:
		x.particulars = &particulars{name: st.Caveat}
	case *events.AllocationMade:
		n, _ := st.Quantity.Number()
		x.particulars = &particulars{allocation: allocation{id: st.ID, line: st.Line, number: n, window: st.Window}}
	case *events.AllocationReleased:
		x.particulars = &particulars{released: st.Allocation}
	}
	return x
}

func termsOf(t *events.PledgeTerms) *terms {
	return &terms{t.Quantity, t.Window, t.Area, t.Presence == events.Reserve, t.Expires}
}

// roleAndUnit returns those that a pledge is begun with.
func roleAndUnit(st events.Statement) (events.Role, events.Unit) {
	switch st := st.(type) {
	case *events.PledgeIndicated:
		return st.Role, st.Unit
	case *events.PledgeOffered:
		return st.Role, st.Unit
	case *events.PledgeObserved:
		return st.Role, st.Unit
	}
	return "", ""
}

// step folds in what was said next.
func (p *pledge) step(x *saying) {
	if x.struck {
		return
	}
	if len(p.said) <= 1 {
		p.began = x.effective
	}
	if to := rungs[x.typ]; to > 0 {
		p.rung, p.reached[to] = to, x.effective
		if to.ended() {
			p.ended = x.sequence
		}
	}
	if x.terms != nil {
		p.terms, p.expiring = x.terms, p.expiring || x.terms.expires != 0
	}
	p.expiring = p.expiring || x.expires != 0
	p.stepNamed(x)
}

func (p *pledge) stepNamed(x *saying) {
	switch x.typ {
	case "condition.added":
		p.conditions = append(slices.Clip(p.conditions), x.condition)
	case "condition.discharged", "condition.failed":
		p.conditions = slices.Clone(p.conditions)
		for i := range p.conditions {
			if c := &p.conditions[i]; c.name == x.name {
				c.settled, c.failed = x.sequence, x.typ == "condition.failed"
			}
		}
	case "caveat.declared":
		p.caveats = append(slices.Clip(p.caveats), caveat{name: x.name})
	case "caveat.lifted":
		p.caveats = slices.Clone(p.caveats)
		for i := range p.caveats {
			if c := &p.caveats[i]; c.name == x.name {
				c.lifted = x.sequence
			}
		}
	case "allocation.made":
		made := x.allocation
		made.effective = x.effective
		p.allocations = append(slices.Clip(p.allocations), made)
	case "allocation.released":
		p.allocations = slices.Clone(p.allocations)
		for i := range p.allocations {
			if a := &p.allocations[i]; a.id == x.released {
				a.released, a.ends = x.sequence, x.effective
			}
		}
	}
}

// mend returns what was said, with one statement as a correction has it, and the place of that statement; -1 when it is not there.
func (p *pledge) mend(c *events.PledgeCorrected) (said []saying, at int) {
	at = slices.IndexFunc(p.said, func(x saying) bool { return x.id == c.Corrects })
	if at < 0 {
		return p.said, at
	}
	said = slices.Clone(p.said)
	x := &said[at]
	x.effective, x.struck = c.Effective, c.Struck
	more := *x.particulars
	if c.Terms != nil {
		more.terms = termsOf(c.Terms)
	}
	x.particulars = &more
	return said, at
}

// corrected returns the pledge as it follows from all that was said, the correction among it.
func (p pledge) corrected(c *events.PledgeCorrected) pledge {
	said, _ := p.mend(c)
	p.said, p.standing = said[:0:0], standing{}
	for i := range said {
		p.said = said[:i+1]
		p.step(&said[i])
	}
	return p
}

// lapsed returns the day on which the pledge had expired on a date, and false when it had not: a pledge that expires stands
// through that day, unless it was renewed, amended or deployed by then. No clock is asked, only effective dates.
func (p *pledge) lapsed(on events.Date) (expired events.Date, lapsed bool) {
	if !p.expiring {
		return 0, false
	}
	said := slices.DeleteFunc(slices.Clone(p.said), func(x saying) bool { return x.struck || x.effective > on })
	slices.SortStableFunc(said, func(a, b saying) int { return int(a.effective) - int(b.effective) })
	inPlace := false
	for i := range said {
		x := &said[i]
		if expired != 0 && !inPlace && x.effective > expired {
			return expired, true
		}
		if x.terms != nil {
			expired = x.terms.expires
		}
		if x.expires != 0 {
			expired = x.expires
		}
		inPlace = inPlace || rungs[x.typ] == deployed
	}
	return expired, expired != 0 && !inPlace && on > expired
}

// quantityOn returns how much is pledged on a date, false when nobody has said.
func (p *pledge) quantityOn(on events.Date) (n int64, known bool) {
	best := events.Date(0)
	for i := range p.said {
		if x := &p.said[i]; !x.struck && x.terms != nil && x.effective <= on && x.effective >= best {
			best = x.effective
			n, known = x.terms.quantity.Number()
		}
	}
	return n, known
}
