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

// CSV answers what is asked for with .csv at the end of a question's path with the rows of the answer, and hands all else on to next.
// It is called after Register.
func (s *Service) CSV(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", next)
	for question, rows := range s.tables {
		path := Root + paths[question]
		part := partOfPath.FindStringSubmatch(path)
		if part == nil {
			mux.HandleFunc("GET "+path+csvSuffix, func(w http.ResponseWriter, r *http.Request) { answerCSV(w, r, paths[question], question, "", rows) })
			continue
		}
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			value, isCSV := strings.CutSuffix(r.PathValue(part[1]), csvSuffix)
			if !isCSV {
				next.ServeHTTP(w, r)
				return
			}
			answerCSV(w, r, paths[question], question, value, rows)
		})
	}
	return mux
}

// answerCSV answers with rows, or with a problem as every other address does. Value is that of the part of the path.
func answerCSV(w http.ResponseWriter, r *http.Request, path, question, value string, rows func(context.Context, request) (Table, error)) {
	t, err := func() (Table, error) {
		values, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return Table{}, garbledQuery(err)
		}
		return rows(r.Context(), requestFrom(path, values, func(string) string { return value }))
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
