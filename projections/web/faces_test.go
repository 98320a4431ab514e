package web

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/nats-io/nats.go/micro"

	"muster/events/problem"
)

// An answer is what came back on one face.
type answer struct {
	status int
	body   string
}

// problem returns the problem that the answer is.
func (a answer) problem(t *testing.T) *problem.Problem {
	t.Helper()
	p := problem.Decode(a.status, []byte(a.body))
	if a.status == http.StatusOK || p.Kind.Status != a.status ||
		strings.Contains(p.Detail, "no explanation") {
		t.Errorf("no problem with status %d: %s", a.status, a.body)
	}
	return p
}

// params reads "as_of=5&on=2026-01-01".
func params(t *testing.T, query string) map[string]string {
	t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]string{}
	for name := range values {
		given[name] = values.Get(name)
	}
	return given
}

// overHTTP asks a question over HTTP.
func (s *testServer) overHTTP(question, query string) answer {
	s.t.Helper()
	address, err := Client{URL: s.url}.address(question, params(s.t, query))
	if err != nil {
		s.t.Error(err)
		return answer{}
	}
	return s.get(address)
}

// get fetches an address of the server.
func (s *testServer) get(address string) answer {
	s.t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		s.t.Error(err)
		return answer{}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Error(err)
	}
	want := "application/json"
	if resp.StatusCode != http.StatusOK {
		want = "application/problem+json"
	}
	if got := resp.Header.Get("Content-Type"); got != want {
		s.t.Errorf("%s: %d with the content type %q", address, resp.StatusCode, got)
	}
	s.isDocumented(resp.Request.URL.EscapedPath(), resp.StatusCode, body)
	return answer{resp.StatusCode, strings.TrimSpace(string(body))}
}

// isDocumented fails the test unless the API's document says what was answered: every answer that
// any test gets is looked at.
func (s *testServer) isDocumented(path string, status int, body []byte) {
	s.t.Helper()
	var op *huma.Operation
	for _, template := range paths {
		pattern := "^" + regexp.MustCompile(`\\\{\w+\\\}`).
			ReplaceAllString(regexp.QuoteMeta(Root+template), "[^/]+") + "$"
		item := s.api.OpenAPI().Paths[Root+template]
		if regexp.MustCompile(pattern).MatchString(path) && (op == nil || op.Path != path) {
			op = item.Get
		}
	}
	if op == nil {
		if status != http.StatusNotFound { // which the server says of what is nowhere
			s.t.Errorf("%s is not in the document", path)
		}
		return
	}
	response := op.Responses[strconv.Itoa(status)]
	var decoded any
	if err := json.Unmarshal(body, &decoded); err != nil || response == nil {
		s.t.Errorf("%s: the status %d is not in the document, %v", path, status, err)
		return
	}
	s.validating.Lock() // since huma writes into schemas what it will say of them
	defer s.validating.Unlock()
	for _, content := range response.Content {
		var result huma.ValidateResult
		content.Schema.PrecomputeMessages()
		huma.Validate(s.api.OpenAPI().Components.Schemas, content.Schema,
			huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, decoded, &result)
		for _, err := range result.Errors {
			s.t.Errorf("%s: %v", path, err)
		}
	}
}

// overNATS asks a question over NATS.
func (s *testServer) overNATS(question, query string) answer {
	s.t.Helper()
	data, err := Parameters(params(s.t, query))
	if err != nil {
		s.t.Error(err)
	}
	return s.request(question, string(data))
}

// request sends a request over NATS.
func (s *testServer) request(question, data string) answer {
	s.t.Helper()
	m, err := s.nc.Request(SubjectPrefix+question, []byte(data), patient)
	if err != nil {
		s.t.Errorf("%s %s: %v", question, data, err)
		return answer{}
	}
	status := http.StatusOK
	if code := m.Header.Get(micro.ErrorCodeHeader); code != "" {
		if status, err = strconv.Atoi(code); err != nil {
			s.t.Error(err)
		}
	}
	return answer{status, strings.TrimSpace(string(m.Data))}
}

// ask asks on both faces, and fails the test unless they answer in the same bytes and without any
// null.
func (s *testServer) ask(question, query string) answer {
	s.t.Helper()
	return s.same(question+" "+query, s.overHTTP(question, query), s.overNATS(question, query))
}

// askTogether asks on both faces at the same time, and returns when both have answered.
func (s *testServer) askTogether(question, query string) <-chan answer {
	first, second, both := make(chan answer, 1), make(chan answer, 1), make(chan answer, 1)
	go func() { first <- s.overHTTP(question, query) }()
	go func() { second <- s.overNATS(question, query) }()
	go func() { both <- s.same(question+" "+query, <-first, <-second) }()
	return both
}

func (s *testServer) same(what string, a, b answer) answer {
	s.t.Helper()
	if a != b {
		s.t.Errorf("%s\nover HTTP: %d %s\nover NATS: %d %s", what, a.status, a.body,
			b.status, b.body)
	}
	var decoded any
	if err := json.Unmarshal([]byte(a.body), &decoded); err != nil {
		s.t.Errorf("%s: %v in %s", what, err, a.body)
	}
	if at := findNull(decoded); at != "" {
		s.t.Errorf("%s: %s is null in %s", what, at, a.body)
	}
	return a
}

// findNull returns where a null is, "" when there is none.
func findNull(v any) string {
	switch v := v.(type) {
	case nil:
		return "."
	case map[string]any:
		for name, member := range v {
			if at := findNull(member); at != "" {
				return "." + name + at
			}
		}
	case []any:
		for i, element := range v {
			if at := findNull(element); at != "" {
				return "[" + strconv.Itoa(i) + "]" + at
			}
		}
	}
	return ""
}

// told asks on both faces and decodes the answer.
func told[A any](s *testServer, question, query string) (a A) {
	s.t.Helper()
	return decode[A](s, s.ask(question, query))
}

func decode[A any](s *testServer, from answer) (a A) {
	s.t.Helper()
	if from.status != http.StatusOK {
		s.t.Fatalf("%d %s", from.status, from.body)
	}
	dec := json.NewDecoder(bytes.NewReader([]byte(from.body)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&a); err != nil {
		s.t.Fatalf("%v in %s", err, from.body)
	}
	return a
}
