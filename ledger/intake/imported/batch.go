package imported

import (
	"slices"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
	"muster/ledger/intake/reconcile"
	"muster/ledger/intake/round"
	"muster/ledger/intake/sheet"
)

// A Batch is what a file comes to.
type Batch struct {
	Rows   []Row
	Chains []Chain
	// IsForm is set where Muster wrote the file.
	IsForm bool
	// Counts are how many rows are of each kind; nil before they were compared.
	Counts *reconcile.Counts
	// Known is what they were compared with; nothing before that.
	Known *reconcile.Known
	// NotSaid is why rows are refused beside what is recorded, and Asked what somebody must choose
	// before anything is recorded; nil for nothing.
	NotSaid, Asked *problem.Problem
	// Table is the file, and Hidden what its sheet hides of what was read.
	Table  *sheet.Table
	Hidden round.Hidden

	file  *File
	words Words
}

// A Row is what became of a row of the file, or of a pledge that is not in it any more.
type Row struct {
	Line     int             `json:"line"`
	Column   string          `json:"column,omitempty"`
	What     phrase.Phrase   `json:"what"`
	Refused  []problem.Field `json:"refused,omitempty"`
	Warnings []problem.Field `json:"warnings,omitempty"`
	// Kind is what the row is beside what is recorded, and Changes what it says otherwise. Before
	// is the first record of its pledge, where that is recorded.
	Kind    reconcile.Kind     `json:"kind,omitzero"`
	Changes []reconcile.Change `json:"changes,omitempty"`
	Before  uint64             `json:"before,omitzero"`
	// Pledge is the one that the row resembles, where it is alike.
	Pledge events.ID `json:"pledge,omitzero"`
	// Asked is set where somebody must choose first. Sentence is what the row says by itself.
	Asked    bool          `json:"-"`
	Sentence phrase.Phrase `json:"-"`

	gone phrase.Phrase // what is gone, without what becomes of it
}

// Place says where the row is in the file.
func (r *Row) Place() phrase.Phrase {
	if r.Line == 0 {
		return phrase.Of("gone")
	}
	return sheet.Row{Line: r.Line, Of: r.Column}.Place()
}

// Refusals say why the row is refused. Where the row is they do not say: it stands beside it.
func (r *Row) Refusals() (all []phrase.Phrase) {
	for _, f := range r.Refused {
		why := f.Said()
		if f.Location != "" && f.Location != r.Place().String() {
			why = f.Phrase()
		}
		all = append(all, why)
	}
	return all
}

// A Chain is what the file says of one pledge, or of one series, each statement with its row by its
// place. Chains do not rest on each other.
type Chain struct {
	Said round.Chain
	// Drafts are these statements, signed to be checked only, where somebody has signed them.
	Drafts []events.Signed
	// What the ledger said of the statements that it was asked about: what it warns of, and why it
	// would refuse one of them, and which.
	Warnings  []problem.Field
	Refused   *problem.Problem
	RefusedAt int
}

// Refuse notes why the chain is refused, and which of its statements is.
func (c *Chain) Refuse(at int, why *problem.Problem) { c.Refused, c.RefusedAt = why, at }

// IsToBeChecked reports whether the ledger is to be asked about one of the chain's statements by
// itself: of the first one, of each other one that begins a pledge, and of those whose ids are
// recorded. What else is said of a pledge follows from its beginning; and what was seen again, from
// the return before it.
func (b *Batch) IsToBeChecked(c *Chain, at int) bool {
	head := c.Said[at].Statement.Head()
	begins := events.Thing(c.Said[at].Statement) == head.ID && head.Type != "pledge.observed"
	return at == 0 || begins || b.Known.RecordOf(head.ID) > 0
}

// New returns what a file comes to by itself.
func New(r *round.Round) *Batch {
	b := &Batch{Rows: make([]Row, len(r.Rows)), Known: reconcile.NewKnown(), Table: r.Table,
		Hidden: r.Hidden}
	for i, row := range r.Rows {
		b.Rows[i] = Row{Line: row.Line, Column: row.Of, What: row.Sentence, Refused: row.Problems,
			Sentence: row.Sentence}
	}
	for _, said := range r.Chains() {
		b.Chains = append(b.Chains, Chain{Said: said})
	}
	return b
}

// Refused is how many rows are refused, and InFile how many are in the file.
func (b *Batch) Refused() (n int) {
	for i := range b.Rows {
		if b.Rows[i].Refused != nil {
			n++
		}
	}
	return n
}

// InFile is how many rows are in the file.
func (b *Batch) InFile() (n int) {
	for i := range b.Rows {
		if b.Rows[i].Line > 0 {
			n++
		}
	}
	return n
}

// Wrong puts together what the file and what the ledger is against, where some rows are recorded
// all the same.
func Wrong(file error, ledger *problem.Problem) error {
	if file == nil && ledger == nil {
		return nil
	}
	p := problem.From(file)
	if p == nil {
		return ledger
	}
	if ledger == nil {
		return p
	}
	q := *p
	q.Fields = append(slices.Clone(p.Fields), ledger.Fields...)
	if len(p.Fields) > 0 && p.Listed() == nil { // its detail tells the first of them, and no more
		q = *problem.From(problem.OfFields(q.Fields))
		q.Kind = p.Kind
	}
	if p.Hint != "" {
		ledger = p
	}
	return q.WithHint("%s", ledger.Hinted())
}

// Returned writes the file back, with what is wrong beside its rows: all of them, or those alone
// with which something is. A form comes back whole: one that lacks rows says that they are gone.
// Tell tells a phrase in the language of whoever asks.
func (b *Batch) Returned(asBook, only bool, tell func(phrase.Phrase) string) ([]byte, error) {
	wrong := map[int][]string{}
	for i := range b.Rows {
		r := &b.Rows[i]
		for _, why := range r.Refusals() {
			if r.Column != "" {
				why = phrase.Of("%s: %s", r.Column, why)
			}
			wrong[r.Line] = append(wrong[r.Line], tell(why))
		}
		if r.Asked {
			wrong[r.Line] = append(wrong[r.Line], tell(r.What))
		}
	}
	if !asBook {
		return b.Table.Returned(wrong, only), nil
	}
	return b.Table.ReturnedBook(wrong, only && !b.IsForm)
}
