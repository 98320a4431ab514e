package main

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"muster/projections"
)

// A liaison drops the form that was filled in, sees row by row and cell by cell what it comes to
// and what that would change, signs all of it at once, and saves the receipts. The same form says
// nothing more; where the ledger has changed since, it is asked first, and comes back.
func TestPageImport(t *testing.T) {
	t.Parallel()
	url, dir := ownDemo(t)
	const on = "2190-01-01" // what is said holds from today on
	u := newUser(t)
	form, key := filepath.Join(u.dir, "form.xlsx"), filepath.Join(dir, "keys", "FRA-demo.key")
	u.content(t, "sheet", "new", "--operation", "mnf-u", "--nation", "FRA", form, "--url", url)
	f, err := excelize.OpenFile(form)
	if err != nil {
		t.Fatal(err)
	}
	for cell, value := range map[string]any{"E7": 6100, "N7": "<b>by ship</b>", "B60": "ground",
		"E60": 400, "F60": "personnel", "G60": "2026-07-01"} {
		if err := f.SetCellValue("Pledges", cell, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.SetRowVisible("Pledges", 60, false); err != nil {
		t.Fatal(err)
	}
	if err := f.Save(); err != nil {
		t.Fatal(err)
	}

	b := newTab(t, url)
	// Compared with less than its signer may read, what is recorded would be said again; and what
	// the coordinators say stops a liaison's file before its first word is sent.
	list, mapping := filepath.Join(u.dir, "list.csv"), filepath.Join(u.dir, "list.yaml")
	for name, text := range map[string]string{list: "nation,quantity,rung\nFRA,5,accepted\n",
		mapping: "always: {operation: mnf-u, role: air, unit: aircraft, effective: " + on +
			", from: " + on + "}\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for view, why := range map[string]string{"&view=coalition": "narrower view",
		"": "the coordinators say"} {
		b.open("/import?on=" + on + view)
		b.chooseFile("#i-file", list)
		b.chooseFile("#i-mapping", mapping)
		b.click("#desk-form button")
		b.says(".sum", "list.csv: 2 statements")
		b.chooseFile("#desk-key", key)
		b.says("#desk-problem", why)
		b.says("#desk-send:disabled", "Sign and send")
	}
	// One cause is told once, with the first twenty of its rows; the file that comes back has all.
	many := "nation,quantity\n" + strings.Repeat("Atlantis,5\n", 50) + "Lemuria,6\nFRA,many\n"
	if err := os.WriteFile(list, []byte(many), 0o600); err != nil {
		t.Fatal(err)
	}
	b.open("/import?lang=fr&on=" + on)
	b.chooseFile("#i-file", list)
	b.chooseFile("#i-mapping", mapping)
	b.click("#desk-form button")
	b.says(".causes", "pas un pays connu ici")
	b.says(".causes", "51 lignes\u00a0: ligne 2 Atlantis, ligne 3 Atlantis")
	b.says(".causes", "ligne 21 Atlantis et 31 autres.")
	b.says(".causes", "1 ligne\u00a0: ligne 53 many")
	b.says(".causes", "quantité\u00a0: n’est pas un nombre en chiffres")
	b.axeBy(otherRules)
	english := englishRuns(t)
	b.speaksNo(english)
	b.shot("import-causes")
	allBack := filepath.Join(u.dir, "all-back.csv")
	b.download("#returned", allBack)
	if text, err := os.ReadFile(allBack); err != nil ||
		strings.Count(string(text), "pas un pays connu ici") != 51 ||
		strings.Contains(string(text), "not a ") {
		t.Errorf("the file comes back as %s, %v", text, err)
	}

	b.open("/import?on=" + on)
	b.axe()
	b.chooseFile("#i-file", form)
	b.click("#desk-form button")
	b.says(".sum", "form.xlsx: 2 statements are to be signed.")
	b.says(".hidden-cells", "1 row is hidden in the sheet: row 60; it is read like the others")
	b.says("#desk-rows", "line 7")
	b.says("#desk-rows .cells", "→ 6100")
	b.says("#desk-rows .cells", "<b>by ship</b>")
	b.says("#desk-rows", "line 60")
	b.says("#effect", "of 15,000")
	b.axe()
	b.shot("import-review")
	b.chooseFile("#desk-key", filepath.Join(dir, "keys", "GBR-demo.key"))
	b.says("#desk-problem", "This key speaks for GBR")
	b.chooseFile("#desk-key", key)
	b.wait("!document.getElementById('desk-send').disabled")
	b.click("#desk-send")
	b.says("#desk-done", "Recorded: 2. Refused: 0.")
	if batches := eval[int](b, "performance.getEntriesByType('resource')"+
		".filter(e => e.name.endsWith('/statements/batch')).length"); batches != 1 {
		t.Errorf("they are sent in %d batches", batches)
	}
	b.says("#desk-done a[download]", "Save all receipts")
	receipts, back := filepath.Join(u.dir, "receipts.zip"), filepath.Join(u.dir, "back.xlsx")
	b.download("#desk-done a[download]", receipts)
	receiptsHold(t, u, receipts)
	var all projections.PledgeList
	getJSON(t, url+"/api/v1/pledges?operation=mnf-u&nation=FRA&role=ground&on="+on, &all)
	got := ""
	for _, p := range all.Pledges {
		got += p.Quantity.String() + " "
	}
	if got != "6100 400 " && got != "400 6100 " {
		t.Errorf("France pledges %s", got)
	}

	// It is known when it comes again; and asked about where both have changed a cell.
	b.open("/import?on=" + on)
	b.chooseFile("#i-file", form)
	b.click("#desk-form button")
	b.says(".empty", "All of this file is recorded already")
	id, err := f.GetCellValue("Pledges", "Q7")
	if err != nil {
		t.Fatal(err)
	}
	u.content(t, "pledge", "amend", id, "--quantity", "6300", "--url", url, "--key", key)
	if err := f.SetCellValue("Pledges", "E7", 6200); err != nil {
		t.Fatal(err)
	}
	if err := f.Save(); err != nil {
		t.Fatal(err)
	}
	b.chooseFile("#i-file", form)
	b.click("#desk-form button")
	b.says("#wrong", "Nothing can be signed yet")
	b.says("#left li strong", "Changed") // and not only alike
	b.says("#left .cells", "6300 → 6200")
	b.open("/import?lang=fr&on=" + on)
	b.chooseFile("#i-file", form)
	b.click("#desk-form button")
	b.says(".hidden-cells", "1 ligne est masquée dans la feuille\u00a0: ligne 60")
	b.says("#left .cells", "quantité\u00a0: 6300 → 6200")
	b.says("#left", "France (FRA) offre")
	b.speaksNo(english)
	b.shot("import-french")
	b.open("/import?on=" + on)
	b.chooseFile("#i-file", form)
	b.click("#desk-form button")
	b.says("#left .cells", "(the file had 6100 before, and the ledger was changed meanwhile)")
	b.axeBy(otherRules)
	b.download("#returned", back)
	returned, err := excelize.OpenFile(back)
	if err != nil {
		t.Fatal(err)
	}
	if cell, err := returned.GetCellValue("Pledges", "S7"); err != nil ||
		!strings.Contains(cell, "quantity 6300 -> 6200") {
		t.Errorf("the file comes back with %q, %v", cell, err)
	}
	b.fill("#i-changed", "amended")
	b.click("#desk-form button")
	b.says(".sum", "form.xlsx: 1 statement is to be signed.")
	b.says("#desk-rows .cells", "6300 → 6200")
	b.signs200(t, u, on, list, mapping, filepath.Join(dir, "founder.key"))
}

// signs200 has a coordinator sign a file of 200 offers of a nation without a liaison, which the
// browser sends in full batches.
func (b *tab) signs200(t *testing.T, u user, on, list, mapping, key string) {
	t.Helper()
	var rows strings.Builder
	for i := range 200 {
		fmt.Fprintf(&rows, "Kazakhstan,%d\n", i+1)
	}
	if err := os.WriteFile(list, []byte("nation,quantity\n"+rows.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	b.open("/import?on=" + on)
	b.chooseFile("#i-file", list)
	b.chooseFile("#i-mapping", mapping)
	b.click("#desk-form button")
	b.says(".sum", "list.csv: 200 statements are to be signed.")
	b.chooseFile("#desk-key", key)
	b.wait("!document.getElementById('desk-send').disabled")
	before := time.Now()
	b.click("#desk-send")
	b.says("#desk-done", "Recorded: 200. Refused: 0.")
	t.Logf("200 are signed, sent and proved in %v", time.Since(before))
	if batches := eval[int](b, "performance.getEntriesByType('resource')"+
		".filter(e => e.name.endsWith('/statements/batch')).length"); batches != 4 {
		t.Errorf("200 are sent in %d batches", batches)
	}
	b.shot("import-200")
	receipts := filepath.Join(u.dir, "receipts-200.zip")
	b.download("#desk-done a[download]", receipts)
	z, err := zip.OpenReader(receipts)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	if len(z.File) != 200 {
		t.Errorf("%d receipts of 200", len(z.File))
	}
}

// receiptsHold verifies each receipt of an archive.
func receiptsHold(t *testing.T, u user, archive string) {
	t.Helper()
	z, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	for _, one := range z.File {
		r, err := one.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r) // which compares the checksum
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(u.dir, one.Name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		u.content(t, "receipt", path)
	}
	if len(z.File) != 2 {
		t.Errorf("%d receipts", len(z.File))
	}
}
