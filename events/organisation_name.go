package events

import (
	_ "embed" // for the list of letters that look alike
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"muster/events/phrase"
)

// The name of an organisation stands in sentences where a nation's does, so it must not be read as
// somebody else's.

// misread says why a name could be read as something else than a name of its own, and what to write
// instead; "" for a sound one. Whose name it is, it does not ask.
func misread(name string) phrase.Phrase {
	if r, ok := unseen(name); ok {
		return phrase.Of("has the character %U, which is not seen as it is written: leave it "+
			"out, and write plain spaces", r)
	}
	switch all := scriptsOf(name); {
	case !strings.ContainsFunc(name, unicode.IsLetter):
		return phrase.Of("has no letters: write a name")
	case len(all) > 1:
		return phrase.Of("has letters of several scripts (%s), some of which look alike: write "+
			"it in one, and other names under also", strings.Join(all, ", "))
	case Nation(strings.ToLower(strings.TrimSpace(name))).IsOrganisation():
		return phrase.Of("has the form of a code: write a name")
	case slices.Contains(parties, lookOf(name)):
		return phrase.Of("is what the parties or the readers of every ledger are called: " +
			"write a name of its own")
	}
	return phrase.Phrase{}
}

// parties are words that stand for others than organisations, in English and French, as lookOf
// returns them.
var parties = looksOf("HQ", "coordinator", "coordinators", "coordinateur", "coordinateurs",
	"coordination", "liaison", "liaisons", "officier de liaison", "importer", "importers",
	"importateur", "importateurs", "reader", "readers", "lecteur", "lecteurs", "coalition",
	"public", "all", "everybody", "everyone", "tous", "tout le monde", "none", "nobody", "no one",
	"aucun", "aucune", "personne", "nation", "nations", "member", "members", "membre", "membres",
	"muster")

func looksOf(names ...string) []string {
	for i, name := range names {
		names[i] = lookOf(name)
	}
	return names
}

// unseen returns a character that is not seen, or changes how others are: of no width, of a
// direction, of a private use, or a space that is not the plain one.
func unseen(name string) (rune, bool) {
	const blankBraille = '\u2800'
	for _, r := range name {
		if !unicode.IsPrint(r) || r == blankBraille ||
			unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) {
			return r, true
		}
	}
	return 0, false
}

// scriptsOf returns the names of the scripts that the letters of a name are of, in order. Those
// that are written together, as Han and Hiragana are, are one.
func scriptsOf(name string) (all []string) {
	var last *unicode.RangeTable
	for _, r := range norm.NFKD.String(name) {
		if !unicode.IsLetter(r) || last != nil && unicode.Is(last, r) {
			continue
		}
		for script, table := range unicode.Scripts {
			if !unicode.Is(table, r) {
				continue
			}
			last = table
			switch script {
			case "Hiragana", "Katakana", "Hangul", "Bopomofo":
				script = "Han"
			}
			if script != "Common" && script != "Inherited" && !slices.Contains(all, script) {
				all = append(all, script)
			}
			break
		}
	}
	slices.Sort(all)
	return all
}

// lookOf returns a name as foldName does, with each letter that looks like one of a-z as that one.
// It is to compare names with, not to show. Pairs such as rn and m it does not find.
func lookOf(name string) string {
	like := lookalikes()
	return strings.Map(func(r rune) rune {
		if other, ok := like[r]; ok {
			return other
		}
		return r
	}, foldName(name))
}

// seenAlike are the letters of Cyrillic, Greek and Latin, and digits, that look like one of a-z in
// small letters or, where both have another look, rather in capitals: in pairs.
const seenAlike = "аaвbеeкkмmнhоoрpсcтtуyхxіlјjѕsԁdԛqԝwһhӏlүyгrпnиu" +
	"αaβbεeζzηhιlκkμmνnοoρpτtυyχxϲcγyılɩlɑaɡgʟlɴnʀrɪlᴏoil1l|l0o"

//go:embed lookalikes.txt
var confused string

// lookalikes are the letters of all scripts, as foldName returns them, that look like one of a-z:
// those above, and of Unicode's list the small ones, and then the capitals whose small ones have no
// other look. What looks like i, too, is l here, since I does.
var lookalikes = sync.OnceValue(func() map[rune]rune {
	all := map[rune]rune{}
	for pairs := []rune(seenAlike); len(pairs) > 0; pairs = pairs[2:] {
		all[pairs[0]] = pairs[1]
	}
	own := maps.Clone(all)
	var capitals [][2]rune
	for line := range strings.Lines(confused) {
		words := strings.Fields(line)
		if words[0] == "#" {
			continue
		}
		to := unicode.ToLower([]rune(words[0])[0])
		if other, ok := own[to]; ok {
			to = other
		}
		for _, word := range words[1:] {
			r := []rune(word)[0]
			if small := unicode.ToLower(r); small != r {
				capitals = append(capitals, [2]rune{small, to})
			} else if _, ok := all[r]; !ok {
				all[r] = to
			}
		}
	}
	for _, c := range capitals {
		if _, ok := all[c[0]]; !ok && c[0] > unicode.MaxASCII {
			all[c[0]] = c[1]
		}
	}
	return all
})

// looks are the names of nations by their look, as lookOf returns it.
var looks = sync.OnceValue(func() map[string]Nation {
	all := map[string]Nation{}
	for name, n := range gazetteer().byName {
		look := lookOf(name)
		if had, ok := all[look]; !ok || n < had { // ALA and AIA
			all[look] = n
		}
	}
	return all
})

// Resembles reports whether a name is one of the organisation's or looks like one, in letters of
// another script.
func (o *Organisation) Resembles(name string) bool {
	look := lookOf(name)
	return slices.ContainsFunc(o.Names(), func(own string) bool { return lookOf(own) == look })
}
