package projections

import (
	"context"
	"slices"
	"strings"

	"muster/events"
	"muster/events/phrase"
)

// A Change is what one record has said, and which requirements are met otherwise from it on.
type Change struct {
	Told
	// Title says what the record is about and what it says, for who sees nothing else of it.
	Title string
	// TitleSaid is the title, to be told in other languages.
	TitleSaid phrase.Phrase
	// On is the day on which coverage is compared: that of the record or, where what it says holds
	// later, the first on which it does. It is 0 for a record that no requirement hangs on.
	On    events.Date
	Lines []DigestItem
}

// Tell tells a record in one sentence. The record must be in the picture, and one that the picture
// was given whole.
func (p *Picture) Tell(r *events.Record) Change {
	head := r.Statement.Head()
	nation, operation := events.About(r.Statement)
	c := Change{Told: Told{Sequence: r.Sequence, Recorded: r.Recorded, Type: head.Type,
		Signer: r.KeyName, Operation: operation, Nation: nation}}
	if pl, ok := p.find(events.Thing(r.Statement)); ok {
		if told := p.tell(pl, uint32(r.Sequence)); told.Sentence != "" {
			c.Told = told
		}
		c.TitleSaid = c.Said
		if terms := pl.lastTerms(r.Sequence); terms != nil && pl.first != uint32(r.Sequence) {
			c.TitleSaid = phrase.Of("%s, %s: %s", pl.nation, terms.role, c.Said)
		}
	} else if l := p.lineOf(r.Statement); l != nil {
		c.Told = p.tellLine(l, r.Sequence)
		c.TitleSaid = c.Said
	} else {
		c.Told = c.saying(p.sentenceOf(r))
		c.TitleSaid = c.Said
	}
	if c.Sentence == "" {
		c.Told = c.saying(phrase.Of("%s says %s", r.KeyName,
			phrase.As(string(head.Type), "type."+string(head.Type))))
		c.TitleSaid = c.Said
	}
	c.Title = c.TitleSaid.String()
	return c
}

// lineOf returns the requirement that a statement is about, nil for none.
func (p *Picture) lineOf(s events.Statement) *line {
	var name events.Line
	switch s := s.(type) {
	case *events.RequirementIssued:
		name = s.Line
	case *events.RequirementRevised:
		name = s.Line
	case *events.RequirementCancelled:
		name = s.Line
	default:
		return nil
	}
	_, operation := events.About(s)
	if o := p.operations[operation]; o != nil {
		return o.now().lines[name]
	}
	return nil
}

// sentenceOf tells what is about neither a pledge nor a requirement.
func (p *Picture) sentenceOf(r *events.Record) phrase.Phrase {
	switch s := r.Statement.(type) {
	case *events.LedgerFounded:
		return phrase.Of("%s founds the ledger %s: %s", s.Founder.Name(), s.Ledger, s.Title)
	case *events.MemberAdmitted:
		return phrase.Of("The coordinators admit %s as %s", s.Key.Name(),
			phrase.As(string(s.Role), "session.role."+string(s.Role)))
	case *events.MemberRevoked:
		return phrase.Of("The coordinators revoke %s: %s", s.Key.Name(), s.Reason)
	case *events.MemberSeconded:
		return phrase.Of("What was proposed for %s is seconded", s.Key.Name())
	case *events.MemberRetracted:
		return phrase.Of("What was proposed for %s is retracted: %s", s.Key.Name(), s.Reason)
	case *events.OperationOpened:
		return phrase.Of("The coordinators open the operation %s: %s", s.Operation, s.Title)
	case *events.OperationRevised:
		return phrase.Of("The coordinators revise the operation %s: %s", s.Operation, s.Title)
	case *events.MeetingClosed:
		return phrase.Of("The meeting %s is closed", s.Name)
	case *events.ScopeDeclared:
		nation := events.Called{Nation: s.Nation, English: s.Nation.Named()}
		if o := p.operations[s.Operation]; o != nil {
			nation.English = o.named(r.Sequence, s.Nation)
		}
		if s.Unlimited {
			return phrase.Of("%s is ready to give whatever the catalogue has", nation)
		}
		return phrase.Of("%s is ready to give nothing but %s", nation,
			strings.Join(wordsOf(s.Roles), ", "))
	}
	return phrase.Phrase{}
}

func wordsOf[T ~string](all []T) (words []string) {
	for _, one := range all {
		words = append(words, string(one))
	}
	return words
}

// Change tells a record, and which requirements the filter's operation and role have that are met
// otherwise from it on than they were just before: at the rung offered, as both was known then. So
// it is the same whenever it is asked. It costs two coverages.
func (p *Picture) Change(ctx context.Context, r *events.Record, f CoverageFilter) (Change, error) {
	c := p.Tell(r)
	b := Basis{AsOf: r.Sequence, On: events.DateOf(r.Recorded)}
	pl, ok := p.find(events.Thing(r.Statement))
	l := p.lineOf(r.Statement)
	switch {
	case c.Operation == "" || f.Operation != "" && f.Operation != c.Operation:
		return c, nil
	case ok && !pl.isKnown(r.Sequence): // struck, on the days on which it was
		b.AsOf--
		b.On = pl.thereFrom(&b)
	case ok:
		b.On = max(pl.thereFrom(&b), c.Effective)
	case l != nil:
		b.On = max(b.On, c.Effective)
		for _, term := range l.now().terms {
			if term.seq == r.Sequence {
				b.On = max(b.On, term.what.From)
			}
		}
	default:
		return c, nil
	}
	c.On = b.On
	was, err := p.briefly(ctx, r.Sequence-1, c.On, c.Operation, f.Role)
	if err != nil {
		return c, err
	}
	is, err := p.briefly(ctx, r.Sequence, c.On, c.Operation, f.Role)
	if err != nil {
		return c, err
	}
	for i := range is {
		d := &LineDiff{Operation: is[i].Operation, Line: is[i].Line, To: standOf(&is[i])}
		if at := slices.IndexFunc(was, func(l LineCoverage) bool {
			return l.Operation == d.Operation && l.Line == d.Line
		}); at >= 0 {
			d.From = standOf(&was[at])
		}
		if _, item, changed := lineItem(d); changed {
			item.Sequence = r.Sequence
			c.Lines = append(c.Lines, item)
		}
	}
	return c, nil
}

// briefly answers the coverage of an operation on a date, as known at a record; nothing before it
// was opened.
func (p *Picture) briefly(ctx context.Context, asOf uint64, on events.Date, o events.Operation,
	role events.Role) ([]LineCoverage, error) {
	if asOf == 0 || p.operations[o] == nil || p.operations[o].first > asOf {
		return nil, nil
	}
	c, err := p.Coverage(ctx, Moment{AsOf: asOf, On: on, Rung: Offered},
		CoverageFilter{Operation: o, Role: role, Brief: true})
	return c.Lines, err
}
