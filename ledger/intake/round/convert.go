package round

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"

	"muster/events"
	"muster/events/english"
	"muster/events/phrase"
	"muster/events/problem"
	"muster/ledger/intake/sheet"
)

// A converter makes offers of rows. It remembers the rows that were there before, to tell equal
// ones apart.
type converter struct {
	table   *sheet.Table
	mapping Mapping
	origin  events.Origin
	columns map[string][]int    // where the fields are
	rules   [][]int             // where the columns of the rules' conditions are
	key     []keyPart           // of the mapping's key
	again   map[[32]byte]uint64 // how often a row was there, by the digest of its offer
	unknown map[nameIn]error    // names of nations that were not found
}

// convert makes of a row what it says. Why says why the row is left out, when it is.
func (c *converter) convert(r sheet.Row) (row Row, why phrase.Phrase) {
	row = Row{Line: r.Line, Of: r.Of}
	v := c.values(r)
	size, err := c.size(v)
	if size.blank && r.Of != "" {
		return row, phrase.Of("cells without a number, of columns that became rows")
	}
	row.unit = events.Unit(v.text["unit"])
	row.gone = size.isNumber && size.sign == 0 && strings.ToLower(v.text["rung"]) == observed
	if row.gone { // which follow takes for a return
		v.text["quantity"], v.cell["quantity"] = "1", false
	} else if why = c.mapping.Skip.quantity(size); !why.IsZero() {
		return row, why
	}
	if err == nil && size.sign < 0 && c.mapping.Reduce {
		row.taken = size
		v.text["quantity"], v.cell["quantity"] = size.positive(), false
	}
	note := v.text["note"]
	offer, wrong := c.offer(v)
	wrong = append(wrong, c.name(&row, v, offer)...)
	switch {
	case !row.ID.IsZero() && size.blank && !c.mapping.IsForm:
		return row, phrase.Of("pledges that were seen in published figures and never offered")
	case row.taken.number != nil:
		offer.ID = events.ID{1} // of no pledge: reduce finds the one that it is about
	case len(wrong) == 0:
		// The id does not rest on the words that stay in the note by themselves.
		whole := offer.Note
		offer.Note = note
		wrong = c.identify(offer)
		offer.Note = whole
		if row.Key != nil {
			offer.ID = c.keyed(row.Key)
		}
	}
	offer.Source = events.WithImport(offer.Source, c.mapping.Name)
	switch {
	case len(wrong) > 0:
	case !row.ID.IsZero(): // what hangs on it is listed beside it, and is said by itself
		row.Rung = offered
	default:
		row.Rung, row.Then, wrong = c.follow(v, offer)
	}
	if len(wrong) > 0 {
		row.refuse(wrong)
		return row, why
	}
	row.Offer, row.quantity = offer, offer.Quantity
	row.whose = c.mapping.Called(offer.Place)
	row.Sentence = row.sentence()
	return row, why
}

// numbers are how the field writes numbers: as the file does where it is a cell.
func (c *converter) numbers(v *values, field string) Numbers {
	if v.cell[field] {
		return c.mapping.Numbers
	}
	return Numbers{}
}

// size reads the quantity as a number, where it is one.
func (c *converter) size(v *values) (amount, error) {
	return c.numbers(v, "quantity").read(v.text["quantity"])
}

// positive is the amount without its sign, as a text that is read again exactly.
func (a amount) positive() string {
	const decimals = 24
	text := strings.TrimPrefix(a.number.FloatString(decimals), "-")
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// offer makes the statement of the values, with every field that cannot be read.
func (c *converter) offer(v *values) (*events.PledgeOffered, []problem.Field) {
	wrong := v.wrong
	text := v.text
	refuse := func(field string, err error) {
		if err != nil && !spreadsheetErrors[text[field]] { // which is told by itself
			wrong = append(wrong, problem.FieldSaid(field, problem.Shorten(text[field]),
				c.mapping.told(err)))
		}
	}
	offer := &events.PledgeOffered{
		Header: events.Header{Type: "pledge.offered", Ledger: c.origin},
		Place:  events.Place{Operation: events.Operation(text["operation"])},
		PledgeTerms: events.PledgeTerms{
			Role: events.Role(text["role"]), Unit: events.Unit(text["unit"]),
			Area: events.Area(text["area"]), Line: events.Line(text["line"]),
			Presence: events.Presence(text["presence"]), Release: events.Release(text["release"]),
			Source: text["source"], Elsewhere: list(text["elsewhere"]),
			Reference: text["reference"],
		},
	}
	named := text["nation"]
	refuse("nation", read(named, &offer.Nation, func(string) (events.Nation, error) {
		return c.nation(v)
	}))
	refuse("quantity", c.howMuch(v, &offer.PledgeTerms))
	refuse("effective", read(text["effective"], &offer.Effective, c.beginning))
	refuse("from", read(text["from"], &offer.From, c.beginning))
	refuse("until", read(text["until"], &offer.Until, c.end))
	refuse("expires", read(text["expires"], &offer.Expires, c.end))
	refuse("notice_to_move", read(text["notice_to_move"], &offer.NoticeToMove, parseDays))
	refuse("releasable_to", read(text["releasable_to"], &offer.ReleasableTo,
		func(s string) ([]events.Nation, error) { return c.nations(v, s) }))
	switch unit := text["unit"]; {
	case unit != "" && !offer.Unit.Valid():
		refuse("unit", remedy{phrase.Of("no unit that is known: say under units what it stands "+
			"for, such as `%s: {role: training, unit: team}`", unit),
			phrase.Of("no unit that is known: " + fromList)})
	case offer.Unit.IsMoney() && !offer.Unit.IsCurrency():
		refuse("unit", remedy{phrase.Of("is no currency of ISO 4217: say under units what it "+
			"stands for, such as `%s: {unit: %s}`", unit, strings.ToLower(unit)),
			phrase.Of("is no currency of ISO 4217: " + fromList)})
	}
	offer.Note = v.note()
	return offer, withChecks(wrong, offer)
}

func (c *converter) beginning(s string) (events.Date, error) {
	return c.mapping.parseDate(s, false)
}

func (c *converter) end(s string) (events.Date, error) { return c.mapping.parseDate(s, true) }

// howMuch reads how much is pledged: a number as the file writes it, or what is known of one, as
// people write that.
func (c *converter) howMuch(v *values, t *events.PledgeTerms) error {
	err := c.quantity(v, "quantity", t.Unit, &t.Quantity)
	if err == nil || c.numbers(v, "quantity").Times != nil {
		return err
	}
	a, unread := events.ParseAmount(v.text["quantity"])
	if unread != nil || !a.Quantity.IsUnknown() {
		return err
	}
	t.SetAmount(a.In(t.Unit))
	return nil
}

// quantity reads a field that is a quantity.
func (c *converter) quantity(v *values, field string, u events.Unit,
	into *events.Quantity) (err error) {
	if v.text[field] == "" && field == "quantity" && len(c.columns[field]) > 0 {
		return errBlank
	}
	return read(v.text[field], into, func(s string) (events.Quantity, error) {
		return c.numbers(v, field).quantity(s, u)
	})
}

// read puts what parse makes of the text into its place. A text that is not there is left to the
// statement's own checks.
func read[T any](text string, into *T, parse func(string) (T, error)) (err error) {
	if text != "" {
		*into, err = parse(text)
	}
	return err
}

// list parts what a cell names several of.
func list(text string) (all []string) {
	for one := range strings.SplitSeq(text, ";") {
		if one = strings.TrimSpace(one); one != "" {
			all = append(all, one)
		}
	}
	return all
}

func (c *converter) nations(v *values, s string) (all []events.Nation, err error) {
	for _, name := range list(strings.ReplaceAll(s, ",", ";")) {
		n, err := c.nationIn(v, name)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}

func parseDays(s string) (*int, error) {
	n, err := strconv.Atoi(s)
	if err != nil {
		return nil, phrase.Errorf("write days, as a whole number from 0 on")
	}
	return &n, nil
}

// withChecks adds what the statement's own checks find, but for the fields that are known to be
// wrong.
func withChecks(wrong []problem.Field, st events.Statement) []problem.Field {
	known := map[string]bool{}
	for _, f := range wrong {
		known[f.Location] = true
	}
	if st.Head().ID.IsZero() { // the ID follows when all is right
		st.Head().ID = events.ID{1}
		defer func() { st.Head().ID = events.ID{} }()
	}
	_, err := events.Marshal(st)
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
		return []problem.Field{problem.FieldOf("id", "", "%s", err)}
	}
	digest := sha256.Sum256(text)
	before := c.again[digest]
	c.again[digest]++
	id, err := idOf(offer.Effective, binary.BigEndian.AppendUint64(text, before))
	if err != nil {
		return []problem.Field{problem.FieldOf("effective", offer.Effective.String(), "%s", err)}
	}
	offer.ID = id
	return nil
}

// idOf makes an ID of a date and the digest of a text.
func idOf(on events.Date, text []byte) (events.ID, error) {
	sum := sha256.Sum256(text)
	// An ID holds no time before 1970; the date is part of the text, too.
	return events.IDAt(uint64(max(on.Time().UnixMilli(), 0)), [10]byte(sum[:10]))
}

func amountOf(q events.Quantity, u events.Unit) events.Measure {
	return howMuchOf(events.Amount{Quantity: q}, u)
}

// howMuchOf is an amount as a sentence has it, its digits as the file would have them.
func howMuchOf(a events.Amount, u events.Unit) events.Measure {
	m := events.Measure{Amount: a, Unit: u}
	switch q := a.Quantity; {
	case q.IsUnknown() && !(a.Least.IsZero() && a.Most.IsZero()):
		m.Text = a.String() + " " + english.Noun(false, string(u))
	case q.IsUnknown():
		m.Text = "an " + english.Unknown(string(u), u.IsMoney())
	default:
		m.Text = q.String() + " " + english.Noun(q.IsOne(), string(u))
	}
	return m
}
