package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"muster/events"
	"muster/projections"
)

// An answer follows from the records, the question and its parameters, so that its strong entity tag (RFC 9110, section 8.8.3) is
// known before the answer is: whoever has it already is told so for next to nothing.

// uncached are the questions whose answers are work that was asked for, or that wait.
var uncached = []string{"rebuild"}

// cached answers with 304 whoever has the answer, and puts its tag on it otherwise. Form tells apart what one question is
// answered in.
func (s *Service) cached(question, form string, next http.Handler) http.Handler {
	if slices.Contains(uncached, question) {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tag := func() string { return s.tag(question, form, r.URL) }
		now := tag()
		if now == "" {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("ETag", now)
		w.Header().Set("Cache-Control", caching(question, r.URL.Query()))
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

// tag returns the entity tag of the answer to a question at this moment; "" when it is not known before the answer is: the
// question waits for a record, or goes by the time of day.
func (s *Service) tag(question, form string, address *url.URL) (tag string) {
	q, err := url.ParseQuery(address.RawQuery)
	if err != nil {
		return ""
	}
	_ = s.Projector.View(func(p *projections.Picture) error {
		seq := p.Sequence()
		if question == "records" || question == "ledger" {
			seq = s.Source.Last()
		}
		least, _ := strconv.ParseUint(q.Get("min_seq"), 10, 64)
		founding, ok := p.Founding()
		if !ok || least > seq || q.Has("wait") || slices.ContainsFunc([]string{"as_of", "from", "to"}, func(name string) bool { return strings.HasPrefix(q.Get(name), "-") }) {
			return nil
		}
		founded, _ := p.Recorded(1)
		sum := sha256.New()
		fmt.Fprintf(sum, "%q %q %d %q %q %q %q %q", founding.Origin, founding.Founder, founded.UnixMicro(), s.CheckpointKey, s.Version, question, form, address.Path)
		q.Del("min_seq")
		fmt.Fprintf(sum, " %q", q.Encode())
		if asOf, err := strconv.ParseUint(q.Get("as_of"), 10, 64); err != nil || asOf > seq || question == "counted" {
			fmt.Fprintf(sum, " %d", seq) // all others are answered from the records up to there, for ever
		}
		if !q.Has("on") && !q.Has("as_of") {
			fmt.Fprintf(sum, " %s", events.DateOf(s.Now()))
		}
		tag = `"` + hex.EncodeToString(sum.Sum(nil)[:16]) + `"`
		return nil
	})
	return tag
}

// caching says how long an answer is good for: a day when both clocks are set to what has passed, so that only another version of the program
// could answer otherwise, and else until it is asked for again.
func caching(question string, q url.Values) string {
	if _, err := strconv.ParseUint(q.Get("as_of"), 10, 64); err == nil && q.Has("on") && question != "counted" {
		return "private, max-age=86400"
	}
	return "private, no-cache"
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

// A tagged answer loses its tag when it is none: a problem; or when a record came while it was made, so that it may be of either
// sequence.
type tagged struct {
	http.ResponseWriter
	tag      func() string
	anything bool // the client has any answer there is (If-None-Match: *), which is only known when there is one
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
	if t.lost = t.lost || len(t.body)+len(data) > maxKeptAnswer; !t.lost {
		t.body = append(t.body, data...)
	}
	n, err := t.ResponseWriter.Write(data)
	t.lost = t.lost || err != nil
	return n, err
}

// Unwrap lets http.ResponseController reach what is wrapped.
func (t *tagged) Unwrap() http.ResponseWriter { return t.ResponseWriter }
