package projections

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"muster/events"
	"muster/projections/records"
)

// A supposed is a picture on top of which something is only supposed, beside the one that is.
type supposed struct {
	is, now  *Picture
	touched  map[events.ID]bool  // pledges
	lines    []*line             // requirements, as they would be
	copied   map[*pledge]*pledge // by the one that is
	operated map[events.Operation]bool
	since    events.Date // nothing changes before
}

// supposing copies what some statements may touch. All else is shared, and stays as it is: a test
// names each member of a picture as copied or shared.
func (p *Picture) supposing(statements []events.Statement) *supposed {
	now := *p
	now.times, now.touched = slices.Clip(p.times), slices.Clip(p.touched)
	now.meetings = slices.Clip(p.meetings)
	now.rotating, now.labelled = slices.Clip(p.rotating), slices.Clip(p.labelled)
	now.operations, now.names = maps.Clone(p.operations), slices.Clip(p.names)
	now.pledges, now.sorted = slices.Clone(p.pledges), p.sorted.own()
	now.byID = &index{of: map[events.ID]*pledge{}, under: p.byID}
	now.nations, now.kinds, now.conditions = p.nations.own(), p.kinds.own(), p.conditions.own()
	now.versions, now.dates, now.coverages = versions{}, newDateIndexes(), newCoverageCache()
	now.desk, now.watched = &desk{words: words{}, remarks: map[remark]*remark{}}, true
	s := &supposed{is: p, now: &now, touched: map[events.ID]bool{}, copied: map[*pledge]*pledge{},
		operated: map[events.Operation]bool{}}
	now.supposed = s
	for _, st := range statements {
		if pl, ok := p.find(events.Thing(st)); ok {
			s.copyPledge(pl)
		}
	}
	for _, st := range statements {
		if _, o := events.About(st); o != "" {
			s.copyOperation(o)
		}
	}
	return s
}

func (s *supposed) copyPledge(pl *pledge) {
	if s.copied[pl] != nil {
		return
	}
	other := &pledge{id: pl.id, no: pl.no, nationNo: pl.nationNo, operation: pl.operation,
		nation: pl.nation, first: pl.first, rotates: pl.rotates}
	other.begun = *pl.now()
	other.begun.facts, other.begun.open = slices.Clip(other.begun.facts), nil
	other.publish(&other.begun)
	s.copied[pl] = other
	s.now.byID.add(other)
	s.now.pledges[pl.no] = other
	s.now.sorted.replace(other)
	s.touched[pl.id] = true
}

func (s *supposed) copyOperation(name events.Operation) {
	o, ok := s.is.operations[name]
	done := s.operated[name]
	s.operated[name] = true
	if done || !ok {
		return
	}
	all := *o.now()
	all.pledges = all.pledges.own()
	for pl, copied := range s.copied {
		if pl.operation == o {
			all.pledges.replace(copied)
		}
	}
	other := &operation{name: o.name, first: o.first}
	other.publish(&all)
	s.now.operations[name] = other
}

// copyLine copies a line of an operation that is copied.
func (s *supposed) copyLine(operation events.Operation, name events.Line) {
	o, ok := s.now.operations[operation]
	if !ok {
		return
	}
	l, ok := o.now().lines[name]
	if !ok || l.copyOf != nil {
		return
	}
	other := &line{operation: l.operation, name: l.name, copyOf: l}
	other.publish(l.now())
	all := o.change(true)
	all.lines = maps.Clone(all.lines)
	all.lines[name] = other
	o.publish(all)
}

// suppose folds one statement in, as the next record.
func (s *supposed) suppose(st events.Statement) error {
	nation, o := events.About(st)
	rec := events.Record{Sequence: s.now.Sequence() + 1,
		Signed: events.Signed{Statement: st, KeyName: string(nation)}}
	if n := len(s.now.times); n > 0 {
		rec.Recorded, _ = s.now.Recorded(uint64(n))
	}
	r, err := records.RowOf(rec)
	if err != nil {
		return err
	}
	if about := r.Type.Subject(); about == "ledger" || about == "member" {
		return nil // which changes who may sign, and no number
	}
	if r.Type.Subject() == "requirement" {
		s.copyLine(o, r.Line)
	}
	if err := s.now.ApplyRow(rec.Sequence, &r); err != nil {
		// It is none.
		return errors.New(strings.TrimPrefix(err.Error(), fmt.Sprintf("record %d: ", rec.Sequence)))
	}
	if r.Line != "" && r.Type.Subject() == "requirement" {
		if l := s.now.operations[o].now().lines[r.Line]; !slices.Contains(s.lines, l) {
			s.lines = append(s.lines, l)
		}
	}
	if pl, ok := s.now.find(r.Thing); ok {
		s.touched[pl.id] = true
		// numbers its kinds
		pl.now().stretches(new(standing), uint32(rec.Sequence), 0,
			func(days stretch, one *standing) { s.now.versionOf(pl, one, days.from) })
	}
	return nil
}

// each calls do for the version of every pledge that would be there: those that nothing touches are
// as they are.
func (s *supposed) each(b *Basis, do func(*version)) {
	is := *b
	is.AsOf = s.is.Sequence()
	changed := make([]bool, len(s.now.pledges))
	var touched []*pledge
	for id := range s.touched {
		pl, _ := s.now.find(id)
		touched, changed[pl.no] = append(touched, pl), true
	}
	s.is.each(&is, func(v *version) {
		if !changed[v.pledge] {
			do(v)
		}
	})
	s.now.fold(b, touched, do)
}
