package projections

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/events"
	"muster/events/english"
)

// A LifeEvent is one record of a pledge's life.
type LifeEvent struct {
	Sequence  uint64      `json:"sequence"`
	Recorded  time.Time   `json:"recorded"`
	Effective events.Date `json:"effective"`
	Type      events.Type `json:"type"`
	ID        events.ID   `json:"id"`
	Signer    string      `json:"signer"` // name of the key that signed
	Sentence  string      `json:"sentence"`
	// CorrectedBy is the record that has last mended this one, 0 when none has.
	CorrectedBy uint64 `json:"corrected_by,omitzero"`
}

// Life tells the life of a pledge as far as it is known as of m.AsOf: every record about it, in the
// order of recording, those that are effective only after m.On included.
func (p *Picture) Life(ctx context.Context, m Moment, id events.ID) ([]LifeEvent, error) {
	p = p.metered(ctx)
	b, err := p.Basis(m)
	if err != nil {
		return nil, err
	}
	pl, ok := p.find(id)
	if !ok || uint64(pl.first) > b.AsOf {
		return nil, noPledge(id)
	}
	var life []LifeEvent
	facts := pl.now().facts
	for i := range facts {
		if d := &facts[i]; d.own() && uint64(d.order) <= b.AsOf {
			life = append(life, p.lifeEvent(pl, d, b.AsOf))
		}
	}
	slices.SortFunc(life, func(a, b LifeEvent) int { return cmp.Compare(a.Sequence, b.Sequence) })
	return life, p.meter.err()
}

func (p *Picture) lifeEvent(pl *pledge, d *fact, asOf uint64) LifeEvent {
	recorded, _ := p.Recorded(uint64(d.order))
	e := LifeEvent{Sequence: uint64(d.order), Recorded: recorded, Effective: d.effective,
		Type: d.move.typ, ID: d.id,
		Signer: d.remark.signer, Sentence: pl.sentence(d)}
	if uint64(d.knownTo) <= asOf {
		e.CorrectedBy = max(pl.correctionOf(d.order, uint32(asOf)), pl.struckBy(asOf))
	}
	return e
}

// correctionOf returns the last record that has corrected another.
func (pl *pledge) correctionOf(order, asOf uint32) (last uint64) {
	facts := pl.now().facts
	for i := range facts {
		if d := &facts[i]; d.corrects == order && d.knownFrom <= asOf {
			last = max(last, uint64(d.knownFrom))
		}
	}
	return last
}

// sentence tells a fact as a person would.
func (pl *pledge) sentence(d *fact) string {
	said := d.move.says
	if strings.Contains(said, "%s") {
		said = fmt.Sprintf(said, pl.named(uint64(d.knownFrom)))
	}
	if d.move.asks {
		said = d.query.asking(pl.named(uint64(d.knownFrom)))
	}
	if d.move.discloses {
		said += " " + Readers(d.terms.release, d.terms.releasableTo(),
			pl.operation.organisations(uint64(d.knownFrom))) + " as it stands:"
	}
	if d.corrects != 0 {
		said += pl.mended(d)
	}
	if !d.quantity.IsZero() && d.corrects == 0 {
		said += " " + d.amount().String()
	}
	if d.terms != nil {
		said += d.terms.describe(d.move.strength)
	}
	if d.expires != 0 {
		said += " " + d.expires.String()
	}
	if d.hold != nil {
		said += " " + d.hold.describe()
	}
	if d.share != nil {
		said += pl.describeShare(d)
	}
	if d.query != nil {
		said += " " + d.query.text
	}
	if d.remark.text != "" {
		said += ": " + d.remark.text
	}
	if d.remark.source != "" {
		said += " [" + d.remark.source + "]"
	}
	return english.Capital(said)
}

// asking says who asks whom, of the one whose pledge it is and the coordinators, and until when.
func (q *query) asking(of string) string {
	said := fmt.Sprintf("%s asks the coordinators", of)
	if q.to != events.HQ {
		said = fmt.Sprintf("the coordinators ask %s", of)
	}
	if q.due != 0 {
		said += ", to be answered by " + q.due.String()
	}
	return said + ":"
}

// Readers says to people who may read what has a release, and is releasable to nations besides, or
// to these organisations.
func Readers(r events.Release, to []events.Nation, in events.Organisations) string {
	said := "the " + string(r)
	switch r {
	case events.Public:
		return "everybody"
	case "":
		return "the coalition"
	}
	for i, n := range to {
		between := ", "
		if i+1 == len(to) {
			between = " and "
		}
		said += between + in.Named(n)
	}
	return said
}

// mended tells what a correction does to the record that it mends: what it should have said, and
// from when.
func (pl *pledge) mended(d *fact) string {
	var was, is *fact
	facts := pl.now().facts
	for i := range facts {
		switch m := &facts[i]; {
		case m.order != d.corrects:
		case m.knownFrom == d.knownFrom:
			is = m
		case m.knownTo == d.knownFrom:
			was = m
		}
	}
	at := fmt.Sprintf(" record %d", d.corrects)
	if d.order == pl.now().struck {
		return at + " should never have been made, nor all that was said of the pledge since"
	}
	if is == nil {
		return at + " should never have been made"
	}
	said := ""
	if !is.quantity.IsZero() &&
		(was == nil || is.quantity != was.quantity || is.terms != was.terms) {
		said = " should have said " + is.amount().String()
		if is.terms != nil {
			said += is.terms.describe(is.move.strength)
		}
	}
	switch {
	case was != nil && is.effective == was.effective && said != "":
		return at + said
	case said != "":
		return at + said + ", with effect from " + is.effective.String()
	}
	return at + " should have held from " + is.effective.String()
}

func (h *hold) describe() string {
	s := string(h.name)
	if h.kind != "" && string(h.kind) != s {
		s += " (" + string(h.kind) + ")"
	}
	if h.text != "" {
		s += " (" + h.text + ")"
	}
	return s
}

func (pl *pledge) describeShare(d *fact) string {
	if d.move.allocates {
		return " against " + string(d.share.line.name) + ", " + d.share.Span()
	}
	facts := pl.now().facts
	for i := range facts {
		if made := &facts[i]; made.id == d.share.id && made.share != nil {
			return " " + string(made.share.line.name) + " (" + made.amount().String() + ")"
		}
	}
	return " " + d.share.id.String()
}

// describe tells the terms after an amount: "for ground in west, from 2026-03-01, at 30 days'
// notice".
func (t *terms) describe(observed bool) string {
	s := " for " + string(t.role)
	if t.area != "" {
		s += " in " + string(t.area)
	}
	if t.line != "" {
		s += ", meant for " + string(t.line)
	}
	if !observed {
		s += ", " + t.Span()
	}
	if t.notice != nil {
		s += ", at " + english.Possessive(english.Several(*t.notice, "day")) + " notice"
	}
	switch t.presence {
	case events.Reserve:
		s += ", in reserve"
	case events.Present:
		s += ", already there"
	}
	if t.expires != 0 {
		s += ", until it expires on " + t.expires.String()
	}
	if t.further != nil && t.further.reference != "" {
		s += ", reference " + t.further.reference
	}
	if t.further != nil && t.further.elsewhere != nil {
		s += ", also pledged to " + english.List(t.further.elsewhere)
	}
	return s
}

// String tells an amount to people: "1,200 personnel", "2,500,000.00 EUR", "10 to 14 tanks", "an
// unknown number of aircraft".
func (a amount) String() string {
	switch {
	case a.quantity.IsUnknown() && a.bounds != (bounds{}):
		return a.said().Say(Grouped) + " " + english.Noun(false, string(a.unit))
	case a.quantity.IsUnknown():
		return "an " + a.unknown()
	}
	return grouped(a.quantity.String()) + " " + UnitOf(a.quantity, a.unit)
}

// UnitOf returns the word for a unit behind a quantity: "1 team", "2 teams".
func UnitOf(q events.Quantity, u events.Unit) string {
	return english.Noun(q.IsOne(), string(u))
}

func (a amount) unknown() string { return english.Unknown(string(a.unit), a.unit.IsMoney()) }

// isOne reports whether a sentence speaks of the amount as of one thing.
func (a amount) isOne() bool {
	return a.quantity.IsUnknown() && a.bounds == (bounds{}) || a.quantity.IsOne()
}

// of begins a sentence with whose an amount is: "Finland's 1 ship", "The Netherlands' unknown
// number of aircraft".
func (a amount) of(owner string) string { return english.Capital(a.whose(owner)) }

// whose is the same within a sentence: "the Netherlands' unknown number of aircraft".
func (a amount) whose(owner string) string {
	owner = english.Possessive(owner)
	if a.quantity.IsUnknown() && a.bounds == (bounds{}) {
		return owner + " " + a.unknown()
	}
	return owner + " " + a.String()
}

// does returns a verb as it goes with the amount: that of many things is given.
func (a amount) does(many string) string { return english.Verb(a.isOne(), many) }

// Grouped writes a quantity as sentences do: "1,200", "2,500,000.00", "unknown".
func Grouped(q events.Quantity) string { return grouped(q.String()) }

// grouped writes the digits before the decimal point in threes.
func grouped(number string) string {
	whole, cents, _ := strings.Cut(number, ".")
	if _, err := strconv.ParseUint(whole, 10, 64); err != nil {
		return number
	}
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	if cents != "" {
		whole += "." + cents
	}
	return whole
}
