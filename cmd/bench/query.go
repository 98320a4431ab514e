package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"muster/cmd/internal/server"
	"muster/events"
	"muster/projections"
	"muster/projections/access"
	"muster/projections/web"
)

// measureQuery asks a server questions, in its process and over HTTP.
func measureQuery(o *options) ([]row, error) {
	g, err := o.generate(o.records, o.pledges, 40)
	if err != nil {
		return nil, err
	}
	yet := g.setAside(news * o.rounds)
	s, err := o.store(g, "query")
	if err != nil {
		return nil, err
	}
	defer s.remove()
	g.records = nil
	m, err := startMuster(context.Background(), s.dir, nil)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	all, err := o.measureNow(m, yet)
	if err != nil {
		return nil, err
	}
	rows, err := o.measureAnswers(m)
	if err != nil {
		return nil, err
	}
	all = append(all, rows...)
	rows, err = o.measureHTTP(m)
	return append(all, rows...), err
}

// How many records come in a round in which the coverage is asked after each.
const news = 100

const nowWay = "muster, each time after another record"

// setAside takes the last records out of what was generated, to be submitted one by one; half of it
// at most.
func (g *generated) setAside(n int) *[]events.Record {
	kept := len(g.records) - min(n, len(g.records)/2)
	yet := slices.Clone(g.records[kept:])
	g.records = g.records[:kept]
	return &yet
}

// measureNow asks for the coverage of today: each time after another record, and again and again
// while nothing changes.
func (o *options) measureNow(m *server.Server, yet *[]events.Record) ([]row, error) {
	return o.interleave(fmt.Sprintf("coverage now, of %d records", m.Journal.Last()), "",
		way{nowWay, func(int) (sample, error) { return askAfterNews(m, m.Projector, yet) }},
		way{"muster, while nothing changes", func(int) (sample, error) {
			return ask(m.Projector, 400, now)
		}})
}

// now is the day that is asked about.
func now(p *projections.Picture) error {
	return covers(p, projections.Moment{On: firstDay.AddDays(200)})
}

// askAfterNews submits records and asks after each, which alone is timed.
func askAfterNews(m *server.Server, of access.Pictures,
	yet *[]events.Record) (s sample, err error) {
	ctx := context.Background()
	for range min(news, len(*yet)) {
		r, err := m.Ledger.Submit(ctx, (*yet)[0].Signed)
		if err == nil {
			err = of.WaitFor(ctx, r.Sequence)
		}
		if err != nil {
			return s, err
		}
		*yet = (*yet)[1:]
		one, err := ask(of, 1, now)
		if err != nil {
			return s, err
		}
		s.took = append(s.took, one.took...)
	}
	return s, nil
}

// ask asks a picture a question so many times.
func ask(of access.Pictures, n int,
	question func(*projections.Picture) error) (s sample, err error) {
	for range n {
		began := time.Now()
		if err := of.View(question); err != nil {
			return s, err
		}
		s.took = append(s.took, time.Since(began))
	}
	return s, nil
}

// measureAnswers times questions by themselves.
func (o *options) measureAnswers(m *server.Server) (all []row, err error) {
	random := rand.New(rand.NewPCG(3, 4))
	last := m.Journal.Last()
	for _, q := range []struct {
		name string
		n    int
		ask  func(*projections.Picture) error
	}{
		{"coverage at a random as_of and on", 200, func(p *projections.Picture) error {
			return covers(p, projections.Moment{AsOf: last/10 + random.Uint64N(last*9/10),
				On: firstDay.AddDays(random.IntN(700))})
		}},
		{"time line of 24 months", 40, func(p *projections.Picture) error {
			_, err := p.Timeline(context.Background(), projections.Moment{},
				projections.TimelineFilter{Days: events.Window{From: firstDay,
					Until: firstDay.AddDays(730)}, Step: projections.ByMonth})
			return err
		}},
	} {
		rows, err := o.interleave(fmt.Sprintf("%s, of %d records", q.name, last), "",
			way{"muster", func(int) (sample, error) { return ask(m.Projector, q.n, q.ask) }})
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	return all, nil
}

func covers(p *projections.Picture, m projections.Moment) error {
	_, err := p.Coverage(context.Background(), m, projections.CoverageFilter{Brief: true})
	return err
}

// connections is how many clients ask at a time over HTTP.
const connections = 64

// measureHTTP has clients ask for the coverage over HTTP, beside a handler that writes as many
// bytes.
func (o *options) measureHTTP(m *server.Server) ([]row, error) {
	mux := http.NewServeMux()
	config := huma.DefaultConfig("Muster", "bench")
	config.DocsPath, config.SchemasPath, config.CreateHooks = "", "", nil
	web.DescribeWords(config.Components.Schemas)
	m.Questions.Register(humago.New(mux, config))
	muster := httptest.NewServer(m.Questions.Handler(mux))
	defer muster.Close()
	address := fmt.Sprintf("%s/api/v1/coverage?on=%s&operation=operation-97", muster.URL,
		firstDay.AddDays(200))
	body, tag, err := fetch(http.DefaultClient, address, "")
	if err != nil {
		return nil, err
	}
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}))
	defer plain.Close()
	load := func(address, tag string) func(int) (sample, error) {
		return func(int) (sample, error) { return askOverHTTP(address, tag, 3000) }
	}
	return o.interleave(fmt.Sprintf("coverage over HTTP, %d connections, %d bytes", connections,
		len(body)), "net/http: a plain handler that writes as many bytes",
		way{"net/http: a plain handler that writes as many bytes", load(plain.URL, "")},
		way{"muster", load(address, "")},
		way{"muster, to who has the answer (304)", load(address, tag)})
}

func fetch(c *http.Client, address, tag string) (body []byte, newTag string, err error) {
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return nil, "", err
	}
	if tag != "" {
		req.Header.Set("If-None-Match", tag)
	}
	resp, err := c.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(resp.Body); err == nil && resp.StatusCode != http.StatusOK &&
		resp.StatusCode != http.StatusNotModified {
		err = fmt.Errorf("%s: %s: %s", address, resp.Status, body)
	}
	return body, resp.Header.Get("ETag"), err
}

func askOverHTTP(address, tag string, n int) (sample, error) {
	c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections,
		MaxConnsPerHost: connections}}
	defer c.CloseIdleConnections()
	took := make([]time.Duration, n)
	s, err := timed(n, func() error {
		return each(connections, n, func(i int) error {
			began := time.Now()
			_, _, err := fetch(c, address, tag)
			took[i] = time.Since(began)
			return err
		})
	})
	s.took = took
	return s, err
}

// askAlways asks for the coverage so many times a second, until it is told to rest, and returns how
// often it got an answer.
func askAlways(ctx context.Context, of access.Pictures, perSecond int) (answered int) {
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return answered
		case <-tick.C:
			if of.View(now) == nil {
				answered++
			}
		}
	}
}

// measureGrowth tells how cost grows with the ledger, and with the coalition.
func measureGrowth(o *options) (all []row, err error) {
	grow := func(name string, records, pledges, nations int) error {
		g, err := o.generate(records, pledges, nations)
		if err != nil {
			return err
		}
		yet := g.setAside(news * o.rounds)
		s, err := o.store(g, "grow")
		if err != nil {
			return err
		}
		defer s.remove()
		g.records = nil
		m, err := startMuster(context.Background(), s.dir, nil)
		if err != nil {
			return err
		}
		defer m.Close()
		rows, err := o.interleave(name, "",
			way{"replay from the journal", func(int) (sample, error) {
				return replayJournal(m, s.dir)
			}},
			way{"coverage now: " + nowWay, func(int) (sample, error) {
				return askAfterNews(m, m.Projector, yet)
			}})
		all = append(all, rows...)
		return err
	}
	for records := 10_000; records <= o.records; records *= 10 {
		if err := grow(fmt.Sprintf("%d records, 40 nations", records), records, records/20,
			40); err != nil {
			return nil, err
		}
	}
	for _, nations := range []int{10, 100, len(events.Nations())} { // there are no more
		if err := grow(fmt.Sprintf("%d nations, %d records", nations, min(o.records, 100_000)),
			min(o.records, 100_000), min(o.records, 100_000)/20, nations); err != nil {
			return nil, err
		}
	}
	return all, nil
}
