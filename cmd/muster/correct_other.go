package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
	"muster/projections/web"
)

// An otherPledge is what no correction changes of a pledge, as it should have been said; "" for
// what was right. Another pledge has it: the one that is there is struck, and that one is offered.
// This is two statements and two records, and often of two signers, since nobody but Australia may
// speak for Australia. So the command does not sign them both, and says what to type.
type otherPledge struct{ operation, nation, role, unit string }

func (o *otherPledge) register(c *cobra.Command) {
	const says = "; says what to type for that"
	c.Flags().StringVar(&o.operation, "operation", "", "the right operation"+says)
	c.Flags().StringVar(&o.nation, "nation", "", "the right nation"+says)
	c.Flags().StringVar(&o.role, "role", "", "the right role"+says)
	c.Flags().StringVar(&o.unit, "unit", "", "the right unit"+says)
}

// strikeAndOffer refuses to correct what makes a pledge another one, with what to type instead.
func (a *app) strikeAndOffer(cmd *cobra.Command, f *termFlags, record, reason string,
	right otherPledge) error {
	wrong, err := a.record(cmd.Context(), record)
	if err != nil {
		return err
	}
	if _, err := correctable(wrong); err != nil {
		return err
	}
	var w web.PledgeLife
	if err := a.ask(cmd.Context(), "pledge",
		map[string]string{"id": events.Thing(wrong.Statement).String()}, &w); err != nil {
		return err
	}
	p, t := w.Pledge, w.Pledge.Terms()
	if right.nation != "" {
		n, err := a.nationNamed(cmd.Context(), events.Operation(cmp.Or(right.operation,
			string(p.Operation))), "nation", right.nation)
		if err != nil {
			return err
		}
		right.nation = string(n)
	}
	if bad := f.set(cmd, &t); bad != nil {
		return problem.OfFields(bad)
	}
	because := cmp.Or(reason, "WHY")
	refusal := problem.New(problem.Usage, "a pledge keeps its operation, nation, role and unit: "+
		"what was said of another is struck, and the right one offered")
	if p.Observed {
		return refusal.WithHint("type: muster pledge correct %d --strike --reason %s; "+
			"then import the right figures", p.First, shellWord(because))
	}
	effective := cmp.Or(f.effective, p.Since.String())
	return refusal.WithHint("type: muster pledge correct %d --strike --reason %s; then, with a "+
		"key that may say so: %s", p.First, shellWord(because), right.offer(&p, &t, effective))
}

// offer is what somebody types to offer the right pledge, with all the terms of the wrong one.
func (o *otherPledge) offer(p *projections.Pledge, t *events.PledgeTerms,
	effective string) string {
	words := []string{"muster", "pledge", "offer"}
	if p.Rung == projections.Indicated {
		words[2] = "indicate"
	}
	add := func(name, value string) {
		if value != "" {
			words = append(words, "--"+name+" "+shellWord(value))
		}
	}
	add("operation", cmp.Or(o.operation, string(p.Operation)))
	add("nation", cmp.Or(o.nation, string(p.Nation)))
	add("role", cmp.Or(o.role, string(t.Role)))
	add("quantity", t.Amount().String())
	add("unit", cmp.Or(o.unit, string(t.Unit)))
	for _, one := range projections.TermsOf(t) {
		if !slices.Contains([]string{"role", "quantity", "unit", "least", "most"}, one.Name) {
			for _, value := range strings.Split(one.Value, "\n") {
				add(flagOf(one.Name), value)
			}
		}
	}
	add("effective", effective)
	return strings.Join(words, " ")
}

// flagOf returns the flag of a term by the name of its member.
func flagOf(member string) string { return strings.ReplaceAll(member, "_", "-") }
