package server

import (
	"bytes"
	"fmt"
	"html"
	"mime/multipart"
	"strings"
	"testing"
	"time"

	"muster/events"
	"muster/projections/access"
)

// plan sends a plan file to its page, as a browser does.
func (c *confidence) plan(token, address string, data []byte) answered {
	c.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "plan.yaml")
	if err == nil {
		_, err = part.Write(data)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return c.post("/plan/file"+address, token, form, &body)
}

const planHead = "operation: op\ntitle: An operation\nroles:\n" +
	"  - {role: ground, title: Troops, unit: personnel}\n"

// A plan file is shown line by line to a coordinator, compared with what that one may read, and
// nothing is recorded. What the page writes of a plan is such a file, and says nothing new.
func TestPlanFile(t *testing.T) {
	c := newConfidence(t, Config{Read: access.ReadReleased})
	c.say("HQ/founder", &events.RequirementIssued{Header: c.head("requirement.issued"),
		Dated: events.Dated{Effective: 2026_01_01}, Release: events.CoordinatorsOnly,
		RequirementTerms: events.RequirementTerms{Operation: "op", Line: "unseen", Role: "ground",
			Quantity: events.Count(7), Unit: "personnel", Priority: 1,
			Window: events.Window{From: 2026_01_01}}})
	before := c.Journal.Last()
	hq, paris := c.signIn("HQ/founder"), c.signIn("FRA/paris")
	main := func(a answered) string {
		_, said, _ := strings.Cut(a.body, "<main")
		return said
	}
	written := func(token, address string) []byte {
		t.Helper()
		a := c.ask("GET", "/plan.yaml?operation=op"+address, "", cookie(token)...)
		if a.StatusCode != 200 || a.Header.Get("Content-Disposition") !=
			`attachment; filename="op.yaml"` || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %v %s", a.Status, a.Header, a.body)
		}
		return []byte(a.body)
	}
	whole := written(hq, "")
	if a := c.plan(hq, "", whole); a.StatusCode != 200 || !strings.Contains(a.body,
		"The ledger says what this file says") || !strings.Contains(a.body, "unseen") {
		t.Errorf("given back: %s %s", a.Status, main(a))
	}
	if a := c.plan(paris, "", whole); a.StatusCode != 403 || strings.Contains(a.body, "unseen") {
		t.Errorf("a liaison: %s %s", a.Status, main(a))
	}
	// Who may read less writes less, which is not to be given back as if it were all.
	part := written(paris, "")
	if bytes.Contains(part, []byte("unseen")) || !bytes.Contains(part, []byte("view: FRA")) {
		t.Errorf("France writes\n%s", part)
	}
	if a := c.plan(hq, "", part); a.StatusCode != 409 ||
		!strings.Contains(a.body, "base.view") || strings.Contains(a.body, "data-say") {
		t.Errorf("France's, given by a coordinator: %s %s", a.Status, main(a))
	}
	if a := c.plan(hq, "?view=coalition", whole); a.StatusCode != 409 {
		t.Errorf("in a narrower view: %s %s", a.Status, main(a))
	}
	changed := bytes.ReplaceAll(whole, []byte("quantity: 7"), []byte("quantity: 9"))
	if a := c.plan(hq, "", changed); a.StatusCode != 200 ||
		strings.Count(a.body, "data-say") != 1 || !strings.Contains(a.body, "requirement.revised") {
		t.Errorf("changed: %s %s", a.Status, main(a))
	}
	for want, data := range map[string]string{
		"requirements[0].quantity</code> <q>many</q>: ": planHead +
			"requirements:\n  - {line: a, role: ground, quantity: many, from: 2026-01-01}\n" +
			"  - {line: b, role: grond, quantity: 1, from: 2026-01-01}\n",
		"plan.yaml is neither YAML nor JSON: line 2": "a: [\n",
		// The rules are asked, too.
		"the requirement unseen begins on <time>2026-01-01</time>": planHead +
			"effective: 2025-01-01\nrequirements:\n" +
			"  - {line: a, role: ground, quantity: 1, from: 2026-01-01}\n",
	} {
		if a := c.plan(hq, "", []byte(data)); a.StatusCode/100 != 4 ||
			!strings.Contains(a.body, want) || !strings.Contains(a.body, `id="desk-form"`) ||
			strings.Contains(a.body, "data-say") {
			t.Errorf("the page does not say %q: %s %s", want, a.Status, main(a))
		}
	}
	if c.Journal.Last() != before {
		t.Errorf("%d records came", c.Journal.Last()-before)
	}

	// What was shown is signed and sent whatever becomes of the server meanwhile.
	_, text, _ := strings.Cut(c.plan(hq, "", changed).body, "<tr data-say>")
	_, text, _ = strings.Cut(text, "<pre>")
	text, _, _ = strings.Cut(text, "</pre>")
	st, err := events.Parse([]byte(html.UnescapeString(text)))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	cfg := c.cfg
	cfg.Founding = nil
	if err = c.Close(); err == nil {
		c.Server, err = Start(t.Context(), cfg)
	}
	if err != nil {
		t.Fatal(err)
	}
	c.say("HQ/founder", st)
	if a := c.plan(c.signIn("HQ/founder"), "", changed); a.StatusCode != 200 ||
		!strings.Contains(a.body, "The ledger says what this file says") {
		t.Errorf("once it is signed: %s %s", a.Status, main(a))
	}
}

// A short file may ask for much: each is refused, and soon.
func TestPlanFileTooMuch(t *testing.T) {
	if testing.Short() {
		t.Skip("one after the other: there is no race to find")
	}
	c := newConfidence(t, Config{})
	lines := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "- {line: a%d, role: ground, quantity: 1, from: 2026-01-01}\n", i)
		}
		return planHead + "requirements:\n" + b.String()
	}
	const room = 640 << 10
	bomb := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for i := range 20 {
		bomb += fmt.Sprintf("%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", 'b'+i, 'b'+i,
			'a'+i, 'a'+i, 'a'+i, 'a'+i, 'a'+i, 'a'+i, 'a'+i, 'a'+i, 'a'+i)
	}
	keys := ""
	for i := 0; len(keys) < room-20; i++ {
		keys += fmt.Sprintf("k%d: 1\n", i)
	}
	var roles strings.Builder
	roles.WriteString("operation: op\ntitle: x\nroles:\n")
	for i := 0; roles.Len() < room/2; i++ {
		fmt.Fprintf(&roles, "- {role: r%d, title: x, unit: ship}\n", i)
	}
	roles.WriteString("requirements:\n")
	for roles.Len() < room-60 {
		roles.WriteString("- {line: a, role: none}\n")
	}
	for name, test := range map[string]struct{ data, want string }{
		"a bomb":        {bomb, "unknown key"},
		"nested":        {strings.Repeat("[", room-1), "neither YAML nor JSON"},
		"nested, whole": {strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "write keys and"},
		"keys":          {keys, "unknown key"},
		"roles":         {roles.String(), "from 1 to 64"},
		"lines":         {lines(importRows + 1), "the file has 5001 lines, and a page takes 5000"},
		"statements":    {lines(importSays + 1), "makes 501 statements, and a page signs 500"},
		"large":         {strings.Repeat("#", room+1), "has 640 KB at most on this page"},
		"empty":         {"", "No file was chosen"},
		"binary":        {"PK\x03\x04\x00", "no text in UTF-8"},
	} {
		begun := time.Now()
		a := c.plan("", "", []byte(test.data))
		if a.StatusCode/100 != 4 || !strings.Contains(a.body, test.want) ||
			strings.Contains(a.body, "data-say") || len(a.body) > 1<<20 {
			t.Errorf("%s: %s, %d bytes: %.900s", name, a.Status, len(a.body),
				a.body[strings.Index(a.body, "<main"):])
		}
		t.Logf("%s: %v", name, time.Since(begun).Round(time.Millisecond))
	}
}
