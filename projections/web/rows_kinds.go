package web

import (
	"strings"

	"muster/projections/web/tabular"
)

// kinds says what the columns of a name are in every table, where they are not text. A table for
// which one is something else says so itself: see Table.Kinds.
var kinds = func() map[string]tabular.Kind {
	all := map[string]tabular.Kind{}
	for kind, names := range map[tabular.Kind][]string{
		tabular.Count: {"sequence", "record", "revision", "admitted", "revoked", "corrected by",
			"mends",
			"known from", "until record", "days", "days short", "rank", "priority",
			"pledges", "entries", "longest to confirmed", "longest to deployed",
			"offered to confirmed", "confirmed to deployed", "not confirmed", "not deployed",
			"ended before"},
		tabular.Percent: {"percent", "fill"},
		tabular.Amount: {"quantity", "strength", "required", "supply", "gap", "missing",
			"indicated", "offered", "accepted", "confirmed", "deployed", "waiting",
			"supply as it is", "gap as it is", "waiting as it is", "of", "gap without it",
			"in place", "in reserve", "notice not said"},
		tabular.Day: {"day", "from", "until", "expires", "effective", "short from", "short until",
			"first short", "worst day", "holds from", "since", "offered since",
			"confirmed since", "date"},
		tabular.Moment: {"recorded", "replaced"},
	} {
		for _, name := range names {
			all[name] = kind
		}
	}
	return all
}()

// columns are those of the rows, with what is in them.
func (t Table) columns() []tabular.Column {
	all := make([]tabular.Column, len(t.Head))
	for i, name := range t.Head {
		kind, ok := t.Kinds[name]
		if !ok {
			kind = kinds[name]
		}
		if days, ok := strings.CutSuffix(name, " d"); ok && strings.Trim(days, "0123456789") == "" {
			kind = tabular.Amount // what can move within so many days
		}
		all[i] = tabular.Column{Name: name, Kind: kind}
	}
	return all
}
