package projections

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/events"
)

// A LifeEvent is one record of a pledge's life.
type LifeEvent struct {
	Sequence  uint64      `json:"sequence"`
	Recorded  time.Time   `json:"recorded"`
	Effective events.Date `json:"effective"`
	Type      events.Type `json:"type"`
	Signer    string      `json:"signer"` // name of the key that signed
	Sentence  string      `json:"sentence"`
}

// Life tells the life of a pledge as far as it is known as of m.AsOf: every record about it, in the order of recording,
// those that are effective only after m.On included.
func (p *Picture) Life(m Moment, id events.ID) ([]LifeEvent, error) {
	b, err := p.Basis(m)
	if err != nil {
		return nil, err
	}
	pl, ok := p.byID[id]
	if !ok || pl.first > b.AsOf {
		return nil, noPledge(id)
	}
	var life []LifeEvent
	for i := range pl.history {
		c := &pl.history[i]
		if c.seq > b.AsOf {
			continue
		}
		recorded, _ := p.Recorded(c.seq)
		life = append(life, LifeEvent{c.seq, recorded, c.effective, c.what.move.typ, c.what.remark.signer, pl.sentence(&c.what)})
	}
	slices.SortFunc(life, func(a, b LifeEvent) int { return cmp.Compare(a.Sequence, b.Sequence) })
	return life, nil
}

// sentence tells a change as a person would.
func (pl *pledge) sentence(c *change) string {
	said := c.move.says
	if strings.Contains(said, "%s") {
		said = fmt.Sprintf(said, pl.nation.Name())
	}
	if !c.amount.quantity.IsZero() {
		said += " " + c.amount.String()
	}
	if c.terms != nil {
		said += c.terms.describe(c.move.strength)
	}
	if c.condition != nil {
		said += " " + string(c.condition.name)
		if c.condition.kind != "" && string(c.condition.kind) != string(c.condition.name) {
			said += " (" + string(c.condition.kind) + ")"
		}
	}
	if c.remark.text != "" {
		said += ": " + c.remark.text
	}
	if c.remark.source != "" {
		said += " [" + c.remark.source + "]"
	}
	return strings.ToUpper(said[:1]) + said[1:]
}

// describe tells the terms after an amount: "for ground in west, from 2026-03-01, at 30 days' notice".
func (t *terms) describe(observed bool) string {
	s := " for " + string(t.role)
	if t.area != "" {
		s += " in " + string(t.area)
	}
	if !observed {
		s += ", " + t.Span()
	}
	if t.notice != nil {
		s += fmt.Sprintf(", at %d days' notice", *t.notice)
	}
	switch t.presence {
	case events.Reserve:
		s += ", in reserve"
	case events.Present:
		s += ", already there"
	}
	return s
}

// String tells an amount to people: "1,200 personnel", "2,500,000.00 EUR", "an unknown number of aircraft".
func (a amount) String() string {
	if a.quantity.IsUnknown() {
		if a.unit.IsMoney() {
			return "an unknown amount of " + string(a.unit)
		}
		return "an unknown number of " + string(a.unit)
	}
	return grouped(a.quantity.String()) + " " + string(a.unit)
}

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
