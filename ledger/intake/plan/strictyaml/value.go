package strictyaml

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"muster/events/phrase"
)

// A Value is one place of a file. The zero Value, and what is null, stand for a place with nothing
// in it: it has no members, no items and no text, and it is no fault by itself.
type Value struct {
	file *File
	node *yaml.Node
	at   string
}

// Given reports whether anything stands here.
func (v Value) Given() bool { return v.node != nil && v.node.ShortTag() != "!!null" }

// At returns the place, such as "requirements[2].quantity".
func (v Value) At() string { return v.at }

// Fault records that what stands here is wrong. The message says what to write instead.
func (v Value) Fault(format string, args ...any) {
	if v.file == nil {
		return
	}
	value := ""
	if v.node != nil && v.node.Kind == yaml.ScalarNode {
		value = v.node.Value
	}
	v.file.FaultAt(v.at, value, format, args...)
}

// Members returns the members of a mapping by their keys. Every key must be known, and there once.
func (v Value) Members(known ...string) map[string]Value {
	members := map[string]Value{}
	v.each(func(key string, member Value) {
		if !slices.Contains(known, key) {
			member.file.FaultAt(member.at, "", "unknown key: the keys here are %s",
				strings.Join(known, ", "))
			return
		}
		members[key] = member
	})
	return members
}

// Entries returns the members of a mapping whose keys are free, in the order of the file. None may
// be there twice.
func (v Value) Entries() []Entry {
	var all []Entry
	v.each(func(key string, member Value) { all = append(all, Entry{key, member}) })
	return all
}

// An Entry is a key that the writer of the file chose, and what belongs to it.
type Entry struct {
	Key string
	Value
}

func (v Value) each(found func(key string, member Value)) {
	if !v.is(yaml.MappingNode, "write keys and values, such as `title: …`") {
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		name, node := v.node.Content[i], v.node.Content[i+1]
		member := Value{v.file, node, v.inside(name.Value)}
		if name.Kind != yaml.ScalarNode {
			v.Fault("a key must be one word (line %d)", name.Line)
			continue
		}
		if seen[name.Value] {
			member.file.FaultAt(member.at+" again", "",
				"the key is there twice, the second time in line %d: leave one", name.Line)
			continue
		}
		seen[name.Value] = true
		v.file.lines[member.at] = name.Line
		found(name.Value, member)
	}
}

func (v Value) inside(key string) string {
	if v.at == "" {
		return key
	}
	return v.at + "." + key
}

// Items returns the items of a list.
func (v Value) Items() []Value {
	if !v.is(yaml.SequenceNode, "write a list, [a, b] or lines that begin with `- `") {
		return nil
	}
	items := make([]Value, len(v.node.Content))
	for i, node := range v.node.Content {
		items[i] = Value{v.file, node, fmt.Sprintf("%s[%d]", v.at, i)}
		v.file.lines[items[i].at] = node.Line
	}
	return items
}

// OneOrMore returns the items of a list, or what stands here alone, which is a list of one.
func (v Value) OneOrMore() []Value {
	switch {
	case !v.Given():
		return nil
	case v.node.Kind == yaml.SequenceNode:
		return v.Items()
	}
	return []Value{v}
}

// Texts returns a text, or the texts of a list.
func (v Value) Texts() []string {
	var all []string
	for _, one := range v.OneOrMore() {
		if text := one.Text(); text != "" {
			all = append(all, text)
		}
	}
	return all
}

// IsText reports whether one text, number or date stands here.
func (v Value) IsText() bool { return v.Given() && v.node.Kind == yaml.ScalarNode }

// Text returns the text, number or date that stands here, as written, without white space around
// it.
func (v Value) Text() string {
	if !v.is(yaml.ScalarNode, "write one value, not a list or keys") {
		return ""
	}
	return strings.TrimSpace(v.node.Value)
}

// Raw is Text with the white space around it, which may be what is meant.
func (v Value) Raw() string {
	if !v.is(yaml.ScalarNode, "write one value, not a list or keys") {
		return ""
	}
	return v.node.Value
}

// Parsed returns what parse makes of the text that stands here. It is the zero T when nothing
// stands here, and when parse refuses the text, which is recorded as a fault.
func Parsed[T any](v Value, parse func(string) (T, error)) T {
	var zero T
	text := v.Text()
	if text == "" {
		return zero
	}
	parsed, err := parse(text)
	if err != nil {
		v.Fault("%s", err)
		return zero
	}
	return parsed
}

// is reports whether a value of that kind stands here, and records the remedy when one of another
// kind does.
func (v Value) is(kind yaml.Kind, remedy phrase.Text) bool {
	switch {
	case !v.Given():
		return false
	case v.node.Kind == yaml.AliasNode:
		v.file.FaultAt(v.at, "*"+v.node.Value, "aliases are not taken: write it out")
		return false
	case v.node.Kind != kind:
		v.Fault("%s", remedy)
		return false
	}
	return true
}
