package web

import (
	"fmt"
	"strconv"

	"muster/events"
	"muster/events/english"
	"muster/projections"
)

// PledgesTable has a row for each pledge.
func PledgesTable(all projections.PledgeList) Table {
	t := Table{Basis: &all.Basis, Head: []string{"id", "nation", "operation", "role", "quantity",
		"unit", "strength", "stands at", "state", "from", "until", "expires", "area", "line",
		"presence", "notice", "conditions", "caveats", "allocated", "elsewhere", "release",
		"releasable to", "note", "reference", "least", "most", "source", "effective",
		"revision"},
		Wide: []string{"source", "revision", "effective", "release", "releasable to", "elsewhere",
			"least", "most", "presence", "note", "reference", "notice", "expires", "caveats",
			"operation", "area", "line", "state", "unit", "conditions", "stands at"}}
	t.days()
	for _, p := range all.Pledges {
		t.AddOn(p.Day, p, p.ID.String(), string(p.Nation), string(p.Operation), string(p.Role),
			p.Quantity.String(), string(p.Unit), p.Strength.String(),
			p.Rung.String(), string(p.State), p.From.String(), p.Until.String(), p.Expires.String(),
			string(p.Area), string(p.Line), string(p.Presence), days(p.NoticeToMove),
			conditions(p), caveats(p), allocations(p, plain), joined(p.Elsewhere, ", "),
			string(p.Release), text(p.ReleasableTo, ", "), p.Note, p.Reference,
			p.Least.String(), p.Most.String(), p.Source, p.Since.String(), number(p.Last))
	}
	t.Below = []string{fmt.Sprintf("%s, %s.", english.Several(len(all.Pledges), "pledge"),
		all.Basis)}
	return t
}

func days(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n) + " d"
}

func conditions(p projections.Pledge) string {
	all := make([]string, len(p.Conditions))
	for i, c := range p.Conditions {
		all[i] = fmt.Sprintf("%s %s", c.Condition, c.State)
	}
	return joined(all, ", ")
}

func caveats(p projections.Pledge) string {
	all := make([]string, len(p.Caveats))
	for i, c := range p.Caveats {
		all[i] = string(c.Caveat)
	}
	return joined(all, ", ")
}

// allocations says to which lines how much is allocated, with quantities written by write.
func allocations(p projections.Pledge, write func(events.Quantity) string) string {
	all := make([]string, len(p.Allocations))
	for i, a := range p.Allocations {
		all[i] = fmt.Sprintf("%s %s", a.Line, write(a.Quantity))
	}
	return joined(all, ", ")
}

// PledgeTable has a row for each record of a pledge's life.
func PledgeTable(w PledgeLife) Table {
	p := w.Pledge
	t := Table{View: w.View, Head: []string{"sequence", "recorded", "effective", "type",
		"signed by", "what", "corrected by"}}
	t.Above = []string{fmt.Sprintf("Pledge %s of %s (%s) in %s", p.ID, p.Whose(), p.Nation,
		p.Operation), PledgeSentence(p)}
	if released := releaseSentence(&p); released != "" {
		t.Above = append(t.Above, released)
	}
	t.Above = append(t.Above, "")
	for _, e := range w.Life {
		t.Add(e, number(e.Sequence), e.Recorded.UTC().Format(timeForm), e.Effective.String(),
			string(e.Type), e.Signer, e.Sentence, orEmpty(e.CorrectedBy))
	}
	t.Below = []string{fmt.Sprintf("As it stands %s.", w.Basis)}
	if w.IsRange() {
		t.Below = []string{fmt.Sprintf("As it stands on the last day, %s.", w.Basis)}
	}
	return t
}

// releaseSentence says who may read a pledge, "" where nobody has said so.
func releaseSentence(p *projections.Pledge) string {
	if p.Release == "" {
		return ""
	}
	return "released to " + projections.Readers(p.Release, p.ReleasableTo, nil)
}

// queries are the questions that wait for their answer, with who is asked.
func queries(p projections.Pledge) string {
	all := make([]string, len(p.Queries))
	for i, q := range p.Queries {
		all[i] = fmt.Sprintf("“%s” (%s is asked, question %s)", q.Text, q.To, q.ID)
	}
	return joined(all, ", ")
}

// PledgeSentence says to people what a pledge is.
func PledgeSentence(p projections.Pledge) string {
	terms := p.Terms()
	s := fmt.Sprintf("%s: %s %s", p.Role, terms.Amount().Say(projections.Grouped),
		projections.UnitOf(p.Quantity, p.Unit))
	if p.Quantity.IsZero() {
		s = fmt.Sprintf("%s: nothing was offered", p.Role)
	}
	if !p.Strength.IsZero() {
		s += fmt.Sprintf(", %s %s there since %s", projections.Grouped(p.Strength),
			projections.UnitOf(p.Strength, p.Unit), p.StrengthOn)
	}
	if p.From != 0 {
		s += ", " + p.Span()
	}
	s += ", " + p.Rung.String()
	if p.State != projections.Live {
		s += ", " + string(p.State)
	}
	for _, more := range []struct{ before, what string }{{"hangs on ", conditions(p)},
		{"restricted by ", caveats(p)}, {"allocated to ", allocations(p, projections.Grouped)},
		{"asked: ", queries(p)},
		{"meant for ", string(p.Line)}, {"reference ", p.Reference},
		{"expires on ", p.Expires.String()},
		{"also pledged to ", joined(p.Elsewhere, ", ")}} {
		if more.what != "" {
			s += ", " + more.before + more.what
		}
	}
	return s
}
