package main

import (
	"context"
	"fmt"

	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/projections"
	"muster/projections/web"
)

// A batch is one statement about each of several pledges, which is agreed to once. All are checked
// before the first is recorded; what is recorded is told line by line, also where one is refused
// in the middle.
type batch struct {
	app     *app
	speaker *speaker
	of      []ofPledge
	before  []string // which stand so already
}

// ofPledge is a statement about a pledge.
type ofPledge struct {
	pledge  projections.Pledge
	st      events.Statement
	what    string // more than its type, for people
	receipt *intake.Receipt
}

func (b *batch) add(p projections.Pledge, st events.Statement) {
	b.of = append(b.of, ofPledge{pledge: p, st: st, what: saidOf(&p, st)})
}

// leaveOut notes that a pledge stands so already; in names what says so, if not the command.
func (b *batch) leaveOut(p *projections.Pledge, in string) {
	line := inShort(*p)
	if in != "" {
		line += " (" + in + ")"
	}
	b.before = append(b.before, line)
}

// submit shows what would be signed and what it would change, and has it agreed to and recorded.
func (b *batch) submit(ctx context.Context, dryRun bool) error {
	a := b.app
	for _, line := range b.before {
		fmt.Fprintf(a.stderr, "muster: left out, since it stands so already: %s\n",
			problem.Line(line))
	}
	if len(b.of) == 0 {
		if len(b.before) > 0 {
			return nil
		}
		return problem.New(problem.NotFound, "there is no pledge of which this can be said now").
			WithHint("see where they stand: muster pledge list")
	}
	effect, err := b.effect(ctx)
	if err != nil {
		return err
	}
	if dryRun {
		if err := b.check(ctx); err != nil {
			return err
		}
		return effect.write(a.format, a.stdout)
	}
	if !a.yes {
		if err := effect.write("table", a.stderr); err != nil {
			return err
		}
	}
	a.shortened = nil // each is listed by its whole id
	if err := a.agree(b.speaker, nil); err != nil {
		return err
	}
	if err := b.check(ctx); err != nil {
		return err
	}
	return b.record(ctx)
}

// effect lists what would be signed, a row for each pledge, and beside that what all of it would
// change.
func (b *batch) effect(ctx context.Context) (l listing, err error) {
	l = listing{map[string]any{"dry_run": true}, web.Table{Head: ofPledgeHead}}
	statements := make([]events.Statement, len(b.of))
	for i := range b.of {
		statements[i] = b.of[i].st
		b.of[i].addTo(&l)
	}
	l.answer.(map[string]any)["statements"] = statements
	l.Below = []string{fmt.Sprintf("%s, to be signed by %s. Nothing was done.",
		english.Several(len(b.of), "statement"), b.speaker.signer.Name())}
	if len(b.of) > projections.MaxPreview {
		l.Below = append(l.Below, fmt.Sprintf("What more than %d change together is not shown.",
			projections.MaxPreview))
	}
	return l, b.app.addPreview(ctx, &l, statements)
}

var ofPledgeHead = []string{"sequence", "type", "pledge", "nation", "operation", "role",
	"quantity", "unit", "what", "id"}

// addTo adds the row of a statement, with its sequence once it is recorded.
func (o *ofPledge) addTo(l *listing) {
	p, head := &o.pledge, o.st.Head()
	row := struct {
		Sequence uint64      `json:"sequence,omitzero"`
		Type     events.Type `json:"type"`
		ID       events.ID   `json:"id"`
		Pledge   events.ID   `json:"pledge"`
		What     string      `json:"what,omitzero"`
	}{Type: head.Type, ID: head.ID, Pledge: p.ID, What: o.what}
	sequence := ""
	if o.receipt != nil {
		row.Sequence = o.receipt.Sequence
		sequence = fmt.Sprint(row.Sequence)
	}
	terms := p.Terms()
	l.Add(row, sequence, string(head.Type), p.ID.String(), string(p.Nation), string(p.Operation),
		string(p.Role), terms.Amount().String(), string(p.Unit), o.what, head.ID.String())
}

// check asks whether all would be recorded. Where any would not, all that would not are told, and
// nothing is done.
func (b *batch) check(ctx context.Context) error {
	all := make([]events.Statement, len(b.of))
	for i := range b.of {
		all[i] = b.of[i].st
	}
	return checkAll(ctx, b.speaker, all)
}

// record signs and submits all, one after another, and prints what was recorded, whether or not all
// was.
func (b *batch) record(ctx context.Context) error {
	a := b.app
	l := listing{nil, web.Table{Head: ofPledgeHead}}
	receipts := []intake.Receipt{}
	last := map[events.ID]uint64{} // the record of each pledge that was made here
	var failed error
	for i := range b.of {
		s, err := b.sign(b.of[i].st, last)
		if err != nil {
			failed = err
			break
		}
		r, err := submitAgain(ctx, b.speaker.to, s)
		if unknown(err) {
			failed = unsent(s, err)
		} else if err != nil {
			failed = b.refused(i, err)
		}
		if failed != nil {
			break
		}
		a.warn(r.Warnings)
		receipts = append(receipts, r)
		last[b.of[i].pledge.ID] = r.Sequence
		b.of[i].receipt = &r
		b.of[i].addTo(&l)
	}
	if err := a.checkReceipts(ctx); err != nil {
		return err
	}
	l.answer = receipts
	l.Below = []string{fmt.Sprintf("%d of %s recorded, signed by %s.", len(receipts),
		english.Several(len(b.of), "statement"), b.speaker.signer.Name())}
	if err := l.write(a.format, a.stdout); err != nil {
		return err
	}
	return failed
}

// sign signs a statement, which goes on from an earlier one of these about the same pledge.
func (b *batch) sign(st events.Statement, last map[events.ID]uint64) (events.Signed, error) {
	if made, ok := st.(*events.AllocationMade); ok && last[made.Pledge] > 0 {
		made.After = int64(last[made.Pledge])
	}
	return events.Sign(st, b.speaker.signer)
}

// refused says of which pledge a statement was refused, and how to go on.
func (b *batch) refused(i int, err error) error {
	p := *problem.From(err)
	p.Detail = fmt.Sprintf("the pledge %s: %s", b.of[i].pledge.ID, p.Detail)
	p.Hint = "those above are recorded, and this one and those after it are not: type the same " +
		"command again, which leaves out what stands so already; or mend this one first"
	if was := problem.From(err).Hint; was != "" {
		p.Hint += " (" + was + ")"
	}
	return &p
}
