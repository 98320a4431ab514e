package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"time"
	"unicode/utf8"

	"muster/events"
	"muster/projections"
)

// A Watch is what somebody is told of whom the operator of the server has named: see
// [Service.Next].
type Watch struct {
	View      events.View
	Operation events.Operation // "" for all
	By        string           // what a server of this name has recorded; "" for all
	Coverage  bool             // what each record changes in coverage, too
	Server    string           // the address to which the links lead, without a slash at its end
}

// A News is what a watch tells of one record.
type News struct {
	Sequence uint64
	Subject  string // of [events.ChangedSubject]
	Message  NewsMessage
}

// A NewsMessage is that as JSON, in the form of Standard Webhooks.
type NewsMessage struct {
	Type      events.Type `json:"type" doc:"The kind of the statement"`
	Timestamp time.Time   `json:"timestamp" doc:"When it was recorded"`
	Data      NewsData    `json:"data"`
}

// NewsData is what is told in a [NewsMessage].
type NewsData struct {
	Ledger    events.Origin    `json:"ledger"`
	Sequence  uint64           `json:"sequence" doc:"The record's, by which it is told apart"`
	View      events.View      `json:"view" doc:"Whose may read it"`
	Operation events.Operation `json:"operation,omitzero"`
	Nation    events.Nation    `json:"nation,omitzero"`
	Pledge    events.ID        `json:"pledge,omitzero"`
	Signer    string           `json:"signer"`
	Sentence  string           `json:"sentence" doc:"What it says, for people"`
	Link      string           `json:"link" doc:"The page that has the record"`
	On        events.Date      `json:"on,omitzero" doc:"The day for which coverage is told"`
	Coverage  []NewsCoverage   `json:"coverage,omitempty" doc:"Requirements met otherwise since"`
}

// NewsCoverage says how a requirement is met otherwise.
type NewsCoverage struct {
	Operation events.Operation `json:"operation"`
	Line      events.Line      `json:"requirement"`
	Sentence  string           `json:"sentence"`
}

// NewsSchema is the JSON Schema of a [NewsMessage].
func NewsSchema() json.RawMessage {
	return json.RawMessage(responseSchema(reflect.TypeFor[NewsMessage]()))
}

// What a watch tells of one record at most: what is longer is cut, and in the log.
const (
	maxNewsSentence = 4 << 10
	maxNewsLines    = 50
)

// Next waits for the first record after another one that is in a watch, and tells it. Where ctx
// ends, the error is its own.
func (s *Service) Next(ctx context.Context, w Watch, after uint64) (News, error) {
	for {
		as, err := s.forOperator(ctx, w.View)
		if err != nil {
			return News{}, err
		}
		changed, last := as.Projector.Changed(), as.Projector.Sequence()
		found, err := as.firstIn(w, after, last)
		if err != nil {
			return News{}, err
		}
		if found != nil {
			c, err := as.tellIn(ctx, w, found)
			return as.newsOf(w, found, &c), err
		}
		after = max(after, last)
		select {
		case <-changed:
		case <-ctx.Done():
			return News{}, ctx.Err()
		}
	}
}

// newsOf is what is told of a record.
func (s *Service) newsOf(w Watch, r *events.Record, c *projections.Change) News {
	d := NewsData{Ledger: r.Statement.Head().Ledger, Sequence: c.Sequence, View: w.View,
		Operation: c.Operation, Nation: c.Nation, Pledge: c.Pledge, Signer: c.Signer,
		Sentence: cutSentence(c.Title), Link: recordLink(w.Server, c.Sequence, s.view)}
	for _, l := range c.Lines[:min(len(c.Lines), maxNewsLines)] {
		d.On = c.On
		d.Coverage = append(d.Coverage, NewsCoverage{l.Operation, l.Line, cutSentence(l.Sentence)})
	}
	return News{c.Sequence, events.ChangedSubject(w.View, r.Statement),
		NewsMessage{c.Type, c.Recorded.UTC(), d}}
}

// cutSentence cuts what is too long for a message.
func cutSentence(text string) string {
	if len(text) <= maxNewsSentence {
		return text
	}
	at := maxNewsSentence
	for !utf8.RuneStart(text[at]) {
		at--
	}
	return text[:at] + "…"
}

// recordLink returns the address of the page that has a record, at a server, in a view, "" for
// whoever reads all.
func recordLink(server string, sequence uint64, view events.View) string {
	link := fmt.Sprintf("%s/log?from=%d", server, sequence)
	if view != "" {
		link += "&view=" + url.QueryEscape(string(view))
	}
	return link
}

// firstIn returns the first record after another one that is in a watch, nil where there is none up
// to the last that the picture has.
func (s *Service) firstIn(w Watch, after, last uint64) (*events.Record, error) {
	if after >= last {
		return nil, nil
	}
	for rec, err := range s.Source.Records(after + 1) {
		if err != nil {
			return nil, err
		}
		if rec.Sequence > last {
			return nil, nil
		}
		if rec.Statement == nil { // the view does not show it
			continue
		}
		_, o := events.About(rec.Statement)
		if (w.Operation == "" || o == w.Operation) && (w.By == "" || rec.By == w.By) {
			return &rec, nil
		}
	}
	return nil, nil
}

func (s *Service) tellIn(ctx context.Context, w Watch,
	r *events.Record) (c projections.Change, err error) {
	return c, s.Projector.View(func(p *projections.Picture) error {
		if !w.Coverage {
			c = p.Tell(r)
			return nil
		}
		c, err = p.Change(ctx, r, projections.CoverageFilter{})
		return err
	})
}
