package web

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"muster/events/problem"
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

// Ask asks a question by its name, with its parameters, and decodes the answer. Empty parameters are left out.
func (c Client) Ask(ctx context.Context, question string, parameters map[string]string, answer any) error {
	path, q := paths[question], url.Values{}
	for name, value := range parameters {
		if in := "{" + name + "}"; strings.Contains(path, in) {
			path = strings.ReplaceAll(path, in, url.PathEscape(value))
		} else if value != "" {
			q.Set(name, value)
		}
	}
	where := strings.TrimSuffix(c.URL, "/") + Root + path
	if len(q) > 0 {
		where += "?" + q.Encode()
	}
	return c.get(ctx, where, answer)
}

func (c Client) get(ctx context.Context, where string, answer any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return problem.New(problem.Usage, "the server's address %q: %w", c.URL, err)
	}
	do := c.HTTP
	if do == nil {
		do = http.DefaultClient
	}
	resp, err := do.Do(req)
	if err != nil {
		return problem.New(problem.Unavailable, "no answer from %s: %w", c.URL, err).
			WithHint("is the server running there? start it with: muster serve")
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return problem.New(problem.Unavailable, "the answer from %s broke off: %w", c.URL, err)
	}
	if resp.StatusCode != http.StatusOK {
		return problem.Decode(resp.StatusCode, body)
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return fmt.Errorf("the answer from %s: %w", c.URL, err)
	}
	return nil
}

// numbers are the parameters that are numbers in JSON.
var numbers = map[string]bool{"limit": true, "wait": true, "min_seq": true}

// Parameters renders the parameters of a question as the JSON of a request over NATS. Empty ones are left out.
func Parameters(parameters map[string]string) ([]byte, error) {
	given := map[string]any{}
	for name, value := range parameters {
		switch {
		case value == "":
		case numbers[name]:
			given[name] = json.Number(value)
		default:
			given[name] = value
		}
	}
	return json.Marshal(given)
}
