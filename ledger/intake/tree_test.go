package intake_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"filippo.io/torchwood"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events/problem"
	"muster/ledger/intake"
	"muster/ledger/natsd"
	"muster/ledger/proof"
)

// signing makes the bench's journal sign checkpoints, and returns the key.
func (b *bench) signing(t testing.TB) (key string) {
	t.Helper()
	secret, err := proof.NewCheckpointKey(origin)
	if err != nil {
		t.Fatal(err)
	}
	s, err := proof.NewCheckpointSigner(secret)
	if err == nil {
		err = b.journal.SignCheckpoints(s.Sign)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s.Key()
}

// witnessed is what a witness has signed, and nothing else.
func witnessed(t *testing.T, checkpoint []byte) func(int64) (tlog.Tree, []byte, bool) {
	t.Helper()
	_, secret, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	w, err := torchwood.NewCosignatureSigner("a.witness", secret)
	if err != nil {
		t.Fatal(err)
	}
	c, err := proof.ReadCheckpoint(checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(checkpoint), "\n\n")
	line, err := note.Sign(&note.Note{Text: text + "\n"}, w)
	if err != nil {
		t.Fatal(err)
	}
	_, lines, _ := strings.Cut(string(line), "\n\n")
	signed := append(bytes.Clone(checkpoint), lines...)
	return func(least int64) (tlog.Tree, []byte, bool) {
		if least > c.N {
			return tlog.Tree{}, nil, false
		}
		return c.Tree, signed, true
	}
}

// Every way in gives receipts that prove the record, the first time and again; from a server that
// signs nothing, none.
func TestReceiptsProve(t *testing.T) {
	for name, open := range waysIn {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			to := open(t, b)
			if r, err := to.Submit(t.Context(), b.admission(t)); err != nil || r.Proof != "" ||
				r.Envelope != "" {
				t.Fatalf("without a checkpoint: %+v, %v", r, err)
			}
			key, s := b.signing(t), b.admission(t)
			for range 2 {
				r, err := to.Submit(t.Context(), s)
				if err != nil {
					t.Fatal(err)
				}
				receipt := proof.Receipt{Record: append([]byte(r.Envelope+"\n"), s.Note...),
					Proof: []byte(r.Proof), Signer: b.founder.Key()}
				in, err := receipt.Check(key)
				if err != nil || in.Record.Sequence != 3 || in.Checkpoint.N != b.journal.Tree().N {
					t.Errorf("%+v, %v", in, err)
				}
			}
		})
	}
}

func asked(t *testing.T, h http.Handler, method, path string, header ...string) *http.Response {
	t.Helper()
	req := httptest.NewRequest(method, path, nil)
	if len(header) > 0 {
		req.Header.Set(header[0], header[1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w.Result()
}

func bodyOf(t *testing.T, r *http.Response) string {
	t.Helper()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestTreeOverHTTP(t *testing.T) {
	b, mux := newBench(t), http.NewServeMux()
	intake.RegisterTree(mux, b.journal, nil)
	if r := asked(t, mux, "GET", "/checkpoint"); r.StatusCode != 503 ||
		r.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("before there is a checkpoint: %d, %s", r.StatusCode, bodyOf(t, r))
	}
	key := b.signing(t)
	r := asked(t, mux, "GET", "/checkpoint")
	tag, body := r.Header.Get("ETag"), bodyOf(t, r)
	if _, err := proof.OpenCheckpoint([]byte(body), key); err != nil ||
		r.Header.Get("Content-Type") != "text/plain; charset=utf-8" ||
		r.Header.Get("Cache-Control") != "no-cache" || tag == "" {
		t.Errorf("%v, %v\n%s", err, r.Header, body)
	}
	if r := asked(t, mux, "GET", "/checkpoint", "If-None-Match", tag); r.StatusCode != 304 ||
		bodyOf(t, r) != "" {
		t.Errorf("the same checkpoint again: %d", r.StatusCode)
	}
	older := witnessed(t, b.journal.Signed())
	if _, err := b.ledger.Submit(t.Context(), b.admission(t)); err != nil {
		t.Fatal(err)
	}
	if r := asked(t, mux, "GET", "/checkpoint", "If-None-Match", tag); r.StatusCode != 200 ||
		r.Header.Get("ETag") == tag {
		t.Errorf("another checkpoint: %d, %s", r.StatusCode, r.Header.Get("ETag"))
	}
	const path = "/checkpoint/witnessed"
	if r := asked(t, mux, "GET", path); r.StatusCode != 404 {
		t.Errorf("before a witness has signed: %d, %s", r.StatusCode, bodyOf(t, r))
	}
	b.journal.CosignedBy(older)
	if r := asked(t, mux, "GET", path); r.StatusCode != 200 ||
		!strings.Contains(bodyOf(t, r), "\n1\n") || r.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("what a witness has signed: %d, %v", r.StatusCode, r.Header)
	}
	if body := bodyOf(t, asked(t, mux, "GET", "/checkpoint")); strings.Contains(body, "a.witness") {
		t.Errorf("the newest, which no witness has signed, is\n%s", body)
	}
	b.journal.CosignedBy(witnessed(t, b.journal.Signed()))
	body = bodyOf(t, asked(t, mux, "GET", "/checkpoint"))
	if c, err := proof.OpenCheckpoint([]byte(body), key); err != nil || c.N != 2 ||
		!strings.Contains(body, "\n— a.witness ") {
		t.Errorf("the newest, which a witness has signed, is %v\n%s", err, body)
	}
	for path, bytes := range map[string]int{"/tile/0/000.p/1": 32, "/tile/0/000.p/2": 64,
		"/tile/entries/000.p/1": -1} {
		r := asked(t, mux, "GET", path)
		if body := bodyOf(t, r); r.StatusCode != 200 ||
			r.Header.Get("Content-Type") != "application/octet-stream" ||
			r.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || bytes > 0 &&
			len(body) != bytes {
			t.Errorf("%s: %d, %v, %d bytes", path, r.StatusCode, r.Header, len(body))
		}
	}
	for _, path := range []string{"/tile/0/000", "/tile/0/000.p/3", "/tile/1/000.p/1",
		"/tile/entries/000.p/3", "/tile/0/0.p/1", "/tile/0/000.p/0", "/tile/0/000.p/256",
		"/tile/0/-01", "/tile/64/000", "/tile/data/000", "/tile/", "/tile/0", "/tile/8/0/000.p/1",
		"/tile/0/x000/000.p/1", "/tile/0/999999999999999999999"} {
		r := asked(t, mux, "GET", path)
		if body := bodyOf(t, r); r.StatusCode != 404 ||
			r.Header.Get("Content-Type") != "application/problem+json" ||
			!strings.Contains(body, "urn:muster:problem:not-found") {
			t.Errorf("%s: %d, %s", path, r.StatusCode, body)
		}
	}
}

// Over NATS there is the same. The checkpoints are published where guests may listen, and may not
// publish.
func TestTreeOverNATS(t *testing.T) {
	b := newBench(t)
	key := b.signing(t)
	srv, err := natsd.Start(natsd.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	inside, err1 := srv.Connect()
	service, err2 := srv.ConnectService()
	denied := make(chan error, 1)
	guest, err3 := nats.Connect(srv.URL(), nats.Timeout(time.Minute),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { denied <- err }))
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		guest.Close()
		service.Close()
		inside.Close()
		if err := srv.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	svc, err := micro.AddService(service, micro.Config{Name: "muster", Version: "1.0.0"})
	if err == nil {
		err = errors.Join(intake.RegisterTreeNATS(svc, b.journal, nil, nil), service.Flush())
	}
	if err != nil {
		t.Fatal(err)
	}
	client := intake.NATSClient{Conn: guest}
	if data, err := client.Fetch(t.Context(), "checkpoint"); err != nil ||
		!bytes.Equal(data, b.journal.Checkpoint()) {
		t.Errorf("%v\n%s", err, data)
	}
	if data, err := client.Fetch(t.Context(), "tile/0/000.p/1"); err != nil || len(data) != 32 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	if data, err := client.Fetch(t.Context(), "checkpoint/witnessed"); !problem.Is(err,
		problem.NotFound) {
		t.Errorf("before a witness has signed: %v\n%s", err, data)
	}
	b.journal.CosignedBy(witnessed(t, b.journal.Signed()))
	if data, err := client.Fetch(t.Context(), "checkpoint/witnessed"); err != nil ||
		!bytes.Contains(data, []byte("\n— a.witness ")) {
		t.Errorf("%v\n%s", err, data)
	}
	for _, path := range []string{"tile/0/000", "rubbish", ""} {
		if data, err := client.Fetch(t.Context(), path); !problem.Is(err, problem.NotFound) {
			t.Errorf("%q: %d bytes, %v", path, len(data), err)
		}
	}

	heard, err := guest.SubscribeSync(intake.CheckpointSubject)
	if err == nil {
		err = guest.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		intake.PublishCheckpoints(ctx, inside, b.journal, b.journal.Wait, b.journal.Last)
	}()
	for range 3 {
		m, err := heard.NextMsg(10 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := proof.OpenCheckpoint(m.Data, key); err != nil || c.Tree != b.journal.Tree() {
			t.Errorf("%v\n%s", err, m.Data)
		}
		if _, err := b.ledger.Submit(t.Context(), b.admission(t)); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	<-done
	if err := guest.Publish(intake.CheckpointSubject, []byte("a lie")); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-denied:
		if !errors.Is(err, nats.ErrPermissionViolation) {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("a guest could publish a checkpoint")
	}
}
