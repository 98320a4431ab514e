package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"muster/events"
	"muster/projections"
)

// withdrawal is France's statement that it withdraws its pledge, unsigned.
func (l round) withdrawal() string {
	s := &events.PledgeWithdrawn{PledgeStep: events.PledgeStep{Header: head("pledge.withdrawn"),
		Dated: dated(2026_01_20),
		Place: events.Place{Operation: "force", Nation: "FRA"},
		Step:  events.Step{Pledge: l.fra.id}}}
	text, err := events.Marshal(s)
	if err != nil {
		l.t.Fatal(err)
	}
	return string(text)
}

// asked asks a question that has an answer, and decodes it.
func asked[A any](s *testServer, question, query string) (a A) {
	s.t.Helper()
	got := s.ask(question, query)
	if err := json.Unmarshal([]byte(got.body), &a); err != nil || got.status != http.StatusOK {
		s.t.Fatalf("%s %s: %d %s %v", question, query, got.status, got.body, err)
	}
	return a
}

func TestPreview(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	last := l.Last()
	one := asked[projections.Preview](s, "preview",
		"on=2026-02-01&statements="+url.QueryEscape(l.withdrawal()))
	equal(t, "effects", len(one.Effects), 1)
	equal(t, "first", one.First, 2026_01_20)
	equal(t, "supply", one.Effects[0].Lines[0].To.Supply, events.Count(300))
	equal(t, "a list of one",
		asked[projections.Preview](s, "preview",
			"on=2026-02-01&statements="+url.QueryEscape("["+l.withdrawal()+"]")).First, one.First)
	equal(t, "nothing was kept",
		asked[projections.Coverage](s, "coverage", "on=2026-02-01").Lines[1].Supply,
		events.Count(700))
	equal(t, "records", asked[Ledger](s, "ledger", "").Sequence, last)
	for query, want := range map[string]string{
		"": "missing", "statements=x": "statements.0", "statements=[x": "no list",
		"statements=" + url.QueryEscape(strings.Replace(l.withdrawal(), "2026-01-20", "2026-02-31",
			1)): "statements.0.effective",
	} {
		if p := s.ask("preview", query).problem(t); !strings.Contains(p.Error()+p.Detail, want) {
			t.Errorf("%q is refused with %v", query, p)
		}
	}
	equal(t, "another's pledge",
		s.ask("preview", "statements="+
			url.QueryEscape(strings.Replace(l.withdrawal(), "FRA", "DEU", 1))).status,
		http.StatusConflict)
}

func TestDiff(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	d := asked[projections.Diff](s, "diff", "from_on=2026-01-04&to_on=2026-01-05")
	equal(t, "pledges", len(d.Pledges), 1)
	equal(t, "whose", d.Pledges[0].Nation, "DNK")
	equal(t, "who", d.Pledges[0].Records[0].Signer, "DNK/liaison")
	equal(t, "one date by another way",
		len(asked[projections.Diff](s, "diff", "from_on=2026-01-04&on=2026-01-05").Pledges), 1)
	equal(t, "a record and all there is",
		asked[projections.Diff](s, "diff", "on=2026-02-01&from=8").From.AsOf, 8)
	for query, want := range map[string]string{"": "write what to compare",
		"from_on=2026-01-01&to_on=2026-01-01": "write what to compare",
		"from=0":                              "the first record is 1"} {
		if p := s.ask("diff", query).problem(t); !strings.Contains(p.Detail, want) {
			t.Errorf("%q is refused with %v", query, p)
		}
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	e := asked[projections.Explanation](s, "explain", "what=coverage&line=ground-all&on=2026-02-01")
	equal(t, "parts", len(e.Parts), 2)
	equal(t, "not counted", len(e.NotCounted), 4)
	equal(t, "strength", asked[projections.Explanation](s, "explain",
		"what=strength&nation=FRA&on=2026-02-01").Sums[0].Quantity, events.Count(400))
	for query, want := range map[string]string{"what=coverage": "missing", "what=weather": "one of",
		"what=strength&line=ground-all":            "leave line out",
		"what=coverage&line=ground-all&nation=FRA": "leave nation and role out",
		"what=coverage&line=nothing":               "no requirement nothing"} {
		if p := s.ask("explain", query).problem(t); !strings.Contains(p.Detail, want) {
			t.Errorf("%q is refused with %v", query, p)
		}
	}
}

// A comparison of more pledges than are told says how many more there are, in each form.
func TestMorePledgesThanAreTold(t *testing.T) {
	t.Parallel()
	one := projections.LineStand{Role: "ground", Unit: "personnel", Supply: events.Count(1)}
	other := one
	other.Supply = events.Count(2)
	told := []projections.Told{{Sequence: 7, Effective: 2026_11_23, Sentence: "France offered."}}
	d := projections.Diff{Pledges: []projections.PledgeDiff{{Nation: "FRA"}}, PledgesMore: 59,
		Lines: []projections.LineDiff{{Operation: "mnf-u", Line: "west", From: &one, To: &other,
			PledgesMore: 41,
			Causes:      []projections.Cause{{What: "supply", Records: told}}}},
		Strength: []projections.StrengthDiff{{Nation: "FRA", PledgesMore: 1}}}
	rows := map[string]string{}
	table := DiffTable(d)
	for _, r := range table.all() {
		rows[r.Cells[0]] = strings.Join(r.Cells, "|")
	}
	for what, says := range map[string]string{
		"supply":   "7||2026-11-23: France offered.; and what is said of 41 more pledges|",
		"strength": "|and what is said of 1 more pledge|",
		morePledges: "|59|pledges|||count otherwise, and are left out: ask for one operation, " +
			"one role or one nation|",
	} {
		if !strings.Contains(rows[what], says) {
			t.Errorf("%s: %s", what, rows[what])
		}
	}
}
