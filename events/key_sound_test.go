package events

import (
	"crypto/ed25519"
	"encoding/hex"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"muster/events/problem"
)

// unsound are keys that no secret key has: the points of small order in every form in which some
// library reads them ("Taming the many EdDSAs", Chalkias, Garillot, Nikolaenko, 2020, table 1),
// other points in a form that is not canonical, and what is no point.
var unsound = map[string]string{
	"the neutral point":            `0100000000000000000000000000000000000000000000000000000000000000`,
	"order 2":                      `ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f`,
	"order 4":                      `0000000000000000000000000000000000000000000000000000000000000000`,
	"order 4, the other":           `0000000000000000000000000000000000000000000000000000000000000080`,
	"order 8":                      `c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a`,
	"order 8, the second":          `c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa`,
	"order 8, the third":           `26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05`,
	"order 8, the fourth":          `26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85`,
	"neutral, with a sign":         `0100000000000000000000000000000000000000000000000000000000000080`,
	"order 2, with a sign":         `ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff`,
	"neutral, beyond p":            `eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f`,
	"neutral, beyond p, signed":    `eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff`,
	"order 4, beyond p":            `edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f`,
	"order 4, beyond p, signed":    `edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff`,
	"of large order, beyond p":     `f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f`,
	"not a point, y is 2":          `0200000000000000000000000000000000000000000000000000000000000000`,
	"not a point, beyond p, is 15": `fcffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f`,
}

// Nobody is admitted with a key for which anybody can sign, nobody founds a ledger with one, and
// what is signed so is nobody's.
func TestUnsoundKeys(t *testing.T) {
	for name, digits := range unsound {
		public, err := hex.DecodeString(digits)
		if err != nil {
			t.Fatal(err)
		}
		for _, of := range []string{"POL/warsaw", "HQ/staff"} {
			text, err := note.NewEd25519VerifierKey(of, public)
			if err != nil {
				t.Fatal(err)
			}
			key := Key(text)
			if _, err := key.Verifier(); err == nil {
				t.Errorf("%s: signatures of %s are checked", name, key)
			}
			if _, err := key.Ready(); err == nil {
				t.Errorf("%s: %s is made ready", name, key)
			}
			const remedy = `": a key with which anybody could sign: make another one, with ` +
				"`muster key new NAME`"
			head, role := goldenHead(1, "member.admitted"), Liaison
			if of == "HQ/staff" {
				role = Coordinator
				_, err = Marshal(&LedgerFounded{goldenHead(1, "ledger.founded"), "title", key, 0})
				refused(t, err, problem.Invalid, `founder "`+string(key)+remedy)
			}
			_, err = Marshal(&MemberAdmitted{head, key, role, "", ""})
			refused(t, err, problem.Invalid, `key "`+string(key)+remedy)
		}
	}
}

// The danger is real: the standard library takes a signature of the neutral point, made without any
// secret, for any text.
func TestNeutralPointSignsAnything(t *testing.T) {
	neutral, _ := hex.DecodeString(unsound["the neutral point"])
	signature := append(neutral, make([]byte, 32)...)
	if !ed25519.Verify(neutral, []byte("any text"), signature) {
		t.Error("the standard library refuses it, and the comments say otherwise")
	}
}
