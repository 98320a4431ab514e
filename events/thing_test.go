package events

import "testing"

// Every kind of statement can be made one about something else: those about a pledge about another
// pledge, and those about themselves under another ID.
func TestSetThing(t *testing.T) {
	other := goldenID(1000)
	for _, g := range goldens(t) {
		st, before := g.statement, Thing(g.statement)
		aboutItself := before == st.Head().ID
		SetThing(st, other)
		if Thing(st) != other || (st.Head().ID == other) != aboutItself {
			t.Errorf("%s: it is about %s, and its id is %s", g.file(), Thing(st), st.Head().ID)
		}
	}
}
