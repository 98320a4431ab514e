package form

import (
	"fmt"
	"slices"

	"github.com/xuri/excelize/v2"

	"muster/events"
)

// requirements writes the sheet of what is asked for, and what is missing.
func (b *writer) requirements() {
	const sheet, head = requirementsSheet, 3
	c := b.c
	b.put(sheet, 1, 1, fmt.Sprintf("Requirements of %s, and what is missing on %s / besoins et "+
		"manques", c.Operation, c.On), b.title)
	b.put(sheet, 1, 2, fmt.Sprintf("As of record %d. Without a gap: not in force on that day. / "+
		"Sans manque indiqué : pas en vigueur ce jour-là.", c.Record), b.guide)
	heads := []struct {
		words string
		width float64
		kind  kind
	}{{"Requirement\nBesoin", 24, text}, {"Role\nRôle", 20, text}, {"Area\nZone", 14, text},
		{"Priority\nPriorité", 10, days}, {"Essential\nIndispensable", 13, text},
		{"First day\nPremier jour", 13, day}, {"Last day\nDernier jour", 13, day},
		{"Required\nDemandé", 14, amount}, {"Supply\nFourni", 14, amount},
		{"Gap\nManque", 14, amount}, {"Unit\nUnité", 13, text}, {"Note\nNote", 40, text}}
	for i, h := range heads {
		name := b.name(i + 1)
		b.do(b.f.SetColWidth(sheet, name, name, h.width))
		b.put(sheet, i+1, head, h.words, b.head)
	}
	for i := range c.Lines {
		l := &c.Lines[i]
		essential := ""
		if l.Essential {
			essential = "yes / oui"
		}
		row := head + 1 + i
		for j, cell := range []string{string(l.Line), string(l.Role), string(l.Area),
			fmt.Sprint(l.Priority), essential, date(l.From), date(l.Until), l.Required.String(),
			l.Supply.String(), l.Gap.String(), string(l.Unit), l.Note} {
			if heads[j].kind == amount {
				b.do(b.f.SetCellStyle(sheet, b.cell(j+1, row), b.cell(j+1, row), b.forms[amount]))
			}
			b.write(sheet, heads[j].kind, j+1, row, cell)
		}
		if n, known := l.Gap.Number(); known && n > 0 {
			b.do(b.f.SetCellStyle(sheet, b.cell(10, row), b.cell(10, row), b.gap))
		}
	}
	b.do(b.f.SetRowHeight(sheet, head, 32))
	b.do(b.f.SetPanes(sheet, &excelize.Panes{Freeze: true, YSplit: head,
		TopLeftCell: b.cell(1, head+1), ActivePane: "bottomLeft"}))
	b.paper(sheet, head)
}

// An example is a row as it may be filled in, by field.
type example struct {
	en, fr string
	cells  map[string]string
}

// examples writes the sheet of examples, with words of the operation's own plan.
func (b *writer) examples() {
	const sheet, head = examplesSheet, 3
	shown := []string{"role", "line", "area", "quantity", "unit", "from", "until", "expires",
		"notice_to_move", "presence", "reference", "note", "release"}
	b.put(sheet, 1, 1, "Examples / exemples", b.title)
	b.put(sheet, 1, 2, "Nothing of this sheet is imported. / "+
		"Rien de cette feuille n’est importé.", b.guide)
	b.do(b.f.SetColWidth(sheet, "A", "B", 46))
	b.put(sheet, 1, head, "What it says", b.head)
	b.put(sheet, 2, head, "Ce que cela dit", b.head)
	at := 2
	for _, col := range columns {
		if !slices.Contains(shown, col.field) {
			continue
		}
		at++
		name := b.name(at)
		b.do(b.f.SetColWidth(sheet, name, name, col.width))
		b.put(sheet, at, head, col.en+"\n"+col.fr, b.head)
		for i, e := range b.examplesOf() {
			b.do(b.f.SetCellStyle(sheet, b.cell(at, head+1+i), b.cell(at, head+1+i),
				b.forms[col.kind]))
			b.write(sheet, col.kind, at, head+1+i, e.cells[col.field])
		}
	}
	for i, e := range b.examplesOf() {
		b.do(b.f.SetRowHeight(sheet, head+1+i, 32))
		b.put(sheet, 1, head+1+i, e.en, b.body)
		b.put(sheet, 2, head+1+i, e.fr, b.body)
	}
	b.do(b.f.SetRowHeight(sheet, head, 64))
	b.paper(sheet, head)
}

// examplesOf makes the examples: of the first role that is counted in people, or else in something,
// and of money where the plan has some.
func (b *writer) examplesOf() []example {
	c := b.c
	const people = "personnel"
	var role, unit, line, area string
	var paid *example
	for _, r := range c.Roles {
		for _, u := range r.Units {
			switch {
			case u.IsMoney() && paid == nil:
				paid = &example{"Money: with a decimal point, as text.",
					"De l’argent : avec un point décimal, comme texte.", map[string]string{
						"role": string(r.Role), "quantity": "2500000.00", "unit": string(u),
						"from": "2026-07-01"}}
			case !u.IsMoney() && (role == "" || u == people && unit != people):
				role, unit = string(r.Role), string(u)
			}
		}
	}
	for i := range c.Lines {
		if l := &c.Lines[i]; string(l.Role) == role && line == "" {
			line, area = string(l.Line), string(l.Area)
		}
	}
	base := func(quantity string, more map[string]string) map[string]string {
		all := map[string]string{"role": role, "quantity": quantity, "unit": unit,
			"from": "2026-07-01"}
		for field, cell := range more {
			all[field] = cell
		}
		return all
	}
	var all []example
	if role != "" {
		all = []example{
			{"400 for a requirement, for half a year, within 30 days of the call, under your own " +
				"number.", "400 pour un besoin, pour six mois, avec un préavis de 30 jours, " +
				"sous votre propre numéro.",
				base("400", map[string]string{"line": line, "area": area,
					"until": "2026-12-31", "notice_to_move": "30", "reference": "NV 12/2026"})},
			{"How much is not known yet: it counts as unknown, never as 0.",
				"Quantité pas encore connue : comptée comme inconnue, jamais comme 0.",
				base("unknown", nil)},
			{"10 are sure, up to 14 may come.", "10 sont sûrs, 14 au plus.",
				base("10 to 14", map[string]string{"expires": "2026-09-30"})},
			{"In reserve at home, and for the coordinators' eyes alone.",
				"En réserve dans le pays, et visible des coordinateurs seuls.",
				base("200", map[string]string{"presence": string(events.Reserve),
					"release": string(events.CoordinatorsOnly)})}}
	}
	if paid != nil {
		all = append(all, *paid)
	}
	return all
}
