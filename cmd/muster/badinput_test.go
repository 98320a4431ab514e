package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"golang.org/x/mod/sumdb/note"

	"muster/cmd/internal/server"
	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake"
)

// A targetServer is a running server that takes statements over HTTP and over NATS, and a good
// statement to spoil.
type targetServer struct {
	*serverProcess
	nc    *nats.Conn
	c     *country
	offer string // the text of a good statement, before it is signed

	keyFile string // the liaison's
}

func newTarget(t *testing.T) *targetServer {
	t.Helper()
	s := &targetServer{serverProcess: serving(t, filepath.Join(t.TempDir(), "ledger"),
		"--nats-listen", "127.0.0.1:0")}
	s.awaitNATS(t)
	s.c, s.keyFile = begin(t, s.serverProcess), filepath.Join(t.TempDir(), "paris.key")
	if err := os.WriteFile(s.keyFile, []byte(s.c.secret), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.nc, err = nats.Connect(s.nats, nats.Timeout(patience)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.nc.Close)
	text, err := events.Marshal(s.c.offerOf(100))
	if err != nil {
		t.Fatal(err)
	}
	s.offer = string(text)
	return s
}

// recorded returns how many records there are.
func (s *targetServer) recorded(t *testing.T) uint64 {
	t.Helper()
	status, body := s.health(t)
	var h server.Health
	if err := json.Unmarshal([]byte(body), &h); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s: %v", status, body, err)
	}
	return h.Recorded
}

// signedText signs any text as a note, without looking at it.
func signedText(t *testing.T, text string, with note.Signer) []byte {
	t.Helper()
	body, err := note.Sign(&note.Note{Text: text + "\n"}, with)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// with returns the good statement with one place of it changed, signed.
func (s *targetServer) with(t *testing.T, old, new string) []byte {
	t.Helper()
	if !strings.Contains(s.offer, old) {
		t.Fatalf("there is no %s in %s", old, s.offer)
	}
	return signedText(t, strings.Replace(s.offer, old, new, 1), s.c.paris)
}

// A badStatement is what is sent, and what must come back.
type badStatement struct {
	name string
	body []byte
	kind problem.Kind
	code string
	says string // somewhere in the detail or in the fields
}

// refused sends a statement over HTTP and over NATS, and checks that both refuse it in the same
// words, and record nothing.
func (s *targetServer) refused(t *testing.T, bad badStatement) {
	t.Helper()
	before := s.recorded(t)
	resp, err := http.Post(s.url+intake.Path, intake.ContentType, bytes.NewReader(bad.body))
	if err != nil {
		t.Fatal(err)
	}
	over := problemIn(t, resp, bad.kind.Status)
	if over.Kind != bad.kind || over.Code != bad.code ||
		!strings.Contains(over.Error(), bad.says) || over.Detail == "" {
		t.Errorf("HTTP: kind %s, code %q: %v\nwant kind %s, code %q, saying %q", over.Kind.Slug,
			over.Code, over, bad.kind.Slug, bad.code, bad.says)
	}
	m, err := s.nc.Request("muster.submit", bad.body, patience)
	if err != nil {
		t.Fatal(err)
	}
	if code := m.Header.Get(micro.ErrorCodeHeader); code != strconv.Itoa(bad.kind.Status) ||
		m.Header.Get(micro.ErrorHeader) == "" {
		t.Errorf("NATS: error code %q, %q", code, m.Header.Get(micro.ErrorHeader))
	}
	// Over HTTP a body is not read to its end when it is too long, so that only NATS says how long
	// it is.
	if p := problem.Decode(bad.kind.Status, m.Data); !reflect.DeepEqual(p, over) &&
		bad.kind != problem.TooLarge {
		t.Errorf("NATS says %+v\nHTTP says %+v", p, over)
	}
	if after := s.recorded(t); after != before {
		t.Errorf("%d records were appended", after-before)
	}
}

// problemIn reads an answer that is a problem with this status.
func problemIn(t *testing.T, resp *http.Response, status int) *problem.Problem {
	t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if ct := resp.Header.Get("Content-Type"); resp.StatusCode != status ||
		ct != "application/problem+json" {
		t.Errorf("status %d, want %d; %s: %s", resp.StatusCode, status, ct, body)
	}
	var p problem.Problem
	if err := json.Unmarshal(body, &p); err != nil {
		t.Errorf("%v: %s", err, body)
	}
	documented(t, resp, body)
	return &p
}

func TestBadStatements(t *testing.T) {
	notShort(t)
	t.Parallel()
	s := newTarget(t)
	bad := append(append(s.malformed(t), s.badFields(t)...), s.badLife(t)...)
	bad = append(append(bad, s.badTokens(t)...), s.badSigners(t)...)
	for _, b := range bad {
		t.Run(b.name, func(t *testing.T) { s.refused(t, b) })
	}
	// The statement that all of them were made from is good.
	before := s.recorded(t)
	if _, err := s.client().Submit(t.Context(), s.c.offer(t)); err != nil ||
		s.recorded(t) != before+1 {
		t.Errorf("a good statement: %v; there are %d records", err, s.recorded(t))
	}
	s.stop(t)
}

func (s *targetServer) malformed(t *testing.T) []badStatement {
	good := s.with(t, "", "")
	text, signature, _ := bytes.Cut(good, []byte("\n\n"))
	lyon, _ := newSigner(t, "FRA/lyon")
	again := signedText(t, string(text), lyon)
	_, second, _ := bytes.Cut(again, []byte("\n\n"))
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	syntax := func(name string, body []byte, says string) badStatement {
		return badStatement{name, body, problem.Syntax, "", says}
	}
	return []badStatement{
		{"32 KiB and a byte", bytes.Repeat([]byte("a"), events.MaxBytes+1),
			problem.TooLarge, "", "bytes"},
		{"a good start, 32 KiB and a byte",
			append(bytes.Clone(good), bytes.Repeat([]byte("\n"), events.MaxBytes+1-len(good))...),
			problem.TooLarge, "", "bytes"},
		{"100 KB", bytes.Repeat([]byte("{"), 100_000), problem.TooLarge, "", "bytes"},
		syntax("32 KiB of nothing", bytes.Repeat([]byte(" "), events.MaxBytes), "empty"),
		syntax("a line break", []byte("\n"), "empty"),
		syntax("no note", []byte(s.offer), "no signed note"),
		syntax("a note that is cut", good[:len(good)-10], "no signed note"),
		syntax("two signatures", append(bytes.Clone(good), second...), "2 signatures"),
		syntax("a line after the signature", append(bytes.Clone(good), "more\n"...),
			"no signed note"),
		syntax("a signature with spare bits",
			append(append(bytes.Clone(text), "\n\n"...),
				bytes.Replace(signature, []byte("=\n"), []byte("\n"), 1)...), ""),
		syntax("17 deep", s.with(t, `"FRA"`, deep(16)), "nested deeper than 16"),
		syntax("10,000 deep", s.with(t, `"FRA"`, deep(10_000)), "nested deeper than 16"),
		syntax("a member twice", s.with(t, `"nation":"FRA"`, `"nation":"FRA","nation":"FRA"`),
			`"nation" is there twice`),
		{"NATION beside nation", s.with(t, `"nation":"FRA"`, `"nation":"FRA","NATION":"DEU"`),
			problem.Invalid, "", "NATION: unknown"},
		{"an unknown member", s.with(t, `"nation":"FRA"`, `"nation":"FRA","colour":"blue"`),
			problem.Invalid, "", "colour: unknown"},
		syntax("invalid UTF-8", s.with(t, `"FRA"`, "\"FR\xff\""), "not valid UTF-8"),
		syntax("half a surrogate pair", s.with(t, `"FRA"`, `"\ud800"`), "not well-formed JSON"),
		syntax("trailing data", s.with(t, `}`, `} true`), "after the statement's end"),
		syntax("two statements", signedText(t, s.offer+s.offer, s.c.paris),
			"after the statement's end"),
		syntax("two lines of statements", signedText(t, s.offer+"\n"+s.offer, s.c.paris),
			"one line"),
		syntax("CR LF", bytes.ReplaceAll(good, []byte("\n"), []byte("\r\n")), "carriage return"),
		syntax("cut JSON", signedText(t, s.offer[:len(s.offer)-8], s.c.paris),
			"ends in the middle"),
		syntax("gzip", []byte{0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0}, ""),
		syntax("JSON, but no object", signedText(t, `[1]`, s.c.paris), "one JSON object"),
		{"no type", signedText(t, `{}`, s.c.paris), problem.Invalid, "", "type: missing"},
		{"an unknown type", s.with(t, "pledge.offered", "pledge.promised"),
			problem.Invalid, "", "type"},
	}
}

func (s *targetServer) badFields(t *testing.T) (all []badStatement) {
	id := s.offer[strings.Index(s.offer, `"id":"`)+6:][:26]
	invalid := func(name, old, new, says string) {
		all = append(all, badStatement{name, s.with(t, old, new), problem.Invalid, "", says})
	}
	for _, q := range []string{"0", "-1", "1.5", "1e400", "9007199254740993", "1e2", `"100"`,
		"true", "null", "[]"} {
		invalid("quantity "+q, `"quantity":100`, `"quantity":`+q, "quantity")
	}
	for _, bad := range []string{"pledge-1", strings.ToLower(id), id[1:], "8" + id[1:],
		"", id + "0"} {
		invalid("id "+bad, id, bad, "id")
	}
	invalid("a window that ends before it begins", `"from":"2026-11-24"`,
		`"from":"2026-11-24","until":"2026-11-23"`, "until")
	invalid("a day that is none", `"from":"2026-11-24"`, `"from":"2026-02-30"`, "from")
	invalid("no date", `"effective":"2026-11-23"`, `"effective":"tomorrow"`, "effective")
	invalid("several at once", `"nation":"FRA","role":"ground","quantity":100`,
		`"nation":"fra","role":"GROUND","quantity":0`, "3 fields are wrong")
	return append(all,
		badStatement{"an unknown role", s.with(t, `"ground"`, `"space"`), problem.Invalid,
			"role-unknown", "role"},
		badStatement{"a unit that is not the role's", s.with(t, `"personnel"`, `"ship"`),
			problem.Invalid, "unit-not-of-role", "unit"},
		badStatement{"money for people",
			s.with(t, `100,"unit":"personnel"`, `"100.00","unit":"EUR"`), problem.Invalid,
			"unit-not-of-role", "unit"},
		badStatement{"an unknown operation", s.with(t, `"mnf-u"`, `"mnf-x"`), problem.NotFound,
			"operation-unknown", "mnf-x"})
}

// badTokens are words that would mean something else in a subject, in a header, or to an eye.
func (s *targetServer) badTokens(t *testing.T) (all []badStatement) {
	for field, good := range map[string]string{"nation": "FRA", "operation": "mnf-u",
		"role": "ground"} {
		words := []string{"*", ">", ".", good + "*", good + ".>", good + "." + good, good + " ",
			" " + good, "a b", good + `\r\n`,
			`\r\nNats-Expected-Last-Sequence: 0`, `\n`, `\u0000`, "",
			strings.Replace(good, good[1:2], "о", 1), "мнф-у", "ＦＲＡ", good + "\u200b",
			strings.Repeat("a", 5000)}
		if field == "nation" {
			words = append(words, "fra", "Fra", "France", "ZZZ", "HQ", "FR")
		} else {
			words = append(words, strings.ToUpper(good), "Ground", "-ground", "ground-", "mnf_u")
		}
		for _, w := range words {
			old := fmt.Sprintf("%q:%q", field, good)
			all = append(all, badStatement{fmt.Sprintf("%s %.40q", field, w),
				s.with(t, old, fmt.Sprintf(`%q:"%s"`, field, w)), problem.Invalid, "", field})
		}
	}
	return all
}

func (s *targetServer) badSigners(t *testing.T) []badStatement {
	lyon, _ := newSigner(t, "FRA/lyon")
	berlin, _ := newSigner(t, "DEU/berlin")
	stranger, _ := newSigner(t, "FRA/paris")
	for _, st := range []events.Statement{s.c.admission(lyon), s.c.admission(berlin),
		&events.MemberRevoked{Header: s.c.head("member.revoked"), Key: lyon.Key(),
			Reason: "lost"}} {
		if _, err := s.client().Submit(t.Context(), signed(t, st, s.c.founder)); err != nil {
			t.Fatal(err)
		}
	}
	good := s.with(t, "", "")
	changed := bytes.Replace(good, []byte(`"quantity":100`), []byte(`"quantity":900`), 1)
	elsewhere := strings.Replace(s.offer, string(s.c.origin), "muster.example/elsewhere", 1)
	by := func(with *events.Signer) []byte { return signedText(t, s.offer, with) }
	not := func(name string, body []byte, code, says string) badStatement {
		return badStatement{name, body, problem.NotAllowed, code, says}
	}
	liaisonOf := signed(t, s.c.operation("another"), s.c.paris).Note
	return []badStatement{
		not("changed after it was signed", changed, "bad-signature", "FRA/paris"),
		not("a signature of zeros", zeroSignature(t, good), "bad-signature", "FRA/paris"),
		not("a revoked member's", by(lyon), "revoked", "FRA/lyon"),
		not("another nation's liaison", by(berlin), "speaks-for-itself", "cannot speak for France"),
		not("a coordinator for a nation with a liaison", by(s.c.founder),
			"speaks-for-itself", "France"),
		not("an unknown key of a known name", by(stranger), "not-admitted", "FRA/paris"),
		not("for another ledger", signedText(t, elsewhere, s.c.paris), "other-ledger",
			"muster.example/elsewhere"),
		not("a liaison opens an operation", liaisonOf, "wrong-party", `"operation opened"`),
		{"founded again", signed(t,
			&events.LedgerFounded{Header: s.c.head("ledger.founded"), Title: "x",
				Founder: s.c.founder.Key()}, s.c.founder).Note,
			problem.Conflict, "already-founded", "founded already"},
	}
}

// zeroSignature keeps the name and the hash of a note's key, and puts zeros in the place of its
// signature.
func zeroSignature(t *testing.T, body []byte) []byte {
	t.Helper()
	at := bytes.LastIndexByte(body, ' ') + 1
	sig, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(body[at:])))
	if err != nil {
		t.Fatal(err)
	}
	clear(sig[4:])
	return append(append(bytes.Clone(body[:at]), base64.StdEncoding.EncodeToString(sig)...), '\n')
}
