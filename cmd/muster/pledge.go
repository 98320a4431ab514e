package main

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
	"muster/projections/web"
)

func (a *app) pledgeCmd() *cobra.Command {
	c := group("pledge", "What nations pledge", a.pledgeIndicateCmd(), a.pledgeOfferCmd(),
		a.pledgeAmendCmd(), a.pledgeRenewCmd(), a.pledgeDiscloseCmd(),
		a.pledgeCorrectCmd(), a.pledgeQueryCmd(), a.pledgeAnswerCmd(),
		a.pledgeListCmd(), a.pledgeShowCmd(), a.pledgeHistoryCmd())
	for _, s := range pledgeSteps {
		c.AddCommand(a.stepCmd(s))
	}
	return c
}

// termFlags are the flags of a pledge's terms.
type termFlags struct {
	operation, nation, role, quantity, unit, area, line string
	from, until, effective                              string
	presence, source, note, reference                   string
	releases                                            releaseFlags
	expires, predecessor, successor                     string
	elsewhere                                           []string
	notice                                              int
	dryRun                                              bool

	named func(context.Context, string) (events.ID, error) // finds a pledge that is named
}

// id reads a pledge's id, which may be shortened.
func (f *termFlags) id(c *cobra.Command) func(string) (events.ID, error) {
	return func(text string) (events.ID, error) { return f.named(c.Context(), text) }
}

// register adds the flags of terms. Unsaid says what holds where a flag is not given, for terms
// that are begun; where terms are changed, all that is not given stays.
func (f *termFlags) register(c *cobra.Command, begins bool) {
	fl := c.Flags()
	unsaid := func(text string) string {
		if begins {
			return text
		}
		return " (default: it stays)"
	}
	fl.StringVar(&f.quantity, "quantity", "",
		`how much: a whole number, an amount of money, "10 to 14", "up to 18", "at least 4", `+
			`"around 7000" or "unknown"`+unsaid(""))
	fl.StringVar(&f.area, "area", "",
		"where the forces may be used"+unsaid("; without it, anywhere"))
	fl.StringVar(&f.line, "line", "",
		"the requirement that the forces are meant for, which may still "+
			"have to be issued; none for none"+unsaid(" (default: none)"))
	fl.StringVar(&f.from, "from", "", "first day"+unsaid(" (default: today)"))
	fl.StringVar(&f.until, "until", "", "last day"+unsaid("; without it, open"))
	fl.IntVar(&f.notice, "notice-to-move", 0,
		"`days` after the call within which they move"+unsaid(" (default: not said)"))
	fl.StringVar(&f.presence, "presence", "", "new, present or reserve"+unsaid(" (default: new)"))
	none := unsaid(" (default: none)")
	fl.StringVar(&f.expires, "expires", "",
		"the last day on which it stands unless it is renewed or "+
			"deployed by then; none for no such day"+none)
	fl.StringVar(&f.predecessor, "predecessor", "",
		"the id of the pledge whose forces these relieve; none for none"+none)
	fl.StringVar(&f.successor, "successor", "",
		"the id of the pledge whose forces relieve these; none for none"+none)
	fl.StringArrayVar(&f.elsewhere, "elsewhere", nil,
		"what else the same forces are pledged to; may be given again; none for nothing"+none)
	fl.StringVar(&f.reference, "reference", "",
		"the nation's own number of it, such as that of a note verbale, at most 100 characters"+
			unsaid(""))
	fl.StringVar(&f.source, "source", "", "where this was published, if it was"+unsaid(""))
	fl.StringVar(&f.note, "note", "", "a note for people"+unsaid(""))
	fl.StringVar(&f.effective, "effective", "", "the date from which this holds (default: today)")
	fl.BoolVar(&f.dryRun, "dry-run", false,
		"print what would be signed and what it would change, and send nothing")
}

// set fills in the terms from the flags that were given, and returns those that cannot be read.
func (f *termFlags) set(c *cobra.Command, t *events.PledgeTerms) (bad []problem.Field) {
	given := c.Flags().Changed
	note := func(location, value string, err error) {
		if err != nil { // which names the value too
			bad = append(bad, problem.Field{Location: location, Value: value,
				Message: strings.TrimPrefix(err.Error(), strconv.Quote(value)+": ")})
		}
	}
	var err error
	if given("quantity") {
		var said events.Amount
		said, err = events.ParseAmount(f.quantity)
		t.SetAmount(said.In(t.Unit))
		note("quantity", f.quantity, err)
	}
	if given("from") {
		t.From, err = events.ParseDate(f.from)
		note("from", f.from, err)
	}
	if given("until") {
		t.Until, err = events.ParseDate(f.until)
		note("until", f.until, err)
	}
	if given("notice-to-move") {
		t.NoticeToMove = &f.notice
	}
	if given("line") {
		t.Line, err = orNone(f.line, func(s string) (events.Line, error) {
			return events.Line(s), nil
		})
		note("line", f.line, err)
	}
	if given("expires") {
		t.Expires, err = orNone(f.expires, events.ParseDate)
		note("expires", f.expires, err)
	}
	if given("predecessor") {
		t.Predecessor, err = orNone(f.predecessor, f.id(c))
		note("predecessor", f.predecessor, err)
	}
	if given("successor") {
		t.Successor, err = orNone(f.successor, f.id(c))
		note("successor", f.successor, err)
	}
	if given("elsewhere") {
		t.Elsewhere = f.elsewhere
		if len(f.elsewhere) == 1 && f.elsewhere[0] == "none" {
			t.Elsewhere = nil
		}
	}
	for name, to := range map[string]*string{"area": (*string)(&t.Area),
		"presence": (*string)(&t.Presence), "source": &t.Source, "note": &t.Note,
		"reference": &t.Reference} {
		if given(name) {
			*to = c.Flags().Lookup(name).Value.String()
		}
	}
	return append(bad, f.releases.set(c, t)...)
}

// orNone reads a value, or none.
func orNone[T any](s string, read func(string) (T, error)) (value T, err error) {
	if s == "none" {
		return value, nil
	}
	return read(s)
}

// termNames are the flags that change the terms of a pledge.
var termNames = []string{"quantity", "area", "line", "from", "until", "notice-to-move", "presence",
	"source", "note", "reference", "expires", "predecessor", "successor", "elsewhere"}

// changesTerms reports whether any flag changes the terms.
func changesTerms(c *cobra.Command) bool {
	return slices.ContainsFunc(termNames, c.Flags().Changed)
}

// withFields adds the flags that could not be read to what is wrong with the statement that the
// others make: all at once, but for a unit that was left out, which is looked up only for a
// statement that is right.
func withFields(st events.Statement, unit events.Unit, bad []problem.Field) error {
	if bad == nil {
		return nil
	}
	_, err := events.Marshal(st)
	for _, f := range problem.From(err).AllFields() {
		lookedUp := f.Location == "unit" && unit == ""
		if !lookedUp && !slices.ContainsFunc(bad, func(b problem.Field) bool {
			return b.Location == f.Location
		}) {
			bad = append(bad, f)
		}
	}
	return problem.OfFields(bad)
}

func (a *app) pledgeIndicateCmd() *cobra.Command {
	f := &termFlags{named: a.pledgeID}
	c := &cobra.Command{
		Use:   "indicate --operation OP --role ROLE --quantity N",
		Short: "Say that an offer is likely",
		Example: "  muster pledge indicate --operation mnf-u --nation ITA --role air --quantity " +
			"unknown --from 2026-03-01",
		Args: args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.submitOne(cmd.Context(), f.dryRun, func(s *speaker) (events.Statement, error) {
				st := &events.PledgeIndicated{Header: s.head("pledge.indicated")}
				return st, a.beginPledge(cmd, s, f, st, &st.Place, &st.Dated, &st.PledgeTerms)
			})
		},
	}
	f.registerNew(c)
	return c
}

func (a *app) pledgeOfferCmd() *cobra.Command {
	f := &termFlags{named: a.pledgeID}
	var indicated string
	c := &cobra.Command{
		Use:   "offer --operation OP --role ROLE --quantity N",
		Short: "Offer forces or means",
		Example: `  muster pledge offer --operation mnf-u --nation FRA --role ground --quantity 1200 --from 2026-03-01
  muster pledge offer --operation mnf-u --nation FRA --role ground --quantity 1200 --from 2026-03-01 --line ground-west
  muster pledge offer --indicated 01KAQ… --quantity 8`,
		Args: args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.submitOne(cmd.Context(), f.dryRun, func(s *speaker) (events.Statement, error) {
				st := &events.PledgeOffered{Header: s.head("pledge.offered")}
				if indicated != "" {
					on, err := dateOr("effective", f.effective, today())
					if err != nil {
						return nil, err
					}
					p, err := a.pledge(cmd.Context(), indicated, on)
					if err == nil {
						err = a.findReaders(cmd.Context(), &f.releases, p.Operation)
					}
					if err != nil {
						return nil, err
					}
					return st, restate(cmd, f, &p, st, &st.Pledge, &st.Upon, &st.Place, &st.Dated,
						&st.PledgeTerms)
				}
				return st, a.beginPledge(cmd, s, f, st, &st.Place, &st.Dated, &st.PledgeTerms)
			})
		},
	}
	f.registerNew(c)
	c.Flags().StringVar(&indicated, "indicated", "",
		"the id of the indicated pledge that becomes this offer, with its terms unless flags "+
			"say otherwise")
	return c
}

// registerNew adds the flags of what begins a pledge.
func (f *termFlags) registerNew(c *cobra.Command) {
	f.register(c, true)
	f.releases.register(c, "who may read it (default: coalition): "+releaseHelp)
	c.Flags().StringVar(&f.operation, "operation", "", "the operation")
	c.Flags().StringVar(&f.nation, "nation", "",
		"the nation, such as FRA (default: the key's)")
	c.Flags().StringVar(&f.role, "role", "", "the role")
	c.Flags().StringVar(&f.unit, "unit", "", "the unit (default: the role's first)")
}

// beginPledge fills in a statement that begins a pledge: at, on and t are parts of it.
func (a *app) beginPledge(cmd *cobra.Command, s *speaker, f *termFlags, st events.Statement,
	at *events.Place, on *events.Dated, t *events.PledgeTerms) (err error) {
	ctx := cmd.Context()
	at.Operation = events.Operation(f.operation)
	t.Role, t.Unit, t.From = events.Role(f.role), events.Unit(f.unit), today()
	if err := a.findReaders(ctx, &f.releases, at.Operation); err != nil {
		return err
	}
	bad := f.set(cmd, t)
	at.Nation, err = a.nationOr(ctx, at.Operation, f.nation, s)
	if p := problem.Of(err); p != nil && p.Kind == problem.Invalid {
		bad = append(bad, p.Fields...)
	} else if err != nil {
		return err
	}
	if on.Effective, err = dateOr("effective", f.effective, today()); err != nil {
		return err
	}
	if err := withFields(st, t.Unit, bad); err != nil {
		return err
	}
	if t.Unit == "" && at.Operation.Valid() && t.Role.Valid() {
		t.Unit, err = a.usualUnit(ctx, at.Operation, t.Role)
		t.SetAmount(t.Amount().In(t.Unit))
	}
	return err
}

// restate fills in a statement that says a pledge's terms anew, as they stand on the day that the
// flags say but for what else those say.
func restate(cmd *cobra.Command, f *termFlags, p *projections.Pledge, st events.Statement,
	pledge *events.ID, upon *events.Upon, at *events.Place, on *events.Dated,
	t *events.PledgeTerms) error {
	effective, err := dateOr("effective", f.effective, today())
	if err != nil {
		return err
	}
	*pledge, *upon, *at, *t, on.Effective = p.ID, uponOf(*p),
		events.Place{Operation: p.Operation, Nation: p.Nation}, p.Terms(), effective
	return withFields(st, t.Unit, f.set(cmd, t))
}

// uponOf says that a statement builds on a pledge as it was read.
func uponOf(p projections.Pledge) events.Upon { return events.Upon{After: int64(p.Last)} }

// usualUnit is the first of a role's units, for whoever signs that without having typed it.
func (a *app) usualUnit(ctx context.Context, o events.Operation,
	role events.Role) (events.Unit, error) {
	var p web.Plan
	err := a.askToSign(ctx, "plan", map[string]string{"operation": string(o)}, &p)
	if err != nil {
		return "", err
	}
	terms := p.Catalogue.Terms()
	units, ok := terms.Units(role)
	if !ok {
		names := ""
		for i, r := range terms.Roles {
			if i > 0 {
				names += ", "
			}
			names += string(r.Role)
		}
		return "", problem.OfFields(
			[]problem.Field{{Location: "role", Value: string(role),
				Message: fmt.Sprintf("%s has no such role: write one of %s", o, names)}})
	}
	return units[0], nil
}

func (a *app) pledgeAmendCmd() *cobra.Command {
	f, chosen := &termFlags{named: a.pledgeID}, &chosenFlags{}
	c := &cobra.Command{
		Use:   "amend ID...",
		Short: "Change a pledge's terms: the world changed",
		Long: "Change what the flags name, from --effective on; the rest of the pledge's " +
			"terms stays as it is.",
		Example: `  muster pledge amend 01KAQ… --quantity 900 --effective 2026-05-01
  muster pledge amend --nation FRA --role ground --until 2027-06-30 --dry-run`,
		Args: chosen.manyIDs(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !changesTerms(cmd) {
				return usage("muster pledge amend changes nothing so").
					WithHint("say what has changed, with one or more of: --%s",
						strings.Join(termNames, ", --"))
			}
			return a.sayOf(cmd.Context(), chosen, f.dryRun, f.effective, args, pledgeVerb{
				said: func(p *projections.Pledge) bool {
					terms, was := p.Terms(), p.Terms()
					return f.set(cmd, &terms) == nil && reflect.DeepEqual(terms, was)
				},
				make: func(s *speaker, p *projections.Pledge) (events.Statement, error) {
					st := &events.PledgeAmended{Header: s.head("pledge.amended")}
					return st, restate(cmd, f, p, st, &st.Pledge, &st.Upon, &st.Place, &st.Dated,
						&st.PledgeTerms)
				}})
		},
	}
	f.register(c, false)
	chosen.register(c)
	return c
}

// pledge asks for one pledge as it stands on a date, for whoever signs something about it: that it
// is the one that was named, and what it is, is verified.
func (a *app) pledge(ctx context.Context, id string, on events.Date) (projections.Pledge, error) {
	w, err := a.pledgeLife(ctx, id, on)
	return w.Pledge, err
}

// pledgeLife is [app.pledge] with all that was said of it.
func (a *app) pledgeLife(ctx context.Context, id string, on events.Date) (w web.PledgeLife,
	err error) {
	id, err = a.wholeID(ctx, id, a.askToSign)
	if err == nil {
		err = a.askToSign(ctx, "pledge", map[string]string{"id": id, "on": on.String()}, &w)
	}
	return w, err
}

func (a *app) pledgeListCmd() *cobra.Command {
	q := map[string]*string{}
	c := &cobra.Command{
		Use:   "list",
		Short: "The pledges that are known",
		Args:  args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := a.allPledges(cmd.Context(), a.ask, values(q))
			if err != nil {
				return err
			}
			return a.write(listing{all, web.PledgesTable(all)})
		},
	}
	stringFlags(c, q, "operation", "nation", "role", "rung-all", "state", "line", "reference", "on",
		"as-of", "view")
	a.rowFlags(c)
	c.Flags().Lookup("line").Usage =
		"only pledges that name this requirement as the one that they are meant for"
	return c
}

// allPledges asks for every page, all of one moment: what is recorded meanwhile is in none of them.
func (a *app) allPledges(ctx context.Context, ask askFunc,
	parameters map[string]string) (projections.PledgeList, error) {
	// A list even when there are none.
	all := projections.PledgeList{Pledges: []projections.Pledge{}}
	for {
		var page projections.PledgeList
		if err := ask(ctx, "pledges", parameters, &page); err != nil {
			return all, err
		}
		all.Basis, all.Next = page.Basis, page.Next
		all.Pledges = append(all.Pledges, page.Pledges...)
		if all.Next.IsZero() {
			return all, nil
		}
		parameters["as_of"], parameters["on"] = strconv.FormatUint(all.AsOf, 10), all.Days()
		parameters["after"] = all.Next.String()
	}
}

func (a *app) pledgeShowCmd() *cobra.Command {
	return questionCmd(a, question{
		name: "pledge", use: "show ID", argument: "id",
		short: "One pledge, and its life",
		flags: []string{"on-as-is", "as-of", "discharge"},
	}, web.PledgeTable)
}
