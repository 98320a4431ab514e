package session

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"sync"
	"time"
)

// How long nonces and clocks may be off.
const (
	// Skew is how far the clock of somebody who signs in may be from the server's.
	Skew = 5 * time.Minute
	// nonceTime is how long a nonce may be used: a key is opened and a note signed meanwhile.
	nonceTime = 5 * time.Minute
)

// A nonce is the name of the store that has made it, random bytes, the time, and what proves that
// this process has made it. So nonces that are asked for take no memory, however many they are;
// those that were used are remembered until they would have ended.
//
//	0       8        16        24                        56
//	| store | random | seconds | HMAC-SHA-256 of the rest |
type nonces struct {
	store  [idLength]byte
	secret [sha256.Size]byte

	mu   *sync.Mutex
	used map[string]time.Time // when each would have ended
}

const nonceHead, nonceLength = 24, 24 + sha256.Size

func newNonces(store [idLength]byte) nonces {
	n := nonces{store: store, mu: new(sync.Mutex), used: map[string]time.Time{}}
	_, _ = rand.Read(n.secret[:]) // which never fails
	return n
}

func (n *nonces) make(now time.Time) string {
	nonce := make([]byte, nonceHead, nonceLength)
	copy(nonce, n.store[:])
	_, _ = rand.Read(nonce[idLength:16])
	binary.BigEndian.PutUint64(nonce[16:], uint64(now.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(nonce, n.sum(nonce)...))
}

func (n *nonces) sum(head []byte) []byte {
	mac := hmac.New(sha256.New, n.secret[:])
	mac.Write(head)
	return mac.Sum(nil)
}

// endOf returns when a nonce of this process ends, and false for all others.
func (n *nonces) endOf(nonce string) (time.Time, bool) {
	data, err := base64.RawURLEncoding.Strict().DecodeString(nonce)
	if err != nil || len(data) != nonceLength ||
		!hmac.Equal(data[nonceHead:], n.sum(data[:nonceHead])) {
		return time.Time{}, false
	}
	return time.Unix(int64(binary.BigEndian.Uint64(data[16:])), 0).Add(nonceTime), true
}

// check refuses a nonce that this process has not made, or too long ago.
func (n *nonces) check(nonce string, now time.Time) error {
	end, ok := n.endOf(nonce)
	switch {
	case !ok:
		return refused("nonce", "", "this server has not given it, or was started anew since")
	case now.After(end):
		return refused("nonce", "", "this server has given it more than %s ago", nonceTime)
	}
	return nil
}

// use refuses a nonce that was used before, and remembers it.
func (n *nonces) use(nonce string, now time.Time) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for other, end := range n.used {
		if now.After(end) {
			delete(n.used, other)
		}
	}
	if _, was := n.used[nonce]; was {
		return refused("nonce", "", "it was used already: each signs in once")
	}
	n.used[nonce], _ = n.endOf(nonce)
	return nil
}
