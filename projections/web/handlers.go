package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
)

// Ledger says what the ledger is, and how far it has come.
type Ledger struct {
	projections.Founding
	// First tells this ledger from all others, also of the same name.
	First string `json:"first" doc:"The hash of the first record (RFC 6962, in hexadecimal), which no other ledger has, also of the same name"`
	// Sequence is the last record, and Recorded when it was recorded.
	Sequence uint64    `json:"sequence"`
	Recorded time.Time `json:"recorded"`
	// View is for whom this was answered: see [projections.Basis].
	View events.View `json:"view,omitzero"`
	// CheckpointKey verifies this server's checkpoints, when nobody has said before which key does.
	CheckpointKey string `json:"checkpoint_key,omitempty" doc:"The public key with which this server signs checkpoints (C2SP signed-note)"`
}

// Ledger answers what the ledger is.
func (s *Service) Ledger(_ context.Context, _ *LedgerQuery) (l Ledger, err error) {
	return l, s.Projector.View(func(p *projections.Picture) error {
		founding, ok := p.Founding()
		if !ok {
			return notFounded()
		}
		l = Ledger{Founding: founding, Sequence: p.Sequence(), View: s.view,
			CheckpointKey: s.CheckpointKey}
		l.Recorded, _ = p.Recorded(l.Sequence)
		l.First, err = s.firstHash()
		return err
	})
}

// firstHash returns the hash of the first record, in hexadecimal.
func (s *Service) firstHash() (string, error) {
	if found := s.first.Load(); found != nil {
		return *found, nil
	}
	for r, err := range s.Source.Records(1) {
		if err != nil {
			return "", err
		}
		hash := sha256.Sum256(append([]byte{0}, r.Stored...)) // of a leaf (RFC 6962, section 2.1)
		first := hex.EncodeToString(hash[:])
		s.first.Store(&first)
		return first, nil
	}
	return "", notFounded()
}

func notFounded() error {
	return problem.New(problem.Unavailable, "this ledger was not founded yet").
		WithHint("try again in a moment")
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
	f := projections.CoverageFilter{Operation: q.Operation, Role: q.Role, Beside: true,
		Differences: q.Differences}
	return c, s.lookOf(ctx, q.MomentQuery, q.Rung,
		projections.Filter{Operation: f.Operation, Role: f.Role},
		func(p *projections.Picture, m projections.Moment) (err error) {
			if c.Coverage, err = p.Coverage(ctx, m, f); err != nil {
				return err
			}
			c.Notes, err = notes(ctx, p, m, f.Operation)
			return err
		})
}

func notes(ctx context.Context, p *projections.Picture, m projections.Moment,
	only events.Operation) ([]OperationNote, error) {
	ops, err := p.Operations(ctx, m)
	all := []OperationNote{}
	for _, c := range ops.Operations {
		if only == "" || only == c.Operation {
			all = append(all, OperationNote{c.Operation, c.Title, c.Note})
		}
	}
	return all, err
}

// Strength answers what is pledged or deployed, summed only within a unit.
func (s *Service) Strength(ctx context.Context,
	q *StrengthQuery) (a projections.Strength, err error) {
	return a, s.lookOf(ctx, q.MomentQuery, q.Rung, q.Filter,
		func(p *projections.Picture, m projections.Moment) (err error) {
			a, err = p.Strength(ctx, m, q.Filter, q.By)
			return err
		})
}

// Pledges lists pledges by id.
func (s *Service) Pledges(ctx context.Context,
	q *PledgesQuery) (a projections.PledgeList, err error) {
	f := q.Filter
	if f.Limit == 0 {
		f.Limit = s.pageSize
	}
	return a, s.lookOf(ctx, q.MomentQuery, q.Rung, f.Filter,
		func(p *projections.Picture, m projections.Moment) (err error) {
			a, err = p.Pledges(ctx, m, f)
			return err
		})
}

// PledgeLife is one pledge as it stands, and its life.
type PledgeLife struct {
	projections.Basis
	Pledge projections.Pledge      `json:"pledge"`
	Life   []projections.LifeEvent `json:"life"`
}

// Pledge answers what became of one pledge.
func (s *Service) Pledge(ctx context.Context, q *PledgeQuery) (a PledgeLife, err error) {
	return a, s.look(ctx, q.MomentQuery, 0,
		func(p *projections.Picture, m projections.Moment) (err error) {
			if a.Basis, err = p.Basis(m); err != nil {
				return err
			}
			if a.Pledge, err = p.Pledge(ctx, m, q.ID); err != nil {
				return err
			}
			a.Life, err = p.Life(ctx, m, q.ID)
			return err
		})
}

// Plan is an operation's catalogue and all its requirement lines.
type Plan struct {
	projections.Basis
	Catalogue    projections.Catalogue     `json:"catalogue"`
	Requirements []projections.Requirement `json:"requirements"`
}

// Plan answers what an operation is and needs.
func (s *Service) Plan(ctx context.Context, q *PlanQuery) (a Plan, err error) {
	f := projections.Filter{Operation: q.Operation}
	return a, s.lookOf(ctx, q.MomentQuery, 0, f,
		func(p *projections.Picture, m projections.Moment) (err error) {
			if a.Catalogue, err = p.Catalogue(ctx, m, f.Operation); err != nil {
				return err
			}
			r, err := p.Requirements(ctx, m, f)
			a.Basis, a.Requirements = r.Basis, r.Requirements
			return err
		})
}

// Members answers who may sign, and who once could.
func (s *Service) Members(ctx context.Context, q *MembersQuery) (a projections.Roster, err error) {
	return a, s.look(ctx, q.MomentQuery, 0,
		func(p *projections.Picture, m projections.Moment) (err error) {
			a, err = p.Members(ctx, m)
			return err
		})
}

// Scopes answers what nations have declared that they are ready to give.
func (s *Service) Scopes(ctx context.Context, q *ScopesQuery) (a projections.Scopes, err error) {
	return a, s.lookOf(ctx, q.MomentQuery, 0, q.Filter,
		func(p *projections.Picture, m projections.Moment) (err error) {
			a, err = p.Scopes(ctx, m, q.Filter)
			return err
		})
}
