package reconcile

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"muster/events"
)

// findSpelled finds the rows whose key, or the nation's own number, is recorded in another
// spelling: in capitals or not, with its accents composed otherwise (NFC, NFD), or, in a key, as a
// number without its leading zeros or with ".0", as another program has saved the file. They are no
// other rows, unless the file has the recorded spelling as well. Keys cost nothing where all of the
// import that is recorded is in the file.
func (c *comparison) findSpelled() {
	misses := slices.ContainsFunc(c.order, func(p *Pledge) bool {
		return p.Import == c.opt.Name && p.isKeyed() && c.isMissed(p)
	})
	numbered := c.numberedAnyhow()
	for i := range c.rows {
		r, o := &c.rows[i], &c.outcomes[i]
		switch {
		case o.Kind != New || c.pledges[o.Pledge] != nil || !r.ID.IsZero():
		case r.Key != nil:
			if misses {
				c.matchSpelled(o, r.Key)
			}
		case r.Offer.Reference != "":
			at := referred{r.Offer.Place, anyhow(r.Offer.Reference)}
			if all := numbered[at]; len(all) == 1 && c.isMissed(all[0]) {
				c.match(o, all[0])
			}
		}
	}
}

// isMissed reports whether no row is a pledge that stands.
func (c *comparison) isMissed(p *Pledge) bool {
	_, taken := c.taken[p.ID]
	return !taken && p.IsLive() && !p.isTakenOff()
}

// numberedAnyhow returns the pledges that stand, by the nation's own number in any spelling.
func (c *comparison) numberedAnyhow() map[referred][]*Pledge {
	all := map[referred][]*Pledge{}
	for _, p := range c.order {
		s := p.offerOn(events.LastDate)
		if p.IsLive() && !p.isTakenOff() && s != nil && s.terms.Reference != "" {
			at := referred{p.Place, anyhow(s.terms.Reference)}
			all[at] = append(all[at], p)
		}
	}
	return all
}

// matchSpelled finds the pledge that a row with a key is in another spelling of the key.
func (c *comparison) matchSpelled(o *Outcome, key []string) {
	for _, other := range spellings(key) {
		p := c.pledges[c.Next(c.opt.Ledger, c.opt.Name, other)]
		if p != nil && c.isMissed(p) {
			c.match(o, p)
			return
		}
	}
}

func anyhow(s string) string { return norm.NFC.String(strings.ToLower(s)) }

// spellings returns a key in the spellings that are looked for, at most maxSpellings: an ID tells
// nothing of the key that it was made of, so that each is tried.
func spellings(key []string) [][]string {
	const maxSpellings = 64
	all := [][]string{nil}
	for _, part := range key {
		var longer [][]string
		for _, begin := range all {
			for _, s := range spellingsOf(part) {
				if len(longer) < maxSpellings {
					longer = append(longer, append(slices.Clone(begin), s))
				}
			}
		}
		all = longer
	}
	return all
}

// spellingsOf returns those of one part. The code of a nation has one, however the file writes it.
func spellingsOf(part string) []string {
	all := []string{part}
	if events.Nation(part).Known() {
		return all
	}
	part = strings.Join(strings.Fields(part), " ") // among which are spaces that do not break
	for _, s := range append(numberings(part), part, strings.ToLower(part), strings.ToUpper(part),
		titled(part)) {
		for _, form := range []norm.Form{norm.NFC, norm.NFD} {
			if s := form.String(s); !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	return all
}

// numberings returns a whole number as programs write it that take it for one, and with the zeros
// that they may have taken off: 7, 7.0, 07, 007. Of other text, there are none.
func numberings(part string) (all []string) {
	const longest = 12
	digits := strings.TrimLeft(strings.TrimSuffix(part, ".0"), "0")
	if digits == "" || len(digits) > longest || strings.Trim(digits, "0123456789") != "" {
		return nil
	}
	for all = []string{digits, digits + ".0"}; len(digits) < longest; all = append(all, digits) {
		digits = "0" + digits
	}
	return all
}

// titled writes each word with a capital: "BATCH two" as "Batch Two".
func titled(s string) string {
	before := ' '
	return strings.Map(func(r rune) rune {
		defer func() { before = r }()
		if unicode.IsLetter(before) || unicode.IsMark(before) {
			return unicode.ToLower(r)
		}
		return unicode.ToTitle(r)
	}, s)
}
