package web

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
)

// Live updates are server-sent events (WHATWG HTML, section 9.2). The id of an event is the
// sequence of a record, so that a client which comes back, and says by Last-Event-ID what it has
// seen, misses nothing and gets nothing twice. After a hyphen it has the beginning of the hash of
// the ledger's first record: all that a client says by itself when it comes back is this id, and
// without the hash it would go on, unnoticed, in the middle of another ledger that is as long. The
// sequence alone is taken, too.

const (
	// The least time between two changes of coverage that are told: what lies between is told at
	// once.
	breath = 500 * time.Millisecond
)

// A live is one client that is told what happens.
type live struct {
	w       http.ResponseWriter
	control *http.ResponseController
	ledger  string // the beginning of the hash of the first record, as ids have it
	seen    uint64 // the last record that the client has been told before, 0 when it is new
	begun   uint64 // the last record when it came: what comes after that, it is told
}

// handleLive serves the log and the changes of coverage as they come.
func (s *Service) handleLive(mux *http.ServeMux) {
	mux.HandleFunc("GET "+Root+"/records/events", func(w http.ResponseWriter, r *http.Request) {
		q := &LiveRecordsQuery{}
		s.tell(w, r, q.read, func(ctx context.Context, s *Service, l *live) error {
			return s.tellRecords(ctx, l, q)
		})
	})
	mux.HandleFunc("GET "+Root+"/coverage/events", func(w http.ResponseWriter, r *http.Request) {
		q := &LiveCoverageQuery{}
		s.tell(w, r, q.read, func(ctx context.Context, s *Service, l *live) error {
			return s.tellCoverage(ctx, l, q)
		})
	})
}

// tell reads the parameters, and then sends events of the view that was chosen, until the client
// goes, the server stops, or something fails, which ends the stream: the client comes back by
// itself.
func (s *Service) tell(w http.ResponseWriter, r *http.Request, read func(*parameters),
	events func(context.Context, *Service, *live) error) {
	a := newAsker(s.clientOf(r))
	a.patient = true
	defer a.leave()
	as, l, err := s.beginTelling(r, read, a)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	ctx, cancel := context.WithCancel(context.WithValue(r.Context(), askerKey{}, a))
	defer cancel()
	defer context.AfterFunc(s.waiting, cancel)()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy in between would hold events back
	if r.Method == http.MethodHead {
		return // there would be a stream
	}
	l.w, l.control = w, http.NewResponseController(w)
	if l.send([]byte("retry: 2000\n\n")) == nil { // from here on the client knows that it is heard
		_ = events(ctx, as, l)
	}
}

// beginTelling chooses the view, reads the parameters and takes a slot for a stream.
func (s *Service) beginTelling(r *http.Request, read func(*parameters), a *asker) (*Service, *live,
	error) {
	given := requestFrom("", r.URL.Query(), nil).noneEmpty()
	s, err := s.choose(r.Context(), given)
	if err != nil {
		return nil, nil, err
	}
	p := s.parameters(given)
	read(&p)
	p.view()
	seen, of, err := lastEventID(r)
	if err = errors.Join(p.problem(), err); err == nil {
		err = a.enter(r.Context(), s.slots.streams)
	}
	if err == nil {
		err = s.goesOn(r.Context(), cmp.Or(p.given["ledger"], of), of, seen)
	}
	if err != nil {
		return nil, nil, err
	}
	first, err := s.firstHash()
	if err != nil {
		return nil, nil, err
	}
	return s, &live{ledger: first[:ledgerDigits], seen: seen, begun: s.Source.Last()}, nil
}

// ledgerDigits is how many digits of the hash of a ledger's first record are in the ids of its
// events.
const ledgerDigits = 12

// goesOn makes sure that a client which comes back finds the ledger that it has left: the one whose
// first record has the hash it says, where it says one or the id of the last event does (of), with
// the last record that it has seen, which a server that lags behind another one is given a moment
// to have.
func (s *Service) goesOn(ctx context.Context, ledger, of string, seen uint64) error {
	first, err := s.firstHash()
	switch {
	case err != nil:
		return err
	case !strings.HasPrefix(first, ledger) || !strings.HasPrefix(first, of):
		return problem.New(problem.Conflict,
			"this is another ledger: its first record has the hash %s", first).
			WithCode("other-ledger").WithHint("leave ledger and Last-Event-ID out, and begin anew")
	}
	waiting, cancel := s.wait(ctx, s.lag)
	defer cancel()
	if seen <= s.Source.Last() || s.Source.Wait(waiting, seen-1) == nil {
		return s.stillKnown(ctx)
	}
	if ledger == "" {
		return problem.New(problem.Conflict,
			"record %d, which Last-Event-ID says was seen, is not here: "+
				"this ledger has %s, and is another one, or this server lags far behind", seen,
			projections.SaidRecords(s.Source.Last())).
			WithCode("other-ledger").WithHint("leave Last-Event-ID out, and begin anew")
	}
	return problem.New(problem.Unavailable,
		"record %d, which Last-Event-ID says was seen, is not here yet: "+
			"this server lags, and has %s", seen, projections.SaidRecords(s.Source.Last())).
		WithHint("come back in a moment")
}

// lastEventID returns the last record that a client which comes back has been told, 0 for one that
// is new. The id says of which ledger it is, unless the client has made it of the sequence alone.
func lastEventID(r *http.Request) (seen uint64, of string, err error) {
	id := r.Header.Get("Last-Event-ID")
	if id == "" {
		return 0, "", nil
	}
	sequence, of, whole := strings.Cut(id, "-")
	seq, err := strconv.ParseUint(sequence, 10, 64)
	if err != nil || seq > events.MaxCount || whole && !ledgerPart.MatchString(of) {
		return 0, "", problem.New(problem.Usage, "Last-Event-ID %q is none of this server's",
			problem.Shorten(id)).
			WithHint("leave it out, and begin anew")
	}
	return seq, of, nil
}

var ledgerPart = regexp.MustCompile(fmt.Sprintf("^[0-9a-f]{%d}$", ledgerDigits))

func (l *live) send(text []byte) error {
	if err := l.control.SetWriteDeadline(time.Now().Add(slowest)); err != nil &&
		!errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := l.w.Write(text); err != nil {
		return err
	}
	return l.control.Flush()
}

// event sends one event, whose data is one line of JSON.
func (l *live) event(name string, id uint64, data any) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "id: %d-%s\nevent: %s\ndata: ", id, l.ledger, name)
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(data); err != nil { // which ends the line
		return err
	}
	b.WriteByte('\n')
	return l.send(b.Bytes())
}

// LiveRecordsQuery asks for the log as it comes.
type LiveRecordsQuery struct{ RecordsQuery }

func (q *LiveRecordsQuery) read(p *parameters) {
	q.From = p.instant("from",
		"The first record: a sequence, a time or a date (its beginning). Without it, the next "+
			"that comes. Last-Event-ID goes before it.", beginning)
	q.readFilter(p)
	p.ledger()
}

// ledger reads which ledger a client of a stream takes this one for.
func (p *parameters) ledger() {
	const doc = "The ledger that is meant, as first of /ledger tells it: any other one is refused."
	v := p.value("ledger", doc, &huma.Schema{Type: huma.TypeString, Pattern: "^[0-9a-f]{64}$"})
	if v != "" && !isHash(v) {
		p.invalid("ledger", v,
			"write the hash of the ledger's first record, as first of /ledger tells it")
	}
}

func isHash(s string) bool {
	hash, err := hex.DecodeString(s)
	return err == nil && len(hash) == sha256.Size && s == strings.ToLower(s)
}

// tellRecords sends every record that passes the filter, in order, from the one after those that
// were seen.
func (s *Service) tellRecords(ctx context.Context, l *live, q *LiveRecordsQuery) error {
	from := s.firstRecord(q.From)
	switch {
	case l.seen > 0:
		from = l.seen + 1
	case q.From.IsZero():
		from = l.begun + 1
	}
	for {
		page, err := s.page(ctx, &q.RecordsQuery, from)
		if err != nil {
			return err
		}
		for _, r := range page.Records {
			if err := l.event("record", r.Sequence, r); err != nil {
				return err
			}
		}
		if from = page.Next; from <= page.AsOf {
			continue
		}
		if err := s.waitFor(ctx, l, func(ctx context.Context) error {
			return s.Source.Wait(ctx, from-1)
		}); err != nil {
			return err
		}
	}
}

// waitFor waits for something, and says now and then that the stream is there.
func (s *Service) waitFor(ctx context.Context, l *live,
	something func(context.Context) error) error {
	for {
		until, cancel := context.WithTimeout(ctx, s.heartbeat)
		err := something(until)
		cancel()
		if err == nil {
			return s.stillKnown(ctx)
		}
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		if err := l.send([]byte(": still here\n\n")); err != nil {
			return err
		}
	}
}

// LiveCoverageQuery asks to be told when coverage changes.
type LiveCoverageQuery struct{ CoverageQuery }

func (q *LiveCoverageQuery) read(p *parameters) {
	q.On, q.Until = p.days("on",
		"What applies on that date, or in a range of dates. Without it, today (UTC), from "+
			"midnight to midnight; and where nothing has begun, the first day of what begins. "+
			"today is always today.")
	q.WhatIf = p.whatIf()
	q.Rung, q.Operation, q.Role = p.rung(), p.operation(), p.role()
	p.ledger()
	q.opening(q.Operation)
	if p.given["on"] == todayWord {
		q.On, q.opens = 0, false // it is another date after midnight
	}
}

// CoverageChange is what an event of the coverage stream tells.
type CoverageChange struct {
	projections.Basis
	// Lines are those that have changed, as they are now without their pledges; at first, all.
	Lines []projections.LineCoverage `json:"lines"`
	// Gone are those that are not in force any more.
	Gone []LineName `json:"gone,omitempty"`
}

// A LineName names one requirement.
type LineName struct {
	Operation events.Operation `json:"operation"`
	Line      events.Line      `json:"line"`
}

// tellCoverage sends the lines as they are, or, to a client that has seen them as of a record, as
// they have changed since; and then whatever changes, with a record or with the day.
func (s *Service) tellCoverage(ctx context.Context, l *live, q *LiveCoverageQuery) error {
	shown := map[LineName]string{}
	anew := l.seen == 0 || s.passed(q, l.seen)
	if !anew {
		before, err := s.lines(ctx, q, l.seen)
		if err != nil {
			return err
		}
		changed(shown, &before)
	}
	for told := events.Date(0); ; anew = false {
		changes, day := s.Projector.Changed(), events.DateOf(s.Now())
		now, err := s.lines(ctx, q, 0)
		if err != nil {
			return err
		}
		another := q.On == 0 && told != 0 && told != day
		if c := changed(shown, &now); anew || another || len(c.Lines)+len(c.Gone) > 0 {
			if err := l.event("coverage", now.AsOf, c); err != nil {
				return err
			}
		}
		told = day
		if err := pause(ctx, breath); err != nil {
			return err
		}
		err = s.waitFor(ctx, l, func(ctx context.Context) error {
			select {
			case <-changes:
				return nil
			case <-ctx.Done():
				if q.On == 0 && events.DateOf(s.Now()) != told {
					return nil // a day has begun
				}
				return ctx.Err()
			}
		})
		if err != nil {
			return err
		}
	}
}

// passed reports whether a client that was told the coverage of its day as of a record may have
// been told so on another day than this one: then all has to be told again.
func (s *Service) passed(q *LiveCoverageQuery, seen uint64) (passed bool) {
	_ = s.Projector.View(func(p *projections.Picture) error {
		at, ok := p.Recorded(seen)
		passed = q.On == 0 && ok && events.DateOf(at) != events.DateOf(s.Now())
		return nil
	})
	return passed
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lines answers the coverage, in brief, as of a record, 0 for the last.
func (s *Service) lines(ctx context.Context, q *LiveCoverageQuery,
	asOf uint64) (c projections.Coverage, err error) {
	ctx, done, err := s.slot(ctx)
	if err != nil {
		return c, err
	}
	defer done()
	m := q.MomentQuery
	if m.On == 0 && asOf != 0 { // what was shown then is compared on the day of which is told now
		err := s.Projector.View(func(p *projections.Picture) error {
			now, err := s.moment(p, m, q.Rung)
			m.On = now.On
			return err
		})
		if err != nil {
			return c, err
		}
	}
	m.AsOf.Sequence = asOf
	return c, s.lookOf(ctx, m, q.Rung, projections.Filter{Operation: q.Operation, Role: q.Role},
		func(p *projections.Picture, m projections.Moment) (err error) {
			c, err = p.Coverage(ctx, m,
				projections.CoverageFilter{Operation: q.Operation, Role: q.Role, Brief: true})
			return err
		})
}

// changed returns the lines that are not as they were shown, and notes them as shown.
func changed(shown map[LineName]string, now *projections.Coverage) CoverageChange {
	c := CoverageChange{Basis: now.Basis, Lines: []projections.LineCoverage{}}
	there := map[LineName]bool{}
	for _, l := range now.Lines {
		name := LineName{l.Operation, l.Line}
		there[name] = true
		text, _ := json.Marshal(l)
		if shown[name] != string(text) {
			shown[name] = string(text)
			c.Lines = append(c.Lines, l)
		}
	}
	for name := range shown {
		if !there[name] {
			delete(shown, name)
			c.Gone = append(c.Gone, name)
		}
	}
	return c
}

// documentLive adds the streams to the API's document.
func documentLive(api huma.API) {
	schemas := api.OpenAPI().Components.Schemas
	for _, one := range []struct {
		path, id, summary string
		read              func(*parameters)
		event             string
		data              reflect.Type
	}{
		{"/records/events", "records-live",
			"The log as it comes, as server-sent events: an event record for each, whose id " +
				"begins with its sequence", new(LiveRecordsQuery).read, "record",
			reflect.TypeFor[Record]()},
		{"/coverage/events", "coverage-live",
			"Coverage as it changes, as server-sent events: an event coverage with the lines " +
				"that changed, and an id that begins with the sequence",
			new(LiveCoverageQuery).read, "coverage", reflect.TypeFor[CoverageChange]()},
	} {
		var takes parameters
		one.read(&takes)
		takes.view()
		parameters := append(takes.takes,
			&huma.Param{Name: "Last-Event-ID", In: "header",
				Description: "The last event that was seen: go on from there.",
				Schema:      &huma.Schema{Type: huma.TypeString, Pattern: eventIDPattern}})
		data := schemas.Schema(one.data, true, "")
		op := huma.Operation{OperationID: one.id, Method: http.MethodGet, Path: Root + one.path,
			Summary: one.summary, Tags: []string{"live"}, Parameters: parameters,
			Responses: map[string]*huma.Response{"200": {
				Description: "Events until either side ends the stream",
				Content: map[string]*huma.MediaType{
					"text/event-stream": {Schema: eventsSchema(one.event, data)}}}}}
		documentProblems(api, &op, []int{400, 401, 403, 409, 414, 421, 422, 429, 503})
		op.Responses["409"].Description =
			"This is another ledger than the one that the client has left"
		op.Responses["429"].Description =
			"This client is told live by as many streams as one client has"
		op.Responses["503"].Description = "Too many clients are told live: come back in a while"
		api.OpenAPI().AddOperation(&op)
	}
}

const eventIDPattern = "^[0-9]+(-[0-9a-f]{12})?$"

// eventsSchema describes a stream of events as a list of them, since OpenAPI 3.1 has no words for a
// stream.
func eventsSchema(name string, data *huma.Schema) *huma.Schema {
	return &huma.Schema{Type: huma.TypeArray,
		Description: "Server-sent events, each with these fields",
		Items: &huma.Schema{Type: huma.TypeObject, Required: []string{"id", "event", "data"},
			Properties: map[string]*huma.Schema{
				"id": {Type: huma.TypeString, Pattern: eventIDPattern,
					Description: "The sequence of a record, " +
						"and after a hyphen the beginning of the ledger, as first of /ledger " +
						"tells it"},
				"event": {Type: huma.TypeString, Enum: []any{name}},
				"data":  data,
			}}}
}
