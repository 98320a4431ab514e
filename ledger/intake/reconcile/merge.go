package reconcile

import (
	"cmp"
	"slices"
	"strings"

	"muster/events"
)

// A Base is what a sheet that Muster wrote was filled in with. A pledge in it is merged cell by
// cell: of
//
//	filled in   the sheet   the ledger
//	500         500         450          nothing is said: only the ledger has changed it
//	500         563         500          563 is said: only the sheet has
//	500         563         563          nothing is said: both say the same
//	500         563         450          both have changed it, and somebody must choose
//
// What a sheet of this name has changed before, and this one has as it was changed, is not said
// again, so that the sheet may be edited further. Where such a cell says anything else than the
// ledger, somebody is asked: another copy of the sheet may have changed it, or this one be older.
type Base struct {
	// Known is what was recorded when the sheet was written.
	Known *Known
	// Filled are the pledges that it was filled in with. Those it does not have any more are gone.
	Filled map[events.ID]bool
	// On is the day of which it has what holds; 0 for what holds last.
	On events.Date
}

// days returns the day of which a row has what holds, and that with which it is compared now. A
// sheet has its own day, a list that Muster wrote today, and any other file what holds last.
func (c *comparison) days(r *Row) (then, now events.Date) {
	switch {
	case c.isFilledIn(r):
		then = cmp.Or(c.opt.Base.On, events.LastDate)
		return then, max(then, c.opt.Today)
	case !r.ID.IsZero():
		return c.opt.Today, c.opt.Today
	}
	return events.LastDate, events.LastDate
}

// isFilledIn reports whether the row is of a pledge with which its sheet was filled in.
func (c *comparison) isFilledIn(r *Row) bool {
	return c.opt.Base != nil && c.opt.Base.Filled[r.ID] &&
		c.opt.Base.Known.Pledge(r.ID) != nil
}

// merge says what is to be said of a pledge with which the sheet was filled in. Nothing but what
// the sheet has changed is said, as an amendment where it was not chosen to be a correction.
func (c *comparison) merge(o *Outcome, r *Row, p *Pledge) {
	then, today := c.days(r)
	was, now := c.opt.Base.Known.Pledge(r.ID).TermsOn(then), p.TermsOn(today)
	if w := widened(&was, &r.Offer.PledgeTerms, r); w != "" {
		c.refuse(o, "%s: who may read a pledge is widened by disclosing it, and never narrowed: "+
			"put back what the sheet had, %s", w, orNone(readers(&was)))
		return
	}
	offer := *r.Offer
	offer.Source = now.Source
	changed := Row{Offer: &offer, ID: r.ID, Fields: []string{}}
	o.Kind, o.Changes = Unchanged, r.moves(p)
	both := false
	for _, t := range terms {
		is, before, there := t.write(&offer.PledgeTerms), t.write(&was), t.write(&now)
		own, said := p.by[c.opt.Name][t.field] // by this copy of the sheet, or by another one
		if !r.says(t.field) || is == there || is == before && !said || said && is == own {
			continue
		}
		if said && (own != there || is == before) {
			before = own
		}
		change := Change{Field: t.field, Was: there, Is: is}
		if said || before != there {
			both, change.Base = true, &before
		}
		o.Changes = append(o.Changes, change)
		changed.Fields = append(changed.Fields, t.field)
	}
	switch {
	case len(o.Changes) == 0:
		return
	case p.Ended != "" && !p.HoldsOn(c.opt.Today):
		c.refuse(o, "the pledge %s has ended (%s), and the sheet has changed it: %s", p.ID,
			p.Ended.Happened(), told(o.Changes))
		return
	case p.Ended != "" && c.opt.Changed != Corrected:
		c.refuse(o, "the pledge %s is %s from %s on, as is recorded, and so amended no more (%s): "+
			"put back what the sheet had, or have it corrected where that was wrong", p.ID,
			p.Ended.Happened(), p.EndedOn, told(o.Changes))
		return
	}
	o.Kind = Changed
	switch {
	case c.opt.Changed == Corrected:
		o.Statements = c.corrected(o, &changed, p, p.termsOn(today), o.Changes, &steps{})
	case (both || !o.Problem.IsZero()) && c.opt.Changed != Amended:
		o.Asked = true
	default:
		c.amended(o, &changed, p, o.Changes, &steps{})
	}
}

// note notes what a statement upon something, after so much of the kind, changes in the pledge,
// where it is the word of a sheet. It returns the fields.
func (p *Pledge) note(h *events.Header, of events.ID, before int, source string,
	was, is *events.PledgeTerms) (fields []string) {
	name := events.ImportIn(source)
	if name == "" || was == nil || h.ID != bySheet(name, of, h.Type, before) {
		return nil
	}
	if p.by == nil {
		p.by = map[string]map[string]string{}
	}
	if p.by[name] == nil {
		p.by[name] = map[string]string{}
	}
	for _, t := range terms {
		if cell := t.write(is); cell != t.write(was) {
			p.by[name][t.field] = cell
			fields = append(fields, t.field)
		}
	}
	return fields
}

// noteCorrection notes what a sheet corrects, and forgets what an undoing of it turns back.
func (p *Pledge) noteCorrection(c *events.PledgeCorrected, s *said) {
	name, before := events.ImportIn(c.Source), s.corrected-1
	if name == "" || c.ID == bySheet(name, c.Corrects, c.Type, before) || s.terms == nil {
		p.note(c.Head(), c.Corrects, before, c.Source, s.terms, c.Terms)
		return
	}
	var fields []string
	for _, t := range terms {
		if t.write(c.Terms) != t.write(s.terms) {
			fields = append(fields, t.field)
		}
	}
	p.forget(name, fields)
}

// forget forgets that a sheet has changed some fields: that was undone.
func (p *Pledge) forget(name string, fields []string) {
	for _, field := range fields {
		delete(p.by[name], field)
	}
}

// widened says which of the cells about who may read the pledge is otherwise than it was, "" for
// none.
func widened(was, is *events.PledgeTerms, r *Row) string {
	switch {
	case r.says("release") && is.Release != was.Release:
		return "release"
	case r.says("releasable_to") && !slices.Equal(is.ReleasableTo, was.ReleasableTo):
		return "releasable_to"
	}
	return ""
}

func readers(t *events.PledgeTerms) string {
	all := []string{string(t.Release)}
	for _, n := range t.ReleasableTo {
		all = append(all, string(n))
	}
	return strings.TrimPrefix(strings.Join(all, ", "), ", ")
}
