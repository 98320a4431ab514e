package web

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"muster/events/problem"
	"muster/projections"
)

// getCSV asks for a question's rows, and returns the answer's status, type and body.
func (s *testServer) getCSV(path string) (status int, contentType, body string) {
	s.t.Helper()
	status, header, body := s.send(http.MethodGet, s.url+Root+path, nil, nil)
	return status, header.Get("Content-Type"), body
}

// Every list can be had as CSV at its own address: the same rows that the command line prints from
// the answer.
func TestCSV(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	id := told[projections.PledgeList](s, "pledges", "").Pledges[0].ID.String()
	for path, table := range map[string]Table{
		"/coverage.csv?on=2026-01-04&rung=accepted": CoverageTable(told[Coverage](s, "coverage",
			"on=2026-01-04&rung=accepted")),
		"/strength.csv?by=nation,role": StrengthTable(told[projections.Strength](s, "strength",
			"by=nation,role")),
		"/pledges.csv":             PledgesTable(told[projections.PledgeList](s, "pledges", "")),
		"/pledges/" + id + ".csv":  PledgeTable(told[PledgeLife](s, "pledge", "id="+id)),
		"/operations/force.csv":    PlanTable(told[Plan](s, "plan", "operation=force")),
		"/members.csv":             MembersTable(told[projections.Roster](s, "members", "")),
		"/scopes.csv":              ScopesTable(told[projections.Scopes](s, "scopes", "")),
		"/records.csv?type=pledge": RecordsTable(told[Records](s, "records", "type=pledge")),
		"/fingerprint.csv": FingerprintTable(told[projections.Fingerprints](s,
			"fingerprint", "")),
	} {
		status, contentType, body := s.getCSV(path)
		equal(t, path, status, http.StatusOK)
		equal(t, path, contentType, "text/csv; charset=utf-8; header=present")
		var want strings.Builder
		if err := table.WriteCSV(&want); err != nil {
			t.Fatal(err)
		}
		equal(t, path, body, want.String())
		rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
		if err != nil || len(rows) != 1+len(table.Rows)+len(table.Also) || len(rows) < 2 {
			t.Errorf("%s has %d rows, %v", path, len(rows), err)
		}
	}
}

func TestCSVRefuses(t *testing.T) {
	t.Parallel()
	s := newServer(t, newRound(t).testLog)
	for path, want := range map[string]int{
		"/coverage.csv?rung=top":       http.StatusUnprocessableEntity,
		"/coverage.csv?colour=red":     http.StatusBadRequest,
		"/coverage.csv?operation=none": http.StatusNotFound,
		"/pledges/nope.csv":            http.StatusUnprocessableEntity,
		"/coverage.csv?on=%zz":         http.StatusBadRequest, "/ledger.csv": http.StatusNotFound,
	} {
		status, contentType, body := s.getCSV(path)
		equal(t, path, status, want)
		if p := problem.Decode(status, []byte(body)); contentType != "application/problem+json" ||
			p.Error() == "" {
			t.Errorf("%s: %s %s", path, contentType, body)
		}
	}
}

// In CSV every row says what it rests on, what is not counted is there with its reason, and no cell
// is a formula.
func TestCSVCells(t *testing.T) {
	t.Parallel()
	var table Table
	b := projections.Basis{AsOf: 17, On: 2026_01_04, Rung: projections.Confirmed,
		WhatIf: &projections.WhatIf{WithoutConditional: true}}
	table.Basis, table.Head = &b, []string{"what", "how much"}
	for _, cell := range []string{"=1+1", "+1", "-1", "-x", "@x", "\tx", "plain", "=",
		"'=1+1", "'plain",
		`"quoted", and cut`} {
		table.Add(nil, cell, "1")
	}
	table.Also = []Row{{nil, []string{"beside", "2"}}}
	var out strings.Builder
	if err := table.WriteCSV(&out); err != nil {
		t.Fatal(err)
	}
	equal(t, "rows", out.String(), strings.ReplaceAll(`what,how much,as_of,on,rung,what_if
'=1+1,1,BASIS
'+1,1,BASIS
-1,1,BASIS
'-x,1,BASIS
'@x,1,BASIS
'	x,1,BASIS
plain,1,BASIS
'=,1,BASIS
''=1+1,1,BASIS
'plain,1,BASIS
"""quoted"", and cut",1,BASIS
beside,2,BASIS
`, "BASIS", "17,2026-01-04,confirmed,without what is conditional"))
}

// What is not there, or not done so, is said as a problem too.
func TestNothingThere(t *testing.T) {
	t.Parallel()
	s := newServer(t, newRound(t).testLog)
	for _, path := range []string{"/nothing", "/coverage/", "/coverage.xls", "/pledges/a/b"} {
		status, contentType, body := s.getCSV(path)
		if p := problem.Decode(status, []byte(body)); status != http.StatusNotFound ||
			contentType != "application/problem+json" || p.Hint == "" {
			t.Errorf("%s: %d %s %s", path, status, contentType, body)
		}
	}
	for path, allowed := range map[string]string{"/coverage": "GET, HEAD",
		"/coverage.csv": "GET, HEAD", "/records.csv": "GET, HEAD",
		"/pledges/x": "GET, HEAD", "/pledges/x.csv": "GET, HEAD", "/preview.csv": "GET, HEAD",
		"/preview":        "GET, HEAD, POST",
		"/records/events": "GET, HEAD", "/coverage/events": "GET, HEAD"} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete,
			http.MethodOptions, "BREW"} {
			if strings.Contains(allowed, method) {
				continue
			}
			status, header, body := s.do(method, path)
			if p := problem.Decode(status, []byte(body)); status != http.StatusMethodNotAllowed ||
				header.Get("Allow") != allowed ||
				p.Detail != method+" is not done here: use GET" {
				t.Errorf("%s %s: %d, allowed %q, %s", method, path, status,
					header.Get("Allow"), body)
			}
		}
	}
}

// do asks in a way of its own.
func (s *testServer) do(method, path string) (int, http.Header, string) {
	s.t.Helper()
	return s.send(method, s.url+Root+path, nil, strings.NewReader("x"))
}

// send asks, and reads the whole answer.
func (s *testServer) send(method, url string, header http.Header, body io.Reader) (
	int, http.Header, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, url, body)
	if err != nil {
		s.t.Fatal(err)
	}
	maps.Copy(req.Header, header)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(data)
}

// Whoever asks only for the head of a stream is told what there would be, and keeps no slot.
func TestHeadOfStream(t *testing.T) {
	t.Parallel()
	s := newServer(t, newRound(t).testLog)
	for range 2 * streamShare {
		for _, path := range []string{"/records/events", "/coverage/events"} {
			status, header, _ := s.do(http.MethodHead, path)
			if status != http.StatusOK || header.Get("Content-Type") != "text/event-stream" {
				t.Fatalf("%s: %d %s", path, status, header)
			}
		}
	}
	status, _, _ := s.do(http.MethodHead, "/coverage/events?on=nonsense")
	equal(t, "a head of what cannot be told", status, http.StatusUnprocessableEntity)
}

// everyList calls look with the path and query of every question that is a list, asked in a few
// ways, of a server with a round.
func everyList(t *testing.T, look func(s *testServer, question, path, query string)) {
	t.Helper()
	l := newRound(t)
	s := newServer(t, l.testLog)
	id := told[projections.PledgeList](s, "pledges", "").Pledges[0].ID.String()
	needs := map[string]string{"pledge": "id=" + id, "versions": "id=" + id,
		"plan": "operation=force", "nation": "nation=FRA", "counted": "record=5",
		"diff": "from=1", "digest": "from=1",
		"explain": "what=strength", "strength": "by=nation,unit,nation",
		"readiness": "within=7",
		"preview": "statements=" + url.QueryEscape(`[{"type":"requirement.cancelled","id":"`+id+
			`","ledger":"l","effective":"2026-01-01","operation":"force","line":"west","reason":"x"}]`)}
	for _, row := range s.service.questions {
		question := row.name
		if row.list == nil {
			continue
		}
		for _, more := range []string{"", "on=2026-01-01..2026-01-20",
			"from=2020-01-01&until=2030-01-01",
			"rung=accepted&without=FRA"} {
			a := s.overHTTP(question, strings.Trim(needs[question]+"&"+more, "&"))
			if a.status != http.StatusOK {
				continue // it does not take these
			}
			address, err := Client{URL: s.url}.address(question,
				params(t, strings.Trim(needs[question]+"&"+more, "&")))
			if err != nil {
				t.Fatal(err)
			}
			path, query, _ := strings.Cut(strings.TrimPrefix(address, s.url+Root), "?")
			look(s, question, path, query)
		}
	}
}

// No rows have two columns of one name, whatever is asked: a program reads a column by its name.
func TestCSVColumnsHaveNamesOfTheirOwn(t *testing.T) {
	if testing.Short() {
		t.Skip("one question after the other")
	}
	t.Parallel()
	everyList(t, func(s *testServer, question, path, query string) {
		status, _, body := s.getCSV(path + csvSuffix + "?" + query)
		equal(t, question, status, http.StatusOK)
		head, err := csv.NewReader(strings.NewReader(body)).Read()
		if err != nil {
			t.Fatal(question, err)
		}
		for i, name := range head {
			if slices.Contains(head[:i], name) {
				t.Errorf("%s?%s has two columns %q: %v", question, query, name, head)
			}
		}
	})
}

// A note is wrapped by the columns that it takes, in which some signs take two, and never within a
// sign.
func TestWrap(t *testing.T) {
	t.Parallel()
	lines := wrap("Ålesund møter é 日本語 日本語 end", 14)
	equal(t, "lines", strings.Join(lines, "|"), "Ålesund møter|é 日本語|日本語 end")
}

// A list in one cell is as long as a spreadsheet reads, and says how much more there is.
func TestCellsAreCut(t *testing.T) {
	t.Parallel()
	short := []string{"3", "4", "5"}
	if got := joined(short, " "); got != "3 4 5" {
		t.Errorf("a short list is %q", got)
	}
	same := []string{"begins", "begins", "ends", "begins"}
	if got := joined(same, "; "); got != "begins (2 times); ends; begins" {
		t.Errorf("what is there several times is %q", got)
	}
	long := make([]string, 60_000)
	for i := range long {
		long[i] = strconv.Itoa(10_000 + i)
	}
	got := joined(long, " ")
	shown := strings.Count(strings.Split(got, " and ")[0], " ") + 1
	if want := fmt.Sprintf(" and %d more, as JSON", len(long)-shown); len(got) > 32_767 ||
		!strings.HasSuffix(got, want) || shown < 4_000 {
		t.Errorf("of a long list there are %d, and it ends in %q", shown, got[len(got)-40:])
	}
}
