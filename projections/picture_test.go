package projections

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/projections/records"
)

// Every kind of statement has a projection that takes it in.
func TestEveryKindOfStatementIsKnown(t *testing.T) {
	for _, typ := range events.Types() {
		s, _ := events.NewStatement(typ)
		r, err := records.RowOf(events.Record{Sequence: 1, Recorded: time.Now(),
			Signed: events.Signed{Statement: s}})
		if err != nil {
			t.Errorf("%v", err)
		}
		if _, known := moves[typ]; known != slices.Contains([]string{"pledge", "condition",
			"caveat", "allocation"}, r.Type.Subject()) {
			t.Errorf("%s has no row in the table of moves, or one too many", typ)
		}
	}
}

// What a ledger never decided is refused, and leaves the picture as it was.
func TestApplyRefusesWhatCannotBe(t *testing.T) {
	l := newTestLedger(t)
	p := l.offer("FRA", 100)
	other := testPledge{l, events.NewID(), "FRA", 0}
	stranger := testPledge{l, p.id, "DEU", 0}
	for _, test := range []struct {
		name string
		say  func() uint64
		want string
	}{
		{"a pledge that was never begun", func() uint64 { return other.amend(2, pledgeTerms(5)) },
			"which no record before it began"},
		{"an offer of what was never indicated", func() uint64 {
			return other.offerNow(2, pledgeTerms(5))
		}, "which no record before it began"},
		{"another nation's pledge", func() uint64 { return stranger.amend(2, pledgeTerms(5)) },
			"is FRA's in op-a, and not DEU's in op-a"},
		{"a pledge that is there", func() uint64 {
			s := &events.PledgeOffered{Header: l.head("pledge.offered"), Dated: dated(1),
				Place: place("FRA"), PledgeTerms: pledgeTerms(1)}
			s.ID = p.id
			return l.say("FRA/liaison", s)
		}, "is begun a second time"},
		{"a line that was never issued", func() uint64 { return l.cancel(2, "west") },
			`the operation op-a has no requirement "west" to change`},
		{"a member that was never admitted", func() uint64 {
			return l.say("HQ/founder",
				&events.MemberRevoked{Header: l.head("member.revoked"),
					Key: l.key("FRA/paris").Key(), Reason: "lost"})
		}, "the key FRA/paris is revoked, and was not a member"},
		{"a second founding", func() uint64 {
			return l.say("HQ/founder",
				&events.LedgerFounded{Header: l.head("ledger.founded"), Title: "Again",
					Founder: l.key("HQ/founder").Key()})
		}, "a ledger is founded by its first record"},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := l.Last()
			picture := l.picture()
			was := must[Fingerprints](t)(picture.Fingerprint(t.Context(), 0)).Whole
			test.say()
			err := picture.Apply(l.All[before])
			if err == nil || !strings.Contains(err.Error(), test.want) ||
				!strings.Contains(err.Error(), fmt.Sprint("record ", before+1)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			equal(t, "sequence", picture.Sequence(), before)
			equal(t, "fingerprint",
				must[Fingerprints](t)(picture.Fingerprint(t.Context(), 0)).Whole, was)
			l.All = l.All[:before]
		})
	}
}

func TestApplyWantsTheNextRecord(t *testing.T) {
	l := newTestLedger(t)
	l.offer("FRA", 100)
	p := l.pictureUpTo(1)
	if err := p.Apply(l.All[2]); err == nil || err.Error() != "record 3 does not follow record 1" {
		t.Errorf("a gap: %v", err)
	}
	if err := p.Apply(l.All[0]); err == nil || err.Error() != "record 1 does not follow record 1" {
		t.Errorf("a repetition: %v", err)
	}
	early := l.All[1]
	early.Recorded = early.Recorded.Add(-24 * time.Hour)
	if err := p.Apply(early); err == nil || err.Error() != "record 2 was recorded before record 1" {
		t.Errorf("a clock that goes back: %v", err)
	}
	if err := p.Apply(l.All[1]); err != nil {
		t.Errorf("the next record: %v", err)
	}
}

func TestSequenceAt(t *testing.T) {
	l := newTestLedger(t)
	l.offer("FRA", 100)
	p := l.picture()
	first := l.All[0].Recorded
	for _, test := range []struct {
		after time.Duration
		want  uint64
	}{{-time.Microsecond, 0}, {0, 1}, {time.Hour - time.Microsecond, 1}, {time.Hour, 2},
		{2 * time.Hour, 3}, {99 * time.Hour, 3}} {
		equal(t, fmt.Sprint("after ", test.after), p.SequenceAt(first.Add(test.after)), test.want)
	}
	recorded, ok := p.Recorded(3)
	equal(t, "recorded", recorded, l.All[2].Recorded)
	equal(t, "known", ok, true)
	for _, seq := range []uint64{0, 4} {
		if _, ok := p.Recorded(seq); ok {
			t.Errorf("record %d has a time and is not there", seq)
		}
	}
}

func TestBasis(t *testing.T) {
	l := newTestLedger(t)
	l.offer("FRA", 100)
	p := l.picture()
	equal(t, "filled in", must[Basis](t)(p.Basis(Moment{})),
		Basis{AsOf: 3, Recorded: l.All[2].Recorded, On: day(1)})
	given := Moment{AsOf: 2, On: day(9), Rung: Confirmed}
	equal(t, "as given", must[Basis](t)(p.Basis(given)).Moment(), given)
	equal(t, "of nothing", must[Basis](t)(NewPicture().Basis(Moment{})), Basis{})
	if _, err := p.Basis(Moment{AsOf: 4}); !problem.Is(err, problem.NotFound) {
		t.Errorf("a record that is not there: %v", err)
	}
}

// No question fails on a picture of nothing.
func TestEmptyPicture(t *testing.T) {
	p := NewPicture()
	equal(t, "lines", len(
		must[Coverage](t)(p.Coverage(t.Context(), Moment{}, CoverageFilter{})).Lines), 0)
	equal(t, "strength", len(
		must[Strength](t)(p.Strength(t.Context(), Moment{}, Filter{}, nil)).Rows), 0)
	equal(t, "pledges", len(
		must[PledgeList](t)(p.Pledges(t.Context(), Moment{}, PledgeFilter{})).Pledges), 0)
	equal(t, "members", len(must[Roster](t)(p.Members(t.Context(), Moment{})).Members), 0)
	if _, ok := p.Founding(); ok {
		t.Error("nothing was founded")
	}
	_, err := p.Coverage(t.Context(), Moment{}, CoverageFilter{Operation: "op-a"})
	if hint := problem.From(err).Hint; hint != "no operation was opened yet" {
		t.Errorf("hint %q", hint)
	}
}

func TestRungText(t *testing.T) {
	for _, rung := range Rungs() {
		equal(t, "parsed", must[Rung](t)(ParseRung(rung.String())), rung)
	}
	_, err := ParseRung("sworn")
	if !problem.Is(err, problem.Usage) ||
		!strings.Contains(err.Error(), "indicated, offered, accepted, confirmed, deployed") {
		t.Errorf("a rung that is none: %v", err)
	}
}

func TestLogFilter(t *testing.T) {
	l := newTestLedger(t)
	l.say("HQ/founder", &events.MemberAdmitted{Header: l.head("member.admitted"),
		Key: l.key("FRA/paris").Key(), Role: events.Liaison})
	l.offer("FRA", 1)
	p := l.offer("DEU", 2)
	p.move("pledge.accepted", 2)
	l.need("west", 5)
	l.observe("ETH", 1, 5)
	match := func(f records.LogFilter, from uint64) string {
		var all []uint64
		for rec, err := range f.Scan(l, from) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, rec.Sequence)
		}
		return fmt.Sprint(all)
	}
	equal(t, "all", match(records.LogFilter{}, 0), "[1 2 3 4 5 6 7 8]")
	equal(t, "from", match(records.LogFilter{}, 6), "[6 7 8]")
	equal(t, "FRA", match(records.LogFilter{Nation: "FRA"}, 1), "[3 4]")
	equal(t, "HQ", match(records.LogFilter{Nation: "HQ"}, 1), "[1 2 3 7 8]")
	equal(t, "type", match(records.LogFilter{Type: "pledge.offered"}, 1), "[4 5]")
	equal(t, "subject", match(records.LogFilter{Type: "pledge"}, 1), "[4 5 6 8]")
	equal(t, "operation", match(records.LogFilter{Operation: "op-a"}, 1), "[2 4 5 6 7 8]")
	equal(t, "both", match(records.LogFilter{Nation: "DEU", Type: "pledge.accepted"}, 1), "[6]")
	for typ, want := range map[string]string{"": "", "pledge": "", "pledge.offered": "",
		"pledge.lost": "pledge.indicated, ", "cheese": "such as pledge"} {
		err := records.LogFilter{Type: typ}.Check()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(),
			strings.TrimSuffix(want, ", ")) {
			t.Errorf("type %q: %v", typ, err)
		}
	}
}
