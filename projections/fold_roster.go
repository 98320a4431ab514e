package projections

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"muster/events"
	"muster/events/phrase"
	"muster/events/seconds"
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
	// Proposed is the record that admits the key, where that waited for a second, and Seconded who
	// gave one.
	Proposed uint64   `json:"proposed,omitzero"`
	Seconded []Second `json:"seconded,omitzero"`
	// Unheard says that the key was admitted as a further one of a nation that has had a liaison of
	// its own, and that none of the nation's liaisons has seconded that.
	Unheard bool `json:"unheard,omitzero"`
}

// A Second is a second word for an admission or a revocation.
type Second struct {
	Sequence uint64 `json:"sequence"`
	Signer   string `json:"signer"` // the key's name and hash
}

// A Waiting is an admission or a revocation that lacks a second word, and does not count yet.
type Waiting struct {
	// Statement is what is to be seconded, by its id, and Sequence its record.
	Statement events.ID         `json:"statement"`
	Sequence  uint64            `json:"sequence"`
	Signer    string            `json:"signer"` // the name and hash of the key that signed it
	Key       events.Key        `json:"key"`
	Name      string            `json:"name"`
	Party     events.Nation     `json:"party"`
	Revokes   bool              `json:"revokes,omitzero"` // and does not admit
	Role      events.MemberRole `json:"role,omitzero"`
	Clearance events.Clearance  `json:"clearance,omitzero"`
	Text      string            `json:"text,omitzero"` // the note, or the reason
	Seconded  []Second          `json:"seconded,omitzero"`
	// Coordinators is how many more of them must second it, and Liaison the nation of which a
	// liaison must.
	Coordinators int           `json:"lacks_coordinators,omitzero"`
	Liaison      events.Nation `json:"lacks_liaison_of,omitzero"`
}

// Phrase says what waits for whose word: "the admission of DEU/berlin, proposed by HQ/staff, waits
// for a liaison of Germany".
func (w *Waiting) Phrase() phrase.Phrase {
	lacks := seconds.Lack{Coordinators: w.Coordinators, Liaison: w.Liaison}.Phrase()
	by, _, _ := strings.Cut(w.Signer, "+")
	if w.Revokes {
		return phrase.Of("the revocation of %s, proposed by %s, waits for %s", w.Name, by, lacks)
	}
	return phrase.Of("the admission of %s, proposed by %s, waits for %s", w.Name, by, lacks)
}

// A Founding is what the first record says of the whole ledger.
type Founding struct {
	Origin  events.Origin `json:"origin"`
	Title   string        `json:"title"`
	Founder events.Key    `json:"founder"`
	Seconds int           `json:"seconds,omitzero"` // that it takes to admit and to revoke
}

// A roster is who may sign. There is one clock in it: a key may sign from a record on, whatever the
// date.
type roster struct {
	founding  Founding
	members   []Member   // in the order of admission; a key that was admitted again is there again
	proposals []proposal // that have waited for a second, in the order of their records
}

// A proposal is one that has waited. It is never changed: what becomes of it makes another.
type proposal struct {
	seconds.Proposal
	text  string
	words []uint64 // the records that have seconded it
	ended uint64   // the record since which there is nothing to second, 0 while there is
}

func (ro *roster) take(seq uint64, r *records.Row) error {
	by := events.KeyID{Name: r.Signer, Hash: r.SignerHash}
	switch r.Type {
	case "ledger.founded":
		if seq != 1 {
			return fmt.Errorf("a ledger is founded by its first record")
		}
		ro.founding = Founding{r.Origin, r.Text, r.Key, r.Seconds}
		ro.members = append(ro.members, memberOf(r.Key, r.Member, seq))
		return nil
	case "member.admitted", "member.revoked":
		return ro.hold(seq, proposal{text: r.Text, Proposal: seconds.Proposal{
			Statement: r.Proposal, Sequence: seq, By: by, Key: r.Key,
			Revokes: r.Type == "member.revoked", Role: r.Member, Clearance: r.Clearance}})
	case "member.seconded", "member.retracted":
		at := slices.IndexFunc(ro.proposals, func(p proposal) bool {
			return p.Statement == r.Proposal && p.ended == 0
		})
		if at < 0 {
			return fmt.Errorf("a %s is about the statement %s, which does not wait", r.Type,
				r.Proposal)
		}
		p := ro.proposals[at]
		if r.Type == "member.retracted" {
			p.ended = seq
			ro.keep(p)
			return nil
		}
		p.Proposal, p.words = p.And(by), append(slices.Clip(p.words), seq)
		return ro.hold(seq, p)
	}
	return fmt.Errorf("no projection knows a %s", r.Type)
}

// hold takes in what a proposal says, or keeps it where it lacks a word.
func (ro *roster) hold(seq uint64, p proposal) error {
	now := rosterAt{ro, seq}
	if p.Lacks(now) != (seconds.Lack{}) {
		ro.keep(p)
		return nil
	}
	unheard := p.Unheard(now)
	if len(p.words) > 0 {
		ro.keep(p)
	}
	ro.end(seq, &p)
	if p.Revokes {
		return ro.revoke(seq, &p)
	}
	m := memberOf(p.Key, p.Role, seq)
	m.Clearance, m.Note, m.Unheard = p.Clearance, p.text, unheard
	if p.Sequence != seq {
		m.Proposed, m.Seconded = p.Sequence, p.seconded(seq)
	}
	ro.members = append(ro.members, m)
	return nil
}

// keep puts a proposal in its place. Readers have the old list.
func (ro *roster) keep(p proposal) {
	ro.proposals = slices.Clone(ro.proposals)
	for i := range ro.proposals {
		if ro.proposals[i].Sequence == p.Sequence {
			ro.proposals[i] = p
			return
		}
	}
	ro.proposals = append(ro.proposals, p)
}

// end notes that what a proposal says is so, also of others that say the same.
func (ro *roster) end(seq uint64, p *proposal) {
	for _, other := range ro.proposals {
		if other.Key == p.Key && other.Revokes == p.Revokes && other.ended == 0 {
			other.ended = seq
			ro.keep(other)
		}
	}
}

func (ro *roster) revoke(seq uint64, p *proposal) error {
	for i := len(ro.members) - 1; i >= 0; i-- {
		if m := ro.members[i]; m.Key == p.Key && m.Revoked == 0 {
			ro.members = slices.Clone(ro.members) // readers have the old list
			ro.members[i].Revoked, ro.members[i].Reason = seq, p.text
			return nil
		}
	}
	return fmt.Errorf("the key %s is revoked, and was not a member", p.Key.Name())
}

func memberOf(key events.Key, role events.MemberRole, seq uint64) Member {
	return Member{Key: key, Name: key.Name(), Party: key.Party(), Role: role, Admitted: seq}
}

// seconded returns who had seconded the proposal as of a record.
func (p *proposal) seconded(asOf uint64) (all []Second) {
	for i, seq := range p.words {
		if seq <= asOf {
			all = append(all, Second{seq, p.Seconded[i].String()})
		}
	}
	return all
}

// A rosterAt is who may sign as of a record.
type rosterAt struct {
	*roster
	asOf uint64
}

// Asked implements [seconds.Roll].
func (ro rosterAt) Asked() int { return ro.founding.Seconds }

// MaySign implements [seconds.Roll].
func (ro rosterAt) MaySign(key events.KeyID) bool {
	return ro.count(func(m *Member) bool {
		id, ok := m.Key.ID()
		return ok && id == key
	}) > 0
}

// Coordinators implements [seconds.Roll].
func (ro rosterAt) Coordinators() int {
	return ro.count(func(m *Member) bool { return m.Role == events.Coordinator })
}

// Liaisons implements [seconds.Roll].
func (ro rosterAt) Liaisons(n events.Nation) (now int, ever bool) {
	is := func(m *Member) bool { return m.Role == events.Liaison && m.Party == n }
	for i := range ro.members {
		if m := &ro.members[i]; is(m) && m.Admitted <= ro.asOf {
			ever = true
		}
	}
	return ro.count(is), ever
}

// count counts those who may sign and are so.
func (ro rosterAt) count(is func(*Member) bool) (n int) {
	for i := range ro.members {
		m := &ro.members[i]
		if m.Admitted <= ro.asOf && (m.Revoked == 0 || m.Revoked > ro.asOf) && is(m) {
			n++
		}
	}
	return n
}

// waiting returns what waits for a second, in the order of its records, and can be given one still.
func (ro rosterAt) waiting() (all []Waiting) {
	for i := range ro.proposals {
		p := ro.proposals[i]
		if p.Sequence > ro.asOf || p.ended != 0 && p.ended <= ro.asOf || !ro.MaySign(p.By) {
			continue
		}
		w := Waiting{Statement: p.Statement, Sequence: p.Sequence, Signer: p.By.String(),
			Key: p.Key, Name: p.Key.Name(), Party: p.Key.Party(), Revokes: p.Revokes,
			Role: p.Role, Clearance: p.Clearance, Text: p.text, Seconded: p.seconded(ro.asOf)}
		p.Seconded = p.Seconded[:len(w.Seconded)]
		lack := p.Lacks(ro)
		w.Coordinators, w.Liaison = lack.Coordinators, lack.Liaison
		all = append(all, w)
	}
	return all
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
	// Seconds is how many coordinators beside the signer it takes to admit and to revoke a key.
	Seconds int      `json:"seconds,omitzero"`
	Members []Member `json:"members"`
	// Waiting is what was proposed, and lacks a second word.
	Waiting []Waiting `json:"waiting,omitzero"`
}

// Members returns all keys that were ever admitted as of m, in the order of their admission, those
// revoked included, and what waits for a second.
func (p *Picture) Members(ctx context.Context, m Moment) (Roster, error) {
	p = p.metered(ctx)
	b, err := p.Basis(m)
	if err != nil {
		return Roster{}, err
	}
	r := Roster{Basis: b, Members: []Member{}, Seconds: p.roster.founding.Seconds,
		Waiting: rosterAt{&p.roster, b.AsOf}.waiting()}
	for _, member := range p.roster.members {
		if known, ok := member.known(b.AsOf); ok {
			r.Members = append(r.Members, known)
		}
	}
	return r, p.meter.err()
}
