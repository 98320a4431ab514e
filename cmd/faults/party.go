package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"muster/events"
	"muster/ledger/intake"
	"muster/projections/web"
)

// A party is a liaison whom the founder has admitted for the purpose, and an operation to which to
// pledge, both of which no other party has.
type party struct {
	book    *notebook
	origin  events.Origin
	founder *events.Signer
	liaison *events.Signer
	place   events.Place
}

const someDay events.Date = 2026_11_23

// newParty has the founder admit a liaison and open an operation. The notebook, which is new, has
// both.
func newParty(ctx context.Context, url string, founder *events.Signer,
	book *notebook) (*party, error) {
	var l web.Ledger
	client := web.Client{URL: url}
	if err := client.Ask(ctx, "ledger", nil, &l); err != nil {
		return nil, err
	}
	had, err := lastRecord(ctx, client)
	if err == nil {
		err = book.begin(had)
	}
	if err != nil {
		return nil, err
	}
	name := strings.ToLower(events.NewID().String())
	secret, _, err := events.NewKey("FRA/" + name)
	if err != nil {
		return nil, err
	}
	p := &party{book: book, origin: l.Origin, founder: founder,
		place: events.Place{Operation: events.Operation("trial-" + name), Nation: "FRA"}}
	if p.liaison, err = events.NewSigner(secret); err != nil {
		return nil, err
	}
	for _, st := range []events.Statement{p.operation(),
		&events.MemberAdmitted{Header: p.head("member.admitted"), Key: p.liaison.Key(),
			Role: events.Liaison}} {
		if _, err := p.submit(ctx, intake.HTTPClient{URL: url, HTTP: many()}, st,
			founder); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func lastRecord(ctx context.Context, client web.Client) (uint64, error) {
	var page web.Records
	err := client.Ask(ctx, "records", map[string]string{"from": "1", "limit": "1"}, &page)
	return page.AsOf, err
}

func (p *party) head(typ events.Type) events.Header {
	return events.Header{Type: typ, ID: events.NewID(), Ledger: p.origin}
}

func (p *party) operation() *events.OperationOpened {
	return &events.OperationOpened{Header: p.head("operation.opened"),
		Dated: events.Dated{Effective: someDay},
		OperationTerms: events.OperationTerms{Operation: p.place.Operation, Title: "a trial",
			Roles: []events.RoleDefinition{{Role: "ground", Title: "troops",
				Units: []events.Unit{"personnel"}}}}}
}

func (p *party) offer() *events.PledgeOffered {
	return &events.PledgeOffered{Header: p.head("pledge.offered"),
		Dated: events.Dated{Effective: someDay}, Place: p.place,
		PledgeTerms: events.PledgeTerms{Role: "ground", Quantity: events.Count(100),
			Unit: "personnel", Window: events.Window{From: someDay}}}
}

// submit signs a statement and submits it once. The notebook has it before, and its receipt after.
func (p *party) submit(ctx context.Context, to intake.Submitter, st events.Statement,
	with *events.Signer) (r intake.Receipt, err error) {
	s, err := events.Sign(st, with)
	if err != nil {
		return r, err
	}
	if err := p.book.send(s); err != nil {
		return r, fmt.Errorf("the notebook: %w", err)
	}
	return p.send(ctx, to, s)
}

// send submits a statement that is in the notebook.
func (p *party) send(ctx context.Context, to intake.Submitter,
	s events.Signed) (r intake.Receipt, err error) {
	if r, err = to.Submit(ctx, s); err != nil {
		return r, err
	}
	if err := p.book.acknowledge(s, r); err != nil {
		return r, fmt.Errorf("the notebook: %w", err)
	}
	return r, nil
}

// write lets writers offer pledges, until ctx ends. The writers are shared out among the servers.
// One who was not answered well waits a little, and offers another pledge.
func (p *party) write(ctx context.Context, urls []string, writers int) {
	var all sync.WaitGroup
	for n := range writers {
		to := intake.HTTPClient{URL: urls[n%len(urls)], HTTP: many()}
		all.Go(func() {
			for ctx.Err() == nil {
				if _, err := p.submit(ctx, to, p.offer(), p.liaison); err == nil {
					continue
				}
				select {
				case <-ctx.Done():
				case <-time.After(20 * time.Millisecond):
				}
			}
		})
	}
	all.Wait()
}

// many is a client that keeps its connection.
func many() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64},
		Timeout: 40 * time.Second}
}
