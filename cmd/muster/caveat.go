package main

import (
	"slices"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/projections"
)

func (a *app) caveatCmd() *cobra.Command {
	var restriction string
	declare := a.caveatStepCmd("declare", "Restrict the use of what is pledged",
		func(s events.CaveatStep) events.Statement {
			s.Type = "caveat.declared"
			return &events.CaveatDeclared{CaveatStep: s, Restriction: restriction}
		})
	declare.Example = `  muster caveat declare 01KAQ… by-day --restriction "flies by day only"`
	declare.Flags().StringVar(&restriction, "restriction", "", "what is not allowed, in words")
	return group("caveat", "National restrictions on the use of what is pledged", declare,
		a.caveatStepCmd("lift", "Lift a restriction", func(s events.CaveatStep) events.Statement {
			s.Type = "caveat.lifted"
			return &events.CaveatLifted{CaveatStep: s}
		}))
}

func (a *app) caveatStepCmd(use, short string,
	make func(events.CaveatStep) events.Statement) *cobra.Command {
	has := func(p *projections.Pledge, name string) bool {
		return slices.ContainsFunc(p.Caveats, func(c projections.Caveat) bool {
			return string(c.Caveat) == name
		})
	}
	hasNot := func(p *projections.Pledge, name string) bool { return !has(p, name) }
	applies, said := hasNot, has
	if use == "lift" {
		applies, said = has, hasNot
	}
	of := func(s events.PledgeStep, name events.Line) events.Statement {
		return make(events.CaveatStep{PledgeStep: s, Caveat: name})
	}
	return a.namedStepCmd(use, "CAVEAT", short, applies, said, of)
}
