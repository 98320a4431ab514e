package web

import (
	"context"

	"muster/projections"
)

// MeetingsQuery asks which meetings were closed.
type MeetingsQuery struct{ MomentQuery }

func (q *MeetingsQuery) read(p *parameters) { q.MomentQuery.readAsItIs(p) }

// Meetings answers which meetings were closed.
func (s *Service) Meetings(ctx context.Context,
	q *MeetingsQuery) (a projections.Meetings, err error) {
	return a, s.look(ctx, q.MomentQuery, 0,
		func(p *projections.Picture, m projections.Moment) (err error) {
			a, err = p.Meetings(ctx, m)
			return err
		})
}

// MeetingsTable has a row for each meeting.
func MeetingsTable(a projections.Meetings) Table {
	t := Table{View: a.View, Head: []string{"name", "on", "sequence", "signed by", "note"}}
	for _, m := range a.Meetings {
		t.Add(m, m.Name, m.On.String(), number(m.Sequence), m.Signer, m.Note)
	}
	if len(a.Meetings) == 0 {
		t.Below = []string{"No meeting was closed."}
	}
	return t
}
