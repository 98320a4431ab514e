package web

import (
	"context"
	"strings"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
)

// LedgerQuery asks what the ledger is.
type LedgerQuery struct{}

// Ledger says what the ledger is, and how far it has come.
type Ledger struct {
	projections.Founding
	// Sequence is the last record, and Recorded when it was recorded.
	Sequence uint64    `json:"sequence"`
	Recorded time.Time `json:"recorded"`
}

// Ledger answers what the ledger is.
func (s *Service) Ledger(_ context.Context, _ *LedgerQuery) (l Ledger, err error) {
	return l, s.Projector.View(func(p *projections.Picture) error {
		founding, ok := p.Founding()
		if !ok {
			return problem.New(problem.Unavailable, "this ledger was not founded yet").WithHint("try again in a moment")
		}
		l = Ledger{Founding: founding, Sequence: p.Sequence()}
		l.Recorded, _ = p.Recorded(l.Sequence)
		return nil
	})
}

// CoverageQuery asks how far the requirements are met.
type CoverageQuery struct {
	MomentQuery
	RungQuery
	Operation string `query:"operation" json:"operation,omitempty" doc:"An operation, such as mnf-u."`
	Role      string `query:"role" json:"role,omitempty" doc:"A role, such as ground."`
}

// Coverage is the answer to CoverageQuery.
type Coverage struct {
	projections.Coverage
	// Notes are what the operations shown say of themselves.
	Notes []OperationNote `json:"notes"`
}

// OperationNote is an operation's title and note.
type OperationNote struct {
	Operation events.Operation `json:"operation"`
	Title     string           `json:"title"`
	Note      string           `json:"note,omitzero"`
}

// Coverage answers how far the requirements are met.
func (s *Service) Coverage(ctx context.Context, q *CoverageQuery) (c Coverage, err error) {
	f, err := FilterQuery{Operation: q.Operation, Role: q.Role}.filter()
	if err != nil {
		return c, err
	}
	return c, s.look(ctx, q.MomentQuery, q.Rung, func(p *projections.Picture, m projections.Moment) (err error) {
		if err := known(p, m, f); err != nil {
			return err
		}
		if c.Coverage, err = p.Coverage(m, projections.CoverageFilter{Operation: f.Operation, Role: f.Role}); err != nil {
			return err
		}
		c.Notes, err = notes(p, m, f.Operation)
		return err
	})
}

func notes(p *projections.Picture, m projections.Moment, only events.Operation) ([]OperationNote, error) {
	ops, err := p.Operations(m)
	all := []OperationNote{}
	for _, c := range ops.Operations {
		if only == "" || only == c.Operation {
			all = append(all, OperationNote{c.Operation, c.Title, c.Note})
		}
	}
	return all, err
}

// StrengthQuery asks what is pledged or deployed.
type StrengthQuery struct {
	MomentQuery
	RungQuery
	FilterQuery
	By string `query:"by" json:"by,omitempty" doc:"What to group by, such as nation,role,operation. Without it, nation."`
}

// Strength answers what is pledged or deployed, summed only within a unit.
func (s *Service) Strength(ctx context.Context, q *StrengthQuery) (a projections.Strength, err error) {
	f, err := q.filter()
	if err != nil {
		return a, err
	}
	by := []string{"nation"}
	if q.By != "" {
		by = strings.Split(q.By, ",")
	}
	return a, s.look(ctx, q.MomentQuery, q.Rung, func(p *projections.Picture, m projections.Moment) (err error) {
		if err := known(p, m, f); err != nil {
			return err
		}
		a, err = p.Strength(m, f, by)
		return err
	})
}

// PledgesQuery asks for a list of pledges.
type PledgesQuery struct {
	MomentQuery
	RungQuery
	FilterQuery
	State string `query:"state" json:"state,omitempty" doc:"live, ahead, withdrawn, declined or returned. Without it, all."`
	After string `query:"after" json:"after,omitempty" doc:"The next of the page before."`
	Limit int    `query:"limit" json:"limit,omitempty" minimum:"0" maximum:"10000" doc:"The most pledges to return; 1000 without it."`
}

// Pledges lists pledges by id.
func (s *Service) Pledges(ctx context.Context, q *PledgesQuery) (a projections.PledgeList, err error) {
	f, err := q.filter()
	if err != nil {
		return a, err
	}
	pf := projections.PledgeFilter{Filter: f, State: projections.State(q.State), Limit: q.Limit}
	if pf.Limit == 0 {
		pf.Limit = 1000
	}
	if q.After != "" {
		if pf.After, err = events.ParseID(q.After); err != nil {
			return a, problem.OfFields([]problem.Field{{Location: "after", Value: q.After, Message: err.Error()}})
		}
	}
	return a, s.look(ctx, q.MomentQuery, q.Rung, func(p *projections.Picture, m projections.Moment) (err error) {
		if err := known(p, m, f); err != nil {
			return err
		}
		a, err = p.Pledges(m, pf)
		return err
	})
}

// PledgeQuery asks for one pledge and its life.
type PledgeQuery struct {
	MomentQuery
	ID string `path:"id" json:"id" doc:"The pledge's id."`
}

// PledgeLife is one pledge as it stands, and its life.
type PledgeLife struct {
	projections.Basis
	Pledge projections.Pledge      `json:"pledge"`
	Life   []projections.LifeEvent `json:"life"`
}

// Pledge answers what became of one pledge.
func (s *Service) Pledge(ctx context.Context, q *PledgeQuery) (a PledgeLife, err error) {
	id, err := events.ParseID(q.ID)
	if err != nil {
		return a, problem.OfFields([]problem.Field{{Location: "id", Value: q.ID, Message: err.Error()}})
	}
	return a, s.look(ctx, q.MomentQuery, "", func(p *projections.Picture, m projections.Moment) (err error) {
		if a.Basis, err = p.Basis(m); err != nil {
			return err
		}
		if a.Pledge, err = p.Pledge(m, id); err != nil {
			return err
		}
		a.Life, err = p.Life(m, id)
		return err
	})
}

// PlanQuery asks for an operation's catalogue and requirements.
type PlanQuery struct {
	MomentQuery
	Operation string `path:"operation" json:"operation" doc:"The operation, such as mnf-u."`
}

// Plan is an operation's catalogue and all its requirement lines.
type Plan struct {
	projections.Basis
	Catalogue    projections.Catalogue     `json:"catalogue"`
	Requirements []projections.Requirement `json:"requirements"`
}

// Plan answers what an operation is and needs.
func (s *Service) Plan(ctx context.Context, q *PlanQuery) (a Plan, err error) {
	f, err := FilterQuery{Operation: q.Operation}.filter()
	if err != nil {
		return a, err
	}
	return a, s.look(ctx, q.MomentQuery, "", func(p *projections.Picture, m projections.Moment) (err error) {
		if a.Catalogue, err = p.Catalogue(m, f.Operation); err != nil {
			return err
		}
		r, err := p.Requirements(m, f)
		a.Basis, a.Requirements = r.Basis, r.Requirements
		return err
	})
}

// MembersQuery asks who may sign.
type MembersQuery struct{ MomentQuery }

// Members answers who may sign, and who once could.
func (s *Service) Members(ctx context.Context, q *MembersQuery) (a projections.Roster, err error) {
	return a, s.look(ctx, q.MomentQuery, "", func(p *projections.Picture, m projections.Moment) (err error) {
		a, err = p.Members(m)
		return err
	})
}

// ScopesQuery asks what nations have declared that they are ready to give.
type ScopesQuery struct {
	MomentQuery
	FilterQuery
}

// Scopes answers what nations have declared that they are ready to give.
func (s *Service) Scopes(ctx context.Context, q *ScopesQuery) (a projections.Scopes, err error) {
	f, err := q.filter()
	if err != nil {
		return a, err
	}
	return a, s.look(ctx, q.MomentQuery, "", func(p *projections.Picture, m projections.Moment) (err error) {
		a, err = p.Scopes(m, f)
		return err
	})
}
