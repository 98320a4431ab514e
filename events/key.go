package events

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"golang.org/x/mod/sumdb/note"

	"muster/events/phrase"
	"muster/events/problem"
)

// A Key is a public event key: the text of a C2SP signed-note verifier key,
// "FRA/paris+1a2b3c4d+Aet…" (Ed25519). Event keys are never NATS keys: a NATS client signs any
// nonce that a server sends it.
type Key string

var keyNamePattern = regexp.MustCompile(`^([A-Z]{3}|HQ|x-[a-z0-9][a-z0-9-]{0,18}[a-z0-9])/` +
	`[a-z0-9](?:[a-z0-9._-]{0,30}[a-z0-9])?$`)

// ValidKeyName reports whether name can name an event key: the code of a nation or an organisation,
// or HQ, a slash, and a name of its own in lower case, such as FRA/paris.
func ValidKeyName(name string) bool {
	party, _, _ := strings.Cut(name, "/")
	return keyNamePattern.MatchString(name) && (party == string(HQ) || Nation(party).Valid())
}

// CheckKeyName is [ValidKeyName] with an error for people. Where they have written the name of a
// nation, or of one of these organisations, or capitals, it says what to write.
func (all Organisations) CheckKeyName(name string) error {
	if ValidKeyName(name) {
		return nil
	}
	party, own, _ := strings.Cut(name, "/")
	n, ok := all.Find(party)
	if strings.EqualFold(party, string(HQ)) {
		n, ok = HQ, true
	}
	own = strings.ToLower(own)
	meant := string(n) + "/" + own
	switch {
	case ok && ValidKeyName(meant):
		return fmt.Errorf("%q cannot name a key: write %s", name, meant)
	case ok || !ValidKeyName("HQ/"+own):
		return fmt.Errorf("%q cannot name a key: %s", name, keyNameRemedy)
	}
	parse := ParseNation
	if len(all) > 0 {
		parse = all.Parse
	}
	_, err := parse(party)
	return fmt.Errorf("%q cannot name a key: %s: %w; %s", name, problem.Name(party), err,
		keyNameRemedy)
}

const keyNameRemedy = "write the code of the nation or the organisation (or HQ), a slash and a " +
	"name in lower case, such as FRA/paris or x-nato/shape"

// NewKey makes a key pair. The first result is the secret, in the C2SP signed-note form that
// note.NewSigner reads.
func NewKey(name string) (secret string, public Key, err error) {
	if err := (Organisations{}).CheckKeyName(name); err != nil {
		return "", "", err
	}
	secret, vkey, err := note.GenerateKey(rand.Reader, name)
	return secret, Key(vkey), err
}

// A Signer signs statements with a secret event key. It may be used concurrently.
type Signer struct {
	note.Signer
	key Key
}

// NewSigner reads a secret key as NewKey made it. White space around it is ignored.
func NewSigner(secret string) (*Signer, error) {
	secret = strings.TrimSpace(secret)
	signer, err := note.NewSigner(secret)
	if err != nil {
		return nil, fmt.Errorf("no secret event key: %w", err)
	}
	// note.NewSigner has checked the form: "PRIVATE+KEY+name+hash+" and base 64 of the algorithm
	// and the seed.
	data, err := base64.StdEncoding.DecodeString(strings.SplitN(secret, "+", 5)[4])
	if err != nil {
		return nil, fmt.Errorf("no secret event key: %w", err)
	}
	public := ed25519.NewKeyFromSeed(data[1:]).Public().(ed25519.PublicKey)
	vkey, err := note.NewEd25519VerifierKey(signer.Name(), public)
	if err != nil {
		return nil, err
	}
	return &Signer{signer, Key(vkey)}, nil
}

// NewSignerWith returns the signer of a key whose secret is elsewhere, in a token for instance. It
// has sign make the Ed25519 signature of each text (RFC 8032), 64 bytes, at once by several where
// the signer is used so. The name must be one that [ValidKeyName] takes, and the public half
// [IsSound].
func NewSignerWith(name string, public ed25519.PublicKey,
	sign func(text []byte) ([]byte, error)) (*Signer, error) {
	if !ValidKeyName(name) || !IsSound(public) {
		return nil, fmt.Errorf("%q, with this public half, is no event key", name)
	}
	vkey, err := note.NewEd25519VerifierKey(name, public)
	if err != nil {
		return nil, err
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	return &Signer{elsewhere{v, sign}, Key(vkey)}, nil
}

// elsewhere is a note.Signer whose secret is not here.
type elsewhere struct {
	note.Verifier // for the name and the hash of the key
	sign          func([]byte) ([]byte, error)
}

func (e elsewhere) Sign(text []byte) ([]byte, error) { return e.sign(text) }

// Key returns the public half.
func (s *Signer) Key() Key { return s.key }

// Name returns the key's name, such as FRA/paris.
func (k Key) Name() string { name, _, _ := strings.Cut(string(k), "+"); return name }

// Party returns for whom the key speaks: a nation or HQ, and "" when the name has not the form of
// an event key's.
func (k Key) Party() Nation {
	party, _, ok := strings.Cut(k.Name(), "/")
	if !ok {
		return ""
	}
	return Nation(party)
}

// Verifier returns what checks the key's signatures: see [NewVerifier].
func (k Key) Verifier() (note.Verifier, error) {
	v, _, err := newVerifier(string(k))
	return v, err
}

// NewVerifier returns what checks the signatures of a public key in the form of C2SP signed-note,
// whoever's it is. It fails for a key that is not [IsSound].
func NewVerifier(key string) (note.Verifier, error) {
	v, _, err := newVerifier(key)
	return v, err
}

// newVerifier returns the 32 bytes of the key, too.
func newVerifier(key string) (v note.Verifier, public []byte, err error) {
	if v, err = note.NewVerifier(key); err == nil {
		// Which has checked the form: the name, the hash, and base 64 of the algorithm and the key.
		_, encoded, _ := strings.Cut(key[len(v.Name())+1:], "+")
		public, err = base64.StdEncoding.DecodeString(encoded)
	}
	if err == nil && !IsSound(public[1:]) {
		err = errUnsound
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%q is no public key: %w", problem.Shorten(key), err)
	}
	return v, public[1:], nil
}

var errUnsound = errors.New("no secret key has it as its public half")

// IsSound reports whether an Ed25519 public key can be trusted to be somebody's: it is a point of
// the curve, in the one form that RFC 8032 (5.1.2) gives it, and not one of the eight points of
// small order, for which anybody can make a signature of any text. Libraries differ in which of the
// others they take.
func IsSound(public []byte) bool {
	var y curve.CompressedEdwardsY
	var a curve.EdwardsPoint
	if _, err := y.SetBytes(public); err != nil || !y.IsCanonicalVartime() {
		return false
	}
	_, err := a.SetCompressedY(&y)
	return err == nil && !a.IsSmallOrder()
}

// isCanonical reports whether k, which has a Verifier, is written the one way that NewKey writes
// it: no capitals in the hash, no loose bits in the base 64. Keys are compared as text.
func (k Key) isCanonical(v note.Verifier) bool {
	_, data, _ := strings.Cut(string(k)[len(v.Name())+1:], "+")
	return string(k) == fmt.Sprintf("%s+%08x+%s", v.Name(), v.KeyHash(), canonicalBase64(data))
}

// unsoundKey is the message of the field of a key that is not [IsSound].
const unsoundKey = "a key with which anybody could sign: make another one, with " +
	"`muster key new NAME`"

func (c *checker) key(location string, k Key) {
	const remedy phrase.Text = "write the public key as `muster key show` prints it"
	v, err := k.Verifier()
	switch {
	case k == "":
		c.field(location, "", "missing: %s", remedy)
	case errors.Is(err, errUnsound):
		c.field(location, string(k), unsoundKey)
	case err != nil || !k.isCanonical(v):
		c.field(location, string(k), "not a public key: %s", remedy)
	case !ValidKeyName(k.Name()):
		c.field(location, string(k),
			"the key's name must be the code of a nation or an organisation (or HQ), a slash and "+
				"a name in lower case, such as FRA/paris")
	}
}
