package projections

import (
	"context"
	"fmt"
	"slices"

	"muster/events"
	"muster/projections/records"
)

// A Member is one key that may sign, or could once.
type Member struct {
	Key   events.Key        `json:"key"`
	Name  string            `json:"name"`  // the key's name, such as FRA/paris
	Party events.Nation     `json:"party"` // for whom it speaks: a nation, or HQ
	Role  events.MemberRole `json:"role"`
	// Admitted is the record since which the key may sign, and Revoked the one that ended it, 0
	// while it may.
	Admitted uint64 `json:"admitted"`
	Revoked  uint64 `json:"revoked,omitzero"`
	// Clearance is what a reader may read, and "" for all other roles.
	Clearance events.Clearance `json:"clearance,omitzero"`
	Note      string           `json:"note,omitzero"`   // given at its admission
	Reason    string           `json:"reason,omitzero"` // given at its revocation
}

// A Founding is what the first record says of the whole ledger.
type Founding struct {
	Origin  events.Origin `json:"origin"`
	Title   string        `json:"title"`
	Founder events.Key    `json:"founder"`
}

// A roster is who may sign. There is one clock in it: a key may sign from a record on, whatever the
// date.
type roster struct {
	founding Founding
	members  []Member // in the order of admission; a key that was admitted again is there again
}

func (ro *roster) take(seq uint64, r *records.Row) error {
	switch r.Type {
	case "ledger.founded":
		if seq != 1 {
			return fmt.Errorf("a ledger is founded by its first record")
		}
		ro.founding = Founding{r.Origin, r.Text, r.Key}
		ro.admit(seq, r)
	case "member.admitted":
		ro.admit(seq, r)
	case "member.revoked":
		for i := len(ro.members) - 1; i >= 0; i-- {
			if m := ro.members[i]; m.Key == r.Key && m.Revoked == 0 {
				ro.members = slices.Clone(ro.members) // readers have the old list
				ro.members[i].Revoked, ro.members[i].Reason = seq, r.Text
				return nil
			}
		}
		return fmt.Errorf("the key %s is revoked, and was not a member", r.Key.Name())
	default:
		return fmt.Errorf("no projection knows a %s", r.Type)
	}
	return nil
}

func (ro *roster) admit(seq uint64, r *records.Row) {
	m := Member{Key: r.Key, Name: r.Key.Name(), Party: r.Key.Party(), Role: r.Member,
		Clearance: r.Clearance, Admitted: seq}
	if r.Type != "ledger.founded" { // whose text is the ledger's title
		m.Note = r.Text
	}
	ro.members = append(ro.members, m)
}

// known returns the member as it was known as of a sequence, and false when it was not admitted
// yet.
func (m Member) known(asOf uint64) (Member, bool) {
	if m.Revoked > asOf {
		m.Revoked, m.Reason = 0, ""
	}
	return m, m.Admitted <= asOf
}

// Founding returns what the ledger was founded as, and false before the first record.
func (p *Picture) Founding() (Founding, bool) { return p.roster.founding, p.Sequence() > 0 }

// Member returns who has the key of that name and hash now, and false where nobody has, or it was
// revoked.
func (p *Picture) Member(id events.KeyID) (Member, bool) {
	for _, m := range slices.Backward(p.roster.members) {
		if is, ok := m.Key.ID(); ok && is == id {
			return m, m.Revoked == 0
		}
	}
	return Member{}, false
}

// Roster is who may sign, as of a record.
type Roster struct {
	Basis
	Members []Member `json:"members"`
}

// Members returns all keys that were ever admitted as of m, in the order of their admission, those
// revoked included.
func (p *Picture) Members(ctx context.Context, m Moment) (Roster, error) {
	p = p.metered(ctx)
	b, err := p.Basis(m)
	if err != nil {
		return Roster{}, err
	}
	r := Roster{Basis: b, Members: []Member{}}
	for _, member := range p.roster.members {
		if known, ok := member.known(b.AsOf); ok {
			r.Members = append(r.Members, known)
		}
	}
	return r, p.meter.err()
}
