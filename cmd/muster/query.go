package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
)

// The commands that put questions about pledges, and answer them.

func (a *app) pledgeQueryCmd() *cobra.Command {
	var f stepFlags
	var text, to, due string
	c := &cobra.Command{
		Use:   "query ID... --text TEXT",
		Short: "Ask about a pledge: its nation, or the coordinators",
		Long: `Put a question about a pledge. The coordinators ask the nation whose pledge it is,
and that nation the coordinators. It stands in "muster due" on both sides until it is answered with
"muster pledge answer". Whoever may read the pledge reads the question and the answer, too: of a
pledge without a release, the whole coalition.`,
		Example: `  muster pledge query 01KAQ… --text "When does parliament vote?" --due 2027-01-15
  muster pledge query --operation mnf-u --rung offered --text "Is the notice to move still right?"`,
		Args: f.chosen.manyIDs(),
		RunE: func(cmd *cobra.Command, args []string) error {
			until, err := dateOr("due", due, 0)
			if err != nil {
				return err
			}
			return a.sayOf(cmd.Context(), &f.chosen, f.dryRun, f.effective, args, pledgeVerb{
				said: func(p *projections.Pledge) bool {
					return slices.ContainsFunc(p.Queries, func(q projections.Query) bool {
						return q.Text == text && q.Due == until
					})
				},
				make: func(s *speaker, p *projections.Pledge) (events.Statement, error) {
					step, err := f.step(s, p)
					step.Type = "pledge.queried"
					if err != nil {
						return nil, err
					}
					asked, err := a.whom(cmd.Context(), to, s, p)
					return &events.PledgeQueried{PledgeStep: step, Text: text, Due: until,
						To: asked}, err
				}})
		},
	}
	f.register(c)
	f.chosen.register(c)
	c.Flags().StringVar(&text, "text", "", "the question (required)")
	c.Flags().StringVar(&to, "to", "", "who is asked: HQ, or the pledge's nation (default: the "+
		"other side)")
	c.Flags().StringVar(&due, "due", "", "the last day on which an answer is of use")
	return c
}

// whom returns who is asked about a pledge where nobody was named: the other side.
func (a *app) whom(ctx context.Context, to string, s *speaker,
	p *projections.Pledge) (events.Nation, error) {
	switch {
	case to != "" && to != string(events.HQ):
		return a.nationNamed(ctx, p.Operation, "to", to)
	case to == "" && s.signer.Key().Party() == events.HQ:
		return p.Nation, nil
	}
	return events.HQ, nil
}

func (a *app) pledgeAnswerCmd() *cobra.Command {
	var f stepFlags
	var text, query string
	c := &cobra.Command{
		Use:   "answer ID... --text TEXT",
		Short: "Answer a question about a pledge",
		Long: `Answer what was asked about a pledge, so that it is waited for no more: the one
question that waits for you, or the one that --query names. "muster pledge show" and "muster due"
have the questions.`,
		Example: `  muster pledge answer 01KAQ… --text "On 12 January"`,
		Args:    f.chosen.manyIDs(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.sayOf(cmd.Context(), &f.chosen, f.dryRun, f.effective, args, pledgeVerb{
				appliesFor: func(s *speaker, p *projections.Pledge) bool {
					return slices.ContainsFunc(waitingFor(p, s.signer.Key().Party()),
						func(q projections.Query) bool {
							return query == "" || q.ID.String() == query
						})
				},
				make: func(s *speaker, p *projections.Pledge) (events.Statement, error) {
					step, err := f.step(s, p)
					st := &events.PledgeAnswered{PledgeStep: step, Text: text}
					st.Type = "pledge.answered"
					if err == nil {
						st.Query, err = asked(p, query, s.signer.Key().Party())
					}
					return st, err
				}})
		},
	}
	f.register(c)
	f.chosen.register(c)
	c.Flags().StringVar(&text, "text", "", "the answer (required)")
	c.Flags().StringVar(&query, "query", "", "the id of the question (default: the only one that "+
		"waits for you)")
	return c
}

// asked returns the question that is answered: the one named, or the only one that waits for a
// party.
func asked(p *projections.Pledge, named string, party events.Nation) (id events.ID, err error) {
	if named != "" {
		if id, err = events.ParseID(named); err != nil {
			return id, problem.OfFields([]problem.Field{{Location: "query", Value: named,
				Message: err.Error()}})
		}
		return id, nil
	}
	waits := waitingFor(p, party)
	switch len(waits) {
	case 1:
		return waits[0].ID, nil
	case 0:
		return id, usage("no question about the pledge %s waits for you", p.ID).
			WithHint("see what is asked: muster pledge show %s; the coordinators may answer for a "+
				"nation that has no liaison: name the question with --query", p.ID)
	}
	return id, usage("%d questions about the pledge %s wait for you", len(waits), p.ID).
		WithHint("see what is asked: muster pledge show %s; and name the question with --query",
			p.ID)
}

// waitingFor returns the questions about a pledge that wait for a party.
func waitingFor(p *projections.Pledge, party events.Nation) []projections.Query {
	return slices.DeleteFunc(slices.Clone(p.Queries), func(q projections.Query) bool {
		return (q.To == events.HQ) != (party == events.HQ)
	})
}
