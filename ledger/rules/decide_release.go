package rules

import (
	"fmt"
	"slices"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
)

// labelOf returns the label that a statement says of what is in an operation, and false where it
// says none: see [events.LabelOf].
func (s *State) labelOf(st events.Statement) (events.Label, bool) {
	l, says := events.LabelOf(st)
	_, name := events.About(st)
	return l.Within(s.operations[name].label), says
}

// released returns the label of the pledge.
func (p *pledge) released() events.Label {
	if p.label == nil {
		return events.Label{Release: events.CoalitionOnly, Owner: p.nation}
	}
	return *p.label
}

// readBy returns the state as those see it who have a view.
func (s *State) readBy(v events.View) *State {
	as := *s
	as.reader = v
	return &as
}

func (s *State) mayRead(l events.Label) bool { return s.reader == "" || l.OpenTo(s.reader) }

// ViewOf returns what the holder of a key may read: what is public, for whom is no member.
func (s *State) ViewOf(key events.Key) events.View {
	m, err := signer(s, key)
	if err != nil {
		return events.PublicView
	}
	return m.view()
}

// MayRead reports whether those who have a view may read a record that the state has taken in.
func (s *State) MayRead(v events.View, rec events.Record) bool {
	return s.labelAt(rec).OpenTo(v)
}

// labelAt returns the label of a record that the state has taken in.
func (s *State) labelAt(rec events.Record) events.Label {
	switch st := rec.Statement.(type) {
	case *events.LedgerFounded, *events.MemberAdmitted, *events.MemberRevoked,
		*events.MemberSeconded, *events.MemberRetracted:
		return events.Label{Release: events.Public}
	case *events.OperationRevised:
		return s.operations[st.Operation].label
	case *events.RequirementRevised:
		return s.lines[lineKey{st.Operation, st.Line}].label
	case *events.RequirementCancelled:
		return s.lines[lineKey{st.Operation, st.Line}].label
	}
	if l, says := s.labelOf(rec.Statement); says {
		return l
	}
	if p, _ := s.pledge(events.Thing(rec.Statement)); p != nil {
		return p.releasedAt(rec.Sequence)
	}
	return events.Label{Release: events.CoordinatorsOnly}
}

// releasedAt returns the label of what the record says of the pledge: that of its beginning, or of
// its last disclosure until then.
func (p *pledge) releasedAt(sequence uint64) events.Label {
	then := pledge{subject: p.subject}
	for i := range p.said {
		x := &p.said[i]
		if x.sequence > sequence {
			break
		}
		if x.label != nil || x.typ() == "pledge.disclosed" {
			then.label = x.label
		}
	}
	return then.released()
}

// keepsRelease keeps rule 39: terms that are said anew say the release that there is.
func keepsRelease(s *State, st events.Statement) error {
	t, within := termsSaidAnew(st)
	if t == nil {
		return nil
	}
	p, ok := s.pledge(events.Thing(st))
	if !ok {
		return nil // which Decide has refused
	}
	is, _ := s.labelOf(&events.PledgeIndicated{Place: events.Place{Operation: p.operation,
		Nation: p.nation}, PledgeTerms: *t})
	if was := p.released(); is.Covers(was) && was.Covers(is) {
		return nil
	}
	return refuseField(codeReleaseFixed, field(within+"release", t.Release,
		"the pledge is released to the %s and stays so: write that again", p.released())).
		WithHint("to let more read it: muster pledge disclose %s --release coalition; what was "+
			"read cannot be taken back", p.id())
}

// termsSaidAnew returns the terms that a statement restates of a pledge that is there, and the
// member that they are in.
func termsSaidAnew(st events.Statement) (t *events.PledgeTerms, within string) {
	switch st := st.(type) {
	case *events.PledgeOffered:
		if !st.Pledge.IsZero() {
			return &st.PledgeTerms, ""
		}
	case *events.PledgeAmended:
		return &st.PledgeTerms, ""
	case *events.PledgeCorrected:
		return st.Terms, "terms."
	}
	return nil, ""
}

// decideDisclosed keeps the rules 20, 34, 40 and 42.
func decideDisclosed(s *State, p pledge, st *events.PledgeDisclosed) error {
	if err := sameTerms(s, p, "", &st.PledgeTerms); err != nil {
		return err
	}
	if err := widens(s, p, st); err != nil {
		return err
	}
	var wrong []problem.Field
	for i := range p.said {
		if x := &p.said[i]; !x.struck && x.typ() != "pledge.corrected" &&
			x.effective > st.Effective {
			wrong = append(wrong, field("effective", st.Effective.String(),
				"record %d, %s, holds from %s on, and who reads the pledge only from here "+
					"would not know of it: write that date or a later one", x.sequence,
				phrase.As(string(x.typ()), "type."+string(x.typ())),
				x.effective))
			break
		}
	}
	wrong = append(wrong, p.restated(st)...)
	return refuseFields(codeDisclosureMismatch, wrong)
}

// widens keeps rule 40 and the first half of rule 42: more may read the pledge from now on, and
// none of them reads what rests on something that they may not read.
func widens(s *State, p pledge, st *events.PledgeDisclosed) error {
	said, _ := events.LabelOf(st)
	if op := s.operations[p.operation].label; !op.Covers(said) {
		return refuseField(codeReleaseTooWide,
			field("release", st.Release,
				"the operation %s is for the %s to read: write at most that", p.operation, op))
	}
	for _, a := range p.allocations {
		if l := s.lines[lineKey{p.operation, a.line}]; a.released == 0 && !l.label.Covers(said) {
			return refuseField(codeReleaseTooWide,
				field("release", st.Release,
					"some of it is allocated to %s, which is for the %s to read: release that "+
						"allocation first",
					a.line, l.label))
		}
	}
	if was := p.released(); !said.Covers(was) || was.Covers(said) {
		return refuseField(codeReleaseNotWider,
			field("release", st.Release,
				"the pledge is released to the %s already: a disclosure must let those still "+
					"read it, and others too", was)).
			WithHint("write a wider release; what was read cannot be taken back")
	}
	return nil
}

// restated keeps the second half of rule 42, as far as the rules know what a pledge says: a
// disclosure tells the pledge as it stands.
func (p *pledge) restated(st *events.PledgeDisclosed) (wrong []problem.Field) {
	differs := func(location string, said, is any) {
		if said, is := fmt.Sprint(said), fmt.Sprint(is); said != is {
			wrong = append(wrong, field(location, said,
				"the pledge as it stands has %s: restate it so, or amend it first", is))
		}
	}
	t, said := p.termsOn(st.Effective), termsOf(&st.PledgeTerms)
	if t == nil {
		t = new(terms)
	}
	differs("quantity", said.amount, t.amount)
	differs("from", said.window.From, t.window.From)
	differs("until", orWord(said.window.Until, "none"), orWord(t.window.Until, "none"))
	differs("area", orWord(said.area, "none"), orWord(t.area, "none"))
	differs("presence", orUsual(said.reserve), orUsual(t.reserve))
	differs("expires", orWord(said.expires, "none"), orWord(p.expiryOn(st.Effective), "none"))
	differs("rung", st.Rung, p.rung)
	differs("conditions", conditionsSaid(st.Conditions), p.conditionsLeft())
	differs("caveats", caveatsSaid(st.Caveats), p.caveatsLeft())
	differs("allocations", p.allocationsSaid(st.Allocations), p.allocationsLeft())
	return wrong
}

func orUsual(reserve bool) string {
	if reserve {
		return string(events.Reserve)
	}
	return "no reserve"
}

// What hangs on a pledge, as a disclosure says it and as it is: sorted, and written for people.

func conditionsSaid(all []events.StandingCondition) string {
	var words []string
	for _, h := range all {
		words = append(words, conditionWord(h.Condition, h.Kind, h.Failed))
	}
	return sortedOrNone(words)
}

func (p *pledge) conditionsLeft() string {
	var words []string
	for _, c := range p.conditions {
		if c.settled == 0 || c.failed {
			words = append(words, conditionWord(c.name, c.kind, c.failed))
		}
	}
	return sortedOrNone(words)
}

func conditionWord(name events.Line, kind events.ConditionKind, failed bool) string {
	if failed {
		return fmt.Sprintf("%s (%s, failed)", name, kind)
	}
	return fmt.Sprintf("%s (%s)", name, kind)
}

func caveatsSaid(all []events.StandingCaveat) string {
	var words []string
	for _, h := range all {
		words = append(words, string(h.Caveat))
	}
	return sortedOrNone(words)
}

func (p *pledge) caveatsLeft() string {
	var words []string
	for _, c := range p.caveats {
		if c.lifted == 0 {
			words = append(words, string(c.name))
		}
	}
	return sortedOrNone(words)
}

func (p *pledge) allocationsSaid(all []events.StandingAllocation) string {
	var words []string
	for _, a := range all {
		words = append(words, fmt.Sprintf("%s %s to %s %s (%s)", a.Quantity, a.Unit, a.Line,
			a.Window.Span(), a.Allocation))
	}
	return sortedOrNone(words)
}

func (p *pledge) allocationsLeft() string {
	var words []string
	for _, a := range p.allocations {
		if a.released == 0 {
			words = append(words, fmt.Sprintf("%s %s to %s %s (%s)", p.unit.Of(a.number), p.unit,
				a.line, a.window.Span(), a.id))
		}
	}
	return sortedOrNone(words)
}

func sortedOrNone(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	slices.Sort(words)
	return phrase.List(phrase.And, words...).String()
}

// notBeforeDisclosed keeps rule 43: what was said before a disclosure is not corrected after it.
func notBeforeDisclosed(p pledge, at int, st *events.PledgeCorrected) error {
	for i := len(p.said) - 1; i >= at; i-- {
		switch x := &p.said[i]; {
		case x.typ() != "pledge.disclosed":
		case i > at:
			return refuse(codeDisclosed,
				"record %d disclosed the pledge %s as it stood, to some who do not know what "+
					"was said before: that is not corrected any more",
				x.sequence, p.id()).WithHint(
				"amend the pledge, or correct the terms in that record, %s: "+
					"muster pledge correct %d --quantity NUMBER --reason TEXT", x.id, x.sequence)
		case st.Struck:
			return refuse(codeDisclosed,
				"record %d disclosed the pledge %s, and what was read cannot be taken back",
				x.sequence, p.id())
		}
	}
	return nil
}
