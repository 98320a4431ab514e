package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"muster/events/problem"
)

// exitWith is an error that only sets the exit code: all there is to say was said.
type exitWith int

func (e exitWith) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// usage makes the error of a command line that cannot be understood.
func usage(format string, args ...any) *problem.Problem {
	return problem.New(problem.Usage, format, args...)
}

// report tells an error to a person, or as problem+json when JSON was asked for, and returns the exit code.
// The rules: one line "muster: error: …" without a capital or a full stop, a line for each wrong field when there are
// several, and a line "muster: hint: …" with what to do next.
func report(err error, asJSON bool, stderr io.Writer) int {
	var exit exitWith
	if errors.As(err, &exit) {
		return int(exit)
	}
	p := problem.From(err)
	if asJSON {
		if data, encoded := json.Marshal(p); encoded == nil {
			fmt.Fprintf(stderr, "%s\n", data)
			return p.Kind.Exit
		}
	}
	fmt.Fprintf(stderr, "muster: error: %s\n", p.Detail)
	if len(p.Fields) > 1 {
		for _, f := range p.Fields {
			fmt.Fprintf(stderr, "muster: error:   %s\n", f)
		}
	}
	if p.Hint != "" {
		fmt.Fprintf(stderr, "muster: hint: %s\n", p.Hint)
	}
	return p.Kind.Exit
}
