package web

import (
	"embed"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed docs
var docsFiles embed.FS

var docsPage = template.Must(template.ParseFS(docsFiles, "docs/docs.html"))

// DocsPolicy is what a browser may load for the docs page: a stylesheet from the server itself, and
// nothing from anywhere else.
const DocsPolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; " +
	"frame-ancestors 'none'"

// HandleDocs serves the API's documentation at /docs, made from its document: a page without
// scripts, that loads nothing from elsewhere. It is called when everything is registered, and the
// page is made when somebody asks for it.
func HandleDocs(mux *http.ServeMux, api huma.OpenAPI) error {
	described := sync.OnceValue(func() docs { return docsOf(&api) })
	style, err := docsFiles.ReadFile("docs/docs.css")
	if err != nil {
		return err
	}
	head := func(w http.ResponseWriter, contentType string) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Security-Policy", DocsPolicy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-cache")
	}
	mux.HandleFunc("GET /docs", func(w http.ResponseWriter, r *http.Request) {
		head(w, "text/html; charset=utf-8")
		page := described()
		page.Server, page.Base = ReachedAt(r), BaseOf(r.Context())
		_ = docsPage.Execute(w, page) // the reader may have gone
	})
	mux.HandleFunc("GET /docs.css", func(w http.ResponseWriter, _ *http.Request) {
		head(w, "text/css; charset=utf-8")
		_, _ = w.Write(style)
	})
	return nil
}

// ReachedAt returns the address at which the reader has reached the server, with its base; a proxy
// that speaks TLS in front of it says so.
func ReachedAt(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return scheme + "://" + r.Host + string(BaseOf(r.Context()))
}

// quoted returns text as one word of a shell, whatever it has in it.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// docs is what the page shows.
type docs struct {
	Title, Version, Description string
	Server                      string // the address at which the reader has reached it
	Base                        Base
	Groups                      []docsGroup
	Schemas                     []docsSchema
}

// Asks returns the address of a path as one word of a shell.
func (d docs) Asks(path string) string { return quoted(d.Server + path) }

type docsGroup struct {
	Name       string
	Operations []docsOperation
}

type docsOperation struct {
	*huma.Operation
	Anchor, NATS string
	Answer       docsType
	Body         string // what is sent, "" for nothing
	Codes        []string
}

// What is sent to an operation.
const (
	bodyNote       = "a signed note, as text"
	bodyParameters = "the parameters, as a JSON object"
)

// Curl returns the command that asks a server.
func (o docsOperation) Curl(server string) string {
	command := "curl "
	switch o.Body {
	case bodyParameters:
		command += "-H 'Content-Type: application/json' --data-binary @parameters.json "
	case bodyNote:
		command += "-H 'Content-Type: text/plain' --data-binary @statement.note "
	}
	return command + quoted(server+o.Path)
}

type docsSchema struct {
	Name, Description string
	Members           []docsMember
}

type docsMember struct {
	Name, Description string
	Required          bool
	Type              docsType
}

// A docsType is how a type is told: words, and the schema that they link to.
type docsType struct {
	Before, Schema, After string
}

func docsOf(api *huma.OpenAPI) docs {
	d := docs{Title: api.Info.Title, Version: api.Info.Version, Description: api.Info.Description}
	groups := map[string]*docsGroup{}
	for _, path := range sorted(api.Paths) {
		for _, op := range []*huma.Operation{api.Paths[path].Get, api.Paths[path].Post} {
			if op == nil || slices.Contains(op.Tags, tagRows) { // which their question tells of
				continue
			}
			name := "other"
			if len(op.Tags) > 0 {
				name = op.Tags[0]
			}
			if groups[name] == nil {
				groups[name] = &docsGroup{Name: name}
			}
			groups[name].Operations = append(groups[name].Operations, docsOperationOf(op))
		}
	}
	for _, name := range sorted(groups) {
		d.Groups = append(d.Groups, *groups[name])
	}
	for _, name := range sorted(api.Components.Schemas.Map()) {
		d.Schemas = append(d.Schemas, docsSchemaOf(name, api.Components.Schemas.Map()[name]))
	}
	return d
}

func sorted[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func docsOperationOf(op *huma.Operation) docsOperation {
	o := docsOperation{Operation: op, Anchor: op.OperationID, Codes: sorted(op.Responses)}
	switch {
	case op.RequestBody == nil:
	case op.RequestBody.Content["application/json"] != nil:
		o.Body = bodyParameters
	default:
		o.Body = bodyNote
	}
	if slices.Contains(op.Tags, "questions") && op.Method == http.MethodGet {
		o.NATS = "nats req " + SubjectPrefix + op.OperationID + " '{}'"
	}
	for _, code := range []string{"200", "201"} {
		if answer := op.Responses[code]; answer != nil {
			for contentType, media := range answer.Content {
				if strings.HasSuffix(contentType, "json") && media.Schema != nil {
					o.Answer = docsTypeOf(media.Schema)
				}
			}
		}
	}
	return o
}

func docsSchemaOf(name string, s *huma.Schema) docsSchema {
	d := docsSchema{Name: name, Description: s.Description}
	for _, member := range sorted(s.Properties) {
		m := s.Properties[member]
		d.Members = append(d.Members, docsMember{member, m.Description,
			slices.Contains(s.Required, member), docsTypeOf(m)})
	}
	return d
}

func docsTypeOf(s *huma.Schema) docsType {
	switch {
	case s.Ref != "":
		return docsType{Schema: s.Ref[strings.LastIndex(s.Ref, "/")+1:]}
	case s.Type == huma.TypeArray && s.Items != nil:
		t := docsTypeOf(s.Items)
		t.Before = "list of " + t.Before
		return t
	case len(s.OneOf) > 0:
		return docsType{Before: "a count, money as text, or “unknown”"}
	case len(s.Enum) > 0:
		words := make([]string, len(s.Enum))
		for i, w := range s.Enum {
			words[i], _ = w.(string)
		}
		return docsType{Before: strings.Join(words, ", ")}
	case s.Format != "":
		return docsType{Before: s.Type + " (" + s.Format + ")"}
	}
	return docsType{Before: s.Type}
}
