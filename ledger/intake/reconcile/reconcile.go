package reconcile

import (
	"slices"
	"strings"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
)

// A Row is one of a file, as the offer that it makes.
type Row struct {
	// Offer is complete but for its signature. Its ID is that of all that it says.
	Offer *events.PledgeOffered
	// Then are statements that the row makes of its pledge besides, each under an ID that follows
	// from the offer's: as that so much of it is deployed.
	Then []events.Statement
	// Rest are what other rows of the file say of the pledge, such as that something is taken off,
	// in the order in which it applies. Their IDs follow from the offer's, too.
	Rest []events.Statement
	// Indicated is set where the row offers nothing yet, and indicates that it may.
	Indicated bool
	// Key are the values by which the mapping tells its rows apart; nil without such a key.
	Key []string
	// ID is the pledge that the row names itself, zero where it names none.
	ID events.ID
	// Fields are those that the file says something of; what others are of a pledge that is
	// recorded stays. Nil for all.
	Fields []string
	// Seen is the last record about the pledge that a list which Muster wrote has; 0 where it does
	// not say.
	Seen uint64
}

// A Choice says what to do about rows that are otherwise than recorded, or gone.
type Choice string

// The choices. A file whose rows have changed is stopped, unless it was chosen what that means.
const (
	Ask       Choice = "ask"
	Corrected Choice = "corrected" // it was wrong when it was said
	Amended   Choice = "amended"   // the world has changed
	AsNew     Choice = "new"       // rows that are only alike are other pledges
	Leave     Choice = "leave"     // what is gone stays
	Strike    Choice = "strike"    // it was never to be said
	Withdraw  Choice = "withdraw"  // the nation has taken it back
	Return    Choice = "return"    // the forces have gone home
)

// ChangedChoices and GoneChoices are the choices for each, the usual one first.
var (
	ChangedChoices = []string{string(Ask), string(Corrected), string(Amended), string(AsNew)}
	GoneChoices    = []string{string(Leave), string(Strike), string(Withdraw)}
)

// Options say how rows are reconciled.
type Options struct {
	Ledger events.Origin
	// Name is that of the mapping and of all that is imported by it; "" for none.
	Name    string
	Changed Choice
	// New is set where rows that the ledger does not have, and that are alike to what it has, are
	// other pledges; they are asked about, or as Changed says, where it is not.
	New bool
	// Gone is what becomes of what the file does not have any more. All of it is left where a row
	// is refused: that row may be what seems to be gone.
	Gone Choice
	// Partial is set where rows of the file are not there, or could not be read: what rows took off
	// before may be what these say, and stays.
	Partial bool
	// Returned is set where the file has come back from an import: what it lacks may have been
	// recorded then, and is not gone.
	Returned bool
	// There are pledges that the file has besides its rows, so that they are not gone.
	There map[events.ID]bool
	// Today is the date from which an amendment or a withdrawal holds.
	Today events.Date
	// Reason stands in corrections, and in withdrawals.
	Reason string
	// Base is what the file was filled in with, where it is a sheet that Muster wrote: its rows are
	// merged with what has been recorded since. Nil for other files.
	Base *Base
}

// A Kind is what became of a row.
type Kind string

// The kinds: see the package comment.
const (
	New       Kind = "new"
	Changed   Kind = "changed"
	Unchanged Kind = "unchanged"
	Alike     Kind = "alike"
	Gone      Kind = "gone"
	Refused   Kind = "refused"
)

// An Outcome is what became of one row, or of a pledge that is gone.
type Outcome struct {
	Kind Kind
	// Row is the place of the row, -1 for a pledge that is gone.
	Row    int
	Pledge events.ID
	// Changes are what the row says otherwise.
	Changes []Change
	// Statements are to be said, in this order; none where the row is unchanged, or asked about.
	Statements []events.Statement
	// Rest are what became of each of the row's Rest; nil where the row is refused.
	Rest []Rested
	// Ended is set where the row is unchanged, and its pledge has ended by another's word than the
	// file's.
	Ended bool
	// Asked is set where somebody must choose first.
	Asked bool
	// Problem says why a row is refused, why it is asked whether what is gone is taken off, or what
	// is to be looked at in a row that is changed.
	Problem phrase.Phrase
}

// Counts are how many rows are of each kind.
type Counts struct {
	New       int `json:"new"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`
	Gone      int `json:"gone"`
	Refused   int `json:"refused"`
	// Alike are the rows that the ledger does not have, and that resemble a pledge which it has.
	Alike int `json:"alike,omitzero"`
}

// A Result is what became of all rows, in their order, and then of what is gone.
type Result struct {
	Outcomes []Outcome
	Counts   Counts
}

// Asked returns the outcomes about which somebody must choose.
func (r *Result) Asked() (all []Outcome) {
	for _, o := range r.Outcomes {
		if o.Asked {
			all = append(all, o)
		}
	}
	return all
}

// Reconcile says of each row what became of it. It changes the offers of rows that are new: each
// gets its ID, and a source with the name of the import.
func (k *Known) Reconcile(rows []Row, opt Options) Result {
	c := comparison{Known: k, opt: opt, rows: rows, taken: map[events.ID]int{},
		asked: map[events.ID]bool{}, outcomes: make([]Outcome, len(rows))}
	for i := range rows {
		c.find(i)
	}
	c.findSpelled()
	c.findExchanged()
	c.findAlike()
	c.findRestated()
	for i := range rows {
		c.conclude(i)
	}
	c.findGone()
	return c.result()
}

// A comparison is one file beside what is recorded.
type comparison struct {
	*Known
	opt      Options
	rows     []Row
	taken    map[events.ID]int // the row that each pledge is
	referred map[referred]*Pledge
	keyKnown bool               // the ledger has a row of the file by its key
	asked    map[events.ID]bool // of these pledges: whether rows that are alike are they
	outcomes []Outcome
}

func (c *comparison) result() Result {
	r := Result{Outcomes: c.outcomes}
	for _, o := range r.Outcomes {
		r.Counts.Add(o.Kind)
	}
	return r
}

// Add counts a row more of a kind; "" is none.
func (c *Counts) Add(k Kind) {
	switch k {
	case New:
		c.New++
	case Changed:
		c.Changed++
	case Unchanged:
		c.Unchanged++
	case Gone:
		c.Gone++
	case Refused:
		c.Refused++
	case Alike:
		c.Alike++
	}
}

// ReadChanged reads the choices for what has changed: one, or "new" beside another.
func (opt *Options) ReadChanged(words string) error {
	opt.Changed = Ask
	for word := range strings.SplitSeq(words, ",") {
		if err := CheckChoice("changed", word, ChangedChoices); err != nil {
			return err
		}
		switch {
		case word == string(AsNew):
			opt.New = true
		case opt.Changed != Ask:
			return problem.New(problem.Usage, "--changed takes %s or %s, and not both",
				opt.Changed, word)
		default:
			opt.Changed = Choice(word)
		}
	}
	return nil
}

// CheckChoice refuses a word that is no choice.
func CheckChoice(flag, word string, choices []string) error {
	if slices.Contains(choices, word) {
		return nil
	}
	return problem.New(problem.Usage, "--%s takes %s, and not %q", flag,
		strings.Join(choices, ", "), word)
}
