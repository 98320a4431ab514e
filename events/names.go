package events

import (
	_ "embed"
	"encoding/csv"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/agnivade/levenshtein"
	"golang.org/x/text/unicode/norm"

	"muster/events/phrase"
)

// FindNation returns the nation with the given code or name, in English or French, as people write
// it: in any case and with any accents, apostrophes and hyphens ("fra", "Cote d'Ivoire", "UK"),
// with or without its article ("The Gambia"), with what is turned around after a comma or in
// brackets ("Korea, Republic of", "Iran (Islamic Republic of)"), under a name that it had before
// ("Burma"), or as its government. It is for what people type and for files to import; a statement
// holds the code and nothing else. A nation that is no more is not found: see [ParseNation]. What
// has the form of an organisation's code is taken for one; by its name it is found by
// [Organisations.Find].
func FindNation(name string) (Nation, bool) {
	if n := Nation(strings.ToLower(strings.TrimSpace(name))); n.IsOrganisation() {
		return n, true
	}
	if n, ok := gazetteer().byName[foldName(name)]; ok {
		return n, true
	}
	if n, ok := findTurned(name); ok {
		return n, true
	}
	if rest, ok := strings.CutPrefix(foldName(name), governmentOf+" "); ok {
		return FindNation(rest)
	}
	if i := strings.LastIndexByte(name, ','); i > 0 && foldName(name[i+1:]) == governmentOf {
		return FindNation(name[:i])
	}
	return "", false
}

// governmentOf stands in front of a nation, or behind it and a comma.
const governmentOf = "government of"

// findTurned finds a name whose second part stands in front elsewhere, after a comma or in
// brackets; or behind which the same nation stands again in brackets.
func findTurned(name string) (Nation, bool) {
	first, second, ok := strings.Cut(name, ",")
	if open, rest, bracket := strings.Cut(name, "("); bracket {
		first, second, ok = open, strings.TrimSuffix(strings.TrimSpace(rest), ")"), true
	}
	if !ok || strings.ContainsAny(second, ",()") {
		return "", false
	}
	if n, ok := FindNation(strings.TrimSpace(second) + " " + first); ok {
		return n, true
	}
	n, known := gazetteer().byName[foldName(first)]
	again, same := gazetteer().byName[foldName(second)]
	return n, known && same && n == again
}

// ParseNation is FindNation with an error for people, which says what became of a nation that is no
// more, and which names are near to one that is not known.
func ParseNation(name string) (Nation, error) {
	if n, ok := FindNation(name); ok {
		return n, nil
	}
	if err := noMore(name); err != nil {
		return "", err
	}
	if all := nearest(foldName(name)); len(all) > 0 {
		return "", phrase.Errorf("not a nation that is known here, the nearest names are of %s: %s",
			listed(all), nationRemedy)
	}
	return "", phrase.Errorf("not a nation that is known here: %s", nationRemedy)
}

// noMore says what became of a nation that is no more; nil for all other names.
func noMore(name string) error {
	folded := foldName(name)
	for _, d := range dissolved {
		if slices.ContainsFunc(d.names, func(s string) bool { return foldName(s) == folded }) {
			return phrase.Errorf("is no more since %s: say which is meant of %s", d.since,
				listed(d.after))
		}
	}
	return nil
}

// listed names nations with their codes.
func listed(all []Nation) phrase.Phrase {
	names := make([]phrase.Phrase, len(all))
	for i, n := range all {
		names[i] = phrase.Of("%s (%s)", Called{n, n.Named()}, n)
	}
	return phrase.Behind("%s, %s", names...)
}

// nearest returns the nations whose names differ least from a folded one, by few letters in a name
// of some length; at most three.
func nearest(folded string) (all []Nation) {
	const shortest, most, longest = 4, 3, 100
	if len(folded) < shortest || len(folded) > longest {
		return nil
	}
	best := len([]rune(folded)) / 3
	for name, n := range gazetteer().byName {
		if len(name) < shortest {
			continue
		}
		d := levenshtein.ComputeDistance(folded, name)
		if d < best {
			best, all = d, nil
		}
		if d == best && !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all[:min(len(all), most)]
}

// dissolved are nations that are no more, and those that came after them.
var dissolved = []struct {
	names []string
	since Date
	after []Nation
}{
	{[]string{"Yugoslavia", "Socialist Federal Republic of Yugoslavia", "SFR Yugoslavia", "SFRY",
		"Yougoslavie"}, 1992_04_27, []Nation{"BIH", "HRV", "MKD", "MNE", "SRB", "SVN"}},
	{[]string{"Federal Republic of Yugoslavia", "FR Yugoslavia", "FRY", "Serbia and Montenegro",
		"State Union of Serbia and Montenegro", "Serbie-et-Monténégro", "SCG"},
		2006_06_03, []Nation{"SRB", "MNE"}},
	{[]string{"Soviet Union", "USSR", "Union of Soviet Socialist Republics", "Union soviétique",
		"URSS"}, 1991_12_26, []Nation{"RUS", "UKR", "BLR"}},
	{[]string{"Czechoslovakia", "Tchécoslovaquie", "Czech and Slovak Federative Republic"},
		1993_01_01, []Nation{"CZE", "SVK"}},
	{[]string{"East Germany", "German Democratic Republic", "GDR", "Allemagne de l'Est"},
		1990_10_03, []Nation{"DEU"}},
	{[]string{"Netherlands Antilles", "Antilles néerlandaises"}, 2010_10_10,
		[]Nation{"CUW", "SXM", "BES"}},
	{[]string{"North Yemen", "South Yemen", "Democratic Yemen", "Yemen Arab Republic"},
		1990_05_22, []Nation{"YEM"}},
	{[]string{"United Arab Republic"}, 1961_09_28, []Nation{"EGY", "SYR"}},
}

// nations.csv: codes and names of ISO 3166-1 and of the UN's terminology, in English and French,
// from the public-domain table datasets/country-codes (ODC-PDDL-1.0), with EUE and UNO from ICAO
// 9303, XKX as the European Union uses it, and other names that published lists use.
//
//go:embed nations.csv
var nationsCSV string

type nationTable struct {
	codes  []Nation
	names  map[Nation]string
	byName map[string]Nation
}

var gazetteer = sync.OnceValue(func() *nationTable {
	rows, err := csv.NewReader(strings.NewReader(nationsCSV)).ReadAll()
	if err != nil {
		panic("events: nations.csv: " + err.Error()) // the file is compiled in and tested
	}
	t := &nationTable{names: map[Nation]string{}, byName: map[string]Nation{}}
	for _, row := range rows[1:] {
		code := Nation(row[0])
		t.codes = append(t.codes, code)
		t.names[code] = row[1]
		for _, name := range append(strings.Split(row[2], ";"), row[0], row[1]) {
			if name != "" {
				t.byName[foldName(name)] = code
			}
		}
	}
	slices.Sort(t.codes)
	return t
})

// foldName makes two spellings of a name equal that differ in case, accents (composed or not),
// apostrophes, hyphens, points, marks of footnotes, articles or spacing, or in how "and" and
// "saint" are written.
func foldName(name string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(name) {
		switch {
		case unicode.Is(unicode.Mn, r), r == '.', r == '*', r == '†':
		case r == '&':
			b.WriteString(" and ")
		case r == '\'' || r == '’' || r == '‘' || r == 'ʼ' || r == '`' || unicode.Is(unicode.Pd, r):
			b.WriteByte(' ')
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	words := slices.DeleteFunc(strings.Fields(b.String()),
		func(w string) bool { return w == "the" })
	if len(words) > 1 && slices.Contains([]string{"la", "le", "les", "l"}, words[0]) {
		words = words[1:]
	}
	for i, w := range words {
		if w == "st" {
			words[i] = "saint"
		}
	}
	return strings.Join(words, " ")
}
