// Package strictyaml reads the small files that people write for Muster, in YAML or JSON, and never
// guesses what they meant: a key that is not known, a key that is there twice, an alias or a second
// document is a fault, not a surprise.
//
// A [File] gathers every fault with its place in the file and its line, so that the writer mends
// them all at once. A [Value] is one place of the file, whether something stands there or not; what
// it reads from it is text, exactly as written, which the caller gives its meaning. So 1200,
// 2026-03-01 and 2500000.00 are never rounded on the way.
package strictyaml

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"muster/events/phrase"
	"muster/events/problem"
)

// A File is one file that is being read, with the faults that were found so far.
type File struct {
	name   string
	lines  map[string]int // the line of every place that was looked at and is there
	faults []fault
	told   map[string]bool // the places of the faults
}

type fault struct {
	line  int
	field problem.Field
}

// Open reads a file that holds one document, and returns its top. The name is for the faults.
// What is no YAML at all is a [problem.Problem] of kind Syntax.
func Open(name string, data []byte) (*File, Value, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if err := plainText(name, data); err != nil {
		return nil, Value{}, err
	}
	top, err := oneDocument(name, spaceJSON(data))
	if err != nil {
		return nil, Value{}, err
	}
	f := &File{name: name, lines: map[string]int{"": top.Line},
		told: map[string]bool{}}
	return f, Value{f, top, ""}, nil
}

func oneDocument(name string, data []byte) (*yaml.Node, error) {
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	var document, second yaml.Node
	switch err := loader.Load(&document); {
	case errors.Is(err, io.EOF), err == nil && len(document.Content) == 0:
		return nil, problem.New(problem.Syntax, "%s holds nothing but comments", name)
	case err != nil:
		return nil, notYAML(name, err)
	}
	switch err := loader.Load(&second); {
	case errors.Is(err, io.EOF):
		return document.Content[0], nil
	case err != nil:
		return nil, notYAML(name, err)
	}
	return nil, problem.New(problem.Syntax, "%s holds a second document from line %d on: leave one",
		name, second.Line)
}

func plainText(name string, data []byte) error {
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return problem.New(problem.Syntax, "%s is empty", name)
	case bytes.IndexByte(data, 0) >= 0 || !utf8.Valid(data):
		return problem.New(problem.Syntax, "%s is no text in UTF-8", name).
			WithHint("save it as UTF-8 text")
	}
	return nil
}

// spaceJSON turns the tabs between the tokens of JSON, which YAML would not take as indentation,
// into spaces. There are no others: within a text JSON writes a tab as \t.
func spaceJSON(data []byte) []byte {
	if !json.Valid(data) {
		return data
	}
	return bytes.ReplaceAll(data, []byte("\t"), []byte(" "))
}

func notYAML(name string, err error) error {
	var one *yaml.LoadError
	if !errors.As(err, &one) || one.Mark.Line == 0 {
		return problem.New(problem.Syntax, "%s is neither YAML nor JSON: %w", name, err)
	}
	return problem.New(problem.Syntax, "%s is neither YAML nor JSON: line %d: %s", name,
		one.Mark.Line, one.Message).
		WithHint("mend it there; a text that holds a colon and a space needs quotes")
}

// FaultAt records that what stands at a location is wrong. The first fault of a place is the one
// that is told. When nothing stands there, the line is that of what should hold it.
func (f *File) FaultAt(location, value, format string, args ...any) {
	f.FaultSaid(location, value, phrase.Of(format, args...))
}

// FaultSaid is [File.FaultAt] with a message that is made already.
func (f *File) FaultSaid(location, value string, message phrase.Phrase) {
	if f.told[location] {
		return
	}
	f.told[location] = true
	line := f.line(location)
	if line > 0 {
		message = phrase.Of("%s (line %d)", message, line)
	}
	at := phrase.Verbatim(location)
	if location == "" {
		at = phrase.Of("the whole file")
	}
	f.faults = append(f.faults, fault{line, problem.FieldAt(at, value, message)})
}

// line returns the line of a place, or of the nearest place around it that is there.
func (f *File) line(location string) int {
	for location != "" {
		if line, ok := f.lines[location]; ok {
			return line
		}
		location = location[:max(strings.LastIndexAny(location, ".["), 0)]
	}
	return f.lines[""]
}

// Err returns all the faults as one [problem.Problem] of kind Invalid, in the order of their lines,
// or nil.
func (f *File) Err() error {
	slices.SortStableFunc(f.faults, func(a, b fault) int { return cmp.Compare(a.line, b.line) })
	fields := make([]problem.Field, len(f.faults))
	for i, found := range f.faults {
		fields[i] = found.field
	}
	err := problem.OfFields(fields)
	if err == nil {
		return nil
	}
	return problem.From(err).In(f.name)
}
