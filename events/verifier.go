package events

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
	"golang.org/x/mod/sumdb/note"
)

// A ReadyKey is a key that was made ready to check many signatures: about twice as fast as [Signed.VerifiedBy], by vector
// instructions where the processor has them and by a table that is made once. It may be used concurrently.
//
// It accepts exactly what VerifiedBy does (a signature by itself, without multiplying by the cofactor, and never several at
// once, whose equation a signer could satisfy with signatures that fail alone). But it is other code than the standard
// library's, and that is by intention: the server that takes a statement checks it with this, and whoever audits the server
// with the other.
type ReadyKey struct {
	note.Verifier
	key    Key
	public *ed25519.ExpandedPublicKey // nil for what is no point of the curve, and can sign nothing
}

// Ready makes the key ready. It takes about as long as to check a signature. It fails for what has no Verifier.
func (k Key) Ready() (*ReadyKey, error) {
	v, err := k.Verifier()
	if err != nil {
		return nil, err
	}
	// note.NewVerifier has checked the form: the name, the hash, and base 64 of the algorithm and the key.
	_, encoded, _ := strings.Cut(string(k)[len(v.Name())+1:], "+")
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("%q is no public key: %w", shorten(string(k)), err)
	}
	public, err := ed25519.NewExpandedPublicKey(data[1:])
	if err != nil {
		public = nil
	}
	return &ReadyKey{v, k, public}, nil
}

// Key returns the key.
func (r *ReadyKey) Key() Key { return r.key }

// Verify implements note.Verifier.
func (r *ReadyKey) Verify(msg, sig []byte) bool {
	return r.public != nil && len(sig) == ed25519.SignatureSize && ed25519.VerifyExpandedWithOptions(r.public, msg, sig, asStandardLibrary)
}

var asStandardLibrary = &ed25519.Options{Verify: ed25519.VerifyOptionsStdLib}
