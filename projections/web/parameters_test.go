package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"muster/events/problem"
)

// located returns the names of the wrong parameters, in order.
func located(p *problem.Problem) string {
	var names []string
	for _, f := range p.Fields {
		names = append(names, f.Location)
	}
	return strings.Join(names, " ")
}

// Each wrong value is refused by itself, in words that say what to write.
func TestWrongParameter(t *testing.T) {
	t.Parallel()
	s := newServer(t, newRound(t).testLog)
	for _, test := range []struct{ question, name, value, says string }{
		{"coverage", "as_of", "yesterday", "write a sequence such as 17"},
		{"coverage", "as_of", "0", "the first record is 1"},
		{"coverage", "as_of", "-1", "write a sequence such as 17"},
		{"coverage", "as_of", "1.5", "write a sequence such as 17"},
		{"coverage", "as_of", "9007199254740993", "no ledger has more than 9007199254740991"},
		{"coverage", "as_of", "99999999999999999999999",
			"no ledger has more than 9007199254740991"},
		{"coverage", "as_of", "2026-02-30", "write a sequence such as 17"},
		{"coverage", "as_of", "2026-01-21", "lies ahead: it is 2026-01-20T12:00:00Z now"},
		{"coverage", "as_of", "2026-01-20T12:00:01Z", "lies ahead"},
		{"coverage", "as_of", "2026-01-01T12:00:00", "write a sequence such as 17"},
		{"coverage", "on", "tomorrow", "not a date: write year-month-day"},
		{"coverage", "on", "1026-01-01", "outside 1900-01-01 to 2199-12-31"},
		{"coverage", "on", "2026-06-30..2026-01-01",
			"the range ends before it begins: write 2026-01-01..2026-06-30"},
		{"coverage", "on", "2026-01-01..2026-02-30",
			"\"2026-02-30\": not a date: write year-month-day"},
		{"pledges", "on", "...", "\".\": not a date"},
		{"coverage", "rung", "top",
			"write one of: indicated, offered, accepted, confirmed, deployed"},
		{"coverage", "rung", "Offered", "write one of"},
		{"coverage", "min_seq", "-1", "write a whole number from 0 to 9007199254740991"},
		{"coverage", "min_seq", "9007199254740992",
			"write a whole number from 0 to 9007199254740991"},
		{"coverage", "min_seq", "1e3", "write a whole number"},
		{"coverage", "operation", "Force", "no operation can have this name"},
		{"coverage", "operation", "for*ce", "no operation can have this name"},
		{"coverage", "role", "ground forces", "no role can have this name"},
		{"strength", "role", "ground\r\nX: y", "no role can have this name"},
		{"strength", "nation", "Francce",
			"not a nation that is known here, the nearest names are of France (FRA)"},
		{"strength", "nation", "HQ", "not a nation that is known here"},
		{"strength", "nation", "FRА", "not a nation that is known here"}, // with Cyrillic А
		{"pledges", "state", "bogus",
			"write one of: live, ahead, withdrawn, declined, lapsed, returned"},
		{"pledges", "after", "nope", "not an id: write a ULID"},
		{"pledges", "limit", "0", "write a whole number from 1 to 10000"},
		{"pledges", "limit", "10001", "write a whole number from 1 to 10000"},
		{"pledges", "limit", "ten", "write a whole number from 1 to 10000"},
		{"pledge", "id", "nope", "not an id: write a ULID"},
		{"plan", "operation", "No Such", "no operation can have this name"},
		{"members", "on", "20260101", "not a date"},
		{"scopes", "nation", "Yugoslavia", "is no more since 1992-04-27"},
		{"scopes", "nation", "NATO", "no organisations are declared"},
		{"records", "from", "0", "the first record is 1"},
		{"records", "from", "2027-01-01", "lies ahead: it is 2026-01-20T12:00:00Z now"},
		{"records", "from", "soon", "write a sequence such as 17"},
		{"records", "nation", "Francce", "the nearest names are of France (FRA)"},
		{"records", "operation", "FORCE", "no operation can have this name"},
		{"records", "limit", "10001", "write a whole number from 1 to 10000"},
		{"records", "wait", "61", "write a whole number from 0 to 60"},
		{"records", "wait", "-1", "write a whole number from 0 to 60"},
	} {
		query := test.name + "=" + strings.NewReplacer(" ", "%20", "\r", "%0D", "\n", "%0A", "*",
			"%2A").Replace(test.value)
		a := s.ask(test.question, query)
		p := a.problem(t)
		equal(t, query, a.status, http.StatusUnprocessableEntity)
		equal(t, query, located(p), test.name)
		if !strings.Contains(p.Fields[0].Message, test.says) || p.Fields[0].Value != test.value ||
			strings.Count(p.Detail, test.says) != 1 {
			t.Errorf("%s %s: %s", test.question, query, a.body)
		}
	}
}

// What package projections refuses keeps its kind.
func TestWrongWords(t *testing.T) {
	t.Parallel()
	s := newServer(t, newRound(t).testLog)
	for _, test := range []struct{ question, query, says string }{
		{"strength", "by=bogus", "operation, nation, role and unit"},
		{"strength", "by=nation,,role", "operation, nation, role and unit"},
		{"strength", "by=nation, role", "operation, nation, role and unit"},
		{"records", "type=pledge.offer", "pledge.offered"},
		{"records", "type=offers", "write a kind of statement such as pledge.offered"},
	} {
		a := s.ask(test.question, test.query)
		p := a.problem(t)
		equal(t, test.query, a.status, http.StatusBadRequest)
		if len(p.Fields) != 1 || !strings.Contains(p.Fields[0].Message, test.says) {
			t.Errorf("%s: %s", test.query, a.body)
		}
	}
}

// All that is wrong is told at once, on every question.
func TestAllAtOnce(t *testing.T) {
	t.Parallel()
	s := newServer(t, newRound(t).testLog)
	const moment = "as_of=0&on=x&min_seq=x"
	for question, test := range map[string][2]string{
		"ledger":   {"", ""},
		"rebuild":  {"", ""},
		"coverage": {moment + "&rung=x&operation=X&role=X", "as_of on min_seq rung operation role"},
		"strength": {moment + "&rung=x&operation=X&nation=x&role=X&by=x",
			"as_of on min_seq rung operation nation role by"},
		"pledges": {moment + "&rung=x&operation=X&nation=x&role=X&state=x&after=x&limit=x",
			"as_of on min_seq rung operation nation role state after limit"},
		"pledge":  {moment + "&id=x", "id as_of on min_seq"},
		"plan":    {moment + "&operation=X", "operation as_of on min_seq"},
		"members": {moment, "as_of on min_seq"},
		"scopes": {moment + "&operation=X&nation=x&role=X",
			"as_of on min_seq operation nation role"},
		"records": {"from=x&nation=x&operation=X&type=x&limit=x&wait=x",
			"from nation operation type limit wait"},
	} {
		a := s.ask(question, test[0]+"&whatever=1&As_of=2")
		p := a.problem(t)
		equal(t, question, located(p), strings.TrimSpace(test[1]+" As_of whatever"))
		if want := fmt.Sprintf("%d fields are wrong", len(p.Fields)); p.Detail != want {
			t.Errorf("%s: %s", question, p.Detail)
		}
		want := http.StatusUnprocessableEntity
		if test[1] == "" {
			want = http.StatusBadRequest // nothing is wrong but that there are such parameters
		}
		equal(t, question, a.status, want)
	}
}

func TestUnknownParameter(t *testing.T) {
	t.Parallel()
	s := newServer(t, newRound(t).testLog)
	for query, test := range map[string][2]string{
		"colour=red": {"colour",
			"unknown: this question takes as_of, on, min_seq"},
		"=red":                          {`""`, "unknown"},
		"a%0D%0Ab=1":                    {`"a\r\nb"`, "unknown"},
		"on%20=1":                       {"on ", "unknown"},
		"operation=force":               {"operation", "unknown"},
		strings.Repeat("é", 100) + "=1": {strings.Repeat("é", 80) + "…", "unknown"},
	} {
		a := s.ask("members", query)
		p := a.problem(t)
		equal(t, query, a.status, http.StatusBadRequest)
		if located(p) != test[0] || !strings.Contains(p.Fields[0].Message, test[1]) {
			t.Errorf("%s: %s", query, a.body)
		}
	}
	p := s.ask("ledger", "on=2026-01-01").problem(t)
	equal(t, "no parameters", p.Fields[0].Message, "unknown: this question takes view")

	// A refusal does not outgrow the request.
	var many []string
	for i := range 200 {
		many = append(many, fmt.Sprintf("p%03d=%s", i, strings.Repeat("x", 10)))
	}
	p = s.ask("ledger", strings.Join(many, "&")).problem(t)
	equal(t, "told", len(p.Fields), 50)
	p = s.ask("members", "on="+strings.Repeat("x", 200)).problem(t)
	equal(t, "shown", p.Fields[0].Value, strings.Repeat("x", 80)+"…")
}

// What only one face can be given.
func TestOnlyOverHTTP(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	for path, test := range map[string]struct {
		status  int
		located string
	}{
		"/members?on=2026-01-01&on=2026-01-02": {400, "on"},
		"/members?on=&on=&min_seq=x":           {422, "on min_seq"},
		"/members?colour=red&colour=blue":      {400, "colour"},
		"/members?on=%zz":                      {400, ""},
		"/members?a;b":                         {400, ""},
		"/members?":                            {200, ""},
		"/members?on=&as_of=":                  {400, "as_of on"},
		"/pledges?nation=":                     {400, "nation"},
		"/coverage?view=":                      {400, "view"},
		"/pledges/" + l.fra.id.String() + "?id=" + l.fra.id.String(): {400, "id"},
		"/pledges/a%2Fb":              {422, "id"},
		"/pledges/%2E%2E":             {422, "id"},
		"/operations/a%2F..%2Fb?on=x": {422, "operation on"},
		"/pledges/" + strings.ToLower(l.fra.id.String()) + "?as_of=never": {422, "id as_of"},
	} {
		a := s.get(s.url + Root + path)
		equal(t, path, a.status, test.status)
		if a.status != http.StatusOK {
			equal(t, path, located(a.problem(t)), test.located)
		}
	}
	for _, path := range []string{"/pledges.csv?nation=%20", "/records/events?nation="} {
		status, _, body := s.send(http.MethodGet, s.url+Root+path, nil, nil)
		equal(t, path, status, http.StatusBadRequest)
		if !strings.Contains(string(body), `"location":"nation"`) {
			t.Errorf("%s: %s", path, body)
		}
	}
}

func TestOnlyOverNATS(t *testing.T) {
	t.Parallel()
	s := newServer(t, newRound(t).testLog)
	for data, test := range map[string]struct {
		status  int
		located string
	}{
		"":                                      {200, ""},
		" \n":                                   {200, ""},
		"{}":                                    {200, ""},
		` { "as_of" : 7 , "min_seq" : 1 } `:     {200, ""},
		`{"as_of":"7","min_seq":"1"}`:           {200, ""},
		`{"as_of":"7","min_seq":"1","on":""}`:   {400, "on"},
		`{"as_of":7.0}`:                         {422, "as_of"},
		`{"min_seq":-1,"as_of":1e2,"on":1}`:     {422, "as_of on min_seq"},
		`{"as_of":null,"on":true,"min_seq":[]}`: {400, "as_of on min_seq"},
		`{"on":{},"min_seq":"x"}`:               {422, "on min_seq"},
		`{"colour":null}`:                       {400, "colour"},
		`{"On":"2026-01-01"}`:                   {400, "On"},
		"null":                                  {400, ""},
		"[]":                                    {400, ""},
		`"as_of"`:                               {400, ""},
		"as_of=7":                               {400, ""},
		`{"on":"2026-01-01","on":""}`:           {400, ""},
		`{"on":"2026-01-01"} {}`:                {400, ""},
		`{"on":"2026-01-01"`:                    {400, ""},
		"{\"on\":\"\xff\"}":                     {400, ""},
	} {
		a := s.request("members", data)
		equal(t, data, a.status, test.status)
		if a.status != http.StatusOK {
			equal(t, data, located(a.problem(t)), test.located)
		}
	}
	for _, question := range []string{"pledge", "plan"} {
		p := s.request(question, `{"on":"x"}`).problem(t)
		if names := strings.Split(located(p), " "); len(names) != 2 ||
			!slices.Contains(names, "on") || !strings.HasPrefix(p.Fields[0].Message, "missing") {
			t.Errorf("%s: %v", question, p)
		}
	}
}

// Days are said from today on, and a month stands for its days.
func TestDaysInWords(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ said, want string }{
		{"today", "2028-01-30"}, {"+30d", "2028-02-29"}, {" 30d", "2028-02-29"},
		{"-2w", "2028-01-16"}, {"2028-02", "2028-02-01..2028-02-29"},
		{"2027-12", "2027-12-01..2027-12-31"}, {"today..+1w", "2028-01-30..2028-02-06"},
		{"2027-06..2027-07", "2027-06-01..2027-07-31"}, {"2027-06..", "2027-06-01..2199-12-31"},
		{"..-1d", "1900-01-01..2028-01-29"}, {"2027-13", "refused"}, {"+30", "refused"},
		{"30d", "refused"}, {"+1w..-1w", "refused"},
		{"+9999w", "refused"},
	} {
		p := parameters{request: request{given: map[string]string{"on": test.said}},
			today: 2028_01_30}
		on, until := p.days("on", "")
		got := on.String()
		if until != 0 {
			got += ".." + until.String()
		}
		if p.problem() != nil {
			got = "refused"
		}
		if got != test.want {
			t.Errorf("%q stands for %s, not %s", test.said, got, test.want)
		}
	}
}

// What is said from today on is another day tomorrow, so that no answer lasts.
func TestDaysThatPass(t *testing.T) {
	t.Parallel()
	for said, passes := range map[string]bool{"": false, "2028-01-30": false, "2028-01": false,
		"today": true, "+30d": true, "2028-01-01..+1w": true, "today..": true} {
		p := parameters{request: request{given: map[string]string{"on": said}}}
		if p.passes("on") != passes {
			t.Errorf("%q passes: %t", said, !passes)
		}
	}
}
