package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/projections"
	"muster/projections/web"
)

// This file completes what is typed, for the shell (muster completion bash): words that are the
// same in every ledger by itself, and names of this one, which the server is asked for. Where no
// server answers at once, nothing is said.

// completionTime is how long a person waits for a word to be completed.
const completionTime = time.Second

// anyDay asks for what was or will be there on any day.
const anyDay = ".."

// completer completes a word.
type completer = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

// addCompletion completes the arguments and flags of all commands, by their names in the help. Each
// start of the program pays for it, and so it only notes who will be asked.
func (a *app) addCompletion(root *cobra.Command) {
	flags := map[string]completer{}
	for name, words := range map[string]func(context.Context, string) []string{
		"output": these(formats...), "rung": these(wordsOf(projections.Rungs())...),
		"state": these(wordsOf(projections.States())...), "operation": a.operations,
		"role": a.roles, "line": a.lines, "nation": a.nationCodes, "without": a.nationCodes,
		"predecessor": a.pledgeIDs, "successor": a.pledgeIDs, "indicated": a.pledgeIDs,
		"pledge": a.pledgeIDs, "step": these(wordsOf(projections.Steps())...),
		"match":   these("area", "line"),
		"release": these("public", "coalition", "coordinators"),
	} {
		flags[name] = a.completes(words)
	}
	of := map[string]completer{}
	for name, words := range map[string]func(context.Context, string) []string{"ID": a.pledgeIDs,
		"ID...": a.pledgeIDs, "PLEDGE": a.pledgeIDs, "REQUIREMENT": a.lines,
		"CODE": a.nationCodes, "ROLE...": a.roles, "OPERATION": a.operations} {
		of[name] = a.completes(words)
	}
	addCompleters(root, flags, of)
}

// addCompleters completes what a command and those below it take: flags by their names, and
// arguments by what they are called in the line of usage.
func addCompleters(c *cobra.Command, flags, of map[string]completer) {
	for _, sub := range c.Commands() {
		addCompleters(sub, flags, of)
	}
	for name, words := range flags {
		if c.Flags().Lookup(name) != nil || c.PersistentFlags().Lookup(name) != nil {
			_ = c.RegisterFlagCompletionFunc(name, words) // the flag is there
		}
	}
	if c.ValidArgsFunction != nil || c.HasSubCommands() {
		return
	}
	used := strings.Fields(c.Use)[1:]
	c.ValidArgsFunction = func(c *cobra.Command, got []string,
		typed string) ([]string, cobra.ShellCompDirective) {
		at := len(got)
		if len(used) > 0 && strings.HasSuffix(used[0], "...") {
			at = 0
		}
		if at >= len(used) || of[used[at]] == nil {
			return nil, cobra.ShellCompDirectiveDefault // a file, perhaps
		}
		return of[used[at]](c, got, typed)
	}
}

// completes makes a completer of what lists words.
func (a *app) completes(words func(context.Context, string) []string) completer {
	return func(c *cobra.Command, _ []string,
		typed string) ([]string, cobra.ShellCompDirective) {
		ctx := c.Context()
		if ctx == nil {
			ctx = context.Background()
		}
		ctx, cancel := context.WithTimeout(ctx, completionTime)
		defer cancel()
		a.stderr = io.Discard
		var found []string
		for _, word := range words(ctx, typed) {
			if strings.HasPrefix(word, typed) {
				found = append(found, word)
			}
		}
		return found, cobra.ShellCompDirectiveNoFileComp
	}
}

// these completes words that are the same everywhere.
func these(words ...string) func(context.Context, string) []string {
	return func(context.Context, string) []string { return words }
}

func wordsOf[T any](all []T) (words []string) {
	for _, one := range all {
		words = append(words, fmt.Sprint(one))
	}
	return words
}

// lineNames asks for the requirements of any day, and tells a name of each with a description.
func (a *app) lineNames(ctx context.Context,
	name func(*projections.LineCoverage) (word, about string)) (words []string) {
	var c projections.Coverage
	if err := a.question(ctx, "coverage", map[string]string{"on": anyDay}, &c); err != nil {
		return nil
	}
	for i := range c.Lines {
		word, about := name(&c.Lines[i])
		if !slices.ContainsFunc(words, func(w string) bool {
			return w == word || strings.HasPrefix(w, word+"\t")
		}) {
			words = append(words, strings.TrimSuffix(word+"\t"+about, "\t"))
		}
	}
	return words
}

func (a *app) operations(ctx context.Context, _ string) []string {
	return a.lineNames(ctx, func(l *projections.LineCoverage) (string, string) {
		return string(l.Operation), ""
	})
}

func (a *app) roles(ctx context.Context, _ string) []string {
	return a.lineNames(ctx, func(l *projections.LineCoverage) (string, string) {
		return string(l.Role), ""
	})
}

func (a *app) lines(ctx context.Context, _ string) []string {
	return a.lineNames(ctx, func(l *projections.LineCoverage) (string, string) {
		return string(l.Line), fmt.Sprintf("%s %s of %s", l.Role, l.Supply, l.Required)
	})
}

// nationCodes are those of all nations, and of the organisations that have pledged something.
func (a *app) nationCodes(ctx context.Context, _ string) (words []string) {
	for _, n := range events.Nations() {
		words = append(words, string(n)+"\t"+n.Name())
	}
	var there projections.Nations
	if err := a.question(ctx, "nations", map[string]string{"on": anyDay}, &there); err != nil {
		return words
	}
	for _, n := range there.Nations {
		if n.Nation.IsOrganisation() {
			words = append(words, string(n.Nation)+"\t"+n.Name)
		}
	}
	return words
}

// pledgeIDs asks for the pledges with what was typed in their ids.
func (a *app) pledgeIDs(ctx context.Context, typed string) (words []string) {
	var list projections.PledgeList
	if err := a.question(ctx, "pledges",
		map[string]string{"id": strings.ToUpper(typed), "limit": "100"}, &list); err != nil {
		return nil
	}
	for _, p := range list.Pledges {
		words = append(words, p.ID.String()+"\t"+string(p.Nation)+", "+web.PledgeSentence(p))
	}
	return words
}
