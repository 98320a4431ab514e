package projections

import "muster/events"

// A labeller tells who would read statements that are only supposed, in their order, as package
// events derives it: it knows what the picture has, and what an earlier statement begins.
type labeller struct {
	p          *Picture
	operations map[events.Operation]events.Label
	lines      map[lineName]events.Label
	pledges    map[events.ID]events.Label
}

type lineName struct {
	operation events.Operation
	line      events.Line
}

// openTo returns the statements whose records a view would have, in order. What is about something
// that is not there stays among them, for whoever folds it to refuse.
func (p *Picture) openTo(v events.View, statements []events.Statement) (all []events.Statement) {
	if v == "" || v == events.CoordinatorsView {
		return statements
	}
	l := labeller{p, map[events.Operation]events.Label{}, map[lineName]events.Label{},
		map[events.ID]events.Label{}}
	for _, st := range statements {
		if label, known := l.label(st); !known || label.OpenTo(v) {
			all = append(all, st)
		}
	}
	return all
}

// label returns who would read a statement, false where what it is about is not there.
func (l *labeller) label(st events.Statement) (label events.Label, known bool) {
	own, begins := events.LabelOf(st)
	_, name := events.About(st)
	if name == "" {
		return own, true
	}
	if _, opens := st.(*events.OperationOpened); opens {
		l.operations[name] = own
		return own, true
	}
	around, known := l.operation(name)
	switch {
	case !known:
		return events.Label{}, false
	case begins:
		own = own.Within(around)
		l.note(st, name, own)
		return own, true
	}
	return l.found(st, name, around)
}

// note keeps the label of what a statement begins, or opens to more.
func (l *labeller) note(st events.Statement, name events.Operation, label events.Label) {
	switch st := st.(type) {
	case *events.RequirementIssued:
		l.lines[lineName{name, st.Line}] = label
	case *events.ScopeDeclared:
	default:
		l.pledges[events.Thing(st)] = label
	}
}

// found returns the label of what a statement goes on with.
func (l *labeller) found(st events.Statement, name events.Operation, around events.Label) (
	events.Label, bool) {
	switch st := st.(type) {
	case *events.OperationRevised:
		return around, true
	case *events.RequirementRevised:
		return l.line(lineName{name, st.Line})
	case *events.RequirementCancelled:
		return l.line(lineName{name, st.Line})
	}
	return l.pledge(events.Thing(st))
}

func (l *labeller) operation(name events.Operation) (events.Label, bool) {
	if label, supposed := l.operations[name]; supposed {
		return label, true
	}
	o, known := l.p.operations[name]
	if !known {
		return events.Label{}, false
	}
	return l.p.Label(o.first)
}

func (l *labeller) line(name lineName) (events.Label, bool) {
	if label, supposed := l.lines[name]; supposed {
		return label, true
	}
	o, known := l.p.operations[name.operation]
	if !known {
		return events.Label{}, false
	}
	line, known := o.now().lines[name.line]
	if !known || len(line.now().terms) == 0 {
		return events.Label{}, false
	}
	return l.p.Label(line.now().terms[0].seq)
}

func (l *labeller) pledge(id events.ID) (events.Label, bool) {
	if label, supposed := l.pledges[id]; supposed {
		return label, true
	}
	pl, known := l.p.find(id)
	if !known {
		return events.Label{}, false
	}
	last := uint64(0) // a disclosure may have opened it since it began
	for i := range pl.now().facts {
		if said := uint64(pl.now().facts[i].order); said <= l.p.Sequence() {
			last = max(last, said)
		}
	}
	return l.p.Label(last)
}
