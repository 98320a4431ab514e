package intake_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"muster/events"
	"muster/events/problem"
	"muster/ledger"
	"muster/ledger/intake"
	"muster/ledger/journal"
	"muster/ledger/logtest"
	"muster/ledger/natsd"
)

const origin = "muster.example/test"

// A bench is a ledger that was founded, and its founder.
type bench struct {
	journal *journal.Journal
	ledger  *ledger.Ledger
	founder *events.Signer
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{founder: newSigner(t, "HQ/founder")}
	var err error
	if b.journal, err = journal.Open(filepath.Join(t.TempDir(), "journal.db")); err != nil {
		t.Fatal(err)
	}
	b.ledger, err = ledger.Open(t.Context(),
		ledger.Config{Journal: b.journal, Log: logtest.NewMemory(0).View(), Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.ledger.Close()
		if err := b.journal.Close(); err != nil {
			t.Error(err)
		}
	})
	founded := &events.LedgerFounded{Header: head("ledger.founded"), Title: "test",
		Founder: b.founder.Key()}
	if _, err := b.ledger.Submit(t.Context(), signed(t, founded, b.founder)); err != nil {
		t.Fatal(err)
	}
	return b
}

func newSigner(t testing.TB, name string) *events.Signer {
	t.Helper()
	secret, _, err := events.NewKey(name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := events.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func head(typ events.Type) events.Header {
	return events.Header{Type: typ, ID: events.NewID(), Ledger: origin}
}

func signed(t testing.TB, st events.Statement, with *events.Signer) events.Signed {
	t.Helper()
	s, err := events.Sign(st, with)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// admission is a good statement, another one at each call.
func (b *bench) admission(t testing.TB) events.Signed {
	t.Helper()
	return signed(t, &events.MemberAdmitted{Header: head("member.admitted"),
		Key: newSigner(t, "FRA/paris").Key(), Role: events.Liaison}, b.founder)
}

// overHTTP serves the ledger over HTTP.
func (b *bench) overHTTP(t testing.TB) intake.HTTPClient {
	t.Helper()
	mux := http.NewServeMux()
	intake.Register(humago.New(mux, huma.DefaultConfig("test", "1")), intake.Of(b.ledger))
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return intake.HTTPClient{URL: srv.URL + "/"}
}

// overNATS serves the ledger as a micro service.
func (b *bench) overNATS(t *testing.T) intake.NATSClient {
	t.Helper()
	return serveNATS(t, intake.Of(b.ledger))
}

func serveNATS(t *testing.T, to intake.Submitter) intake.NATSClient {
	t.Helper()
	srv, err := natsd.Start(natsd.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := srv.ConnectService()
	if err != nil {
		t.Fatal(err)
	}
	svc, err := micro.AddService(conn, micro.Config{Name: "muster", Version: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	wait, err := intake.RegisterNATS(svc, to, nil)
	if err := errors.Join(err, conn.Flush()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := svc.Stop()
		wait()
		conn.Close()
		if err := errors.Join(err, srv.Shutdown()); err != nil {
			t.Error(err)
		}
	})
	nc, err := nats.Connect(srv.URL(), nats.Timeout(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return intake.NATSClient{Conn: nc}
}

// waysIn are those in which a statement gets into a ledger.
var waysIn = map[string]func(*testing.T, *bench) intake.Submitter{
	"inside": func(_ *testing.T, b *bench) intake.Submitter { return intake.Of(b.ledger) },
	"HTTP":   func(t *testing.T, b *bench) intake.Submitter { return b.overHTTP(t) },
	"NATS":   func(t *testing.T, b *bench) intake.Submitter { return b.overNATS(t) },
	"HTTP, gathered": func(t *testing.T, b *bench) intake.Submitter {
		return intake.Gather(b.overHTTP(t))
	},
	"NATS, gathered": func(t *testing.T, b *bench) intake.Submitter {
		return intake.Gather(b.overNATS(t))
	},
}

// Every way into the ledger gives the same receipts and the same refusals.
func TestEveryWayIn(t *testing.T) {
	for name, open := range waysIn {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			to := open(t, b)
			receipts(t, b, to)
			refusals(t, b, to)
			manyAtOnce(t, b, to)
		})
	}
}

func receipts(t *testing.T, b *bench, to intake.Submitter) {
	s := b.admission(t)
	if checked, err := to.Check(t.Context(), s); err != nil || !checked.OK ||
		b.journal.Last() != 1 {
		t.Fatalf("a check of a good statement: %v; there are %d records", err, b.journal.Last())
	}
	draft, err := events.SignDraft(s.Statement, b.founder)
	if err != nil {
		t.Fatal(err)
	}
	if checked, err := to.Check(t.Context(), draft); err != nil || !checked.OK {
		t.Fatalf("a check of a good draft: %v", err)
	}
	if r, err := to.Submit(t.Context(), draft); !problem.Is(err, problem.Syntax) ||
		b.journal.Last() != 1 {
		t.Fatalf("a draft was recorded: %+v, %v", r, err)
	}
	first, err := to.Submit(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := b.journal.Record(2)
	want := intake.Receipt{Sequence: 2, LeafIndex: 1,
		Recorded: rec.Recorded.Format(events.RecordedForm), ID: s.Statement.Head().ID,
		Type: "member.admitted", By: "test"}
	if err != nil || !reflect.DeepEqual(first, want) || string(rec.Note) != string(s.Note) {
		t.Fatalf("got %+v, want %+v; %v", first, want, err)
	}
	want.Again = true
	if again, err := to.Submit(t.Context(), s); err != nil || !reflect.DeepEqual(again, want) {
		t.Errorf("submitted again: %+v, %v", again, err)
	}
	for _, s := range []events.Signed{s, draft} {
		if _, err := to.Check(t.Context(), s); err != nil {
			t.Errorf("a check of what is recorded: %v", err)
		}
	}
}

func refusals(t *testing.T, b *bench, to intake.Submitter) {
	before := b.journal.Last()
	stranger := signed(t,
		&events.MemberAdmitted{Header: head("member.admitted"), Key: b.founder.Key(),
			Role: events.Coordinator}, newSigner(t, "HQ/stranger"))
	garbled := b.admission(t)
	garbled.Note = []byte("hello")
	for _, do := range []func(context.Context, events.Signed) error{
		func(ctx context.Context, s events.Signed) error { _, err := to.Check(ctx, s); return err },
		func(ctx context.Context, s events.Signed) error {
			_, err := to.Submit(ctx, s)
			return err
		},
	} {
		p := problem.From(do(t.Context(), stranger))
		if p == nil || p.Kind != problem.NotAllowed || p.Code != "not-admitted" ||
			!strings.Contains(p.Detail, "HQ/stranger") || p.Hint == "" {
			t.Errorf("a stranger's statement: %+v", p)
		}
	}
	if to != intake.Of(b.ledger) { // there is nothing to read inside
		_, err := to.Check(t.Context(), garbled)
		if p := problem.From(err); p == nil || p.Kind != problem.Syntax || p.Hint == "" {
			t.Errorf("no note: %+v", p)
		}
	}
	if b.journal.Last() != before {
		t.Errorf("%d records were appended", b.journal.Last()-before)
	}
}

func manyAtOnce(t *testing.T, b *bench, to intake.Submitter) {
	const many = 600 // more than the micro service works on at a time
	before := b.journal.Last()
	statements := make([]events.Signed, many)
	for i := range statements {
		statements[i] = b.admission(t)
	}
	var wg sync.WaitGroup
	for _, s := range statements {
		wg.Go(func() {
			if r, err := to.Submit(t.Context(), s); err != nil || r.ID != s.Statement.Head().ID {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
	wg.Wait()
	if got := b.journal.Last() - before; got != many {
		t.Errorf("%d of %d statements were recorded", got, many)
	}
}
