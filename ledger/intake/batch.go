package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"muster/events"
	"muster/events/problem"
)

// BatchPath is where several statements are posted in one request, and CheckBatchPath where they
// are checked.
const (
	BatchPath      = Path + "/batch"
	CheckBatchPath = Path + "/check/batch"
)

// A Batch is several statements that are sent in one request. They are worked on beside each other,
// so that none may rest on another one of them; each is recorded or refused by itself.
type Batch struct {
	Statements []string `json:"statements" minItems:"1" maxItems:"64" doc:"The signed notes, each as one text; none may rest on another one of them"`
}

// An Outcome is what became of one statement of a batch: the answer that it would have had alone,
// or the problem.
type Outcome[T any] struct {
	Answer  *T               `json:"answer,omitempty" doc:"What the statement is answered with; none where there is a problem"`
	Problem *problem.Problem `json:"problem,omitempty" doc:"Why it is refused, or whether it was recorded is not known"`
}

// Outcomes are those of the statements of a batch, in their order.
type Outcomes[T any] struct {
	Outcomes []Outcome[T] `json:"outcomes" doc:"What became of each statement, in the order in which they were sent"`
}

// Refusing is an answer with problems of its parts, each of which TellProblems replaces.
type Refusing interface {
	TellProblems(in func(*problem.Problem) *problem.Problem)
}

// TellProblems implements [Refusing].
func (all Outcomes[T]) TellProblems(in func(*problem.Problem) *problem.Problem) {
	for i := range all.Outcomes {
		if p := all.Outcomes[i].Problem; p != nil {
			all.Outcomes[i].Problem = in(p)
		}
	}
}

// maxBatchBytes is the most bytes of a batch as it is sent: as many as a message over NATS has.
const maxBatchBytes = 1 << 20

func (b *Batch) check() error {
	if n := len(b.Statements); n < 1 || n > events.MaxBatch {
		return problem.New(problem.Usage,
			"a batch has from 1 to %d statements, and this one has %d", events.MaxBatch, n).
			WithHint("send the others in further requests")
	}
	return nil
}

// each does one thing with every statement of a batch, and returns what became of them. Where this
// server takes none at all, that is the answer to the request.
func each[T any](ctx context.Context, b *Batch,
	do func(context.Context, []byte) (T, error)) (all Outcomes[T], err error) {
	if err := b.check(); err != nil {
		return all, err
	}
	all.Outcomes = make([]Outcome[T], len(b.Statements))
	var working sync.WaitGroup
	var broken panics
	for i, note := range b.Statements {
		working.Go(func() {
			defer broken.note()
			all.Outcomes[i] = outcomeOf(do(ctx, []byte(note)))
		})
	}
	working.Wait()
	broken.again()
	for _, o := range all.Outcomes {
		if o.Problem == nil || o.Problem.Kind != problem.Misdirected {
			return all, nil
		}
	}
	return all, all.Outcomes[0].Problem
}

func outcomeOf[T any](answer T, err error) Outcome[T] {
	if err != nil {
		return Outcome[T]{Problem: problem.From(err)}
	}
	return Outcome[T]{Answer: &answer}
}

// panics has what panics in a goroutine of a request panic in that of the request itself, where it
// is recovered from and logged.
type panics struct {
	once sync.Once
	what string
}

func (p *panics) note() {
	if broken := recover(); broken != nil {
		p.once.Do(func() { p.what = fmt.Sprintf("%v\n%s", broken, debug.Stack()) })
	}
}

func (p *panics) again() {
	if p.what != "" {
		panic(p.what)
	}
}

type batchInput struct{ Body Batch }

type batchOutput[T any] struct{ Body Outcomes[T] }

// registerBatches adds the operations that take several statements to an API.
func registerBatches(api huma.API, to Submitter) {
	registerBatch(api, huma.Operation{OperationID: "submit-batch", Path: BatchPath,
		Summary: "Submit several signed statements",
		Description: "As many requests to " + Path + " in one: each statement is recorded or " +
			"refused by itself, and has its own receipt or problem, in the order in which they " +
			"were sent. They are worked on beside each other: none may rest on another one of " +
			"them. A batch that is sent again counts once, as each of its statements does.",
	}, func(ctx context.Context, note []byte) (Receipt, error) { return submit(ctx, to, note) })
	registerBatch(api, huma.Operation{OperationID: "check-batch", Path: CheckBatchPath,
		Summary: "Say of several statements whether each would be recorded now, and record nothing",
		Description: "As many requests to " + Path + "/check in one: each statement is looked " +
			"at by itself, as if the others had not been sent.",
	}, func(ctx context.Context, note []byte) (Checked, error) { return check(ctx, to, note) })
}

func registerBatch[T any](api huma.API, op huma.Operation,
	do func(context.Context, []byte) (T, error)) {
	op.Method, op.Tags = http.MethodPost, []string{"statements"}
	op.Errors = []int{400, 413, 421, 422, 429, 503}
	op.MaxBodyBytes, op.BodyReadTimeout = maxBatchBytes+1, bodyTimeout
	huma.Register(api, op, func(ctx context.Context, in *batchInput) (*batchOutput[T], error) {
		all, err := each(ctx, &in.Body, do)
		if err != nil {
			return nil, problem.From(err)
		}
		return &batchOutput[T]{all}, nil
	})
}

// eachOverNATS is each, with what comes and goes as JSON.
func eachOverNATS[T any](do func(context.Context, []byte) (T, error)) func(context.Context,
	[]byte) (any, error) {
	return func(ctx context.Context, data []byte) (any, error) {
		var b Batch
		if err := json.Unmarshal(data, &b); err != nil {
			return nil, problem.New(problem.Usage,
				"the request must be a JSON object with statements, a list of signed notes")
		}
		return each(ctx, &b, do)
	}
}

// A Batcher takes several statements in one request, too. The error is of the request: what became
// of each statement is not known then. Where the server takes no batches, it is of kind NotFound.
type Batcher interface {
	Submitter
	// SubmitBatch submits statements of which none rests on another one of them.
	SubmitBatch(ctx context.Context, all []events.Signed) ([]Outcome[Receipt], error)
	// CheckBatch checks them.
	CheckBatch(ctx context.Context, all []events.Signed) ([]Outcome[Checked], error)
}

// batchOf is what is sent of statements: their notes, with no character escaped that need not be.
func batchOf(all []events.Signed) ([]byte, error) {
	b := Batch{Statements: make([]string, len(all))}
	for i := range all {
		b.Statements[i] = string(all[i].Note)
	}
	var text bytes.Buffer
	to := json.NewEncoder(&text)
	to.SetEscapeHTML(false)
	err := to.Encode(b)
	return text.Bytes(), err
}
