package round

import (
	"regexp"
	"slices"

	"muster/events"
)

// A profile is what the cells of a column can be read as.
type profile struct {
	name                   string
	filled, nations, codes int
	organisations          int      // of the nations
	unknown                []string // the first words that are none of them
	numbers                int
	how                    Numbers
	dates                  int
	forms                  []DateForm
	timed                  bool // some of the dates have a time of day
	words                  map[string]int
}

// ways are those in which numbers are written, the plain one first.
var ways = []Numbers{{}, {Thousands: ","}, {Thousands: "."}, {Thousands: " "}, {Decimal: "."},
	{Decimal: ","}, {Decimal: ",", Thousands: "."}, {Decimal: ",", Thousands: " "}}

func (g *guess) profile(i int) profile {
	p := profile{name: g.t.Header[i], words: map[string]int{}}
	numbers, dates := make([]int, len(ways)), make([]int, len(usualForms()))
	const most = 400
	plain := 0
	for n, r := range g.t.Rows {
		c := r.Cells[i]
		if c == "" || g.none[n] {
			continue
		}
		if len(p.words) < most {
			p.words[c]++
		}
		if n >= most {
			continue // whose words are of interest, and not their form
		}
		p.filled++
		p.nation(c, g.declared)
		for w, way := range ways {
			if _, err := way.quantity(c, "personnel"); err == nil || isAmount(way, c) {
				numbers[w]++
			}
		}
		day := timeOfDay.ReplaceAllString(c, "")
		p.timed = p.timed || midnight.ReplaceAllString(c, "") != day
		if _, err := events.ParseDate(day); err == nil {
			plain++
		}
		for f, form := range usualForms() {
			if _, _, ok := form.read(day); ok {
				dates[f]++
			}
		}
	}
	for w, n := range numbers {
		if n > p.numbers {
			p.numbers, p.how = n, ways[w]
		}
	}
	p.dates = max(plain, slices.Max(dates))
	for f, n := range dates {
		if n > plain && n == p.dates && usualForms()[f].serial == 0 {
			p.forms = append(p.forms, usualForms()[f])
		}
	}
	return p
}

// nation looks whether a cell names a nation, or an organisation that is declared.
func (p *profile) nation(cell string, declared events.Organisations) {
	const most = 5
	n, ok := declared.Find(cell)
	if !ok {
		if len(p.unknown) < most && !slices.Contains(p.unknown, cell) {
			p.unknown = append(p.unknown, cell)
		}
		return
	}
	p.nations++
	if n.IsOrganisation() {
		p.organisations++
	}
	if string(n) == cell {
		p.codes++
	}
}

// isAmount reports whether a cell is a number written in that way, though perhaps none of people.
func isAmount(way Numbers, cell string) bool {
	_, err := way.read(cell)
	return err == nil
}

// most reports whether nearly all of the filled cells are of the kind that n counts.
func (p *profile) most(n int) bool { return p.filled > 0 && n*10 >= p.filled*9 }

// hints are what the names of columns say, by field, in the order in which they are looked at. Not
// is what must not be in the name.
var hints = []struct {
	field     string
	name, not *regexp.Regexp
	fits      func(p *profile) bool
}{
	{"nation", words("nation|countr|contribut|donor|member|state|pays|srcorg|from|iso"),
		words("mission|dest|recipient|capital|region|m49|host"),
		func(p *profile) bool { return p.nations*2 >= p.filled && p.nations > 0 }},
	{"quantity", words("quantity|amount|total|troops|personnel|people|strength|offer|pledge|" +
		"number|value|size|effectif|nombre|montant"),
		words("rank|code|\\bid\\b|year|latitude|longitude|rate|m49|original"),
		func(p *profile) bool { return p.most(p.numbers) }},
	{"quantity", words("eur\\b|eur_|€|usd|gbp|(\\b|_)bn|billion|million|milliard"), nil,
		func(p *profile) bool { return p.most(p.numbers) }},
	{"deployed", words("deliver|deploy|disburs|in place|livr"), nil,
		func(p *profile) bool { return p.most(p.numbers) }},
	{"effective", words("\\bdate|month|report|year|announc|decision|mois|ann[ée]e|" +
		"\\bfrom\\b|since|begin|\\bstart|d[ée]but"),
		words("until|\\bend|\\bfin\\b|created|updated|usage|budget"),
		func(p *profile) bool { return p.most(p.dates) }},
	{"until", words("until|\\bend|\\bfin\\b|expir|jusqu"), nil,
		func(p *profile) bool { return p.most(p.dates) }},
	{"unit", words("\\bunits?\\b|^of$|unit[ée]|currency"), words("original"), isWords},
	{"rung", words("status|rung|statut"), nil, isWords},
	{"operation", words("mission|operation"), words("countr|hq|bloc|lat|lon|continent|region|_"),
		isWords},
	{"role", words("role|categor|capab|personnel_type|\\btype"), words("org|flow|contribution"),
		isWords},
	{"area", words("\\barea|sector"), nil, isWords},
	{"note", words("remark|note|comment|description|remarque|list"), nil,
		func(p *profile) bool { return p.filled > 0 }},
}

// scales are what the name of a column says that its numbers are to be multiplied by.
var scales = []struct {
	name  *regexp.Regexp
	times string
}{
	{words(`\b(bn|billions?|milliards?|mrd)\b`), "1e9"},
	{words(`\b(mn|mio|mln|millions?)\b`), "1e6"},
	{words(`\b(thousands?|tsd|milliers?)\b|\b1[ ,.']?000\b|'000\b`), "1e3"},
}

func words(pattern string) *regexp.Regexp { return regexp.MustCompile("(?i)" + pattern) }

// isWords reports whether the cells of a column are of a few words.
func isWords(p *profile) bool {
	const most = 60
	return p.filled > 0 && len(p.words) <= most && !p.most(p.numbers)
}
