package records

import (
	"iter"
	"strings"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
)

// A LogFilter narrows a listing of records. The listing itself is a scan of the [Source]: the log
// is its own index.
type LogFilter struct {
	// Nation lets pass what is about the nation, what its keys have signed, and what admits or
	// revokes its keys. HQ lets pass what is the coordinators' in the same way.
	Nation events.Nation
	// Operation lets pass what is about the operation.
	Operation events.Operation
	// Type is a kind of statement ("pledge.offered"), or what kinds are about ("pledge").
	Type string
	// Signer is the name of the key that signed, such as FRA/paris.
	Signer string
	// Import is the name of an import from which the statement came: see [events.ImportOf].
	Import string
}

// Check refuses a type that no record can have, so that a slip is not answered with an empty list.
func (f LogFilter) Check() error {
	if f.Type == "" {
		return nil
	}
	var near []events.Type
	for _, t := range events.Types() {
		if f.matchesType(t) {
			return nil
		}
		if about, _, _ := strings.Cut(f.Type, "."); t.Subject() == about {
			near = append(near, t)
		}
	}
	wrong := problem.FieldOf("type", f.Type, "write one of: %s", phrase.List(phrase.And, near...))
	if near == nil {
		wrong = problem.FieldOf("type", f.Type, "write a kind of statement such as "+
			"pledge.offered, or what it is about, such as pledge")
	}
	return problem.OfField(problem.Usage, wrong)
}

// Match reports whether the record passes.
func (f LogFilter) Match(rec events.Record) bool {
	if rec.Statement == nil { // which may not be read
		return false
	}
	nation, operation := events.About(rec.Statement)
	return (f.Nation == "" || nation == f.Nation ||
		events.Key(rec.KeyName).Party() == f.Nation || keyOf(rec.Statement).Party() == f.Nation) &&
		(f.Operation == "" || operation == f.Operation) &&
		(f.Type == "" || f.matchesType(rec.Statement.Head().Type)) &&
		(f.Signer == "" || f.Signer == rec.KeyName) &&
		(f.Import == "" || f.Import == events.ImportOf(rec.Statement))
}

func (f LogFilter) matchesType(t events.Type) bool {
	return f.Type == string(t) || f.Type == t.Subject()
}

// keyOf returns the key whose membership a statement is about, "" for all others.
func keyOf(s events.Statement) events.Key {
	switch s := s.(type) {
	case *events.LedgerFounded:
		return s.Founder
	case *events.MemberAdmitted:
		return s.Key
	case *events.MemberRevoked:
		return s.Key
	case *events.MemberSeconded:
		return s.Key
	case *events.MemberRetracted:
		return s.Key
	}
	return ""
}

// Scan yields the records from a sequence on that pass the filter, up to the last that the source
// has.
func (f LogFilter) Scan(source Source, from uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for rec, err := range source.Records(max(1, from)) {
			if (err != nil || f.Match(rec)) && !yield(rec, err) {
				return
			}
		}
	}
}
