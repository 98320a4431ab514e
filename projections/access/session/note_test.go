package session

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"

	"muster/events"
	"muster/events/problem"
)

// signer makes the key whose secret is 32 times the byte seed, as the golden files of events do.
func signer(t testing.TB, name string, seed byte) *events.Signer {
	t.Helper()
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	public, err := note.NewEd25519VerifierKey(name, private.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	s, err := events.NewSigner("PRIVATE+KEY+" + name + "+" + strings.Split(public, "+")[1] + "+" +
		base64.StdEncoding.EncodeToString(append([]byte{1}, private.Seed()...)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func france(t testing.TB) *events.Signer { return signer(t, "FRA/test", 2) }

// example is what FORMAT.md shows.
func example() Note {
	from := time.Date(2026, 11, 23, 2, 23, 0, 0, time.UTC)
	return Note{"muster.example/test", "https://muster.example", from, from.Add(MaxTime),
		base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{0xfb, 0xff, 3}, 16))}
}

func signText(t testing.TB, text string) []byte {
	t.Helper()
	msg, err := events.SignText(text, france(t))
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

func TestRoundTrip(t *testing.T) {
	for _, address := range []string{
		"https://muster.example", "https://muster.example:8443", "http://127.0.0.1:8080",
		"http://[::1]:8080", "https://10.0.0.1", "http://localhost:1", "nats:muster.example/test",
	} {
		n := example()
		n.Address = address
		msg, err := n.Sign(france(t))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Parse(msg)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(n, got.Note); diff != "" {
			t.Errorf("%s (-signed +read):\n%s", address, diff)
		}
		if id, _ := france(t).Key().ID(); got.By() != id {
			t.Errorf("it is by %s", got.By())
		}
		if err := got.VerifiedBy(france(t).Key()); err != nil {
			t.Error(err)
		}
	}
}

// The note in FORMAT.md is the one that its key makes, byte for byte.
func TestFormatExample(t *testing.T) {
	data, err := os.ReadFile("../../../events/FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), "```session\n")
	shown, _, ok := strings.Cut(rest, "```\n")
	want, err := example().Sign(france(t))
	if err != nil {
		t.Fatal(err)
	}
	if !ok || shown != string(want) {
		t.Errorf("FORMAT.md shows\n%s\nwant\n%s", shown, want)
	}
}

// Every line has one form, and what has another is refused by the name of its line.
func TestEachLineWrong(t *testing.T) {
	const nonce = "-_8D-_8D-_8D-_8D-_8D-_8D-_8D-_8D-_8D-_8D-_8D-_8D-_8D-_8D-_8D-_8D"
	for field, bad := range map[string][]string{
		"0 first":  {"muster session v2", "Muster session v1", "muster session v1 ", "", "{}x"},
		"1 origin": {"", "Muster.example/test", "muster.example/test/", "https://muster.example"},
		"2 address": {"", "muster.example", "https://", "https://Muster.example",
			"https://muster.example/", "https://muster.example:443", "http://muster.example:80",
			"https://muster.example:08443", "https://muster.example:0",
			"https://muster.example:65536",
			"https://muster.example:", "https://muster.example.", "https://u@muster.example",
			"https://u:p@muster.example", "https://muster.example?", "https://muster.example#",
			"https://muster.example?a", "HTTPS://muster.example", "ftp://muster.example",
			"https://::1", "https://[::0001]", "https://[::ffff:10.0.0.1]",
			"https://[fe80::1%25eth0]",
			"https://muster example", "https://müster.example", "https://must%65r.example",
			"https://[10.0.0.1]", "https://[muster.example]",
			"nats:muster.example/other", "nats:", "nats://muster.example/test",
			"https://" + strings.Repeat("a", 254)},
		"3 from": {"", "2026-11-23", "2026-11-23T02:23:00", "2026-11-23T02:23:00+00:00",
			"2026-11-23T03:23:00+01:00", "2026-11-23T02:23:00.0Z", "2026-11-23t02:23:00z",
			"2026-02-30T02:23:00Z", " 2026-11-23T02:23:00Z"},
		"4 until": {"", "2026-11-23T14:23:01Z", "2026-11-23T02:23:00Z", "2026-11-23T02:22:59Z",
			"2026-11-23T14:23:00.5Z", "9999-11-23T14:23:00Z"},
		"5 nonce": {"", nonce + "=", nonce + "A", nonce[:20], strings.Repeat("A", 132),
			strings.Replace(nonce, "-", "+", 1), strings.Replace(nonce, "_", "/", 1),
			nonce[:21] + "B", nonce[:21] + " " + nonce[:21]},
	} {
		for _, value := range bad {
			lines := strings.Split(example().Text(), "\n")
			lines[field[0]-'0'] = value
			text := strings.Join(lines, "\n")
			if strings.HasPrefix(text, "{") {
				continue // signed by nobody, which TestNoStatement shows
			}
			_, err := Parse(signText(t, text))
			p := problem.Of(err)
			if p == nil {
				t.Errorf("%s: %q was taken", field[2:], value)
				continue
			}
			if field[0] == '0' {
				continue
			}
			if len(p.Fields) != 1 || p.Fields[0].Location != field[2:] ||
				p.Fields[0].Message == "" {
				t.Errorf("%s: %q: %v", field[2:], value, err)
			}
		}
	}
}

func TestOtherForms(t *testing.T) {
	text := example().Text()
	good := string(signText(t, text))
	line := good[strings.LastIndex(good, "— "):]
	for name, msg := range map[string]string{
		"empty":              "",
		"a line more":        string(signText(t, text+"x\n")),
		"an empty line more": string(signText(t, text+"\n")),
		"a line less":        string(signText(t, strings.SplitAfterN(text, "\n", 6)[0])),
		"no signature":       text,
		"two signatures":     good + line,
		"carriage returns":   strings.ReplaceAll(good, "\n", "\r\n"),
		"a byte behind":      good + "x",
		"a byte before":      " " + good,
		"not UTF-8":          strings.Replace(good, "example", "ex\xffmple", 1),
		"too long":           good + strings.Repeat("\n", MaxBytes),
	} {
		if _, err := Parse([]byte(msg)); problem.Of(err) == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSignRefuses(t *testing.T) {
	for name, change := range map[string]func(*Note){
		"a line feed":    func(n *Note) { n.Address += "\nx" },
		"half a second":  func(n *Note) { n.Until = n.Until.Add(time.Second / 2) },
		"thirteen hours": func(n *Note) { n.Until = n.From.Add(MaxTime + time.Hour) },
		"no nonce":       func(n *Note) { n.Nonce = "" },
	} {
		n := example()
		change(&n)
		msg, err := n.Sign(france(t))
		if name == "half a second" { // is not written, so that the session ends a little before
			if got, err := Parse(msg); err != nil || got.Until != example().Until {
				t.Errorf("%s: %v, %v", name, got.Until, err)
			}
			continue
		}
		if problem.Of(err) == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What somebody signs to sign in can never be recorded as said, and nothing that was said signs
// anybody in: not even where a signature is carried over.
func TestNoStatement(t *testing.T) {
	msg, err := example().Sign(france(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := events.ParseSigned(msg); !problem.Is(err, problem.Syntax) {
		t.Errorf("a note was read as a statement: %v", err)
	}
	record, err := os.ReadFile("../../../events/testdata/golden/pledge.offered.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, statement, _ := bytes.Cut(record, []byte("\n"))
	if _, err := events.ParseSigned(statement); err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(statement); !problem.Is(err, problem.Usage) {
		t.Errorf("a statement was read as a note: %v", err)
	}
	if _, err := events.SignText(" {}\n", france(t)); !problem.Is(err, problem.Syntax) {
		t.Errorf("a statement was signed as a text: %v", err)
	}
}

func TestWrongSignature(t *testing.T) {
	msg, err := example().Sign(france(t))
	if err != nil {
		t.Fatal(err)
	}
	other := bytes.Replace(msg, []byte("muster.example/test"), []byte("muster.example/tesu"), 1)
	for name, c := range map[string]struct {
		msg []byte
		key events.Key
	}{
		"another text":   {other, france(t).Key()},
		"another key":    {msg, signer(t, "FRA/test", 3).Key()},
		"another name":   {msg, signer(t, "GBR/test", 2).Key()},
		"what is no key": {msg, "FRA/test"},
		"the name of another": {
			bytes.Replace(msg, []byte("— FRA/test"), []byte("— GBR/test"), 1), france(t).Key()},
	} {
		got, err := Parse(c.msg)
		if err != nil {
			t.Fatal(err)
		}
		if got.VerifiedBy(c.key) == nil {
			t.Errorf("%s was believed", name)
		}
	}
}

func TestAddress(t *testing.T) {
	for raw, want := range map[string]string{
		"https://Muster.Example":            "https://muster.example",
		"https://muster.example.":           "https://muster.example",
		"https://muster.example:443/berlin": "https://muster.example",
		"http://muster.example:443":         "http://muster.example:443",
		"http://127.0.0.1:8080/":            "http://127.0.0.1:8080",
		"http://[::1]:80":                   "http://[::1]",
		"https://[FE80::1%25eth0]:8443":     "https://[fe80::1]:8443",
		"HTTP://LOCALHOST:8080":             "http://localhost:8080",
		"muster.example":                    "",
		"https://":                          "",
		"https://mü.example":                "",
		"https://muster.example:0":          "",
		"nats://muster.example":             "",
		"https://a b":                       "",
		"\x00":                              "",
	} {
		got, err := Address(raw)
		if got != want || (problem.Of(err) == nil) == (want == "") {
			t.Errorf("Address(%q) = %q, %v, want %q", raw, got, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	msg, err := example().Sign(france(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(msg)
	f.Add([]byte(example().Text()))
	f.Add(bytes.Replace(msg, []byte("https:"), []byte("nats:"), 1))
	f.Fuzz(func(t *testing.T, msg []byte) {
		got, err := Parse(msg)
		if err != nil {
			if problem.Of(err) == nil {
				t.Fatalf("%v is no problem", err)
			}
			return
		}
		if !bytes.HasPrefix(msg, []byte(got.Text()+"\n— ")) {
			t.Fatalf("%q was read as %q", msg, got.Text())
		}
		if _, err := events.ParseSigned(msg); err == nil {
			t.Fatalf("%q is a statement, too", msg)
		}
	})
}
