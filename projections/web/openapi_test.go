package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

// document fetches the API's document.
func (s *testServer) document() (doc map[string]any) {
	s.t.Helper()
	_, _, body := s.send(http.MethodGet, s.url+"/openapi.json", nil, nil)
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		s.t.Fatal(err)
	}
	return doc
}

// at follows names into a document.
func at(t *testing.T, v any, names ...string) any {
	t.Helper()
	for i, name := range names {
		members, ok := v.(map[string]any)
		if !ok || members[name] == nil {
			t.Fatalf("the document has no %s", strings.Join(names[:i+1], " "))
		}
		v = members[name]
	}
	return v
}

// Every member of every answer is described as what it is.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	s := newServer(t, newTestLog(t))
	doc := s.document()
	if version := at(t, doc, "openapi").(string); !strings.HasPrefix(version, "3.1") {
		t.Error(version)
	}
	schemas := at(t, doc, "components", "schemas").(map[string]any)
	for name, schema := range schemas {
		checkSchema(t, name, schema)
	}
	member := func(schema, name string) map[string]any {
		return at(t, schemas, schema, "properties", name).(map[string]any)
	}
	for what, test := range map[string][2]any{
		"a date":             {member("Pledge", "from")["format"], "date"},
		"another":            {member("Coverage", "on")["type"], "string"},
		"an id":              {member("Pledge", "id")["type"], "string"},
		"another id":         {member("PledgeList", "next")["type"], "string"},
		"a time":             {member("LifeEvent", "recorded")["format"], "date-time"},
		"a sequence":         {member("Record", "sequence")["type"], "integer"},
		"a rung":             {member("Pledge", "rung")["type"], "string"},
		"sequences":          {member("Counted", "sequences")["type"], "array"},
		"a problem's status": {member("ProblemJSON", "status")["type"], "integer"},
		"a problem's errors": {member("ProblemJSON", "errors")["type"], "array"},
	} {
		equal(t, what, test[0], test[1])
	}
	for _, of := range [][2]string{{"Pledge", "quantity"}, {"Pledge", "strength"},
		{"LineCoverage", "gap"}, {"StrengthRow", "quantity"}, {"Requirement", "required"}} {
		if one, ok := member(of[0], of[1])["oneOf"].([]any); !ok || len(one) != 2 {
			t.Errorf("%s of %s is no quantity: %v", of[1], of[0], member(of[0], of[1]))
		}
	}
	if required := fmt.Sprint(at(t, schemas, "Pledge", "required")); !strings.Contains(required,
		" unit") || strings.Contains(required, "note") {
		t.Errorf("a pledge always has %s", required)
	}
}

// checkSchema refuses what says nothing, or allows null where there is a list.
func checkSchema(t *testing.T, where string, schema any) {
	t.Helper()
	s, ok := schema.(map[string]any)
	if !ok {
		t.Errorf("%s: %v is no schema", where, schema)
		return
	}
	properties, _ := s["properties"].(map[string]any)
	switch {
	case s["$ref"] != nil, s["oneOf"] != nil:
	case s["type"] == "object" && len(properties) == 0:
		t.Errorf("%s is an object of nothing", where)
	case s["type"] == nil:
		t.Errorf("%s has no type: %v", where, s)
	case s["type"] == "array":
		checkSchema(t, where+"[]", s["items"])
	case fmt.Sprint(s["type"]) != s["type"]:
		t.Errorf("%s has the types %v", where, s["type"])
	}
	for name, p := range properties {
		checkSchema(t, where+"."+name, p)
	}
}

// The document lists for every question its parameters, and the problems that it may answer.
func TestOpenAPIParameters(t *testing.T) {
	t.Parallel()
	s := newServer(t, newTestLog(t))
	doc := s.document()
	lists := 0
	for _, q := range s.service.questions {
		if q.list != nil {
			lists += len(formsOf(q.name))
		}
	}
	described := len(at(t, doc, "paths").(map[string]any))
	equal(t, "questions, rows and streams", described, len(paths)+lists+2)
	for question, want := range map[string]string{
		"ledger": "", "rebuild": "",
		"coverage": "as_of on min_seq without without_conditional without_caveated discharge " +
			"rung operation role differences",
		"strength": "as_of on min_seq without without_conditional without_caveated discharge " +
			"rung operation nation role by",
		"pledges": "as_of on min_seq without without_conditional without_caveated discharge " +
			"rung operation nation role state line reference id after limit",
		"pledge":  "id as_of on min_seq discharge",
		"plan":    "operation as_of on min_seq",
		"members": "as_of on min_seq",
		"scopes":  "as_of on min_seq operation nation role",
		"records": "from nation operation type import signer limit wait",

		"fingerprint": "as_of min_seq",

		"late":        "as_of on min_seq operation nation role days",
		"corrections": "as_of on min_seq operation nation role",
		"delivery":    "as_of on min_seq operation nation role",
		"versions":    "id as_of on min_seq discharge",
		"preview": "statements on min_seq without without_conditional without_caveated " +
			"discharge rung",
		"diff": "from to on from_on to_on min_seq without without_conditional " +
			"without_caveated discharge rung operation nation role",
		"digest": "from as_of on min_seq without without_conditional without_caveated " +
			"discharge rung operation nation role within",
		"explain": "as_of on min_seq without without_conditional without_caveated discharge " +
			"rung operation nation role what line",
		"counted": "record as_of on min_seq without without_conditional without_caveated discharge",

		"gaps": "as_of on min_seq without without_conditional without_caveated discharge " +
			"rung operation role",
		"timeline": "as_of on min_seq without without_conditional without_caveated discharge " +
			"rung operation role line from until step",
		"dependence": "as_of on min_seq without without_conditional without_caveated discharge " +
			"rung operation nation role by_role",
		"hanging": "as_of on min_seq without without_conditional without_caveated discharge " +
			"rung operation nation role",
		"readiness": "as_of on min_seq without without_conditional without_caveated discharge " +
			"rung operation nation role within by_nation",
		"review": "as_of on min_seq without without_conditional without_caveated discharge " +
			"rung operation nation role",
		"due": "as_of on min_seq without without_conditional without_caveated discharge " +
			"operation nation role within",
		"nations": "as_of on min_seq without without_conditional without_caveated discharge " +
			"rung operation only",
		"nation": "nation as_of on min_seq without without_conditional without_caveated " +
			"discharge rung operation",
	} {
		op := at(t, doc, "paths", Root+paths[question], "get").(map[string]any)
		var got []string
		listed, _ := op["parameters"].([]any)
		for _, p := range listed {
			name, in := at(t, p, "name").(string), at(t, p, "in").(string)
			got = append(got, name)
			if isPart := strings.Contains(paths[question], "{"+name+"}"); isPart !=
				(in == "path") || isPart != (p.(map[string]any)["required"] == true) {
				t.Errorf("%s: %s is in the %s", question, name, in)
			}
			if at(t, p, "description") == "" {
				t.Errorf("%s: nothing is said of %s", question, name)
			}
			checkSchema(t, question+" "+name, at(t, p, "schema"))
		}
		equal(t, question, strings.Join(got, " "), strings.TrimSpace(want+" view"))
		for _, status := range []string{"400", "404", "422", "503"} {
			equal(t, question, at(t, op, "responses", status, "content", "application/problem+json",
				"schema", "$ref").(string), "#/components/schemas/ProblemJSON")
		}
	}
}

// What the document says is what is answered.
func TestAnswersAreAsDocumented(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	asked := append(questionsOfMoments(l),
		[][2]string{{"ledger", ""}, {"records", ""}, {"rebuild", ""}, {"fingerprint", ""},
			{"members", "on=x"}, {"gaps", ""}, {"timeline", "step=month"}, {"dependence", ""},
			{"hanging", ""}, {"readiness", "within=7&by_nation=true"}, {"review", ""}, {"due", ""},
			{"meetings", ""},
			{"nations", ""}, {"nation", "nation=FRA"}, {"late", "days=0"}, {"corrections", ""},
			{"delivery", ""}, {"counted", "record=7"}, {"diff", "from=3"}, {"digest", "from=3"},
			{"explain", "what=strength"}, {"versions", "id=" + l.swe.id.String()},
			{"preview", "statements=" + url.QueryEscape(l.withdrawal())}}...)
	seen := map[string]bool{}
	for _, q := range asked {
		query := strings.TrimPrefix(q[1], "a")
		a := s.ask(q[0], query)
		seen[q[0]] = true
		var decoded any
		if err := json.Unmarshal([]byte(a.body), &decoded); err != nil {
			t.Fatal(err)
		}
		response := s.api.OpenAPI().Paths[Root+paths[q[0]]].Get.Responses[fmt.Sprint(a.status)]
		if response == nil {
			t.Fatalf("%s %s: the status %d is not in the document", q[0], query, a.status)
		}
		if len(response.Content) == 0 {
			t.Errorf("%s %s: nothing is said of an answer with the status %d", q[0],
				query, a.status)
		}
		for _, content := range response.Content {
			var result huma.ValidateResult
			content.Schema.PrecomputeMessages()
			huma.Validate(s.api.OpenAPI().Components.Schemas, content.Schema,
				huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, decoded, &result)
			for _, err := range result.Errors {
				t.Errorf("%s %s: %v", q[0], query, err)
			}
		}
	}
	if left := slices.DeleteFunc(slices.Sorted(maps.Keys(paths)), func(q string) bool {
		return seen[q]
	}); len(left) > 0 {
		t.Errorf("not asked: %v", left)
	}
}
