package main

import (
	"context"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
	"muster/projections/web"
)

func (a *app) pledgeCorrectCmd() *cobra.Command {
	f := &termFlags{named: a.pledgeID}
	var reason string
	var strike bool
	var other otherPledge
	c := &cobra.Command{
		Use:   "correct RECORD --reason WHY",
		Short: "Mend a record that was wrong when it was made",
		Long: `Mend one record about a pledge, by its sequence: we wrote it wrong. (When the world
has changed, amend the pledge.) What the flags name is corrected, and the rest of the record stays
as it was said. With --strike it was never to be said. From then on the record counts as
corrected, in its own place; what was known before stays as it was, and both records stay to be
seen.

Where the record is the one that began the pledge, --strike takes the whole pledge off, for good: from then on it was never made, and counts
nowhere. So the wrong nation, role, unit or operation is mended: strike the pledge, and offer it anew. With --nation, --role, --unit or
--operation this command says what to type for that.`,
		Example: `  muster pledge correct 17 --quantity 1200 --reason "a digit was missing"
  muster pledge correct 21 --strike --reason "it was another pledge"
  muster pledge correct 4 --nation AUS --reason "it was Australia"`,
		Args: args("RECORD"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if other != (otherPledge{}) {
				return a.strikeAndOffer(cmd, f, args[0], reason, other)
			}
			if !strike && !changesTerms(cmd) && !cmd.Flags().Changed("effective") {
				return usage("muster pledge correct corrects nothing so").
					WithHint("say what is right, such as --quantity or --effective, or --strike " +
						"what was never so")
			}
			if strike && changesTerms(cmd) {
				return usage("what is struck has no --%s any more", changed(cmd)[0]).
					WithHint("leave out --strike to correct the record, or the rest to strike it")
			}
			return a.submitOne(cmd.Context(), f.dryRun, func(s *speaker) (events.Statement, error) {
				wrong, err := a.record(cmd.Context(), args[0])
				if err != nil {
					return nil, err
				}
				st, err := a.correction(cmd, s, f, wrong, strike)
				if err == nil {
					st.Reason = reason
				}
				return st, err
			})
		},
	}
	f.register(c, false)
	c.Flags().Lookup("effective").Usage =
		"the date from which the record should have held (default: its own, or today where a " +
			"pledge that has lapsed is struck)"
	c.Flags().StringVar(&reason, "reason", "", "what was wrong (required)")
	c.Flags().BoolVar(&strike, "strike", false,
		"it should never have been recorded; nor the pledge, where the record began it")
	other.register(c)
	return c
}

// record asks for one record, by its sequence.
func (a *app) record(ctx context.Context, sequence string) (events.Record, error) {
	n, err := strconv.ParseUint(sequence, 10, 64)
	if err != nil || n == 0 {
		return events.Record{},
			usage("%q is no record: write its sequence, as `muster log` and `muster pledge show "+
				"ID` tell it", sequence)
	}
	var page web.Records
	if err := a.ask(ctx, "records", map[string]string{"from": sequence, "limit": "1"},
		&page); err != nil {
		return events.Record{}, err
	}
	coveredBy(&page, uint64(a.contact.seen.N))
	if len(page.Records) == 0 {
		return events.Record{}, problem.New(problem.NotFound, "there is no record %d yet", n)
	}
	if err := a.makeSure(ctx, &page); err != nil {
		return events.Record{}, err
	}
	return events.ParseRecord(page.Records[0].Sequence, []byte(page.Records[0].Stored))
}

// changed returns the flags that change terms and were given.
func changed(cmd *cobra.Command) []string {
	return slices.DeleteFunc(slices.Clone(termNames), func(name string) bool {
		return !cmd.Flags().Changed(name)
	})
}

// correction makes the statement that mends a record. What was corrected of it before stays
// corrected.
func (a *app) correction(cmd *cobra.Command, s *speaker, f *termFlags, wrong events.Record,
	strike bool) (*events.PledgeCorrected, error) {
	head := wrong.Statement.Head()
	on, err := correctable(wrong)
	if err != nil {
		return nil, err
	}
	p, effective, err := a.corrections(cmd.Context(), wrong, on)
	if err != nil {
		return nil, err
	}
	nation, operation := events.About(wrong.Statement)
	st := &events.PledgeCorrected{Header: s.head("pledge.corrected"),
		Place:  events.Place{Operation: operation, Nation: nation},
		Pledge: p.ID, Upon: uponOf(p), Corrects: head.ID, Struck: strike}
	if strike && head.ID == p.ID && p.State == projections.Lapsed {
		effective = today() // what lapsed since its beginning needs no release
	}
	if st.Effective, err = dateOr("effective", f.effective, effective); err != nil || strike {
		return st, err
	}
	return st, f.correctContent(cmd, st, wrong.Statement)
}

// correctable returns the date from which a record holds that can be corrected: one about a pledge.
func correctable(wrong events.Record) (events.Date, error) {
	said, ok := wrong.Statement.(interface{ On() events.Date })
	typ := wrong.Statement.Head().Type
	if !ok || !slices.Contains([]string{"pledge", "condition", "caveat", "allocation"},
		typ.Subject()) {
		return 0, usage("record %d says %q, and only records about pledges are corrected",
			wrong.Sequence, typ.Words())
	}
	return said.On(), nil
}

// corrections puts into a record's statement what was corrected of it before, and returns its
// pledge and the date from which it holds so.
func (a *app) corrections(ctx context.Context, wrong events.Record,
	effective events.Date) (projections.Pledge, events.Date, error) {
	var w web.PledgeLife
	if err := a.askToSign(ctx, "pledge",
		map[string]string{"id": events.Thing(wrong.Statement).String()}, &w); err != nil {
		return w.Pledge, 0, err
	}
	for _, e := range w.Life {
		if e.Type != "pledge.corrected" {
			continue
		}
		rec, err := a.record(ctx, strconv.FormatUint(e.Sequence, 10))
		if err != nil {
			return w.Pledge, 0, err
		}
		if c, ok := rec.Statement.(*events.PledgeCorrected); ok &&
			c.Corrects == wrong.Statement.Head().ID {
			effective = c.Effective
			terms, strength := events.ContentOf(wrong.Statement)
			if c.Terms != nil && terms != nil {
				*terms = *c.Terms
			}
			if c.Strength != nil && strength != nil {
				*strength = *c.Strength
			}
		}
	}
	return w.Pledge, effective, nil
}

// correctContent corrects the terms or the strength that a statement has, as the flags say.
func (f *termFlags) correctContent(cmd *cobra.Command, st *events.PledgeCorrected,
	wrong events.Statement) error {
	given := changed(cmd)
	if len(given) == 0 {
		return nil
	}
	st.Terms, st.Strength = events.ContentOf(wrong)
	switch other := slices.IndexFunc(given, func(name string) bool { return name != "quantity" }); {
	case st.Terms != nil:
		return withFields(st, st.Terms.Unit, f.set(cmd, st.Terms))
	case st.Strength == nil:
		return usage("%q has no --%s to correct", wrong.Head().Type.Words(), given[0]).
			WithHint("correct its date with --effective, or --strike it")
	case other >= 0:
		return usage("%q has no --%s to correct", wrong.Head().Type.Words(), given[other]).
			WithHint("it says how much is there: --quantity")
	}
	var said events.PledgeTerms
	said.Unit = st.Strength.Unit
	bad := f.set(cmd, &said)
	st.Strength.Quantity = said.Quantity
	return withFields(st, st.Strength.Unit, bad)
}
