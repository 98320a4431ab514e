package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// json PATH VALUE: the standard output is JSON, and has this value there. A path is made of members, numbers of elements,
// MEMBER=VALUE for the only element of a list that has it, and len for how many there are, with points between them:
// lines.line=ground-west.supply. What is not there has the value -.
func scriptJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: json PATH VALUE")
	}
	got, err := lookup(ts.ReadFile("stdout"), args[0])
	ts.Check(err)
	if (got == args[1]) == neg {
		ts.Fatalf("%s is %s", args[0], got)
	}
}

// let NAME PATH: gives the environment variable the value that json finds at the path.
func scriptLet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: let NAME PATH")
	}
	value, err := lookup(ts.ReadFile("stdout"), args[1])
	ts.Check(err)
	if value == "-" {
		ts.Fatalf("there is no %s", args[1])
	}
	ts.Setenv(args[0], value)
}

// lookup finds the value at a path in a JSON text, as text.
func lookup(text, path string) (string, error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return "", fmt.Errorf("%w in:\n%s", err, text)
	}
	for _, step := range strings.Split(path, ".") {
		var err error
		if v, err = descend(v, step); err != nil {
			return "", fmt.Errorf("%s: %w in:\n%s", path, err, text)
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

// written is a value as a script writes it: text without quotes, and a list or an object as JSON on one line.
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
