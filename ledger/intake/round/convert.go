package round

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/intake/sheet"
)

// A converter makes offers of rows. It remembers the rows that were there before, to tell equal
// ones apart.
type converter struct {
	table   *sheet.Table
	mapping Mapping
	origin  events.Origin
	columns map[string]int      // where the fields are
	rules   []int               // where the columns of the rules are
	again   map[[32]byte]uint64 // how often a row was there, by the digest of its offer
}

func (c *converter) convert(r sheet.Row) Row {
	offer, wrong := c.offer(c.values(r))
	if len(wrong) == 0 {
		wrong = c.identify(offer)
	}
	if len(wrong) > 0 {
		return Row{Line: r.Line, Sentence: "refused: " + sentences(wrong), Problems: wrong}
	}
	return Row{Line: r.Line, Offer: offer, Sentence: sentence(offer)}
}

// values returns the text of each field: the cell, or what always holds; then what its words stand
// for; then what the rules say.
func (c *converter) values(r sheet.Row) map[string]string {
	v := maps.Clone(c.mapping.Always)
	if v == nil {
		v = map[string]string{}
	}
	for field, column := range c.columns {
		if cell := r.Cells[column]; cell != "" {
			v[field] = cell
		}
	}
	if meaning, ok := c.mapping.Units[sheet.Fold(v["unit"])]; ok {
		c.replaceUnit(v, meaning)
	}
	for i, rule := range c.mapping.Rules {
		if strings.Contains(sheet.Fold(r.Cells[c.rules[i]]), sheet.Fold(rule.Contains)) {
			maps.Copy(v, rule.Set)
		}
	}
	return v
}

// replaceUnit puts in the meaning of a published unit, and keeps the words in the note.
func (c *converter) replaceUnit(v map[string]string, meaning Meaning) {
	if words := v["unit"]; words != string(meaning.Unit) {
		note := fmt.Sprintf("published as %q", v["quantity"]+" "+words)
		if v["note"] != "" {
			note += "; " + v["note"]
		}
		v["note"] = note
	}
	v["unit"] = string(meaning.Unit)
	if meaning.Role != "" {
		v["role"] = string(meaning.Role)
	}
}

// offer makes the statement of the values, with every field that cannot be read.
func (c *converter) offer(v map[string]string) (*events.PledgeOffered, []problem.Field) {
	var wrong []problem.Field
	refuse := func(field string, err error) {
		if err != nil {
			wrong = append(wrong,
				problem.Field{Location: field, Value: v[field], Message: err.Error()})
		}
	}
	offer := &events.PledgeOffered{
		Header: events.Header{Type: "pledge.offered", Ledger: c.origin},
		Place:  events.Place{Operation: events.Operation(v["operation"])},
		PledgeTerms: events.PledgeTerms{
			Role: events.Role(v["role"]), Unit: events.Unit(v["unit"]),
			Area: events.Area(v["area"]), Line: events.Line(v["line"]),
			Presence: events.Presence(v["presence"]), Release: events.Release(v["release"]),
			Source: v["source"], Note: v["note"],
		},
	}
	refuse("nation", read(v["nation"], &offer.Nation, c.nation))
	refuse("quantity", read(v["quantity"], &offer.Quantity, events.ParseQuantity))
	refuse("effective", read(v["effective"], &offer.Effective, events.ParseDate))
	refuse("from", read(v["from"], &offer.From, events.ParseDate))
	refuse("until", read(v["until"], &offer.Until, events.ParseDate))
	refuse("notice_to_move", read(v["notice_to_move"], &offer.NoticeToMove, parseDays))
	if unit := v["unit"]; unit != "" && !offer.Unit.Valid() {
		refuse("unit", fmt.Errorf(
			"no unit that is known: say under units what it stands for, such as `%s: {role: "+
				"training, unit: team}`", unit))
	}
	return offer, withChecks(wrong, offer)
}

// read puts what parse makes of the text into its place. A text that is not there is left to the
// statement's own checks.
func read[T any](text string, into *T, parse func(string) (T, error)) (err error) {
	if text != "" {
		*into, err = parse(text)
	}
	return err
}

func (c *converter) nation(s string) (events.Nation, error) {
	if n, ok := c.mapping.Nations[sheet.Fold(s)]; ok {
		return n, nil
	}
	return parseNation(s)
}

func parseDays(s string) (*int, error) {
	n, err := strconv.Atoi(s)
	if err != nil {
		return nil, errors.New("write days, as a whole number from 0 on")
	}
	return &n, nil
}

// withChecks adds what the statement's own checks find, but for the fields that are known to be
// wrong.
func withChecks(wrong []problem.Field, offer *events.PledgeOffered) []problem.Field {
	known := map[string]bool{}
	for _, f := range wrong {
		known[f.Location] = true
	}
	checked := *offer
	checked.ID = events.ID{1} // the ID follows when all is right
	_, err := events.Marshal(&checked)
	if err == nil {
		return wrong
	}
	for _, f := range problem.From(err).Fields {
		if !known[f.Location] {
			wrong = append(wrong, f)
		}
	}
	return wrong
}

// identify gives the offer its ID: the effective date, and the first bytes of a digest of all that
// the offer says, the ledger and the operation included, and of how often the same was said before
// in this table.
func (c *converter) identify(offer *events.PledgeOffered) []problem.Field {
	unnamed := *offer
	unnamed.ID = events.ID{1}
	text, err := events.Marshal(&unnamed)
	if err != nil {
		return []problem.Field{{Location: "id", Message: err.Error()}}
	}
	digest := sha256.Sum256(text)
	before := c.again[digest]
	c.again[digest]++
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(text, before))
	// An ID holds no time before 1970; the effective date is part of the digest, too.
	ms := max(offer.Effective.Time().UnixMilli(), 0)
	if offer.ID, err = events.IDAt(uint64(ms), [10]byte(sum[:10])); err != nil {
		return []problem.Field{{Location: "effective", Value: offer.Effective.String(),
			Message: err.Error()}}
	}
	return nil
}

func amount(o *events.PledgeOffered) string {
	if o.Quantity.IsUnknown() {
		return "an " + english.Unknown(string(o.Unit), o.Unit.IsMoney())
	}
	return o.Quantity.String() + " " + english.Noun(o.Quantity.IsOne(), string(o.Unit))
}

func sentence(o *events.PledgeOffered) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s) offers %s for %s to %s", english.Capital(o.Nation.Named()), o.Nation,
		amount(o), o.Role, o.Operation)
	if o.Area != "" {
		fmt.Fprintf(&b, " in %s", o.Area)
	}
	if o.Line != "" {
		fmt.Fprintf(&b, ", meant for %s", o.Line)
	}
	fmt.Fprintf(&b, ", %s", o.Span())
	if o.NoticeToMove != nil {
		fmt.Fprintf(&b, ", notice to move %s", english.Several(*o.NoticeToMove, "day"))
	}
	switch o.Presence {
	case events.Reserve:
		b.WriteString(", in reserve")
	case events.Present:
		b.WriteString(", present already")
	}
	if o.Note != "" {
		fmt.Fprintf(&b, " (%s)", o.Note)
	}
	return b.String()
}

func sentences(wrong []problem.Field) string {
	all := make([]string, len(wrong))
	for i, f := range wrong {
		all[i] = f.String()
	}
	return strings.Join(all, "; ")
}
