package access

import (
	"context"
	"slices"
	"strings"
	"sync"

	"muster/events"
)

// A Visit gathers, while a request is answered, what only the inside of the server learns of it:
// who asks, and in which view it is answered. It is for the access log, which stands outside.
type Visit struct {
	mu     sync.Mutex
	reader Reader
	views  []string
}

type visitKey struct{}

// WithVisit returns a context in which a request is answered, and what is learned of it.
func WithVisit(ctx context.Context) (context.Context, *Visit) {
	v := &Visit{}
	return context.WithValue(ctx, visitKey{}, v), v
}

// visitOf returns the visit of a context. One that nobody looks at takes what is noted, too.
func visitOf(ctx context.Context) *Visit {
	if v, ok := ctx.Value(visitKey{}).(*Visit); ok {
		return v
	}
	return &Visit{}
}

// NoteReader notes who asks: where a reader signs in, or is put into a context.
func NoteReader(ctx context.Context, r Reader) {
	v := visitOf(ctx)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.reader = r
}

// NoteView notes a view that was chosen.
func NoteView(ctx context.Context, view events.View) {
	v := visitOf(ctx)
	v.mu.Lock()
	defer v.mu.Unlock()
	if !slices.Contains(v.views, string(view)) {
		v.views = append(v.views, string(view))
	}
}

// Noted returns who has asked, and the views of the answer: one, as a rule.
func (v *Visit) Noted() (Reader, string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.reader, strings.Join(v.views, " ")
}

// ContextOf returns the context in which a request over NATS is answered.
func ContextOf(request any) context.Context {
	if r, ok := request.(interface{ Context() context.Context }); ok {
		return r.Context()
	}
	return context.Background()
}
