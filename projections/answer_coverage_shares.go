package projections

import (
	"cmp"
	"math"
	"slices"

	"muster/events"
)

// A Share is one nation's part of a supply.
type Share struct {
	Nation   events.Nation   `json:"nation"`
	Quantity events.Quantity `json:"quantity"`
	Percent  int             `json:"percent"` // rounded down
}

// A DependenceLevel says how much of a line hangs on one nation.
type DependenceLevel string

// The levels of dependence.
const (
	Alone      DependenceLevel = "alone" // nobody else holds any of it, known or unknown
	FourFifths DependenceLevel = "80"    // at least 80 percent of what is known
	Half       DependenceLevel = "50"    // at least 50 percent of what is known
)

// A Dependence names the nation that a line hangs on.
type Dependence struct {
	Nation  events.Nation   `json:"nation"`
	Percent int             `json:"percent"` // of what is known, rounded down
	Level   DependenceLevel `json:"level"`
	// UnknownBy are the others that hold some of it too, and have not said how much: the nation may
	// hold less of the whole.
	UnknownBy []events.Nation `json:"unknown_by,omitempty"`
}

func (l *lineTally) shares(nations []events.Nation, supply int64) []Share {
	parts := make([]portion, 0, len(l.nations))
	for number, n := range l.nations {
		if n > 0 {
			parts = append(parts, portion{n, nations[number]})
		}
	}
	return sharesOf(parts, l.Unit, supply)
}

// A portion is what a nation has of a whole.
type portion struct {
	n      int64
	nation events.Nation
}

// sharesOf tells portions as shares, the largest first. It sorts the portions, since shares are
// large.
func sharesOf(parts []portion, unit events.Unit, whole int64) []Share {
	slices.SortFunc(parts, func(a, b portion) int {
		if a.n != b.n {
			return cmp.Compare(b.n, a.n)
		}
		return cmp.Compare(a.nation, b.nation)
	})
	shares := make([]Share, len(parts))
	for i, p := range parts {
		shares[i] = Share{p.nation, unit.Of(p.n), percent(p.n, whole)}
	}
	return shares
}

// dependence says whether a supply hangs on the nation with the largest share, where some nations
// have not said how much they hold. One that has a part of which nobody knows how much is alone
// where nobody else has any.
func dependence(who []Share, unknown []events.Nation) *Dependence {
	d := &Dependence{}
	switch {
	case len(who) > 0:
		d.Nation, d.Percent = who[0].Nation, who[0].Percent
	case len(unknown) == 1:
		d.Nation, d.Percent = unknown[0], 100
	default:
		return nil
	}
	for _, n := range unknown {
		if n != d.Nation {
			d.UnknownBy = append(d.UnknownBy, n)
		}
	}
	switch {
	case len(who) <= 1 && len(d.UnknownBy) == 0:
		d.Level = Alone
	case d.Percent >= 80:
		d.Level = FourFifths
	case d.Percent >= 50:
		d.Level = Half
	default:
		return nil
	}
	return d
}

// percent returns part in percent of whole, rounded down, so that 100 says that nothing is missing.
func percent(part, whole int64) int {
	switch {
	case whole <= 0:
		return 0
	case part <= math.MaxInt64/100:
		return int(part * 100 / whole)
	}
	return int(math.Floor(float64(part) / float64(whole) * 100))
}
