package projections

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/events"
	"muster/events/english"
	"muster/events/phrase"
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
	// Told is the sentence, to be told in other languages.
	Told phrase.Phrase `json:"-"`
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
		Signer: d.remark.signer, Told: pl.sentence(d)}
	e.Sentence = e.Told.String()
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
func (pl *pledge) sentence(d *fact) phrase.Phrase {
	var said phrase.Sentence
	by := pl.called(uint64(d.knownFrom))
	switch {
	case d.move.asks:
		said.Add("%s:", d.query.asking(by))
	case strings.Contains(d.move.says, "%s"):
		said.Add(d.move.says, by)
	default:
		said.Add(d.move.says)
	}
	if d.move.discloses {
		said.Add(" %s as it stands:", readers(d.terms.release, d.terms.releasableTo(),
			pl.operation.organisations(uint64(d.knownFrom))))
	}
	if d.corrects != 0 {
		said.Add(" %s", pl.mended(d))
	}
	if !d.quantity.IsZero() && d.corrects == 0 {
		said.Add(" %s", d.amount().measure())
	}
	if d.terms != nil {
		said.Add(" %s", d.terms.describe(d.move.strength))
	}
	if d.expires != 0 {
		said.Add(" %s", d.expires)
	}
	if d.hold != nil {
		said.Add(" %s", d.hold.describe())
	}
	if d.share != nil {
		said.Add(" %s", pl.describeShare(d))
	}
	if d.query != nil {
		said.Add(" %s", d.query.text)
	}
	if d.remark.text != "" {
		said.Add(": %s", d.remark.text)
	}
	if d.remark.source != "" {
		said.Add(" [%s]", d.remark.source)
	}
	return said.Phrase().Capital()
}

// asking says who asks whom, of the one whose pledge it is and the coordinators, and until when.
func (q *query) asking(of events.Called) phrase.Phrase {
	said := phrase.Of("%s asks the coordinators", of)
	if q.to != events.HQ {
		said = phrase.Of("the coordinators ask %s", of)
	}
	if q.due != 0 {
		said = phrase.Of("%s, to be answered by %s", said, q.due)
	}
	return said
}

// Readers says to people who may read what has a release, and is releasable to nations besides, or
// to these organisations.
func Readers(r events.Release, to []events.Nation, in events.Organisations) string {
	return readers(r, to, in).String()
}

func readers(r events.Release, to []events.Nation, in events.Organisations) phrase.Phrase {
	var all []phrase.Phrase
	switch r {
	case events.Public:
		return phrase.Of("everybody")
	case "":
		return phrase.Of("the coalition")
	case events.CoalitionOnly:
		all = append(all, phrase.Of("the coalition"))
	case events.CoordinatorsOnly:
		all = append(all, phrase.Of("the coordinators"))
	default:
		all = append(all, phrase.Of("the %s", r))
	}
	for _, n := range to {
		all = append(all, phrase.Of("%s", events.Called{Nation: n, English: in.Named(n)}))
	}
	return phrase.List(phrase.And, all...)
}

// mended tells what a correction does to the record that it mends: what it should have said, and
// from when.
func (pl *pledge) mended(d *fact) phrase.Phrase {
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
	if d.order == pl.now().struck {
		return phrase.Of("record %d should never have been made, nor all that was said of the "+
			"pledge since", d.corrects)
	}
	if is == nil {
		return phrase.Of("record %d should never have been made", d.corrects)
	}
	said := phrase.Phrase{}
	if !is.quantity.IsZero() &&
		(was == nil || is.quantity != was.quantity || is.terms != was.terms) {
		should := phrase.Of("%s", is.amount().measure())
		if is.terms != nil {
			should = phrase.Of("%s %s", should, is.terms.describe(is.move.strength))
		}
		said = phrase.Of("record %d should have said %s", d.corrects, should)
	}
	switch {
	case was != nil && is.effective == was.effective && !said.IsZero():
		return said
	case !said.IsZero():
		return phrase.Of("%s, with effect from %s", said, is.effective)
	}
	return phrase.Of("record %d should have held from %s", d.corrects, is.effective)
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

func (pl *pledge) describeShare(d *fact) phrase.Phrase {
	if d.move.allocates {
		return phrase.Of("against %s, %s", d.share.line.name, d.share.Phrase())
	}
	facts := pl.now().facts
	for i := range facts {
		if made := &facts[i]; made.id == d.share.id && made.share != nil {
			return phrase.Of("%s (%s)", made.share.line.name, made.amount().measure())
		}
	}
	return phrase.Of("%s", d.share.id)
}

// describe tells the terms after an amount: "for ground in west, from 2026-03-01, at 30 days'
// notice".
func (t *terms) describe(observed bool) phrase.Phrase {
	var s phrase.Sentence
	s.Add("for %s", t.role)
	if t.area != "" {
		s.Add(" in %s", t.area)
	}
	if t.line != "" {
		s.Add(", meant for %s", t.line)
	}
	if !observed {
		s.Add(", %s", t.Phrase())
	}
	if t.notice != nil {
		if n := *t.notice; n == 1 {
			s.Add(", at 1 day's notice")
		} else {
			s.Add(", at %d days' notice", n)
		}
	}
	switch t.presence {
	case events.Reserve:
		s.Add(", in reserve")
	case events.Present:
		s.Add(", already there")
	}
	if t.expires != 0 {
		s.Add(", until it expires on %s", t.expires)
	}
	if t.further != nil && t.further.reference != "" {
		s.Add(", reference %s", t.further.reference)
	}
	if t.further != nil && t.further.elsewhere != nil {
		s.Add(", also pledged to %s", phrase.List(phrase.And, t.further.elsewhere...))
	}
	return s.Phrase()
}

func (a amount) measure() events.Measure {
	return events.Measure{Amount: a.said(), Unit: a.unit, Text: a.String()}
}

// measureOf returns a quantity as a measure: its digits alone, where no unit is given.
func measureOf(q events.Quantity, u events.Unit) events.Measure {
	text := Grouped(q)
	if u != "" {
		text += " " + UnitOf(q, u)
	}
	return events.Measure{Amount: events.Amount{Quantity: q}, Unit: u, Text: text}
}

// String tells an amount to people: "1,200 personnel", "2,500,000 EUR", "10 to 14 tanks", "an
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
func (a amount) of(owner events.Called) phrase.Phrase { return a.whose(owner).Capital() }

// whose is the same within a sentence: "the Netherlands' unknown number of aircraft".
func (a amount) whose(owner events.Called) phrase.Phrase {
	what := a.String()
	if a.quantity.IsUnknown() && a.bounds == (bounds{}) {
		what = a.unknown()
	}
	return phrase.As(english.Possessive(owner.English)+" "+what, "whose", owner, a.measure())
}

// does returns a verb as it goes with the amount: that of many things is given.
func (a amount) does(many string) string { return english.Verb(a.isOne(), many) }

// Grouped writes a quantity as sentences do: "1,200", "2,500,000", "99.50", "unknown".
func Grouped(q events.Quantity) string { return grouped(q.String()) }

// grouped writes the digits before the decimal point in threes, and cents where there are any.
func grouped(number string) string {
	whole, cents, _ := strings.Cut(number, ".")
	if _, err := strconv.ParseUint(whole, 10, 64); err != nil {
		return number
	}
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	if strings.Trim(cents, "0") != "" {
		whole += "." + cents
	}
	return whole
}
