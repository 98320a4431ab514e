package feeds

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
	"muster/projections/access"
)

// What a store holds at most. Where there are as many, one more is refused.
const (
	MaxOfKey = 16   // feeds of one key
	MaxFeeds = 4096 // of all
)

// tokenLength is how many random bytes a token has.
const tokenLength = 32

// A Feed is what an address is of, and whose it is.
type Feed struct {
	// ID names the feed to its owner. It opens nothing.
	ID string `json:"id"`
	// Of is what is read there, and Asked the parameters that the question is asked with.
	Of    string            `json:"of"`
	Asked map[string]string `json:"asked,omitempty"`
	// View is the one that is read, and no other.
	View events.View `json:"view"`
	// Key is the owner's.
	Key  events.Key `json:"key"`
	Made time.Time  `json:"made"`
}

// A held is a feed as it is kept.
type held struct {
	Feed

	Hash string `json:"sha256"` // of the token, in hexadecimal
}

// A Store has the feeds of one server. All methods may be called concurrently.
type Store struct {
	// Now tells the time.
	Now func() time.Time

	pictures access.Pictures // of all: who is a member
	save     func([]byte) error

	mu   sync.Mutex
	held map[string]held // by the hashes of their tokens
}

// Open returns the store whose feeds were saved as data, nil for none yet. Save keeps what is to be
// opened next time, and returns when it is on the disk. The error says that data is not what a
// store has saved.
func Open(data []byte, pictures access.Pictures, save func([]byte) error) (*Store, error) {
	s := &Store{Now: time.Now, pictures: pictures, save: save, held: map[string]held{}}
	if data == nil {
		return s, nil
	}
	var all []held
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	for _, h := range all {
		hash, err := hex.DecodeString(h.Hash)
		if err != nil || len(hash) != sha256.Size || h.ID == "" || h.Key == "" {
			return nil, fmt.Errorf("the feed %q is not whole", h.ID)
		}
		s.held[h.Hash] = h
	}
	return s, nil
}

// Make makes a feed of a member's, and returns it with its token, which the store does not keep. Of
// what is given, it fills in the ID and when it was made. It is kept when Make returns. The error
// is a problem.
func (s *Store) Make(f Feed) (_ Feed, token string, err error) {
	if _, ok := s.member(f.Key); !ok {
		return f, "", problem.New(problem.SignedOut, "no member of this ledger has this key")
	}
	secret := make([]byte, tokenLength+8)
	_, _ = rand.Read(secret) // which never fails
	f.ID = hex.EncodeToString(secret[tokenLength:])
	f.Made = s.Now().UTC().Truncate(time.Second)
	token = base64.RawURLEncoding.EncodeToString(secret[:tokenLength])
	s.mu.Lock()
	defer s.mu.Unlock()
	after := s.lasting()
	if err := room(after, f.Key); err != nil {
		return f, "", err
	}
	hash := hashOf(token)
	after[hash] = held{f, hash}
	return f, token, s.replace(after)
}

// room refuses one more feed of a key where there are as many as there may be.
func room(all map[string]held, key events.Key) error {
	own := 0
	for _, h := range all {
		if h.Key == key {
			own++
		}
	}
	switch {
	case own >= MaxOfKey:
		return problem.New(problem.Conflict, "%s has %d feeds, and may have no more", key.Name(),
			own).WithHint("revoke one that nothing reads any more: muster feed revoke ID; see: " +
			"muster feed list")
	case len(all) >= MaxFeeds:
		return problem.New(problem.Unavailable, "this server has %d feeds, and takes no more",
			len(all)).WithHint("revoke those of yours that nothing reads any more: muster feed " +
			"revoke ID; or ask another server of the ledger")
	}
	return nil
}

// Who returns the feed of a token, and who reads there: its owner, in the feed's view and no wider.
// The error is a problem that says nothing of the token, and the same for one that never was, was
// revoked, or whose owner was.
func (s *Store) Who(token string) (Feed, access.Reader, error) {
	s.mu.Lock()
	h, ok := s.held[hashOf(token)]
	s.mu.Unlock()
	if ok {
		var m projections.Member
		if m, ok = s.owner(&h.Feed); ok {
			return h.Feed, access.Reader{Key: m.Key, Role: m.Role, View: h.View}, nil
		}
	}
	return Feed{}, access.Reader{}, Ended()
}

// Ended is the refusal of an address that is none, or none any more.
func Ended() *problem.Problem {
	return problem.New(problem.NotFound, "there is no feed at this address, or it has ended").
		WithHint("copy the whole address; where it was revoked, or its key, make another: " +
			"muster feed new")
}

// Of returns the feeds of a key that have not ended, the oldest first.
func (s *Store) Of(key events.Key) (all []Feed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.held {
		if h.Key != key {
			continue
		}
		if _, ok := s.owner(&h.Feed); ok {
			all = append(all, h.Feed)
		}
	}
	slices.SortFunc(all, func(a, b Feed) int {
		return cmp.Or(a.Made.Compare(b.Made), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// Revoke ends a feed of a key at once. The error is a problem: of kind NotFound where the key has
// no such feed, whoever else may have it.
func (s *Store) Revoke(key events.Key, id string) (Feed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	after := s.lasting()
	for hash, h := range after {
		if h.Key == key && h.ID == id {
			delete(after, hash)
			return h.Feed, s.replace(after)
		}
	}
	return Feed{}, problem.New(problem.NotFound, "%s has no feed %s at this server", key.Name(),
		problem.Name(id)).WithHint("see: muster feed list; a feed is revoked at the server that " +
		"has made it")
}

// Len returns how many feeds are kept. Those that have ended are, until another is made.
func (s *Store) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.held)
}

// lasting returns the feeds that have not ended. Each owner is looked up once. The caller has the
// lock.
func (s *Store) lasting() map[string]held {
	all := make(map[string]held, len(s.held)+1)
	owners := map[events.Key]projections.Member{}
	for hash, h := range s.held {
		m, ok := owners[h.Key]
		if !ok {
			m, _ = s.member(h.Key)
			owners[h.Key] = m
		}
		if h.lastsFor(&m) {
			all[hash] = h
		}
	}
	return all
}

// replace keeps other feeds in the place of those that there are: on the disk first, or a feed that
// was revoked could come back. The caller has the lock.
func (s *Store) replace(after map[string]held) error {
	all := make([]held, 0, len(after))
	for _, h := range after {
		all = append(all, h)
	}
	slices.SortFunc(all, func(a, b held) int { return cmp.Compare(a.Hash, b.Hash) })
	data, err := json.MarshalIndent(all, "", " ")
	if err == nil {
		err = s.save(append(data, '\n'))
	}
	if err != nil {
		return problem.New(problem.Unavailable, "this server's feeds cannot be kept: %w", err).
			WithHint("nothing has changed; try again when the server's disk can be written")
	}
	s.held = after
	return nil
}

// owner returns who has a feed, and false when it has ended.
func (s *Store) owner(f *Feed) (projections.Member, bool) {
	m, _ := s.member(f.Key)
	return m, f.lastsFor(&m)
}

// lastsFor reports whether the feed has not ended, by who has its key now: nobody has when that was
// revoked, for good, and whoever has may read what its view has.
func (f *Feed) lastsFor(m *projections.Member) bool {
	return m.Key == f.Key && m.Revoked == 0 &&
		f.View.Within(events.ViewOf(m.Key, m.Role, m.Clearance))
}

// member returns who has a key now, and false where nobody has.
func (s *Store) member(key events.Key) (m projections.Member, ok bool) {
	id, isKey := key.ID()
	if !isKey {
		return m, false
	}
	_ = s.pictures.View(func(p *projections.Picture) error {
		m, ok = p.Member(id)
		return nil
	})
	if !ok || m.Key != key {
		return projections.Member{}, false
	}
	return m, true
}

func hashOf(token string) string {
	hash := sha256.Sum256([]byte(token))
	return hex.EncodeToString(hash[:])
}
