package page

import (
	"cmp"
	"context"
	"slices"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
	"muster/projections/access"
	"muster/projections/web"
)

// A minePage is where a liaison lands: what others see of its nation, what waits for the nation,
// and what it has said last. Who may read more looks at any nation so.
type minePage struct {
	*frame
	// Of is the nation, "" where the reader has yet to choose one of All.
	Of  events.Nation
	All []events.Nation
	// Pledges are those that are there or to come, and More is set when there are more than are
	// shown.
	Pledges []minePledge
	More    bool
	Readers []readersOf
	Waiting []waitsFor
	// Keys are those that are to sign for the nation, and lack the word of one of its liaisons.
	Keys []projections.Waiting
	Said []projections.SaidRecord
}

// A minePledge is a pledge, and who may read it.
type minePledge struct {
	projections.Pledge
	Label events.Label
}

// A readersOf counts the pledges that some may read.
type readersOf struct {
	Name    string
	Pledges int
	// Address is the page as they would be shown it, nil where the reader may not ask for that.
	Address any
}

// A waitsFor is something that the nation does, or waits for.
type waitsFor struct {
	Kind     string // among the words of mine.due
	Ours     bool   // it is the nation that is waited for
	By       events.Date
	Pledge   *projections.Pledge
	Said     []stretchOfText // in the reader's language
	Sequence uint64
	// Say is the kind of statement that answers it, "" for none.
	Say events.Type
}

// How much the page shows.
const (
	mineSize = 200 // pledges
	saidSize = 20  // records
	newDays  = 30  // for how long an allocation is new, and a report is
)

// mine answers the page of a nation.
func (p *Pages) mine(f *frame) (any, error) {
	m := &minePage{frame: f, Of: f.nationality()}
	if f.Has("nation") {
		n, ok := f.declared().Find(f.Get("nation"))
		if !ok {
			return nil, f.ofFields(problem.Invalid, []problem.Field{
				f.field("nation", f.Get("nation"), "problem.nation")})
		}
		m.Of = n
	}
	if m.Of == "" {
		for _, v := range f.nationViews() {
			m.All = append(m.All, events.Nation(v))
		}
		return m, f.readBasis()
	}
	list, err := ask(f, web.Read[web.PledgesQuery], f.service.Pledges, "nation", m.Of,
		"rung", "", "limit", pledgesSize)
	if err != nil {
		return nil, err
	}
	f.Basis, m.More = list.Basis, !list.Next.IsZero()
	if err := m.take(list.Pledges); err != nil {
		return nil, err
	}
	if err := m.wait(); err != nil {
		return nil, err
	}
	if err := m.readKeys(); err != nil {
		return nil, err
	}
	m.Said, err = ask(f, web.Read[web.NationQuery],
		func(ctx context.Context, q *web.NationQuery) ([]projections.SaidRecord, error) {
			return f.service.Said(ctx, q, saidSize)
		}, "nation", m.Of)
	m.More = m.More || len(m.Pledges) > mineSize
	m.Pledges = m.Pledges[:min(mineSize, len(m.Pledges))]
	return m, err
}

// readKeys fills in the keys that wait for the nation.
func (m *minePage) readKeys() error {
	members, err := m.service.Members(m.ctx, &web.MembersQuery{})
	m.Keys = slices.DeleteFunc(members.Waiting, func(w projections.Waiting) bool {
		return w.Liaison != m.Of
	})
	return err
}

// take keeps the pledges that have not ended, with who may read each: whoever may read what was
// said of it last.
func (m *minePage) take(all []projections.Pledge) error {
	err := m.service.Projector.View(func(p *projections.Picture) error {
		for i := range all {
			if s := all[i].State; s == projections.Live || s == projections.Ahead {
				label, _ := p.Label(all[i].Last)
				m.Pledges = append(m.Pledges, minePledge{all[i], label})
			}
		}
		return nil
	})
	m.countReaders()
	return err
}

// countReaders counts what the public, the coalition and each nation may read that a pledge names.
func (m *minePage) countReaders() {
	views := []events.View{events.PublicView, events.CoalitionView}
	for i := range m.Pledges {
		for _, n := range m.Pledges[i].Label.To {
			if v := events.View(n); n != m.Of && !slices.Contains(views, v) {
				views = append(views, v)
			}
		}
	}
	own := m.own()
	for _, v := range views {
		r := readersOf{Name: m.ViewName(v)}
		for i := range m.Pledges {
			if m.Pledges[i].Label.OpenTo(v) {
				r.Pledges++
			}
		}
		if v.Within(own) && m.pages.Service.Views != nil {
			r.Address = m.Here("view", string(v), "nation", m.Of)
		}
		m.Readers = append(m.Readers, r)
	}
}

// answers are the statements with which a nation answers what waits for it.
var answers = map[projections.DueKind]events.Type{
	projections.LapsesSoon:      "pledge.renewed",
	projections.NotConfirmed:    "pledge.confirmed",
	projections.ConditionIsOpen: "condition.discharged",
	projections.WaitsForReply:   "pledge.answered",
}

// wait fills in what waits: for the nation first, and what has a day before what has none.
func (m *minePage) wait() error {
	due, err := ask(m.frame, web.Read[web.DueQuery], m.service.Due, "nation", m.Of)
	if err != nil {
		return err
	}
	of := map[events.ID]*projections.Pledge{}
	for i := range m.Pledges {
		of[m.Pledges[i].ID] = &m.Pledges[i].Pledge
	}
	for _, d := range due.Due {
		if p := of[d.Pledge]; p != nil {
			say := answers[d.Kind]
			if d.Kind == projections.WaitsForReply && d.WaitsFor == projections.ForCoordinators &&
				m.nationality() != "" {
				say = ""
			}
			m.Waiting = append(m.Waiting, waitsFor{string(d.Kind),
				d.WaitsFor != projections.ForCoordinators, d.By, p, unbroken(m.SaysDue(&d)),
				d.Sequence, say})
		}
	}
	err = m.service.Projector.View(func(p *projections.Picture) error {
		for i := range m.Pledges {
			m.waitFor(p, &m.Pledges[i].Pledge)
		}
		return nil
	})
	slices.SortStableFunc(m.Waiting, func(a, b waitsFor) int {
		switch {
		case a.Ours != b.Ours && a.Ours:
			return -1
		case a.Ours != b.Ours:
			return 1
		case (a.By == 0) != (b.By == 0):
			return cmp.Compare(b.By, a.By)
		}
		return cmp.Compare(a.By, b.By)
	})
	return err
}

// waitFor adds what is new of a pledge, and a report that is due.
func (m *minePage) waitFor(pic *projections.Picture, p *projections.Pledge) {
	since := m.Basis.Recorded.AddDate(0, 0, -newDays)
	if m.IsLive() {
		since = m.service.Now().AddDate(0, 0, -newDays)
	}
	for _, a := range p.Allocations {
		if at, ok := pic.Recorded(a.Sequence); ok && at.After(since) {
			m.Waiting = append(m.Waiting, waitsFor{Kind: "allocated", Ours: true, Pledge: p,
				Said: unbroken(m.Q(a.Quantity) + " → " + string(a.Line)), Sequence: a.Sequence})
		}
	}
	last := max(p.StrengthOn, p.RungSince)
	if p.Rung == projections.Deployed && last < events.DateOf(since) {
		m.Waiting = append(m.Waiting, waitsFor{Kind: "report", Ours: true, Pledge: p,
			Said: unbroken(m.Date(last)), Sequence: p.Last, Say: "pledge.reported"})
	}
}

// Ours returns the words of a key: those for a reader of the nation itself, or, for others, those
// of key.theirs, which name it.
func (m *minePage) Ours(key string) string {
	if m.Of == m.nationality() {
		return m.T(key)
	}
	return m.T(key+".theirs", m.Nation(m.Of))
}

// Reads names those who may read what has a label, beside the nation itself.
func (m *minePage) Reads(l events.Label) string {
	said := m.Word("release", cmp.Or(l.Release, events.CoalitionOnly))
	for _, n := range l.To {
		said += ", " + m.Nation(n)
	}
	return said
}

// CanWiden reports whether more could be let read a pledge.
func (m *minePage) CanWiden(l events.Label) bool { return l.Release != events.Public }

// IsOpen reports whether the server lets everybody read all, whatever was said.
func (f *frame) IsOpen() bool { return f.pages.Service.Reads == access.ReadOpen }

// nationality returns the nation for which the reader speaks, "" for none.
func (f *frame) nationality() events.Nation {
	if n := access.ReaderOf(f.ctx).Key.Party(); n != events.HQ {
		return n
	}
	return ""
}
