package web

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"muster/events/problem"
)

const csvSuffix = ".csv"

// serveCSV gives a question's rows an address.
func (s *Service) serveCSV(question string, rows func(context.Context, request) (Table, error)) {
	s.tables[question] = rows
}

// Handler serves what stands before and beside the API, which is next, and hands all else on to it: entity tags, the rows of a question
// with .csv at the end of its path, and live updates. It is called after Register. What is answered is what its Content-Type says: no browser
// may guess that a list is a page.
func (s *Service) Handler(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", withProblems(next))
	s.handleLive(mux)
	for question, path := range paths {
		plain, rows := s.cached(question, "json", next), s.tables[question]
		if rows == nil {
			mux.Handle("GET "+Root+path, plain)
			continue
		}
		s.handleRows(mux, question, Root+path, plain, rows)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		mux.ServeHTTP(w, r)
	})
}

// withProblems answers what nothing in the API stands for with a problem, as all else there is answered.
func withProblems(next http.Handler) http.Handler {
	mux, ok := next.(*http.ServeMux)
	if !ok {
		return next
	}
	stands := func(r *http.Request) bool {
		_, pattern := mux.Handler(r)
		return pattern != "" && pattern != "GET /" // which is of pages
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/api/") || stands(r) {
			next.ServeHTTP(w, r)
			return
		}
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			other := r.Clone(r.Context())
			other.Method = method
			if stands(other) {
				w.Header().Set("Allow", method)
				p := *problem.New(problem.Usage, "%s is not done here: use %s", r.Method, method)
				p.Kind.Status = http.StatusMethodNotAllowed
				writeProblem(w, &p)
				return
			}
		}
		writeProblem(w, problem.New(problem.NotFound, "there is nothing at %s", printable(r.URL.Path)).WithHint("the API is described at /openapi.json and /docs"))
	})
}

// handleRows serves a question that has rows.
func (s *Service) handleRows(mux *http.ServeMux, question, path string, plain http.Handler, rows func(context.Context, request) (Table, error)) {
	part := partOfPath.FindStringSubmatch(path)
	if part == nil || !strings.HasSuffix(path, part[0]) {
		mux.Handle("GET "+path, plain)
		mux.Handle("GET "+path+csvSuffix, s.cached(question, "csv", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answerCSV(w, r, paths[question], question, r.PathValue, rows)
		})))
		return
	}
	csv := s.cached(question, "csv", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		value := strings.TrimSuffix(r.PathValue(part[1]), csvSuffix)
		answerCSV(w, r, paths[question], question, func(string) string { return value }, rows)
	}))
	mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.PathValue(part[1]), csvSuffix) {
			csv.ServeHTTP(w, r)
		} else {
			plain.ServeHTTP(w, r)
		}
	})
}

// answerCSV answers with rows, or with a problem as every other address does. Part gives the parts of the path.
func answerCSV(w http.ResponseWriter, r *http.Request, path, question string, part func(string) string, rows func(context.Context, request) (Table, error)) {
	t, err := func() (Table, error) {
		values, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return Table{}, garbledQuery(err)
		}
		return rows(r.Context(), requestFrom(path, values, part))
	}()
	var out bytes.Buffer
	if err == nil {
		err = t.WriteCSV(&out)
	}
	if err != nil {
		writeProblem(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", `inline; filename="`+question+csvSuffix+`"`)
	_, _ = w.Write(out.Bytes())
}

// writeProblem answers with problem+json (RFC 9457).
func writeProblem(w http.ResponseWriter, err error) {
	p := problem.From(err)
	body, encoded := json.Marshal(p)
	if encoded != nil {
		body = nil
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Kind.Status)
	_, _ = w.Write(body)
}
