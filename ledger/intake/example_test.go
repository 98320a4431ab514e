package intake_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"muster/events"
	"muster/ledger"
	"muster/ledger/intake"
	"muster/ledger/journal"
	"muster/ledger/logtest"
)

// A client signs what it says, and submits it to a server. When it gets no answer, it sends the
// same statement again: that counts once.
func ExampleHTTPClient() {
	url, founder, stop := serve()
	defer stop()

	_, paris, err := events.NewKey("FRA/paris")
	if err != nil {
		log.Fatal(err)
	}
	signed, err := events.Sign(&events.MemberAdmitted{
		Header: events.Header{
			Type: "member.admitted", ID: events.NewID(), Ledger: "muster.example/berlin",
		},
		Key: paris, Role: events.Liaison,
	}, founder)
	if err != nil {
		log.Fatal(err)
	}

	client := intake.HTTPClient{URL: url}
	receipt, err := client.Submit(context.Background(), signed)
	if err != nil {
		log.Fatal(err) // a problem, which says what to do
	}
	fmt.Println("record", receipt.Sequence, "is", receipt.Type)

	again, err := client.Submit(context.Background(), signed)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("sent again:", again.Again, "record", again.Sequence)

	// Output:
	// record 2 is member.admitted
	// sent again: true record 2
}

// serve starts a server with a ledger that is founded, and returns its address and its founder.
func serve() (url string, founder *events.Signer, stop func()) {
	dir, err := os.MkdirTemp("", "ledger")
	if err != nil {
		log.Fatal(err)
	}
	j, err := journal.Open(filepath.Join(dir, "journal.db"))
	if err != nil {
		log.Fatal(err)
	}
	l, err := ledger.Open(context.Background(),
		ledger.Config{Journal: j, Log: logtest.NewMemory(0).View(), Name: "berlin"})
	if err != nil {
		log.Fatal(err)
	}
	secret, key, err := events.NewKey("HQ/founder")
	if err != nil {
		log.Fatal(err)
	}
	if founder, err = events.NewSigner(secret); err != nil {
		log.Fatal(err)
	}
	signed, err := events.Sign(&events.LedgerFounded{
		Header: events.Header{
			Type: "ledger.founded", ID: events.NewID(), Ledger: "muster.example/berlin",
		},
		Title: "A ledger", Founder: key,
	}, founder)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := l.Submit(context.Background(), signed); err != nil {
		log.Fatal(err)
	}

	mux := http.NewServeMux()
	intake.Register(humago.New(mux, huma.DefaultConfig("Muster", "1")), intake.Of(l))
	srv := httptest.NewServer(mux)
	return srv.URL, founder, func() {
		srv.Close()
		l.Close()
		if err := j.Close(); err != nil {
			log.Fatal(err)
		}
		os.RemoveAll(dir)
	}
}
