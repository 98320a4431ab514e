package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"muster/events"
	"muster/events/english"
	"muster/events/problem"
)

// A Row is one of a file, as the offer that it makes.
type Row struct {
	// Offer is complete but for its signature. Its ID is that of all that it says.
	Offer *events.PledgeOffered
	// Then are statements that the row makes of its pledge besides, each under an ID that follows
	// from the offer's: as that so much of it is deployed.
	Then []events.Statement
	// Key are the values by which the mapping tells its rows apart; nil without such a key.
	Key []string
	// ID is the pledge that the row names itself, zero where it names none.
	ID events.ID
	// Fields are those that the file says something of; what others are of a pledge that is
	// recorded stays. Nil for all.
	Fields []string
}

// A Choice says what to do about rows that are otherwise than recorded, or gone.
type Choice string

// The choices. A file whose rows have changed is stopped, unless it was chosen what that means.
const (
	Ask       Choice = "ask"
	Corrected Choice = "corrected" // it was wrong when it was said
	Amended   Choice = "amended"   // the world has changed
	AsNew     Choice = "new"       // rows without a key that are alike are other pledges
	Leave     Choice = "leave"     // what is gone stays
	Strike    Choice = "strike"    // it was never to be said
	Withdraw  Choice = "withdraw"  // the nation has taken it back
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
	Name          string
	Changed, Gone Choice
	// There are pledges that the file has besides its rows, so that they are not gone.
	There map[events.ID]bool
	// Today is the date from which an amendment or a withdrawal holds.
	Today events.Date
	// Reason stands in corrections, and in withdrawals.
	Reason string
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
	// Asked is set where somebody must choose first.
	Asked bool
	// Problem says why a row is refused.
	Problem string
}

// Counts are how many rows are of each kind.
type Counts struct {
	New       int `json:"new"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`
	Gone      int `json:"gone"`
	Refused   int `json:"refused"`
	// Alike are the rows without a key that resemble a pledge which is recorded.
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
		outcomes: make([]Outcome, len(rows))}
	for i := range rows {
		c.find(i)
	}
	if opt.Changed != AsNew {
		c.findAlike()
	}
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
	outcomes []Outcome
}

// find finds the pledge that a row is, or its ID where there is none yet.
func (c *comparison) find(i int) {
	r, o := &c.rows[i], &c.outcomes[i]
	o.Row, o.Kind = i, New
	id := func(generation int) events.ID { return again(r.Offer.ID, generation) }
	switch named := c.byReference(r); {
	case !r.ID.IsZero():
		o.Pledge = r.ID
		switch p := c.pledges[r.ID]; {
		case p == nil:
			c.refuse(o, "the ledger has no pledge %s, which the row names: leave its id out to "+
				"offer it anew", r.ID)
		case p.Struck:
			c.refuse(o, "the pledge %s, which the row names, was struck: leave its id out to "+
				"offer it anew", r.ID)
		}
	case r.Key != nil:
		id = func(generation int) events.ID {
			return IDOf(c.opt.Ledger, c.opt.Name, r.Key, generation)
		}
	case named != nil:
		o.Pledge = named.ID
	case r.Offer.Reference != "":
		key := []string{string(r.Offer.Operation), string(r.Offer.Nation), r.Offer.Reference}
		id = func(generation int) events.ID {
			return IDOf(c.opt.Ledger, "reference", key, generation)
		}
	}
	for generation := 0; o.Pledge.IsZero(); generation++ {
		if p := c.pledges[id(generation)]; p == nil || !p.Struck {
			o.Pledge = id(generation)
		}
	}
	if before, twice := c.taken[o.Pledge]; twice && o.Kind != Refused {
		c.refuse(o, "row %d of the file is the same by its key: tell them apart, or leave one out",
			before+1)
		return
	}
	c.taken[o.Pledge] = i
}

// A referred is what a nation's own number stands for.
type referred struct {
	events.Place
	reference string
}

// byReference returns the live pledge with the reference of a row that has no other key.
func (c *comparison) byReference(r *Row) *Pledge {
	if r.Key != nil || !r.ID.IsZero() || r.Offer.Reference == "" {
		return nil
	}
	if c.referred == nil {
		c.referred = map[referred]*Pledge{}
		for _, p := range slices.Backward(c.order) { // the first one counts
			if s := p.termsOn(events.LastDate); p.IsLive() && s != nil {
				c.referred[referred{p.Place, s.terms.Reference}] = p
			}
		}
	}
	return c.referred[referred{r.Offer.Place, r.Offer.Reference}]
}

func (c *comparison) refuse(o *Outcome, format string, args ...any) {
	o.Kind, o.Problem = Refused, fmt.Sprintf(format, args...)
}

// A likeness is what a row without a key has in common with a pledge that it may restate.
type likeness struct {
	events.Place
	role events.Role
	unit events.Unit
	area events.Area
	events.Window
}

func likenessOf(at events.Place, t *events.PledgeTerms) likeness {
	return likeness{at, t.Role, t.Unit, t.Area, t.Window}
}

// findAlike finds the rows without a key that the ledger does not have, and that resemble pledges
// which no row of the file is.
func (c *comparison) findAlike() {
	there := map[likeness][]*Pledge{} // that may be what a row restates
	for _, p := range c.order {
		s := p.termsOn(events.LastDate)
		if _, taken := c.taken[p.ID]; taken || !p.IsLive() || s == nil {
			continue
		}
		at := likenessOf(p.Place, s.terms)
		there[at] = append(there[at], p)
	}
	asking := map[likeness][]int{}
	for i := range c.rows {
		r := &c.rows[i]
		hasKey := r.Key != nil || !r.ID.IsZero() || r.Offer.Reference != ""
		if o := &c.outcomes[i]; !hasKey && o.Kind == New && c.pledges[o.Pledge] == nil {
			at := likenessOf(r.Offer.Place, &r.Offer.PledgeTerms)
			if there[at] != nil {
				asking[at] = append(asking[at], i)
			}
		}
	}
	for at, rows := range asking {
		rows, pledges := c.pairAlike(rows, there[at])
		if len(pledges) == 0 {
			continue
		}
		n := newNearness(c, rows, pledges)
		for k, i := range rows {
			c.alike(&c.outcomes[i], pledges, len(rows), n.of(k), n.isSure(k))
		}
	}
}

// pairAlike finds the rows that say what is recorded already, since it was corrected to that, and
// returns the other rows and pledges.
func (c *comparison) pairAlike(rows []int, pledges []*Pledge) (restRows []int, rest []*Pledge) {
	rest = slices.Clone(pledges)
	for _, i := range rows {
		at := slices.IndexFunc(rest, func(p *Pledge) bool {
			return len(c.rows[i].changes(p.termsOn(events.LastDate).terms)) == 0
		})
		if at < 0 {
			restRows = append(restRows, i)
			continue
		}
		c.match(&c.outcomes[i], rest[at])
		rest = slices.Delete(rest, at, at+1)
	}
	return restRows, rest
}

// match says that a row is a pledge.
func (c *comparison) match(o *Outcome, p *Pledge) {
	delete(c.taken, o.Pledge)
	o.Pledge = p.ID
	c.taken[p.ID] = o.Row
}

// alike says what becomes of a row that resembles some pledges, as so many rows do, and one of them
// most: surely, or no more than others.
func (c *comparison) alike(o *Outcome, pledges []*Pledge, rows int, most *Pledge, sure bool) {
	o.Kind = Alike
	switch {
	case c.opt.Changed == Ask || c.opt.Changed == "":
		o.Asked, o.Pledge = true, most.ID
		o.Changes = c.rows[o.Row].changes(most.termsOn(events.LastDate).terms)
	case sure:
		c.match(o, most)
	default:
		c.refuse(o, "%s resemble %s, and it cannot be told which is which: give the mapping a "+
			"key, or correct them one by one: %s", english.Several(rows, "row"),
			english.Several(len(pledges), "pledge"), ids(pledges))
	}
}

func ids(pledges []*Pledge) string {
	const most = 5
	all := make([]string, 0, most+1)
	for _, p := range pledges[:min(most, len(pledges))] {
		all = append(all, p.ID.String())
	}
	if more := len(pledges) - len(all); more > 0 {
		all = append(all, fmt.Sprintf("%d more", more))
	}
	return strings.Join(all, ", ")
}

// conclude says what is to be said of a row.
func (c *comparison) conclude(i int) {
	r, o := &c.rows[i], &c.outcomes[i]
	p := c.pledges[o.Pledge]
	switch {
	case o.Kind == Refused || o.Asked:
		return
	case p == nil:
		o.Kind = New
		offer := *r.Offer
		offer.ID, offer.Source = o.Pledge, events.WithImport(offer.Source, c.opt.Name)
		o.Statements = []events.Statement{&offer}
		return
	}
	restated, missing := r.restated(p)
	last, then := p.termsOn(events.LastDate), p.termsOn(r.Offer.Effective)
	if last == nil {
		c.refuse(o, "the pledge %s was seen in published figures and never offered: report its "+
			"strength", p.ID)
		return
	}
	changes := append(r.moves(p), r.changes(then.terms)...)
	if r.says("effective") && p.Began() != r.Offer.Effective && then.id == p.said[0].id {
		changes = append(changes, Change{"effective", day(p.Began()), day(r.Offer.Effective)})
	}
	if len(changes) == 0 || r.isAsSaid(p) ||
		then.id != last.id && len(r.moves(p))+len(r.changes(last.terms)) == 0 {
		c.concludeThen(o, p, restated, missing)
		return
	}
	o.Kind, o.Changes = Changed, changes
	switch {
	case p.Ended != "":
		c.refuse(o, "the pledge %s has ended (%s), and the row says it otherwise: %s", p.ID,
			p.Ended.Event(), told(changes))
	case c.opt.Changed == Corrected:
		o.Statements = c.corrected(r, p, then)
		if !r.isAnother(p) {
			o.Statements = append(o.Statements, c.mended(o, p, restated)...)
		}
	case c.opt.Changed == Amended:
		c.amended(o, r, p, last)
	default:
		o.Asked = true
	}
}

// A strengthChange is a strength that the row tells otherwise than the import has told it last.
type strengthChange struct {
	was *said
	is  events.Strength
}

// restated returns the strengths that the row tells otherwise, and what it says of its pledge that
// is not recorded.
func (r *Row) restated(p *Pledge) (all []strengthChange, missing []events.Statement) {
	for _, st := range r.Then {
		at := slices.IndexFunc(p.said, func(s said) bool { return s.id == st.Head().ID })
		if at < 0 {
			missing = append(missing, st)
			continue
		}
		if d, ok := st.(*events.PledgeDeployed); ok && p.said[at].own.strength != d.Quantity &&
			p.said[at].strength != d.Quantity {
			all = append(all, strengthChange{&p.said[at], d.Strength})
		}
	}
	return all, missing
}

// concludeThen says what is to be said of a pledge whose offer is as it was.
func (c *comparison) concludeThen(o *Outcome, p *Pledge, restated []strengthChange,
	missing []events.Statement) {
	o.Kind, o.Statements = Unchanged, missing
	if len(restated) > 0 {
		o.Changes = nil
		mended := c.mended(o, p, restated)
		switch c.opt.Changed {
		case Corrected, Amended:
			o.Statements = append(mended, missing...)
		default:
			o.Asked, o.Statements = true, nil
		}
	}
	if len(restated)+len(missing) > 0 {
		o.Kind = Changed
	}
}

// mended returns the corrections of strengths, and notes what changes.
func (c *comparison) mended(o *Outcome, p *Pledge,
	restated []strengthChange) (all []events.Statement) {
	for _, one := range restated {
		o.Changes = append(o.Changes, Change{one.was.typ.Event(), one.was.strength.String(),
			one.is.Quantity.String()})
		is := one.is
		all = append(all, &events.PledgeCorrected{Header: c.head("pledge.corrected"),
			Dated: events.Dated{Effective: one.was.effective}, Place: p.Place, Pledge: p.ID,
			Corrects: one.was.id, Strength: &is, Reason: c.opt.Reason,
			Source: events.WithImport("", c.opt.Name)})
	}
	return all
}

// isAsSaid reports whether the row says what the import has said of the pledge last: then the file
// has not changed, whatever somebody has mended in the ledger since.
func (r *Row) isAsSaid(p *Pledge) bool {
	return p.base.terms != nil && !r.isAnother(p) && len(r.changes(p.base.terms)) == 0 &&
		(!r.says("effective") || p.base.effective == r.Offer.Effective ||
			p.base.typ != p.said[0].typ)
}

func told(changes []Change) string {
	all := make([]string, len(changes))
	for i, c := range changes {
		all[i] = c.String()
	}
	return strings.Join(all, ", ")
}

// moves lists what the row says otherwise of where the pledge belongs.
func (r *Row) moves(p *Pledge) (all []Change) {
	if p.Nation != r.Offer.Nation {
		all = append(all, Change{"nation", string(p.Nation), string(r.Offer.Nation)})
	}
	if p.Operation != r.Offer.Operation {
		all = append(all, Change{"operation", string(p.Operation), string(r.Offer.Operation)})
	}
	return all
}

// isAnother reports whether a row makes another pledge than there is, which no correction does.
func (r *Row) isAnother(p *Pledge) bool {
	return p.Place != r.Offer.Place || p.Role != r.Offer.Role || p.Unit != r.Offer.Unit
}

// corrected says that the row was wrong when it was recorded. What makes it another pledge is
// struck, and offered anew.
func (c *comparison) corrected(r *Row, p *Pledge, then *said) []events.Statement {
	fix := &events.PledgeCorrected{Header: c.head("pledge.corrected"), Place: p.Place, Pledge: p.ID,
		Upon: events.Upon{After: int64(p.Last)}, Corrects: then.id, Reason: c.opt.Reason,
		Source: events.WithImport("", c.opt.Name)}
	fix.Effective = then.effective
	if r.isAnother(p) {
		fix.Corrects, fix.Struck, fix.Effective = p.ID, true, p.Began()
		offer := *r.Offer
		offer.ID, offer.Source = events.NewID(), events.WithImport(offer.Source, c.opt.Name)
		if r.Key != nil {
			offer.ID = c.next(r)
		}
		return []events.Statement{fix, &offer}
	}
	if then.id == p.said[0].id && r.says("effective") {
		fix.Effective = r.Offer.Effective
	}
	terms := r.over(*then.terms)
	terms.Source = events.WithImport(terms.Source, c.opt.Name)
	fix.Terms = &terms
	return []events.Statement{fix}
}

// next returns the ID of what a row is after it was struck.
func (c *comparison) next(r *Row) events.ID {
	for generation := 0; ; generation++ {
		if id := IDOf(c.opt.Ledger, c.opt.Name, r.Key, generation); c.pledges[id] == nil {
			return id
		}
	}
}

// amended says that the world has changed since the row was recorded.
func (c *comparison) amended(o *Outcome, r *Row, p *Pledge, last *said) {
	if p.Role != r.Offer.Role || p.Unit != r.Offer.Unit || p.Place != r.Offer.Place {
		c.refuse(o, "no amendment changes whose the pledge %s is, its role or its unit (%s): it "+
			"was wrong from the beginning, or it is another pledge", p.ID, told(o.Changes))
		return
	}
	st := &events.PledgeAmended{Header: c.head("pledge.amended"), Place: p.Place, Pledge: p.ID,
		Upon: events.Upon{After: int64(p.Last)}, PledgeTerms: r.over(*last.terms)}
	st.Effective = max(c.opt.Today, last.effective)
	st.Source = events.WithImport(st.Source, c.opt.Name)
	o.Statements = []events.Statement{st}
}

func (c *comparison) head(typ events.Type) events.Header {
	return events.Header{Type: typ, ID: events.NewID(), Ledger: c.opt.Ledger}
}

// findGone finds what the import has recorded before, and the file does not have any more.
func (c *comparison) findGone() {
	if c.opt.Name == "" {
		return
	}
	for _, p := range c.Of(c.opt.Name) {
		if _, taken := c.taken[p.ID]; taken || !p.IsLive() || c.opt.There[p.ID] {
			continue
		}
		o := Outcome{Kind: Gone, Row: -1, Pledge: p.ID}
		switch c.opt.Gone {
		case Strike:
			o.Statements = []events.Statement{Struck(p, c.opt)}
		case Withdraw:
			st := &events.PledgeWithdrawn{PledgeStep: events.PledgeStep{
				Header: c.head("pledge.withdrawn"), Place: p.Place,
				Dated: events.Dated{Effective: max(c.opt.Today, p.latest())},
				Step: events.Step{Pledge: p.ID, Upon: events.Upon{After: int64(p.Last)},
					Reason: c.opt.Reason, Source: events.WithImport("", c.opt.Name)}}}
			o.Statements = []events.Statement{st}
		}
		c.outcomes = append(c.outcomes, o)
	}
}

// latest returns the latest date from which something of the pledge holds.
func (p *Pledge) latest() (d events.Date) {
	for i := range p.said {
		d = max(d, p.said[i].effective)
	}
	return d
}

// Struck returns the statement that takes a pledge off, as never said.
func Struck(p *Pledge, opt Options) events.Statement {
	return &events.PledgeCorrected{
		Header: events.Header{Type: "pledge.corrected", ID: events.NewID(), Ledger: opt.Ledger},
		Dated:  events.Dated{Effective: p.Began()}, Place: p.Place, Pledge: p.ID,
		Upon: events.Upon{After: int64(p.Last)}, Corrects: p.ID, Struck: true,
		Reason: opt.Reason, Source: events.WithImport("", opt.Name)}
}

func (c *comparison) result() Result {
	r := Result{Outcomes: c.outcomes}
	for _, o := range r.Outcomes {
		*map[Kind]*int{New: &r.Counts.New, Changed: &r.Counts.Changed,
			Unchanged: &r.Counts.Unchanged, Gone: &r.Counts.Gone, Refused: &r.Counts.Refused,
			Alike: &r.Counts.Alike}[o.Kind]++
	}
	return r
}

// CheckChoice refuses a word that is no choice.
func CheckChoice(flag, word string, choices []string) error {
	if slices.Contains(choices, word) {
		return nil
	}
	return problem.New(problem.Usage, "--%s takes %s, and not %q", flag,
		strings.Join(choices, ", "), word)
}
