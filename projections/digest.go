package projections

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"muster/events"
	"muster/events/english"
	"muster/events/phrase"
)

// A Digest is one page of what has happened between two moments, and of what is due now: a sentence
// for each requirement and each pledge that matters, in sections.
type Digest struct {
	From     Basis           `json:"from"`
	To       Basis           `json:"to"`
	Sections []DigestSection `json:"sections"`
	// PledgesMore is how many pledges more than the sections tell of count otherwise: see
	// [MaxCompared].
	PledgesMore int `json:"pledges_more,omitzero"`
}

// hasLeft reports whether the pledge is not there any more.
func (s *PledgeStand) hasLeft() bool { return s.State != Live && s.State != Ahead }

// A DigestSection is what has happened in one way; one without items is left out.
type DigestSection struct {
	// Name is new, back (it had gone), gone, further, changed, better, worse, asked (what is
	// required is otherwise), lapsing or overdue.
	Name  string       `json:"name"`
	Items []DigestItem `json:"items"`
}

// A DigestItem is one sentence, and what it is about: a requirement, or a pledge with the last
// record that made it so.
type DigestItem struct {
	Sentence  string           `json:"sentence"` // in English
	Operation events.Operation `json:"operation"`
	Line      events.Line      `json:"line,omitzero"`
	Pledge    events.ID        `json:"pledge,omitzero"`
	Sequence  uint64           `json:"sequence,omitzero"`
	// ToSecond is the statement that waits for a second word, where that is what is told.
	ToSecond events.ID `json:"to_second,omitzero"`

	// Said is the sentence of a requirement or of what waits for a second word, to be told in other
	// languages; that a requirement is essential it leaves to who tells it.
	Said phrase.Phrase `json:"-"`
	// One of these is what the sentence of others tells of, for who says it in other words; nil for
	// what waits for a second word.
	OfPledge *PledgeDiff `json:"-"`
	OfLine   *LineDiff   `json:"-"`
	OfDue    *Due        `json:"-"`

	weight int64 // more comes first
}

// DigestOf makes a digest of what two moments differ in, and of what is due at the later one. Its
// items point into both.
func DigestOf(d *Diff, due *Dues) Digest {
	g := Digest{From: d.From, To: d.To, Sections: []DigestSection{}, PledgesMore: d.PledgesMore}
	of := map[string][]DigestItem{}
	for i := range d.Pledges {
		if name, item, ok := pledgeItem(&d.Pledges[i]); ok {
			of[name] = append(of[name], item)
		}
	}
	for i := range d.Lines {
		if name, item, ok := lineItem(&d.Lines[i]); ok {
			of[name] = append(of[name], item)
		}
	}
	for i := range due.Due {
		name := "overdue"
		if due.Due[i].By >= due.On && due.Due[i].By != 0 {
			name = "lapsing"
		}
		of[name] = append(of[name], dueItem(&due.Due[i]))
	}
	for i := range due.ToSecond {
		of["overdue"] = append(of["overdue"], secondItem(&due.ToSecond[i]))
	}
	for _, name := range []string{"new", "back", "gone", "further", "changed", "better", "worse",
		"asked", "lapsing", "overdue"} {
		if items := of[name]; items != nil {
			slices.SortStableFunc(items, func(a, b DigestItem) int {
				return cmp.Compare(b.weight, a.weight)
			})
			g.Sections = append(g.Sections, DigestSection{name, items})
		}
	}
	return g
}

// pledgeItem tells what became of a pledge, false where it only counts otherwise.
func pledgeItem(p *PledgeDiff) (name string, item DigestItem, ok bool) {
	stand := p.To
	if stand == nil {
		return "", item, false
	}
	what := fmt.Sprintf("%s: %s %s for %s",
		english.Capital(cmp.Or(p.Organisation, p.Nation.Named())),
		stand.Amount().Say(Grouped), UnitOf(stand.Quantity, stand.Unit), stand.Role)
	if stand.Line != "" {
		what += ", meant for " + string(stand.Line)
	}
	switch was := p.From; {
	case stand.hasLeft() && was != nil && was.hasLeft():
		return "", item, false
	case stand.hasLeft():
		name, what = "gone", what+", "+string(stand.State)
	case was == nil:
		name, what = "new", what+", "+stand.Rung.String()
	case was.hasLeft():
		name, what = "back", fmt.Sprintf("%s, %s (was %s)", what, stand.Rung, was.State)
	case was.Rung != stand.Rung:
		name = "further"
		if stand.Rung < was.Rung {
			name = "changed"
		}
		what = fmt.Sprintf("%s, %s (was %s)", what, stand.Rung, was.Rung)
	case was.Amount() != stand.Amount():
		name, what = "changed", fmt.Sprintf("%s (was %s)", what, was.Amount().Say(Grouped))
	default:
		return "", item, false
	}
	n, _ := stand.Amount().Sure()
	item = DigestItem{Sentence: what, Operation: p.Operation, Pledge: p.Pledge, weight: n,
		OfPledge: p}
	if len(p.Records) > 0 {
		item.Sequence = p.Records[len(p.Records)-1].Sequence
	}
	return name, item, true
}

// lineItem tells whether a requirement is met better or worse, or asks for something else; false
// where both are what they were.
func lineItem(l *LineDiff) (name string, item DigestItem, ok bool) {
	item = DigestItem{Operation: l.Operation, Line: l.Line, OfLine: l}
	if l.To == nil {
		item.says(l.From, "%s is not in force any more (asked for %s)", l.Line,
			measureOf(l.From.Required, l.From.Unit))
		return "asked", item, true
	}
	is, was := numberOf(l.To.Gap), int64(0)
	before := phrase.Of("was not in force")
	if l.From != nil {
		was = numberOf(l.From.Gap)
		before = phrase.Of("lacked %s", measureOf(l.From.Gap, ""))
	}
	gap, required := measureOf(l.To.Gap, ""), measureOf(l.To.Required, l.To.Unit)
	switch {
	case l.From == nil && is == 0:
		name = "asked"
		item.says(l.To, "%s asks for %s, and is met (%s)", l.Line, required, before)
	case l.From == nil:
		name = "asked"
		item.says(l.To, "%s lacks %s of %s (%s)", l.Line, gap, required, before)
	case is == was && l.From.Required != l.To.Required:
		name = "asked"
		item.says(l.To, "%s asks for %s (was %s)", l.Line, required,
			measureOf(l.From.Required, ""))
	case is == was:
		return "", item, false
	case is == 0:
		name = "better"
		item.says(l.To, "%s is met (%s)", l.Line, before)
	default:
		name = "better"
		if is > was {
			name = "worse"
		}
		item.says(l.To, "%s lacks %s of %s (%s)", l.Line, gap, required, before)
	}
	return name, item, true
}

// says gives an item of a requirement its sentence and its place among the others: what is
// essential first, and then by its priority.
func (i *DigestItem) says(s *LineStand, format string, args ...any) {
	i.Said = phrase.Of(format, args...)
	i.Sentence = i.Said.String()
	if s.Essential {
		i.Sentence += ", essential"
		i.weight = 1 << 40
	}
	i.weight -= int64(s.Priority)
}

// secondItem tells what waits for a second word: before all that waits for less.
func secondItem(w *Waiting) DigestItem {
	said := w.Phrase()
	return DigestItem{Sentence: said.String(), Said: said, Sequence: w.Sequence,
		ToSecond: w.Statement}
}

// dueItem tells what is due, without the commands that would do it.
func dueItem(d *Due) DigestItem {
	sentence := WithoutCommand(d.Sentence)
	return DigestItem{Sentence: strings.TrimSuffix(sentence, "."), Operation: d.Operation,
		Pledge: d.Pledge, Sequence: d.Sequence, weight: -int64(max(d.By, d.Since)), OfDue: d}
}
