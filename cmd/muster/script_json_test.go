package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// json STEP... VALUE: the standard output is JSON, and has this value at the end of these steps. A
// step is a member, the number of an element, MEMBER=VALUE for the only element of a list that has
// it, or len for how many there are: json lines line=ground-west supply 6000. What is not there has
// the value -. With -stderr first, it is the standard error.
func scriptJSON(ts *testscript.TestScript, neg bool, args []string) {
	from := "stdout"
	if len(args) > 0 && args[0] == "-stderr" {
		from, args = "stderr", args[1:]
	}
	if len(args) < 2 {
		ts.Fatalf("usage: json [-stderr] STEP... VALUE")
	}
	path, want := args[:len(args)-1], args[len(args)-1]
	got, err := lookup(ts.ReadFile(from), path)
	ts.Check(err)
	if (got == want) == neg {
		ts.Fatalf("%s is %s", strings.Join(path, " "), got)
	}
}

// let NAME STEP...: gives the environment variable the value that json finds at the end of these
// steps.
func scriptLet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: let NAME STEP...")
	}
	value, err := lookup(ts.ReadFile("stdout"), args[1:])
	ts.Check(err)
	if value == "-" {
		ts.Fatalf("there is no %s", strings.Join(args[1:], " "))
	}
	ts.Setenv(args[0], value)
}

// lookup finds the value at the end of some steps into a JSON text, as text.
func lookup(text string, path []string) (string, error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return "", fmt.Errorf("%w in:\n%s", err, text)
	}
	for _, step := range path {
		var err error
		if v, err = descend(v, step); err != nil {
			return "", fmt.Errorf("%s: %w in:\n%s", strings.Join(path, " "), err, text)
		}
	}
	return written(v)
}

func descend(v any, step string) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		return v[step], nil // nil when it is not there
	case []any:
		return element(v, step)
	case nil:
		return nil, nil
	}
	return nil, fmt.Errorf("there is nothing below %v for %s", v, step)
}

func element(list []any, step string) (any, error) {
	if step == "len" {
		return json.Number(strconv.Itoa(len(list))), nil
	}
	if i, err := strconv.Atoi(step); err == nil && i < len(list) {
		return list[i], nil
	}
	name, value, ok := strings.Cut(step, "=")
	if !ok {
		return nil, fmt.Errorf("there is no element %s", step)
	}
	var found []any
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			if got, err := written(m[name]); err == nil && got == value {
				found = append(found, e)
			}
		}
	}
	switch len(found) {
	case 0:
		return nil, nil
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("%d elements have %s", len(found), step)
}

// written is a value as a script writes it: text without quotes, and a list or an object as JSON on
// one line.
func written(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "-", nil
	case string:
		return v, nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return strings.TrimSpace(b.String()), err
}
