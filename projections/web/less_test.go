package web

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"muster/events/problem"
	"muster/projections"
)

// A question that costs too much says how to ask for less with parameters that it takes, over HTTP,
// as rows and over NATS.
func TestAskForLess(t *testing.T) {
	usual, usualLong := budget, longBudget
	t.Cleanup(func() { budget, longBudget = usual, usualLong })
	l := newRound(t)
	s := newServer(t, l.testLog)
	id := told[projections.PledgeList](s, "pledges", "").Pledges[0].ID.String()
	needs := map[string]string{"pledge": "id=" + id, "versions": "id=" + id,
		"plan": "operation=force", "nation": "nation=FRA",
		"counted": "record=5", "diff": "from=1", "digest": "from=1", "explain": "what=strength",
		"preview": "statements=" + url.QueryEscape("["+l.withdrawal()+"]")}
	budget.Bytes, longBudget.Bytes = 1, 1
	refused := 0
	for _, q := range questions {
		p := problem.Decode(0, []byte(s.overHTTP(q.name, needs[q.name]).body))
		if p.Kind != problem.TooMuch {
			continue
		}
		refused++
		for _, way := range lesser {
			if says := strings.Contains(p.Hint, way.words); says != slices.Contains(q.inQuery(),
				way.parameter) {
				t.Errorf("%s, which takes %s, is refused with: %s", q.name, q.inQuery(), p.Hint)
			}
		}
		if q.list == nil {
			continue
		}
		address, err := Client{URL: s.url}.address(q.name, params(t, needs[q.name]))
		if err != nil {
			t.Fatal(err)
		}
		path, query, _ := strings.Cut(address, "?")
		_, _, body := s.getCSV(strings.TrimPrefix(path, s.url+Root) + csvSuffix + "?" + query)
		rows := problem.Decode(0, []byte(body))
		if rows.Kind != problem.TooMuch || rows.Hint != p.Hint {
			t.Errorf("%s as rows is refused with: %v", q.name, rows)
		}
	}
	if refused < 10 {
		t.Errorf("only %d questions were refused: this shows little", refused)
	}
	if p := s.request("diff", `{"from":"1"}`).
		problem(t); p.Hint != "ask for less: one operation, one role or one nation" {
		t.Errorf("over NATS: %s", p.Hint)
	}
}
