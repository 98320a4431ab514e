package projections

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strconv"

	"muster/events"
)

// A Fingerprint is the hash of one projection in a canonical rendering: the same wherever the same
// records were folded.
type Fingerprint struct {
	Name    string `json:"name"`
	Entries int    `json:"entries"`
	SHA256  string `json:"sha256"` // in hex
}

// Fingerprints are those of all projections as of a record.
type Fingerprints struct {
	AsOf  uint64        `json:"as_of"`
	Each  []Fingerprint `json:"each"`
	Whole string        `json:"whole"` // SHA-256, in hex, over the names and hashes of each
	// View is whose picture it is: see [Basis].
	View events.View `json:"view,omitzero"`
}

// Fingerprint renders every projection as of a record, 0 for the last, and hashes it. The rendering
// is text: one line for each entry and each thing that was said about it, of fields that are quoted
// as in Go and separated by a space, in an order that follows from the entries alone. Whoever folds
// the same records arrives at the same text.
//
// Pledges, requirements, operations, scopes and the roster are rendered with their histories, so
// all that follows from them at any moment is in the hash. Coverage has no state of its own; what
// is rendered are its answers at every rung on the day of the last record, without their sentences,
// which are for people and may be reworded.
func (p *Picture) Fingerprint(ctx context.Context, asOf uint64) (Fingerprints, error) {
	p = p.metered(ctx)
	b, err := p.Basis(Moment{AsOf: asOf})
	if err != nil {
		return Fingerprints{}, err
	}
	f := Fingerprints{AsOf: b.AsOf}
	for _, projection := range []struct {
		name   string
		render func(context.Context, *rendering, Basis) error
	}{
		{"roster", p.renderRoster},
		{"operations", p.renderOperations},
		{"scopes", p.renderScopes},
		{"requirements", p.renderRequirements},
		{"pledges", p.renderPledges},
		{"coverage", p.renderCoverage},
	} {
		r := &rendering{hash: sha256.New()}
		if err := projection.render(ctx, r, b); err != nil {
			return Fingerprints{}, fmt.Errorf("%s: %w", projection.name, err)
		}
		f.Each = append(f.Each,
			Fingerprint{projection.name, r.entries, hex.EncodeToString(r.hash.Sum(nil))})
	}
	whole := &rendering{hash: sha256.New()}
	for _, one := range f.Each {
		whole.line(one.Name, one.SHA256)
	}
	f.Whole = hex.EncodeToString(whole.hash.Sum(nil))
	return f, p.meter.err()
}

// A rendering hashes lines as they are written.
type rendering struct {
	hash    hash.Hash
	entries int
	room    []byte
}

func (r *rendering) line(fields ...any) {
	r.room = r.room[:0]
	for i, f := range fields {
		if i > 0 {
			r.room = append(r.room, ' ')
		}
		switch f := f.(type) {
		case uint64:
			r.room = strconv.AppendUint(r.room, f, 10)
		case int64:
			r.room = strconv.AppendInt(r.room, f, 10)
		case int:
			r.room = strconv.AppendInt(r.room, int64(f), 10)
		case bool:
			r.room = strconv.AppendBool(r.room, f)
		case string:
			r.room = strconv.AppendQuote(r.room, f)
		default: // the words of package events, whose text is their form
			r.room = strconv.AppendQuote(r.room, fmt.Sprint(f))
		}
	}
	r.hash.Write(append(r.room, '\n'))
}

// said renders where something has its place on both clocks, and what it is.
func (p *Picture) said(r *rendering, seq uint64, effective events.Date, what ...any) {
	r.line(append([]any{seq, p.times[seq-1], effective}, what...)...)
}

func (p *Picture) renderRoster(_ context.Context, r *rendering, b Basis) error {
	if b.AsOf > 0 {
		r.line("ledger", p.times[0], p.roster.founding.Origin, p.roster.founding.Title,
			p.roster.founding.Founder)
	}
	for _, m := range p.meetings {
		if m.Sequence <= b.AsOf {
			r.entries++
			r.line("meeting", m.Sequence, m.On, m.Name, m.Note, m.Signer)
		}
	}
	for _, member := range p.roster.members {
		if m, ok := member.known(b.AsOf); ok {
			r.entries++
			r.line("member", m.Key, m.Role, m.Admitted, p.times[m.Admitted-1], m.Revoked,
				m.Note, m.Reason)
			if m.Clearance != "" {
				r.line("clearance", m.Clearance)
			}
			if m.Revoked > 0 {
				r.line("revoked", p.times[m.Revoked-1])
			}
			if m.Proposed > 0 {
				r.line("proposed", m.Proposed, len(m.Seconded))
			}
		}
	}
	for _, w := range (rosterAt{&p.roster, b.AsOf}).waiting() {
		r.line("waiting", w.Sequence, w.Key, w.Revokes, len(w.Seconded))
	}
	return nil
}

func (p *Picture) renderOperations(_ context.Context, r *rendering, b Basis) error {
	for _, name := range p.names {
		entries := p.operations[name].now().catalogues.known(b.AsOf)
		if len(entries) == 0 {
			continue
		}
		r.entries++
		r.line("operation", name)
		for _, c := range entries {
			p.said(r, c.seq, c.effective, c.what.Title, c.what.Note)
			for _, role := range c.what.Roles {
				r.line("role", role.Role, role.Title, role.Units)
				for _, t := range role.Titles {
					r.line("title", role.Role, t.Language, t.Title)
				}
			}
			for _, o := range c.what.Organisations {
				r.line("organisation", o.Code, o.Name, o.Also)
			}
		}
	}
	return nil
}

func (p *Picture) renderScopes(_ context.Context, r *rendering, b Basis) error {
	for _, name := range p.names {
		o := p.operations[name]
		all := o.now()
		for _, nation := range all.nations {
			entries := all.scopes[nation].known(b.AsOf)
			if len(entries) == 0 {
				continue
			}
			r.entries++
			r.line("scope", name, nation)
			for _, s := range entries {
				p.said(r, s.seq, s.effective, s.what.Unlimited, s.what.Roles, s.what.Note)
			}
		}
	}
	return nil
}

func (p *Picture) renderRequirements(_ context.Context, r *rendering, b Basis) error {
	for _, name := range p.names {
		o := p.operations[name]
		all := o.now()
		for _, lineName := range all.lineNames {
			l := all.lines[lineName].now()
			entries := l.terms.known(b.AsOf)
			if len(entries) == 0 {
				continue
			}
			r.entries++
			r.line("requirement", name, lineName)
			for _, s := range entries {
				q := s.what
				p.said(r, s.seq, s.effective, q.Role, q.Area, q.Required, q.Unit, q.From, q.Until,
					q.Priority, q.Essential, q.Note)
			}
			for _, s := range l.cancelled.known(b.AsOf) {
				p.said(r, s.seq, s.effective, "cancelled")
			}
		}
	}
	return nil
}

func (p *Picture) renderPledges(_ context.Context, r *rendering, b Basis) error {
	for pl := range p.sorted.all() {
		if !p.meter.spend(foldCost) {
			return p.meter.err()
		}
		if uint64(pl.first) > b.AsOf {
			continue
		}
		r.entries++
		r.line("pledge", pl.id, pl.operation.name, pl.nation)
		facts := pl.now().facts
		for i := range facts {
			if d := &facts[i]; uint64(d.knownFrom) <= b.AsOf {
				p.renderFact(r, d, b.AsOf)
			}
		}
	}
	return nil
}

func (p *Picture) renderFact(r *rendering, d *fact, asOf uint64) {
	until := uint64(0)
	if uint64(d.knownTo) <= asOf {
		until = uint64(d.knownTo)
	}
	p.said(r, uint64(d.knownFrom), d.effective, d.move.typ, uint64(d.order), until, d.id,
		d.remark.signer, d.remark.source, d.remark.text,
		d.quantity, d.unit, d.expires, uint64(d.corrects))
	if t := d.terms; t != nil {
		notice := -1
		if t.notice != nil {
			notice = *t.notice
		}
		r.line("terms", t.role, t.area, t.From, t.Until, notice, t.presence, t.release, t.expires)
		if t.line != "" {
			r.line("meant for", t.line)
		}
		if t.further != nil {
			r.line("rotation", t.further.predecessor, t.further.successor, t.further.elsewhere)
			if len(t.further.to) > 0 {
				r.line("releasable to", t.further.to)
			}
			if t.further.reference != "" {
				r.line("reference", t.further.reference)
			}
			if t.further.bounds != (bounds{}) {
				r.line("between", t.further.least, t.further.most)
			}
		}
	}
	if d.stands != nil {
		r.renderStands(d.stands)
	}
	if d.hold != nil {
		r.line("hold", d.hold.name, d.hold.kind, d.hold.text)
	}
	if d.query != nil {
		r.line("query", d.query.id, d.query.to, d.query.text, d.query.due)
	}
	if d.share != nil && d.share.line != nil {
		r.line("allocation", d.share.line.name, d.share.number, d.share.From, d.share.Until)
	} else if d.share != nil {
		r.line("release", d.share.id)
	}
}

func (r *rendering) renderStands(s *standsAt) {
	r.line("stands", s.rung, s.strength.quantity, s.strength.unit)
	for _, h := range s.conditions {
		r.line("condition", h.name, h.kind, h.state)
	}
	for _, h := range s.caveats {
		r.line("caveat", h.name, h.text)
	}
	for _, a := range s.allocations {
		r.line("allocated", a.id, a.line.name, a.number, a.From, a.Until)
	}
}

func (p *Picture) renderCoverage(ctx context.Context, r *rendering, b Basis) error {
	for _, rung := range Rungs() {
		b.Rung = rung
		before := p.meter.bytes
		c, err := p.Coverage(ctx, b.Moment(), CoverageFilter{})
		if err != nil {
			return err
		}
		for _, l := range c.Lines {
			r.entries++
			r.line("line", rung, l.Operation, l.Line, l.Required, l.Supply, l.Gap, l.Conditional,
				l.Caveated, l.Unknown)
			for _, n := range l.Counted {
				r.line("counted", n.Pledge, n.Quantity, n.Allocation, n.Conditions, n.Caveats)
			}
		}
		for _, n := range c.NotCounted {
			r.line("not counted", rung, n.Pledge, n.Quantity, n.Reason, n.Lines)
		}
		p.meter.letGo(before)
	}
	return nil
}
