package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"muster/events/problem"
)

// exitWith is an error that only sets the exit code: all there is to say was said.
type exitWith int

func (e exitWith) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// usage makes the error of a command line that cannot be understood.
func usage(format string, args ...any) *problem.Problem {
	return problem.New(problem.Usage, format, args...)
}

// typedCommand finds the commands in what is said to people: each stands after a colon or a
// semicolon, up to the next semicolon or the end, or between backticks.
var typedCommand = regexp.MustCompile("(: |; |`)muster ([a-z-][^;`\n]*)")

// local are the commands that ask no server.
var local = []string{"serve", "trust", "demo", "key", "receipt", "verify", "help", "sign", "schema",
	"restore", "found"}

// reaching are the flags that say which server is meant, and how it is reached. Who signs is not
// among them: what is to be done next may be for another to do.
var reaching = []string{"url", "ca", "nats", "nats-context", "nats-ca", "nats-creds", "nats-nkey",
	"nats-cert", "nats-key", "nats-inbox", "data"}

// addressed gives the commands in a hint the flags that named the server, so that they go to the
// same one when they are typed as they stand.
func (a *app) addressed(root *cobra.Command, err error) error {
	p := problem.From(err)
	var flags string
	for _, name := range reaching {
		if f := root.PersistentFlags().Lookup(name); f.Changed {
			flags += " --" + name + " " + shellWord(f.Value.String())
		}
	}
	if flags == "" || p == nil || p.Hint == "" {
		return err
	}
	return p.WithHint("%s", typedCommand.ReplaceAllStringFunc(p.Hint, func(found string) string {
		parts := typedCommand.FindStringSubmatch(found)
		name, _, _ := strings.Cut(parts[2], " ")
		if slices.Contains(local, name) || strings.Contains(parts[2], "--help") {
			return found
		}
		return parts[1] + "muster" + flags + " " + parts[2]
	}))
}

// asTyped tells the fields of a refusal as they were typed: releasable_to[1] as --releasable-to.
// What is no flag of the command stays as it is, such as a field of a statement in a file.
func asTyped(c *cobra.Command, err error) error {
	p := problem.Of(err)
	if p == nil || len(p.Fields) == 0 {
		return err
	}
	q := *p
	q.Fields = slices.Clone(p.Fields)
	for i := range q.Fields {
		was := q.Fields[i].String()
		q.Fields[i].Location = typedField(c, q.Fields[i].Location)
		if q.Detail == was {
			q.Detail = q.Fields[i].String()
		}
	}
	return &q
}

// otherFlags are the flags that have another name than the field that they fill in.
var otherFlags = map[string]string{"struck": "strike", "strength": "quantity", "least": "quantity",
	"most": "quantity"}

// typedField returns the flag of a command that fills in a field, and the field where there is
// none.
func typedField(c *cobra.Command, location string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(location, "terms."), "[")
	name = cmp.Or(otherFlags[name], strings.ReplaceAll(name, "_", "-"))
	every := c.InheritedFlags().Lookup(name)
	ofEvery := location == "not_after" && every != nil && every.Changed
	if c.LocalNonPersistentFlags().Lookup(name) == nil && !ofEvery {
		return location
	}
	return "--" + name
}

var plainWord = regexp.MustCompile(`^[\w@%+=:,./-]+$`)

// shellWord writes a word as a shell reads it back.
func shellWord(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// report tells an error to a person, or as problem+json when JSON was asked for, and returns the
// exit code. The rules: one line "muster: error: …" without a capital or a full stop, a line for
// each wrong field when there are several, and a line "muster: hint: …" with what to do next.
func report(err error, machine bool, stderr io.Writer) int {
	var exit exitWith
	if errors.As(err, &exit) {
		return int(exit)
	}
	p := problem.From(err)
	if machine {
		if data, encoded := json.Marshal(p); encoded == nil {
			fmt.Fprintf(asJSON(stderr), "%s\n", data)
			return p.Kind.Exit
		}
	}
	fmt.Fprintf(stderr, "muster: error: %s\n", problem.Line(p.Detail))
	for _, f := range p.Listed() {
		fmt.Fprintf(stderr, "muster: error:   %s\n", problem.Line(f.String()))
	}
	if p.Hint != "" {
		fmt.Fprintf(stderr, "muster: hint: %s\n", p.Hint)
	}
	return p.Kind.Exit
}
