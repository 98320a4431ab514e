package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"muster/events"
	"muster/projections"
)

func TestLedger(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	a := told[Ledger](s, "ledger", "")
	equal(t, "origin", a.Origin, testOrigin)
	equal(t, "founder", a.Founder, l.key("HQ/founder").Key())
	equal(t, "sequence", a.Sequence, l.Last())
	equal(t, "recorded", a.Recorded.Format(time.RFC3339), l.recorded(l.Last()))
}

// Before the first record there is nothing to say, and it is said so.
func TestNotFounded(t *testing.T) {
	t.Parallel()
	s := newServer(t, &testLog{t: t, more: make(chan struct{})})
	for _, question := range []string{"ledger", "rebuild", "fingerprint"} {
		a := s.ask(question, "")
		equal(t, question, a.status, http.StatusServiceUnavailable)
		if p := a.problem(t); !strings.Contains(p.Detail, "not founded") || p.Hint == "" {
			t.Errorf("%s: %s", question, a.body)
		}
	}
	equal(t, "pledges", len(told[projections.PledgeList](s, "pledges", "").Pledges), 0)
	equal(t, "records", told[Records](s, "records", "").Next, 1)
	equal(t, "as of a date", s.ask("pledges", "as_of=2026-01-01").status,
		http.StatusUnprocessableEntity)
}

// A ledger in which nothing was said but that there is one has answers to all questions: lists that
// are empty, and not null.
func TestNothingSaid(t *testing.T) {
	t.Parallel()
	s := newServer(t, newTestLog(t))
	for _, question := range []string{"ledger", "coverage", "strength", "pledges", "members",
		"scopes", "records", "rebuild", "gaps", "timeline", "dependence",
		"hanging", "readiness", "review", "due", "nations"} {
		equal(t, question, s.ask(question, "").status, http.StatusOK)
	}
}

func TestCoverage(t *testing.T) {
	t.Parallel()
	s := newServer(t, newRound(t).testLog)
	tell := func(query string) string {
		c := told[Coverage](s, "coverage", query)
		text := fmt.Sprint(c.On, " ", c.Rung, ":")
		for _, l := range c.Lines {
			text += fmt.Sprint(" ", l.Line, " ", l.Supply, "/", l.Required)
		}
		for _, n := range c.NotCounted {
			text += fmt.Sprint(" ", n.Nation, " ", n.Reason)
		}
		for _, n := range c.Notes {
			text += fmt.Sprint(" (", n.Operation, " ", n.Note, ")")
		}
		return text
	}
	const beside = " POL unknown-quantity NOR reserve ESP no-line"
	for query, want := range map[string]string{
		"": "2026-01-20 offered: air-all 5/10 ground-all 700/1000" +
			beside + " (force illustrative) (relief illustrative)",
		"operation=force&on=2026-01-04": "2026-01-04 offered: air-all 5/10 ground-all 720/1000" +
			beside + " (force illustrative)",
		"role=air": "2026-01-20 offered: air-all 5/10 (force " +
			"illustrative) (relief illustrative)",
		"operation=force&role=ground": "2026-01-20 offered: ground-all 700/1000 POL " +
			"unknown-quantity NOR reserve (force illustrative)",
		"role=air&rung=deployed": "2026-01-20 deployed: air-all 4/10 (force " +
			"illustrative) (relief illustrative)",
		"role=ground&on=2026-03-01": "2026-03-01 offered: ground-all 750/1000 POL " +
			"unknown-quantity NOR reserve (force illustrative) (relief illustrative)",
		"operation=relief":              "2026-01-20 offered: (relief illustrative)",
		"operation=relief&role=medical": "2026-01-20 offered: (relief illustrative)",
		"role=air&as_of=6": "2026-01-01 offered: air-all 0/10 (force " +
			"illustrative) (relief illustrative)",
		"as_of=2&on=2026-01-20": "2026-01-20 offered: (force illustrative)",
		"role=air&on=2026-01-03&rung=": "2026-01-03 offered: air-all 5/10 (force " +
			"illustrative) (relief illustrative)",
		"role=air&rung=accepted&as_of=7": "2026-01-01 accepted: air-all 0/10 (force " +
			"illustrative) (relief illustrative)",
	} {
		equal(t, query, tell(query), want)
	}
}

func TestStrength(t *testing.T) {
	t.Parallel()
	s := newServer(t, newRound(t).testLog)
	tell := func(query string) string {
		a := told[projections.Strength](s, "strength", query)
		text := strings.Join(a.By, "+")
		for _, r := range a.Rows {
			text += fmt.Sprint(" ", r.Operation, r.Nation, r.Role, r.Quantity, r.Unit)
		}
		return text
	}
	for query, want := range map[string]string{
		"nation=FRA":                              "nation FRA400personnel",
		"by=role&role=ground":                     "role ground700personnel",
		"by=role,nation&nation=SWE":               "role+nation SWEair5aircraft",
		"by=operation&role=fund":                  "operation force2500000.50EUR",
		"by=unit&operation=force&rung=deployed":   "unit 4aircraft",
		"nation=GBR":                              "nation",
		"nation=GBR&on=2026-03-01":                "nation GBR50personnel",
		"operation=relief":                        "nation",
		"nation=DNK&on=2026-01-04&by=nation,role": "nation+role DNKground20personnel",
	} {
		equal(t, query, tell(query), want)
	}
}

func TestPledges(t *testing.T) {
	t.Parallel()
	s := newServer(t, newRound(t).testLog)
	tell := func(query string) string {
		var nations []string
		for _, p := range told[projections.PledgeList](s, "pledges", query).Pledges {
			nations = append(nations, string(p.Nation))
		}
		return strings.Join(nations, " ")
	}
	for query, want := range map[string]string{
		"":                                "FRA DEU POL NOR ESP SWE GBR DNK",
		"state=live":                      "FRA DEU POL NOR ESP SWE",
		"state=ahead":                     "GBR",
		"state=withdrawn":                 "DNK",
		"state=withdrawn&on=2026-01-04":   "",
		"state=declined":                  "",
		"state=returned":                  "",
		"rung=accepted":                   "SWE",
		"rung=indicated&role=ground":      "FRA DEU POL NOR GBR DNK",
		"nation=DEU":                      "DEU",
		"operation=relief":                "",
		"operation=force&role=fund":       "ESP",
		"nation=DEU&role=air":             "",
		"limit=2":                         "FRA DEU",
		"as_of=8":                         "FRA DEU",
		"min_seq=3&state=live&nation=NOR": "NOR",
	} {
		equal(t, query, tell(query), want)
	}
}

// A cursor walks over everything that passes the filter once, whatever the size of the pages.
func TestPledgesByPages(t *testing.T) {
	if testing.Short() {
		t.Skip("one after the other: there is no race to find")
	}
	t.Parallel()
	l := newRound(t)
	for range 20 {
		l.offer("PRT", 1)
		l.offer("BEL", 1)
	}
	s := newServer(t, l.testLog)
	for _, query := range []string{"as_of=61", "as_of=61&nation=BEL", "as_of=61&nation=ITA"} {
		all := told[projections.PledgeList](s, "pledges", query)
		if !all.Next.IsZero() {
			t.Errorf("%s: %d pledges are not all", query, len(all.Pledges))
		}
		for _, limit := range []int{1, 3, 20, 48, 49, 10000} {
			var got, want []string
			for _, p := range all.Pledges {
				want = append(want, p.ID.String())
			}
			for after := ""; ; {
				page := told[projections.PledgeList](s, "pledges",
					fmt.Sprintf("%s&limit=%d&after=%s", query, limit, after))
				for _, p := range page.Pledges {
					got = append(got, p.ID.String())
				}
				if len(page.Pledges) > limit || len(got) > len(want) {
					t.Fatalf("a page of %d has %d pledges, and %d came", limit,
						len(page.Pledges), len(got))
				}
				if page.Next.IsZero() {
					break
				}
				after = page.Next.String()
			}
			equal(t, fmt.Sprint(query, " by ", limit), strings.Join(got, " "),
				strings.Join(want, " "))
		}
	}
	first := told[projections.PledgeList](s, "pledges", "after="+l.fra.id.String())
	equal(t, "after the first", first.Pledges[0].Nation, "DEU")
	equal(t, "after what is no pledge",
		len(told[projections.PledgeList](s, "pledges", "after=7ZZZZZZZZZZZZZZZZZZZZZZZZZ").Pledges),
		0)
}

func TestPledge(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	swe := "id=" + l.swe.id.String()
	a := told[PledgeLife](s, "pledge", swe)
	equal(t, "rung", a.Pledge.Rung, projections.Deployed)
	equal(t, "life", len(a.Life), 3)
	equal(t, "note", a.Pledge.Note, "“<Gripen> & crew”")
	early := told[PledgeLife](s, "pledge", fmt.Sprint(swe, "&as_of=", l.swe.seq))
	equal(t, "rung then", early.Pledge.Rung, projections.Offered)
	equal(t, "life then", len(early.Life), 1)
	equal(t, "before it was accepted",
		told[PledgeLife](s, "pledge", swe+"&on=2026-01-01").Pledge.Rung, projections.Offered)
	equal(t, "not yet", s.ask("pledge", fmt.Sprint(swe, "&as_of=", l.swe.seq-1)).status,
		http.StatusNotFound)
}

func TestPlanMembersScopes(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	plan := told[Plan](s, "plan", "operation=force")
	equal(t, "roles", len(plan.Catalogue.Roles), 3)
	equal(t, "lines", len(plan.Requirements), 2)
	equal(t, "lines then", len(told[Plan](s, "plan", "operation=force&as_of=5").Requirements), 1)
	equal(t, "lines of relief",
		len(told[Plan](s, "plan", "operation=relief&on=2026-01-01").Requirements), 0)

	members := told[projections.Roster](s, "members", "").Members
	equal(t, "members", len(members), 3)
	equal(t, "revoked", members[2].Revoked, l.Last())
	equal(t, "not revoked then",
		told[projections.Roster](s, "members", fmt.Sprint("as_of=", l.Last()-1)).Members[2].Revoked,
		0)

	for query, want := range map[string]int{"": 1, "nation=FRA": 1, "nation=DEU": 0,
		"role=ground": 1, "role=air": 0,
		"operation=force": 1, "operation=relief": 0, "as_of=10": 0, "on=2025-12-31": 0} {
		equal(t, "scopes "+query, len(told[projections.Scopes](s, "scopes", query).Scopes), want)
	}
}

// What is asked about and is not there is refused with what is there.
func TestNotThere(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	l.open("zulu", events.RoleDefinition{Role: "escort", Title: "Escort",
		Units: []events.Unit{"ship"}})
	s := newServer(t, l.testLog)
	for _, test := range []struct{ question, query, detail, hint string }{
		{"coverage", "operation=other", "operation other", "there are force, relief and zulu"},
		{"coverage", "operation=zulu&as_of=3", "operation zulu", "there are force and relief"},
		{"coverage", "operation=force&as_of=1", "operation force", "no operation was opened yet"},
		{"coverage", "role=cavalry", "role cavalry in the catalogue of any operation",
			"there are air, escort, fund, ground and medical"},
		{"strength", "operation=relief&role=air", "role air in the catalogue of relief",
			"there is medical"},
		{"strength", "operation=other&role=air", "operation other",
			"there are force, relief and zulu"},
		{"pledges", "role=cavalry&operation=force", "role cavalry in the catalogue of force",
			"there are air, fund and ground"},
		{"scopes", "role=cavalry", "role cavalry",
			"there are air, escort, fund, ground and medical"},
		{"plan", "operation=other", "operation other", "there are force, relief and zulu"},
		{"pledge", "id=01KAQ7Z0V4T5W9J8M3N2P6R1XC", "pledge 01KAQ7Z0V4T5W9J8M3N2P6R1XC",
			"list them with"},
	} {
		a := s.ask(test.question, test.query)
		equal(t, test.question+" "+test.query, a.status, http.StatusNotFound)
		if p := a.problem(t); !strings.Contains(p.Detail, test.detail) ||
			!strings.Contains(p.Hint, test.hint) {
			t.Errorf("%s %s: %s", test.question, test.query, a.body)
		}
	}
}

// A role that comes into a catalogue later may be offered before, so it can be asked about.
func TestRoleOfLaterCatalogue(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	l.say("HQ/founder", &events.OperationRevised{Header: head("operation.revised"),
		Dated: dated(2026_06_01), OperationTerms: events.OperationTerms{
			Operation: "relief", Title: "Relief",
			Roles: []events.RoleDefinition{{Role: "medical", Title: "Doctors",
				Units: []events.Unit{"team"}},
				{Role: "water", Title: "Water", Units: []events.Unit{"item"}}}}})
	s := newServer(t, l.testLog)
	equal(t, "pledges", len(told[projections.PledgeList](s, "pledges", "role=water").Pledges), 0)
	equal(t, "before it was said",
		s.ask("pledges", fmt.Sprint("role=water&as_of=", l.Last()-1)).status, http.StatusNotFound)
}

// Long lists of what is there are cut.
func TestManyOperations(t *testing.T) {
	t.Parallel()
	l := newTestLog(t)
	for i := range 40 {
		l.open(events.Operation(fmt.Sprintf("op-%02d", i)),
			events.RoleDefinition{Role: "ground", Title: "Troops",
				Units: []events.Unit{"personnel"}})
	}
	p := newServer(t, l).ask("coverage", "operation=other").problem(t)
	if !strings.Contains(p.Hint, "op-00, op-01") ||
		!strings.HasSuffix(p.Hint, "op-29 and 10 more") {
		t.Error(p.Hint)
	}
}

// What is no answer at all is not mistaken for one.
func TestNoSuchQuestion(t *testing.T) {
	t.Parallel()
	s := newServer(t, newTestLog(t))
	resp, err := http.Get(s.url + Root + "/nothing?" + url.Values{"a": {"b"}}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	equal(t, "status", resp.StatusCode, http.StatusNotFound)
	if err := (Client{URL: s.url}).Ask(t.Context(), "nothing", nil, nil); err == nil ||
		!strings.Contains(err.Error(), `"nothing"`) {
		t.Error(err)
	}
}
