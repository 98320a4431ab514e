package web

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/nats-io/nats.go/micro"

	"muster/events/problem"
	"muster/projections"
)

// Root begins the path of every question over HTTP, and SubjectPrefix its subject over NATS.
const (
	Root          = "/api/v1"
	SubjectPrefix = "muster."
)

// tagRows marks in the API's document what answers with the rows of a question.
const tagRows = "rows"

// paths is where each question is asked over HTTP, after Root.
var paths = map[string]string{
	"ledger": "/ledger", "coverage": "/coverage", "strength": "/strength", "pledges": "/pledges", "pledge": "/pledges/{id}",
	"plan": "/operations/{operation}", "members": "/members", "scopes": "/scopes", "records": "/records", "rebuild": "/rebuild",
	"fingerprint": "/fingerprint", "gaps": "/gaps", "timeline": "/timeline", "dependence": "/dependence", "hanging": "/hanging",
	"readiness": "/readiness", "review": "/review", "due": "/due", "nations": "/nations", "nation": "/nations/{nation}",
	"late": "/late", "corrections": "/corrections", "delivery": "/delivery", "counted": "/records/{record}/counted",
	"versions": "/pledges/{id}/versions", "preview": "/preview", "diff": "/diff", "explain": "/explain/{what}",
}

// questions is the table: what answers which question.
func (s *Service) questions(f *face) {
	ask(f, "ledger", "What the ledger is: its origin, its founder, its last record", s.Ledger, nil)
	ask(f, "coverage", "How far the requirements are met, by whom, and what is not counted", s.Coverage, CoverageTable)
	ask(f, "gaps", "Which requirements are not met, the most urgent first, and what could fill them", s.Gaps, GapsTable)
	ask(f, "timeline", "How requirements are met over time, and the hand-overs between rotations", s.Timeline, TimelineTable)
	ask(f, "dependence", "What one nation holds alone, or to 80 or 50 percent", s.Dependence, DependenceTable)
	ask(f, "hanging", "Supply that hangs on a condition or a caveat, grouped by it", s.Hanging, HangingTable)
	ask(f, "readiness", "What can move within some days of the call", s.Readiness, ReadinessTable)
	ask(f, "review", "What does not fit: too much, no line or several, overdrawn allocations, broken rotations", s.Review, ReviewTable)
	ask(f, "due", "What lapses or ends soon, and what waits for whom, and since when", s.Due, DueTable)
	ask(f, "nations", "Which nations give what, in short", s.Nations, NationsTable)
	ask(f, "nation", "Everything about one nation", s.Nation, NationTable)
	ask(f, "strength", "What is pledged or deployed, summed within a unit", s.Strength, StrengthTable)
	ask(f, "pledges", "A list of pledges", s.Pledges, PledgesTable)
	ask(f, "pledge", "One pledge and its life", s.Pledge, PledgeTable)
	ask(f, "versions", "What was known of one pledge, and from when to when, on both clocks", s.Versions, VersionsTable)
	ask(f, "plan", "An operation's roles and requirement lines", s.Plan, PlanTable)
	ask(f, "diff", "What two moments differ in, and the records that made it so", s.Diff, DiffTable)
	ask(f, "preview", "What statements would change if they were recorded now, before anybody signs them", s.Preview, PreviewTable)
	ask(f, "explain", "What is behind a number: the records, each pledge's part, and what is not counted", s.Explain, ExplainTable)
	ask(f, "counted", "What was counted where for one record, then and now", s.Counted, CountedTable)
	ask(f, "late", "What was recorded long after the date from which it holds", s.Late, LateTable)
	ask(f, "corrections", "What was corrected, by whom and why", s.Corrections, CorrectionsTable)
	ask(f, "delivery", "What was pledged and what was delivered, and how long it took", s.Delivery, DeliveryTable)
	ask(f, "members", "Who may sign, and who once could", s.Members, MembersTable)
	ask(f, "scopes", "What nations have declared that they are ready to give", s.Scopes, ScopesTable)
	ask(f, "records", "The log itself, as stored", s.Records, RecordsTable)
	ask(f, "fingerprint", "The fingerprint of the picture as of a record: the same wherever the same records were folded", s.Fingerprint, FingerprintTable)
	ask(f, "rebuild", "Build all projections anew and compare them with those in use", s.Rebuild, RebuildTable)
}

// A face is where questions are asked: an HTTP API or a micro service.
type face struct {
	service *Service

	api huma.API

	described *[]Description

	svc     micro.Service
	working sync.WaitGroup
	err     error // the first of registering
}

// Register adds all questions to an HTTP API, whose registry knows what [DescribeWords] tells.
func (s *Service) Register(api huma.API) {
	s.questions(&face{service: s, api: api})
	documentLive(api)
	neverNull(api.OpenAPI().Components.Schemas)
}

// RegisterNATS adds all questions to the micro service (NATS ADR-32), as muster.coverage and so on; a request is the JSON
// of the parameters, {} for none. When the micro service has stopped, call the function that is returned: it stops the
// waiting on every face, as Stop does, and returns when the requests being worked on are answered.
func (s *Service) RegisterNATS(svc micro.Service) (wait func(), err error) {
	f := &face{service: s, svc: svc}
	s.questions(f)
	return func() { s.Stop(); f.working.Wait() }, f.err
}

// ask registers one question on a face. Table gives the rows of its answer; it is nil for what is no list.
func ask[Q, A any, P query[Q]](f *face, name, summary string, answer func(context.Context, *Q) (A, error), table func(A) Table) {
	parse := func(r request) (*Q, error) {
		q, p := new(Q), parameters{request: r, now: f.service.latest(), today: f.service.today()}
		P(q).read(&p)
		return q, p.problem()
	}
	bounded := func(ctx context.Context, q *Q) (A, error) {
		does := f.service.workOfQuestion(name, false)
		a, err := answer(projections.WithBudget(ctx, does.budget), q)
		return a, f.service.WhyEnded(ctx, err)
	}
	reply := func(ctx context.Context, r request) (a A, err error) {
		q, err := parse(r)
		if err != nil {
			return a, err
		}
		return bounded(ctx, q)
	}
	var takes parameters
	P(new(Q)).read(&takes)
	if f.described != nil {
		*f.described = append(*f.described, describeQuestion(name, summary, inPath(paths[name], takes.takes), reflect.TypeFor[A]()))
		return
	}
	if f.api == nil {
		f.serveNATS(name, metadata(summary, inPath(paths[name], takes.takes), reflect.TypeFor[A]()), func(ctx context.Context, r request) (any, error) { return reply(ctx, r) })
		return
	}
	f.service.parsers[name] = func(r request) (any, error) { return parse(r) }
	if table != nil {
		f.service.tables[name] = listing(parse, f.service, bounded, table)
	}
	op := huma.Operation{
		OperationID: name, Method: http.MethodGet, Path: Root + paths[name], Summary: summary,
		Tags: []string{"questions"}, Description: describe(name, table != nil),
		Parameters: inPath(paths[name], takes.takes), Errors: failures(name),
		Responses: notModified(name),
	}
	if table != nil {
		documentRows(f.api, op)
	}
	serveHTTP(f.api, op, reply)
	if name == "preview" {
		servePosted(f.api, op, reply)
	}
}

// describe says how else a question is asked.
func describe(name string, rows bool) string {
	d := "Over NATS: " + SubjectPrefix + name + "."
	if rows {
		d += " The rows of the answer as CSV: the same address with .csv at the end of the path."
	}
	return d
}

// failures are the statuses of a question's problems. What is only supposed may be refused as if it were said.
func failures(name string) []int {
	if name == "preview" {
		return []int{400, 403, 404, 409, 414, 421, 422, 429, 503}
	}
	return []int{400, 404, 414, 421, 422, 429, 503}
}

// notModified documents entity tags, of which huma does not know; there is none where uncached.
func notModified(name string) map[string]*huma.Response {
	if slices.Contains(uncached, name) {
		return map[string]*huma.Response{}
	}
	return map[string]*huma.Response{"304": {
		Description: "The client has the answer: If-None-Match names its entity tag"}}
}

// documentRows adds the rows of a question, which huma does not serve, to the API's document. They have
// a path of their own there as well: so a client that is made from the document knows what it gets.
func documentRows(api huma.API, question huma.Operation) {
	op := huma.Operation{OperationID: question.OperationID + "-csv", Method: http.MethodGet,
		Path: question.Path + csvSuffix, Summary: question.Summary + ", as rows", Tags: []string{tagRows},
		Parameters: question.Parameters, Responses: notModified(question.OperationID)}
	op.Responses["200"] = &huma.Response{Description: "The rows of the answer",
		Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}}}
	documentProblems(api, &op, append(question.Errors, http.StatusInternalServerError))
	api.OpenAPI().AddOperation(&op)
}

// documentProblems documents the problems of an operation that huma does not serve.
func documentProblems(api huma.API, op *huma.Operation, statuses []int) {
	schema := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[problem.Problem](), true, "")
	for _, status := range statuses {
		op.Responses[strconv.Itoa(status)] = &huma.Response{Description: http.StatusText(status),
			Content: map[string]*huma.MediaType{"application/problem+json": {Schema: schema}}}
	}
}

// inPath marks the parameters that are parts of the path.
func inPath(path string, takes []*huma.Param) []*huma.Param {
	for _, p := range takes {
		if strings.Contains(path, "{"+p.Name+"}") {
			p.In, p.Required = "path", true
		}
	}
	return takes
}
