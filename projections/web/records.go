package web

import (
	"context"
	"errors"
	"strconv"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
)

// RecordsQuery asks for a page of the log.
type RecordsQuery struct {
	From      string `query:"from" json:"from,omitempty" doc:"The first record: a sequence, a time or a date (its beginning). Without it, 1."`
	Nation    string `query:"nation" json:"nation,omitempty" doc:"Only what is about this nation or signed for it; HQ for the coordinators."`
	Operation string `query:"operation" json:"operation,omitempty" doc:"Only what is about this operation."`
	Type      string `query:"type" json:"type,omitempty" doc:"Only this kind of statement, such as pledge.offered, or pledge for all about pledges."`
	Limit     int    `query:"limit" json:"limit,omitempty" minimum:"0" maximum:"10000" doc:"The most records to return; 1000 without it."`
	Wait      int    `query:"wait" json:"wait,omitempty" minimum:"0" maximum:"60" doc:"Wait so many seconds for a record from there on, when there is none yet."`
}

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
	Stored string `json:"stored"`
}

// Records is a page of the log.
type Records struct {
	// AsOf is the last record there was.
	AsOf    uint64   `json:"as_of"`
	Records []Record `json:"records"`
	// Next is the from of the next page. It is always there: the log goes on.
	Next uint64 `json:"next"`
}

const pageOfRecords = 1000

// Records answers with the log itself.
func (s *Service) Records(ctx context.Context, q *RecordsQuery) (Records, error) {
	from, err := s.firstRecord(q.From)
	if err != nil {
		return Records{}, err
	}
	f := projections.LogFilter{Nation: events.Nation(q.Nation), Operation: events.Operation(q.Operation), Type: q.Type}
	if err := f.Check(); err != nil {
		return Records{}, err
	}
	if q.Wait > 0 {
		waiting, cancel := context.WithTimeout(ctx, time.Duration(q.Wait)*time.Second)
		defer cancel()
		if err := s.Source.Wait(waiting, from-1); err != nil && !errors.Is(err, waiting.Err()) {
			return Records{}, problem.New(problem.Unavailable, "the log cannot be followed: %w", err)
		}
	}
	return s.page(f, from, q.Limit)
}

func (s *Service) page(f projections.LogFilter, from uint64, limit int) (Records, error) {
	if limit == 0 {
		limit = pageOfRecords
	}
	a := Records{AsOf: s.Source.Last(), Records: []Record{}}
	a.Next = max(from, a.AsOf+1)
	for rec, err := range f.Scan(s.Source, from) {
		if err != nil {
			return Records{}, err
		}
		if len(a.Records) == limit {
			a.Next = rec.Sequence
			break
		}
		a.Records = append(a.Records, recordOf(rec))
		a.AsOf = max(a.AsOf, rec.Sequence)
		a.Next = max(a.Next, rec.Sequence+1)
	}
	return a, nil
}

func recordOf(rec events.Record) Record {
	nation, operation := events.About(rec.Statement)
	head := rec.Statement.Head()
	return Record{rec.Sequence, rec.Recorded.Format(events.RecordedForm), rec.By, head.Type, head.ID, nation, operation, rec.KeyName, string(rec.Stored)}
}

// firstRecord reads from: a sequence, or the first record at a time or later.
func (s *Service) firstRecord(from string) (n uint64, err error) {
	if from == "" {
		return 1, nil
	}
	if n, err := strconv.ParseUint(from, 10, 64); err == nil && n > 0 {
		return n, nil
	}
	t, err := parseTime(from)
	if err != nil {
		return 0, problem.OfFields([]problem.Field{{Location: "from", Value: from, Message: problem.From(err).Detail}})
	}
	if d, err := events.ParseDate(from); err == nil {
		t = d.Time()
	}
	return n, s.Projector.View(func(p *projections.Picture) error {
		n = p.SequenceAt(t.Add(-time.Microsecond)) + 1
		return nil
	})
}

// RebuildQuery asks for all projections to be built anew and compared.
type RebuildQuery struct{}

// Rebuild builds all projections anew from the first record, and compares them with the picture that answers. It is work:
// one at a time is done, and another is refused meanwhile.
func (s *Service) Rebuild(_ context.Context, _ *RebuildQuery) (projections.Rebuilding, error) {
	select {
	case s.rebuilding <- struct{}{}:
		defer func() { <-s.rebuilding }()
	default:
		return projections.Rebuilding{}, problem.New(problem.Unavailable, "the projections are being rebuilt already").WithHint("try again when that is done")
	}
	asOf := s.Projector.Sequence()
	fresh := projections.NewPicture()
	for rec, err := range s.Source.Records(1) {
		if err == nil {
			err = fresh.Apply(rec)
		}
		if err != nil {
			return projections.Rebuilding{}, err
		}
		if rec.Sequence == asOf {
			break
		}
	}
	rebuilt, err := fresh.Fingerprint(asOf)
	if err != nil {
		return projections.Rebuilding{}, err
	}
	var saved projections.Fingerprints
	err = s.Projector.View(func(p *projections.Picture) (err error) {
		saved, err = p.Fingerprint(asOf)
		return err
	})
	r := projections.Rebuilding{AsOf: asOf}
	for i, f := range rebuilt.Each {
		was := saved.Each[i]
		r.Each = append(r.Each, projections.Rebuilt{Name: f.Name, Entries: f.Entries, Saved: was.SHA256, Rebuilt: f.SHA256, Identical: was == f})
	}
	return r, err
}
