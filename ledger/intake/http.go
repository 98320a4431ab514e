package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/events"
	"muster/events/problem"
	"muster/events/problem/wire"
)

// Path is where statements are posted.
const Path = "/api/v1/statements"

// ContentType of a signed statement: the note is text.
const ContentType = "text/plain"

type postInput struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	RawBody     []byte `contentType:"text/plain"`
}

// note returns the body, unless it says of itself that it is something else than a note.
func (in *postInput) note() ([]byte, error) {
	switch mediaType, _, _ := mime.ParseMediaType(in.ContentType); mediaType {
	// The last is what curl says of any data.
	case ContentType, "application/octet-stream", "application/x-www-form-urlencoded":
		return in.RawBody, nil
	}
	if in.ContentType == "" {
		return in.RawBody, nil
	}
	return nil, problem.New(problem.Usage,
		"the body is said to be %.100q, and a signed statement is text", in.ContentType).
		WithHint("send the signed note as it is, with Content-Type: " + ContentType)
}

// bodyTimeout is how long a client may take to send a statement.
const bodyTimeout = 10 * time.Second

type postOutput struct {
	Status int
	Body   Receipt
}

// Register adds the operation that takes statements to an API.
func Register(api huma.API, to Submitter) {
	huma.Register(api, huma.Operation{
		OperationID: "submit",
		Method:      http.MethodPost,
		Path:        Path,
		Summary:     "Submit a signed statement",
		Description: "The body is the signed note, byte for byte (events/FORMAT.md). The answer " +
			"comes when the statement is recorded for good: 201 the first time, 200 with the " +
			"first receipt when the same statement of the same key was recorded before.",
		Tags:          []string{"statements"},
		DefaultStatus: http.StatusCreated,
		Responses: map[string]*huma.Response{
			"200": {Description: "The first receipt: the same statement of the same key was " +
				"recorded before", Content: map[string]*huma.MediaType{
				"application/json": {
					Schema: api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Receipt](),
						true, "Receipt")}}}},
		Errors: []int{400, 403, 404, 409, 413, 421, 422, 503},
		// One byte more than is taken, so that the refusal is the same as everywhere.
		MaxBodyBytes:    events.MaxBytes + 1,
		BodyReadTimeout: bodyTimeout,
	}, func(ctx context.Context, in *postInput) (*postOutput, error) {
		note, err := in.note()
		if err != nil {
			return nil, err
		}
		r, err := submit(ctx, to, note)
		if err != nil {
			return nil, problem.From(err)
		}
		out := &postOutput{Status: http.StatusCreated, Body: r}
		if r.Again {
			out.Status = http.StatusOK
		}
		return out, nil
	})
	huma.Register(api, huma.Operation{
		OperationID: "check",
		Method:      http.MethodPost,
		Path:        Path + "/check",
		Summary:     "Say whether a statement would be recorded now, and record nothing",
		Description: "The body is a signed draft (events/FORMAT.md, Asking without saying), " +
			"which nobody can record. A signed statement is taken too.",
		Tags:            []string{"statements"},
		Errors:          []int{400, 403, 404, 409, 413, 421, 422, 503},
		MaxBodyBytes:    int64(events.MaxDraftBytes) + 1,
		BodyReadTimeout: bodyTimeout,
	}, func(ctx context.Context, in *postInput) (*checkOutput, error) {
		note, err := in.note()
		if err != nil {
			return nil, err
		}
		c, err := check(ctx, to, note)
		if err != nil {
			return nil, problem.From(err)
		}
		return &checkOutput{c}, nil
	})
	registerBatches(api, to)
	// huma takes a body that it does not decode for bytes
	for _, path := range []string{Path, Path + "/check"} {
		body := api.OpenAPI().Paths[path].Post.RequestBody
		body.Content[ContentType].Schema = &huma.Schema{Type: huma.TypeString,
			Description: "The signed note: the statement as JSON in one line, an empty line, " +
				"and one line of signature"}
	}
}

type checkOutput struct{ Body Checked }

// An HTTPClient submits to a server's HTTP API. It may be used concurrently.
type HTTPClient struct {
	// URL is the server's, such as http://127.0.0.1:8080.
	URL string
	// HTTP does the requests; http.DefaultClient when nil.
	HTTP *http.Client
}

// Submit implements [Submitter].
func (c HTTPClient) Submit(ctx context.Context, s events.Signed) (r Receipt, err error) {
	err = c.post(ctx, Path, s, &r)
	return r, err
}

// Check implements [Submitter].
func (c HTTPClient) Check(ctx context.Context, s events.Signed) (checked Checked, err error) {
	err = c.post(ctx, Path+"/check", s, &checked)
	return checked, err
}

// SubmitBatch implements [Batcher].
func (c HTTPClient) SubmitBatch(ctx context.Context, all []events.Signed) ([]Outcome[Receipt],
	error) {
	return postBatch[Receipt](ctx, c, BatchPath, all)
}

// CheckBatch implements [Batcher].
func (c HTTPClient) CheckBatch(ctx context.Context, all []events.Signed) ([]Outcome[Checked],
	error) {
	return postBatch[Checked](ctx, c, CheckBatchPath, all)
}

func postBatch[T any](ctx context.Context, c HTTPClient, path string,
	all []events.Signed) ([]Outcome[T], error) {
	data, err := batchOf(all)
	if err != nil {
		return nil, err
	}
	var answered Outcomes[T]
	err = c.send(ctx, path, "application/json", data, maxBatchAnswer, &answered)
	return answered.Outcomes, err
}

const (
	// maxAnswer is the most bytes of the answer to a statement that a client reads, and
	// maxBatchAnswer of that to a batch: receipts may repeat the statements.
	maxAnswer      = 1 << 20
	maxBatchAnswer = 8 << 20
)

func (c HTTPClient) post(ctx context.Context, path string, s events.Signed, into any) error {
	return c.send(ctx, path, ContentType, s.Note, maxAnswer, into)
}

func (c HTTPClient) send(ctx context.Context, path, contentType string, data []byte, most int64,
	into any) error {
	where := strings.TrimSuffix(c.URL, "/") + path
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, where, bytes.NewReader(data))
	if err != nil {
		return problem.New(problem.Usage, "the server's address %q: %w", c.URL, err)
	}
	req.Header.Set("Content-Type", contentType)
	body, err := wire.Fetch(c.HTTP, c.URL, req, most, askAgain)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return problem.New(problem.Internal, "the answer from %s is none of Muster's", c.URL).
			WithHint("%s", askAgain)
	}
	return nil
}

const askAgain = "whether it was recorded is not known: send the same statement again, it " +
	"counts once"
