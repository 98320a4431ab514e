package events

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"
)

func vkey(t interface{ Fatal(...any) }, public []byte) Key {
	text, err := note.NewEd25519VerifierKey("FRA/test", public)
	if err != nil {
		t.Fatal(err)
	}
	return Key(text)
}

// ready makes any key ready, also one that [IsSound] does not take: what is compared is how
// signatures are checked.
func ready(t interface{ Fatal(...any) }, public []byte) *ReadyKey {
	k := vkey(t, public)
	v, err := note.NewVerifier(string(k))
	if err != nil {
		t.Fatal(err)
	}
	return readyKey(v, k, public)
}

// What the server takes and an auditor's program does not would be worse than any slowness: the two
// must agree on everything.
func TestAReadyKeyAcceptsWhatTheStandardLibraryDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := ed25519.NewKeyFromSeed(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "seed"))
		public := bytes.Clone(secret.Public().(ed25519.PublicKey))
		msg := rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "message")
		sig := ed25519.Sign(secret, msg)
		for range rapid.IntRange(0, 2).Draw(t, "changes") {
			b := rapid.SampledFrom([][]byte{public, msg, sig, sig[32:]}).Draw(t, "in")
			b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		}
		if rapid.IntRange(0, 9).Draw(t, "cut") == 0 {
			sig = sig[:rapid.IntRange(0, 63).Draw(t, "to")]
		}
		want := len(sig) == 64 && ed25519.Verify(public, msg, sig)
		if got := ready(t, public).Verify(msg, sig); got != want {
			t.Fatalf("ready: %v, standard library: %v; public %x, message %x, signature %x", got,
				want, public, msg, sig)
		}
	})
}

// Every way to write a point whose order divides eight, the ways that RFC 8032 does not allow among
// them.
var smallOrder = []string{
	"0100000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000080",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
}

// The order of the group, and zero: s of a signature must be less than the first.
var scalars = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
	"edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000020",
	"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

func TestAReadyKeyAgreesOnPointsOfSmallOrder(t *testing.T) {
	accepted, refused := 0, 0
	for _, a := range smallOrder {
		public := unhex(t, a)
		r := ready(t, public)
		for _, point := range smallOrder {
			for _, s := range scalars {
				sig := append(unhex(t, point), unhex(t, s)...)
				for i := range 16 {
					msg := fmt.Appendf(nil, "message %d", i)
					want := ed25519.Verify(public, msg, sig)
					if got := r.Verify(msg, sig); got != want {
						t.Errorf("ready: %v, standard library: %v; public %s, message %q, R %s, "+
							"s %s", got, want, a, msg, point, s)
					}
					if want {
						accepted++
					} else {
						refused++
					}
				}
			}
		}
	}
	if accepted == 0 || refused == 0 {
		t.Errorf("%d were accepted and %d refused: nothing was compared", accepted, refused)
	}
}

// A signature with L added to s is the same to a verifier that reduces s, and another record to a
// ledger.
func TestAReadyKeyRefusesAnAddedOrder(t *testing.T) {
	secret := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	public, msg := secret.Public().(ed25519.PublicKey), []byte("a pledge")
	sig := ed25519.Sign(secret, msg)
	if r := ready(t, public); !r.Verify(msg, sig) {
		t.Fatal("a good signature is refused")
	}
	order, carry := unhex(t, scalars[1]), uint16(0)
	for i, b := range order {
		carry += uint16(sig[32+i]) + uint16(b)
		sig[32+i] = byte(carry)
		carry >>= 8
	}
	if ready(t, public).Verify(msg, sig) || ed25519.Verify(public, msg, sig) {
		t.Error("s plus the order of the group is accepted")
	}
}

// About half of all y are of no point. Such a key can be written and sign nothing.
func TestAReadyKeyThatIsNoPoint(t *testing.T) {
	points := 0
	for i := range 64 {
		sum := sha512.Sum512_256(binary.BigEndian.AppendUint64(nil, uint64(i)))
		r := ready(t, sum[:])
		if r.minus != nil {
			points++
		}
		if sig := make([]byte, 64); r.Verify([]byte("m"), sig) ||
			ed25519.Verify(sum[:], []byte("m"), sig) {
			t.Errorf("%x verifies", sum)
		}
	}
	if points == 0 || points == 64 {
		t.Errorf("%d of 64 are points", points)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func BenchmarkVerify(b *testing.B) {
	secret := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	public, msg := secret.Public().(ed25519.PublicKey), bytes.Repeat([]byte{'a'}, 400)
	sig := ed25519.Sign(secret, msg)
	r := ready(b, public)
	b.Run("standard library", func(b *testing.B) {
		for b.Loop() {
			if !ed25519.Verify(public, msg, sig) {
				b.Fatal("refused")
			}
		}
	})
	b.Run("ready", func(b *testing.B) {
		for b.Loop() {
			if !r.Verify(msg, sig) {
				b.Fatal("refused")
			}
		}
	})
}
