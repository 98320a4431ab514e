package events

import (
	"slices"
	"strings"
)

// A Nation is who a pledge comes from: an ISO 3166-1 alpha-3 code in capitals, an organisation's
// ICAO 9303 code (the European Union is EUE), or the code of an organisation that an operation
// declares ("x-nato": see [Organisation]).
type Nation string

// HQ stands where a nation would for what the coordinators say. It is no nation's code and never
// will be.
const HQ Nation = "HQ"

// An Operation names what the coalition does together ("mnf-u", "unmil"): lower-case letters,
// digits and hyphens.
type Operation string

// A Role is a capability that somebody must fill ("ground", "intelligence"), from the catalogue of
// an operation.
type Role string

// An Area is a part of an operation's region ("west", "black-sea"). The empty area means anywhere.
type Area string

// A Line identifies a requirement within its operation ("ground-west").
type Line string

// A Unit is what a quantity counts: "personnel", "aircraft", "team"; or an ISO 4217 code such as
// "EUR" for money. Units are never added to each other.
type Unit string

// An Origin names a ledger for ever, like a URL without a scheme: "muster.example/berlin". It is
// the checkpoint origin of C2SP tlog-checkpoint, and every statement carries it so that none can be
// replayed on another ledger.
type Origin string

// The forms of words, as patterns (RE2, and ECMA 262 too).
const (
	// Of operations, roles, areas, requirements, conditions and caveats.
	SlugForm     = `^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$`
	UnitForm     = `^[a-z](?:[a-z-]{0,18}[a-z])?$`
	CurrencyForm = `^[A-Z]{3}$`
	// With at most MaxOrigin characters.
	OriginForm = `^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]+)?(?:/[a-z0-9][a-z0-9._-]*)*$`
)

// MaxOrigin is the most characters that a ledger's origin has.
const MaxOrigin = 128

// The forms are kept here without their patterns, which would take as long as all else that is done
// with a statement.

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isPlain(c byte) bool { return isLower(c) || isDigit(c) }

// consists reports whether s is of bytes that all are so.
func consists(s string, of func(byte) bool) bool {
	for i := range len(s) {
		if !of(s[i]) {
			return false
		}
	}
	return true
}

func validSlug(s string) bool {
	return s != "" && len(s) <= 32 && isPlain(s[0]) && isPlain(s[len(s)-1]) &&
		consists(s, func(c byte) bool { return isPlain(c) || c == '-' })
}

// Valid reports whether o has the form of an operation's name.
func (o Operation) Valid() bool { return validSlug(string(o)) }

// Valid reports whether r has the form of a role's name.
func (r Role) Valid() bool { return validSlug(string(r)) }

// Valid reports whether l can name a requirement, a condition or a caveat.
func (l Line) Valid() bool { return validSlug(string(l)) }

// Valid reports whether o has the form of a ledger's origin.
func (o Origin) Valid() bool {
	host, path, hasPath := strings.Cut(string(o), "/")
	host, port, hasPort := strings.Cut(host, ":")
	switch {
	case len(o) > MaxOrigin, host == "" || !isPlain(host[0]) || !isPlain(host[len(host)-1]),
		hasPort && port == "":
		return false
	case !consists(host, func(c byte) bool { return isPlain(c) || c == '.' || c == '-' }) ||
		!consists(port, isDigit):
		return false
	}
	for part := range strings.SplitSeq(path, "/") {
		if hasPath && (part == "" || !isPlain(part[0]) || !consists(part, func(c byte) bool {
			return isPlain(c) || c == '.' || c == '_' || c == '-'
		})) {
			return false
		}
	}
	return true
}

// Valid reports whether u has the form of a unit.
func (u Unit) Valid() bool {
	isWord := u != "" && len(u) <= 20 && isLower(u[0]) && isLower(u[len(u)-1]) &&
		consists(string(u), func(c byte) bool { return isLower(c) || c == '-' })
	return isWord || u.IsMoney()
}

// IsMoney reports whether u is a currency, whose quantities are decimal amounts and not counts.
func (u Unit) IsMoney() bool { return len(u) == 3 && consists(string(u), isUpper) }

// Known reports whether n is a code that this version knows of itself. HQ is not a nation, and an
// organisation's code is not known: see [Nation.Valid].
func (n Nation) Known() bool { _, ok := gazetteer().names[n]; return ok }

// Name returns the nation's usual English name, or the code itself when it is unknown.
func (n Nation) Name() string {
	if name, ok := gazetteer().names[n]; ok {
		return name
	}
	return string(n)
}

// withArticle are the nations whose English names have an article within a sentence.
var withArticle = strings.Fields(
	"ALA ARE ATF BES BHS CAF CCK COK COM CYM DOM EUE FLK FRO GBR GMB HMD " +
		"IMN IOT MDV MHL MNP NLD PHL SLB TCA UMI UNO USA VGB VIR")

// Named returns the nation's usual English name as it stands within a sentence: "the Netherlands".
func (n Nation) Named() string {
	if slices.Contains(withArticle, string(n)) {
		return "the " + n.Name()
	}
	return n.Name()
}

// Nations returns every known code, in order; those of organisations are not among them.
func Nations() []Nation { return slices.Clone(gazetteer().codes) }
