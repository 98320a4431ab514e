package problem

import (
	"encoding/json"
	"strings"
)

// wire is the problem+json document (RFC 9457). Its members are added to, never renamed.
type wire struct {
	Type   string  `json:"type"`
	Title  string  `json:"title"`
	Status int     `json:"status"`
	Detail string  `json:"detail"`
	Code   string  `json:"code,omitempty"`
	Hint   string  `json:"hint,omitempty"`
	Errors []Field `json:"errors,omitempty"`
}

// MarshalJSON writes the problem as problem+json (RFC 9457).
func (p *Problem) MarshalJSON() ([]byte, error) {
	return json.Marshal(wire{
		Type: URNPrefix + p.Kind.Slug, Title: p.Kind.Title, Status: p.Kind.Status,
		Detail: p.Detail, Code: p.Code, Hint: p.Hint, Errors: p.Fields,
	})
}

// UnmarshalJSON reads what MarshalJSON wrote, so that a client reports a server's problem as its
// own. What to do next is one line: a second one could be taken for a message of the client.
func (p *Problem) UnmarshalJSON(data []byte) error {
	var w wire
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	slug, _ := strings.CutPrefix(w.Type, URNPrefix)
	*p = Problem{Kind: KindOf(slug), Detail: w.Detail, Code: w.Code, Hint: oneLine.Replace(w.Hint),
		Fields: w.Errors}
	return nil
}

// Decode reads a server's answer that was not a success. An answer that is no problem+json, from a
// proxy for instance, becomes a problem of its own.
func Decode(status int, body []byte) *Problem {
	p := &Problem{}
	if err := json.Unmarshal(body, p); err == nil && p.Detail != "" {
		return p
	}
	kind, hint := Internal, "is there a Muster server at this address, and nothing else in between?"
	switch status {
	case 404, 405, 501: // what serves files alone, or is older, knows nothing of what was asked
		kind = NotFound
	case 502, 503, 504:
		kind = Unavailable
		hint = "a proxy that reaches no server answers so: ask again in a moment, and tell " +
			"whoever runs it if that lasts"
	}
	return New(kind, "the server answered with status %d and no explanation", status).
		WithHint("%s", hint)
}
