package page

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
	"muster/projections/web"
)

// sayAll makes the statements about all that was chosen: pledges first, then requirements, the most
// urgent first.
func (d *deskPage) sayAll(form url.Values) error {
	fits := map[events.ID]events.Line{}
	if d.Act == "allocation.made" && len(form["pledge"]) > 0 && d.Line == "" {
		var err error
		if fits, err = d.whereTheyFit(); err != nil {
			return err
		}
	}
	for _, id := range form["pledge"] {
		p, err := d.pledge(id)
		if err == nil {
			err = d.sayOf(p, fits)
		}
		if err != nil {
			return err
		}
	}
	if len(form["gap"]) == 0 {
		return nil
	}
	return d.fill(form["gap"])
}

// pledge returns a pledge as it is on the day from which it is said.
func (d *deskPage) pledge(id string) (*projections.Pledge, error) {
	one, err := ask(d.frame, web.Read[web.PledgeQuery], d.service.Pledge, "id", id, "as_of", "",
		"on", d.on)
	return &one.Pledge, err
}

// sayOf makes the statement about one pledge.
func (d *deskPage) sayOf(p *projections.Pledge, fits map[events.ID]events.Line) error {
	step := d.step(p)
	var st events.Statement
	switch d.Act {
	case "pledge.accepted":
		st = &events.PledgeAccepted{PledgeStep: step}
	case "pledge.declined":
		st = &events.PledgeDeclined{PledgeStep: step}
	case "pledge.confirmed":
		st = &events.PledgeConfirmed{PledgeStep: step}
	default:
		line := events.Line(d.Line)
		if line == "" {
			line = fits[p.ID]
		}
		if line == "" {
			line = p.Line
		}
		free := d.free(p)
		switch {
		case line == "":
			d.leave(p, why{Words: d.T("desk.left.no-line")})
			return nil
		case !d.hasLine(p.Operation, line):
			d.leave(p, why{Words: d.T("desk.left.unknown-line", line)})
			return nil
		case free <= 0:
			d.leave(p, why{Words: d.T("desk.left.nothing-free")})
			return nil
		}
		return d.allocate(p, line, free)
	}
	return d.add(p, deskRow{Pledge: p}, st)
}

// hasLine reports whether an operation has a requirement that the reader may see. The ledger is not
// asked about any other: why it refuses one would tell that it is there.
func (d *deskPage) hasLine(o events.Operation, line events.Line) bool {
	plan, err := d.service.Plan(d.ctx, &web.PlanQuery{Operation: o})
	return err == nil && slices.ContainsFunc(plan.Requirements,
		func(r projections.Requirement) bool { return r.Line == line })
}

// allocate sets so much of a pledge against a requirement.
func (d *deskPage) allocate(p *projections.Pledge, line events.Line, n int64) error {
	step := d.step(p)
	q := p.Unit.Of(n)
	st := &events.AllocationMade{PledgeStep: step, Line: line,
		Strength: events.Strength{Quantity: q, Unit: p.Unit},
		Window:   events.Window{From: max(p.From, step.Effective), Until: p.Until}}
	if d.used[p.ID] > 0 {
		st.After = 0 // the pledge is not as it was, since the one before is recorded
	}
	before := len(d.statements)
	if err := d.add(p, deskRow{Pledge: p, Line: line, Quantity: q}, st); err != nil {
		return err
	}
	if len(d.statements) > before {
		d.used[p.ID] += n
	}
	return nil
}

// step is what every statement about a pledge has.
func (d *deskPage) step(p *projections.Pledge) (s events.PledgeStep) {
	s.Type, s.ID, s.Ledger, s.Seen = d.Act, events.NewID(), d.Ledger.Origin, d.seen
	s.Effective = max(d.on, p.Since)
	s.Operation, s.Nation, s.Pledge = p.Operation, p.Nation, p.ID
	s.Reason, s.After = d.Reason, int64(p.Last)
	return s
}

// free is how much of a pledge is not allocated on any day of its window from the effective date
// on, neither in the ledger nor by what is to be signed.
func (d *deskPage) free(p *projections.Pledge) int64 {
	terms := p.Terms()
	n, _ := terms.Amount().Sure()
	from := max(p.From, d.on)
	for _, a := range p.Allocations {
		if a.Until == 0 || a.Until >= from {
			n -= number(a.Quantity)
		}
	}
	return n - d.used[p.ID]
}

// add keeps a statement that the ledger's rules would take, and leaves out any other.
func (d *deskPage) add(p *projections.Pledge, row deskRow, st events.Statement) error {
	text, err := events.Marshal(st)
	if err == nil {
		_, err = events.Parse(text)
	}
	if err == nil {
		err = d.pages.Ledger.CheckUnsigned(d.ctx, d.service.View(), st)
	}
	if err == nil {
		row.Statement = problem.InJSON(string(text))
		d.Rows, d.statements = append(d.Rows, row), append(d.statements, st)
		return nil
	}
	switch refused := problem.From(err); refused.Kind {
	case problem.Conflict, problem.Invalid, problem.NotAllowed, problem.NotFound:
		// The same reason is the same, of whatever pledge.
		said := d.Tell(refused.Said())
		said.Text = strings.ReplaceAll(said.Text, p.ID.String(), "…")
		d.leave(p, why{told: said})
		return nil
	}
	return err
}

func (d *deskPage) leave(p *projections.Pledge, reason why) {
	d.Left = append(d.Left, deskRow{Pledge: p, Why: reason})
}

// asThingsAre has a question answered as things are now: what is signed is not of what was, or
// would be.
var asThingsAre = slices.Concat(nothingSupposed, []any{"as_of", ""})

// whereTheyFit returns for each pledge the requirement that it counts for, or the only one that it
// fits. Which of several is for a person to say.
func (d *deskPage) whereTheyFit() (map[events.ID]events.Line, error) {
	c, err := ask(d.frame, web.Read[web.CoverageQuery], d.service.Coverage,
		slices.Concat(asThingsAre, []any{"role", "", "differences", "", "rung",
			projections.Indicated})...)
	fits := map[events.ID]events.Line{}
	for _, n := range c.NotCounted {
		if n.MeantFor != "" {
			fits[n.Pledge] = n.MeantFor
		} else if len(n.Lines) == 1 {
			fits[n.Pledge] = n.Lines[0]
		}
	}
	for i := range c.Lines {
		for _, counted := range c.Lines[i].Counted {
			fits[counted.Pledge] = c.Lines[i].Line
		}
	}
	return fits, err
}

// fill allocates to requirements that are short what could fill them, plainly: the most urgent
// first, from each pledge as much as is missing, in the order in which the page Shortfalls names
// them.
func (d *deskPage) fill(chosen []string) error {
	gaps, err := ask(d.frame, web.Read[web.GapsQuery], d.service.Gaps, asThingsAre...)
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, name := range chosen {
		wanted[name] = true
	}
	for i := range gaps.Gaps {
		gap := &gaps.Gaps[i]
		if !wanted[string(gap.Operation)+"/"+string(gap.Line)] {
			continue
		}
		missing := number(gap.Missing)
		for _, could := range gap.Could {
			if missing <= 0 || len(d.statements) >= deskMost {
				break
			}
			if could.Unit != gap.Unit || !allocatable[could.Reason] {
				continue
			}
			p, err := d.pledge(could.Pledge.String())
			if err != nil {
				return err
			}
			before := d.used[p.ID]
			if n := min(missing, d.free(p)); n > 0 {
				if err := d.allocate(p, gap.Line, n); err != nil {
					return err
				}
			}
			missing -= d.used[p.ID] - before
		}
		d.Filled = append(d.Filled, deskFill{*gap, gap.Unit.Of(number(gap.Missing) - missing),
			gap.Unit.Of(missing)})
	}
	return nil
}

// allocatable are the reasons for which a pledge does not count that an allocation takes away.
var allocatable = map[projections.Reason]bool{projections.SeveralLines: true,
	projections.NotAllocated: true}

// seenIn returns the checkpoint that the browser has verified last, nil for none.
func seenIn(form url.Values) *events.Seen {
	size, err := strconv.ParseInt(form.Get("seen_size"), 10, 64)
	if err != nil || form.Get("seen_root") == "" {
		return nil
	}
	return &events.Seen{Size: size, Root: form.Get("seen_root")}
}
