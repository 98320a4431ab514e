package proof

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/seeded"
)

// bundleOf writes a bundle of a history: of the whole, or of one pledge.
func bundleOf(t testing.TB, h *history, pledge events.ID) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	if pledge.IsZero() {
		_, err = ExportLedger(t.Context(), &b, h.source(h.entries()), h.trusted().Key, nil)
	} else {
		_, err = ExportPledge(t.Context(), &b, h.source(h.entries()), pledge, h.trusted().Key, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func verifiedFile(t testing.TB, bundle []byte, o Options) Report {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bundle")
	if err := os.WriteFile(path, bundle, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := VerifyBundle(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestLedgerBundle(t *testing.T) {
	h := newHistory(t).offers(600)
	bundle := bundleOf(t, h, events.ID{})
	r := verifiedFile(t, bundle, h.trusted())
	if !r.OK || r.Records != 603 || outcomes(r)["checkpoint"] != Verified {
		t.Fatal(describe(r))
	}
	claimed := verifiedFile(t, bundle, Options{})
	if !claimed.OK || !strings.Contains(describe(claimed), "the key is the bundle's own claim") ||
		!strings.Contains(describe(claimed), "- that the checkpoint key is the ledger's") {
		t.Error(describe(claimed))
	}
}

// aPledge is a history with one pledge among others, which a coordinator takes up, and members who
// come and go.
func aPledge(t testing.TB) (h *history, pledge events.ID) {
	h = newHistory(t).offers(300)
	staff, brest := testSigner(t, "HQ/staff"), testSigner(t, "FRA/brest")
	admitted := h.admission(staff)
	admitted.Role = events.Coordinator
	h.say(admitted, h.founder)
	offer := h.offer(1200)
	h.say(offer, h.paris)
	h.say(h.admission(brest), staff)
	h.offers(30)
	step := func(typ events.Type) events.PledgeStep {
		return events.PledgeStep{Header: h.head(typ), Dated: events.Dated{Effective: testDay},
			Place: offer.Place, Step: events.Step{Pledge: offer.ID}}
	}
	h.say(&events.PledgeAccepted{PledgeStep: step("pledge.accepted")}, staff)
	h.say(h.revocation(h.paris), staff)
	h.say(&events.PledgeConfirmed{PledgeStep: step("pledge.confirmed")}, brest)
	return h, offer.ID
}

func TestPledgeBundle(t *testing.T) {
	h, pledge := aPledge(t)
	bundle := bundleOf(t, h, pledge)
	r := verifiedFile(t, bundle, h.trusted())
	if !r.OK || r.Records != 8 || len(r.Said) != 3 || r.Said[2].Type != "pledge.confirmed" ||
		!strings.HasPrefix(r.Said[2].Signer, "FRA/brest+") {
		t.Fatalf("%+v\n%s", r, describe(r))
	}
	for name, want := range map[string]Outcome{"records": Verified, "proofs": Verified,
		"signatures": Verified, "roster": Verified, "checkpoint": Verified, "rules": NotChecked} {
		if got := outcomes(r)[name]; got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	if said := describe(r); !strings.Contains(said, "- that nothing was left out") ||
		!strings.Contains(said, `"quantity":1200`) {
		t.Error(said)
	}
	var b bytes.Buffer
	nobody, _ := events.IDAt(1, [10]byte{9})
	if _, err := ExportPledge(t.Context(), &b, h.source(h.entries()), nobody, h.trusted().Key,
		nil); !problem.Is(err, problem.NotFound) || b.Len() > 0 {
		t.Errorf("no such pledge: %v, and %d bytes", err, b.Len())
	}
}

// A proof block with the checkpoint after it is a C2SP tlog-proof, for any software that knows
// these.
func TestProofsAreStandard(t *testing.T) {
	h, pledge := aPledge(t)
	b, err := readBundle(bytes.NewReader(bundleOf(t, h, pledge)))
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(h.vkey)
	if err != nil {
		t.Fatal(err)
	}
	policy := torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(string(testOrigin)),
		torchwood.SingleVerifierPolicy(v))
	for n := uint64(0); ; n++ {
		sequence, stored, err := b.next("record", 0, n)
		if err == io.EOF {
			if n != 8 {
				t.Errorf("%d records", n)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		_, proof, err := b.next("proof", sequence, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := torchwood.VerifyProof(policy, tlog.RecordHash(stored),
			append(proof, b.head.Checkpoint...)); err != nil {
			t.Errorf("record %d: %v", sequence, err)
		}
	}
}

// Whatever byte of a bundle is changed, it is noticed: when the key was given from elsewhere, even
// in the key. Each run changes a third of them, and which one is drawn.
func TestEveryByteOfABundle(t *testing.T) {
	t.Parallel()
	third := seeded.New(t).IntN(3)
	h, pledge := aPledge(t)
	for name, bundle := range map[string][]byte{"pledge": bundleOf(t, h, pledge),
		"ledger": bundleOf(t, newHistoryLike(h, 3), events.ID{})} {
		path := filepath.Join(t.TempDir(), "bundle")
		claim := len("key ") + len(h.vkey) + 1
		begin := bytes.Index(bundle, []byte("key "))
		for at := range bundle {
			if at >= begin+4 && at < begin+claim-1 || at%3 != third ||
				testing.Short() && at%101 != 0 {
				continue // what the bundle claims is not believed
			}
			bad := bytes.Clone(bundle)
			bad[at] ^= 1 << (at % 7)
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := VerifyBundle(t.Context(), path, h.trusted())
			if err == nil && (r.OK || r.Fault == nil) {
				t.Errorf("%s: byte %d of %d was %q, is %q, and nobody notices", name, at,
					len(bundle), bundle[at], bad[at])
			}
		}
	}
}

// newHistoryLike is a short history with the keys of another.
func newHistoryLike(h *history, offers int) *history {
	short := newHistory(h.t)
	short.log, short.vkey = h.log, h.vkey
	return short.offers(offers)
}

func TestTamperedBundles(t *testing.T) {
	h, pledge := aPledge(t)
	other, otherPledge := aPledge(t)
	other.log, other.vkey = h.log, h.vkey
	ledger, part := string(bundleOf(t, h, events.ID{})), string(bundleOf(t, h, pledge))
	foreign := string(bundleOf(t, other, otherPledge))
	// leaves out so many blocks from the one that begins so on
	cut := func(s, from string, blocks int) string {
		i := strings.Index(s, from)
		j := i
		for range blocks {
			var name string
			var sequence, n int
			line, _, _ := strings.Cut(s[j:], "\n")
			if _, err := fmt.Sscan(line, &name, &sequence, &n); err != nil {
				t.Fatal(line, err)
			}
			j += len(line) + 1 + n
		}
		return s[:i] + s[j:]
	}
	// The last digit of a signature, of which two bits say nothing.
	loose := strings.Index(ledger, "=\nrecord 1 ") - 1
	for name, c := range map[string]struct {
		bundle, check, says string
		sequence            uint64
	}{
		"cut off": {ledger[:len(ledger)/2], "records", "it was cut off", 0},
		"without an end": {ledger[:strings.LastIndex(ledger, "end ")], "records",
			"it was cut off", 0},
		"more after the end": {ledger + "hello\n", "records",
			"there is more after its end", 0},
		"a record left out": {cut(ledger, "record 100 ", 1), "records",
			"it is missing: record 101 follows", 100},
		"an end of more": {strings.Replace(ledger, "\nend 339\n", "\nend 340\n", 1),
			"records", "it ends with \"end 340\", and has 339 records", 0},
		"line ends of another world": {strings.ReplaceAll(part, "\n", "\r\n"), "file",
			"the bundle is damaged: its pledge", 0},
		"an admission left out": {strings.Replace(cut(part, "record 304 ", 2), "end 8", "end 7",
			1), "roster", "no earlier record of the bundle admits its signer HQ/staff", 306},
		"the founding left out": {strings.Replace(cut(part, "record 1 ", 2), "end 8", "end 7",
			1), "roster", "no earlier record of the bundle admits its signer HQ/founder", 3},
		"another ledger's records": {part[:strings.Index(part, "record 1 ")] +
			foreign[strings.Index(foreign, "record 1 "):], "proofs",
			"does not lead to the root", 1},
		"loose bits": {ledger[:loose] + string(ledger[loose]+1) + ledger[loose+1:],
			"file", "is not in canonical base 64", 0},
		"the proof of another": {strings.Replace(part, "index 304\n", "index 303\n", 1), "proofs",
			"is that of record 304", 305},
	} {
		r := verifiedFile(t, []byte(c.bundle), h.trusted())
		if r.OK || r.Fault == nil || r.Fault.Check != c.check ||
			!strings.Contains(r.Fault.What, c.says) || c.sequence != 0 &&
			r.Fault.Sequence != c.sequence {
			t.Errorf("%s: %+v", name, r.Fault)
		}
	}
}

// Whoever makes a bundle can leave a revocation out of it: the report says that it cannot show
// this. What it has of the roster is believed in no other order than that of the records.
func TestRevokedSignerInBundle(t *testing.T) {
	h, pledge := aPledge(t)
	h.say(&events.PledgeWithdrawn{PledgeStep: events.PledgeStep{Header: h.head("pledge.withdrawn"),
		Dated: events.Dated{Effective: testDay},
		Place: events.Place{Operation: "mnf-u", Nation: "FRA"}, Step: events.Step{Pledge: pledge}}},
		h.paris)
	r := verifiedFile(t, bundleOf(t, h, pledge), h.trusted())
	if f := r.Fault; f == nil || f.Sequence != 340 || f.Check != "roster" || f.Code != "revoked" ||
		!strings.Contains(f.What, "was revoked by record 338") {
		t.Errorf("%+v", f)
	}
}

// More signatures under the checkpoint, those of cosigners, are kept and told, and change nothing.
func TestCosigned(t *testing.T) {
	h, pledge := aPledge(t)
	plain := h.checkpoint()
	secret, _, err := note.GenerateKey(rand.Reader, "witness.example/w1")
	if err != nil {
		t.Fatal(err)
	}
	witness, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(h.vkey)
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(plain, note.VerifierList(v))
	if err != nil {
		t.Fatal(err)
	}
	cosigned, err := note.Sign(n, witness)
	if err != nil {
		t.Fatal(err)
	}
	src := h.source(h.entries())
	src.Checkpoint = cosigned
	var b bytes.Buffer
	if _, err := ExportPledge(t.Context(), &b, src, pledge, h.trusted().Key, nil); err != nil {
		t.Fatal(err)
	}
	r := verifiedFile(t, b.Bytes(), h.trusted())
	if !r.OK || !strings.Contains(describe(r), "beside it, 1 signature that no key was given for") {
		t.Error(describe(r))
	}
}

// A host founds a ledger with a key of small order, for which anybody can make a signature of any
// text without a secret. The bundle is as it should be otherwise: tree and checkpoint hold.
func TestBundleOfAnUnsoundFounding(t *testing.T) {
	h := newHistory(t).offers(5)
	neutral := append([]byte{1}, make([]byte, 31)...)
	key, err := note.NewEd25519VerifierKey(h.founder.Name(), neutral)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(key)
	if err != nil {
		t.Fatal(err)
	}
	signature := binary.BigEndian.AppendUint32(nil, v.KeyHash())
	signature = append(append(signature, neutral...), make([]byte, 32)...)
	founding := strings.ReplaceAll(string(h.records[0].Stored), string(h.founder.Key()), key)
	signed := strings.LastIndex(founding, " ") + 1
	founding = founding[:signed] + base64.StdEncoding.EncodeToString(signature) + "\n"
	_, text, _ := strings.Cut(founding, "\n")
	if _, err := note.Open([]byte(text), note.VerifierList(v)); err != nil {
		t.Fatalf("the signature holds for the library that this is about: %v", err)
	}
	forged := *h
	forged.records, forged.tree = slices.Clone(h.records), tree{}
	forged.records[0].Stored = []byte(founding)
	for _, rec := range forged.records {
		forged.tree.add(tlog.RecordHash(rec.Stored))
	}
	whole := string(bundleOf(t, h, events.ID{}))
	for was, is := range map[string]string{string(h.records[0].Stored): founding,
		string(h.checkpoint()): string(forged.checkpoint())} {
		if strings.Count(whole, was) != 1 {
			t.Fatalf("the bundle does not have, once:\n%s", was)
		}
		whole = strings.Replace(whole, was, is, 1)
	}
	r := verifiedFile(t, []byte(whole), forged.trusted())
	if f := r.Fault; f == nil || f.Sequence != 1 || f.Check != "records" ||
		!strings.Contains(f.What, "a key with which anybody could sign") {
		t.Errorf("the bundle is taken, or refused for something else: %+v", f)
	}
	if got := outcomes(r); got["tree"] != Verified || got["checkpoint"] != Verified {
		t.Errorf("all but the record holds: %v", got)
	}
}
