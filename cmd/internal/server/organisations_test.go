package server

import (
	"net/url"
	"strings"
	"testing"

	"muster/cmd/internal/hooks"
	"muster/events"
	"muster/projections/access"
	"muster/projections/web"
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

	// A code that is mistyped is refused with the nearest, to everybody as far as they may read it.
	const unknown = "no organisation that is declared has this code, the nearest are: "
	for path, nearest := range map[string]string{
		"/api/v1/coverage?view=x-otan":           "NATO (x-nato)",
		"/api/v1/pledges?nation=x-otan":          "NATO (x-nato)",
		"/api/v1/coverage?without=FRA,x-otan":    "NATO (x-nato)",
		"/api/v1/nations/x-otan":                 "NATO (x-nato)",
		"/tile/released/000.p/1?view=x-otan":     "NATO (x-nato)",
		"/pledges?view=x-otan":                   "NATO (x-nato)",
		"/pledges?view=x-otan&lang=fr":           "NATO (x-nato)",
		"/api/v1/records?nation=x-otan&from=2":   "NATO (x-nato)",
		"/api/v1/pledges?nation=x-nat&view=NATO": "NATO (x-nato)",
	} {
		said := unknown
		if strings.Contains(path, "lang=fr") {
			said = "aucune organisation déclarée n’a ce code, les plus proches sont\u00a0: "
		}
		a := c.ask("GET", path, "", cookie(own)...)
		if a.StatusCode != 422 || !strings.Contains(a.body, said+nearest) {
			t.Errorf("%s: %s %.2000s", path, a.Status, a.body)
		}
	}
	c.say("HQ/founder", &events.OperationOpened{Header: c.head("operation.opened"),
		Dated: events.Dated{Effective: 2026_01_01}, Release: events.CoordinatorsOnly,
		OperationTerms: events.OperationTerms{Operation: "closed", Title: "Another",
			Roles: []events.RoleDefinition{{Role: "r", Title: "R", Units: []events.Unit{"item"}}},
			Organisations: events.Organisations{{Code: "x-osce", Name: "The Watchers"},
				{Code: "x-aux", Name: "Others"}}}})
	c.say("HQ/founder", &events.MemberAdmitted{Header: c.head("member.admitted"),
		Key: c.key("x-osce/vienna").Key(), Role: events.Liaison})
	for code, want := range map[string]string{
		"x-osc":  unknown + "x-osce (x-osce), NATO (x-nato)", // by its key, which is public
		"x-aux":  unknown + "NATO (x-nato), x-osce (x-osce)", // as if it were not there
		"x-osce": "view \"x-osce\"",                          // which is refused for who asks
	} {
		a := c.ask("GET", "/api/v1/coverage?view="+code, "")
		if !strings.Contains(a.body, strings.ReplaceAll(want, `"`, `\"`)) ||
			strings.Contains(a.body, "Watchers") || (a.StatusCode == 422) != (code != "x-osce") {
			t.Errorf("%s, to the public: %s %s", code, a.Status, a.body)
		}
	}

	// Hooks and what is told over NATS name it by any name that was ever declared.
	nkey, asNATO := newNKey(t)
	told := make(chan web.NewsMessage, 100)
	cfg := c.cfg
	cfg.Founding, cfg.NATSListen = nil, "127.0.0.1:0"
	cfg.Hooks = []hooks.Hook{{Name: "shape", URL: hear(t, told), View: "l’OTAN", Secret: "whsec_" +
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}
	cfg.Changed = []Publication{{"nato", []string{nkey}}}
	restart := func(cfg Config) (err error) {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		s, err := Start(t.Context(), cfg)
		if err == nil {
			c.Server = s
		}
		return err
	}
	wrong := cfg
	wrong.Changed = []Publication{{"nato", []string{nkey}}, {"x-nato", []string{nkey}}}
	if err := restart(wrong); err == nil || !strings.HasPrefix(err.Error(),
		"--changed x-nato: it is named twice") {
		t.Errorf("one is named twice: %v", err)
	}
	wrong.Changed = []Publication{{"x-otan", []string{nkey}}}
	if err := restart(wrong); err == nil || !strings.HasPrefix(err.Error(),
		`--changed: x-otan is no view: `+unknown+"NATO (x-nato)") {
		t.Errorf("a mistyped code: %v", err)
	}
	if err := restart(cfg); err != nil {
		t.Fatal(err)
	}
	heard := listen(t, c.NATSURL(), "muster.changed.x-nato.>", asNATO)
	c.say("x-nato/shape", &events.ScopeDeclared{Header: c.head("scope.declared"),
		Dated: events.Dated{Effective: 2026_01_01},
		Place: events.Place{Operation: "op", Nation: "x-nato"},
		Roles: []events.Role{"ground"}})
	record := c.Journal.Last()
	if lines := hearUntil(t, heard, record); !strings.Contains(lines, "muster.changed.x-nato.") {
		t.Errorf("over NATS NATO hears %s", lines)
	}
	if all := until(t, told, record); all[len(all)-1].Data.View != "x-nato" {
		t.Errorf("its hook is told %+v", all)
	}
}
