package server

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime/multipart"
	"strings"
	"testing"

	"muster/events"
	"muster/projections"
	"muster/projections/access"
	"muster/projections/records"
	"muster/projections/web/page"
)

// bring sends a file and its mapping to the page, as a browser does.
func (c *confidence) bring(token string, data []byte, mapping string, good ...string) answered {
	c.t.Helper()
	return c.send(token, data, mapping, "corrected", "leave", good...)
}

// bringWith sends a file with what was chosen of rows that have changed, and of what is gone.
func (c *confidence) bringWith(data []byte, mapping, changed, gone string) answered {
	c.t.Helper()
	return c.send("", data, mapping, changed, gone)
}

func (c *confidence) send(token string, data []byte, mapping, changed, gone string,
	good ...string) answered {
	c.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, content := range map[string][]byte{"file": data, "mapping": []byte(mapping)} {
		part, err := form.CreateFormFile(name, name)
		if err == nil {
			_, err = part.Write(content)
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
	for name, value := range map[string]string{"changed": changed, "gone": gone} {
		if err := form.WriteField(name, value); err != nil {
			c.t.Fatal(err)
		}
	}
	for _, yes := range good {
		if err := form.WriteField("good", yes); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		c.t.Fatal(err)
	}
	return c.post("/import", token, form, &body)
}

// post sends a form as somebody, "" for nobody.
func (c *confidence) post(path, token string, form *multipart.Writer, body *bytes.Buffer) answered {
	c.t.Helper()
	headers := []string{"Content-Type", form.FormDataContentType()}
	if token != "" {
		headers = append(headers, cookie(token)...)
	}
	return c.ask("POST", path, body.String(), headers...)
}

const forAll = "always: {operation: op, role: ground, unit: personnel, effective: 2026-01-01, " +
	"from: 2026-01-01}\n"

// A file is compared with what its bearer may read, and with nothing else: another's pledge in
// confidence is as one that does not exist. What it comes to is shown, and nothing is recorded.
func TestImportedByWhoMayRead(t *testing.T) {
	c := newConfidence(t, Config{Read: access.ReadReleased})
	var hidden, open events.ID
	for rec, err := range records.Source(c.Journal).Records(1) {
		if err != nil {
			t.Fatal(err)
		}
		if o, ok := rec.Statement.(*events.PledgeOffered); ok {
			switch o.Release {
			case events.CoordinatorsOnly:
				hidden = o.ID
			case events.CoalitionOnly:
				open = o.ID
			}
		}
	}
	before := c.Journal.Last()
	list := func(id events.ID) []byte {
		return fmt.Appendf(nil, "id,nation,quantity\n%s,GBR,17\n", id)
	}
	const byID = "columns: {id: id}\n" + forAll
	london, paris := c.signIn("GBR/london"), c.signIn("FRA/paris")
	unknown := events.NewID()
	is, want := c.bring(london, list(hidden), byID), c.bring(london, list(unknown), byID)
	if is.StatusCode != 409 || !strings.Contains(is.body, "has no pledge "+hidden.String()) {
		t.Errorf("%s %s", is.Status, is.body)
	}
	told := func(a answered, id events.ID) string {
		at := strings.Index(a.body, `id="wrong"`)
		return strings.ReplaceAll(a.body[at:at+400], id.String(), "ID")
	}
	if told(is, hidden) != told(want, unknown) {
		t.Errorf("%s\nand of what is not there\n%s", told(is, hidden), told(want, unknown))
	}
	if a := c.bring(london, list(open), byID); !strings.Contains(a.body, "700200019") {
		t.Errorf("what is open is not shown: %s %s", a.Status, a.body)
	}
	if a := c.bring(paris, list(hidden), byID); !strings.Contains(a.body, "700300023") {
		t.Errorf("its own is not shown: %s %s", a.Status, a.body)
	}
	a := c.bring(london, []byte("nation,quantity\nGBR,17\nFRA,\n"), forAll)
	if a.StatusCode != 422 ||
		!strings.Contains(a.body, `class="wrong"><span class="said">quantity: the cell is empty`) ||
		!strings.Contains(a.body, "data:application/octet-stream;base64,") ||
		strings.Contains(a.body, "data-say") {
		t.Errorf("a row is wrong: %s %s", a.Status, a.body)
	}
	a = c.bring(london, []byte("nation,quantity\nGBR,17\nGBR,\nFRA,18\n"), forAll, "true")
	if a.StatusCode != 200 || strings.Count(a.body, "data-say") != 1 ||
		!strings.Contains(a.body, "Some rows are refused, and come back") {
		t.Errorf("the others are not to be signed: %s %s", a.Status, a.body)
	}
	a = c.bring(london, []byte("nation,quantity\nGBR,17\n"), forAll)
	if a.StatusCode != 200 || strings.Count(a.body, "data-say") != 1 ||
		!strings.Contains(a.body, "pledge.offered") {
		t.Errorf("%s %s", a.Status, a.body)
	}
	a = c.bring(c.signIn("HQ/founder"), []byte("nation,quantity\nGBR,17\nITA,18\n"), forAll)
	if a.StatusCode != 200 || strings.Count(a.body, "data-say") != 2 {
		t.Errorf("a coordinator's: %s %s", a.Status, a.body)
	}
	if c.Journal.Last() != before {
		t.Errorf("%d records came", c.Journal.Last()-before)
	}
}

// A short file and a short mapping may ask for much: for the square of the columns, or for a
// pattern that is tried at each byte. What makes more statements than are previewed is told so.
func TestImportedBounded(t *testing.T) {
	c := newConfidence(t, Config{})
	var wide, several strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&wide, "a%d,b%d,", i, i)
	}
	for i := range projections.MaxPreview + 1 {
		fmt.Fprintf(&several, "GBR,%d\n", i+1)
	}
	one := "nation,quantity,x\nGBR,17,q\n"
	const rule = "rules:\n  - when: {column: x, matches: '%s'}\n    set: {note: '%s'}\n"
	for want, test := range map[string]struct{ data, mapping string }{
		"3000 columns that become rows make 9009000 cells": {wide.String() + "c\n" +
			strings.Repeat("1,", 6000) + "1\n",
			"wide: {matches: '^a', name: month, cell: people}\n"},
		"too large a pattern":      {one, fmt.Sprintf(rule, "(a?){1000}", "q")},
		"longer than the 1000 byt": {one, fmt.Sprintf(rule, strings.Repeat("a", 1001), "q")},
		"too many for so long a": {"nation,quantity,x\nGBR,17," + strings.Repeat("q", 100_000) +
			"\n", fmt.Sprintf(rule, "(.*)", strings.Repeat("$1", 10_000))},
		"the mapping has 39 KB, and a page takes 32": {one, strings.Repeat("#\n", 20_000)},
		"the file makes 501 statements, and a page signs 500": {"nation,quantity\n" +
			several.String(), ""},
	} {
		a := c.bring("", []byte(test.data), forAll+test.mapping)
		if a.StatusCode/100 != 4 || !strings.Contains(a.body, want) {
			t.Errorf("%s: %s %.600s", want, a.Status, a.body[strings.Index(a.body, "<main"):])
		}
	}
}

// What is too much is refused before it is worked on.
func TestImportedTooMuch(t *testing.T) {
	if testing.Short() {
		t.Skip("one after the other: there is no race to find")
	}
	c := newConfidence(t, Config{})
	var bomb bytes.Buffer
	z := zip.NewWriter(&bomb)
	w, err := z.Create("xl/worksheets/sheet1.xml")
	if err == nil {
		_, err = w.Write(make([]byte, importUnzips+1))
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	rows := "nation,quantity\n" + strings.Repeat("GBR,17\n", importRows+1)
	for want, data := range map[string][]byte{
		"the workbook unzips into more than 16 MB": bomb.Bytes(),
		"the file has 5001 rows, and a page takes": []byte(rows),
		"640 KB together at most on this page":     make([]byte, 641<<10),
		"KB together at most on this page: bring":  make([]byte, 3<<20),
	} {
		if a := c.bring("", data, forAll); a.StatusCode != 413 || !strings.Contains(a.body, want) {
			t.Errorf("%s: %s %.300s", want, a.Status, a.body[strings.Index(a.body, "<main"):])
		}
	}
}

// bringRaw sends a form of one file under a name, as it stands in the head of its part.
func (c *confidence) bringRaw(filename string, data []byte) answered {
	c.t.Helper()
	body := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + filename +
		"\"\r\nContent-Type: text/csv\r\n\r\n" + string(data) +
		"\r\n--b\r\nContent-Disposition: form-data; name=\"mapping\"; filename=\"m.yaml\"" +
		"\r\nContent-Type: text/yaml\r\n\r\n" + forAll +
		"\r\n--b\r\nContent-Disposition: form-data; name=\"changed\"\r\n\r\nask" +
		"\r\n--b\r\nContent-Disposition: form-data; name=\"gone\"\r\n\r\nleave\r\n--b--\r\n"
	return c.ask("POST", "/import", body, "Content-Type", "multipart/form-data; boundary=b")
}

// What is wrong with a file stands above the form, with the file's name and what to do on the page.
func TestImportedRefusedAboveTheForm(t *testing.T) {
	c := newConfidence(t, Config{})
	for _, test := range []struct {
		filename string
		data     []byte
		status   int
		want     []string
	}{
		{"round 5.csv", make([]byte, 641<<10), 413, []string{"<bdi>round 5.csv</bdi>",
			"640 KB together at most on this page", "“muster import”"}},
		{"longer.csv", make([]byte, 3<<20), 413, []string{"<bdi>longer.csv</bdi>",
			"640 KB together at most on this page"}},
		{"rows.csv", []byte("nation,quantity\n" + strings.Repeat("GBR,17\n", importRows+1)), 413,
			[]string{"<bdi>rows.csv</bdi>", "the file has 5001 rows, and a page takes 5000"}},
		{"empty.csv", nil, 400, []string{"No file was chosen"}},
		{"a\nb.csv", []byte("nation\nFRA\n"), 400, []string{"a line break or another control " +
			"character", "rename it"}},
		{"a\x01b.csv", []byte("nation\nFRA\n"), 400, []string{"a line break or another control " +
			"character", "rename it"}},
	} {
		a := c.bringRaw(test.filename, test.data)
		if a.StatusCode != test.status || !strings.Contains(a.body, `id="desk-form"`) ||
			!strings.Contains(a.body, `id="wrong"`) || strings.Contains(a.body, "malformed") {
			t.Errorf("%q: %s %.600s", test.filename, a.Status,
				a.body[strings.Index(a.body, "<main"):])
		}
		for _, want := range test.want {
			if !strings.Contains(a.body, want) {
				t.Errorf("%q: the page does not say %q", test.filename, want)
			}
		}
	}
}

// A page speaks of what it has, and of no flags; and a row that is alike leads to the pledge that
// it resembles.
func TestImportedInWordsOfThePage(t *testing.T) {
	c := newConfidence(t, Config{})
	wrong := func(a answered) string {
		_, said, _ := strings.Cut(a.body, `id="wrong"`)
		said, _, _ = strings.Cut(said, `id="desk-form"`)
		return said
	}
	c.say("GBR/london", &events.PledgeOffered{Header: c.head("pledge.offered"),
		Dated: events.Dated{Effective: 2026_01_01},
		Place: events.Place{Operation: "op", Nation: "GBR"},
		PledgeTerms: events.PledgeTerms{Role: "ground", Quantity: events.Count(20),
			Unit: "personnel", Window: events.Window{From: 2026_01_01}}})
	first := c.Journal.Last()
	var id string
	for rec, err := range records.Source(c.Journal).Records(first) {
		if err != nil {
			t.Fatal(err)
		}
		id = rec.Statement.Head().ID.String()
	}
	mapping := "name: tracker\n" + forAll
	a := c.bringWith([]byte("nation,quantity\nGBR,19\n"), mapping, "ask", "leave")
	if a.StatusCode != 409 || !strings.Contains(a.body, `<a href="/pledges/`+id+`">`) {
		t.Errorf("alike: %s %s", a.Status, a.body[strings.Index(a.body, `id="left"`):])
	}
	back := []byte("nation,quantity,problem\nGBR,19,\n")
	a = c.bringWith(back, mapping, "ask", "strike")
	if a.StatusCode != 400 || !strings.Contains(wrong(a), "was never to be said") ||
		!strings.Contains(wrong(a), "stays as recorded") || strings.Contains(wrong(a), "--") {
		t.Errorf("what came back: %s %s", a.Status, wrong(a))
	}
}

// Who has gone is not worked for.
func TestImportedForNobody(t *testing.T) {
	c := newConfidence(t, Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.planImport(ctx, c.Questions, page.ImportFile{Changed: "ask", Gone: "leave",
		SentFile: page.SentFile{Data: []byte("nation,quantity\nGBR,17\n")},
		Mapping:  []byte(forAll)})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
