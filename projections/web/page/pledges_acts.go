package page

import (
	"muster/events"
	"muster/events/problem"
	"muster/projections"
)

// What can be said of a pledge now. The ledger's rules tell, where a statement is no more than its
// kind: the page asks whether they would take it. Of the others it offers what makes sense.

// An act is something that can be said of the pledge, and the address of its form.
type act struct {
	Type    events.Type
	Address any
}

// grave are those that end a pledge, or take it off.
var grave = map[events.Type]bool{"pledge.returned": true, "pledge.withdrawn": true,
	"condition.failed": true, struck: true}

// readActs finds what can be said of the pledge.
func (p *pledgePage) readActs() error {
	for _, f := range forms {
		if !f.Pledge || f.Record { // which the life of the pledge leads to
			continue
		}
		can, err := p.can(f.Type)
		if err != nil {
			return err
		}
		if !can {
			continue
		}
		one := act{f.Type, p.To("/submit", "type", string(f.Type), "pledge", p.Pledge.ID,
			"as_of", "")}
		if grave[f.Type] {
			p.Grave = append(p.Grave, one)
		} else {
			p.Now = append(p.Now, one)
		}
	}
	for _, t := range deskActs {
		can, err := p.can(t)
		if err != nil {
			return err
		}
		if can && t != "pledge.confirmed" { // which is the nation's, and among the others
			p.Desk = append(p.Desk, t)
		}
	}
	return nil
}

// Mend is where a record of the pledge is corrected, nil where the reader may not, or where nothing
// is to be corrected in it.
func (p *pledgePage) Mend(e projections.LifeEvent) any {
	if of := p.nationality(); !canMend(e.Type) || p.Pledge.State == projections.Struck ||
		p.Mirror() != nil || of != "" && of != p.Pledge.Nation {
		return nil
	}
	return p.To("/submit", "type", mended, "pledge", p.Pledge.ID, "record", e.Sequence, "as_of", "")
}

// can reports whether a statement of a kind can be made of the pledge.
func (p *pledgePage) can(t events.Type) (bool, error) {
	goesOn := p.Pledge.State == projections.Live || p.Pledge.State == projections.Ahead
	step := events.PledgeStep{}
	step.Type, step.ID, step.Ledger = t, events.NewID(), p.Ledger.Origin
	step.Effective = max(p.Today, p.Pledge.Since, p.Pledge.RungSince)
	step.Operation, step.Nation, step.Pledge = p.Pledge.Operation, p.Pledge.Nation, p.Pledge.ID
	var st events.Statement
	switch t {
	case struck:
		return p.Pledge.State != projections.Struck, nil
	case "condition.discharged", "condition.failed":
		return goesOn && p.hasOpenCondition(), nil
	case "pledge.renewed":
		return goesOn && p.Pledge.Expires != 0, nil
	case disclosed:
		return goesOn && p.Pledge.Release != events.Public, nil
	case "pledge.amended", "condition.added", "caveat.declared", "pledge.queried":
		return goesOn, nil
	case "pledge.answered":
		return goesOn && len(p.toAnswer(&p.Pledge)) > 0, nil
	case "caveat.lifted":
		return goesOn && len(p.Pledge.Caveats) > 0, nil
	case "allocation.released":
		return goesOn && len(p.Pledge.Allocations) > 0, nil
	case "allocation.made":
		return goesOn && p.Pledge.Rung <= projections.Confirmed, nil
	case "pledge.reported":
		return goesOn && p.Pledge.Rung == projections.Deployed, nil
	case "pledge.accepted":
		st = &events.PledgeAccepted{PledgeStep: step}
	case "pledge.declined":
		st = &events.PledgeDeclined{PledgeStep: step}
	case "pledge.confirmed":
		st = &events.PledgeConfirmed{PledgeStep: step}
	case "pledge.returned":
		st = &events.PledgeReturned{PledgeStep: step}
	case "pledge.withdrawn":
		st = &events.PledgeWithdrawn{PledgeStep: step}
	case "pledge.deployed":
		st = &events.PledgeDeployed{PledgeStep: step, Strength: events.Strength{
			Quantity: p.Pledge.Unit.Of(1), Unit: p.Pledge.Unit}}
	default:
		return false, nil
	}
	err := p.pages.Ledger.CheckUnsigned(p.ctx, p.service.View(), st)
	if err == nil {
		return true, nil
	}
	switch problem.From(err).Kind {
	case problem.Conflict, problem.Invalid, problem.NotAllowed, problem.NotFound:
		return false, nil
	}
	return goesOn, p.ctx.Err() // whether it can be said is not known: its form tells
}

func (p *pledgePage) hasOpenCondition() bool {
	for _, c := range p.Pledge.Conditions {
		if c.State == projections.Hanging {
			return true
		}
	}
	return false
}

// toAnswer returns the questions about a pledge that the reader may answer, as far as their party
// tells: what the coordinators are asked comes first, for no nation answers it.
func (f *frame) toAnswer(p *projections.Pledge) (all []projections.Query) {
	nation := f.nationality() != ""
	for _, q := range p.Queries {
		if q.To == events.HQ && !nation {
			all = append(all, q)
		}
	}
	for _, q := range p.Queries {
		if q.To != events.HQ {
			all = append(all, q)
		}
	}
	return all
}
