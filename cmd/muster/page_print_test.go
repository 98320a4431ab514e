package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"

	"muster/projections"
)

// printed prints the page that a tab shows, and returns the text of each sheet.
func (b *tab) printed(name string) []string {
	b.t.Helper()
	program, err := exec.LookPath("pdftotext")
	switch {
	case err != nil && os.Getenv("CI") == "true":
		b.t.Fatal(err)
	case err != nil:
		b.t.Skip("no pdftotext: paper is not read (apt-get install poppler-utils)")
	}
	dir := os.Getenv("MUSTER_SHOTS")
	if dir == "" {
		dir = b.t.TempDir()
	}
	file := filepath.Join(dir, name+".pdf")
	pdf := call(b, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: new(true)}).Data
	if err := os.WriteFile(file, pdf, 0o600); err != nil {
		b.t.Fatal(err)
	}
	if info, err := exec.Command("pdfinfo", file).Output(); err != nil ||
		!strings.Contains(string(info), "A4") || !strings.Contains(string(info), "841.") {
		b.t.Errorf("it is not printed on A4 across: %v\n%s", err, info)
	}
	text, err := exec.Command(program, "-layout", file, "-").Output()
	if err != nil {
		b.t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\f"), "\f")
}

// One operation's coverage is one sheet, with what does not count on another; and every sheet says
// at its foot from where it looks, and what it can be checked with.
func TestPagePrint(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	var c projections.Coverage
	getJSON(t, url+"/api/v1/coverage?operation=mnf-u&as_of=54&on="+aDay, &c)
	b := newTab(t, url)
	b.open("/?operation=mnf-u&rung=accepted&as_of=54&on=" + aDay)
	sheets := b.printed("print-coverage")
	if last := sheets[len(sheets)-1]; len(sheets) != 2 || !strings.Contains(last, "Not counted") ||
		!strings.Contains(last, "not yet accepted") {
		t.Errorf("the coverage of an operation and what does not count take %d sheets, of which "+
			"the last is\n%s", len(sheets), last)
	}
	for _, line := range c.Lines {
		if !strings.Contains(sheets[0], string(line.Line)) {
			t.Errorf("the sheet does not have the requirement %s", line.Line)
		}
	}
	b.open("/?operation=mnf-u&on=" + aDay)
	if n := len(b.printed("print-one")); n != 1 {
		t.Errorf("the coverage of an operation, of which all pledges count, takes %d sheets", n)
	}
	b.fill("#heading", "FGC 5, Paris") // which stands over what is printed from here on
	for _, one := range []struct {
		address string
		says    []string
	}{
		{"/?operation=mnf-u&rung=accepted&as_of=54&on=" + aDay,
			[]string{"As of record 54", "on " + aDay, "from the rung “accepted” up"}},
		{"/?open=mnf-u/ground-west&at=" + aDay + "&without=FRA&on=" + aDay,
			[]string{"As of record 55", "on " + aDay, "without France"}},
		{"/shortfalls?on=" + aDay, []string{"As of record 55", "on " + aDay}},
		{"/pledges?on=" + aDay, []string{"As of record 55"}},
		{"/log", []string{"As of record 55"}},
		{"/verify?record=33", []string{"As of record 55"}},
	} {
		b.open(one.address)
		root := b.text(".root code")
		sheets := b.printed("print-" + strings.Trim(strings.Split(one.address, "?")[0], "/"))
		if !strings.Contains(sheets[0], "FGC 5, Paris") {
			t.Errorf("%s: for which meeting it is does not stand over it:\n%s", one.address,
				sheets[0])
		}
		for i, sheet := range sheets {
			said := strings.ReplaceAll(strings.Join(strings.Fields(sheet), " "), " / ", "/")
			for _, what := range append(one.says, root, fmt.Sprintf(" %d/%d", i+1, len(sheets))) {
				if !strings.Contains(said, what) {
					t.Errorf("%s: sheet %d does not say %q:\n%s", one.address, i+1, what, sheet)
				}
			}
		}
	}
}
