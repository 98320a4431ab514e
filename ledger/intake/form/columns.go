package form

import (
	"fmt"
	"strings"

	"muster/events"
)

// A kind is how the cells of a column are written and checked.
type kind int

const (
	text      kind = iota
	choice         // one of a list
	suggested      // one of a list, or another
	day            // a date
	days           // a whole number of days
	amount         // a whole number, or text: money, "10 to 14", "unknown"
	fixed          // what nobody should change
)

// A column is one of the sheet of pledges. Its head is in two languages; its tag, in the manner of
// the Humanitarian Exchange Language, is by what it is found.
type column struct {
	field  string // of a pledge, as a mapping calls it; "" for the revision
	en, fr string
	tag    string
	width  float64
	kind   kind
	cell   func(*Pledge) string
}

// idTag is the tag by which the sheet of pledges is known.
const idTag = "#meta+id+pledge"

var columns = []column{
	{"nation", "Nation", "Pays", "#country+code", 9, text,
		func(p *Pledge) string { return string(p.Nation) }},
	{"role", "Role", "Rôle", "#sector+role", 18, choice,
		func(p *Pledge) string { return string(p.Terms.Role) }},
	{"line", "Meant for the requirement", "Destiné au besoin", "#activity+line", 22, suggested,
		func(p *Pledge) string { return string(p.Terms.Line) }},
	{"area", "Area", "Zone", "#loc+area", 14, suggested,
		func(p *Pledge) string { return string(p.Terms.Area) }},
	{"quantity", "Quantity", "Quantité", "#capacity+num", 14, amount,
		func(p *Pledge) string { return p.Terms.Amount().String() }},
	{"unit", "Unit", "Unité", "#capacity+unit", 13, choice,
		func(p *Pledge) string { return string(p.Terms.Unit) }},
	{"from", "First day", "Premier jour", "#date+start", 13, day,
		func(p *Pledge) string { return date(p.Terms.From) }},
	{"until", "Last day", "Dernier jour", "#date+end", 13, day,
		func(p *Pledge) string { return date(p.Terms.Until) }},
	{"expires", "Expires", "Expire le", "#date+expires", 13, day,
		func(p *Pledge) string { return date(p.Terms.Expires) }},
	{"notice_to_move", "Notice to move (days)", "Préavis (jours)", "#capacity+notice", 12, days,
		func(p *Pledge) string {
			if p.Terms.NoticeToMove == nil {
				return ""
			}
			return fmt.Sprint(*p.Terms.NoticeToMove)
		}},
	{"presence", "Presence", "Présence", "#status+presence", 11, choice,
		func(p *Pledge) string { return string(p.Terms.Presence) }},
	{"reference", "Your own reference", "Votre référence", "#meta+reference", 20, text,
		func(p *Pledge) string { return p.Terms.Reference }},
	{"elsewhere", "Also pledged to", "Aussi engagé pour", "#meta+elsewhere", 18, text,
		func(p *Pledge) string { return strings.Join(p.Terms.Elsewhere, "; ") }},
	{"note", "Note", "Note", "#description+note", 30, text,
		func(p *Pledge) string { return p.Terms.Note }},
	{"release", "Who may see it", "Qui peut le voir", "#meta+release", 14, choice,
		func(p *Pledge) string { return string(p.Terms.Release) }},
	{"releasable_to", "Nations that may see it too", "Pays qui peuvent aussi le voir",
		"#meta+release+nations", 18, text, func(p *Pledge) string {
			all := make([]string, len(p.Terms.ReleasableTo))
			for i, n := range p.Terms.ReleasableTo {
				all[i] = string(n)
			}
			return strings.Join(all, "; ")
		}},
	{"id", "Pledge (leave as it is)", "Engagement (ne pas modifier)", idTag, 29, fixed,
		func(p *Pledge) string { return p.ID.String() }},
	{"", "Last record (leave as it is)", "Dernier enregistrement (ne pas modifier)",
		"#meta+revision", 20, fixed,
		func(p *Pledge) string { return fmt.Sprint(p.Revision) }},
}

// required are the fields without which no row is a pledge, and which a form does not know.
var required = map[string]bool{"role": true, "quantity": true, "unit": true, "from": true}

func date(d events.Date) string {
	if d == 0 {
		return ""
	}
	return d.String()
}
