package main

import (
	"github.com/spf13/cobra"

	"muster/events"
	"muster/events/problem"
)

// A pledgeStepDef is a command that moves a pledge along.
type pledgeStepDef struct {
	use, short string
	strength   bool // whether it says how many are there
	make       func(events.PledgeStep, events.Strength) events.Statement
}

var pledgeSteps = []pledgeStepDef{
	{"accept", "Take up an offer (coordinators)", false,
		func(s events.PledgeStep, _ events.Strength) events.Statement {
			s.Type = "pledge.accepted"
			return &events.PledgeAccepted{PledgeStep: s}
		}},
	{"decline", "Do not take up an offer (coordinators)", false,
		func(s events.PledgeStep, _ events.Strength) events.Statement {
			s.Type = "pledge.declined"
			return &events.PledgeDeclined{PledgeStep: s}
		}},
	{"confirm", "Be bound by an accepted pledge", false,
		func(s events.PledgeStep, _ events.Strength) events.Statement {
			s.Type = "pledge.confirmed"
			return &events.PledgeConfirmed{PledgeStep: s}
		}},
	{"withdraw", "Take a pledge back", false,
		func(s events.PledgeStep, _ events.Strength) events.Statement {
			s.Type = "pledge.withdrawn"
			return &events.PledgeWithdrawn{PledgeStep: s}
		}},
	{"deploy", "Say that the forces are in place, and how many", true,
		func(s events.PledgeStep, n events.Strength) events.Statement {
			s.Type = "pledge.deployed"
			return &events.PledgeDeployed{PledgeStep: s, Strength: n}
		}},
	{"report", "Say how many are in place now", true,
		func(s events.PledgeStep, n events.Strength) events.Statement {
			s.Type = "pledge.reported"
			return &events.PledgeReported{PledgeStep: s, Strength: n}
		}},
	{"return", "Say that the forces have gone home", false,
		func(s events.PledgeStep, _ events.Strength) events.Statement {
			s.Type = "pledge.returned"
			return &events.PledgeReturned{PledgeStep: s}
		}},
}

func (a *app) stepCmd(def pledgeStepDef) *cobra.Command {
	var f stepFlags
	var quantity string
	c := &cobra.Command{
		Use:   def.use + " ID",
		Short: def.short,
		Args:  args("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.submitOne(cmd.Context(), f.dryRun, func(s *speaker) (events.Statement, error) {
				step, unit, err := a.step(cmd, s, f, args[0])
				if err != nil {
					return nil, err
				}
				n := events.Strength{Unit: unit}
				if def.strength {
					said, err := events.ParseAmount(quantity)
					if err != nil {
						return nil, problem.OfFields(
							[]problem.Field{{Location: "quantity", Value: quantity,
								Message: err.Error()}})
					}
					n.Quantity = said.In(unit).Quantity
				}
				return def.make(step, n), nil
			})
		},
	}
	f.register(c)
	if def.strength {
		c.Flags().StringVar(&quantity, "quantity", "", "how many are there (required)")
	}
	return c
}

// stepFlags are the flags of every statement that moves a pledge along.
type stepFlags struct {
	reason, source, effective string
	dryRun                    bool
}

func (f *stepFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.reason, "reason", "", "why, for people")
	c.Flags().StringVar(&f.source, "source", "", "where this was published, if it was")
	c.Flags().StringVar(&f.effective, "effective", "",
		"the date from which this holds (default: today)")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false,
		"print what would be signed and what it would change, and send nothing")
}

// step makes what the statements have in common that move a pledge along; the type is the caller's
// to set.
func (a *app) step(cmd *cobra.Command, s *speaker, f stepFlags,
	id string) (events.PledgeStep, events.Unit, error) {
	effective, err := dateOr("effective", f.effective, today())
	if err != nil {
		return events.PledgeStep{}, "", err
	}
	p, err := a.pledge(cmd.Context(), id, effective)
	if err != nil {
		return events.PledgeStep{}, "", err
	}
	return events.PledgeStep{Header: s.head(""), Dated: events.Dated{Effective: effective},
			Place: events.Place{Operation: p.Operation, Nation: p.Nation},
			Step:  events.Step{Pledge: p.ID, Upon: uponOf(p), Reason: f.reason, Source: f.source}},
		p.Unit, nil
}

func (a *app) conditionCmd() *cobra.Command {
	var kind string
	add := a.conditionStepCmd("add",
		"Say what must happen first: a vote, a cease-fire, a mandate, funding",
		func(s events.ConditionStep) events.Statement {
			s.Type = "condition.added"
			return &events.ConditionAdded{ConditionStep: s, Kind: events.ConditionKind(kind)}
		})
	add.Flags().StringVar(&kind, "kind", "other",
		"parliament, cease-fire, mandate, funding or other")
	return group("condition", "What a pledge hangs on", add,
		a.conditionStepCmd("discharge", "Say that it has happened",
			func(s events.ConditionStep) events.Statement {
				s.Type = "condition.discharged"
				return &events.ConditionDischarged{ConditionStep: s}
			}),
		a.conditionStepCmd("fail", "Say that it will not happen",
			func(s events.ConditionStep) events.Statement {
				s.Type = "condition.failed"
				return &events.ConditionFailed{ConditionStep: s}
			}))
}

// namedStepCmd is a command that says something of a condition or a caveat of a pledge, by its
// name.
func (a *app) namedStepCmd(use, what, short string,
	make func(events.PledgeStep, events.Line) events.Statement) *cobra.Command {
	var f stepFlags
	c := &cobra.Command{
		Use:   use + " ID " + what,
		Short: short,
		Args:  args("ID", what),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.submitOne(cmd.Context(), f.dryRun, func(s *speaker) (events.Statement, error) {
				step, _, err := a.step(cmd, s, f, args[0])
				return make(step, events.Line(args[1])), err
			})
		},
	}
	f.register(c)
	return c
}

func (a *app) conditionStepCmd(use, short string,
	make func(events.ConditionStep) events.Statement) *cobra.Command {
	of := func(s events.PledgeStep, name events.Line) events.Statement {
		return make(events.ConditionStep{PledgeStep: s, Condition: name})
	}
	return a.namedStepCmd(use, "CONDITION", short, of)
}
