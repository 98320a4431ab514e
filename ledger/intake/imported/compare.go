package imported

import (
	"slices"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
	"muster/ledger/intake/reconcile"
	"muster/ledger/intake/round"
	"muster/ledger/intake/sheet"
)

// operationOf returns the operation in which all that the rows may be is recorded: that of all
// rows; "" where they are of several, where they name pledges, which may be of another, and where
// the import has a name, by which it may have recorded what is gone now in another.
func operationOf(r *round.Round, name string) (o events.Operation) {
	if name != "" {
		return ""
	}
	for i := range r.Rows {
		if !r.Rows[i].ID.IsZero() {
			return ""
		}
		switch offer := r.Rows[i].Offer; {
		case offer == nil || offer.Operation == o:
		case o == "":
			o = offer.Operation
		default:
			return ""
		}
	}
	return o
}

// reconcile compares the rows with what is recorded, and puts what is to be said into the chains.
// It notes which rows are refused, and what somebody must choose first.
func (b *Batch) reconcile(known *reconcile.Known, r *round.Round, opt reconcile.Options) {
	var rows []reconcile.Row
	var at []int // the places of these rows
	rest := b.restOf()
	opt.There = map[events.ID]bool{}
	if b.Refused() > 0 { // of which nobody knows what they are
		opt.Gone, opt.Partial = reconcile.Leave, true
	}
	opt.Returned = r.Table.WasReturned()
	opt.Partial = opt.Partial || opt.Returned
	for i := range r.Rows {
		row := &r.Rows[i]
		switch {
		case row.Offer == nil: // refused, or about another row
			if row.Key != nil {
				opt.There[known.Next(opt.Ledger, opt.Name, row.Key)] = true
			}
			continue
		case row.Rung == "observed": // which has no terms to compare
			opt.There[row.Offer.ID] = true
			continue
		}
		rows = append(rows, reconcile.Row{Offer: row.Offer, Then: row.Then, Key: row.Key,
			ID: row.ID, Fields: row.Fields, Seen: row.Seen, Rest: rest[i],
			Indicated: row.Rung == "indicated"})
		at = append(at, i)
	}
	b.Known = known
	for _, id := range b.seen(known, r, &opt) {
		opt.There[id] = true
	}
	result := known.Reconcile(rows, opt)
	b.Counts = &result.Counts
	outcomes := map[int]*reconcile.Outcome{} // by the place of the row
	for i := range result.Outcomes {
		o := &result.Outcomes[i]
		if o.Row >= 0 {
			outcomes[at[o.Row]] = o
			b.Rows[at[o.Row]].became(o, known)
		} else {
			b.addGone(o, known)
		}
	}
	b.say(known, outcomes)
	b.countRest(outcomes)
	b.NotSaid, b.Asked = b.notReconciled(), b.asked()
}

// restOf returns, by the row that begins a pledge, what other rows say of it.
func (b *Batch) restOf() map[int][]events.Statement {
	all := map[int][]events.Statement{}
	for _, c := range b.Chains {
		for _, said := range c.Said {
			if head := c.Said[0].Row; said.Row != head {
				all[head] = append(all[head], said.Statement)
			}
		}
	}
	return all
}

// notReconciled tells the rows of which nothing can be said beside what is recorded, nil for none.
func (b *Batch) notReconciled() *problem.Problem {
	var faults sheet.Faults
	n := 0
	for i := range b.Rows {
		if r := &b.Rows[i]; r.Kind == reconcile.Refused {
			n++
			faults.Add(r.Place(), r.Refused[0])
		}
	}
	fields := faults.Fields()
	if len(fields) == 0 {
		return nil
	}
	return problem.New(problem.Conflict, "%d of %d rows are refused, so nothing was recorded", n,
		b.InFile()).WithFields(fields)
}

// overtaken says from when on an amendment holds no more, since other terms of the pledge are
// recorded of a later day; none where it holds on.
func overtaken(st events.Statement, p *reconcile.Pledge) (why []phrase.Phrase) {
	a, ok := st.(*events.PledgeAmended)
	if !ok || p == nil {
		return nil
	}
	if on := p.NextTerms(a.Effective); on != 0 {
		why = append(why, phrase.Of("from %s on, what is recorded of that day holds", on))
	}
	return why
}

// became notes what became of a row.
func (r *Row) became(o *reconcile.Outcome, known *reconcile.Known) {
	r.Kind, r.Changes, r.Asked = o.Kind, o.Changes, o.Asked
	told := make([]phrase.Phrase, len(o.Changes))
	for i, c := range o.Changes {
		told[i] = c.Phrase()
	}
	if o.Kind == reconcile.Changed && len(told) == 0 {
		for _, st := range o.Statements {
			told = append(told, phrase.Of("also %s", st.Head().Type.Happened()))
		}
	}
	p := known.Pledge(o.Pledge)
	switch o.Kind {
	case reconcile.Refused:
		r.refuse(o.Problem)
	case reconcile.Changed:
		if !o.Problem.IsZero() {
			told = append(told, o.Problem)
		}
		for _, st := range o.Statements {
			told = append(told, overtaken(st, p)...)
		}
		r.What = phrase.Of("changed, pledge %s: %s; %s", o.Pledge, behind(told), r.What)
	case reconcile.Alike:
		r.Pledge = o.Pledge
		r.What = phrase.Of("alike pledge %s but for: %s; %s", o.Pledge, behind(told), r.What)
	case reconcile.Unchanged:
		r.Before = p.First
		switch {
		case o.Ended && p.Struck:
			r.add(phrase.Of("the pledge %s was struck, as never said, and stays so: where "+
				"the file is right, offer it again by hand", p.ID))
		case o.Ended:
			r.add(phrase.Of("the pledge %s has ended (%s), and stays so: where it was "+
				"offered again, that is another pledge", p.ID, p.Ended.Happened()))
		}
	}
}

// behind are changes one behind the other.
func behind(told []phrase.Phrase) phrase.Phrase { return phrase.Behind("%s, %s", told...) }

// add adds something to what became of a row.
func (r *Row) add(more phrase.Phrase) { r.What = phrase.Of("%s; %s", r.What, more) }

// refuse notes why a row is refused.
func (r *Row) refuse(why phrase.Phrase) {
	r.Refused = []problem.Field{problem.FieldSaid("", "", why)}
	r.add(phrase.Of("refused: %s", why))
}

// addGone adds a row for a pledge that the file does not have any more.
func (b *Batch) addGone(o *reconcile.Outcome, known *reconcile.Known) {
	p := known.Pledge(o.Pledge)
	done := LeftAsRecorded.Phrase()
	switch {
	case o.Asked:
		done = phrase.Of("not taken off: %s", o.Problem)
	case len(o.Statements) == 0 && p.Ended != "":
		done = phrase.Of("left as recorded: %s from %s on", p.Ended.Happened(), p.EndedOn)
	case len(o.Statements) > 0:
		done = o.Statements[0].Head().Type.Phrase()
		if c, ok := o.Statements[0].(*events.PledgeCorrected); ok && c.Struck {
			done = p.StruckWith()
		}
	}
	gone := phrase.Of("not in the file any more: %s of %s in %s, pledge %s", p.Role,
		b.file.Mapping.Called(p.Place), p.Operation, p.ID)
	row := Row{Kind: reconcile.Gone, Before: p.First, gone: gone, What: gone, Asked: o.Asked}
	row.add(done)
	b.Rows = append(b.Rows, row)
	if len(o.Statements) > 0 {
		b.Chains = append(b.Chains, chainOf(len(b.Rows)-1, o.Statements))
	}
}

// LeftAsRecorded says what becomes of what a file does not have any more, where nothing does.
const LeftAsRecorded phrase.Text = "left as recorded"

// leaveGone leaves as recorded what the file does not have any more, where a row of the file is
// refused after the rows were compared: that row may be what seems to be gone.
func (b *Batch) leaveGone() {
	refused := false
	for i := range b.Chains {
		c := &b.Chains[i]
		refused = refused || c.Refused != nil && b.Rows[c.Said[0].Row].Kind != reconcile.Gone
	}
	if !refused {
		return
	}
	b.Chains = slices.DeleteFunc(b.Chains, func(c Chain) bool {
		return b.Rows[c.Said[0].Row].Kind == reconcile.Gone
	})
	for i := range b.Rows {
		if r := &b.Rows[i]; r.Kind == reconcile.Gone {
			r.What = r.gone
			r.add(LeftAsRecorded.Phrase())
		}
	}
}

func chainOf(row int, all []events.Statement) (c Chain) {
	for _, st := range all {
		c.Said = append(c.Said, round.Said{Row: row, Statement: st})
	}
	return c
}

// say puts in the place of what the rows say what is to be said of them on top of what is recorded.
func (b *Batch) say(known *reconcile.Known, outcomes map[int]*reconcile.Outcome) {
	chains := b.Chains[:0:0]
	for _, c := range b.Chains {
		head := c.Said[0].Row
		o := outcomes[head]
		switch {
		case o == nil:
		case o.Kind == reconcile.Refused:
			b.refuseRest(c.Said, o)
			continue
		case o.Asked:
			continue
		default:
			c.Said = append(chainOf(head, o.Statements).Said, b.rest(c.Said, o, known)...)
		}
		if len(c.Said) > 0 {
			chains = append(chains, c)
		}
	}
	b.Chains = chains
}

// rest returns what other rows than its first say of a chain's pledge, on top of what is recorded,
// and notes what became of them.
func (b *Batch) rest(said round.Chain, o *reconcile.Outcome,
	known *reconcile.Known) (all round.Chain) {
	at := 0
	for _, s := range said {
		if s.Row == said[0].Row || at == len(o.Rest) {
			continue
		}
		one, r := o.Rest[at], &b.Rows[s.Row]
		at++
		switch {
		case r.Kind == "" || r.Kind == reconcile.Unchanged:
			r.Kind, r.Before = one.Kind, known.RecordOf(one.Before)
		case one.Kind == reconcile.Changed:
			r.Kind = one.Kind
		}
		all = append(all, chainOf(s.Row, one.Statements).Said...)
	}
	return all
}

// countRest counts the rows that say something of other rows' pledges.
func (b *Batch) countRest(heads map[int]*reconcile.Outcome) {
	for i := range b.Rows {
		if heads[i] == nil && b.Rows[i].Kind != reconcile.Gone {
			b.Counts.Add(b.Rows[i].Kind)
		}
	}
}

// refuseRest refuses what other rows say of a pledge whose own row is refused.
func (b *Batch) refuseRest(said round.Chain, o *reconcile.Outcome) {
	head := &b.Rows[said[0].Row]
	for _, s := range said {
		r := &b.Rows[s.Row]
		if s.Row == said[0].Row || r.Refused != nil {
			continue
		}
		r.Kind = reconcile.Refused
		r.refuse(phrase.Of("rests on %s, which is refused: %s", head.Place(), o.Problem))
	}
}

// asked says what somebody must choose first, nil for nothing.
func (b *Batch) asked() *problem.Problem {
	var fields []problem.Field
	alike, gone, all := false, false, 0
	for i := range b.Rows {
		r := &b.Rows[i]
		if !r.Asked {
			continue
		}
		all++
		alike = alike || r.Kind == reconcile.Alike
		gone = gone || r.Kind == reconcile.Gone
		if len(fields) < maxAsked {
			fields = append(fields, problem.FieldAt(r.Place(), "", r.What))
		}
	}
	if all == 0 {
		return nil
	}
	p := problem.New(problem.Conflict, "%d rows are otherwise than recorded, so nothing was "+
		"recorded", all)
	if all == 1 {
		p = problem.New(problem.Conflict, "1 row is otherwise than recorded, so nothing was "+
			"recorded")
	}
	p = p.WithFields(fields)
	if gone {
		return p.WithHint("of what the form does not have any more, see what is recorded: " +
			"`muster pledge show ID`; put the row back, or take that pledge off by hand: " +
			"`muster pledge withdraw ID`; or import the form without --gone, which leaves all " +
			"of it as recorded")
	}
	if b.IsForm && !alike {
		return p.WithHint("say what holds: --changed amended (or corrected) takes what the form " +
			"says; or put into the form what the ledger has; --dry-run shows each row")
	}
	if alike {
		return p.WithHint("say what that means: --changed corrected where it was wrong before, " +
			"--changed amended where the world has changed, --changed new where those that are " +
			"alike are other pledges (or both: --changed corrected,new); --dry-run shows each row")
	}
	return p.WithHint("say what that means: --changed corrected where it was wrong before, " +
		"--changed amended where the world has changed; --dry-run shows each row")
}

// maxAsked is how many rows are named at most that somebody is asked about.
const maxAsked = 20
