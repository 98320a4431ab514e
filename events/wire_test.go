package events

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/events/problem"
)

// signedOffer is the signed note of offerLine, in its three parts.
func signedOffer(t testing.TB) (text, dash, sig string) {
	t.Helper()
	s, err := Parse([]byte(offerLine))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := Sign(s, franceSigner(t))
	if err != nil {
		t.Fatal(err)
	}
	text, sig, ok := strings.Cut(string(signed.Note), "\n\n— FRA/test ")
	if !ok || text != offerLine {
		t.Fatalf("unexpected note %q", signed.Note)
	}
	return text, "\n\n— FRA/test ", strings.TrimSuffix(sig, "\n")
}

// looseBits returns other base 64 of the same bytes: the last character before the padding has bits
// that say nothing.
func looseBits(t testing.TB, s string) string {
	t.Helper()
	i := len(strings.TrimRight(s, "=")) - 1
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	loose := s[:i] + string(alphabet[strings.IndexByte(alphabet, s[i])|1]) + s[i+1:]
	a, _ := base64.StdEncoding.DecodeString(s)
	b, err := base64.StdEncoding.DecodeString(loose)
	if err != nil || loose == s || !bytes.Equal(a, b) {
		t.Fatalf("%s and %s are not the same", s, loose)
	}
	return loose
}

func TestBadNotes(t *testing.T) {
	text, dash, sig := signedOffer(t)
	const noNote = "this is no signed note: send a line of JSON, an empty line, and a line of " +
		"signature that begins with an em dash"
	for _, bad := range []struct {
		name, msg string
		kind      problem.Kind
		message   string
	}{
		{"nothing", "", problem.Syntax, "the statement is empty"},
		{"over 32 KiB", text + strings.Repeat(" ", MaxBytes) + dash + sig + "\n", problem.TooLarge,
			"the statement has 33118 bytes: at most 32768 are taken"},
		{"not signed", text + "\n", problem.Syntax, noNote},
		{"no signature line", text + "\n\n", problem.Syntax, noNote},
		{"a hyphen for the dash", text + "\n\n- FRA/test " + sig + "\n", problem.Syntax, noNote},
		{"no last line end", text + dash + sig, problem.Syntax, noNote},
		{"no base 64", text + dash + "!\n", problem.Syntax, noNote},
		{"two signatures", text + dash + sig + "\n— HQ/test " + sig + "\n", problem.Syntax,
			"the note has 2 signatures: send exactly one"},
		{"a signature twice", text + dash + sig + "\n— FRA/test " + sig + "\n", problem.Syntax,
			"the note has 2 signatures: send exactly one"},
		{"loose base 64", text + dash + looseBits(t, sig) + "\n", problem.Syntax,
			"the signature is not in canonical base 64: send it as it was made"},
		{"text of two lines", text + "\n" + text + dash + sig + "\n", problem.Syntax,
			`the statement must be one line of JSON: write a line break inside a text as \n`},
		{"a line before", "\n" + text + dash + sig + "\n", problem.Syntax,
			`the statement must be one line of JSON: write a line break inside a text as \n`},
		{"no text", "\n" + dash[1:] + sig + "\n", problem.Syntax, "the statement is empty"},
		{"CR LF", strings.ReplaceAll(text+dash+sig+"\n", "\n", "\r\n"), problem.Syntax,
			`the statement has a carriage return at byte 242: end lines with LF alone, and write one inside a text as \n`},
		{"invalid UTF-8", text + "\xff" + dash + sig + "\n", problem.Syntax,
			"the statement is not valid UTF-8 at byte 242: write it in UTF-8"},
		{"a bad statement", strings.Replace(text, "FRA", "fra", 1) + dash + sig + "\n",
			problem.Invalid, `nation "fra": write it as FRA`},
	} {
		t.Run(bad.name, func(t *testing.T) {
			_, err := ParseSigned([]byte(bad.msg))
			refused(t, err, bad.kind, bad.message)
		})
	}
}

func TestTheSignatureIsOfTheBytes(t *testing.T) {
	text, dash, sig := signedOffer(t)
	france, hq := franceSigner(t).Key(), hqSigner(t).Key()
	signed, err := ParseSigned([]byte(text + dash + sig + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := signed.VerifiedBy(france); err != nil {
		t.Errorf("the signer's own key: %v", err)
	}
	if id, _ := france.ID(); signed.SignedBy() != id {
		t.Errorf("signed by %s, want %s", signed.SignedBy(), id)
	}
	if err := signed.VerifiedBy(hq); !errors.Is(err, ErrSignature) {
		t.Errorf("another's key: %v", err)
	}
	if err := signed.VerifiedBy("FRA/test+00000000+AAAA"); err == nil {
		t.Error("a key that is none verifies")
	}
	// The same statement with a space in it says the same, and was not signed.
	respaced, err := ParseSigned([]byte(strings.Replace(text, ",", ", ", 1) + dash + sig + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := respaced.VerifiedBy(france); !errors.Is(err, ErrSignature) {
		t.Errorf("other bytes: %v", err)
	}
	// And of what is not a note with that one signature, nothing is signed.
	for _, bad := range []string{
		"", "\n", "\n\n", text, text + "\n", text + "\n\n", text + dash, text + dash + sig,
		text + dash + "\n", text + dash + "!\n", text + dash + "AAAA\n",
		text + dash + sig[:len(sig)-4] + "\n", text + dash + sig + "\n\n",
		text + dash + sig + "\n— HQ/test " + sig + "\n", "\n\n— FRA/test " + sig + "\n",
		text + "\n\n— HQ/test " + sig + "\n", text + "\n\n— FRA/test\n", text + "\n\n" + sig + "\n",
	} {
		altered := signed
		altered.Note = []byte(bad)
		if err := altered.VerifiedBy(france); !errors.Is(err, ErrSignature) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	// A key of the same name is another key.
	other := testSigner(t, "FRA/test", 3).Key()
	if err := signed.VerifiedBy(other); !errors.Is(err, ErrSignature) {
		t.Errorf("another key of the same name: %v", err)
	}
}

func TestSignRefusesWhatParseWouldRefuse(t *testing.T) {
	offer := func() *PledgeOffered {
		s, err := Parse([]byte(offerLine))
		if err != nil {
			t.Fatal(err)
		}
		return s.(*PledgeOffered)
	}
	for name, spoil := range map[string]func(*PledgeOffered){
		"quantity 0":          func(s *PledgeOffered) { s.Quantity = Count(0) },
		"quantity too large":  func(s *PledgeOffered) { s.Quantity = Count(MaxCount + 1) },
		"no quantity":         func(s *PledgeOffered) { s.Quantity = Quantity{} },
		"no such day":         func(s *PledgeOffered) { s.Until = 2027_02_30 },
		"no date":             func(s *PledgeOffered) { s.Effective = 7 },
		"no id":               func(s *PledgeOffered) { s.ID = ID{} },
		"another type":        func(s *PledgeOffered) { s.Type = "pledge.amended" },
		"no type":             func(s *PledgeOffered) { s.Type = "" },
		"note not UTF-8":      func(s *PledgeOffered) { s.Note = "\xff" },
		"operation not UTF-8": func(s *PledgeOffered) { s.Operation = "\xff" },
	} {
		s := offer()
		spoil(s)
		if _, err := Sign(s, franceSigner(t)); !problem.Is(err, problem.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	long := offer()
	long.Note, long.Source = strings.Repeat("€", MaxText), strings.Repeat("€", MaxText)
	if _, err := Sign(long, franceSigner(t)); !problem.Is(err, problem.TooLarge) {
		t.Errorf("too large: %v", err)
	}
}

func TestBadRecords(t *testing.T) {
	file, err := os.ReadFile(goldenDir + "/pledge.offered.txt")
	if err != nil {
		t.Fatal(err)
	}
	good := string(file)
	const newer = "use a newer muster; if this is the newest, the record is damaged"
	for _, bad := range []struct {
		name, old, new string
		kind           problem.Kind
		message, hint  string
	}{
		{"empty", good, "", problem.Unverified,
			"record 7 is damaged: the first line is no envelope: jsontext: unexpected EOF", ""},
		{"higher version", `"v":1`, `"v":2`, problem.Unavailable,
			"record 7 says what this muster cannot read: it was written by a newer muster: it " +
				"has version 2, and this muster reads up to 1", newer},
		{"higher version with more members", `"v":1`, `"v":2,"more":[]`, problem.Unavailable,
			"record 7 says what this muster cannot read: it was written by a newer muster: it " +
				"has version 2, and this muster reads up to 1", newer},
		{"version 0", `"v":1`, `"v":0`, problem.Unverified,
			"record 7 is damaged: the envelope names no version", ""},
		{"no version", `"v":1,`, "", problem.Unverified,
			"record 7 is damaged: the envelope names no version", ""},
		{"version in capitals", `"v":1`, `"V":1`, problem.Unverified,
			"record 7 is damaged: the envelope names no version", ""},
		{"time without microseconds", ".123456Z", "Z", problem.Unverified,
			`record 7 is damaged: the envelope's time is "2026-11-23T02:23:12Z" and not of the form 2006-01-02T15:04:05.000000Z`, ""},
		{"time with a comma", ".123456Z", ",123456Z", problem.Unverified,
			`record 7 is damaged: the envelope's time is "2026-11-23T02:23:12,123456Z" and not of the form 2006-01-02T15:04:05.000000Z`, ""},
		{"time of elsewhere", ".123456Z", ".123456+01:00", problem.Unverified,
			`record 7 is damaged: the envelope's time is "2026-11-23T02:23:12.123456+01:00" and not of the form 2006-01-02T15:04:05.000000Z`, ""},
		{"unknown type", `"pledge.offered"`, `"grudge.held"`, problem.Unavailable,
			`record 7 says what this muster cannot read: type "grudge.held": not a kind of statement that is known here: write one such as "pledge.offered"`, newer},
		{"unknown member", `"role":`, `"speed":1,"role":`, problem.Unavailable,
			`record 7 says what this muster cannot read: speed: unknown: no such member is known here, so leave it out`, newer},
		{"no statement", good[strings.IndexByte(good, '\n'):], "\n", problem.Unverified,
			"record 7 is damaged: the statement is empty", ""},
		{"cut", good[len(good)-20:], "", problem.Unverified,
			"record 7 is damaged: this is no signed note: send a line of JSON, an empty line, " +
				"and a line of signature that begins with an em dash", ""},
	} {
		t.Run(bad.name, func(t *testing.T) {
			if !strings.Contains(good, bad.old) {
				t.Fatalf("the good record has no %s to replace", bad.old)
			}
			_, err := ParseRecord(7, []byte(strings.Replace(good, bad.old, bad.new, 1)))
			refused(t, err, bad.kind, bad.message)
			if hint := problem.From(err).Hint; hint != bad.hint {
				t.Errorf("hint %q, want %q", hint, bad.hint)
			}
		})
	}
	for name, spoilt := range map[string]string{
		"two versions":       strings.Replace(good, `"v":1`, `"v":1,"v":1`, 1),
		"unknown member":     strings.Replace(good, `"v":1`, `"v":1,"w":1`, 1),
		"more after it":      strings.Replace(good, "}\n", "}{}\n", 1),
		"an array":           strings.Replace(good, "}\n", "}]\n", 1),
		"invalid UTF-8":      strings.Replace(good, "muster.example", "\xff", 1),
		"a line end too few": good[:len(good)-1],
		"a line end more":    good + "\n",
	} {
		if _, err := ParseRecord(7, []byte(spoilt)); !problem.Is(err, problem.Unverified) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNewRecordCutsTheTime(t *testing.T) {
	text, dash, sig := signedOffer(t)
	signed, err := ParseSigned([]byte(text + dash + sig + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	paris := time.FixedZone("CET", 3600)
	rec, err := NewRecord(7, time.Date(2026, 11, 23, 3, 23, 0, 123456999, paris),
		"muster.example/<test>", signed)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"v":1,"recorded":"2026-11-23T02:23:00.123456Z","by":"muster.example/<test>"}` + "\n"
	if line, _, _ := bytes.Cut(rec.Stored, []byte("\n")); string(line)+"\n" != want {
		t.Errorf("envelope %s", line)
	}
	if !bytes.HasSuffix(rec.Stored, signed.Note) {
		t.Error("the note was changed")
	}
	again, err := ParseRecord(7, slices.Clone(rec.Stored))
	if err != nil {
		t.Fatal(err)
	}
	if !again.Recorded.Equal(rec.Recorded) || again.By != rec.By || again.Sequence != 7 ||
		!bytes.Equal(again.Note, signed.Note) {
		t.Errorf("\nmade %+v\nread %+v", rec, again)
	}
}
