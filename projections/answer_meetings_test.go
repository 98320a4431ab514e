package projections

import (
	"fmt"
	"testing"

	"muster/events"
)

// newBetweenMeetings returns a ledger in which meetings were closed, and something was said between
// them.
func newBetweenMeetings(t tb) *testLedger {
	l := newTestLedger(t)
	l.offer("FRA", 2)
	l.closes("FGC 4", 10)
	l.offer("DEU", 12)
	l.closes("FGC 5", 20)
	return l
}

func (l *testLedger) closes(name string, on int) {
	l.t.Helper()
	l.say("HQ/founder", &events.MeetingClosed{Header: l.head("meeting.closed"), Dated: dated(on),
		Name: name, Note: "for a test"})
}

func TestMeetings(t *testing.T) {
	l := newBetweenMeetings(t)
	p := l.picture()
	list := must[Meetings](t)(p.Meetings(t.Context(), Moment{}))
	equal(t, "all", fmt.Sprint(list.Meetings), fmt.Sprintf("[{FGC 4 %s %d for a test HQ/founder} "+
		"{FGC 5 %s %d for a test HQ/founder}]", day(10), l.Last()-2, day(20), l.Last()))
	list = must[Meetings](t)(p.Meetings(t.Context(), Moment{AsOf: l.Last() - 1}))
	equal(t, "before the second was closed", len(list.Meetings), 1)
	m, ok := p.Meeting("FGC 4")
	equal(t, "its record", fmt.Sprint(ok, m.Sequence), fmt.Sprint(true, l.Last()-2))
	if _, ok := p.Meeting("FGC 6"); ok {
		t.Error("a meeting that was not closed was found")
	}
}
