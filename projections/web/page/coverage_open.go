package page

import (
	"net/url"
	"strings"

	"muster/events"
	"muster/projections"
	"muster/projections/web"
)

// An opened is what is behind one cell.
type opened struct {
	*frame
	E projections.Explanation
	// Line is the requirement, "" where the cell is a sum: of Who's strength, in the role if there
	// is one.
	Line events.Line
	Who  events.Nation
	Role events.Role
	// CSV and JSON are where the same is as CSV and as JSON, which has the records.
	CSV, JSON string
}

// readOpen explains the cell that is open: open names a requirement, as operation/line; holds a
// nation's strength, as operation/nation/role, of which the role may be left out. The date is that
// of at.
func (c *coverage) readOpen() (*opened, error) {
	o := &opened{frame: c.frame}
	pairs := []any{"nation", "", "role", "", "line", ""}
	if at := c.Get("at"); at != "" {
		pairs = append(pairs, "on", at)
	}
	var operation string
	if c.Has("open") {
		var line string
		operation, line, _ = strings.Cut(c.Get("open"), "/")
		o.Line = events.Line(line)
		pairs = append(pairs, "what", "coverage", "line", line)
	} else {
		parts := append(strings.SplitN(c.Get("holds"), "/", 3), "", "")
		operation, o.Who, o.Role = parts[0], events.Nation(parts[1]), events.Role(parts[2])
		pairs = append(pairs, "what", "strength", "nation", parts[1], "role", parts[2])
	}
	pairs = append(pairs, "operation", operation)
	e, err := ask(c.frame, web.Read[web.ExplainQuery], c.service.Explain, pairs...)
	o.E = e
	o.CSV, o.JSON = c.explainAddress(c.only("as_of", "on", "rung", "without", "without_conditional",
		"without_caveated", "discharge"), pairs)
	return o, err
}

// explainAddress is where the API gives the same, as CSV and as JSON.
func (l location) explainAddress(with url.Values, pairs []any) (csv, json string) {
	what := "strength"
	for i := 0; i+1 < len(pairs); i += 2 {
		switch name, value := text(pairs[i]), text(pairs[i+1]); {
		case name == "what":
			what = value
		case value == "":
			with.Del(name)
		default:
			with.Set(name, value)
		}
	}
	at := l.Path(web.Root) + "/explain/" + what
	return at + ".csv?" + with.Encode(), at + "?" + with.Encode()
}

// CountedParts are what the number is made of, as far as it is shown.
func (o *opened) CountedParts() cut[projections.Part] { return cutAt(o.E.Parts, maxOpened) }

// LeftParts are what was considered and not counted, as far as it is shown.
func (o *opened) LeftParts() cut[projections.Part] { return cutAt(o.E.NotCounted, maxOpened) }

// ShownRecords are the records behind the number, as far as they are shown.
func (o *opened) ShownRecords() cut[projections.Told] { return cutAt(o.E.Records, maxOpened) }

// OpenLine is the address of what is behind a cell of a line.
func (c *coverage) OpenLine(l matrixLine, one cell) any {
	return c.Here("open", string(l.Operation)+"/"+string(l.Line), "at", one.On, "holds", "")
}

// OpenSum is the address of what is behind a sum of a nation's strength.
func (c *coverage) OpenSum(r projections.StrengthRow) any {
	return c.Here("holds", string(r.Operation)+"/"+string(r.Nation)+"/"+string(r.Role), "at",
		r.Day, "open", "")
}

// Close is the address of the page with nothing opened.
func (o *opened) Close() any { return o.Here("open", "", "holds", "", "at", "") }

// IsOpen reports whether it is the cell that is open.
func (c *coverage) IsOpen(l matrixLine, one cell) bool {
	return c.Get("open") == string(l.Operation)+"/"+string(l.Line) &&
		(c.Get("at") == one.On.String() || c.Get("at") == "" && one.On == c.Basis.On)
}
