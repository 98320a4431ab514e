package round

import (
	"fmt"
	"maps"
	"slices"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
	"muster/ledger/intake/sheet"
)

// A Round is a table that was read.
type Round struct {
	// Rows are what became of the rows of the table, in their order.
	Rows []Row
	// Unused are the columns that no field and no rule looks at.
	Unused []string
	// Left are the rows that the mapping leaves out.
	Left []Left
	// Hidden is what the sheet hides of what was read.
	Hidden Hidden
	// Series are the rows of strength that was seen.
	Series []Series
	// Table is what was read.
	Table *sheet.Table
}

// A Row is what became of one row of the table.
type Row struct {
	// Line is where the row begins in the file, from 1 on.
	Line int
	// Of is the column that became this row, where columns became rows.
	Of string
	// Offer is complete but for its signature. It is nil for a row that was refused, and for one
	// that takes something off another.
	Offer *events.PledgeOffered
	// Key are the values of the mapping's key, nil where it has none. ID is the pledge that the row
	// names itself, zero where it names none; then Fields are those of which the file has columns,
	// and Seen is the last record about the pledge that the file has, 0 where it does not say.
	Key    []string
	ID     events.ID
	Fields []string
	Seen   uint64
	// Rung is how far the row says that the pledge has come: indicated, offered, accepted,
	// confirmed, deployed; or observed, where there was no offer.
	Rung string
	// Then is what is said of a pledge after it has begun, in this order.
	Then []events.Statement
	// Reduces is the pledge of another row of the file that this one takes something off, or whose
	// strength it reports.
	Reduces events.ID
	// Sentence says for people what will be said, or why the row is refused.
	Sentence phrase.Phrase
	// Problems are what is wrong with a row that was refused, by fields.
	Problems []problem.Field

	whose    events.Called   // the name of the nation
	taken    amount          // what it takes off
	gone     bool            // whether it says 0 of strength that was seen
	quantity events.Quantity // what it says
	unit     events.Unit     // of that
}

// Place says where the row is in the file.
func (r *Row) Place() phrase.Phrase { return sheet.Row{Line: r.Line, Of: r.Of}.Place() }

// Statements returns what the row says, in order: none for a row that was refused.
func (r *Row) Statements() []events.Statement {
	if r.Offer == nil {
		return r.Then
	}
	return append([]events.Statement{begins(r.Offer, r.Rung)}, r.Then...)
}

// Pledge returns the pledge that the row is about; the zero ID for a row that was refused.
func (r *Row) Pledge() events.ID {
	if r.Offer == nil {
		return r.Reduces
	}
	return r.Offer.ID
}

func (r *Row) refuse(wrong []problem.Field) {
	r.Offer, r.Then, r.Problems = nil, nil, wrong
	r.Sentence = phrase.Of("refused: %s", phrase.Behind("%s; %s", wrong...))
}

// A Chain is what the file says of one pledge, in the order in which it must be recorded.
type Chain []Said

// A Said is a statement, and the row that says it by its place in [Round.Rows].
type Said struct {
	Row       int
	Statement events.Statement
}

// Chains returns what there is to record: the chains do not rest on each other.
func (r *Round) Chains() []Chain {
	at := map[events.ID]int{}
	var chains []Chain
	var later []int
	for i := range r.Rows {
		row := &r.Rows[i]
		if row.Offer == nil {
			later = append(later, i)
			continue
		}
		at[row.Offer.ID] = len(chains)
		chains = append(chains, said(i, row))
	}
	slices.SortStableFunc(later, func(a, b int) int { return r.Rows[a].on(&r.Rows[b]) })
	for _, i := range later {
		if c, ok := at[r.Rows[i].Reduces]; ok {
			chains[c] = append(chains[c], said(i, &r.Rows[i])...)
		}
	}
	return chains
}

func said(i int, row *Row) (c Chain) {
	for _, st := range row.Statements() {
		c = append(c, Said{i, st})
	}
	return c
}

// on compares the dates from which two rows that take something off hold.
func (r *Row) on(other *Row) int {
	date := func(r *Row) events.Date {
		if len(r.Then) == 0 {
			return 0
		}
		return r.Then[0].(interface{ On() events.Date }).On()
	}
	return int(date(r)) - int(date(other))
}

// Read reads a table and makes an offer of each row, for the ledger with the given origin.
//
// The error is a [problem.Problem]. For a file that is no table, or lacks a column that the mapping
// names, the Round is nil. When rows are refused, the Round is there, to be shown, and the error
// lists everything that is wrong, each cause once with the rows that have it: nothing of such a
// Round should be sent, but for the rows that were not refused when that is what was asked for.
func Read(data []byte, m Mapping, origin events.Origin) (*Round, error) {
	t, err := sheet.ReadCSV(data, m.Form)
	if err != nil {
		return nil, err
	}
	return ReadTable(t, m, origin)
}

// ReadXLSX is [Read] for a workbook.
func ReadXLSX(data []byte, m Mapping, origin events.Origin) (*Round, error) {
	t, err := sheet.ReadOneSheet(data, m.Form)
	if err != nil {
		return nil, err
	}
	return ReadTable(t, m, origin)
}

// ReadTable is [Read] for a table that was read already.
func ReadTable(t *sheet.Table, m Mapping, origin events.Origin) (*Round, error) {
	left, err := m.shape(t)
	if err != nil {
		return nil, err
	}
	c, err := newConverter(t, m, origin)
	if err != nil {
		return nil, err
	}
	round := &Round{Unused: c.unused(), Table: t}
	for _, r := range t.Rows {
		if err := m.Bound.ended(); err != nil {
			return nil, err
		}
		row, why := c.convert(r)
		if !why.IsZero() {
			left.add(why, r.Line)
		} else {
			round.Rows = append(round.Rows, row)
		}
	}
	round.Rows, round.Series = series(round.Rows, &left)
	round.Left = left
	lines := make([]int, len(round.Rows))
	for i := range round.Rows {
		lines[i] = round.Rows[i].Line
	}
	round.Hidden = hidden(t, lines, round.Unused)
	if len(round.Rows) == 0 {
		return nil, problem.New(problem.Invalid, "no row is left: all of them are left out").
			WithHint("look at what the mapping says under skip and only")
	}
	reduce(round.Rows)
	var faults sheet.Faults
	for i := range round.Rows {
		for _, f := range round.Rows[i].Problems {
			faults.Add(round.Rows[i].Place(), f)
		}
	}
	if err := faults.Err(); err != nil {
		return round, round.refusal(problem.From(err))
	}
	return round, m.Expect.check(round.Rows)
}

// refusal says of how many rows it speaks, where it does not speak of one thing alone.
func (r *Round) refusal(p *problem.Problem) error {
	if len(p.Fields) == 1 {
		return p
	}
	refused := 0
	for i := range r.Rows {
		if r.Rows[i].Problems != nil {
			refused++
		}
	}
	q := problem.New(p.Kind, "%d of %d rows are wrong", refused, len(r.Rows))
	q.Code, q.Fields = p.Code, p.Fields
	return q
}

// shape leaves out of a table the rows that are none, and makes rows of its wide columns.
func (m *Mapping) shape(t *sheet.Table) (left lefts, err error) {
	out := func(why func() phrase.Phrase, line int) bool {
		if m.Bound.ended() != nil {
			return false // what ReadTable tells
		}
		is := why()
		if !is.IsZero() {
			left.add(is, line)
		}
		return !is.IsZero()
	}
	if err := m.Bound.check(t, m); err != nil {
		return nil, err
	}
	nation := m.find(t, "nation")
	t.LeaveOut(func(r sheet.Row) bool {
		return out(func() phrase.Phrase { return m.Skip.row(t, r, nation) }, r.Line)
	})
	if err := t.Check(); err != nil {
		return nil, err
	}
	if m.Wide != nil {
		if err := t.Lengthen(*m.Wide, m.Bound.Cells); err != nil {
			return nil, err
		}
		if err := m.Bound.check(t, m); err != nil {
			return nil, err
		}
		conditions := Skip{Rows: m.Skip.Rows}
		t.LeaveOut(func(r sheet.Row) bool {
			return out(func() phrase.Phrase { return conditions.row(t, r, nil) }, r.Line)
		})
	}
	t.LeaveOut(func(r sheet.Row) bool {
		return out(func() phrase.Phrase { return m.only(t, r) }, r.Line)
	})
	return left, nil
}

// find returns where the columns of a field are, nothing where one of them is not there.
func (m *Mapping) find(t *sheet.Table, field string) (at []int) {
	for _, name := range m.names(field) {
		i, ok := t.Column(name)
		if !ok {
			return nil
		}
		at = append(at, i)
	}
	return at
}

// names are the columns of a field: those that the mapping names, or one of the field's name.
func (m *Mapping) names(field string) []string {
	if names := m.Columns[field]; len(names) > 0 {
		return names
	}
	return []string{field}
}

// newConverter finds the columns that the mapping speaks of, and tells all that are not there.
func newConverter(t *sheet.Table, m Mapping, origin events.Origin) (*converter, error) {
	c := &converter{table: t, mapping: m, origin: origin, columns: map[string][]int{},
		rules: make([][]int, len(m.Rules)), again: map[[32]byte]uint64{},
		unknown: map[nameIn]error{}}
	var wrong []problem.Field
	there := func(location, column string) int {
		i, ok := t.Column(column)
		if !ok {
			wrong = append(wrong, problem.FieldOf(location, column,
				"the file has no such column: it has %s", t.Columns()))
		}
		return i
	}
	for _, field := range fields {
		c.columns[field] = m.find(t, field)
		for _, name := range m.Columns[field] {
			there("columns."+field, name)
		}
		if len(c.columns[field]) == 0 && len(m.Columns[field]) == 0 &&
			slices.Contains(required, field) && !c.supplied(field) {
			wrong = append(wrong, problem.FieldOf(field, "",
				"nothing says it: name its column (the file has %s), or a value for all rows",
				t.Columns()))
		}
	}
	for i, name := range m.Key {
		switch at, isColumn := t.Column(name); {
		case isColumn && name != "nation":
			c.key = append(c.key, keyPart{column: at})
		case slices.Contains(fields, name):
			c.key = append(c.key, keyPart{field: name})
		default:
			there(fmt.Sprintf("key[%d]", i), name)
		}
	}
	for i, rule := range m.Rules {
		for _, when := range rule.When {
			c.rules[i] = append(c.rules[i],
				there(fmt.Sprintf("rules[%d].when.column", i), when.Column))
		}
	}
	for at, conditions := range map[string][]Condition{"skip": m.Skip.Rows, "only": m.Only} {
		for i, one := range conditions {
			if one.Column != "" || at == "only" {
				there(fmt.Sprintf("%s[%d].column", at, i), one.Column)
			}
		}
	}
	return c, problem.OfFields(wrong)
}

// supplied reports whether something besides a column can say the field.
func (c *converter) supplied(field string) bool {
	if c.mapping.Always[field] != "" {
		return true
	}
	for _, rule := range c.mapping.Rules {
		if rule.Set[field] != "" {
			return true
		}
	}
	return field == "role" && len(c.mapping.Units) > 0
}

func (c *converter) unused() []string {
	used := slices.Concat(slices.Collect(maps.Values(c.columns))...)
	used = slices.Concat(used, slices.Concat(c.rules...))
	for _, part := range c.key {
		if part.field == "" {
			used = append(used, part.column)
		}
	}
	for _, one := range slices.Concat(c.mapping.Skip.Rows, c.mapping.Only) {
		if i, ok := c.table.Column(one.Column); ok {
			used = append(used, i)
		}
	}
	if i, ok := c.table.Column(revision); ok && len(c.columns["id"]) > 0 {
		used = append(used, i)
	}
	var names []string
	for i, name := range c.table.Header {
		if !slices.Contains(used, i) && name != "" && name != sheet.ProblemColumn {
			names = append(names, name)
		}
	}
	return names
}
