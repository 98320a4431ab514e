package schema

import (
	"encoding/json"
	"fmt"
	"strings"

	"muster/events"
)

// A Question is an endpoint of the micro service that is asked with a request and answers: both are
// JSON, of the schemas given.
type Question struct {
	Name, Summary     string
	Request, Response json.RawMessage
}

// AsyncAPI returns an AsyncAPI 3.0.0 document: the stream's subjects with a message for each type
// of statement, the subjects on which servers tell what was recorded, with the JSON Schema of their
// messages, the endpoints that take statements, and the questions. Version is that of the program.
// The payload of a record is text (an envelope line, and a signed note), so each message carries
// the schema of the statement in it.
func AsyncAPI(version string, changed json.RawMessage, questions []Question) ([]byte, error) {
	messages, err := statementMessages()
	if err != nil {
		return nil, err
	}
	ofStatements := object{}
	for name := range messages {
		ofStatements[name] = object{"$ref": "#/components/messages/" + name}
	}
	d := &document{channels: object{}, operations: object{}, messages: messages}
	d.channels["stream"] = object{
		"address": events.SubjectPrefix + "{nation}.{operation}.{kind}.{thing}.{event}",
		"title": "The records of the ledger, each on the subject that follows from its " +
			"statement",
		"messages": ofStatements, "parameters": recordParameters(),
	}
	d.operations["stream"] = object{"action": "send",
		"channel": object{"$ref": "#/channels/stream"}, "title": "The server records a statement",
		"description": "Only servers write here, and guests do not read here: the log itself is " +
			"asked for with the question records."}
	if err := d.changed(changed); err != nil {
		return nil, err
	}
	d.text("signed-note", "A signed statement: C2SP signed-note", "text/plain")
	for _, endpoint := range [][2]string{
		{"submit", "Submit a signed statement; the answer is its receipt"},
		{"check", "Say whether a signed statement would be recorded now"}} {
		d.json(endpoint[0]+"-answer",
			"The answer, or a problem with its code in the header Nats-Service-Error-Code",
			object{"type": "object"})
		d.endpoint(endpoint[0], endpoint[1], "signed-note", endpoint[0]+"-answer")
	}
	d.json("batch", "Several signed statements, of which none rests on another", object{
		"type": "object", "required": []string{"statements"}, "additionalProperties": false,
		"properties": object{"statements": object{"type": "array", "minItems": 1,
			"maxItems": events.MaxBatch, "items": object{"type": "string"}}}})
	for _, endpoint := range [][2]string{
		{"submit-batch", "Submit several signed statements; each has its receipt or problem"},
		{"check-batch", "Say of several statements whether each would be recorded now"}} {
		d.json(endpoint[0]+"-answer",
			"The outcomes in the order of the statements, each with an answer or a problem",
			object{"type": "object"})
		d.endpoint(endpoint[0], endpoint[1], "batch", endpoint[0]+"-answer")
	}
	for _, q := range questions {
		if err := d.question(q); err != nil {
			return nil, err
		}
	}
	return json.MarshalIndent(object{
		"asyncapi": "3.0.0",
		"info": object{"title": "Muster", "version": version,
			"description": "A coalition's ledger of pledges over NATS. Records, keys and notes " +
				"are described in events/FORMAT.md."},
		"defaultContentType": "application/json",
		"channels":           d.channels, "operations": d.operations,
		"components": object{"messages": d.messages, "schemas": componentSchemas()},
	}, "", "  ")
}

// statementMessages makes a message of each type of statement.
func statementMessages() (object, error) {
	messages := object{}
	for _, t := range events.Types() {
		s, err := of(t)
		if err != nil {
			return nil, err
		}
		messages[string(t)] = object{"name": string(t), "title": string(t),
			"summary": events.Meaning(t), "contentType": "text/plain; charset=utf-8",
			"payload": object{"type": "string",
				"description": "The envelope line, and the signed note. Its statement, the " +
					"second line, is of the schema x-statement."},
			"x-statement": moved(s)}
	}
	return messages, nil
}

// componentSchemas are the shared values.
func componentSchemas() object { return moved(defs()).(object) }

// moved puts references to definitions where AsyncAPI keeps them.
func moved(v any) any {
	switch v := v.(type) {
	case object:
		all := object{}
		for name, value := range v {
			if to, ok := value.(string); ok && name == "$ref" {
				value = strings.Replace(to, "#/$defs/", "#/components/schemas/", 1)
			}
			all[name] = moved(value)
		}
		return all
	case []any:
		all := make([]any, len(v))
		for i := range v {
			all[i] = moved(v[i])
		}
		return all
	}
	return v
}

func recordParameters() object {
	return object{
		"nation": object{"description": "The nation that the statement is about, or HQ"},
		"operation": object{"description": "The operation, or - for what concerns the whole " +
			"ledger"},
		"kind":  object{"description": "What the statement is about: the first half of its type"},
		"thing": object{"description": "The ULID of the statement that began what it is about"},
		"event": object{"description": "What happened: the second half of its type"},
	}
}

// changed adds the subjects on which servers tell what was recorded.
func (d *document) changed(message json.RawMessage) error {
	var payload any
	if err := json.Unmarshal(message, &payload); err != nil {
		return fmt.Errorf("what is told of a record: %w", err)
	}
	const name, told = "changed", "record-told"
	title := "One sentence for each record that a view shows"
	d.json(told, title, in2020(payload))
	parameters := recordParameters()
	parameters["view"] = object{"description": "Whose view it is: public, coalition, a nation's " +
		"code, or coordinators"}
	d.channels[name] = object{"title": title, "parameters": parameters,
		"address":  events.ChangedPrefix + "{view}.{nation}.{operation}.{kind}.{thing}.{event}",
		"messages": object{told: object{"$ref": "#/components/messages/" + told}}}
	d.operations[name] = object{"action": "send", "title": "The server tells a record",
		"channel": object{"$ref": "#/channels/" + name},
		"description": "For the views that the operator names (serve --changed). Guests listen " +
			"where they may; what is told while nobody listens is in the log. The header " +
			"Nats-Msg-Id has the view and the sequence."}
	return nil
}

// in2020 is a payload whose schema is of JSON Schema 2020-12.
func in2020(s any) object {
	return object{"schemaFormat": "application/schema+json;version=draft-2020-12", "schema": s}
}

// A document is an AsyncAPI document in the making.
type document struct{ channels, operations, messages object }

func (d *document) text(name, summary, contentType string) {
	d.messages[name] = object{"name": name, "summary": summary, "contentType": contentType,
		"payload": object{"type": "string"}}
}

func (d *document) json(name, summary string, payload any) {
	d.messages[name] = object{"name": name, "summary": summary, "contentType": "application/json",
		"payload": payload}
}

// endpoint adds a request that is answered on the requester's inbox.
func (d *document) endpoint(name, summary, request, response string) {
	to, from := "#/channels/"+name, "#/channels/"+name+"-reply"
	d.channels[name] = object{"address": "muster." + name, "title": summary,
		"messages": object{request: object{"$ref": "#/components/messages/" + request}}}
	d.channels[name+"-reply"] = object{"address": nil, "title": "The inbox of who asks",
		"messages": object{response: object{"$ref": "#/components/messages/" + response}}}
	d.operations[name] = object{"action": "receive", "title": summary,
		"channel":  object{"$ref": to},
		"messages": []any{object{"$ref": to + "/messages/" + request}},
		"reply": object{"address": object{"location": "$message.header#/reply"},
			"channel":  object{"$ref": from},
			"messages": []any{object{"$ref": from + "/messages/" + response}}}}
}

func (d *document) question(q Question) error {
	var request, response any
	if err := json.Unmarshal(q.Request, &request); err != nil {
		return fmt.Errorf("the request of %s: %w", q.Name, err)
	}
	if err := json.Unmarshal(q.Response, &response); err != nil {
		return fmt.Errorf("the answer of %s: %w", q.Name, err)
	}
	if d.channels[q.Name] != nil {
		return fmt.Errorf("two channels are named %s", q.Name)
	}
	d.json(q.Name+"-request", "The parameters; {} for none", in2020(request))
	d.json(q.Name+"-answer",
		"The answer, or a problem with its code in the header Nats-Service-Error-Code",
		in2020(response))
	d.endpoint(q.Name, q.Summary, q.Name+"-request", q.Name+"-answer")
	return nil
}
