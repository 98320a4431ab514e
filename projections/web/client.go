package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"muster/events/problem"
	"muster/events/problem/wire"
)

// A Client asks a server's HTTP API. It may be used concurrently.
type Client struct {
	// URL is the server's, such as http://127.0.0.1:8080.
	URL string
	// HTTP does the requests; http.DefaultClient when nil.
	HTTP *http.Client
}

// maxAnswer is the most bytes of an answer that a client reads.
const maxAnswer = 1 << 30

// Ask asks a question by its name, with its parameters, and decodes the answer. Empty parameters
// are left out. The error is the server's problem, or one of kind Unavailable when no answer came;
// it is in the chain of ctx.Err() when ctx has ended.
func (c Client) Ask(ctx context.Context, question string, parameters map[string]string,
	into any) error {
	if question == "preview" {
		return c.post(ctx, question, parameters, into)
	}
	where, err := c.address(question, parameters)
	if err != nil {
		return err
	}
	return c.ask(ctx, http.MethodGet, where, nil, into)
}

// post asks a question whose parameters are more than an address may hold.
func (c Client) post(ctx context.Context, question string, parameters map[string]string,
	into any) error {
	where, err := c.address(question, nil)
	if err != nil {
		return err
	}
	body, err := Parameters(parameters)
	if err != nil {
		return err
	}
	return c.ask(ctx, http.MethodPost, where, bytes.NewReader(body), into)
}

// address returns where a question with its parameters is asked.
func (c Client) address(question string, parameters map[string]string) (string, error) {
	row := find(questions, question)
	if row == nil {
		return "", fmt.Errorf("there is no question %q", question)
	}
	path := row.path
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.Scheme != "http" &&
		u.Scheme != "https" {
		return "", problem.New(problem.Usage, "%q is no server's address", c.URL).
			WithHint("write it such as http://127.0.0.1:8080")
	}
	q := url.Values{}
	for name, value := range parameters {
		if value == "" {
			continue
		}
		if part := "{" + name + "}"; strings.Contains(path, part) {
			path = strings.ReplaceAll(path, part, segment(value))
		} else {
			q.Set(name, value)
		}
	}
	if part := partOfPath.FindStringSubmatch(path); part != nil {
		return "", problem.OfFields(
			[]problem.Field{{Location: part[1],
				Message: "missing: it is part of the question's path"}})
	}
	where := strings.TrimSuffix(c.URL, "/") + Root + path
	if len(q) > 0 {
		where += "?" + q.Encode()
	}
	return where, nil
}

// segment escapes a part of a path. One of dots alone would be a way up.
func segment(s string) string {
	if strings.Trim(s, ".") == "" {
		return strings.ReplaceAll(s, ".", "%2E")
	}
	return url.PathEscape(s)
}

func (c Client) ask(ctx context.Context, method, where string, body io.Reader, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, where, body)
	if err != nil {
		return problem.New(problem.Usage, "the server's address %q: %w", c.URL, err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	data, err := wire.Fetch(c.HTTP, c.URL, req, maxAnswer, "")
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return problem.New(problem.Unavailable, "the answer from %s is none of Muster's", c.URL).
			WithHint("is there a Muster server at this address, and nothing else in between?")
	}
	return nil
}

// Parameters renders the parameters of a question as the JSON of a request over NATS. Empty ones
// are left out.
func Parameters(parameters map[string]string) ([]byte, error) {
	given := map[string]string{}
	for name, value := range parameters {
		if value != "" {
			given[name] = value
		}
	}
	return json.Marshal(given)
}
