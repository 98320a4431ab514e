package web

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"muster/events"
	"muster/projections"
)

// Every answer says for whom it was counted where that is not everybody: as JSON, in each row as
// CSV, and to people.
func TestEveryAnswerSaysForWhom(t *testing.T) {
	if testing.Short() {
		t.Skip("one question after the other")
	}
	t.Parallel()
	c := newConfidence(t)
	s := newServer(t, c.testLog)
	example := given(c.round)
	example["record"] = number(c.fra.seq)
	part := func(name string) string { return example[name] }
	withdrawn, err := events.Marshal(&events.PledgeWithdrawn{PledgeStep: events.PledgeStep{
		Header: head("pledge.withdrawn"), Dated: dated(2026_01_15),
		Place: events.Place{Operation: "force", Nation: "FRA"},
		Step:  events.Step{Pledge: c.fra.id, Reason: "it was needed elsewhere"}}})
	if err != nil {
		t.Fatal(err)
	}
	needs := map[string]string{"explain": "line=ground-all", "diff": "from=3", "digest": "from=3",
		"preview": "statements=" + url.QueryEscape(string(withdrawn))}
	for _, q := range s.service.questions {
		path := partOfPath.ReplaceAllStringFunc(q.path, func(in string) string {
			return part(strings.Trim(in, "{}"))
		})
		for _, view := range []events.View{"FRA", events.CoalitionView, events.CoordinatorsView,
			""} {
			asked := path + "?" + needs[q.name]
			if view != "" {
				asked += "&view=" + string(view)
			}
			want := view
			if view == events.CoordinatorsView {
				want = ""
			}
			status, _, _, body := s.fetch(asked, "")
			equal(t, asked, status, http.StatusOK)
			if !saysView(body, want) {
				t.Errorf("%s does not say for whom: %s", asked, body)
			}
			if q.list == nil {
				continue
			}
			_, _, _, body = s.fetch(strings.Replace(asked, "?", ".csv?", 1), "")
			rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
			if err != nil {
				t.Fatal(asked, err)
			}
			last := len(rows[0]) - 1
			equal(t, asked+" as CSV has a column view", rows[0][last] == "view", want != "")
			for _, row := range rows[1:] {
				equal(t, asked+" says so in a row", want == "" || row[last] == string(want), true)
			}
			told := s.toPeople(&q, asked, part)
			equal(t, asked+" says so to people: "+told, strings.Contains(told, "released to"),
				want != "")
			if want != "" && !strings.Contains(told, projections.Released(want)) {
				t.Errorf("%s says to people: %s", asked, told)
			}
		}
	}
}

func saysView(body string, want events.View) bool {
	if want == "" {
		return !strings.Contains(body, `"view":`)
	}
	return strings.Contains(body, `"view":"`+string(want)+`"`)
}

// toPeople returns the lines over and under the rows, as people are told them.
func (s *testServer) toPeople(q *question, asked string, part func(string) string) string {
	s.t.Helper()
	_, parameters, _ := strings.Cut(asked, "?")
	values, err := url.ParseQuery(parameters)
	if err != nil {
		s.t.Fatal(err)
	}
	r := requestFrom(q.path, values, part)
	as, err := s.service.choose(s.t.Context(), r)
	if err != nil {
		s.t.Fatal(asked, err)
	}
	query, err := q.read(s.t.Context(), as, r)
	if err != nil {
		s.t.Fatal(asked, err)
	}
	var lines []string
	err = q.list(s.t.Context(), as, query, func(t Table, _ map[string]string) error {
		lines = slices.Concat(lines, t.Above, t.Below, []string{t.Foot()})
		return nil
	})
	if err != nil {
		s.t.Fatal(asked, err)
	}
	return strings.Join(lines, "\n")
}
