package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/projections"
	"muster/projections/web"
)

// This file finds the pledge that a person means by a part of its id. Every command that takes a
// pledge's id comes here. A part that stands in one id alone, of those that who asks may read, is
// as good as the whole. Which pledge that is is verified where something is signed of it; what is
// signed always has the whole id, and is shown to its signer before, who agrees to it.

// idPart is what can be a part of an id, and leastPart how much of it there must be: less is in one
// id alone by chance, and may be in several tomorrow.
var idPart = regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{1,25}$`)

const leastPart = 4

// partOf returns the part of an id that a text is, "" where it can be none, or is a whole id.
func partOf(text string) string {
	part := strings.ToUpper(strings.Trim(text, "…"))
	if !idPart.MatchString(part) {
		return ""
	}
	return part
}

// hasPart reports whether a text is a part of an id that is long enough.
func hasPart(id events.ID, text string) bool {
	part := partOf(text)
	return len(part) >= leastPart && strings.Contains(id.String(), part)
}

// pledgeID returns the id of the pledge that is meant, from the whole id or a part of it.
func (a *app) pledgeID(ctx context.Context, text string) (events.ID, error) {
	whole, err := a.wholeID(ctx, text, a.askToSign)
	if err != nil {
		return events.ID{}, err
	}
	return events.ParseID(whole)
}

// wholeID returns the whole of an id that was shortened, as copied from a list that cuts it
// ("01KAQ…"), or typed in small letters. What cannot be a part of an id is returned as it is:
// whoever reads it says what is wrong with it.
func (a *app) wholeID(ctx context.Context, text string, ask askFunc) (string, error) {
	part := partOf(text)
	if id, err := events.ParseID(strings.ToUpper(text)); err == nil {
		return id.String(), nil
	}
	switch {
	case part == "":
		return text, nil
	case len(part) < leastPart:
		return "", problem.OfField(problem.Invalid, problem.Field{Location: "id", Value: text,
			Message: fmt.Sprintf("write the whole id, or %d of its characters at least",
				leastPart)})
	}
	like, more, err := a.pledgesLike(ctx, part, ask)
	switch {
	case err != nil:
		return "", err
	case len(like) == 0:
		return "", problem.New(problem.NotFound, "no pledge has %s in its id", part).
			WithHint("list them with: muster pledge list")
	case len(like) > 1:
		return "", severalPledges(part, like, more)
	}
	a.shortened = append(a.shortened, fmt.Sprintf("%s is the pledge %s", text, inShort(like[0])))
	return like[0].ID.String(), nil
}

// pledgesLike asks for the first pledges that have a part in their ids, and whether there are more;
// for those that were struck where there are no others.
func (a *app) pledgesLike(ctx context.Context, part string,
	ask askFunc) (like []projections.Pledge, more bool, err error) {
	for _, state := range []string{"", string(projections.Struck)} {
		var list projections.PledgeList
		err := ask(ctx, "pledges",
			map[string]string{"id": part, "limit": "20", "state": state}, &list)
		like = slices.DeleteFunc(list.Pledges, func(p projections.Pledge) bool {
			return !strings.Contains(p.ID.String(), part)
		})
		if err != nil || len(like) > 0 {
			return like, !list.Next.IsZero(), err
		}
	}
	return nil, false, nil
}

// severalPledges lists the pledges that a part of an id may mean.
func severalPledges(part string, like []projections.Pledge, more bool) error {
	among := english.Several(len(like), "pledge")
	if more {
		among = "more than " + among
	}
	p := usage("%s is in the ids of %s: write more of the one that is meant", part, among)
	for _, one := range like {
		id, what, _ := strings.Cut(inShort(one), " ")
		p.Fields = append(p.Fields, problem.Field{Location: id, Message: what})
	}
	return p
}

// inShort says which pledge it is: its id, its nation, and what it gives.
func inShort(p projections.Pledge) string {
	return fmt.Sprintf("%s of %s in %s, %s", p.ID, p.Whose(), p.Operation,
		web.PledgeSentence(p))
}

// addYes gives each command that signs, and so has a dry run, the flag that agrees beforehand.
func (a *app) addYes(c *cobra.Command) {
	for _, sub := range c.Commands() {
		a.addYes(sub)
	}
	if f := c.Flags(); f.Lookup("dry-run") != nil && f.Lookup("yes") == nil {
		f.BoolVar(&a.yes, "yes", false,
			"agree to what would be signed where an id is shortened or several pledges are "+
				"meant, and do not ask")
	}
}

// agree shows what is about to be signed, and asks on a terminal whether it is meant; elsewhere
// --yes has to say so.
func (a *app) agree(s *speaker, shown []string) error {
	for _, line := range shown {
		fmt.Fprintf(a.stderr, "muster: %s\n", problem.Line(line))
	}
	if a.yes {
		return nil
	}
	const how = "if that is meant, type it again with --yes"
	in, ok := a.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return usage("nothing was signed: nobody has agreed to that").WithHint(how)
	}
	fmt.Fprintf(a.stderr, "muster: sign this as %s? [y/N] ", s.signer.Name())
	answer, err := bufio.NewReader(in).ReadString('\n')
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return err
	}
	return usage("nothing was signed").WithHint(how)
}

// agreeToShortened has the signer agree to a statement in which an id was shortened; a dry run
// only shows it.
func (a *app) agreeToShortened(s *speaker, st events.Statement, dryRun bool) error {
	if len(a.shortened) == 0 {
		return nil
	}
	shown := a.shortened
	a.shortened = nil
	if dryRun {
		for _, line := range shown {
			fmt.Fprintf(a.stderr, "muster: %s\n", problem.Line(line))
		}
		return nil
	}
	text, err := events.Marshal(st)
	if err != nil {
		return err
	}
	return a.agree(s, append(shown, "to be signed: "+string(text)))
}
