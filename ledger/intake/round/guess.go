package round

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"muster/events"
	"muster/ledger/intake/sheet"
)

// Guess writes a first mapping file for a table, as text, with what it was not sure of in comments
// that begin with a question mark. It looks at the names of the columns and at what the cells can
// be read as; what is no nation may be one of the organisations that operations declare. The
// mapping is for somebody to look at, and not to be used unseen. The error is a [problem.Problem],
// of a file that is no table at all.
func Guess(name string, data []byte, declared events.Organisations) (string, error) {
	g := &guess{taken: map[int]bool{}, declared: declared}
	if err := g.open(data); err != nil {
		return "", err
	}
	g.line("# A first mapping for %s, in which %d rows and %d columns were found. Look at every",
		oneLine(name), len(g.t.Rows), len(g.t.Header))
	g.line("# line; \"?\" stands where somebody has to say it. All that a mapping can say: " +
		"muster help mapping")
	g.layout()
	g.hidden()
	g.wide()
	g.fields()
	g.always()
	g.leaveOut()
	return g.b.String(), nil
}

type guess struct {
	t        *sheet.Table
	encoding string
	header   int
	columns  []profile
	taken    map[int]bool
	none     []bool // the rows that are tags or totals
	months   []int  // the columns of which each is a month
	dates    []string
	unit     string
	said     map[string]bool
	words    []string // the lines under words
	declared events.Organisations
	b        strings.Builder
}

func (g *guess) line(format string, args ...any) { fmt.Fprintf(&g.b, format+"\n", args...) }

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// open reads the table: in the first encoding that fits it, below the row that looks like a header.
func (g *guess) open(data []byte) error {
	read := sheet.ReadCSV
	if sheet.IsXLSX(data) {
		read = sheet.ReadAmong
	}
	t, err := read(data, sheet.Form{})
	for _, in := range []string{"windows-1252", "utf-16le"} {
		if err == nil || sheet.IsXLSX(data) {
			break
		}
		if other, bad := read(data, sheet.Form{Encoding: in}); bad == nil {
			t, err, g.encoding = other, nil, in
		}
	}
	if err != nil {
		return err
	}
	width := 0
	for _, r := range t.Rows {
		width = max(width, r.Found())
	}
	if filled(t.Header) <= width/2 {
		for _, r := range t.Rows {
			if filled(r.Cells) > width/2 {
				g.header = r.Line
				break
			}
		}
	}
	if g.header > 0 {
		form := sheet.Form{Header: g.header, Encoding: g.encoding}
		if t, err = read(data, form); err != nil {
			return err
		}
	}
	t.LeaveOut(func(r sheet.Row) bool { return r.Found() != len(t.Header) })
	g.t = t
	if err := t.Check(); err != nil {
		return err
	}
	for _, r := range t.Rows {
		g.none = append(g.none, r.IsTags() || r.IsTotal())
	}
	for i := range t.Header {
		g.columns = append(g.columns, g.profile(i))
	}
	return nil
}

func filled(cells []string) (n int) {
	for _, c := range cells {
		if c != "" {
			n++
		}
	}
	return n
}

func (g *guess) layout() {
	if alike := g.t.Alike(); len(alike) > 0 {
		g.line("sheet: %s # ? these have the same columns: %s", quoted(g.t.Sheet()),
			oneLine(strings.Join(alike, ", ")))
	}
	if g.header > 0 {
		g.line("header: %d", g.header)
	}
	if g.encoding != "" {
		g.line("encoding: %s # ? the file does not say it: do names with accents read right?",
			g.encoding)
	}
}

// hidden tells what the sheet of a workbook hides.
func (g *guess) hidden() {
	lines := make([]int, len(g.t.Rows))
	for i, r := range g.t.Rows {
		lines[i] = r.Line
	}
	for _, said := range hidden(g.t, lines, nil).Said() {
		g.line("# ? %s", oneLine(said.String()))
	}
}

// wide finds columns whose names are months or years.
func (g *guess) wide() {
	for _, form := range usualForms() {
		var months []int
		for i, p := range g.columns {
			if _, _, ok := form.read(p.name); ok && (p.filled == 0 || p.most(p.numbers)) {
				months = append(months, i)
			}
		}
		if len(months) > 2 && len(months) > len(g.months) && form.serial == 0 {
			g.months, g.dates = months, []string{form.example}
		}
	}
	if g.months == nil {
		return
	}
	var names []string
	for _, i := range g.months {
		names = append(names, quoted(g.columns[i].name))
		g.taken[i] = true
	}
	g.line("wide: # ? is each of these columns a number of its own month or year?\n"+
		"  columns: [%s]\n  name: month\n  cell: number", strings.Join(names, ", "))
}

func (g *guess) fields() {
	g.said = map[string]bool{}
	g.line("columns:")
	if g.months != nil {
		g.say("quantity", "number", "")
		g.say("from", "month", "")
		g.say("until", "month", "? does each number hold for its month alone?")
		g.say("effective", "month", "")
	}
	for _, h := range hints {
		if !g.said[h.field] {
			if i := g.best(h.name, h.not, h.fits, h.field == "nation"); i >= 0 {
				g.column(h.field, i)
			}
		}
	}
	for _, field := range append([]string{"from"}, required...) {
		g.called(field)
	}
	for _, field := range required {
		if !g.said[field] && field != "operation" && field != "unit" && field != "role" &&
			field != "effective" && field != "from" {
			g.line("  # %s: ? no column looks like it", field)
		}
	}
	for _, line := range g.words {
		g.line("%s", line)
	}
	if len(g.dates) > 0 {
		g.line("dates: [%s]", strings.Join(g.dates, ", "))
	}
}

// called takes the column that has the very name of a field, where its cells are not of one kind.
func (g *guess) called(field string) {
	i := slices.IndexFunc(g.columns, func(p profile) bool { return sheet.Fold(p.name) == field })
	if i >= 0 && !g.taken[i] && !g.said[field] {
		g.taken[i] = true
		g.say(field, g.columns[i].name, "? not all of its cells can be read in one way")
	}
}

// best returns the column that fits and whose name says most, -1 where none does. A nation is found
// by its cells, too.
func (g *guess) best(name, not *regexp.Regexp, fits func(*profile) bool, byCells bool) int {
	best, at := 0, -1
	for i := range g.columns {
		p := &g.columns[i]
		if g.taken[i] || !fits(p) || not != nil && not.MatchString(p.name) {
			continue
		}
		score := 2 * len(name.FindAllString(p.name, -1))
		if byCells {
			score += 4 * p.nations / p.filled
			if p.codes == p.filled {
				score++
			}
		}
		if score > best {
			best, at = score, i
		}
	}
	return at
}

func (g *guess) say(field, column, why string) {
	g.said[field] = true
	if why != "" {
		why = " # " + why
	}
	g.line("  %s: %s%s", field, quoted(column), why)
}

// column says that a field is in a column, and what its cells need besides.
func (g *guess) column(field string, i int) {
	p := &g.columns[i]
	g.taken[i] = true
	why := ""
	switch field {
	case "nation":
		if p.nations < p.filled {
			why = fmt.Sprintf("? %d of %d cells are no nation that is known: %s",
				p.filled-p.nations, p.filled, oneLine(strings.Join(p.unknown, ", ")))
		}
		if p.organisations > 0 {
			g.line("  # ? %d of %d cells are organisations: the operation must declare them",
				p.organisations, p.filled)
		}
	case "quantity":
		if found := regexp.MustCompile(`(?i)(usd|eur|gbp|chf)`).FindString(p.name); found != "" {
			g.unit = strings.ToUpper(found)
		} else if strings.Contains(p.name, "€") {
			g.unit = "EUR"
		}
		g.number(p)
	case "effective":
		g.say("from", p.name, "? is it the day from which the forces are there, too?")
		g.date(p)
	case "until":
		g.date(p)
	case "unit":
		g.meanings(p)
	case "rung", "operation", "role", "area":
		g.translate(field, p)
	}
	g.say(field, p.name, why)
}

func (g *guess) number(p *profile) {
	if p.how.Decimal != "" {
		g.words = append(g.words, fmt.Sprintf("decimal: %q # ?", p.how.Decimal))
	}
	if p.how.Thousands != "" {
		g.words = append(g.words, fmt.Sprintf("thousands: %q # ?", p.how.Thousands))
	}
	for _, s := range scales {
		if s.name.MatchString(strings.ReplaceAll(p.name, "_", " ")) {
			g.words = append(g.words, "times: "+s.times+" # ? by the name of the column")
			break
		}
	}
}

func (g *guess) date(p *profile) {
	behind := ""
	var forms []string
	for _, f := range p.forms {
		forms = append(forms, f.example)
	}
	if p.timed {
		behind = behindDay
		if forms == nil {
			forms = []string{isoDay}
		}
		g.words = append(g.words, "# ? "+quoted(p.name)+" has times of day, which are left "+
			"out: is the day that is written the one that is meant?")
	}
	for i, form := range forms {
		form += behind
		if i > 0 {
			g.words = append(g.words, "# ? "+quoted(p.name)+" might be written as "+form+", too")
		} else if !slices.Contains(g.dates, form) {
			g.dates = append(g.dates, form)
		}
	}
}

// rungOf are the rungs that words of published lists stand for.
var rungOf = map[string]string{"paid": deployed, "disbursed": deployed, "delivered": deployed,
	"deployed": deployed, "commitment": confirmed, "committed": confirmed, "contract": confirmed,
	"confirmed": confirmed, "pledge": offered, "pledged": offered, "announced": offered,
	"offered": offered, "accepted": accepted, "indicated": indicated}

// translate writes what the words of a column stand for, where they are no names as they are.
func (g *guess) translate(field string, p *profile) {
	var lines []string
	for _, word := range slices.Sorted(maps.Keys(p.words)) {
		to := slug(word)
		if field == "rung" {
			to = rungOf[sheet.Fold(word)]
		}
		if to != strings.ToLower(word) && to != "" {
			lines = append(lines, fmt.Sprintf("    %s: %s", quoted(word), quoted(to)))
		} else if to == "" {
			lines = append(lines, fmt.Sprintf("    # %s: ?", quoted(word)))
		}
	}
	if len(lines) == 0 {
		return
	}
	if !slices.Contains(g.words, "words:") {
		g.words = append(g.words, "words:")
	}
	at := slices.Index(g.words, "words:") + 1
	g.words = slices.Insert(g.words, at, append([]string{"  " + field + ": # ?"}, lines...)...)
}

func (g *guess) meanings(p *profile) {
	var lines []string
	for _, word := range slices.Sorted(maps.Keys(p.words)) {
		if !events.Unit(word).Valid() {
			unit := slug(word)
			unit = unit[strings.LastIndexByte(unit, '-')+1:]
			if !events.Unit(unit).Valid() {
				unit = "item"
			}
			lines = append(lines, fmt.Sprintf("  %s: {unit: %s}", quoted(word), quoted(unit)))
		}
	}
	if len(lines) > 0 {
		g.words = append(g.words, "units: # ? which role and unit each of these words stands for")
		g.words = append(g.words, lines...)
	}
}

// always lists what the file does not say.
func (g *guess) always() {
	g.line("always:")
	for _, one := range []struct{ field, example string }{{"operation", "mnf-u"},
		{"role", "ground"}, {"unit", "personnel"}, {"effective", "2026-11-23"},
		{"from", "2026-11-23"}} {
		switch {
		case g.said[one.field]:
		case one.field == "unit" && g.unit != "":
			g.line("  unit: %s # ? by the name of the column", g.unit)
		default:
			g.line("  # %s: %s # ? the file does not say it", one.field, one.example)
		}
	}
	g.line("  # source: ? where this was published, and when")
}

// leaveOut proposes which rows are no offers.
func (g *guess) leaveOut() {
	found := map[string]bool{}
	quantity := slices.IndexFunc(g.columns, func(p profile) bool {
		return g.said["quantity"] && strings.Contains(g.b.String(), "  quantity: "+quoted(p.name))
	})
	for _, r := range g.t.Rows {
		found["tags"] = found["tags"] || r.IsTags()
		found["totals"] = found["totals"] || r.IsTotal()
		if quantity < 0 || r.IsTags() || r.IsTotal() {
			continue
		}
		a, err := g.columns[quantity].how.read(r.Cells[quantity])
		found["blank"] = found["blank"] || a.blank
		found["zero"] = found["zero"] || err == nil && a.sign == 0
		found["negative"] = found["negative"] || a.sign < 0
	}
	var kinds []string
	for _, kind := range []string{"tags", "totals", "blank", "zero", "negative"} {
		if found[kind] {
			kinds = append(kinds, kind)
		}
	}
	if len(kinds) > 0 {
		g.line("skip: [%s] # ? such rows are in the file: are they no offers?",
			strings.Join(kinds, ", "))
	}
	if g.months != nil {
		g.line("# ? cells without a number, of the columns that become rows, are left out")
	}
}

var plainScalar = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*( [A-Za-z0-9_-]+)*$`)

// reserved are plain words that YAML takes for something else.
var reserved = []string{"true", "false", "yes", "no", "on", "off", "null", "y", "n"}

func quoted(s string) string {
	if plainScalar.MatchString(s) && !slices.Contains(reserved, strings.ToLower(s)) {
		return s
	}
	return strconv.Quote(s)
}
