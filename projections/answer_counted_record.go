package projections

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"muster/events"
	"muster/events/phrase"
)

// A Told is a record as an answer tells it: when it was made and from when it holds, who signed it,
// and what it says and why.
type Told struct {
	// Sequence is 0 for a statement that is only supposed, and is no record: see [Picture.Preview].
	Sequence  uint64           `json:"sequence"`
	Recorded  time.Time        `json:"recorded,omitzero"`
	Effective events.Date      `json:"effective,omitzero"`
	Type      events.Type      `json:"type"`
	Signer    string           `json:"signer,omitzero"` // name of the key that signed
	Operation events.Operation `json:"operation"`
	Nation    events.Nation    `json:"nation,omitzero"` // whose pledge it is about
	Pledge    events.ID        `json:"pledge,omitzero"` // the pledge that it is about
	Line      events.Line      `json:"line,omitzero"`   // the requirement that it is about
	Sentence  string           `json:"sentence"`
	// Said is the sentence, to be told in other languages.
	Said phrase.Phrase `json:"-"`
}

// tell tells what a record has said of a pledge.
func (p *Picture) tell(pl *pledge, order uint32) Told {
	facts := pl.now().facts
	for i := range facts {
		if d := &facts[i]; d.own() && d.order == order {
			t := Told{Sequence: uint64(order), Effective: d.effective, Type: d.move.typ,
				Signer:    d.remark.signer,
				Operation: pl.operation.name, Nation: pl.nation, Pledge: pl.id,
			}.saying(pl.sentence(d))
			t.Recorded, _ = p.Recorded(t.Sequence)
			return t
		}
	}
	return Told{Sequence: uint64(order)}
}

// tellAll tells what some records have said of a pledge, in order, each once.
func (p *Picture) tellAll(pl *pledge, sequences []uint64) []Told {
	told := []Told{}
	slices.Sort(sequences)
	for _, seq := range slices.Compact(sequences) {
		told = append(told, p.tell(pl, uint32(seq)))
	}
	return told
}

// tellLine tells what a record has said of a requirement.
func (p *Picture) tellLine(l *line, seq uint64) Told {
	all := l.now()
	by := all.by[seq]
	t := Told{Sequence: seq, Signer: by.signer, Operation: l.operation, Line: l.name}
	t.Recorded, _ = p.Recorded(seq)
	said := phrase.Phrase{}
	for i, term := range all.terms {
		if term.seq == seq {
			t.Type, t.Effective = "requirement.revised", term.effective
			said = phrase.Of("The coordinators change the requirement %s to %s", l.name,
				term.what.describe())
			if all.begins(i) {
				t.Type = "requirement.issued"
				said = phrase.Of("The coordinators ask for %s, as %s", term.what.describe(), l.name)
			}
		}
	}
	for _, end := range all.cancelled {
		if end.seq == seq {
			t.Type, t.Effective = "requirement.cancelled", end.effective
			said = phrase.Of("The coordinators cancel the requirement %s", l.name)
		}
	}
	if by.text != "" {
		said = phrase.Of("%s: %s", said, by.text)
	}
	return t.saying(said)
}

// Is reports whether another one tells the same record.
func (t Told) Is(other Told) bool { return t.Sequence == other.Sequence }

// saying returns what is told with the sentence that tells it.
func (t Told) saying(said phrase.Phrase) Told {
	t.Said, t.Sentence = said, said.String()
	return t
}

// begins reports whether a line's terms were the first to be recorded.
func (l *lineSaid) begins(term int) bool {
	return !slices.ContainsFunc(l.terms, func(s said[Requirement]) bool {
		return s.seq < l.terms[term].seq
	})
}

// describe tells what is required: "800 personnel for ground in west, from 2026-03-01, priority 1,
// essential".
func (r *Requirement) describe() phrase.Phrase {
	var s phrase.Sentence
	s.Add("%s for %s", amount{quantity: r.Required, unit: r.Unit}.measure(), r.Role)
	if r.Area != "" {
		s.Add(" in %s", r.Area)
	}
	s.Add(", %s", r.Phrase())
	if r.Priority > 0 {
		s.Add(", priority %d", r.Priority)
	}
	if r.Essential {
		s.Add(", essential")
	}
	return s.Phrase()
}

// bySequence orders what is told.
func bySequence(a, b Told) int { return cmp.Compare(a.Sequence, b.Sequence) }

// Who is the signers of what is told, each once: "FRA/paris, HQ/ops".
func Who(told []Told) string {
	var all []string
	for _, t := range told {
		if !slices.Contains(all, t.Signer) && t.Signer != "" {
			all = append(all, t.Signer)
		}
	}
	return strings.Join(all, ", ")
}
