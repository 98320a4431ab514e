// Described tells of each answer on its standard input whether an OpenAPI document describes it. It
// is a program of its own, since what it has from others makes itself ready for 20 ms when a
// program starts, and the program of the tests is started thousands of times.
package main

import (
	"bytes"
	"encoding/json"
	"log"
	"os"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// An answer is what a server has answered, the document in which that stands, and where in it.
type answer struct {
	Document, Schema, Answer string
}

func main() {
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for in.More() {
		var a answer
		if err := in.Decode(&a); err != nil {
			log.Fatal(err)
		}
		said := ""
		if err := a.check(); err != nil {
			said = err.Error()
		}
		if err := out.Encode(said); err != nil {
			log.Fatal(err)
		}
	}
}

// check says what the document does not describe.
func (a answer) check() error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(a.Document)))
	if err != nil {
		return err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("openapi.json", doc); err != nil {
		return err
	}
	s, err := c.Compile("openapi.json" + a.Schema)
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(a.Answer)))
	if err != nil {
		return err
	}
	return s.Validate(value)
}
