package projections

import (
	"fmt"
	"math"

	"muster/events"
	"muster/projections/records"
)

// Label returns who may read a record, and false where the picture has not taken it in, or may not
// read it itself. It is derived as package events says, from the records up to this one.
func (p *Picture) Label(seq uint64) (events.Label, bool) {
	if seq == 0 || seq > p.Sequence() || p.labelled[seq-1] == noLabel {
		return events.Label{}, false
	}
	return p.labels.all[p.labelled[seq-1]], true
}

// Labels returns every label that a record has, in the order in which they came. It is not to be
// changed.
func (p *Picture) Labels() []events.Label { return p.labels.all }

// noLabel is the number of a record that may not be read.
const noLabel = math.MaxUint16

// labels numbers the labels that were met: there are few. Readers have the list, which only grows,
// and the writer alone looks them up.
type labels struct {
	number map[string]uint16
	all    []events.Label
}

// The numbers of the labels that every ledger has.
const (
	publicLabel = iota
	coalitionLabel
)

func newLabels() labels {
	l := labels{number: map[string]uint16{}}
	_, _ = l.of(events.Label{Release: events.Public})
	_, _ = l.of(events.Label{Release: events.CoalitionOnly})
	return l
}

// of returns the number of a label, a new one if need be. Labels that are open to the same are one.
func (l *labels) of(label events.Label) (uint16, error) {
	name := label.String()
	n, known := l.number[name]
	if known {
		return n, nil
	}
	if len(l.all) == noLabel {
		return 0, fmt.Errorf("there are more than %d labels", noLabel)
	}
	n = uint16(len(l.all))
	l.number[name] = n
	l.all = append(l.all, label)
	return n, nil
}

// labelOf returns the number of the label of a record that was taken in.
func (p *Picture) labelOf(a *admitted, r *records.Row) uint16 {
	switch {
	case r.Type == records.Withheld:
		return noLabel
	case p.supposed != nil:
		return coalitionLabel // which nobody asks
	case a.pledge != nil:
		return a.pledge.label
	}
	o := p.operations[r.Operation]
	switch r.Type.Subject() {
	case "meeting":
		return coalitionLabel
	case "operation":
		return o.label
	case "requirement":
		return o.now().lines[r.Line].label
	case "scope":
		scope, _ := p.labels.of(events.Label{Owner: r.Nation}.Within(p.labels.all[o.label]))
		return scope
	}
	return publicLabel
}

// labelOperation and the others below note the label that something has from its beginning on.
func (p *Picture) labelOperation(o *operation, r *records.Row) (err error) {
	if r.Type == "operation.opened" && p.supposed == nil {
		o.label, err = p.labels.of(events.Label{Release: r.Release})
	}
	return err
}

func (p *Picture) labelLine(o *operation, l *line, r *records.Row) (err error) {
	if r.Type == "requirement.issued" && p.supposed == nil {
		l.label, err = p.labels.of(events.Label{Release: r.Release}.Within(p.labels.all[o.label]))
	}
	return err
}

func (p *Picture) labelPledge(pl *pledge, m *move, r *records.Row) (err error) {
	if (r.New || m.discloses) && p.supposed == nil {
		label := events.NewLabel(r.Release, r.Nation, r.To).Within(p.labels.all[pl.operation.label])
		pl.label, err = p.labels.of(label)
	}
	return err
}
