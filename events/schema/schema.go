// Package schema describes statements to machines: a JSON Schema (draft 2020-12) for each kind, and
// an AsyncAPI 3.0 document of the stream and the service, made from the Go types of package events.
//
// Whatever [events.Parse] accepts is valid against the schema of its type. The schemas cannot say
// all that Parse asks for: that a window does not end before it begins, that a renewal does not
// expire before it holds, that a pledge's successor is not its predecessor, that money goes with a
// currency and a count with a unit, that a number is written without fraction or exponent, that a
// key's hash is its own and its name fits who it speaks for, that a title is more than white space
// beyond ASCII, that no two roles of a catalogue are the same, that a statement has at most
// [events.MaxBytes] bytes on one line, and that no member is there twice. And neither knows the
// rules of a ledger, which say when a statement may be made.
package schema

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"muster/events"
)

// dialect is that of JSON Schema.
const dialect = "https://json-schema.org/draft/2020-12/schema"

// object is a JSON object with its members in any order.
type object = map[string]any

// Of returns the schema of a type of statement, as indented JSON. The error names a Go type that no
// schema is known for, or a type of statement that is not there.
func Of(t events.Type) ([]byte, error) {
	s, err := of(t)
	if err != nil {
		return nil, err
	}
	s["$schema"], s["$defs"] = dialect, defs()
	return json.MarshalIndent(s, "", "  ")
}

// All returns one document with the schemas of all types of statements: under $defs by their types,
// and any of them at its root.
func All() ([]byte, error) {
	all, kinds := defs(), []any{}
	for _, t := range events.Types() {
		s, err := of(t)
		if err != nil {
			return nil, err
		}
		all[string(t)] = s
		kinds = append(kinds, ref(string(t)))
	}
	return json.MarshalIndent(object{"$schema": dialect, "title": "A statement of a Muster ledger",
		"oneOf": kinds, "$defs": all}, "", "  ")
}

func of(t events.Type) (object, error) {
	st, ok := events.NewStatement(t)
	if !ok {
		return nil, fmt.Errorf("there is no statement %q", t)
	}
	s, err := structSchema(reflect.TypeOf(st).Elem())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t, err)
	}
	s["title"], s["description"] = string(t), events.Meaning(t)
	s["properties"].(object)["type"] = object{"const": string(t)}
	switch t {
	case "scope.declared":
		s["oneOf"] = []any{
			object{"required": []string{"roles"},
				"properties": object{"roles": object{"minItems": 1},
					"unlimited": object{"const": false}}},
			object{"required": []string{"unlimited"},
				"properties": object{"unlimited": object{"const": true},
					"roles": object{"maxItems": 0}}},
		}
	case "pledge.corrected":
		struck := object{"required": []string{"struck"},
			"properties": object{"struck": object{"const": true}}}
		s["not"] = object{"anyOf": []any{object{"required": []string{"terms", "strength"}},
			object{"allOf": []any{struck,
				object{"anyOf": []any{object{"required": []string{"terms"}},
					object{"required": []string{"strength"}}}}}}}}
	}
	return s, nil
}

// structSchema returns the schema of a struct: its members, those of embedded structs among them,
// and no others.
func structSchema(t reflect.Type) (object, error) {
	properties, required := object{}, []string{}
	if err := members(t, t, properties, &required); err != nil {
		return nil, err
	}
	return object{"type": "object", "properties": properties, "required": required,
		"additionalProperties": false}, nil
}

func members(whole, t reflect.Type, properties object, required *[]string) error {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			if err := members(whole, f.Type, properties, required); err != nil {
				return err
			}
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		optional := strings.Contains(options, "omitzero")
		s, err := memberSchema(t, name, f.Type, optional)
		if err != nil {
			return err
		}
		properties[name] = s
		if !optional {
			*required = append(*required, name)
		}
	}
	return nil
}
