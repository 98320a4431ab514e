package web

import (
	"context"
	"net/http"
	"strings"

	"muster/events/problem"
	"muster/events/problem/wire"
)

// A writePage is given each page of a list to write, of which the first is there even when it has
// no rows. A list of which the client has limited the length may go on: then the first page comes
// with the parameters that lead to the rest.
type writePage func(page Table, rest map[string]string) error

// A pagedQuery asks for a list that has pages, as A.
type pagedQuery[A any] interface {
	// rest returns the parameters that lead to what is left of a list behind the limit that the
	// client has set; nil where nothing is, or no limit was set. A is its first page.
	rest(ctx context.Context, s *Service, a A) (map[string]string, error)
	// next asks for the page behind a, all of one moment, and reports whether there is one.
	next(a A) bool
}

// listPages answers a question in rows: a list is whole, however many pages it has.
func listPages[Q, A any](ctx context.Context, s *Service, q *Q,
	answer func(context.Context, *Service, *Q) (A, error), table func(A) Table,
	write writePage) error {
	page := func() (a A, err error) {
		ctx, done, err := s.slot(ctx) // which nobody holds while the client reads
		if err != nil {
			return a, err
		}
		defer done()
		return answer(ctx, s, q)
	}
	a, err := page()
	if err != nil {
		return err
	}
	paged, ok := any(q).(pagedQuery[A])
	if !ok {
		return write(table(a), nil)
	}
	rest, err := paged.rest(ctx, s, a)
	for err == nil {
		if err = write(table(a), rest); err != nil || !paged.next(a) {
			return err
		}
		a, err = page()
	}
	return err
}

// Handler serves what stands before and beside the API, which is next, and hands all else on to it:
// entity tags, the rows of a question with .csv at the end of its path, and live updates. It is
// called after Register. What is answered is what its Content-Type says: no browser may guess that
// a list is a page.
func (s *Service) Handler(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	s.routes = mux
	mux.Handle("/", next)
	mux.HandleFunc(FeedsRoot, s.serveFeed)
	mux.Handle(strings.TrimSuffix(FeedsRoot, "/"), next) // the page, and no way to a feed
	s.handleLive(mux)
	for _, q := range s.questions {
		plain := s.cached(&q, "", next)
		if q.list == nil {
			mux.Handle("GET "+Root+q.path, plain)
			continue
		}
		s.handleRows(mux, &q, plain)
	}
	whole := s.Known(withProblems(mux, next))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		whole.ServeHTTP(w, r)
	})
}

// withProblems answers what nothing in the API stands for with a problem, as all else there is
// answered: neither in mux nor behind it, in next.
func withProblems(mux *http.ServeMux, next http.Handler) http.Handler {
	behind, ok := next.(*http.ServeMux)
	if !ok {
		return mux
	}
	stands := func(r *http.Request) bool {
		if _, pattern := mux.Handler(r); pattern != "/" {
			return true
		}
		_, pattern := behind.Handler(r)
		return pattern != "" && pattern != "GET /" // which is of pages
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/api/") || stands(r) {
			mux.ServeHTTP(w, r)
			return
		}
		var methods []string
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost,
			http.MethodDelete} {
			other := r.Clone(r.Context())
			other.Method = method
			if stands(other) {
				methods = append(methods, method)
			}
		}
		if len(methods) == 0 {
			wire.HTTP(w, problem.New(problem.NotFound, "there is nothing at %s",
				problem.Name(r.URL.Path)).
				WithHint("the API is described at %s/openapi.json and %[1]s/docs",
					BaseOf(r.Context())))
			return
		}
		w.Header().Set("Allow", strings.Join(methods, ", "))
		p := *problem.New(problem.Usage, "%s is not done here: use %s", problem.Name(r.Method),
			methods[0])
		p.Kind.Status = http.StatusMethodNotAllowed
		wire.HTTP(w, &p)
	})
}

// handleRows serves a question that has rows, in each of their forms.
func (s *Service) handleRows(mux *http.ServeMux, q *question, plain http.Handler) {
	path := Root + q.path
	rows := map[string]http.Handler{}
	for _, form := range formsOf(q.name) {
		rows[form.suffix] = s.cached(q, form.suffix, http.HandlerFunc(
			func(w http.ResponseWriter, r *http.Request) { s.answerRows(w, r, q, form) }))
	}
	part := partOfPath.FindStringSubmatch(path)
	if part == nil || !strings.HasSuffix(path, part[0]) {
		mux.Handle("GET "+path, plain)
		for suffix, answers := range rows {
			mux.Handle("GET "+path+suffix, answers)
		}
		return
	}
	mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
		_, suffix := withoutSuffix(r.PathValue(part[1]))
		if answers := rows[suffix]; answers != nil {
			answers.ServeHTTP(w, r)
		} else {
			plain.ServeHTTP(w, r)
		}
	})
}
