package remote_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/proof"
	"muster/ledger/proof/remote"
)

const testOrigin events.Origin = "muster.example/test"

// A served is a ledger that the test writes record by record, and serves as C2SP tlog-tiles says.
// It lies where the test tells it to.
type served struct {
	t          *testing.T
	founder    *events.Signer
	key        *proof.CheckpointSigner
	records    []events.Record
	hashes     []tlog.Hash
	checkpoint []byte
	lie        func(path string, data []byte) []byte // nil for none
}

// serve founds a ledger, opens so many operations in it, and signs its checkpoint.
func serve(t *testing.T, operations int) *served {
	t.Helper()
	s := &served{t: t, founder: newSigner(t)}
	secret, err := proof.NewCheckpointKey(testOrigin)
	if err != nil {
		t.Fatal(err)
	}
	if s.key, err = proof.NewCheckpointSigner(secret); err != nil {
		t.Fatal(err)
	}
	s.say(&events.LedgerFounded{Header: head("ledger.founded"), Title: "a test",
		Founder: s.founder.Key()})
	s.open(operations)
	return s.sign()
}

// open opens so many operations.
func (s *served) open(operations int) {
	for range operations {
		name := fmt.Sprintf("mnf-%d", len(s.records))
		s.say(&events.OperationOpened{
			Header: head("operation.opened"),
			Dated:  events.Dated{Effective: 2026_11_23},
			OperationTerms: events.OperationTerms{
				Operation: events.Operation(name), Title: "a test",
				Roles: []events.RoleDefinition{
					{Role: "ground", Title: "troops", Units: []events.Unit{"personnel"}},
				},
			},
		})
	}
}

func head(typ events.Type) events.Header {
	return events.Header{Type: typ, ID: events.NewID(), Ledger: testOrigin}
}

func newSigner(t *testing.T) *events.Signer {
	t.Helper()
	secret, _, err := events.NewKey("HQ/founder")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := events.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// say signs a statement and makes the next record of it, a second after the one before.
func (s *served) say(st events.Statement) {
	s.t.Helper()
	signed, err := events.Sign(st, s.founder)
	if err != nil {
		s.t.Fatal(err)
	}
	n := int64(len(s.records))
	rec, err := events.NewRecord(uint64(n)+1, time.Unix(1_795_392_000+n, 0), "test", signed)
	if err != nil {
		s.t.Fatal(err)
	}
	hashes, err := tlog.StoredHashesForRecordHash(n, tlog.RecordHash(rec.Stored), s)
	if err != nil {
		s.t.Fatal(err)
	}
	s.records, s.hashes = append(s.records, rec), append(s.hashes, hashes...)
}

// sign makes the checkpoint of the records so far.
func (s *served) sign() *served {
	s.t.Helper()
	n := int64(len(s.records))
	root, err := tlog.TreeHash(n, s)
	if err != nil {
		s.t.Fatal(err)
	}
	if s.checkpoint, err = s.key.Sign(tlog.Tree{N: n, Hash: root}); err != nil {
		s.t.Fatal(err)
	}
	return s
}

// ReadHashes implements tlog.HashReader.
func (s *served) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(s.hashes)) {
			return nil, fmt.Errorf("there is no hash %d", index)
		}
		hashes[i] = s.hashes[index]
	}
	return hashes, nil
}

// ServeHTTP implements http.Handler.
func (s *served) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, err := s.answer(strings.TrimPrefix(r.URL.Path, "/"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	if s.lie != nil {
		data = s.lie(r.URL.Path, data)
	}
	w.Write(data)
}

func (s *served) answer(path string) (data []byte, err error) {
	if path == "checkpoint" {
		return s.checkpoint, nil
	}
	t, err := torchwood.ParseTilePath(path)
	if err != nil || t.L >= 0 {
		if err == nil {
			data, err = tlog.ReadTileData(t, s)
		}
		return data, err
	}
	for i := range t.W {
		at := t.N*torchwood.TileWidth + int64(i)
		if at >= int64(len(s.records)) {
			return nil, fmt.Errorf("there is no record %d", at+1)
		}
		if data, err = torchwood.AppendTileEntry(data, s.records[at].Stored); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// verify verifies the server, whose key is known, and lets meanwhile run in between.
func (s *served) verify(meanwhile func()) (proof.Report, error) {
	s.t.Helper()
	srv := httptest.NewServer(s)
	defer srv.Close()
	src, err := remote.OfServer(s.t.Context(), srv.URL, "", nil)
	if err != nil {
		return proof.Report{}, err
	}
	if meanwhile != nil {
		meanwhile()
	}
	key := proof.TrustedKey{Verifier: s.key.Key(), Why: "was given"}
	return proof.Verify(s.t.Context(), src, proof.Options{Key: key})
}

func TestServer(t *testing.T) {
	s := serve(t, 5000)
	r, err := s.verify(func() { s.open(10) })
	if err != nil || !r.OK || r.Records != 5001 {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, c := range r.Checks {
		if c.Outcome != proof.Verified {
			t.Errorf("%+v", c)
		}
	}
}

func TestLyingServer(t *testing.T) {
	s, other := serve(t, 600), serve(t, 600)
	other.key = s.key
	other.sign()
	in := func(prefix string, change func([]byte) []byte) func(string, []byte) []byte {
		return func(path string, data []byte) []byte {
			if strings.HasPrefix(path, prefix) {
				return change(data)
			}
			return data
		}
	}
	for name, c := range map[string]struct {
		lie         func(path string, data []byte) []byte
		sequence    uint64
		check, says string
	}{
		"a time that nobody has signed": {in("/tile/entries/001", func(d []byte) []byte {
			return []byte(strings.Replace(string(d), ":59.000000Z", ":59.000001Z", 1))
		}), 300, "tree", "it was altered or is damaged"},
		"a tile that ends too early": {in("/tile/entries/001", func(d []byte) []byte {
			return d[:len(d)-700]
		}), 511, "records", "it is missing"},
		"a tile with more in it": {in("/tile/entries/001", func(d []byte) []byte {
			return append(d, "more"...)
		}), 0, "records", "holds more than its 256 records"},
		"no records at all": {in("/tile/entries/001", func([]byte) []byte {
			return nil
		}), 257, "records", "it is missing"},
		"a hash": {in("/tile/0/001", func(d []byte) []byte {
			d[100] ^= 1
			return d
		}), 0, "tiles", "tile/0/001 of the Merkle tree is not the one"},
		"a checkpoint of its own": {in("/checkpoint", func([]byte) []byte {
			return other.checkpoint
		}), 0, "checkpoint", "some record was altered"},
	} {
		s.lie = c.lie
		r, err := s.verify(nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		f := r.Fault
		if f == nil || c.sequence != 0 && f.Sequence != c.sequence || f.Check != c.check ||
			!strings.Contains(f.What, c.says) {
			t.Errorf("%s: %+v of %+v", name, f, r)
		}
	}
}

// What cannot be reached is not what was found to be wrong.
func TestNoServer(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	for _, url := range []string{srv.URL, "http://127.0.0.1:1"} {
		_, err := remote.OfServer(t.Context(), url, "", nil)
		if !problem.Is(err, problem.Unavailable) || !strings.Contains(err.Error(), url) {
			t.Errorf("%v", err)
		}
	}
	s := serve(t, 600)
	s.records = s.records[:300] // so that it does not have what it has signed for
	_, err := s.verify(nil)
	if !problem.Is(err, problem.Unavailable) || !strings.Contains(err.Error(), "404") {
		t.Errorf("records that are not there: %v", err)
	}
}
