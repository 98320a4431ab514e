package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/projections/access"
)

// What is said of a release wherever one can be given, and of a clearance.
const (
	releaseHelp = "public (everybody), coalition (every nation, the coordinators and the readers " +
		"cleared for it) or coordinators (they, the readers cleared as they are, the nation " +
		"itself and those of --releasable-to); it is never narrowed; " + whereOpen
	whereOpen = "a server that lets everybody read all (--read open) shows it to everybody all " +
		"the same"
)

// releaseFlags say who may read a pledge.
type releaseFlags struct {
	release      string
	releasableTo []string

	declared events.Organisations // those that may be named besides nations
}

func (f *releaseFlags) register(c *cobra.Command, usage string) {
	c.Flags().StringVar(&f.release, "release", "", usage)
	c.Flags().StringSliceVar(&f.releasableTo, "releasable-to", nil,
		"the nations that may read it too, where it is released to the coordinators, such as "+
			"GBR,NOR")
}

// findReaders has the names of an operation's organisations known, where those who may read a
// pledge are named by others than nations' names.
func (a *app) findReaders(ctx context.Context, f *releaseFlags, o events.Operation) (err error) {
	f.declared, err = a.declaredFor(ctx, o, f.releasableTo...)
	return err
}

// set fills in who may read the terms, and returns what cannot be read.
func (f *releaseFlags) set(c *cobra.Command, t *events.PledgeTerms) (bad []problem.Field) {
	if c.Flags().Changed("release") {
		t.Release, t.ReleasableTo = events.Release(f.release), nil
		if strings.TrimSpace(f.release) == "" { // which would be the coalition, for good
			bad = append(bad, problem.Field{Location: "release", Value: f.release,
				Message: "is given and empty, so it is not known who may read it: write public, " +
					"coalition or coordinators; where that is a variable of the shell, it is " +
					"empty"})
		}
	}
	if !c.Flags().Changed("releasable-to") {
		return bad
	}
	t.ReleasableTo = nil
	for i, name := range f.releasableTo {
		n, err := f.declared.Parse(strings.TrimSpace(name))
		if err != nil {
			bad = append(bad, problem.Field{Location: fmt.Sprintf("releasable_to[%d]", i),
				Value: name, Message: err.Error()})
		}
		t.ReleasableTo = append(t.ReleasableTo, n)
	}
	return bad
}

// readers says to people who will be able to read what a statement begins or opens, nothing of one
// that does neither: what is said of a pledge later has its label. It is as narrow as the
// operation's.
func (a *app) readers(ctx context.Context, st events.Statement) (lines []string) {
	about, begins := events.LabelOf(st)
	_, operation := events.About(st)
	switch st.(type) {
	case *events.PledgeIndicated, *events.PledgeOffered, *events.PledgeDisclosed:
	default:
		return nil
	}
	if !begins {
		return nil
	}
	what := "It can"
	var named events.Organisations
	if p, err := planAsker(a.ask)(ctx, operation, 0, today()); err == nil {
		within := about.Within(events.Label{Release: p.Catalogue.Release})
		if within.Release != about.Release {
			what = "As its operation is released no wider, it can"
		}
		about, named = within, p.Catalogue.Organisations
	}
	lines = []string{fmt.Sprintf("%s be read by %s, and by those who run the servers. "+
		"That is never narrowed.", what, whoReads(about, named))}
	if a.reading(ctx) == access.ReadOpen {
		lines = append(lines, "For now, this server lets everybody who reaches it read all.")
	}
	return lines
}

// whoReads lists who may read what has a label, of nations and of these organisations.
func whoReads(l events.Label, named events.Organisations) string {
	switch l.Release {
	case events.Public:
		return "everybody"
	case events.CoalitionOnly, "":
		return "every nation, the coordinators and the readers cleared for the coalition"
	}
	who := []string{"the coordinators", "the readers cleared as they are"}
	for _, n := range l.Nations() {
		who = append(who, named.Named(n))
	}
	return english.List(who)
}

// reading asks who may read what on the server, "" where it does not tell.
func (a *app) reading(ctx context.Context) access.Reading {
	v, err := a.visitor()
	if err != nil {
		return ""
	}
	w, err := v.who(ctx, false)
	if err != nil {
		return ""
	}
	return w.Read
}
