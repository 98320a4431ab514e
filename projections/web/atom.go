package web

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/gorilla/feeds"

	"muster/events"
	"muster/events/phrase"
	"muster/projections"
	"muster/projections/web/tabular"
)

// An atom file has the latest records, or the latest changes in coverage, as the entries of a feed
// (RFC 4287), the newest first: each a sentence with the address of its record. An entry has the
// same id for ever, which names the ledger, the record and, of a change in coverage, the
// requirement, the view and the language, where that is not English; and it says the same for ever,
// since it follows from what was known at its record.
type atomFile struct {
	to             io.Writer
	of             string // what it has: atomRecords or atomCoverage
	origin, server string
	view           events.View
	told           teller
	entries        []*feeds.AtomEntry
	latest         time.Time
}

const (
	atomMedia    = "application/atom+xml; charset=utf-8"
	atomSuffix   = ".atom"
	atomRecords  = "records"
	atomCoverage = "coverage"
)

// How far back a feed looks, and how many entries it has at most: what came before is in the log.
const (
	atomLooksBack = 5000 // records
	atomEntries   = 50
	atomCompares  = 40 // records whose coverage is compared
)

func beginAtom(of string) func(io.Writer, Table, []tabular.Fact) (rowsFile, error) {
	return func(w io.Writer, first Table, facts []tabular.Fact) (rowsFile, error) {
		a := &atomFile{to: w, of: of, view: first.view(), told: first.told}
		for _, f := range facts {
			switch f.Name {
			case "ledger":
				a.origin = f.Value
			case serverFact:
				a.server = f.Value
			}
		}
		return a, nil
	}
}

func (a *atomFile) write(page Table) error {
	for _, r := range page.Rows {
		c, ok := r.Value.(projections.Change)
		switch {
		case !ok:
		case a.of == atomRecords:
			a.add(&c, "", c.TitleSaid)
		default:
			for i := range c.Lines {
				line := &c.Lines[i]
				a.add(&c, ":"+string(line.Operation)+"/"+string(line.Line)+":"+
					string(cmp.Or(a.view, events.CoordinatorsView)),
					phrase.Of("On %s, %s: %s", c.On, line.Said, c.TitleSaid))
			}
		}
	}
	return nil
}

// add adds an entry. Behind the record, its id has what tells it apart.
func (a *atomFile) add(c *projections.Change, apart string, said phrase.Phrase) {
	sentence := a.told.tell(said)
	at := c.Recorded.UTC().Format(time.RFC3339Nano)
	if c.Recorded.After(a.latest) {
		a.latest = c.Recorded
	}
	a.entries = append(a.entries, &feeds.AtomEntry{Title: sentence, Updated: at, Published: at,
		Id: fmt.Sprintf("urn:muster:%s:%s:%d%s", a.of, a.origin, c.Sequence, apart+a.told.apart()),
		Links: []feeds.AtomLink{{Href: recordLink(a.server, c.Sequence, a.view),
			Rel: "alternate", Type: "text/html"}},
		Content: &feeds.AtomContent{Content: sentence, Type: "text"},
		Author:  &feeds.AtomAuthor{AtomPerson: feeds.AtomPerson{Name: c.Signer}}})
}

func (a *atomFile) close() error {
	title := phrase.Of("Muster: records of %s", a.origin)
	if a.of == atomCoverage {
		title = phrase.Of("Muster: changes in coverage of %s", a.origin)
	}
	f := &feeds.AtomFeed{Xmlns: "http://www.w3.org/2005/Atom", Title: a.told.tell(title),
		Id:      fmt.Sprintf("urn:muster:%s:%s", a.of, a.origin),
		Updated: a.latest.UTC().Format(time.RFC3339Nano), Entries: a.entries,
		Author: &feeds.AtomAuthor{AtomPerson: feeds.AtomPerson{Name: a.origin}}}
	if a.server != "" {
		f.Link = &feeds.AtomLink{Href: a.server + "/log", Rel: "alternate", Type: "text/html"}
	}
	if a.view != "" {
		f.Id += ":" + string(a.view)
		f.Subtitle = a.told.tell(counted(a.view))
	}
	f.Id += a.told.apart()
	var text bytes.Buffer
	text.WriteString(xml.Header)
	root := xml.StartElement{Name: xml.Name{Local: "feed"},
		Attr: []xml.Attr{{Name: xml.Name{Local: "xml:lang"}, Value: a.told.lang()}}}
	if err := xml.NewEncoder(&text).EncodeElement(f, root); err != nil {
		return err
	}
	_, err := text.WriteTo(a.to)
	return err
}

func (*atomFile) discard() {}

// listLatest gives the entries of a feed of records, in place of the rows of the log.
func listLatest(ctx context.Context, s *Service, asked any, write writePage) error {
	q := *asked.(*RecordsQuery)
	most := atomEntries
	if q.Limit > 0 {
		most = min(q.Limit, most)
	}
	pass := func(r *events.Record) bool {
		return q.Filter.Match(*r) && !r.Recorded.Before(q.From.Time)
	}
	return s.listChanges(ctx, write, most, s.firstRecord(q.From), pass,
		func(_ context.Context, p *projections.Picture,
			r *events.Record) (projections.Change, error) {
			return p.Tell(r), nil
		})
}

// listCoverageChanges gives those of a feed of changes in coverage, in place of the lines.
func listCoverageChanges(ctx context.Context, s *Service, asked any, write writePage) error {
	q := *asked.(*CoverageQuery)
	f := projections.Filter{Operation: q.Operation, Role: q.Role}
	err := s.lookOf(ctx, q.MomentQuery, q.Rung, f,
		func(*projections.Picture, projections.Moment) error { return nil })
	if err != nil {
		return err
	}
	pass := func(r *events.Record) bool {
		_, o := events.About(r.Statement)
		return o != "" && (q.Operation == "" || q.Operation == o)
	}
	return s.listChanges(ctx, write, atomCompares, 1, pass,
		func(ctx context.Context, p *projections.Picture,
			r *events.Record) (projections.Change, error) {
			return p.Change(ctx, r,
				projections.CoverageFilter{Operation: q.Operation, Role: q.Role})
		})
}

// listChanges has the latest records written that pass, each as it is told, when there is a slot
// for it.
func (s *Service) listChanges(ctx context.Context, write writePage, most int, from uint64,
	pass func(*events.Record) bool, tell func(context.Context, *projections.Picture,
		*events.Record) (projections.Change, error)) error {
	ctx, done, err := s.slot(ctx)
	if err != nil {
		return err
	}
	defer done()
	latest, err := s.latestRecords(ctx, most, from, pass)
	if err != nil {
		return s.WhyEnded(ctx, err)
	}
	t := Table{View: s.view}
	err = s.Projector.View(func(p *projections.Picture) error {
		for i := range latest {
			c, err := tell(ctx, p, &latest[i])
			if err != nil {
				return err
			}
			t.Add(c)
		}
		return nil
	})
	if err != nil {
		return s.WhyEnded(ctx, err)
	}
	return write(t, nil)
}

// latestRecords returns the latest records of the picture from one on that pass, the newest first:
// so many, of those that are looked at.
func (s *Service) latestRecords(ctx context.Context, most int, from uint64,
	pass func(*events.Record) bool) (all []events.Record, err error) {
	last := s.Projector.Sequence()
	from = max(from, last-min(last, atomLooksBack)+1)
	if from > last {
		return nil, nil
	}
	for rec, err := range s.Source.Records(from) {
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return nil, err
		}
		// One that the view does not show has no statement.
		if rec.Sequence <= last && rec.Statement != nil && pass(&rec) {
			if all = append(all, rec); len(all) > most {
				all = all[1:]
			}
		}
		if rec.Sequence >= last {
			break
		}
	}
	slices.Reverse(all)
	return all, nil
}
