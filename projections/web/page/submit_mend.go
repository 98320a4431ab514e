package page

import (
	"slices"
	"strconv"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
	"muster/projections/web"
)

// A mendedRecord is a record about a pledge that was wrong when it was made, as it counts now: with
// what was corrected of it before.
type mendedRecord struct {
	Sequence  uint64
	Statement events.Statement

	effective events.Date
	struck    bool                // it was corrected so that it never was
	terms     *events.PledgeTerms // nil where it has none
	strength  *events.Strength    // nil where it has none
	fields    []string            // those of its terms or its strength
}

// canMend reports whether records of a kind are corrected: those about pledges, and of a correction
// what it corrects.
func canMend(t events.Type) bool {
	return t != struck && slices.Contains([]string{"pledge", "condition", "caveat", "allocation"},
		t.Subject())
}

// readMended reads the record that the form is about, where it is one of the pledge.
func (s *submitPage) readMended() error {
	said := s.Get("record")
	if s.given != nil {
		said = s.given.Get("record")
	}
	if said == "" {
		return nil
	}
	n, err := strconv.ParseUint(said, 10, 64)
	at := slices.IndexFunc(s.life, func(e projections.LifeEvent) bool { return e.Sequence == n })
	if err != nil || at < 0 || !canMend(s.life[at].Type) {
		return s.ofFields(problem.Invalid, []problem.Field{
			s.field("record", said, "problem.mended")})
	}
	wrong, err := s.statementOf(n)
	if err != nil {
		return err
	}
	m := &mendedRecord{Sequence: n, Statement: wrong}
	if d, ok := wrong.(interface{ On() events.Date }); ok {
		m.effective = d.On()
	}
	m.terms, m.strength = events.ContentOf(wrong)
	for _, e := range s.life {
		if e.Type != struck {
			continue
		}
		st, err := s.statementOf(e.Sequence)
		if err != nil {
			return err
		}
		if c, ok := st.(*events.PledgeCorrected); ok && c.Corrects == wrong.Head().ID {
			m.take(c)
		}
	}
	switch {
	case m.terms != nil:
		m.fields = slices.DeleteFunc(slices.Clone(termFields), func(name string) bool {
			return name == "source" // which stays: the field is the correction's own
		})
	case m.strength != nil:
		m.fields = words("quantity")
	}
	s.Mends = m
	return nil
}

// Mendable are the records that can be corrected.
func (s *submitPage) Mendable() (all []projections.LifeEvent) {
	for _, e := range s.life {
		if canMend(e.Type) {
			all = append(all, e)
		}
	}
	return all
}

// take takes in what was corrected before.
func (m *mendedRecord) take(c *events.PledgeCorrected) {
	m.effective, m.struck = c.Effective, c.Struck
	if c.Terms != nil && m.terms != nil {
		m.terms = c.Terms
	}
	if c.Strength != nil && m.strength != nil {
		m.strength = c.Strength
	}
}

// statementOf reads a statement as it was recorded.
func (s *submitPage) statementOf(sequence uint64) (events.Statement, error) {
	page, err := s.service.Records(s.ctx, &web.RecordsQuery{
		From: web.Instant{Sequence: sequence}, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(page.Records) == 0 || page.Records[0].Sequence != sequence {
		return nil, problem.New(problem.NotFound, "there is no record %d", sequence)
	}
	rec, err := events.ParseRecord(sequence, []byte(page.Records[0].Stored))
	return rec.Statement, err
}

// now says what the fields say of the record as it counts.
func (m *mendedRecord) now(now map[string]string) {
	now["effective"] = m.effective.String()
	if m.struck {
		now["struck"] = "true"
	}
	switch {
	case m.terms != nil:
		termsNow(now, m.terms)
	case m.strength != nil:
		now["quantity"] = m.strength.Quantity.String()
	}
	delete(now, "source")
}

// has reports whether a field is one of the record's own.
func (m *mendedRecord) has(field string) bool {
	return slices.Contains(m.fields, field)
}

// correction writes what a statement says that corrects the record, and returns where its own terms
// go; nothing becomes of those of what is struck.
func (m *mendedRecord) correction(members map[string]any, isStruck bool) map[string]any {
	members["corrects"] = m.Statement.Head().ID
	content := map[string]any{}
	switch {
	case isStruck:
	case m.terms != nil:
		members["terms"] = content
		if m.terms.Source != "" {
			content["source"] = m.terms.Source
		}
	case m.strength != nil:
		members["strength"], content["unit"] = content, m.strength.Unit
	}
	return content
}
