package projections

import (
	"fmt"
	"strings"
	"time"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
)

// A Rung says how far a pledge has climbed. Rungs compare with <, and a pledge on a rung counts for
// all below it.
type Rung uint8

// The rungs, from the lowest. Forces that went home have left the ladder, as those withdrawn or
// declined have: see [State].
const (
	Indicated Rung = iota + 1
	Offered
	Accepted
	Confirmed
	Deployed
)

var rungNames = [...]string{"", "indicated", "offered", "accepted", "confirmed", "deployed"}

// Rungs returns all rungs, from the lowest.
func Rungs() []Rung { return []Rung{Indicated, Offered, Accepted, Confirmed, Deployed} }

// ParseRung reads a rung's name. The empty text is the zero Rung: none was asked for.
func ParseRung(s string) (Rung, error) {
	for i, name := range rungNames {
		if s == name {
			return Rung(i), nil
		}
	}
	return 0, usage("rung", s, "write one of: indicated, offered, accepted, confirmed, deployed")
}

// String returns the rung's name, "" for the zero Rung.
func (r Rung) String() string {
	if int(r) >= len(rungNames) {
		return fmt.Sprintf("rung %d", r)
	}
	return rungNames[r]
}

// Phrase returns the name of the rung, so that it can be told in other languages.
func (r Rung) Phrase() phrase.Phrase { return phrase.As(r.String(), "rung."+r.String()) }

// IsZero reports whether no rung was given.
func (r Rung) IsZero() bool { return r == 0 }

// MarshalText writes the rung's name.
func (r Rung) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what ParseRung reads.
func (r *Rung) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRung(string(text))
	return err
}

// A Moment is from where a question looks, on both clocks and on the ladder. Every member may be
// left zero.
type Moment struct {
	// AsOf is the last record that is known: the recorded clock. 0 is the last there is.
	// [Picture.SequenceAt] turns a time into a sequence.
	AsOf uint64
	// Before looks from before the first record, when nothing was known. AsOf is 0 then.
	Before bool
	// On is the date that is asked about: the effective clock. Zero is the day on which the record
	// AsOf was recorded, so that even then the same question about an old moment has the same
	// answer for ever.
	On events.Date
	// Until makes On the first day of a range, and is its last: see the package comment for what a
	// range means. Zero is the one day On. A range without a beginning is from events.FirstDate on,
	// and one without an end until events.LastDate.
	Until events.Date
	// Rung is the rung from which pledges count. Zero is Offered, or every rung where pledges are
	// listed.
	Rung Rung
	// WhatIf is what the question supposes, nil for the world as it is.
	WhatIf *WhatIf
	// Beginning is the operation whose first day On is, where no date was asked for and nothing has
	// begun: see [Picture.Opening].
	Beginning events.Operation
	// NotBegun names the operations that begin only later than On, each with its first day, where
	// no date was asked for: "fut 2027-01-10, far 2028-06-01".
	NotBegun string
	// View is what those may read who ask, where that is not all: the picture is theirs already,
	// and answers say so.
	View events.View
}

// A Basis is what an answer rests on: its Moment with every member filled in. No total is shown
// without it.
type Basis struct {
	AsOf     uint64      `json:"as_of"`
	Recorded time.Time   `json:"recorded,omitzero"` // when the record AsOf was recorded
	On       events.Date `json:"on,omitzero"`
	Until    events.Date `json:"on_until,omitzero"` // of a range, of which On is the first day
	Rung     Rung        `json:"rung,omitzero"`
	WhatIf   *WhatIf     `json:"what_if,omitempty"`
	// Beginning is the operation whose first day On is, where no date was asked for and nothing has
	// begun.
	Beginning events.Operation `json:"beginning,omitzero"`
	// NotBegun names the operations that begin only later than On, each with its first day, where
	// no date was asked for.
	NotBegun string `json:"not_begun,omitzero"`
	// View says what was counted: what is released to those who may read no more. It is left out
	// where all was.
	View events.View `json:"view,omitzero"`
}

// Moment returns the question that has this basis, now and later.
func (b Basis) Moment() Moment {
	return Moment{AsOf: b.AsOf, Before: b.AsOf == 0, On: b.On, Until: b.Until, Rung: b.Rung,
		WhatIf:    b.WhatIf,
		Beginning: b.Beginning, NotBegun: b.NotBegun, View: b.View}
}

// Days writes the day, or the range, that an answer is about, as the parameter "on" is written:
// 2026-03-01, or
// 2026-01-01..2026-06-30, of which either end may be left out.
func (b Basis) Days() string {
	if b.Until == 0 {
		return b.On.String()
	}
	from, until := b.On.String(), b.Until.String()
	if b.On == events.FirstDate {
		from = ""
	}
	if b.Until == events.LastDate {
		until = ""
	}
	return from + ".." + until
}

// ParseDays reads what [Basis.Days] writes, into the On and the Until of a [Moment].
func ParseDays(s string) (on, until events.Date, err error) {
	first, last, isRange := strings.Cut(s, "..")
	if !isRange {
		err = on.UnmarshalText([]byte(s))
		return on, 0, err
	}
	on, until = events.FirstDate, events.LastDate
	if first != "" {
		on, err = events.ParseDate(first)
	}
	if last != "" && err == nil {
		until, err = events.ParseDate(last)
	}
	if err == nil && until < on {
		err = fmt.Errorf("the range ends before it begins: write %s..%s", until, on)
	}
	return on, until, err
}

// IsRange reports whether the answer is about more than one day.
func (b Basis) IsRange() bool { return b.Until != 0 }

// onDay is the basis of one day of a range.
func (b Basis) onDay(day events.Date) Basis {
	b.On, b.Until = day, 0
	return b
}

// last returns the last day asked.
func (b *Basis) last() events.Date { return max(b.On, b.Until) }

// span says to people which days an answer is about.
func (b Basis) span() string {
	switch {
	case b.Until == 0:
		return "on " + b.On.String()
	case b.On == events.FirstDate && b.Until == events.LastDate:
		return "on any day"
	case b.On == events.FirstDate:
		return "until " + b.Until.String()
	case b.Until == events.LastDate:
		return "from " + b.On.String() + " on"
	}
	return "from " + b.On.String() + " to " + b.Until.String()
}

// String says to people what an answer rests on: "on 2026-03-01, from the rung offered up, as of
// record 17 (…)".
func (b Basis) String() string {
	s := ""
	if b.On != 0 {
		s = b.span() + ", "
	}
	if !b.Rung.IsZero() {
		s += fmt.Sprintf("from the rung %q up, ", b.Rung.String())
	}
	s += b.Known()
	if !b.Recorded.IsZero() {
		s += fmt.Sprintf(" (%s UTC)", b.Recorded.UTC().Format("2006-01-02 15:04:05"))
	}
	return s + b.supposing() + b.released()
}

// released says to people what was counted, "" for all.
func (b Basis) released() string {
	if b.View == "" {
		return ""
	}
	return "; counted: " + Released(b.View)
}

// Released says to people what a view has.
func Released(v events.View) string { return ReleasedSaid(v).String() }

// ReleasedSaid is the same, to be told in other languages.
func ReleasedSaid(v events.View) phrase.Phrase {
	switch nation, is := v.Nation(); {
	case is:
		return phrase.Of("what is released to %s", events.Called{Nation: nation,
			English: nation.Named()})
	case v == events.PublicView:
		return phrase.Of("what is public")
	case v == events.CoalitionView:
		return phrase.Of("what is released to the coalition")
	}
	return phrase.Of("all")
}

// Known says to people what was known.
func (b Basis) Known() string {
	if b.AsOf == 0 {
		return "as of before the first record"
	}
	return fmt.Sprintf("as of record %d", b.AsOf)
}

// supposing says what an answer supposes, "" for nothing.
func (b Basis) supposing() string {
	if b.WhatIf == nil {
		return ""
	}
	return "; supposing " + b.WhatIf.String()
}

// Opening says to people that an answer is about the first day of what has not begun, "" where it
// is not.
func (b Basis) Opening() string {
	if b.Beginning == "" {
		return ""
	}
	return fmt.Sprintf("%s begins on %s: answered for that day.", b.Beginning, b.On)
}

// Later says to people which operations begin only later than the date of an answer, "" for none.
func (b Basis) Later() string {
	if b.NotBegun == "" {
		return ""
	}
	return fmt.Sprintf("Not begun on this date: %s.", b.NotBegun)
}

// SaidRecords says so many records, within a sentence.
func SaidRecords(n uint64) phrase.Phrase {
	if n == 1 {
		return phrase.Of("1 record")
	}
	return phrase.Of("%d records", n)
}

// Basis fills in what m leaves out, except for the rung. It refuses a record that is not there yet:
// the answer could not stay the same.
func (p *Picture) Basis(m Moment) (Basis, error) {
	last := p.Sequence()
	if m.AsOf > last {
		return Basis{}, problem.New(problem.NotFound,
			"the ledger has %s here, and no record %d yet", SaidRecords(last), m.AsOf)
	}
	b := Basis{AsOf: m.AsOf, On: m.On, Until: m.Until, Rung: m.Rung, Beginning: m.Beginning,
		NotBegun: m.NotBegun,
		View:     m.View}
	if !m.WhatIf.IsZero() {
		b.WhatIf = m.WhatIf
	}
	if b.AsOf == 0 && !m.Before {
		b.AsOf = last
	}
	b.Recorded, _ = p.Recorded(b.AsOf)
	if b.On == 0 && b.AsOf > 0 {
		b.On = events.DateOf(b.Recorded)
	}
	if b.Until != 0 && b.Until < b.On {
		return Basis{}, usage("on", b.Days(), "the range ends before it begins: write %s..%s",
			b.Until, b.On)
	}
	if b.Until == b.On {
		b.Until = 0
	}
	return b, nil
}

// basisAtRung is Basis with Offered for no rung, for what is summed.
func (p *Picture) basisAtRung(m Moment) (Basis, error) {
	if m.Rung == 0 {
		m.Rung = Offered
	}
	return p.Basis(m)
}

// usage refuses a parameter of a question.
func usage(parameter, value, format string, args ...any) error {
	return problem.OfField(problem.Usage, problem.FieldOf(parameter, value, format, args...))
}
