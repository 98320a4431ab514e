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

// questions is the table: what is asked where, and what answers it. Each face is made of it.
var questions = []question{
	of("ledger", "/ledger",
		"What the ledger is: its origin, its founder, its last record",
		(*Service).Ledger, nil),
	of("coverage", "/coverage",
		"How far the requirements are met, by whom, and what is not counted",
		(*Service).Coverage, CoverageTable),
	of("gaps", "/gaps",
		"Which requirements are not met, the most urgent first, and what could fill them",
		(*Service).Gaps, GapsTable),
	of("timeline", "/timeline",
		"How requirements are met over time, and the hand-overs between rotations",
		(*Service).Timeline, TimelineTable),
	of("dependence", "/dependence",
		"What one nation holds alone, or to 80 or 50 percent",
		(*Service).Dependence, DependenceTable),
	of("hanging", "/hanging",
		"Supply that hangs on a condition or a caveat, grouped by it",
		(*Service).Hanging, HangingTable),
	of("readiness", "/readiness",
		"What can move within some days of the call",
		(*Service).Readiness, ReadinessTable),
	of("review", "/review",
		"What does not fit: too much, no line or several, overdrawn allocations, broken rotations",
		(*Service).Review, ReviewTable),
	of("due", "/due",
		"What lapses or ends soon, and what waits for whom, and since when",
		(*Service).Due, DueTable),
	of("nations", "/nations",
		"Which nations give what, in short",
		(*Service).Nations, NationsTable),
	of("nation", "/nations/{nation}",
		"Everything about one nation",
		(*Service).Nation, NationTable),
	of("strength", "/strength",
		"What is pledged or deployed, summed within a unit",
		(*Service).Strength, StrengthTable),
	of("pledges", "/pledges",
		"A list of pledges",
		(*Service).Pledges, PledgesTable),
	of("pledge", "/pledges/{id}",
		"One pledge and its life",
		(*Service).Pledge, PledgeTable),
	of("versions", "/pledges/{id}/versions",
		"What was known of one pledge, and from when to when, on both clocks",
		(*Service).Versions, VersionsTable),
	of("plan", "/operations/{operation}",
		"An operation's roles and requirement lines",
		(*Service).Plan, PlanTable),
	of("diff", "/diff",
		"What two moments differ in, and the records that made it so",
		(*Service).Diff, DiffTable),
	of("digest", "/digest",
		"What is new, gone, better and worse since a moment, and what is due, a sentence each",
		(*Service).Digest, DigestTable),
	of("preview", "/preview",
		"What statements would change if they were recorded now, before anybody signs them",
		(*Service).Preview, PreviewTable),
	of("explain", "/explain/{what}",
		"What is behind a number: the records, each pledge's part, and what is not counted",
		(*Service).Explain, ExplainTable),
	of("counted", "/records/{record}/counted",
		"What was counted where for one record, then and now",
		(*Service).Counted, CountedTable),
	of("late", "/late",
		"What was recorded about pledges long after the date from which it holds",
		(*Service).Late, LateTable),
	of("corrections", "/corrections",
		"What was corrected, by whom and why",
		(*Service).Corrections, CorrectionsTable),
	of("delivery", "/delivery",
		"What was pledged and what was delivered, and how long it took",
		(*Service).Delivery, DeliveryTable),
	of("meetings", "/meetings",
		"The meetings that were closed, whose names stand for what was recorded by then",
		(*Service).Meetings, MeetingsTable),
	of("members", "/members",
		"Who may sign, and who once could",
		(*Service).Members, MembersTable),
	of("scopes", "/scopes",
		"What nations have declared that they are ready to give",
		(*Service).Scopes, ScopesTable),
	of("records", "/records",
		"The log itself, as stored",
		(*Service).Records, RecordsTable),
	of("fingerprint", "/fingerprint",
		"The fingerprint of the picture as of a record: the same wherever the same records were "+
			"folded",
		(*Service).Fingerprint, FingerprintTable),
	of("rebuild", "/rebuild",
		"Build all projections anew and compare them with those in use",
		(*Service).Rebuild, RebuildTable),
}

// A question is a row of the table. Its parameters and its answer have types of their own, which
// only the functions here know.
type question struct {
	name, path, summary string
	takes               []*huma.Param
	gives               reflect.Type

	// parse reads the parameters.
	parse func(*Service, request) (any, error)
	// answer answers what parse has read, within what the question may cost.
	answer func(context.Context, *Service, any) (any, error)
	// list does the same in rows, page by page; nil for what is no list.
	list func(context.Context, *Service, any, writePage) error
	// serve adds the question to an HTTP API; reply takes a request and gives the answer.
	serve func(api huma.API, op huma.Operation, reply replier)
}

// A replier takes a request and gives the answer.
type replier func(context.Context, request) (any, error)

// inQuery returns the names of the parameters that may be left out.
func (q *question) inQuery() (names []string) {
	for _, p := range q.takes {
		if p.In == "query" {
			names = append(names, p.Name)
		}
	}
	return names
}

// find returns the row of a question, nil where there is none.
func find(all []question, name string) *question {
	i := slices.IndexFunc(all, func(q question) bool { return q.name == name })
	if i < 0 {
		return nil
	}
	return &all[i]
}

// of makes a row of the table. Table gives the rows of an answer; it is nil for what is no list.
func of[Q, A any, P query[Q]](name, path, summary string,
	answer func(*Service, context.Context, *Q) (A, error), table func(A) Table) question {
	var takes parameters
	P(new(Q)).read(&takes)
	takes.view()
	row := question{name: name, path: path, summary: summary,
		takes: inPath(path, takes.takes), gives: reflect.TypeFor[A]()}
	bounded := func(ctx context.Context, s *Service, q *Q) (A, error) {
		does := s.workOfQuestion(name, false)
		a, err := answer(s, projections.WithBudget(ctx, does.budget), q)
		return a, AskLess(s.WhyEnded(ctx, err), row.inQuery())
	}
	row.parse = func(s *Service, r request) (any, error) {
		q, p := new(Q), s.parameters(r)
		P(q).read(&p)
		p.view()
		return q, p.problem()
	}
	row.answer = func(ctx context.Context, s *Service, asked any) (any, error) {
		q := *asked.(*Q)
		return bounded(ctx, s, &q)
	}
	if table != nil {
		row.list = func(ctx context.Context, s *Service, asked any, write writePage) error {
			q := *asked.(*Q)
			return listPages(ctx, s, &q, bounded, table, write)
		}
	}
	row.serve = serveHTTP[A]
	if name == "preview" {
		row.serve = func(api huma.API, op huma.Operation, reply replier) {
			serveHTTP[A](api, op, reply)
			servePosted[A](api, op, reply)
		}
	}
	return row
}

// parsed are the parameters of a question, read already for the entity tag of the answer.
type parsed struct {
	name  string // the question's
	query any
}

// parsedKey is where the context of a request has them.
type parsedKey struct{}

// read reads the parameters of a request. When it has an entity tag, the answer is to the same
// reading.
func (q *question) read(ctx context.Context, s *Service, r request) (any, error) {
	if was, ok := ctx.Value(parsedKey{}).(parsed); ok && was.name == q.name {
		return was.query, nil
	}
	return q.parse(s, r)
}

// replies returns what answers the question.
func (q *question) replies(s *Service) replier {
	return func(ctx context.Context, r request) (any, error) {
		as, err := s.choose(ctx, r)
		if err != nil {
			return nil, err
		}
		query, err := q.read(ctx, as, r)
		if err != nil {
			return nil, err
		}
		return q.answer(ctx, as, query)
	}
}

// Register adds all questions to an HTTP API, whose registry knows what [DescribeWords] tells.
func (s *Service) Register(api huma.API) {
	for _, q := range s.questions {
		op := q.operation()
		if q.list != nil {
			s.documentRows(api, op)
		}
		q.serve(api, op, q.replies(s))
	}
	documentLive(api)
	if s.Sessions != nil {
		s.registerSessions(api)
	}
	if s.Feeds != nil {
		s.registerFeeds(api)
	}
	neverNull(api.OpenAPI().Components.Schemas)
}

// RegisterNATS adds all questions to the micro service (NATS ADR-32), as muster.coverage and so on;
// a request is the JSON of the parameters, {} for none. When the micro service has stopped, call
// the function that is returned: it stops the waiting on every face, as Stop does, and returns when
// the requests being worked on are answered.
func (s *Service) RegisterNATS(svc micro.Service) (wait func(), err error) {
	var working sync.WaitGroup
	for _, q := range s.questions {
		added := svc.AddEndpoint(q.name, s.overNATS(&q, &working),
			micro.WithEndpointSubject(SubjectPrefix+q.name),
			micro.WithEndpointMetadata(q.metadata()),
			micro.WithEndpointPendingLimits(maxPending, maxPendingBytes))
		if err == nil {
			err = added
		}
	}
	if err == nil && s.Sessions != nil {
		err = s.registerSessionsNATS(svc)
	}
	return func() { s.Stop(); working.Wait() }, err
}

// operation describes the question as an operation of the HTTP API.
func (q *question) operation() huma.Operation {
	return huma.Operation{
		OperationID: q.name, Method: http.MethodGet, Path: Root + q.path, Summary: q.summary,
		Tags: []string{"questions"}, Description: describe(q.name, q.list != nil),
		Parameters: q.takes, Errors: failures(q.name), Responses: notModified(q.name),
	}
}

// describe says how else a question is asked.
func describe(name string, rows bool) string {
	d := "Over NATS: " + SubjectPrefix + name + "."
	if rows {
		d += " The rows of the answer: the same address with .csv, .xlsx or .parquet at the end " +
			"of the path."
	}
	return d
}

// failures are the statuses of a question's problems. What is only supposed may be refused as if it
// were said.
func failures(name string) []int {
	if name == "preview" {
		return []int{400, 401, 403, 404, 409, 414, 421, 422, 429, 503}
	}
	return []int{400, 401, 403, 404, 414, 421, 422, 429, 503}
}

// notModified documents entity tags, of which huma does not know; there is none where uncached.
func notModified(name string) map[string]*huma.Response {
	if slices.Contains(uncached, name) {
		return map[string]*huma.Response{}
	}
	return map[string]*huma.Response{"304": {
		Description: "The client has the answer: If-None-Match names its entity tag"}}
}

// documentRows adds the rows of a question, which huma does not serve, to the API's document. They
// have a path of their own there as well: so a client that is made from the document knows what it
// gets.
func (s *Service) documentRows(api huma.API, question huma.Operation) {
	for _, form := range formsOf(question.OperationID) {
		op := huma.Operation{OperationID: question.OperationID + "-" + form.suffix[1:],
			Method: http.MethodGet,
			Path:   question.Path + form.suffix, Summary: question.Summary + ", as " + form.summary,
			Tags:       []string{tagRows},
			Parameters: form.parametersOf(question.Parameters),
			Responses:  notModified(question.OperationID)}
		if form.followed {
			op.Parameters = append(slices.Clone(op.Parameters), s.languageParam())
		}
		media, _, _ := strings.Cut(form.media, ";")
		schema := &huma.Schema{Type: huma.TypeString}
		if form.attached && !strings.HasPrefix(media, "text/") {
			schema.Format = "binary"
		}
		op.Responses["200"] = &huma.Response{Description: "The rows of the answer",
			Content: map[string]*huma.MediaType{media: {Schema: schema}}}
		documentProblems(api, &op, append(question.Errors, http.StatusInternalServerError))
		api.OpenAPI().AddOperation(&op)
	}
}

// parametersOf returns those of a question's parameters that the form takes.
func (f *rowsForm) parametersOf(all []*huma.Param) (some []*huma.Param) {
	for _, p := range all {
		if f.takes == nil || slices.Contains(f.takes, p.Name) {
			some = append(some, p)
		}
	}
	return some
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
