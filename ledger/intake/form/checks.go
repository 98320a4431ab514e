package form

import (
	"fmt"
	"slices"

	"github.com/xuri/excelize/v2"

	"muster/events"
)

// lists writes what the drop-downs offer: names of the plan, in a hidden sheet, since a list within
// a check may have 255 characters at most.
func (b *writer) lists() {
	c := b.c
	offered := map[string][]string{"release": {string(events.Public), string(events.CoalitionOnly),
		string(events.CoordinatorsOnly)},
		"presence": {string(events.New), string(events.Present), string(events.Reserve)}}
	add := func(field, name string) {
		if name != "" && !slices.Contains(offered[field], name) {
			offered[field] = append(offered[field], name)
		}
	}
	for _, r := range c.Roles {
		add("role", string(r.Role))
		for _, u := range r.Units {
			add("unit", string(u))
		}
	}
	for i := range c.Lines {
		add("line", string(c.Lines[i].Line))
		add("area", string(c.Lines[i].Area))
	}
	b.ranges = map[string]string{}
	at := 0
	for _, col := range columns {
		names := offered[col.field]
		if len(names) == 0 {
			continue
		}
		at++
		b.put(listsSheet, at, 1, col.field, 0)
		for i, name := range names {
			b.put(listsSheet, at, i+2, name, 0)
		}
		b.ranges[col.field] = fmt.Sprintf("%s!$%s$2:$%s$%d", listsSheet, b.name(at), b.name(at),
			len(names)+1)
	}
}

// check has the spreadsheet check the cells of a column as they are filled in. What is checked in
// the end is what the ledger's rules say.
func (b *writer) check(col column, cells, first string) {
	v := excelize.NewDataValidation(true)
	v.Sqref = cells
	switch col.kind {
	case choice, suggested:
		list := b.ranges[col.field]
		if list == "" {
			return
		}
		v.SetSqrefDropList(list)
		if col.kind == choice {
			v.SetError(excelize.DataValidationErrorStyleStop, col.en,
				"Choose one of the list. / Choisissez dans la liste.")
		} else {
			v.SetError(excelize.DataValidationErrorStyleWarning, col.en,
				"No requirement has that. / Aucun besoin ne l’a.")
		}
	case day:
		b.do(v.SetRange("DATE(1990,1,1)", "DATE(2199,12,31)", excelize.DataValidationTypeDate,
			excelize.DataValidationOperatorBetween))
		v.SetError(excelize.DataValidationErrorStyleStop, col.en,
			"Write a date, such as 2026-07-01. / Une date, par exemple 2026-07-01.")
	case days:
		b.do(v.SetRange(0, 3650, excelize.DataValidationTypeWhole,
			excelize.DataValidationOperatorBetween))
		v.SetError(excelize.DataValidationErrorStyleStop, col.en,
			"A whole number of days. / Un nombre entier de jours.")
	case amount:
		b.do(v.SetRange(fmt.Sprintf("OR(ISTEXT(%s),AND(%s>0,%s=INT(%s)))", first, first, first,
			first), "", excelize.DataValidationTypeCustom,
			excelize.DataValidationOperatorBetween))
		v.SetError(excelize.DataValidationErrorStyleWarning, col.en,
			"A whole number; or 10 to 14, up to 18, at least 4, unknown. / "+
				"Un nombre entier ; ou comme ci-contre, en anglais.")
		v.SetInput(col.en, "500; 10 to 14; up to 18; at least 4; around 7,000; unknown")
	default:
		return
	}
	b.do(b.f.AddDataValidation(pledgesSheet, v))
}
