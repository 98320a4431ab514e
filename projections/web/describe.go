package web

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// Over NATS every question says by itself what it takes and answers: the metadata of its endpoint
// (ADR-32) has the JSON Schema of both, made from the same types and the same reading of parameters
// as the API's document.

// A Description is what a question takes and answers, as JSON Schema.
type Description struct {
	Name, Summary     string
	Request, Response json.RawMessage
}

// Descriptions describes every question, in the order of their table.
func Descriptions() []Description {
	all := []Description{}
	for _, q := range questions {
		all = append(all, Description{q.name, q.summary, json.RawMessage(requestSchema(q.takes)),
			json.RawMessage(responseSchema(q.gives))})
	}
	return all
}

// metadata describes the question's endpoint of the micro service.
func (q *question) metadata() map[string]string {
	return map[string]string{"description": q.summary,
		"request_schema": requestSchema(q.takes), "response_schema": responseSchema(q.gives)}
}

// Metadata describes an endpoint of the micro service that takes nothing, and is no question.
func Metadata(summary string, gives reflect.Type) map[string]string {
	return map[string]string{"description": summary,
		"request_schema": requestSchema(nil), "response_schema": responseSchema(gives)}
}

// requestSchema returns the schema of a request: an object of the parameters, each text or a
// number.
func requestSchema(takes []*huma.Param) string {
	properties, required := map[string]any{}, []string{}
	for _, p := range takes {
		property := map[string]any{"description": p.Description,
			"type": []string{"string", "number"}}
		if p.Schema.Pattern != "" {
			property["pattern"] = p.Schema.Pattern
		}
		if len(p.Schema.Enum) > 0 {
			property["enum"] = p.Schema.Enum
		}
		properties[p.Name] = property
		if p.Required {
			required = append(required, p.Name)
		}
	}
	return schemaText(map[string]any{"$schema": jsonSchema, "type": "object",
		"properties": properties, "required": required, "additionalProperties": false})
}

// jsonSchema is the dialect.
const jsonSchema = "https://json-schema.org/draft/2020-12/schema"

// answers are the schemas of all answers that were asked for, and of what they are made of: each is
// made once, since a server that starts asks for those of all its questions.
var answers = struct {
	sync.Mutex
	all   huma.Registry
	texts map[string]json.RawMessage // by name
}{texts: map[string]json.RawMessage{}}

const definitions = "#/$defs/"

// made finds the schemas that one names.
var made = regexp.MustCompile(`"` + regexp.QuoteMeta(definitions) + `([^"]+)"`)

// responseSchema returns the schema of an answer, with those that it is made of.
func responseSchema(answer reflect.Type) string {
	answers.Lock()
	defer answers.Unlock()
	if answers.all == nil {
		answers.all = huma.NewMapRegistry(definitions, huma.DefaultSchemaNamer)
		DescribeWords(answers.all)
	}
	root := answers.all.Schema(answer, true, answer.Name())
	neverNull(answers.all)
	parts := map[string]json.RawMessage{}
	for names := []string{strings.TrimPrefix(root.Ref, definitions)}; len(names) > 0; {
		name := names[len(names)-1]
		names = names[:len(names)-1]
		if parts[name] != nil {
			continue
		}
		if answers.texts[name] == nil {
			answers.texts[name] = json.RawMessage(schemaText(answers.all.Map()[name]))
		}
		parts[name] = answers.texts[name]
		for _, found := range made.FindAllSubmatch(parts[name], -1) {
			names = append(names, string(found[1]))
		}
	}
	return schemaText(map[string]any{"$schema": jsonSchema, "$ref": root.Ref, "$defs": parts})
}

func schemaText(schema any) string {
	text, err := json.Marshal(schema)
	if err != nil {
		return "{}"
	}
	return string(text)
}
