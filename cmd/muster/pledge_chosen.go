package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"muster/events"
	"muster/projections"
)

// This file finds the pledges of which one thing is to be said: by their ids, or by what they are.

// chosenFlags choose among the pledges of which a thing can be said now.
type chosenFlags struct {
	nation, role, rung, operation string
	of                            *pflag.FlagSet // in which they are registered
}

var chosenNames = []string{"operation", "nation", "role", "rung"}

func (f *chosenFlags) register(c *cobra.Command) {
	f.of = c.Flags()
	c.Flags().StringVar(&f.operation, "operation", "",
		"instead of ids: all of which this can be said now, in this operation")
	c.Flags().StringVar(&f.nation, "nation", "", "the same, of this nation, such as FRA")
	c.Flags().StringVar(&f.role, "role", "", "the same, of this role, such as ground")
	c.Flags().StringVar(&f.rung, "rung", "",
		"the same, from this rung on: indicated, offered, accepted, confirmed, deployed")
}

// given reports whether any is.
func (f *chosenFlags) given() bool { return slices.ContainsFunc(chosenNames, f.of.Changed) }

// noneEmpty refuses flags that are given and empty, as by an empty variable of the shell: they
// would choose more than is meant.
func noneEmpty(flags *pflag.FlagSet, names ...string) (err error) {
	for _, name := range names {
		fl := flags.Lookup(name)
		if fl.Changed && strings.TrimSpace(fl.Value.String()) == "" {
			return usage("--%s is given and empty, so it is not known what is meant", name).
				WithHint("write its value; where that is a variable of the shell, it is empty")
		}
	}
	return nil
}

// clearing are the flags that mean something when they are empty: that what was there is taken
// away. That of release has a refusal of its own.
var clearing = []string{"area", "presence", "source", "note", "reference", "release"}

// emptyFlags refuses what is given to a command and empty: it would be as if it had not been given.
// What runs for long is started by programs, which give what they have.
func emptyFlags(cmd *cobra.Command) error {
	own := cmd.LocalNonPersistentFlags()
	if own.Lookup("listen") != nil {
		return nil
	}
	return noneEmpty(own, slices.DeleteFunc(givenFlags(own), func(name string) bool {
		return slices.Contains(clearing, name)
	})...)
}

// givenFlags are the names of the flags that are given.
func givenFlags(flags *pflag.FlagSet) (names []string) {
	flags.VisitAll(func(fl *pflag.Flag) {
		if fl.Changed {
			names = append(names, fl.Name)
		}
	})
	return names
}

// manyIDs checks the arguments of a command that takes the ids of pledges, or flags instead, and
// after them what is named.
func (f *chosenFlags) manyIDs(named ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, got []string) error {
		if err := noneEmpty(f.of, chosenNames...); err != nil {
			return err
		}
		want := append([]string{"ID"}, named...)
		if f.given() {
			if len(got) > len(named) {
				return usage("%s: what is %q beside --nation, --role, --rung or --operation?",
					cmd.CommandPath(), got[0]).
					WithHint("name pledges by their ids, or choose them with flags")
			}
			want = named
		}
		return args(want...)(cmd, got[:min(len(got), len(want))])
	}
}

// A pledgeVerb says one thing of each of some pledges.
type pledgeVerb struct {
	// applies reports whether it can be said of a pledge as it stands: nil for of any that is live.
	applies func(*projections.Pledge) bool
	// appliesFor is the same, where it depends on who says it; nil where it does not.
	appliesFor func(*speaker, *projections.Pledge) bool
	// said reports whether the pledge stands so already; nil where nothing tells.
	said func(*projections.Pledge) bool
	// make makes the statement about a pledge.
	make func(*speaker, *projections.Pledge) (events.Statement, error)
}

// choose finds the pledges that ids name, each once, or that the flags choose, as they stand on a
// date.
func (a *app) choose(ctx context.Context, f *chosenFlags, v *pledgeVerb, ids []string,
	on events.Date) (all []projections.Pledge, err error) {
	if f.given() {
		list, err := a.allPledges(ctx, a.askToSign, map[string]string{"operation": f.operation,
			"nation": f.nation, "role": f.role, "rung": f.rung, "on": on.String()})
		return slices.DeleteFunc(list.Pledges, func(p projections.Pledge) bool {
			return p.State != projections.Live || v.applies != nil && !v.applies(&p)
		}), err
	}
	for _, id := range ids {
		p, err := a.pledge(ctx, id, on)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(all, func(q projections.Pledge) bool { return q.ID == p.ID }) {
			all = append(all, p)
		}
	}
	return all, nil
}

// sayOf says one thing of one pledge, or of each of several.
func (a *app) sayOf(ctx context.Context, f *chosenFlags, dryRun bool, effective string,
	ids []string, v pledgeVerb) error {
	on, err := dateOr("effective", effective, today())
	if err != nil {
		return err
	}
	if len(ids) == 1 && !f.given() {
		return a.submitOne(ctx, dryRun, func(s *speaker) (events.Statement, error) {
			p, err := a.pledge(ctx, ids[0], on)
			if err != nil {
				return nil, err
			}
			return v.make(s, &p)
		})
	}
	s, err := a.speaker(ctx)
	if err != nil {
		return err
	}
	if v.appliesFor != nil {
		v.applies = func(p *projections.Pledge) bool { return v.appliesFor(s, p) }
	}
	all, err := a.choose(ctx, f, &v, ids, on)
	if err != nil {
		return err
	}
	b := &batch{app: a, speaker: s}
	for i := range all {
		p := &all[i]
		if v.said != nil && v.said(p) {
			b.leaveOut(p, "")
			continue
		}
		st, err := v.make(s, p)
		if err != nil {
			return err
		}
		b.add(*p, st)
	}
	return b.submit(ctx, dryRun)
}
