package main

import (
	"github.com/spf13/cobra"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
)

// A pledgeStepDef is a command that moves a pledge along.
type pledgeStepDef struct {
	use, short string
	strength   bool // whether it says how many are there
	make       func(events.PledgeStep, events.Strength) events.Statement
	// applies and said are those of a [pledgeVerb].
	applies, said func(*projections.Pledge) bool
}

// onRungs reports of a live pledge whether it stands on one of the rungs from the first to the
// last.
func onRungs(first, last projections.Rung) func(*projections.Pledge) bool {
	return func(p *projections.Pledge) bool {
		return p.State == projections.Live && p.Rung >= first && p.Rung <= last
	}
}

// left reports whether a pledge has left by an exit.
func left(by projections.State) func(*projections.Pledge) bool {
	return func(p *projections.Pledge) bool { return p.State == by }
}

var pledgeSteps = []pledgeStepDef{
	{"accept", "Take up an offer (coordinators)", false,
		func(s events.PledgeStep, _ events.Strength) events.Statement {
			s.Type = "pledge.accepted"
			return &events.PledgeAccepted{PledgeStep: s}
		}, onRungs(projections.Offered, projections.Offered),
		onRungs(projections.Accepted, projections.Deployed)},
	{"decline", "Do not take up an offer (coordinators)", false,
		func(s events.PledgeStep, _ events.Strength) events.Statement {
			s.Type = "pledge.declined"
			return &events.PledgeDeclined{PledgeStep: s}
		}, onRungs(projections.Indicated, projections.Offered), left(projections.Declined)},
	{"confirm", "Be bound by an accepted pledge", false,
		func(s events.PledgeStep, _ events.Strength) events.Statement {
			s.Type = "pledge.confirmed"
			return &events.PledgeConfirmed{PledgeStep: s}
		}, onRungs(projections.Accepted, projections.Accepted),
		onRungs(projections.Confirmed, projections.Deployed)},
	{"withdraw", "Take a pledge back", false,
		func(s events.PledgeStep, _ events.Strength) events.Statement {
			s.Type = "pledge.withdrawn"
			return &events.PledgeWithdrawn{PledgeStep: s}
		}, onRungs(projections.Indicated, projections.Confirmed), left(projections.Withdrawn)},
	{"deploy", "Say that the forces are in place, and how many", true,
		func(s events.PledgeStep, n events.Strength) events.Statement {
			s.Type = "pledge.deployed"
			return &events.PledgeDeployed{PledgeStep: s, Strength: n}
		}, onRungs(projections.Confirmed, projections.Confirmed),
		onRungs(projections.Deployed, projections.Deployed)},
	{"report", "Say how many are in place now", true,
		func(s events.PledgeStep, n events.Strength) events.Statement {
			s.Type = "pledge.reported"
			return &events.PledgeReported{PledgeStep: s, Strength: n}
		}, onRungs(projections.Deployed, projections.Deployed),
		onRungs(projections.Deployed, projections.Deployed)},
	{"return", "Say that the forces have gone home", false,
		func(s events.PledgeStep, _ events.Strength) events.Statement {
			s.Type = "pledge.returned"
			return &events.PledgeReturned{PledgeStep: s}
		}, onRungs(projections.Deployed, projections.Deployed), left(projections.Returned)},
}

func (a *app) stepCmd(def pledgeStepDef) *cobra.Command {
	var f stepFlags
	var quantity string
	c := &cobra.Command{
		Use:   def.use + " ID...",
		Short: def.short,
		Args:  f.chosen.manyIDs(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.sayOf(cmd.Context(), &f.chosen, f.dryRun, f.effective, args, pledgeVerb{
				applies: def.applies,
				said: func(p *projections.Pledge) bool {
					return def.said(p) &&
						(!def.strength || def.saysStrength(p, quantity, f.effective))
				},
				make: func(s *speaker, p *projections.Pledge) (events.Statement, error) {
					step, err := f.step(s, p)
					if err != nil {
						return nil, err
					}
					n := events.Strength{Unit: p.Unit}
					if def.strength {
						n.Quantity, err = strengthOf(p, quantity)
					}
					return def.make(step, n), err
				}})
		},
	}
	f.register(c)
	f.chosen.register(c)
	if def.strength {
		c.Flags().StringVar(&quantity, "quantity", "",
			"how many are there, or pledged for as many as are pledged (required)")
	}
	return c
}

// saysStrength reports whether so many are there already. A report says so of its day: of a later
// one it is news that there are still as many.
func (def *pledgeStepDef) saysStrength(p *projections.Pledge, quantity, effective string) bool {
	n, err := strengthOf(p, quantity)
	on, wrong := dateOr("effective", effective, today())
	return err == nil && wrong == nil && n == p.Strength &&
		(def.use != "report" || p.StrengthOn == on)
}

// strengthOf reads how much of a pledge is there.
func strengthOf(p *projections.Pledge, text string) (events.Quantity, error) {
	if text == "pledged" {
		return p.Quantity, nil
	}
	said, err := events.ParseAmount(text)
	if err != nil {
		return events.Quantity{}, problem.OfFields(
			[]problem.Field{{Location: "quantity", Value: text, Message: err.Error()}})
	}
	return said.In(p.Unit).Quantity, nil
}

// stepFlags are the flags of every statement that moves a pledge along.
type stepFlags struct {
	reason, source, effective string
	dryRun                    bool
	chosen                    chosenFlags // of those that can be said of several
}

func (f *stepFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.reason, "reason", "", "why, for people")
	c.Flags().StringVar(&f.source, "source", "", "where this was published, if it was")
	f.registerDated(c)
}

// registerDated adds those that every statement has that holds from a date on.
func (f *stepFlags) registerDated(c *cobra.Command) {
	c.Flags().StringVar(&f.effective, "effective", "",
		"the date from which this holds (default: today)")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false,
		"print what would be signed and what it would change, and send nothing")
}

// step makes what the statements have in common that move a pledge along; the type is the caller's
// to set.
func (f *stepFlags) step(s *speaker, p *projections.Pledge) (events.PledgeStep, error) {
	effective, err := dateOr("effective", f.effective, today())
	return events.PledgeStep{Header: s.head(""), Dated: events.Dated{Effective: effective},
		Place: events.Place{Operation: p.Operation, Nation: p.Nation},
		Step: events.Step{Pledge: p.ID, Upon: uponOf(*p), Reason: f.reason,
			Source: f.source}}, err
}

// step is the same of the pledge that an id names, with the pledge's unit.
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
	step, err := f.step(s, &p)
	return step, p.Unit, err
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

// named reports something of what a pledge has by a name.
type named func(p *projections.Pledge, name string) bool

// namedStepCmd is a command that says something of a condition or a caveat of pledges, by its name.
// Applies and said are those of a [pledgeVerb].
func (a *app) namedStepCmd(use, what, short string, applies, said named,
	make func(events.PledgeStep, events.Line) events.Statement) *cobra.Command {
	var f stepFlags
	c := &cobra.Command{
		Use:   use + " ID... " + what,
		Short: short,
		Args:  f.chosen.manyIDs(what),
		RunE: func(cmd *cobra.Command, args []string) error {
			last := len(args) - 1
			name := args[last]
			return a.sayOf(cmd.Context(), &f.chosen, f.dryRun, f.effective, args[:last],
				pledgeVerb{
					applies: func(p *projections.Pledge) bool { return applies(p, name) },
					said:    func(p *projections.Pledge) bool { return said(p, name) },
					make: func(s *speaker, p *projections.Pledge) (events.Statement, error) {
						step, err := f.step(s, p)
						return make(step, events.Line(name)), err
					}})
		},
	}
	f.register(c)
	f.chosen.register(c)
	return c
}

// condition returns the state of a condition of a pledge, "" where it has none of this name.
func condition(p *projections.Pledge, name string) projections.ConditionState {
	for _, c := range p.Conditions {
		if string(c.Condition) == name {
			return c.State
		}
	}
	return ""
}

func (a *app) conditionStepCmd(use, short string,
	make func(events.ConditionStep) events.Statement) *cobra.Command {
	was, becomes := projections.Hanging, projections.Discharged
	switch use {
	case "add":
		was, becomes = "", projections.Hanging
	case "fail":
		becomes = projections.Failed
	}
	applies := func(p *projections.Pledge, name string) bool { return condition(p, name) == was }
	said := func(p *projections.Pledge, name string) bool { return condition(p, name) == becomes }
	of := func(s events.PledgeStep, name events.Line) events.Statement {
		return make(events.ConditionStep{PledgeStep: s, Condition: name})
	}
	return a.namedStepCmd(use, "CONDITION", short, applies, said, of)
}
