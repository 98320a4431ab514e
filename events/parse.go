package events

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"

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

// Parse reads the text of a statement, strictly: one line of JSON in valid UTF-8, no duplicate or
// unknown members, no null, no trailing data, nothing nested deeper than MaxDepth, and every field
// within its bounds.
//
// The error is a [problem.Problem]: of kind TooLarge or Syntax for what is not well formed, of kind
// Invalid, with all the fields that are wrong, for the rest. Parse does not say whether the
// statement may be made: that is for package ledger/rules.
func Parse(text []byte) (Statement, error) {
	if err := oneLine(text); err != nil {
		return nil, err
	}
	c := &checker{}
	s, ok := parseUsual(text)
	if !ok {
		var err error
		if s, err = c.parse(text); err != nil {
			return nil, err
		}
	}
	s.check(c)
	if err := problem.OfFields(c.fields); err != nil {
		return nil, err
	}
	return s, nil
}

// parseUsual reads what nearly all statements are, JSON that begins with the type as Marshal writes
// it, in one pass. It says false of all that it does not read, and takes nothing that parse would
// not take: the library refuses what is not well formed, names that are there twice or unknown, and
// with them what is nested too deeply; but it takes null for nothing.
func parseUsual(text []byte) (s Statement, ok bool) {
	rest, ok := bytes.CutPrefix(text, []byte(`{"type":"`))
	if !ok || bytes.Contains(text, []byte("null")) {
		return nil, false
	}
	typ, _, _ := bytes.Cut(rest, []byte(`"`))
	if s, ok = NewStatement(Type(typ)); !ok {
		return nil, false
	}
	return s, json.Unmarshal(text, s, strict) == nil
}

// parse reads any statement, and tells all that is wrong with it.
func (c *checker) parse(text []byte) (Statement, error) {
	if err := wellNested(text); err != nil {
		return nil, err
	}
	typ, err := typeOf(text)
	if err != nil {
		return nil, err
	}
	s, _ := NewStatement(typ)
	// The JSON library reads null as nothing and stops at the first error. What it refuses, or
	// might have read too kindly, is read member by member, so that everything that is wrong is
	// told at once.
	if err := json.Unmarshal(text, s, strict); err != nil || bytes.Contains(text, []byte("null")) {
		s, _ = NewStatement(typ)
		c.decode("", text, reflect.ValueOf(s).Elem())
	}
	return s, nil
}

// Marshal writes a statement as one line of JSON, checked as Parse checks it.
func Marshal(s Statement) ([]byte, error) {
	c := &checker{}
	typ := s.Head().Type
	if made, ok := NewStatement(typ); !ok || reflect.TypeOf(made) != reflect.TypeOf(s) {
		c.field("type", string(typ), "does not name the kind of statement that this is, %T", s)
	}
	s.check(c)
	if err := problem.OfFields(c.fields); err != nil {
		return nil, err
	}
	text, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", typ, err)
	}
	if len(text) > MaxBytes {
		return nil, tooLarge(len(text))
	}
	return text, nil
}

// typeOf reads the type of a well-formed statement, and nothing else of it.
func typeOf(text []byte) (Type, error) {
	var head struct {
		Type Type `json:"type"`
	}
	c := &checker{}
	switch err := json.Unmarshal(text, &head); {
	case err != nil:
		c.field("type", "", `write the kind of statement as text in quotes, such as "pledge.offered"`)
	case head.Type == "":
		c.field("type", "", `missing: write the kind of statement, such as "pledge.offered"`)
	default:
		if _, ok := NewStatement(head.Type); !ok {
			c.field("type", string(head.Type), "not a kind of statement that is known here: %s",
				nearTypes(head.Type))
		}
	}
	return head.Type, problem.OfFields(c.fields)
}

// nearTypes tells the known types that share a subject with t, or else one of them all.
func nearTypes(t Type) string {
	var near []string
	t = Type(strings.ToLower(string(t)))
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
