package projections

import (
	"context"
	"slices"

	"github.com/agnivade/levenshtein"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
)

// A Warning is something odd about a statement that may be recorded all the same. Its location is
// that of the field within the statement.
type Warning struct {
	Statement events.ID `json:"statement"` // its id
	problem.Field
}

// Warnings says what is odd about a statement that may be recorded: that an amendment holds only
// until a day of which other terms are recorded already, as its field effective; and what the terms
// of a pledge name that no requirement of its operation has, of all that are known and were not
// cancelled: an area in which none is, or a line that is none, or that the pledge can never fit. An
// offer may come before the line for which it is meant, so that this is no refusal. Before an
// operation has any requirement, there is nothing to be odd beside. It looks at each requirement,
// and at all that was said of the pledge, once.
func (p *Picture) Warnings(ctx context.Context, st events.Statement) ([]Warning, error) {
	p = p.metered(ctx)
	all := p.overtaken(st)
	more, err := p.termWarnings(st)
	return append(all, more...), err
}

// overtaken warns of an amendment from a day on before that of other terms.
func (p *Picture) overtaken(st events.Statement) []Warning {
	a, ok := st.(*events.PledgeAmended)
	if !ok {
		return nil
	}
	pl, ok := p.find(a.Pledge)
	if !ok {
		return nil
	}
	facts := pl.now().facts
	p.meter.spend(len(facts))
	for i := range facts {
		if d := &facts[i]; d.terms != nil && d.effective > a.Effective &&
			d.known(uint32(p.Sequence())) {
			return []Warning{{a.ID, problem.FieldSaid("effective", a.Effective.String(),
				phrase.Of("from %s on, what is recorded of that day holds", d.effective))}}
		}
	}
	return nil
}

func (p *Picture) termWarnings(st events.Statement) ([]Warning, error) {
	t, within := termsIn(st)
	_, name := events.About(st)
	o := p.operations[name]
	if t == nil || o == nil || t.Area == "" && t.Line == "" {
		return nil, p.meter.err()
	}
	w := warner{said: o.now(), asOf: p.Sequence(), operation: name, terms: t}
	if w.findLines(); len(w.lines) == 0 || !p.meter.spend(len(w.said.lines)) {
		return nil, p.meter.err()
	}
	all := []Warning{}
	add := func(location, value string, message phrase.Phrase) {
		if !message.IsZero() {
			all = append(all, Warning{st.Head().ID,
				problem.FieldSaid(within+location, value, message)})
		}
	}
	add("area", string(t.Area), w.area())
	add("line", string(t.Line), w.line())
	return all, nil
}

// termsIn returns the terms in a statement, nil when it has none, and the member that they are in,
// with a dot, or "".
func termsIn(st events.Statement) (t *events.PledgeTerms, within string) {
	switch st := st.(type) {
	case *events.PledgeIndicated:
		return &st.PledgeTerms, ""
	case *events.PledgeOffered:
		return &st.PledgeTerms, ""
	case *events.PledgeAmended:
		return &st.PledgeTerms, ""
	case *events.PledgeCorrected:
		return st.Terms, "terms."
	}
	return nil, ""
}

// A warner looks at terms beside the lines of their operation that are known and not cancelled.
type warner struct {
	operation events.Operation
	said      *operationSaid
	asOf      uint64
	terms     *events.PledgeTerms
	lines     []events.Line
}

func (w *warner) findLines() {
	for _, name := range w.said.lineNames {
		if len(w.termsOf(name)) > 0 && !w.isCancelled(name) {
			w.lines = append(w.lines, name)
		}
	}
}

func (w *warner) termsOf(name events.Line) []said[Requirement] {
	return w.said.lines[name].now().terms.known(w.asOf)
}

func (w *warner) isCancelled(name events.Line) bool {
	l := w.said.lines[name]
	return l != nil && len(l.now().cancelled.known(w.asOf)) > 0
}

// area says that no line is in the area of the terms, "" when one is.
func (w *warner) area() phrase.Phrase {
	if w.terms.Area == "" {
		return phrase.Phrase{}
	}
	var there []events.Area
	for _, name := range w.lines {
		for _, said := range w.termsOf(name) {
			if area := said.what.Area; area == w.terms.Area {
				return phrase.Phrase{}
			} else if area != "" && !slices.Contains(there, area) {
				there = append(there, area)
			}
		}
	}
	if there == nil {
		return phrase.Of("no requirement of %s names an area", w.operation)
	}
	slices.Sort(there)
	return phrase.Of("no requirement of %s is in this area: %s%s", w.operation,
		ThereIs(there), meant(w.terms.Area, there))
}

// line says why the terms do not fit the line that they name, "" when they may.
func (w *warner) line() phrase.Phrase {
	name := w.terms.Line
	if name == "" {
		return phrase.Phrase{}
	}
	if !slices.Contains(w.lines, name) {
		if w.isCancelled(name) {
			return phrase.Of("the requirement was cancelled: it decides nothing")
		}
		return phrase.Of("%s has no such requirement yet: %s%s", w.operation,
			ThereIs(w.lines), meant(name, w.lines))
	}
	k := kind{role: w.terms.Role, area: w.terms.Area, unit: w.terms.Unit}
	var q Requirement
	for _, said := range w.termsOf(name) {
		q = said.what
		l := wantedLine{sought{q.Operation, q.Role}, q.Area, q.Unit}
		if l.fits(sought{q.Operation, k.role}, &k) {
			return phrase.Phrase{}
		}
	}
	if q.Role == k.role && q.Unit == k.unit {
		return phrase.Of("the requirement is in %s, and this is for %s: it decides nothing",
			q.Area, k.area)
	}
	return phrase.Of("the requirement asks for %s in %s, and this is for %s in %s: it decides "+
		"nothing",
		q.Role, q.Unit, k.role, k.unit)
}

// ThereIs says which names there are, of many the first, and how many more: "there are a, b and c".
func ThereIs[S ~string](names []S) phrase.Phrase {
	const most = 30
	words := make([]phrase.Phrase, 0, most+1)
	for _, name := range names[:min(len(names), most)] {
		words = append(words, phrase.Verbatim(string(name)))
	}
	if more := len(names) - len(words); more > 0 {
		words = append(words, phrase.Of("%d more", more))
	}
	if len(names) == 1 {
		return phrase.Of("there is %s", words[0])
	}
	return phrase.Of("there are %s", phrase.List(phrase.And, words...))
}

// meant asks whether the nearest of some names was meant, where one is near: "; did you mean
// north?".
func meant[S ~string](name S, there []S) phrase.Phrase {
	distance := func(other S) int {
		return levenshtein.ComputeDistance(string(name), string(other))
	}
	nearest := slices.MinFunc(there, func(a, b S) int { return distance(a) - distance(b) })
	if distance(nearest) > max(1, len(name)/2) {
		return phrase.Phrase{}
	}
	return phrase.Of("; did you mean %s?", nearest)
}
