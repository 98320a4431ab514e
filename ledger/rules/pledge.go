package rules

import (
	"fmt"
	"slices"

	"muster/events"
	"muster/events/phrase"
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

var rungNames = [...]string{indicated: "indicated", offered: "offered", accepted: "accepted",
	confirmed: "confirmed",
	deployed:  "deployed", returned: "returned", withdrawn: "withdrawn", declined: "declined"}

func (r rung) String() string { return rungNames[r] }

// Phrase returns the name of the rung, so that it can be told in other languages.
func (r rung) Phrase() phrase.Phrase {
	if r.ended() {
		return phrase.As(r.String(), "pledge-state."+r.String())
	}
	return phrase.As(r.String(), "rung."+r.String())
}

// command is what somebody types to put a pledge on a rung above the first.
func (r rung) command(id events.ID) string {
	return fmt.Sprintf(map[rung]string{
		offered:   "muster pledge offer --indicated %s",
		accepted:  "muster pledge accept %s",
		confirmed: "muster pledge confirm %s",
		deployed:  "muster pledge deploy %s --quantity N",
		returned:  "muster pledge return %s",
		withdrawn: "muster pledge withdraw %s",
		declined:  "muster pledge decline %s",
	}[r], id)
}

func (r rung) ended() bool { return r >= returned }

// rungs is the rung that each kind of statement puts a pledge on, 0 for none.
var rungs = func() []rung {
	all := make([]rung, len(types))
	for t, to := range map[events.Type]rung{
		"pledge.indicated": indicated, "pledge.offered": offered, "pledge.accepted": accepted,
		"pledge.confirmed": confirmed,
		"pledge.deployed":  deployed, "pledge.observed": deployed, "pledge.returned": returned,
		"pledge.withdrawn": withdrawn, "pledge.declined": declined,
	} {
		all[kinds[t]] = to
	}
	return all
}()

// A pledge is all that was said about it, in order, and what follows from that. It is a value:
// whatever changes it makes another, and its slices are replaced or appended to, never changed in
// place.
type pledge struct {
	*subject
	said []saying
	standing
	unread *unreadSayings // in a saved state: instead of what was said, and where it stands
}

// A subject is what never changes of a pledge.
type subject struct {
	operation events.Operation
	nation    events.Nation
	role      events.Role
	unit      events.Unit
	observed  bool // seen in published figures, never offered
}

// terms are what the rules ask of a pledge's terms.
type terms struct {
	amount  events.Amount
	window  events.Window
	area    events.Area
	reserve bool
	expires events.Date
	*rotation
}

// A rotation is the pledges that terms name as relieved and as relieving; the zero ID for none.
type rotation struct{ predecessor, successor events.ID }

var noRotation = new(rotation)

// A standing is the fold of what was said, in the order of recording.
type standing struct {
	rung     rung
	label    *events.Label             // who may read it; nil for the coalition
	expiring bool                      // it may lapse: see [pledge.lapsed]
	began    events.Date               // the effective date of its first statement
	opened   events.Date               // the effective date of its last disclosure, 0 for none
	reached  [declined + 1]events.Date // the effective date of each rung
	ended    uint64                    // the sequence that ended it
	*attached
}

// attached is what hangs on a pledge. Most have nothing, so it is kept apart. It is never changed.
type attached struct {
	conditions  []condition
	caveats     []caveat
	allocations []allocation
	queries     []query
}

var nothingAttached = new(attached)

type condition struct {
	name    events.Line
	kind    events.ConditionKind
	settled uint64 // the sequence that discharged it or told its failure, or 0 while it is open
	failed  bool
}

// A query is a question about the pledge.
type query struct {
	id       events.ID
	to       events.Nation
	asked    events.Date
	answered uint64 // sequence, or 0
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

// anew is what somebody types to offer a new pledge in the place of one.
func (p *pledge) anew() string {
	return fmt.Sprintf("muster pledge offer --operation %s --nation %s --role %s --quantity N",
		p.operation, p.nation, p.role)
}

// begun returns what a statement begins, of which nothing was said yet.
func begun(st events.Statement) pledge {
	nation, operation := events.About(st)
	sub := &subject{operation: operation, nation: nation}
	switch st := st.(type) {
	case *events.PledgeIndicated:
		sub.role, sub.unit = st.Role, st.Unit
	case *events.PledgeOffered:
		sub.role, sub.unit = st.Role, st.Unit
	case *events.PledgeObserved:
		sub.role, sub.unit, sub.observed = st.Role, st.Unit, true
	case *events.PledgeDisclosed: // to those who do not read what was said before
		sub.role, sub.unit = st.Role, st.Unit
	}
	return pledge{subject: sub, standing: standing{attached: nothingAttached}}
}

// saying appends what was said next. It grows by a quarter: most pledges are short, and there are
// many.
func (p *pledge) saying(x saying) {
	if len(p.said) == cap(p.said) {
		p.said = append(make([]saying, 0, len(p.said)+len(p.said)/4+2), p.said...)
	}
	p.said = append(p.said, x)
	p.step(&x)
}

// isStruck reports whether all of the pledge was struck, by a correction of its beginning; and
// struckBy returns that record, which is the last about it.
func (p *pledge) isStruck() bool   { return p.said[0].struck }
func (p *pledge) struckBy() uint64 { return p.said[len(p.said)-1].sequence }

// step folds in what was said next. Of a pledge that is struck its label stays: whoever reads it
// reads that it was struck.
func (p *pledge) step(x *saying) {
	if x.struck && len(p.said) > 1 {
		return
	}
	if p.isStruck() {
		p.relabel(x)
		return
	}
	if len(p.said) <= 1 {
		p.began = x.effective
	}
	if to := rungs[x.kind]; to > 0 {
		p.rung, p.reached[to] = to, x.effective
		if to.ended() {
			p.ended = x.sequence
		}
	}
	p.relabel(x)
	if x.typ() == "pledge.disclosed" {
		p.opened = x.effective
	}
	p.expiring = p.expiring || x.expires() != 0
	if x.particulars != nothingMore {
		p.attach(x)
	}
}

// relabel folds in who may read the pledge from here on.
func (p *pledge) relabel(x *saying) {
	if x.label != nil || x.typ() == "pledge.disclosed" {
		p.label = x.label
	}
}

// attach folds in what hangs on the pledge.
func (p *pledge) attach(x *saying) {
	all := *p.attached
	switch x.typ() {
	case "condition.added":
		all.conditions = append(slices.Clip(all.conditions),
			condition{name: x.name, kind: x.condition})
	case "condition.discharged", "condition.failed":
		all.conditions = slices.Clone(all.conditions)
		for i := range all.conditions {
			if c := &all.conditions[i]; c.name == x.name {
				c.settled, c.failed = x.sequence, x.typ() == "condition.failed"
			}
		}
	case "caveat.declared":
		all.caveats = append(slices.Clip(all.caveats), caveat{name: x.name})
	case "caveat.lifted":
		all.caveats = slices.Clone(all.caveats)
		for i := range all.caveats {
			if c := &all.caveats[i]; c.name == x.name {
				c.lifted = x.sequence
			}
		}
	case "allocation.made":
		made := *x.allocated
		made.effective = x.effective
		all.allocations = append(slices.Clip(all.allocations), made)
	case "allocation.released":
		all.allocations = slices.Clone(all.allocations)
		for i := range all.allocations {
			if a := &all.allocations[i]; a.id == x.other {
				a.released, a.ends = x.sequence, x.effective
			}
		}
	case "pledge.queried":
		all.queries = append(slices.Clip(all.queries),
			query{id: x.id, to: x.to, asked: x.effective})
	case "pledge.answered":
		all.queries = slices.Clone(all.queries)
		for i := range all.queries {
			if q := &all.queries[i]; q.id == x.other {
				q.answered = x.sequence
			}
		}
	default:
		return
	}
	p.attached = &all
}

// mend returns what was said, with one statement as a correction has it, and the place of that
// statement; -1 when it is not there.
func (p *pledge) mend(c *events.PledgeCorrected) (said []saying, at int) {
	at = slices.IndexFunc(p.said, func(x saying) bool { return x.id == c.Corrects })
	if strikesAll(c) {
		at = 0 // also where the pledge is known from its disclosure on
	}
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
	p.said, p.standing = said[:0:0], standing{attached: nothingAttached}
	for i := range said {
		p.said = said[:i+1]
		p.step(&said[i])
	}
	return p
}

// lapsed returns the day on which the pledge had expired on a date, and false when it had not: a
// pledge that expires stands through that day, unless it was renewed, amended or deployed by then.
// No clock is asked, only effective dates.
func (p *pledge) lapsed(on events.Date) (expired events.Date, lapsed bool) {
	if !p.expiring {
		return 0, false
	}
	said := slices.DeleteFunc(slices.Clone(p.said), func(x saying) bool {
		return x.struck || x.effective > on
	})
	slices.SortStableFunc(said, func(a, b saying) int {
		return int(a.effective) - int(b.effective)
	})
	inPlace := false
	for i := range said {
		x := &said[i]
		if expired != 0 && !inPlace && x.effective > expired {
			return expired, true
		}
		if x.terms != nil || x.renewed != 0 {
			expired = x.expires()
		}
		inPlace = inPlace || rungs[x.kind] == deployed
	}
	return expired, expired != 0 && !inPlace && on > expired
}

// termsOn returns the terms in force on a date, nil when there are none yet: of what only was
// observed, there never are.
func (p *pledge) termsOn(on events.Date) (t *terms) {
	best := events.Date(0)
	for i := range p.said {
		if x := &p.said[i]; !x.struck && x.terms != nil && x.effective <= on &&
			x.effective >= best {
			best, t = x.effective, x.terms
		}
	}
	return t
}

// named returns what the terms that were said of the pledge name as relieved and as relieving, as
// they were last corrected.
func (p *pledge) named() (predecessors, successors []events.ID) {
	for i := range p.said {
		if x := &p.said[i]; !x.struck && x.terms != nil {
			predecessors = append(predecessors, x.terms.predecessor)
			successors = append(successors, x.terms.successor)
		}
	}
	return predecessors, successors
}

// quantityOn returns how much is pledged on a date, at the least, false when nobody has said.
func (p *pledge) quantityOn(on events.Date) (n int64, known bool) {
	if t := p.termsOn(on); t != nil {
		return t.amount.Sure()
	}
	return 0, false
}
