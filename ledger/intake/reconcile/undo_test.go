package reconcile_test

import (
	"strings"
	"testing"

	"muster/events"
	"muster/ledger/intake/reconcile"
)

// undo undoes a sheet, and says what it has said.
func (m *merging) undo() string {
	m.t.Helper()
	var told []string
	for _, u := range m.Undo(reconcile.Options{Ledger: origin, Name: "form-1", Today: today,
		Reason: "the wrong copy"}) {
		m.say(u.Statements...)
		for _, st := range u.Statements {
			c := st.(*events.PledgeCorrected)
			one := "turned back"
			if c.Struck {
				one = "struck"
			}
			told = append(told, one)
		}
		if u.Stays != "" {
			told = append(told, "stays: "+u.Stays)
		}
	}
	return strings.Join(told, ", ")
}

// What a sheet has amended and corrected of pledges from elsewhere is taken off with it, and the
// same sheet says it again; a second undoing finds nothing.
func TestUndoingASheet(t *testing.T) {
	for name, changed := range map[string]reconcile.Choice{"struck": reconcile.Amended,
		"turned back": reconcile.Corrected} {
		m := newMerging(t)
		was := m.now()
		for range 2 {
			said := m.sheet(changed, euros(563))
			if !strings.HasPrefix(said, "changed; quantity 500.00 -> 563.00; pledge.") {
				t.Errorf("%s: %s", name, said)
			}
			if m.sheet(changed, euros(563)) != "unchanged; " {
				t.Errorf("%s: it is said twice", name)
			}
			m.equal(name, m.undo(), name)
			m.equal(name+", and again", m.undo(), "")
			if now := m.now(); now != was {
				t.Errorf("%s: %s is left of %s", name, now, was)
			}
		}
	}
	// Both, one after the other, go in the order in which they came, from the last on.
	m := newMerging(t)
	was := m.now()
	m.sheet(reconcile.Amended, euros(563))
	m.sheet(reconcile.Corrected, euros(570), func(t *events.PledgeTerms) { t.Note = "by ship" })
	m.equal("both", m.undo(), "struck")
	if now := m.now(); now != was {
		t.Errorf("%s is left of %s", now, was)
	}
}

// What cannot be taken off is named: what is struck for good, and what others have said upon it.
func TestUndoingWhatStays(t *testing.T) {
	m := newMerging(t)
	m.sheet(reconcile.Amended, euros(563))
	m.amend(m.Pledge(m.id), func(t *events.PledgeTerms) { t.Note, t.Source = "by ship", "" })
	if got := m.undo(); !strings.HasPrefix(got, "struck, stays: others have amended") {
		t.Error(got)
	}
	m = newMerging(t)
	m.sheet(reconcile.Amended, euros(563))
	m.amend(m.Pledge(m.id), func(t *events.PledgeTerms) { t.Note = "by ship" })
	if got := m.undo(); !strings.HasPrefix(got, "struck, stays: somebody has amended it by hand") {
		t.Error(got)
	}
	m = newMerging(t)
	m.sheet(reconcile.Corrected, func(t *events.PledgeTerms) { t.Role = "other" })
	if got := m.undo(); !strings.HasPrefix(got, "stays: it has struck this pledge as never") ||
		!strings.HasSuffix(got, ", struck") {
		t.Error(got)
	}
}
