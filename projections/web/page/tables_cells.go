package page

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"muster/events"
	"muster/projections/web"
)

// What a row says in each of its columns, in the reader's language, and where that leads.

// laidOut lays rows out in the columns that say anything.
func (p *tablePage) laidOut(t *web.Table) (columns []tableColumn, rows cut[[]tableCell]) {
	var at []int
	for i, head := range t.Head {
		if head == "name" && p.Question == "nations" {
			continue // which the reader is told in words of the page
		}
		says := func(r web.Row) bool { return i < len(r.Cells) && r.Cells[i] != "" }
		if slices.ContainsFunc(t.Rows, says) {
			number := slices.ContainsFunc(t.Rows, func(r web.Row) bool {
				return says(r) && amount.MatchString(r.Cells[i])
			})
			at, columns = append(at, i), append(columns, tableColumn{head, p.head(head), number})
		}
	}
	shown := cutAt(t.Rows, maxListed)
	rows.More = shown.More
	for _, r := range shown.Shown {
		var cells []tableCell
		for j, i := range at {
			cell := tableCell{}
			if i < len(r.Cells) {
				cell = p.cell(columns[j], r.Cells[i])
			}
			if columns[j].Name == "requirement" && cell.Parts != nil {
				cell.Parts[0].Address = p.To("/timeline", "operation", p.operationOf(t, r), "line",
					r.Cells[i])
			}
			cells = append(cells, cell)
		}
		rows.Shown = append(rows.Shown, cells)
	}
	return columns, rows
}

var (
	amount = regexp.MustCompile(`^(\d+)(?:\.(\d\d))?(%?)$`)
	inDays = regexp.MustCompile(`^(\d+) d$`)
)

// head returns the head of a column in the reader's language.
func (p *tablePage) head(name string) string {
	if days := inDays.FindStringSubmatch(name); days != nil {
		n, _ := strconv.Atoi(days[1])
		return p.T("table.days", n)
	}
	return p.Word("head", strings.ReplaceAll(name, " ", "-"))
}

// cell returns what a cell says, and where it leads.
func (p *tablePage) cell(column tableColumn, said string) tableCell {
	if said == "" {
		return tableCell{}
	}
	one := func(text string, address any) tableCell {
		return tableCell{Parts: []tablePart{{text, address}}}
	}
	switch column.Name {
	case "nation", "party", "held by":
		n := events.Nation(said)
		if n == events.HQ {
			return one(p.Nation(n), nil)
		}
		return one(p.Nation(n), p.To("/mine", "nation", said))
	case "pledge":
		c := one(said, p.To("/pledges/"+said))
		c.Class = "code"
		return c
	case "id": // of what waits for a second
		if slices.Contains(p.toSecond, said) {
			return one(p.T("second.do"), p.To("/second", "statement", said))
		}
	case "record", "records", "mends", "sequence", "admitted", "revoked":
		c := tableCell{Class: "num"}
		for _, n := range strings.Fields(said) {
			c.Parts = append(c.Parts, tablePart{n, string(p.To("/log", "from", n)) + "#r" + n})
		}
		return c
	case "requirement":
		return one(said, nil) // which leads to one of the row's operation
	case "what", "what was said", "what is right":
		return tableCell{Class: "sentence", Said: unbroken(said)}
	case "scope":
		return one(said, nil)
	case "title", "note", "also", "source", "reference":
		c := one(said, nil)
		c.Recorded = !slices.Contains(p.translated, said)
		return c
	case "unit":
		return one(p.UnitName(events.Unit(said)), nil)
	case "due", "finding", "waits for", "rung", "type", "clearance", "essential",
		"as declared", "state", "proposed", "role", "of unknown size", "quantity",
		"offered", "deployed", "in place", "in reserve":
		if words := p.worded(column.Name, said); words != said {
			c := one(words, nil)
			if column.Name == "due" {
				c.Class = "kind"
			}
			return c
		}
	}
	if parts := amount.FindStringSubmatch(said); parts != nil {
		c := one(p.figure(said, parts[1], parts[2], parts[3]), nil)
		c.Class = "num"
		return c
	}
	c := one(said, nil)
	if strings.Count(said, "-") == 2 && len(said) <= len("2006-01-02 15:04:05Z") {
		c.Class = "whole"
	}
	return c
}

// figure writes a number as the reader's language does: whole and cents are its digits, and percent
// is "%" where it is of a hundred. What is too large is left as it is said.
func (p *tablePage) figure(said, whole, cents, percent string) string {
	n, err := strconv.ParseInt(whole, 10, 64)
	switch {
	case err != nil:
		return said
	case percent != "":
		return p.T("cell.percent", n)
	case strings.Trim(cents, "0") != "":
		return p.N(n) + "." + cents
	}
	return p.N(n)
}

// operationOf returns the operation that a row is about, or else the page.
func (p *tablePage) operationOf(t *web.Table, r web.Row) string {
	if i := slices.Index(t.Head, "operation"); i >= 0 && i < len(r.Cells) {
		return r.Cells[i]
	}
	return p.Get("operation")
}

var (
	somePledges = regexp.MustCompile(`^(\d+) pledges?$`)
	admission   = regexp.MustCompile(`^admit as (\w+)$`)
)

// worded says one of a closed set in the reader's language; what is of none is left as it is.
func (p *tablePage) worded(column, said string) string {
	if some := somePledges.FindStringSubmatch(said); some != nil {
		n, _ := strconv.Atoi(some[1])
		return p.Count("table.pledges", n)
	}
	if as := admission.FindStringSubmatch(said); as != nil {
		return p.T("table.admit", p.Word("session.role", as[1]))
	}
	if column == "role" && p.Question != "members" {
		return said // which a plan has named
	}
	set := map[string]string{"due": "mine.due", "waits for": "side", "type": "type", "rung": "rung",
		"finding": "finding", "clearance": "view", "role": "session.role"}[column]
	if set == "" || p.Word(set, said) == said {
		return p.Word("said", said)
	}
	return p.Word(set, said)
}
