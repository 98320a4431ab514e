package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"muster/events"
	"muster/projections/records"
)

// sequences tells which records a page has, and what it says of itself.
func sequences(a Records) string {
	text := ""
	for _, r := range a.Records {
		text += strconv.FormatUint(r.Sequence, 10) + " "
	}
	return fmt.Sprintf("%sof %d, next %d", text, a.AsOf, a.Next)
}

func TestRecords(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	for query, want := range map[string]string{
		"type=pledge.accepted": "14 of 21, next 22",
		"type=requirement":     "5 6 of 21, next 22",
		"type=condition":       "9 of 21, next 22",
		// What admits and revokes its keys is about it.
		"nation=DEU":                  "8 9 20 21 of 21, next 22",
		"nation=HQ&type=pledge":       "14 of 21, next 22",
		"nation=ITA":                  "of 21, next 22",
		"operation=relief":            "3 of 21, next 22",
		"operation=other":             "of 21, next 22",
		"operation=force&nation=FRA":  "7 19 of 21, next 22",
		"from=20":                     "20 21 of 21, next 22",
		"from=22":                     "of 21, next 22",
		"from=9007199254740991":       "of 21, next 9007199254740991",
		"from=19&nation=DEU":          "20 21 of 21, next 22",
		"limit=3":                     "1 2 3 of 21, next 4",
		"limit=2&from=20":             "20 21 of 21, next 22",
		"limit=2&from=19":             "19 20 of 21, next 21",
		"limit=2&nation=DEU":          "8 9 of 21, next 20",
		"limit=4&nation=DEU":          "8 9 20 21 of 21, next 22",
		"from=2026-01-01&limit=1":     "1 of 21, next 2",
		"from=2025-01-01&limit=1":     "1 of 21, next 2",
		"from=2026-01-02&limit=1":     "13 of 21, next 14",
		"from=2026-01-02T06:00:00Z":   "19 20 21 of 21, next 22",
		"from=2026-01-02T06:00:00.5Z": "20 21 of 21, next 22",
		"from=2026-01-02T05:59:59Z":   "19 20 21 of 21, next 22",
		"from=2026-01-02T09:30:00%2B02:00&limit=1&nation=DEU": "21 of 21, next 22",
		"from=2026-01-20": "of 21, next 22",
		"from=20&wait=30": "20 21 of 21, next 22", // nothing to wait for
	} {
		equal(t, query, sequences(told[Records](s, "records", query)), want)
	}

	all := told[Records](s, "records", "").Records
	for i, rec := range l.records {
		if r := all[i]; r.Stored != string(rec.Stored) || r.ID != rec.Statement.Head().ID ||
			r.Signer != rec.KeyName || r.By != testOrigin ||
			r.Recorded != rec.Recorded.Format(events.RecordedForm) ||
			r.Type != rec.Statement.Head().Type {
			t.Errorf("record %d is told as %+v", rec.Sequence, r)
		}
	}
}

// From a time on means from the first record recorded then, also when the picture is behind the
// log.
func TestRecordsFromTimeWhenThePictureIsBehind(t *testing.T) {
	t.Parallel()
	l := newTestLog(t)
	s := newStillServer(t, l)
	for range 5 {
		l.offer("FRA", 1)
	}
	equal(t, "from", sequences(told[Records](s, "records", "from="+l.recorded(4))),
		"4 5 6 of 6, next 7")
}

// walk reads the log page by page, as a listing does: up to the last record there was when the last
// page was read.
func walk(t *testing.T, s *testServer, query string) (got []uint64, asOf uint64) {
	t.Helper()
	for from := "1"; ; {
		var page Records
		p := params(t, query)
		p["from"] = from
		if err := (Client{URL: s.url}).Ask(t.Context(), "records", p, &page); err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Records {
			got = append(got, r.Sequence)
		}
		if page.Next > page.AsOf {
			return got, page.AsOf
		}
		if len(page.Records) == 0 || fmt.Sprint(page.Next) == from {
			t.Fatalf("%s from %s: nothing came, and more is told at %d", query, from, page.Next)
		}
		from = fmt.Sprint(page.Next)
	}
}

// matching are the records up to a sequence that are about a nation, or all.
func matching(l *testLog, nation events.Nation, upTo uint64) []uint64 {
	var want []uint64
	for _, rec := range l.records[:upTo] {
		if (records.LogFilter{Nation: nation}).Match(rec) {
			want = append(want, rec.Sequence)
		}
	}
	return want
}

// A walk ends, and has every record once, also while more are appended.
func TestRecordsWhileAppending(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	begun, ended, offers := make(chan struct{}), make(chan struct{}), 300
	if testing.Short() {
		offers = 100
	}
	go func() {
		defer close(ended)
		for i := range offers {
			l.offer([]events.Nation{"FRA", "BEL", "PRT"}[i%3], 1)
			if i == 20 {
				close(begun)
			}
		}
	}()
	<-begun
	type walked struct {
		nation events.Nation
		got    []uint64
		asOf   uint64
	}
	var all []walked
	for more := true; more; {
		select {
		case <-ended:
			more = false // once more, with all there
		default:
		}
		for _, limit := range []int{1, 7, 1000} {
			for _, nation := range []events.Nation{"", "BEL", "ITA"} {
				got, asOf := walk(t, s, fmt.Sprintf("limit=%d&nation=%s", limit, nation))
				all = append(all, walked{nation, got, asOf})
			}
		}
	}
	for _, w := range all {
		if want := matching(l.testLog, w.nation, w.asOf); !slices.Equal(w.got, want) {
			t.Errorf("%q as of %d: got %v, want %v", w.nation, w.asOf, w.got, want)
		}
	}
	equal(t, "as of, at last", all[len(all)-1].asOf, l.Last())
}

// What is appended between looking how far the log goes and reading it belongs to the page.
func TestRecordsThatComeWhileReading(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"from=21":                   "21 22 23 of 23, next 24",
		"from=21&limit=1":           "21 of 21, next 22", // all there was
		"from=20&limit=1":           "20 of 21, next 21",
		"from=21&nation=BEL":        "22 of 23, next 24",
		"from=8&limit=4&nation=DEU": "8 9 20 21 of 23, next 24",
	} {
		l := newRound(t)
		s := newServer(t, l.testLog)
		s.source.entered, s.source.gate = make(chan struct{}), make(chan struct{})
		page := make(chan answer, 1)
		go func() { page <- s.overHTTP("records", query) }()
		soon(t, s.source.entered)
		l.offer("BEL", 1)
		l.offer("PRT", 1)
		close(s.source.gate)
		equal(t, query, sequences(decode[Records](s, soon(t, page))), want)
	}
}

// Pages of long records end earlier, so that they fit into a message over NATS.
func TestRecordsOfLongPages(t *testing.T) {
	t.Parallel()
	l := newTestLog(t)
	for range 60 {
		l.offer("FRA", 1, func(s *events.PledgeOffered) {
			s.Note = strings.Repeat("<\\\"\n&>é\u2028", 1200)
			s.Source = strings.Repeat("\\", 6000)
		})
	}
	s := newServer(t, l)
	page := told[Records](s, "records", "limit=10000")
	if n := len(page.Records); n < 10 || n > 40 || page.Next != uint64(n)+1 {
		t.Errorf("%d records, next %d", n, page.Next)
	}
	got, _ := walk(t, s, "limit=10000")
	if !slices.Equal(got, matching(l, "", l.Last())) {
		t.Errorf("got %v", got)
	}
}

// Whoever waits gets what passes the filter as soon as it comes, and is not troubled with the rest.
func TestRecordsLongPoll(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	last := l.Last()
	answers := s.askTogether("records", "nation=ITA&wait=60")
	s.waiting(last, 2)
	l.offer("PRT", 1)
	s.waiting(last+1, 2)
	select {
	case a := <-answers:
		t.Fatalf("what passes no filter was told: %s", a.body)
	default:
	}
	l.offer("ITA", 1)
	equal(t, "what came", sequences(decode[Records](s, soon(t, answers))),
		fmt.Sprintf("%d of %d, next %d", last+2, last+2, last+3))

	ahead := s.askTogether("records", fmt.Sprintf("from=%d&wait=60", last+4))
	s.waiting(last+3, 2)
	l.offer("PRT", 1)
	l.offer("PRT", 2)
	equal(t, "from ahead", sequences(decode[Records](s, soon(t, ahead))),
		fmt.Sprintf("%d of %d, next %d", last+4, last+4, last+5))
}

// From a time on, the first record after the wait is the first that is told.
func TestRecordsLongPollFromTime(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	last := l.Last()
	answers := s.askTogether("records",
		"wait=60&from="+l.records[last-1].Recorded.Add(90*time.Minute).Format(time.RFC3339))
	s.waiting(last, 2)
	l.offer("PRT", 1) // within the hour and a half
	s.waiting(last+1, 2)
	l.offer("PRT", 2)
	equal(t, "what came", sequences(decode[Records](s, soon(t, answers))),
		fmt.Sprintf("%d of %d, next %d", last+2, last+2, last+3))
}

func TestRecordsWaitForNothing(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	began := time.Now()
	a := decode[Records](s, soon(t, s.askTogether("records", "from=22&wait=1")))
	equal(t, "nothing", sequences(a), "of 21, next 22")
	if took := time.Since(began); took < time.Second {
		t.Errorf("a second was over after %s", took)
	}
}

// When the service stops, nobody waits any more: not those who do, and not those who come.
func TestStop(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	over, nats := make(chan answer, 1), make(chan answer, 1)
	go func() { over <- s.overHTTP("records", "from=22&wait=60") }()
	go func() { nats <- s.overNATS("records", "from=22&wait=60") }()
	s.waiting(21, 2)
	blocked := make(chan answer, 1)
	go func() { blocked <- s.overHTTP("members", "min_seq=22") }()
	s.stopNATS()
	for _, answers := range []<-chan answer{over, nats} {
		equal(t, "those who wait", sequences(decode[Records](s, soon(t, answers))),
			"of 21, next 22")
	}
	equal(t, "who waits for a record", soon(t, blocked).status, http.StatusServiceUnavailable)
	equal(t, "who comes", sequences(decode[Records](s, s.overHTTP("records", "from=22&wait=60"))),
		"of 21, next 22")
	equal(t, "who does not wait", s.overHTTP("members", "").status, http.StatusOK)
}

func TestRecordsOfAFailingSource(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	answers := s.askTogether("records", "from=22&wait=60")
	s.waiting(21, 2)
	l.close(errors.New("the disk is gone"))
	a := soon(t, answers)
	equal(t, "status", a.status, http.StatusServiceUnavailable)
	if p := a.problem(t); !strings.Contains(p.Detail, "the disk is gone") {
		t.Error(a.body)
	}
	equal(t, "reading to the end", s.ask("records", "").status, http.StatusInternalServerError)
	equal(t, "a page before the end", s.ask("records", "limit=2").status, http.StatusOK)
}

// Who has gone is not read for.
func TestRecordsGivenUp(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	all, err := s.service.For(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := all.Records(ctx, &RecordsQuery{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := all.Rebuild(ctx, &RebuildQuery{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
