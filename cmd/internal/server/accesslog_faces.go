package server

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"muster/events/problem"
	"muster/projections/access"
	"muster/projections/web"
)

// entry begins the line of a request that began at a time.
func entry(visit *access.Visit, begun time.Time) accessEntry {
	reader, view := visit.Noted()
	return accessEntry{Time: accessTime(begun), Who: reader.Key.Name(),
		Role: reader.Role, View: view,
		MS: time.Since(begun).Milliseconds()}
}

// overHTTP notes what is asked over HTTP, and how it was answered. A stream is noted when it ends.
func (l *accessLog) overHTTP(client func(*http.Request) string, next http.Handler) http.Handler {
	if l == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, visit := access.WithVisit(r.Context())
		begun, method, what := time.Now(), r.Method, shownRequest(r)
		noted := &notedAnswer{ResponseWriter: w}
		defer func() {
			e := entry(visit, begun)
			e.Client, e.Face, e.Method, e.What = client(r), "http", method, what
			e.Status, e.Bytes, e.Refused = noted.outcome()
			l.add(e)
		}()
		next.ServeHTTP(noted, r.WithContext(ctx))
	})
}

// maxShownWhat is the most that the log repeats of what a client has sent.
const maxShownWhat = web.MaxAddress

// A token is a word of so many characters. None belongs into an address, where some client may put
// one all the same; it is not repeated, and neither is one of which characters are escaped, once or
// several times.
const tokenLength = 43

var (
	words   = regexp.MustCompile(`[A-Za-z0-9_-]+`)
	escapes = regexp.MustCompile(`%(?:25)*[0-9A-Fa-f]{2}`)
)

func withoutTokens(what string) string {
	return words.ReplaceAllStringFunc(what, func(word string) string {
		if len(word) == tokenLength {
			return "…"
		}
		return word
	})
}

func unescaped(what string) string {
	return escapes.ReplaceAllStringFunc(what, func(escape string) string {
		char, _ := hex.DecodeString(escape[len(escape)-2:]) // which are digits
		return string(char)
	})
}

// shownRequest is the address of a request: that of a feed without its token, however it is
// written.
func shownRequest(r *http.Request) string {
	if shown := web.ShownPath(r.URL.Path); shown != r.URL.Path {
		return shownWhat(shown)
	}
	return shownWhat(r.RequestURI)
}

func shownWhat(what string) string {
	if len(what) > maxShownWhat {
		what = strings.ToValidUTF8(what[:maxShownWhat], "") + "…"
	}
	plain := unescaped(what)
	if shown := withoutTokens(plain); shown != plain {
		return shown
	}
	return withoutTokens(what)
}

// A notedAnswer remembers what an answer was.
type notedAnswer struct {
	http.ResponseWriter
	status int
	bytes  int64
	told   []byte // the beginning of a problem
}

// Unwrap lets http.ResponseController reach what is wrapped.
func (n *notedAnswer) Unwrap() http.ResponseWriter { return n.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (n *notedAnswer) WriteHeader(status int) {
	if n.status < http.StatusOK {
		n.status = status
	}
	n.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (n *notedAnswer) Write(data []byte) (int, error) {
	if n.status < http.StatusOK {
		n.status = http.StatusOK
	}
	if n.status >= http.StatusBadRequest && len(n.told) < maxTold {
		n.told = append(n.told, data[:min(len(data), maxTold-len(n.told))]...)
	}
	written, err := n.ResponseWriter.Write(data)
	n.bytes += int64(written)
	return written, err
}

// maxTold is more than a problem has.
const maxTold = 64 << 10

// outcome returns how the request was answered. The status is 0 when it was not.
func (n *notedAnswer) outcome() (status int, bytes int64, refused string) {
	if n.status >= http.StatusBadRequest {
		refused = refusal(n.status, n.told)
	}
	return n.status, n.bytes, refused
}

// refusal names the rule or the kind of a problem; a page that tells one has its status alone.
func refusal(status int, told []byte) string {
	p := &problem.Problem{}
	if json.Unmarshal(told, p) == nil && p.Code != "" {
		return p.Code
	}
	if p.Kind.Slug != "" {
		return p.Kind.Slug
	}
	for _, k := range problem.Kinds() {
		if k.Status == status {
			return k.Slug
		}
	}
	return strconv.Itoa(status)
}

// overNATS notes what is asked of a micro service, and how it was answered.
func (l *accessLog) overNATS(svc micro.Service) micro.Service {
	if l == nil {
		return svc
	}
	return notedService{svc, l}
}

type notedService struct {
	micro.Service
	log *accessLog
}

// AddEndpoint implements micro.Service.
func (s notedService) AddEndpoint(name string, h micro.Handler, opts ...micro.EndpointOpt) error {
	return s.Service.AddEndpoint(name, micro.HandlerFunc(func(req micro.Request) {
		ctx, visit := access.WithVisit(context.Background())
		h.Handle(&notedRequest{Request: req, ctx: ctx, visit: visit, begun: time.Now(), log: s.log})
	}), opts...)
}

// A notedRequest writes its line when it is answered, which each is once.
type notedRequest struct {
	micro.Request
	ctx   context.Context
	visit *access.Visit
	begun time.Time
	log   *accessLog
}

// Context is that in which the request is answered: see [access.ContextOf].
func (r *notedRequest) Context() context.Context { return r.ctx }

// Respond implements micro.Request.
func (r *notedRequest) Respond(data []byte, opts ...micro.RespondOpt) error {
	err := r.Request.Respond(data, opts...)
	if err != nil {
		return err // it is answered otherwise, or the connection is gone
	}
	answer := &nats.Msg{Header: nats.Header{}}
	for _, opt := range opts {
		opt(answer)
	}
	e := entry(r.visit, r.begun)
	e.Client, e.Face, e.Method, e.What = web.Inbox(r.Reply()), "nats", "request", r.what()
	e.Status, e.Bytes = http.StatusOK, int64(len(data))
	if status, err := strconv.Atoi(answer.Header.Get(micro.ErrorCodeHeader)); err == nil {
		e.Status, e.Refused = status, refusal(status, data)
	}
	r.log.add(e)
	return nil
}

// what is the subject and, of what asks, the parameters: not what was signed.
func (r *notedRequest) what() string {
	subject := r.Subject()
	name, _, _ := strings.Cut(strings.TrimPrefix(subject, web.SubjectPrefix), ".")
	if slices.Contains([]string{"submit", "submit-batch", "check", "check-batch", "session"},
		name) {
		return subject
	}
	data := r.Data()
	return shownWhat(strings.TrimSpace(subject + " " + string(data[:min(len(data), maxShownWhat)])))
}
