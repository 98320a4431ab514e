package main

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"muster/events"
)

// A deed is something that a person did with one pledge: a statement about it, or a look at it.
type deed struct {
	person       int
	pledge       events.ID
	statement    events.Signed // none for a look
	call, answer time.Duration
	known        bool // there was an answer

	sequence uint64 // of the record; 0 for none
	refusal  string // the code of the rule

	// what a look has shown
	rung     string
	quantity int64
	last     uint64
}

func (d *deed) isLook() bool { return d.statement.Statement == nil }

// A standing is a pledge as the model has it: one register, which a statement replaces.
type standing struct {
	rung     string // "" before it was offered
	quantity int64
	last     uint64 // the last record about it
}

// climbs tells to which rung a statement moves a pledge from another.
var climbs = map[events.Type][2]string{
	"pledge.offered":   {"", "offered"},
	"pledge.accepted":  {"offered", "accepted"},
	"pledge.confirmed": {"accepted", "confirmed"},
}

const exit = "withdrawn"

// step is what one server and one person would see: whether the deed can have had its outcome on a
// pledge that stands so, and how it stands then.
func step(s standing, d *deed) (bool, standing) {
	if d.isLook() {
		return s == standing{d.rung, d.quantity, d.last}, s
	}
	after, typ := events.After(d.statement.Statement), d.statement.Statement.Head().Type
	climb, climbing := climbs[typ]
	fits := s.rung != "" && s.rung != exit
	if climbing {
		fits = s.rung == climb[0]
	}
	upToDate := after == 0 || after == s.last
	if d.sequence == 0 {
		switch d.refusal {
		case "changed-since":
			return !upToDate, s
		case "pledge-ended":
			return s.rung == exit, s
		case "wrong-rung":
			return !fits, s
		case "pledge-unknown":
			return s.rung == "", s
		}
		return false, s
	}
	if !fits || !upToDate || d.sequence <= s.last {
		return false, s
	}
	s.last = d.sequence
	if climbing {
		s.rung = climb[1]
	}
	switch st := d.statement.Statement.(type) {
	case *events.PledgeOffered:
		s.quantity, _ = st.Quantity.Number()
	case *events.PledgeAmended:
		s.quantity, _ = st.Quantity.Number()
	case *events.PledgeWithdrawn:
		s.rung = exit
	}
	return true, s
}

// pledges is the model of porcupine: each pledge is by itself.
var pledges = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		parts := map[events.ID][]porcupine.Operation{}
		for _, o := range history {
			id := o.Input.(*deed).pledge
			parts[id] = append(parts[id], o)
		}
		var all [][]porcupine.Operation
		for _, part := range parts {
			all = append(all, part)
		}
		return all
	},
	Init: func() any { return standing{} },
	Step: func(state, input, _ any) (bool, any) { return step(state.(standing), input.(*deed)) },
}

// isLinear checks that what people did, and were told, can have happened in one order, in which
// nothing comes before what had its answer before it began. Of what nobody was told, the log says
// what became of it: recorded is the sequence of each statement in it.
func isLinear(t testing.TB, history []*deed, recorded map[events.ID]uint64) {
	t.Helper()
	var all []porcupine.Operation
	for _, d := range history {
		end := int64(d.answer)
		if !d.known {
			sequence, ok := recorded[d.statement.Statement.Head().ID]
			if !ok {
				continue
			}
			one := *d
			one.sequence, end = sequence, math.MaxInt64
			d = &one
		}
		all = append(all, porcupine.Operation{ClientId: d.person, Input: d, Call: int64(d.call),
			Return: end})
	}
	switch porcupine.CheckOperationsTimeout(pledges, all, time.Minute) {
	case porcupine.Illegal:
		t.Errorf("the histories of the pledges are not linearizable:\n%s", illegal(all))
	case porcupine.Unknown:
		t.Errorf("the histories of the pledges could not be checked within a minute: there are "+
			"%d deeds", len(all))
	}
}

// illegal tells what people did with the pledges whose histories cannot be.
func illegal(all []porcupine.Operation) string {
	var b strings.Builder
	for _, part := range pledges.Partition(all) {
		if porcupine.CheckOperations(pledges, part) {
			continue
		}
		slices.SortFunc(part, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
		for _, o := range part {
			b.WriteString(o.Input.(*deed).String())
		}
		_, info := porcupine.CheckOperationsVerbose(pledges, part, time.Minute)
		for _, longest := range info.PartialLinearizationsOperations()[0] {
			b.WriteString("the longest order that can be:\n")
			for _, o := range longest {
				b.WriteString(o.Input.(*deed).String())
			}
		}
	}
	return b.String()
}
