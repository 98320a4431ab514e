package main

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// theAhead is a server whose one operation begins long after today. Its tests read it, and write
// nothing.
var theAhead struct {
	sync.Once
	*background
	url, dir string
	err      error
}

// aheadPlan asks for what begins in 2190. What is asked of sea fits two requirements.
const aheadPlan = `operation: later
title: A later force
effective: 2026-01-01
roles:
  - {role: ground, title: Troops, unit: personnel}
  - {role: sea, title: Ships, unit: ship}
requirements:
  - {line: north, role: ground, area: north, quantity: 50, from: 2190-01-01, priority: 2}
  - {line: south, role: ground, area: south, quantity: 100, from: 2190-02-10, priority: 1, essential: true}
  - {line: ships, role: sea, quantity: 4, from: 2190-01-01, priority: 3}
  - {line: boats, role: sea, quantity: 2, from: 2190-01-01, priority: 3}
`

// aheadPledges are a nation, a role and an area, a quantity, and until when.
var aheadPledges = [][5]string{
	{"FRA", "ground", "south", "60", ""},
	{"DEU", "ground", "south", "50", "2190-03-15"},
	{"ITA", "ground", "north", "50", ""},
	{"KHM", "ground", "north", "unknown", ""},
	{"FIN", "ground", "north", "unknown", ""},
	{"NOR", "sea", "", "3", ""},
}

// aheadServer returns the address of that server, which the tests of a run share.
func aheadServer(t *testing.T) string {
	t.Helper()
	theAhead.Do(func() {
		if theAhead.dir, theAhead.err = os.MkdirTemp("", "muster-ahead"); theAhead.err == nil {
			theAhead.err = startAhead(t)
		}
	})
	if theAhead.err != nil {
		t.Fatal(theAhead.err)
	}
	return theAhead.url
}

func startAhead(t *testing.T) error {
	dir := filepath.Join(theAhead.dir, "ledger")
	b, err := startBackground(theAhead.dir, nil, "serve", "--listen", "127.0.0.1:0", "--data", dir)
	if err != nil {
		return err
	}
	theAhead.background = b
	found, err := b.await(&b.stderr, `listening on (http://\S+)`)
	if err != nil {
		return err
	}
	theAhead.url = found[1]
	plan := filepath.Join(theAhead.dir, "later.plan.yaml")
	if err := os.WriteFile(plan, []byte(aheadPlan), 0o600); err != nil {
		return err
	}
	u := newUser(t)
	says := func(args ...string) string {
		out, _ := u.content(t, append(args, "--data", dir)...)
		return out
	}
	says("plan", "apply", plan)
	ids := map[string]string{}
	for _, p := range aheadPledges {
		offer := []string{"pledge", "offer", "--operation", "later", "--nation", p[0], "--role",
			p[1], "--quantity", p[3], "--from", "2190-01-01", "--json"}
		for i, flag := range map[int]string{2: "--area", 4: "--until"} {
			if p[i] != "" {
				offer = append(offer, flag, p[i])
			}
		}
		_, rest, _ := strings.Cut(says(offer...), `"id"`)
		ids[p[0]] = strings.Split(rest, `"`)[1]
	}
	says("pledge", "accept", ids["ITA"])
	says("condition", "add", ids["FIN"], "vote", "--kind", "parliament")
	says("condition", "fail", ids["FIN"], "vote")
	return nil
}

// endAhead stops that server.
func endAhead() {
	if theAhead.background != nil {
		theAhead.kill()
	}
	if theAhead.dir != "" {
		_ = os.RemoveAll(theAhead.dir)
	}
}

// A month is shown by its worst day, in number and colour, on the screen and on paper, and says
// which day that is.
func TestPageMonthIsItsWorstDay(t *testing.T) {
	t.Parallel()
	b := newTab(t, aheadServer(t))
	b.open("/?on=2190-02-10")
	march := `tr[data-line="later/south"] td.cell:nth-of-type(3)` // February is as its first day
	b.says(march, "60 of 100")
	b.says(march, "short 40")
	b.says(march, "on 2190-03-16")
	if class := eval[string](b, "document.querySelector(%q).className",
		march); !strings.Contains(class, "s-partly") {
		t.Errorf("the month is coloured as %q", class)
	}
	if february := b.text(`tr[data-line="later/south"] td.cell:nth-of-type(2)`); strings.Contains(
		february, "short") {
		t.Errorf("the month before is %s", february)
	}
	b.says("#lines-caption", "Each stretch shows its worst day.")
	if sheet := b.printed("print-worst-day")[0]; !strings.Contains(sheet, "on 2190-03-16") {
		t.Errorf("paper does not say which day it is:\n%s", sheet)
	}
	b.click(march + " a")
	b.says("#opened-title", "south on 2190-03-16")
	b.open("/timeline?line=south&from=2190-01-01&until=2190-03-31&step=month")
	rows := b.texts(".figures tbody tr")
	if len(rows) != 3 || strings.Join(strings.Fields(rows[0]), " ") != "2190-01-01 not in force" ||
		!strings.Contains(rows[2], "on 2190-03-16") {
		t.Errorf("the months are %q", rows)
	}
}

// A requirement that begins later in the months that are shown has its row, with what it will have,
// though the sums are of the day. It stands among the others by its priority.
func TestPageShowsWhatBeginsLater(t *testing.T) {
	t.Parallel()
	b := newTab(t, aheadServer(t))
	b.open("/")
	lines := eval[string](b,
		"[...document.querySelectorAll('tr[data-line]')].map(r => r.dataset.line).join()")
	if lines != "later/south,later/north,later/boats,later/ships" {
		t.Errorf("the matrix has the rows %s", lines)
	}
	south := `tr[data-line="later/south"] `
	b.says(south+"th", "essential")
	b.says(south+"th", "ground · south · priority\u00a01")
	b.says(south+"td.num", "100")
	b.says(south+"td.now", "not in force")
	// January is met as its first day is, and has no column of its own.
	b.says(south+"td.cell:nth-of-type(3)", "110 of 100")
	b.says(south+"td.cell:nth-of-type(3)", "110\u00a0%")
	b.says(south+"td.cell:nth-of-type(4)", "60 of 100")
	b.says(".sum", "1 requirement is met, of 3 in force.")
	b.open("/?without=NOR&differences=true")
	if len(b.texts(`tr[data-line="later/south"]`)) > 0 {
		t.Error("a requirement that does not differ on this day is shown as one that does")
	}
}

// The sum under a table stands once on paper, under its last row.
func TestPagePrintsSumsOnce(t *testing.T) {
	t.Parallel()
	b := newTab(t, demoServer(t))
	b.open("/?operation=isaf&show=nations&on=2009-12-15")
	eval[int](b, "[1, 2].map(() => document.querySelectorAll('.nations tbody tr').forEach(r => "+
		"r.after(r.cloneNode(true)))).length")
	sheets := b.printed("print-nations") // with so many rows that they take more than one
	if said := strings.Join(sheets, "\n"); len(sheets) < 2 ||
		strings.Count(said, "All nations") != 1 || !strings.Contains(sheets[len(sheets)-1],
		"All nations") {
		t.Errorf("%d sheets:\n%s", len(sheets), said)
	}
}

// What has not begun is shown on its first day, in a sentence that leads to today; there nothing is
// said to be met, and what is shown in the place of requirements says so.
func TestPageBeforeTheFirstDay(t *testing.T) {
	t.Parallel()
	b := newTab(t, aheadServer(t))
	for _, page := range []string{"/", "/shortfalls", "/timeline", "/compare"} {
		b.open(page)
		b.says("#opening", "later begins on 2190-01-01: shown for that day.")
		if said := b.texts("section.banner"); len(said) != 1 {
			t.Errorf("%s has the banners %q", page, said)
		}
		b.open(page + "?lang=fr")
		b.says("#opening", "later commence le 2190-01-01\u00a0: affichage à cette date.")
	}
	b.open("/")
	b.says(`tr[data-line="later/north"] td.now`, "50 of 50")
	b.says(".sum", "1 requirement is met, of 3 in force.")
	b.click("#opening a")
	b.wait("location.search.includes('on=today')")
	b.says(".matrices .sum",
		"No requirement is in force on this date. The next one is from 2190-01-01 on.")
	b.says(".matrices .sum", "Shown is what each nation gives.")
	if b.texts("section.banner") != nil && len(b.texts("section.banner")) > 0 {
		t.Errorf("today has the banners %q", b.texts("section.banner"))
	}
	b.open("/shortfalls?on=today")
	b.says("#none-in-force",
		"No requirement is in force on this date. The next one is from 2190-01-01 on.")
	b.open("/shortfalls?on=today&lang=fr")
	b.says("#none-in-force",
		"Aucun besoin n’est en vigueur à cette date. Le prochain l’est à partir du 2190-01-01.")
	b.click("#none-in-force a")
	b.says(".sum", "2 besoins ne sont pas couverts.")
	for _, page := range []string{"/log", "/verify", "/submit", "/pledges"} {
		b.open(page)
		if said := b.texts("section.banner"); len(said) > 0 {
			t.Errorf("%s has the banners %q", page, said)
		}
	}
}

// Only what differs is shown, and the sums are of all that is in force.
func TestPageOnlyWhatDiffers(t *testing.T) {
	t.Parallel()
	b := newTab(t, aheadServer(t))
	b.open("/?on=2190-02-10&without=FRA&differences=true")
	b.says(".sum", "1 requirement is met, of 4 in force. 1 differs and is shown.")
	b.open("/?on=2190-02-10&without=FRA&differences=true&lang=fr")
	b.says(".sum", "1 besoin est couvert, sur 4 en vigueur. 1 diffère et est affiché.")
	b.open("/?on=2190-02-10&without=USA&differences=true")
	b.says(".sum", "2 requirements are met, of 4 in force. 0 differ and are shown.")
	b.says(".empty", "Nothing differs")
}

// What is unknown is never shown as 0: not where it does not count, and not in a cell of a
// requirement.
func TestPageUnknownIsNeverNothing(t *testing.T) {
	t.Parallel()
	b := newTab(t, aheadServer(t))
	b.open("/?show=nations&on=2190-02-10")
	for nation, want := range map[string]string{"KHM": "unknown in 1 pledge",
		"FIN": "unknown 1 whose condition has failed"} {
		for _, row := range b.texts(".nations tbody tr") {
			if said := strings.Join(strings.Fields(row), " "); strings.HasPrefix(said, nation) &&
				!strings.Contains(said, want) {
				t.Errorf("%s, and not %s", said, want)
			}
		}
	}
	b.open("/?on=2190-02-10&holds=later/FIN/ground")
	b.says(".opened .answer", "unknown personnel")
	b.open("/?on=2190-02-10&without=ITA")
	b.says(`tr[data-line="later/north"] td.now`, "+ 1 unknown")
	b.says(`tr[data-line="later/north"] td.cell:nth-of-type(3)`, "+ 1 unknown")
	b.open("/timeline?on=2190-02-10&without=ITA&line=north&lang=fr")
	b.says(".figures", "+ 1 inconnu")
}

// What would count for nothing on its first day says so before it is signed.
func TestPageSubmitTellsOfTheFirstDay(t *testing.T) {
	t.Parallel()
	b := newTab(t, aheadServer(t))
	for lang, want := range map[string]string{
		"en": "On its first day, 2190-01-05 (5\u00a0January\u00a02190), it counts for nothing: " +
			"Spain pledges 9 personnel for ground in south, and no requirement in force asks " +
			"for that.",
		"fr": "Le premier jour, 2190-01-05 (5\u00a0janvier\u00a02190), il ne compte pour " +
			"rien\u00a0: Espagne engage 9 personnel pour le rôle ground dans la zone south, et " +
			"aucun besoin en vigueur ne demande cela.",
	} {
		b.open("/submit?lang=" + lang)
		for name, value := range map[string]string{"operation": "later", "nation": "ESP",
			"role": "ground", "quantity": "9", "unit": "personnel", "area": "south",
			"from": "2190-01-05"} {
			b.fill("#f-"+name, value)
		}
		b.click(".fields button.primary")
		b.says(".first-day", want)
		b.says(".later-day", map[string]string{"en": "From 2190-02-10 " +
			"(10\u00a0February\u00a02190) on it would count otherwise: 9 personnel for south",
			"fr": "À partir du 2190-02-10 (10\u00a0février\u00a02190), il compterait " +
				"autrement\u00a0: 9 personnel pour south"}[lang])
	}
}
