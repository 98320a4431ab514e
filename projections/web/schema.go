package web

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
)

// DescribeWords tells the API's document how the words of Muster look in JSON, where the Go types
// do not show it.
func DescribeWords(r huma.Registry) {
	for typ, stands := range map[reflect.Type]reflect.Type{
		reflect.TypeFor[events.Quantity]():  reflect.TypeFor[quantitySchema](),
		reflect.TypeFor[events.ID]():        reflect.TypeFor[idSchema](),
		reflect.TypeFor[events.Date]():      reflect.TypeFor[dateSchema](),
		reflect.TypeFor[projections.Rung](): reflect.TypeFor[rungSchema](),
		reflect.TypeFor[problem.Problem]():  reflect.TypeFor[problemJSON](),
	} {
		r.RegisterTypeAlias(typ, stands)
	}
}

// neverNull takes back what huma concludes from pointers: a member that is not there is left out of
// an answer.
func neverNull(r huma.Registry) {
	for _, s := range r.Map() {
		for _, member := range s.Properties {
			member.Nullable = false
		}
	}
}

// pattern is the schema of a text that an answer has, as it is documented. What huma knows as a
// pattern it compiles wherever the text stands, to validate what is sent: that took a tenth of
// a server's start, and answers are not validated.
func pattern(expression string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Extensions: map[string]any{"pattern": expression}}
}

// quantitySchema is how a quantity looks in JSON: see events.Quantity.
type quantitySchema struct{}

// Schema implements huma.SchemaProvider.
func (quantitySchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Description: "A count, an amount of money with two decimals, or unknown",
		OneOf: []*huma.Schema{
			{Type: huma.TypeInteger, Format: "int64"},
			pattern(`^(unknown|[0-9]+\.[0-9]{2})$`),
		},
	}
}

type idSchema struct{}

// Schema implements huma.SchemaProvider.
func (idSchema) Schema(huma.Registry) *huma.Schema {
	s := pattern("^[0-7][0-9A-HJKMNP-TV-Z]{25}$")
	s.Description = "A ULID"
	return s
}

type dateSchema struct{}

// Schema implements huma.SchemaProvider.
func (dateSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date"}
}

type rungSchema struct{}

// Schema implements huma.SchemaProvider.
func (rungSchema) Schema(huma.Registry) *huma.Schema {
	return wordSchema(words(projections.Rungs()))
}

func wordSchema(words []string) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, w := range words {
		s.Enum = append(s.Enum, w)
	}
	return s
}

func slugSchema() *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Pattern: "^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$"}
}

// problemJSON is how a problem looks in JSON (RFC 9457).
type problemJSON struct {
	Type   string          `json:"type" doc:"urn:muster:problem: and the kind of problem, which stays the same"`
	Title  string          `json:"title" doc:"The kind of problem, for people"`
	Status int             `json:"status"`
	Detail string          `json:"detail" doc:"What happened this time"`
	Code   string          `json:"code,omitempty" doc:"The rule of the ledger that refused"`
	Hint   string          `json:"hint,omitempty" doc:"What to do next"`
	Errors []problem.Field `json:"errors,omitempty" doc:"Every field that is wrong"`
}
