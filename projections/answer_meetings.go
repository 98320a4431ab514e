package projections

import (
	"context"
	"slices"

	"muster/events"
	"muster/projections/records"
)

// A Meeting is one that was closed: a name for what was recorded by then.
type Meeting struct {
	Name     string      `json:"name"`
	On       events.Date `json:"on"`       // the day on which it ended
	Sequence uint64      `json:"sequence"` // the record that closed it
	Note     string      `json:"note,omitzero"`
	Signer   string      `json:"signer"`
}

// closeMeeting takes a meeting in. Readers have the list as far as it went.
func (p *Picture) closeMeeting(seq uint64, r *records.Row) {
	p.meetings = append(slices.Clip(p.meetings), Meeting{Name: r.Title,
		On: events.Date(r.Effective), Sequence: seq, Note: r.Text, Signer: r.Signer})
}

// Meeting returns the meeting of a name, and false where none was closed under it. What may not be
// read was not closed.
func (p *Picture) Meeting(name string) (Meeting, bool) {
	i := slices.IndexFunc(p.meetings, func(m Meeting) bool { return m.Name == name })
	if i < 0 {
		return Meeting{}, false
	}
	return p.meetings[i], true
}

// Meetings are those that were closed by a moment, the latest last.
type Meetings struct {
	Basis
	Meetings []Meeting `json:"meetings"`
}

// Meetings lists the meetings that were closed. The date of m plays no part.
func (p *Picture) Meetings(_ context.Context, m Moment) (Meetings, error) {
	b, err := p.Basis(m)
	list := Meetings{Basis: b, Meetings: []Meeting{}}
	for _, one := range p.meetings {
		if one.Sequence <= b.AsOf {
			list.Meetings = append(list.Meetings, one)
		}
	}
	return list, err
}
