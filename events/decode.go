package events

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"muster/events/phrase"
	"muster/events/problem"
)

// An unread is an error of reading one value that says what to write instead, without repeating the
// value.
type unread struct{ said phrase.Phrase }

func remedy(pattern string, values ...any) error { return &unread{phrase.Of(pattern, values...)} }

func (u *unread) Error() string { return u.said.String() }

// Phrase returns the error as a phrase.
func (u *unread) Phrase() phrase.Phrase { return u.said }

// decode reads well-formed JSON into v, which lies at location, as json.Unmarshal does with the
// option strict, but goes on after an error and takes no null: every value that does not fit is
// told, and the others are read.
func (c *checker) decode(location string, value jsontext.Value, v reflect.Value) {
	kind := value.Kind()
	if kind == 'n' {
		c.field(location, "", "null says nothing: write a value, or leave the member out")
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	_, hasOwn := v.Addr().Interface().(json.UnmarshalerFrom)
	switch {
	case v.Kind() == reflect.Struct && !hasOwn && kind == '{':
		c.decodeMembers(location, value, v)
	case v.Kind() == reflect.Slice && kind == '[':
		c.decodeElements(location, value, v)
	default:
		c.decodeLeaf(location, value, v)
	}
}

func (c *checker) decodeMembers(location string, value jsontext.Value, v reflect.Value) {
	known := map[string]reflect.Value{}
	membersOf(v, known)
	if location != "" {
		location += "."
	}
	dec := jsontext.NewDecoder(bytes.NewReader(value))
	dec.ReadToken() // the brace; the value is known to be well formed
	for dec.PeekKind() == '"' {
		token, _ := dec.ReadToken()
		name := token.String()
		member, _ := dec.ReadValue()
		if field, ok := known[name]; ok {
			c.decode(location+name, member, field)
		} else {
			c.field(location+printable(name), "", "%s", unknownRemedy(name, known))
		}
	}
}

func (c *checker) decodeElements(location string, value jsontext.Value, v reflect.Value) {
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	dec := jsontext.NewDecoder(bytes.NewReader(value))
	dec.ReadToken() // the bracket
	for i := 0; dec.PeekKind() != ']'; i++ {
		element, err := dec.ReadValue()
		if err != nil {
			return
		}
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		c.decode(fmt.Sprintf("%s[%d]", location, i), element, v.Index(i))
	}
}

var wholeNumber = regexp.MustCompile(`^-?[0-9]+$`)

func (c *checker) decodeLeaf(location string, value jsontext.Value, v reflect.Value) {
	err := json.Unmarshal(value, v.Addr().Interface())
	if err == nil {
		return
	}
	shown := string(value)
	if value.Kind() == '"' {
		text, _ := jsontext.AppendUnquote(nil, value)
		shown = string(text)
	}
	var own *unread
	switch want := wanted(v); {
	case errors.As(err, &own):
		c.field(location, shown, "%s", own)
	case want != "a whole number" || value.Kind() != '0':
		c.field(location, shown, "write %s, not %s", want, kindNames[value.Kind()])
	case wholeNumber.Match(value):
		c.field(location, shown, "is too large a number: write a smaller one")
	default:
		c.field(location, shown, "write a whole number")
	}
}

var kindNames = map[jsontext.Kind]phrase.Text{
	'"': "text", '0': "a number", 't': "true or false", 'f': "true or false", '{': "an object",
	'[': "a list",
}

// wanted says what kind of JSON value v is read from.
func wanted(v reflect.Value) phrase.Text {
	if _, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return "text in quotes"
	}
	switch v.Kind() {
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list, […]"
	case reflect.Struct:
		return "an object, {…}"
	}
	return "text in quotes"
}

// printable keeps the name of an unknown member from writing anything but a name to a terminal, and
// from being taken for the place of another member.
func printable(name string) string {
	if problem.Name(name) == name && !strings.ContainsAny(name, " .[]") {
		return name
	}
	return strconv.QuoteToGraphic(problem.Shorten(name))
}

func unknownRemedy(name string, known map[string]reflect.Value) phrase.Phrase {
	for k := range known {
		if strings.EqualFold(k, name) {
			return phrase.Of("unknown: write it once, in lower case, as %q", k)
		}
	}
	if r, ok := foreign(name); ok {
		return phrase.Of("unknown: the name holds %q (%U), which is none of the letters a to z",
			r, r)
	}
	return phrase.Of("unknown: no such member is known here, so leave it out")
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
