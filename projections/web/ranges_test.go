package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"muster/projections"
)

// Every question that takes on takes a range, and says which it was.
func TestOnRange(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("every question is asked, one after the other")
	}
	l := newRound(t)
	s := newServer(t, l.testLog)
	for question, more := range map[string]string{"coverage": "&operation=force",
		"strength": "&by=nation", "pledges": "&limit=3", "pledge": "&id=" + l.swe.id.String(),
		"plan": "&operation=force", "members": "", "scopes": "", "gaps": "&role=ground",
		"dependence": "", "hanging": "", "readiness": "&within=7", "review": "", "due": "",
		"nations": "", "nation": "&nation=SWE", "late": "", "corrections": "", "delivery": "",
		"counted": "&record=13",
		"explain": "&what=strength"} {
		for _, on := range []string{"2026-01-02..2026-03-31", "..2026-03-31",
			"2026-01-02..", ".."} {
			var a projections.Basis
			if err := json.Unmarshal([]byte(s.ask(question, "on="+on+more).body), &a); err != nil {
				t.Fatal(err)
			}
			equal(t, question, a.Days(), on)
		}
	}
}

func TestRangeIsTold(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	const half = "on=2026-01-02..2026-06-30"
	c := told[Coverage](s, "coverage", half+"&operation=force")
	if len(c.Lines) == 0 || c.Lines[0].Day < c.On || c.Lines[0].Day > c.Until {
		t.Fatalf("%+v", c)
	}
	for _, l := range c.Lines {
		one := told[Coverage](s, "coverage", "operation=force&on="+l.Day.String())
		for _, same := range one.Lines {
			if same.Line == l.Line && (same.Supply != l.Supply || same.Gap != l.Gap) {
				t.Errorf("%s has %s on %s, and %s of the range", l.Line, same.Supply,
					l.Day, l.Supply)
			}
		}
	}
	for _, question := range []string{"coverage", "strength", "pledges", "gaps", "dependence",
		"readiness", "review", "due", "hanging", "nations", "nations/SWE", "scopes", "delivery",
		"operations/force"} {
		status, _, body := s.getCSV("/" + question + ".csv?" + half)
		equal(t, question, status, http.StatusOK)
		rows := strings.Split(strings.TrimSpace(body), "\n")
		if len(rows) > 1 && !strings.Contains(rows[1], "2026-01-02..2026-06-30") {
			t.Errorf("%s does not say of which days it tells: %s", question, rows[1])
		}
		for _, row := range rows[1:] {
			if strings.Count(rows[0], ",") > strings.Count(row, ",") {
				t.Errorf("%s: a row is shorter than its head: %s", question, row)
			}
		}
	}
}

// The days of a time line may be given as every question takes them.
func TestTimelineOnRange(t *testing.T) {
	t.Parallel()
	s := newServer(t, newRound(t).testLog)
	a := told[projections.Timeline](s, "timeline", "on=2026-01-02..2026-03-31")
	equal(t, "from", a.From, 2026_01_02)
	equal(t, "until", a.Until, 2026_03_31)
	equal(t, "the first alone", told[projections.Timeline](s, "timeline", "on=2026-01-02").Until,
		2027_01_02)
}
