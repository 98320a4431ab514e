package web

import (
	"cmp"
	"context"
	"errors"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
)

// Record is a record as it is stored, and what a listing shows of it.
type Record struct {
	Sequence  uint64           `json:"sequence"`
	Recorded  string           `json:"recorded"`
	By        string           `json:"by"`
	Type      events.Type      `json:"type"`
	ID        events.ID        `json:"id"`
	Nation    events.Nation    `json:"nation" doc:"Whom it is about; HQ for the coordinators"`
	Operation events.Operation `json:"operation,omitempty"`
	Signer    string           `json:"signer" doc:"The name of the key that signed it"`
	// Stored is the record, byte for byte as it is stored, signed and hashed.
	Stored string `json:"stored" doc:"The record, byte for byte as it is stored, signed and hashed"`
}

// Records is a page of the log.
type Records struct {
	// AsOf is the last record there was.
	AsOf    uint64   `json:"as_of" doc:"The last record there was"`
	Records []Record `json:"records"`
	// View is whose log it is, where some records are withheld from those: see [projections.Basis].
	View events.View `json:"view,omitzero"`
	// Withheld is how many of the places from the first that was asked for up to Next, without it,
	// are those of records that the view does not show: all that is told of these is where they
	// are.
	Withheld uint64 `json:"withheld,omitempty" doc:"How many places of this page are those of records that the view does not show"`
	// Next is the from of the next page. It is always there: the log goes on. When it is higher
	// than AsOf, this page ends with the last record that there was to return.
	Next uint64 `json:"next" doc:"The from of the next page; higher than as_of when there is no more for now"`
}

// Records answers with the log itself.
func (s *Service) Records(ctx context.Context, q *RecordsQuery) (Records, error) {
	waiting, cancel := s.wait(ctx, q.Wait)
	defer cancel()
	for from := s.firstRecord(q.From); ; {
		page, err := s.page(ctx, q, from)
		if err != nil || len(page.Records) > 0 || q.Wait == 0 {
			return page, err
		}
		from = page.Next
		err = s.Source.Wait(waiting, from-1)
		if ended := s.stillKnown(ctx); ended != nil {
			return Records{}, ended
		}
		switch {
		case err == nil:
		case errors.Is(err, waiting.Err()):
			return page, nil
		default:
			return Records{}, problem.New(problem.Unavailable,
				"the log cannot be followed: %w", err)
		}
	}
}

// firstRecord returns the first record that may have been recorded at the place or later: the
// picture may be behind.
func (s *Service) firstRecord(from Instant) (n uint64) {
	_ = s.Projector.View(func(p *projections.Picture) error {
		n = firstRecord(p, from)
		return nil
	})
	return n
}

func firstRecord(p *projections.Picture, from Instant) uint64 {
	if from.Time.IsZero() {
		return max(1, from.Sequence)
	}
	return p.SequenceAt(from.Time.Add(-time.Microsecond)) + 1
}

// page reads the records from a sequence on. It looks one match further than it returns, so that
// there is no empty page behind a full one.
func (s *Service) page(ctx context.Context, q *RecordsQuery, from uint64) (Records, error) {
	ctx, done, err := s.slot(ctx)
	if err != nil {
		return Records{}, err
	}
	defer done()
	a := Records{AsOf: s.Source.Last(), Records: []Record{}, View: s.view, Next: from}
	left := pageLeft{cmp.Or(q.Limit, s.pageSize), pageBytes}
	for rec, err := range s.Source.Records(from) {
		switch {
		case err != nil:
			return Records{}, err
		case ctx.Err() != nil:
			return Records{}, problem.New(problem.Unavailable,
				"reading the log was given up: %w", ctx.Err())
		case q.until > 0 && rec.Sequence > q.until:
			return a, nil
		case rec.Stored == nil:
			a.Withheld++
		case !q.Filter.Match(rec) || rec.Recorded.Before(q.From.Time):
		case !left.take(rec):
			a.Next = rec.Sequence
			return a, nil
		default:
			a.Records = append(a.Records, RecordOf(rec))
		}
		a.AsOf, a.Next = max(a.AsOf, rec.Sequence), rec.Sequence+1
	}
	return a, nil
}

// next implements pagedQuery: up to the last record that there was at first.
func (q *RecordsQuery) next(a Records) bool {
	if q.until == 0 {
		q.until = a.AsOf
	}
	if q.Limit > 0 {
		if q.Limit -= len(a.Records); q.Limit == 0 {
			return false
		}
	}
	q.From, q.Wait = Instant{Sequence: a.Next}, 0
	return a.Next <= q.until
}

// rest implements pagedQuery. It looks for the record behind the limit, and keeps none of those
// before.
func (q *RecordsQuery) rest(ctx context.Context, s *Service, a Records) (map[string]string, error) {
	if q.Limit == 0 {
		return nil, nil
	}
	left := q.Limit - len(a.Records)
	for rec, err := range s.Source.Records(a.Next) {
		switch {
		case err != nil || ctx.Err() != nil:
			return nil, cmp.Or(err, ctx.Err())
		case rec.Sequence > a.AsOf:
			return nil, nil
		case !q.Filter.Match(rec):
		case left == 0:
			return map[string]string{"from": number(rec.Sequence)}, nil
		default:
			left--
		}
	}
	return nil, nil
}

// A pageLeft is what is left of a page.
type pageLeft struct{ records, bytes int }

// pageBytes bounds a page of long records, so that it fits into a message over NATS: 1 MiB as it is
// usually set. In JSON a record takes less than twice its stored bytes and what is told beside
// them.
const (
	pageBytes   = 448 << 10
	besideBytes = 256
)

// take reports whether the record has room, and takes it. The first one always has.
func (r *pageLeft) take(rec events.Record) bool {
	cost := len(rec.Stored) + besideBytes
	if r.records == 0 || cost > r.bytes {
		return false
	}
	r.records, r.bytes = r.records-1, r.bytes-cost
	return true
}

// RecordOf returns what a listing shows of a record.
func RecordOf(rec events.Record) Record {
	nation, operation := events.About(rec.Statement)
	head := rec.Statement.Head()
	return Record{rec.Sequence, rec.Recorded.Format(events.RecordedForm), rec.By, head.Type,
		head.ID, nation, operation, rec.KeyName, string(rec.Stored)}
}
