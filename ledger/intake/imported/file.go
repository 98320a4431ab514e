package imported

import (
	"cmp"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
	"muster/ledger/intake/form"
	"muster/ledger/intake/reconcile"
	"muster/ledger/intake/round"
	"muster/ledger/intake/sheet"
)

// A File is what is to be imported.
type File struct {
	// Form is what it is where Muster wrote it; nil for a table.
	Form *form.Sheet
	// Mapping says what its columns and words mean.
	Mapping round.Mapping

	unasked func() error // why it is not known which organisations an operation declares

	data []byte
	read func([]byte, round.Mapping, events.Origin) (*round.Round, error)
}

// Open looks what a file is: a workbook, where isBook is set, which may be a form; or CSV. What a
// row of a form says holds from today on, unless the mapping says otherwise. The error is a
// [problem.Problem]: of a form, a mapping with columns is one.
func Open(data []byte, isBook bool, m round.Mapping, today events.Date) (*File, error) {
	f := &File{Mapping: m, data: data, read: round.Read}
	if !isBook {
		return f, nil
	}
	f.read = readBook
	var err error
	if f.Form, err = form.Open(data); f.Form == nil || err != nil {
		return f, err
	}
	f.read = func(_ []byte, m round.Mapping, origin events.Origin) (*round.Round, error) {
		return f.Form.Read(m, origin)
	}
	f.Mapping, err = f.Form.Mapping(m)
	if err == nil && f.Mapping.Always["effective"] == "" {
		f.Mapping.Always["effective"] = today.String()
	}
	return f, err
}

// readBook reads a workbook that is no form. One that was a form is refused as such where nothing
// else says what its columns are.
func readBook(data []byte, m round.Mapping, origin events.Origin) (*round.Round, error) {
	r, err := round.ReadXLSX(data, m, origin)
	if err != nil && len(m.Columns) == 0 {
		err = cmp.Or(form.Torn(data), err)
	}
	return r, err
}

// Declares tells how to find out which organisations an operation declares, none for one that is
// not there: it is asked where a name is no nation's, of each operation once, before Read returns.
func (f *File) Declares(ask func(events.Operation) (events.Organisations, error)) {
	f.Mapping.Declared, f.unasked = AskOnce(ask)
}

// AskOnce returns what asks of each operation once which organisations it declares, and of none any
// more after that has failed; unasked says why. It is not for concurrent use.
func AskOnce(ask func(events.Operation) (events.Organisations, error)) (
	declared func(events.Operation) events.Organisations, unasked func() error) {
	var failed error
	found := map[events.Operation]events.Organisations{}
	declared = func(o events.Operation) events.Organisations {
		all, ok := found[o]
		if !ok && o.Valid() && failed == nil {
			all, failed = ask(o)
			found[o] = all
		}
		return all
	}
	return declared, func() error { return failed }
}

// Read reads the rows, as [round.Read] does.
func (f *File) Read(origin events.Origin) (*round.Round, error) {
	r, err := f.read(f.data, f.Mapping, origin)
	if f.unasked != nil {
		if failed := f.unasked(); failed != nil {
			return nil, failed
		}
	}
	return r, err
}

// Choices are how the rows of a file are compared with what is recorded, in the words of the
// command line.
type Choices struct {
	Changed, Gone, Name, Reason string
	// Words are what a refusal calls them; those of the command line where there are none.
	Words Words
}

// Words are what choices are called where somebody makes them.
type Words struct {
	// Changed says how to choose what a changed row means, and Gone names what becomes of what is
	// gone.
	Changed, Gone map[reconcile.Choice]phrase.Text
	// Leave says how to choose that what is gone stays.
	Leave phrase.Text
}

func (w Words) changed(c reconcile.Choice) phrase.Phrase {
	if words, ok := w.Changed[c]; ok {
		return words.Phrase()
	}
	return phrase.Of("say --changed %s", c)
}

func (w Words) gone(c reconcile.Choice) phrase.Phrase {
	if words, ok := w.Gone[c]; ok {
		return words.Phrase()
	}
	return phrase.Verbatim("--gone " + string(c))
}

func (w Words) leave() phrase.Phrase {
	if w.Leave == "" {
		return phrase.Of("import it without --gone")
	}
	return w.Leave.Phrase()
}

// Check refuses words that are no choices.
func (c *Choices) Check() error {
	var opt reconcile.Options
	err := opt.ReadChanged(c.Changed)
	if err == nil {
		err = reconcile.CheckChoice("gone", c.Gone, reconcile.GoneChoices)
	}
	if err == nil && c.Name != "" {
		err = reconcile.CheckName(c.Name)
	}
	return err
}

// MayBeGone refuses to take off what a file lacks that has come back from an import: the others of
// its rows are recorded, and not gone.
func (c *Choices) MayBeGone(t *sheet.Table) error {
	if c.Gone == string(reconcile.Leave) || !t.WasReturned() {
		return nil
	}
	return problem.New(problem.Usage, "%s would take off all that the file lacks, and it "+
		"has the column %q: such a file has come back from an import, and may have only the rows "+
		"that were refused", c.Words.gone(reconcile.Choice(c.Gone)), sheet.ProblemColumn).
		WithHint("%s; what is gone is found with the whole file, in which the same rows are "+
			"mended", c.Words.leave())
}

func (c *Choices) options(origin events.Origin, name string, today events.Date) reconcile.Options {
	opt := reconcile.Options{Ledger: origin, Name: name, Gone: reconcile.Choice(c.Gone),
		Today:  today,
		Reason: cmp.Or(c.Reason, "as published by the import "+cmp.Or(name, "of a file"))}
	_ = opt.ReadChanged(c.Changed) // which Check has read before
	return opt
}

// Recorded is what a file is compared with.
type Recorded struct {
	Ledger events.Origin
	Known  *reconcile.Known
	// Then is what was recorded when a form was filled in; nil for other files.
	Then  *reconcile.Known
	Today events.Date
}

// NewRecorded returns what is recorded of nothing yet.
func (f *File) NewRecorded(origin events.Origin, today events.Date) *Recorded {
	r := &Recorded{Ledger: origin, Known: reconcile.NewKnown(), Today: today}
	if f.Form != nil {
		r.Then = reconcile.NewKnown()
	}
	return r
}

// Take takes in the next record.
func (r *Recorded) Take(f *File, rec events.Record) {
	r.Known.Take(rec)
	if r.Then != nil && rec.Sequence <= f.Form.Record {
		r.Then.Take(rec)
	}
}

// Operation returns the operation whose records a comparison rests on, "" for those of all.
func (f *File) Operation(r *round.Round) events.Operation {
	if f.Form != nil {
		return f.Form.Operation
	}
	return operationOf(r, f.Mapping.Name)
}

// Whole refuses to compare a form with fewer records than it was filled in with.
func (f *File) Whole(last uint64) error {
	if f.Form == nil || last >= f.Form.Record {
		return nil
	}
	return problem.New(problem.Unavailable, "the form was filled in as of record %d, and the "+
		"server has %d records", f.Form.Record, last).
		WithHint("wait until the server has them, or bring it to another server of the ledger")
}

// Compare compares the rows that were read with what is recorded. It changes their statements. The
// error is what is wrong with the rows by themselves.
func (f *File) Compare(r *round.Round, wrong error, with *Recorded, c Choices) (*Batch, error) {
	if m := f.Mapping; len(m.Key) > 0 && with.Known.HasTakenOff() { // whose ids are not used again
		m.IDs = func(key []string) events.ID {
			return with.Known.Next(with.Ledger, m.Name, key)
		}
		r, wrong = f.read(f.data, m, with.Ledger)
	}
	opt := c.options(with.Ledger, f.Mapping.Name, with.Today)
	if f.Form != nil {
		opt.Base = f.Form.Base(with.Then)
	}
	b := New(r)
	b.file, b.IsForm, b.words = f, f.Form != nil, c.Words
	b.reconcile(with.Known, r, opt)
	return b, wrong
}
