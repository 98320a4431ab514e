package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"muster/projections"
	"muster/projections/access"
)

// An answer follows from the records, the question and its parameters, so that its strong entity
// tag (RFC 9110, section 8.8.3) is known before the answer is: whoever has it already is told so
// for next to nothing.

// uncached are the questions whose answers are work that was asked for, or that wait.
var uncached = []string{"rebuild"}

// cached answers with 304 whoever has the answer, and puts its tag on it otherwise. Form tells
// apart what one question is answered in.
func (s *Service) cached(q *question, form string, next http.Handler) http.Handler {
	if slices.Contains(uncached, q.name) {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, err := requestOfHTTP(r, q.path, form)
		var query any
		s := s // as it answers in a view
		if err == nil {
			s, err = s.choose(r.Context(), given)
		}
		as := form
		if f := formOf(q.name, form); err == nil && f != nil && f.followed {
			var told teller
			told, err = s.takeLanguage(f, &given)
			as += " " + told.lang() + " " + ReachedAt(r) // the address that was asked
		}
		if err == nil {
			query, err = q.parse(s, given)
		}
		if err != nil {
			next.ServeHTTP(w, r)
			return
		}
		tag := func() string { now, _ := s.tag(q.name, as, given, query); return now }
		now, lasting := s.tag(q.name, as, given, query)
		if now == "" {
			next.ServeHTTP(w, r)
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), parsedKey{}, parsed{q.name, query}))
		w.Header().Set("ETag", now)
		w.Header().Set("Cache-Control", "private, no-cache")
		// So that only another version of the program could answer otherwise.
		if lasting && s.Reads == access.ReadOpen {
			w.Header().Set("Cache-Control", "private, max-age=86400")
		}
		if matches(r.Header.Values("If-None-Match"), now) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		anything := slices.Contains(r.Header.Values("If-None-Match"), "*")
		if !anything && s.kept.write(w, now) {
			return
		}
		t := &tagged{ResponseWriter: w, tag: tag, anything: anything}
		next.ServeHTTP(t, r)
		if t.isWhole() {
			s.kept.keep(now, w.Header(), t.body)
		}
	})
}

// tag returns the entity tag of the answer to a question at this moment; "" when it is not known
// before the answer is: the question waits for a record, goes by the time of day, or looks at a
// record that is not in the picture yet. It names what the answer follows from: the ledger, the
// form, what was given, and, of a question about moments, these moments with every default filled
// in. Lasting says that no later day and no later record changes the answer.
func (s *Service) tag(question, form string, r request, query any) (tag string, lasting bool) {
	if r.given["wait"] != "" {
		return "", false
	}
	_ = s.Projector.View(func(p *projections.Picture) error {
		founding, ok := p.Founding()
		if !ok {
			return nil
		}
		is, err := s.validityOf(p, query)
		if err != nil || is.passing || is.needs > p.Sequence() {
			return err
		}
		founded, _ := p.Recorded(1)
		sum := sha256.New()
		fmt.Fprintf(sum, "%q %q %d %q %q %q %q %q %q", founding.Origin, founding.Founder,
			founded.UnixMicro(), s.CheckpointKey, s.Version, question, form, is.moments, s.view)
		for _, name := range slices.Sorted(maps.Keys(r.given)) {
			if value := r.given[name]; value != "" && name != "min_seq" {
				fmt.Fprintf(sum, " %q=%q", name, value)
			}
		}
		if lasting = is.lasting; !lasting {
			fmt.Fprintf(sum, " %d %d", p.Sequence(), s.Source.Last())
		}
		tag = `"` + hex.EncodeToString(sum.Sum(nil)[:16]) + `"`
		return nil
	})
	return tag, lasting
}

// A validity says what an answer looks at, with all defaults filled in, and how long it stays good.
type validity struct {
	moments string // from which it looks
	needs   uint64 // the record that must be in the picture first
	passing bool   // it looks from a while ago
	lasting bool   // no later day and no later record makes another answer
}

// validityOf fills in what a question leaves to the clock and to the ledger. Who asks about no
// moment is answered from all records, and from them alone.
func (s *Service) validityOf(p *projections.Picture, q any) (validity, error) {
	if q, ok := q.(interface {
		validity(*Service, *projections.Picture) (validity, error)
	}); ok {
		return q.validity(s, p)
	}
	return validity{}, nil
}

func (q *MomentQuery) validity(s *Service, p *projections.Picture) (validity, error) {
	m, err := s.moment(p, *q, 0)
	return validity{moments: fmt.Sprint(m.AsOf, m.On, m.Until, m.Beginning, m.NotBegun),
		needs:   s.needed(*q),
		passing: q.AsOf.Passing, lasting: q.AsOf.Sequence != 0 && !q.Today}, err
}

func (q *TimelineQuery) validity(s *Service, p *projections.Picture) (validity, error) {
	is, err := q.MomentQuery.validity(s, p)
	is.moments += fmt.Sprint(" ", q.Filter.Days.From, q.Filter.Days.Until)
	return is, err
}

// What was counted for a record is told as of now, too.
func (q *CountedQuery) validity(s *Service, p *projections.Picture) (validity, error) {
	is, err := q.MomentQuery.validity(s, p)
	is.needs, is.lasting = max(is.needs, q.Record), false
	return is, err
}

func (q *DiffQuery) validity(s *Service, p *projections.Picture) (validity, error) {
	from, to, err := q.moments(s, p)
	return validity{moments: fmt.Sprint(from.AsOf, from.On, to.AsOf, to.On,
		to.Beginning, to.NotBegun),
		needs:   max(s.needed(q.From), s.needed(q.To)),
		passing: q.From.AsOf.Passing || q.To.AsOf.Passing}, err
}

// A time to begin at may pass between two records of which the picture does not know yet.
func (q *RecordsQuery) validity(s *Service, p *projections.Picture) (is validity, err error) {
	is.moments, is.passing = fmt.Sprint(firstRecord(p, q.From)), q.From.Passing
	if !q.From.Time.IsZero() {
		is.needs = s.Source.Last()
	}
	return is, nil
}

func (q *FingerprintQuery) validity(s *Service, p *projections.Picture) (validity, error) {
	m := MomentQuery{AsOf: q.AsOf, MinSeq: q.MinSeq}
	return m.validity(s, p)
}

// requestOfHTTP takes a request from its address.
func requestOfHTTP(r *http.Request, path, form string) (request, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return request{}, garbledQuery(err)
	}
	return requestFrom(path, values, func(name string) string {
		value := r.PathValue(name)
		return strings.TrimSuffix(value, form)
	}).noneEmpty(), nil
}

// matches reports whether the tag is among those that somebody has (RFC 9110, section 13.1.2).
func matches(has []string, tag string) bool {
	for _, line := range has {
		for one := range strings.SplitSeq(line, ",") {
			one = strings.TrimPrefix(strings.TrimSpace(one), "W/")
			if one == tag {
				return true
			}
		}
	}
	return false
}

// A tagged answer loses its tag when it is none: a problem; or when a record came while it was
// made, so that it may be of either sequence.
type tagged struct {
	http.ResponseWriter
	tag func() string
	// The client has any answer there is (If-None-Match: *), which is only known when there is one.
	anything bool
	written  bool
	kept     bool   // the client has it
	body     []byte // what was written, while it is an answer that may be kept
	lost     bool   // it is not
}

// isWhole reports whether all of an answer was written that has kept its tag.
func (t *tagged) isWhole() bool {
	return t.written && !t.kept && !t.lost && t.Header().Get("ETag") != ""
}

// WriteHeader implements http.ResponseWriter.
func (t *tagged) WriteHeader(status int) {
	t.lost = t.lost || status != http.StatusOK
	if h := t.Header(); !t.written && (status != http.StatusOK || t.tag() != h.Get("ETag")) {
		h.Del("ETag")
		h.Set("Cache-Control", "no-store")
	}
	t.written = true
	if t.kept = t.anything && status == http.StatusOK; t.kept {
		status = http.StatusNotModified
	}
	t.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (t *tagged) Write(data []byte) (int, error) {
	if !t.written {
		t.WriteHeader(http.StatusOK)
	}
	if t.kept {
		return len(data), nil
	}
	if t.lost = t.lost || len(t.body)+len(data) > maxCachedResponse; !t.lost {
		t.body = append(t.body, data...)
	}
	n, err := t.ResponseWriter.Write(data)
	t.lost = t.lost || err != nil
	return n, err
}

// Unwrap lets http.ResponseController reach what is wrapped.
func (t *tagged) Unwrap() http.ResponseWriter { return t.ResponseWriter }
