package events

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"muster/events/problem"
)

// Limits of a signed statement, as it is sent.
const (
	// MaxBytes is the most bytes that a signed statement may have.
	MaxBytes = 32 << 10
	// MaxDepth is how deeply its JSON may be nested.
	MaxDepth = 16
)

var strict = json.RejectUnknownMembers(true)

// Parse reads the text of a statement, strictly: one line of JSON in valid UTF-8, no duplicate or unknown members, no
// trailing data, nothing nested deeper than MaxDepth, and every field within its bounds.
//
// The error is a [problem.Problem]: of kind Syntax for what is not well formed, of kind Invalid, with all the fields that
// are wrong, for the rest. Parse does not say whether the statement may be made: that is for package ledger.
func Parse(text []byte) (Statement, error) {
	if err := wellFormed(text); err != nil {
		return nil, err
	}
	var head struct {
		Type Type           `json:"type"`
		Rest jsontext.Value `json:",unknown"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, problem.OfFields([]problem.Field{{Location: "type", Message: `missing or no text: write the kind of statement, such as "pledge.offered"`}})
	}
	s, ok := NewStatement(head.Type)
	if !ok {
		return nil, problem.OfFields([]problem.Field{{Location: "type", Value: shorten(string(head.Type)),
			Message: "no kind of statement that is known here: " + nearTypes(head.Type)}})
	}
	c := &checker{}
	if err := json.Unmarshal(text, s, strict); err != nil {
		memberByMember(c, text, s)
		if len(c.fields) == 0 { // the members are right one by one, and yet not together
			return nil, problem.New(problem.Syntax, "the statement is not well formed: %w", err)
		}
	}
	s.check(c)
	if err := problem.OfFields(c.fields); err != nil {
		return nil, err
	}
	return s, nil
}

// Marshal writes a statement as one line of JSON, checked as Parse checks it.
func Marshal(s Statement) ([]byte, error) {
	c := &checker{}
	s.check(c)
	if err := problem.OfFields(c.fields); err != nil {
		return nil, err
	}
	return json.Marshal(s)
}

// nearTypes tells the known types that share a subject with t, or else all subjects.
func nearTypes(t Type) string {
	var near []string
	for _, k := range kinds {
		if k.typ.Subject() == t.Subject() {
			near = append(near, string(k.typ))
		}
	}
	if near == nil {
		return `write one such as "pledge.offered"`
	}
	return "write one of " + strings.Join(near, ", ")
}

// wellFormed checks what does not depend on the kind of statement.
func wellFormed(text []byte) error {
	syntax := func(format string, args ...any) error { return problem.New(problem.Syntax, format, args...) }
	switch {
	case len(text) > MaxBytes:
		return problem.New(problem.TooLarge, "the statement has %d bytes: at most %d are taken", len(text), MaxBytes)
	case len(bytes.TrimSpace(text)) == 0:
		return syntax("there is no statement: it is empty")
	case !utf8.Valid(text):
		return syntax("the statement is not valid UTF-8 at byte %d", firstInvalid(text))
	case bytes.ContainsAny(text, "\n\r"):
		return syntax("the statement must be one line of JSON: write a line break in a text as \\n")
	}
	dec := jsontext.NewDecoder(bytes.NewReader(text))
	for first := true; ; first = false {
		token, err := dec.ReadToken()
		switch {
		case errors.Is(err, io.EOF) && !first:
			return nil
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return syntax("the statement ends in the middle of its JSON")
		case errors.Is(err, jsontext.ErrDuplicateName):
			return syntax("the member %q is there twice", dec.StackPointer().LastToken())
		case err != nil:
			return syntax("the statement is not well-formed JSON at byte %d: %w", dec.InputOffset(), err)
		case first && token.Kind() != '{':
			return syntax("the statement must be a JSON object, {…}")
		case !first && dec.StackDepth() == 0 && token.Kind() != '}':
			return syntax("there is more after the statement's end")
		case dec.StackDepth() > MaxDepth:
			return syntax("the statement is nested deeper than %d", MaxDepth)
		}
		if dec.StackDepth() == 0 && len(bytes.TrimSpace(text[dec.InputOffset():])) > 0 {
			return syntax("there is more after the statement's end, at byte %d", dec.InputOffset())
		}
	}
}

func firstInvalid(text []byte) int {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(text)
}

// memberByMember decodes again, each member by itself, so that every one that is wrong is found and not only the first.
func memberByMember(c *checker, text []byte, s Statement) {
	known := map[string]reflect.Value{}
	membersOf(reflect.ValueOf(s).Elem(), known)
	dec := jsontext.NewDecoder(bytes.NewReader(text))
	if _, err := dec.ReadToken(); err != nil {
		return
	}
	for dec.PeekKind() == '"' {
		name, _ := dec.ReadToken()
		location := name.String()
		value, err := dec.ReadValue()
		if err != nil {
			return
		}
		field, ok := known[location]
		if !ok {
			c.field(shorten(location), "", "no member of %s: %s", s.Head().Type, unknownRemedy(location, known))
			continue
		}
		if err := json.Unmarshal(value, field.Addr().Interface(), strict); err != nil {
			at, why := explain(location, err)
			c.field(at, string(value), "%s", why)
		}
	}
}

func unknownRemedy(name string, known map[string]reflect.Value) string {
	for k := range known {
		if strings.EqualFold(k, name) {
			return fmt.Sprintf("write it in lower case, %q, and once", k)
		}
	}
	return "leave it out"
}

// membersOf collects the JSON members of a struct, those of embedded structs included.
func membersOf(v reflect.Value, into map[string]reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			membersOf(v.Field(i), into)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		into[name] = v.Field(i)
	}
}

// explain turns a decoding error into a location and a sentence, without the words of the JSON library.
func explain(location string, err error) (at, why string) {
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return location, err.Error()
	}
	if inner := strings.TrimPrefix(string(semantic.JSONPointer), "/"); inner != "" {
		location += "." + strings.ReplaceAll(inner, "/", ".")
	}
	switch {
	case errors.Is(err, json.ErrUnknownName):
		return location, "is not known here: leave it out"
	case semantic.Err != nil && semantic.GoType != nil && semantic.GoType.PkgPath() != "":
		return location, semantic.Err.Error()
	}
	want := "another kind of value"
	if t := semantic.GoType; t != nil {
		switch t.Kind() {
		case reflect.Int, reflect.Int64:
			want = "a whole number"
		case reflect.String:
			want = "text in quotes"
		case reflect.Bool:
			want = "true or false"
		case reflect.Slice:
			want = "a list, […]"
		case reflect.Struct:
			want = "an object, {…}"
		}
	}
	return location, "write " + want
}
