package server

import (
	"net/url"
	"strings"
	"testing"

	"muster/events"
	"muster/projections/access"
)

// newAlliance declares an organisation in a server's operation, admits a liaison of it and has it
// pledge in confidence.
func newAlliance(t *testing.T, cfg Config) *confidence {
	c := newConfidence(t, cfg)
	on := events.Dated{Effective: 2026_01_01}
	c.say("HQ/founder", &events.OperationRevised{Header: c.head("operation.revised"), Dated: on,
		OperationTerms: events.OperationTerms{Operation: "op", Title: "An operation",
			Roles: []events.RoleDefinition{{Role: "ground", Title: "Troops",
				Units: []events.Unit{"personnel"}}},
			Organisations: events.Organisations{{Code: "x-nato", Name: "NATO",
				Also: []string{"OTAN"}}}}})
	c.say("HQ/founder", &events.MemberAdmitted{Header: c.head("member.admitted"),
		Key: c.key("x-nato/shape").Key(), Role: events.Liaison})
	c.say("x-nato/shape", &events.PledgeOffered{Header: c.head("pledge.offered"), Dated: on,
		Place: events.Place{Operation: "op", Nation: "x-nato"},
		PledgeTerms: events.PledgeTerms{Role: "ground", Quantity: events.Count(700400029),
			Unit: "personnel", Window: events.Window{From: 2026_01_01},
			Release: events.CoordinatorsOnly}})
	return c
}

// An organisation signs in, reads what is its own, and is named on pages: what it has confided is
// nobody else's.
func TestOrganisationsOnPages(t *testing.T) {
	c := newAlliance(t, Config{Read: access.ReadReleased})
	own, others := c.signIn("x-nato/shape"), c.signIn("FRA/paris")
	for path, want := range map[string]string{
		"/pledges":                        "700,400,029",
		"/pledges?nation=x-nato":          `<span class="code">x-nato</span> NATO`,
		"/mine":                           "<h1>NATO</h1>",
		"/mine?lang=fr":                   "<h1>NATO</h1>",
		"/mine?nation=OTAN":               "<h1>NATO</h1>",
		"/session":                        "NATO",
		"/log?nation=x-nato":              "pledge.offered",
		"/plan?operation=op":              "OTAN",
		"/nations":                        "NATO",
		"/members":                        "NATO",
		"/due":                            "NATO",
		"/?show=nations":                  "NATO",
		"/api/v1/pledges.csv":             ",x-nato,op,ground,700400029,",
		"/api/v1/nations/x-nato":          `"name":"NATO"`,
		"/api/v1/pledges?nation=x-nato":   `"organisation":"NATO"`,
		"/api/v1/coverage?without=x-nato": `"x-nato"`,
	} {
		a := c.ask("GET", path, "", cookie(own)...)
		if a.StatusCode != 200 || !strings.Contains(a.body, want) {
			t.Errorf("%s: %s does not say %q: %.600s", path, a.Status, want, a.body)
		}
		a = c.ask("GET", path, "", cookie(others)...)
		if strings.Contains(strings.ReplaceAll(a.body, ",", ""), "700400029") {
			t.Errorf("%s tells France what is not released to it", path)
		}
	}
	form := url.Values{"type": {"pledge.offered"}, "operation": {"op"}, "nation": {"OTAN"},
		"role": {"ground"}, "quantity": {"5"}, "unit": {"personnel"}, "from": {"2026-01-01"},
		"effective": {"2026-01-01"}}
	a := c.ask("POST", "/submit", form.Encode(), append(cookie(own),
		"Content-Type", "application/x-www-form-urlencoded")...)
	if !strings.Contains(a.body, `&#34;nation&#34;:&#34;x-nato&#34;`) {
		t.Errorf("the form: %s %.3000s", a.Status, a.body)
	}

	// A file, too, names it as people do, and another operation declares none.
	const quantity = "nation,quantity\nOTAN,17\n"
	if a := c.bring(own, []byte(quantity), forAll); a.StatusCode != 200 ||
		!strings.Contains(a.body, "NATO (x-nato) offers 17 personnel for ground to op") {
		t.Errorf("a file: %s %s", a.Status, a.body)
	}
	a = c.bring(own, []byte(quantity), strings.Replace(forAll, "op,", "other,", 1))
	if a.StatusCode != 422 || !strings.Contains(a.body, "no organisations are declared") {
		t.Errorf("a file for another operation: %s %s", a.Status, a.body)
	}
}
