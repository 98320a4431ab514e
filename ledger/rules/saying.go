package rules

import (
	"unique"

	"muster/events"
)

// A kind is the type of a statement, as its place among all types: what was said is kept in
// numbers, a million times.
type kind uint8

var (
	types = events.Types()
	kinds = func() map[events.Type]kind {
		all := map[events.Type]kind{}
		for i, t := range types {
			all[t] = kind(i)
		}
		return all
	}()
)

// A saying is what one statement says of a pledge, as the last correction of it has it.
type saying struct {
	id       events.ID
	sequence uint64
	*particulars
	effective events.Date
	kind      kind
	struck    bool
	signed    unique.Handle[events.Nation] // the party whose key signed it
}

func (x *saying) typ() events.Type { return types[x.kind] }

func (x *saying) party() events.Nation { return x.signed.Value() }

// expires returns the last day that the statement sets for the pledge, 0 for none.
func (x *saying) expires() events.Date {
	if x.terms != nil {
		return x.terms.expires
	}
	return x.renewed
}

// particulars are what some statements say besides their type. They are never changed.
type particulars struct {
	terms     *terms
	allocated *allocation          // made
	name      events.Line          // of the condition or caveat
	condition events.ConditionKind // added
	renewed   events.Date          // until when
	// The allocation that is released, or the statement that is corrected.
	other events.ID
	label *events.Label // of the pledge from here on
	to    events.Nation // who is asked; other is the question that is answered
}

var nothingMore = new(particulars)

// saying takes from a statement what the rules may need of it later.
func (s *State) saying(st events.Statement, sequence uint64, party events.Nation) saying {
	x := sayingOf(st, sequence, party)
	if label, says := s.labelOf(st); says && label.Release != "" &&
		label.Release != events.CoalitionOnly {
		more := *x.particulars
		more.label = &label
		x.particulars = &more
	}
	return x
}

func sayingOf(st events.Statement, sequence uint64, party events.Nation) saying {
	return saying{id: st.Head().ID, kind: kinds[st.Head().Type], sequence: sequence,
		effective: effective(st), particulars: particularsOf(st), signed: unique.Make(party)}
}

func particularsOf(st events.Statement) *particulars {
	switch st := st.(type) {
	case *events.PledgeIndicated:
		return &particulars{terms: termsOf(&st.PledgeTerms)}
	case *events.PledgeOffered:
		return &particulars{terms: termsOf(&st.PledgeTerms)}
	case *events.PledgeAmended:
		return &particulars{terms: termsOf(&st.PledgeTerms)}
	case *events.PledgeDisclosed:
		return &particulars{terms: termsOf(&st.PledgeTerms)}
	case *events.PledgeRenewed:
		return &particulars{renewed: st.Expires}
	case *events.PledgeCorrected:
		return &particulars{other: st.Corrects}
	case *events.ConditionAdded:
		return &particulars{name: st.Condition, condition: st.Kind}
	case *events.ConditionDischarged:
		return &particulars{name: st.Condition}
	case *events.ConditionFailed:
		return &particulars{name: st.Condition}
	case *events.CaveatDeclared:
		return &particulars{name: st.Caveat}
	case *events.CaveatLifted:
		return &particulars{name: st.Caveat}
	case *events.AllocationMade:
		n, _ := st.Quantity.Number()
		return &particulars{allocated: &allocation{id: st.ID, line: st.Line, number: n,
			window: st.Window}}
	case *events.AllocationReleased:
		return &particulars{other: st.Allocation}
	case *events.PledgeQueried:
		return &particulars{to: st.To}
	case *events.PledgeAnswered:
		return &particulars{other: st.Query}
	}
	return nothingMore
}

func termsOf(t *events.PledgeTerms) *terms {
	named := noRotation
	if !t.Predecessor.IsZero() || !t.Successor.IsZero() {
		named = &rotation{t.Predecessor, t.Successor}
	}
	return &terms{t.Amount(), t.Window, t.Area, t.Presence == events.Reserve, t.Expires, named}
}
