package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/intake/reconcile"
	"muster/ledger/intake/round"
	"muster/ledger/intake/sheet"
)

// A comparing is how the rows of a file are compared with what is recorded.
type comparing struct{ changed, gone, name, reason string }

func (how *comparing) register(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&how.changed, "changed", string(reconcile.Ask),
		"what it means that a row is otherwise than recorded: ask (stop, and show them), "+
			"corrected (it was wrong), amended (the world has changed); new (rows without a key "+
			"that resemble a pledge are other ones)")
	fl.StringVar(&how.gone, "gone", string(reconcile.Leave),
		"what becomes of what the file does not have any more: leave, strike (it was never to be "+
			"said), withdraw; it is left where a row is refused, which may be what is gone")
	fl.StringVar(&how.name, "name", "",
		"the name of the import, by which it is found and undone (default: the mapping's)")
	fl.StringVar(&how.reason, "reason", "",
		"why, in what corrects or withdraws (default: that it was published so)")
}

// check refuses words that are no choices.
func (how *comparing) check() error {
	err := reconcile.CheckChoice("changed", how.changed, reconcile.ChangedChoices)
	if err == nil {
		err = reconcile.CheckChoice("gone", how.gone, reconcile.GoneChoices)
	}
	if err == nil && how.name != "" {
		err = reconcile.CheckName(how.name)
	}
	return err
}

func (how *comparing) options(s *speaker, m *round.Mapping) reconcile.Options {
	return reconcile.Options{Ledger: s.origin, Name: m.Name,
		Changed: reconcile.Choice(how.changed), Gone: reconcile.Choice(how.gone), Today: today(),
		Reason: cmp.Or(how.reason, "as published by the import "+cmp.Or(m.Name, "of a file"))}
}

// operationOf returns the operation of all rows, "" where they are of several.
func operationOf(r *round.Round) (o events.Operation) {
	for i := range r.Rows {
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
// It returns which rows are refused, and what somebody must choose first.
func (in *importer) reconcile(known *reconcile.Known, r *round.Round,
	opt reconcile.Options) (refused *problem.Problem, asked error) {
	var rows []reconcile.Row
	var at []int // the places of these rows
	opt.There = map[events.ID]bool{}
	if in.refused() > 0 { // of which nobody knows what they are
		opt.Gone = reconcile.Leave
	}
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
			ID: row.ID, Fields: row.Fields})
		at = append(at, i)
	}
	result := known.Reconcile(rows, opt)
	in.counts = &result.Counts
	outcomes := map[int]*reconcile.Outcome{} // by the place of the row
	for i := range result.Outcomes {
		o := &result.Outcomes[i]
		if o.Row >= 0 {
			outcomes[at[o.Row]] = o
			in.rows[at[o.Row]].became(o, known)
		} else {
			in.addGone(o, known)
		}
	}
	in.say(known, outcomes)
	return in.notReconciled(), in.asked(result)
}

// notReconciled tells the rows of which nothing can be said beside what is recorded, nil for none.
func (in *importer) notReconciled() *problem.Problem {
	var faults sheet.Faults
	n := 0
	for i := range in.rows {
		if r := &in.rows[i]; r.Kind == reconcile.Refused {
			n++
			faults.Add(r.place(), r.Refused[0])
		}
	}
	fields := faults.Fields()
	if len(fields) == 0 {
		return nil
	}
	p := problem.New(problem.Conflict, "%d of %d rows are refused, so nothing was recorded: %s", n,
		in.inFile(), fields[0])
	p.Fields = fields
	return p
}

// became notes what became of a row.
func (r *importedRow) became(o *reconcile.Outcome, known *reconcile.Known) {
	r.Kind, r.Changes = o.Kind, o.Changes
	told := make([]string, len(o.Changes))
	for i, c := range o.Changes {
		told[i] = c.String()
	}
	p := known.Pledge(o.Pledge)
	switch o.Kind {
	case reconcile.Refused:
		r.Refused = []problem.Field{{Message: o.Problem}}
		r.What += "; refused: " + o.Problem
	case reconcile.Changed:
		r.What = fmt.Sprintf("changed, pledge %s: %s; %s", o.Pledge, strings.Join(told, ", "),
			r.What)
	case reconcile.Alike:
		r.What = fmt.Sprintf("alike pledge %s but for: %s; %s", o.Pledge, strings.Join(told, ", "),
			r.What)
	case reconcile.Unchanged:
		r.Before = p.First
	}
}

// addGone adds a row for a pledge that the file does not have any more.
func (in *importer) addGone(o *reconcile.Outcome, known *reconcile.Known) {
	p := known.Pledge(o.Pledge)
	done := leftAsRecorded
	if len(o.Statements) > 0 {
		done = o.Statements[0].Head().Type.Words()
		if c, ok := o.Statements[0].(*events.PledgeCorrected); ok && c.Struck {
			done = "struck, as never said"
		}
	}
	gone := fmt.Sprintf("not in the file any more: %s of %s in %s, pledge %s; ", p.Role,
		p.Nation.Named(), p.Operation, p.ID)
	in.rows = append(in.rows, importedRow{Kind: reconcile.Gone, Before: p.First, gone: gone,
		What: gone + done})
	if len(o.Statements) > 0 {
		in.chains = append(in.chains, chainOf(len(in.rows)-1, o.Statements))
	}
}

const leftAsRecorded = "left as recorded"

// leaveGone leaves as recorded what the file does not have any more, where a row of the file is
// refused after the rows were compared: that row may be what seems to be gone.
func (in *importer) leaveGone() {
	refused := false
	for i := range in.chains {
		c := &in.chains[i]
		refused = refused || c.refused != nil && in.rows[c.said[0].Row].Kind != reconcile.Gone
	}
	if !refused {
		return
	}
	in.chains = slices.DeleteFunc(in.chains, func(c chain) bool {
		return in.rows[c.said[0].Row].Kind == reconcile.Gone
	})
	for i := range in.rows {
		if r := &in.rows[i]; r.Kind == reconcile.Gone {
			r.What = r.gone + leftAsRecorded
		}
	}
}

func chainOf(row int, all []events.Statement) (c chain) {
	for _, st := range all {
		c.said = append(c.said, round.Said{Row: row, Statement: st})
	}
	return c
}

// say puts in the place of what the rows say what is to be said of them on top of what is recorded.
func (in *importer) say(known *reconcile.Known, outcomes map[int]*reconcile.Outcome) {
	chains := in.chains[:0:0]
	for _, c := range in.chains {
		head := c.said[0].Row
		o := outcomes[head]
		switch {
		case o == nil:
		case o.Kind == reconcile.Refused:
			continue
		case o.Kind != reconcile.New:
			rest := slices.DeleteFunc(slices.Clone(c.said), func(s round.Said) bool {
				return s.Row == head || in.isBefore(s, known)
			})
			c.said = append(chainOf(head, o.Statements).said, rest...)
		case c.said[0].Statement.Head().ID != o.Pledge:
			for _, said := range c.said {
				reconcile.Rename(said.Statement, o.Pledge)
			}
		}
		if len(c.said) > 0 {
			chains = append(chains, c)
		}
	}
	in.chains = chains
}

// isBefore reports whether what a row says of another row's pledge is recorded, and notes it.
func (in *importer) isBefore(said round.Said, known *reconcile.Known) bool {
	seq, r := known.RecordOf(said.Statement.Head().ID), &in.rows[said.Row]
	if seq > 0 && r.Kind == "" {
		r.Kind, r.Before = reconcile.Unchanged, seq
		in.counts.Unchanged++
	}
	return seq > 0
}

// asked says what somebody must choose first, nil for nothing.
func (in *importer) asked(result reconcile.Result) error {
	all := result.Asked()
	if len(all) == 0 {
		return nil
	}
	var fields []problem.Field
	alike := false
	for i := range in.rows {
		r := &in.rows[i]
		if r.Kind != reconcile.Changed && r.Kind != reconcile.Alike {
			continue
		}
		alike = alike || r.Kind == reconcile.Alike
		if len(fields) < maxAsked {
			fields = append(fields, problem.Field{Location: r.place(), Message: r.What})
		}
	}
	p := problem.New(problem.Conflict, "%s otherwise than recorded, so nothing was recorded: %s",
		english.Several(len(all), "row")+" "+english.Verb(len(all) == 1, "are"), fields[0])
	p.Fields = fields
	hint := "say what that means: --changed corrected where it was wrong before, --changed " +
		"amended where the world has changed"
	if alike {
		hint += ", --changed new where these are other pledges"
	}
	return p.WithHint("%s; --dry-run shows each row", hint)
}

// maxAsked is how many rows are named at most that somebody is asked about.
const maxAsked = 20
