package session

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"sync"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
	"muster/projections/access"
)

// What a store holds at most. Where there is one more, the session ends that ends first.
const (
	MaxOfKey    = 16   // sessions of one key
	MaxSessions = 4096 // of all
)

// CodeEnded is the code of the refusal of a token that is none, or none any more.
const CodeEnded = "session-ended"

// A Store has the sessions of one server, in memory alone: they end with the process. All methods
// may be called concurrently.
type Store struct {
	// Now tells the time.
	Now func() time.Time

	id       [idLength]byte // of this store, among those of the ledger's servers
	origin   events.Origin
	pictures access.Pictures // of all: who is a member
	nonces   nonces

	mu   sync.Mutex
	held map[[sha256.Size]byte]*held // by the hashes of their tokens
}

// A held is a session while it lasts.
type held struct {
	key   events.Key
	until time.Time
	note  []byte        // with which it was begun
	ended chan struct{} // closed when it is ended before its time
}

// NewStore returns the store of a server of a ledger, of which pictures has the picture of all.
func NewStore(origin events.Origin, pictures access.Pictures) *Store {
	s := &Store{Now: time.Now, origin: origin, pictures: pictures,
		held: map[[sha256.Size]byte]*held{}}
	_, _ = rand.Read(s.id[:]) // which never fails
	s.nonces = newNonces(s.id)
	return s
}

// Len returns how many sessions have not ended.
func (s *Store) Len() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now()
	for _, h := range s.held {
		if !s.over(h, now) {
			n++
		}
	}
	return n
}

// idLength is how many bytes name a store, in front of its nonces and tokens.
const idLength = 8

// ID names the store among those of the servers of a ledger.
func (s *Store) ID() string { return hex.EncodeToString(s.id[:]) }

// IDOf returns the name of the store that has made a nonce or a token, "" where it is none.
func IDOf(nonceOrToken string) string {
	data, err := base64.RawURLEncoding.DecodeString(nonceOrToken)
	if err != nil || len(data) < idLength {
		return ""
	}
	return hex.EncodeToString(data[:idLength])
}

// Nonce makes one for a note to sign. Nothing is remembered of it until it is used.
func (s *Store) Nonce() string { return s.nonces.make(s.Now()) }

// SignIn begins the session of the member who has signed a note, and returns its token, which the
// store does not keep. Reached says whether the server is reached at an address. The error is a
// problem.
func (s *Store) SignIn(msg []byte, reached func(address string) error) (token string,
	who access.Reader, err error) {
	n, err := Parse(msg)
	if err != nil {
		return "", who, err
	}
	now := s.Now()
	if err := s.check(n.Note, now, reached); err != nil {
		return "", who, err
	}
	m, ok := s.member(n.By())
	if !ok {
		return "", who, refused("key", n.By().Name,
			"no member of this ledger has this key, or it was revoked").
			WithHint("sign with a key that a coordinator has admitted; who is: muster member list")
	}
	if err := n.VerifiedBy(m.Key); err != nil {
		return "", who, refused("key", m.Name, "the signature is not this key's")
	}
	if err := s.nonces.use(n.Nonce, now); err != nil { // last, so that only members use any up
		return "", who, err
	}
	token = s.newToken()
	s.hold(token, &held{key: m.Key, until: n.Until, note: msg, ended: make(chan struct{})})
	return token, readerOf(m, n.Until), nil
}

// Note returns the note with which the session of a token began, of which it takes the hash, and
// false where there is no such session: so a server vouches for it to another one of the ledger.
func (s *Store) Note(hash [sha256.Size]byte) ([]byte, bool) {
	s.mu.Lock()
	h := s.held[hash]
	s.mu.Unlock()
	if h == nil || s.over(h, s.Now()) {
		return nil, false
	}
	return h.note, true
}

// EndHash is [Store.End] for a token of which the caller has the hash.
func (s *Store) EndHash(hash [sha256.Size]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(hash)
}

// Vouched returns who has signed a note that another server of the ledger vouches for. Beside that
// it was not used twice and its session was not ended, this server believes the signature alone.
func (s *Store) Vouched(msg []byte, reached func(address string) error) (who access.Reader,
	err error) {
	n, err := Parse(msg)
	if err != nil {
		return who, err
	}
	m, ok := s.member(n.By())
	if !ok || n.Origin != s.origin || reached(n.Address) != nil || n.VerifiedBy(m.Key) != nil ||
		!n.Until.After(s.Now().Add(-Skew)) || n.From.After(s.Now().Add(Skew)) {
		return who, Ended()
	}
	return readerOf(m, n.Until), nil
}

// check checks what a note says, beside who says it.
func (s *Store) check(n Note, now time.Time, reached func(string) error) error {
	switch {
	case n.Origin != s.origin:
		return refused("origin", string(n.Origin), "the note is for another ledger than %s",
			s.origin)
	case n.From.After(now.Add(Skew)):
		return refused("from", timeText(n.From), "the note is for later: it is %s here",
			timeText(now)).
			WithHint("set this machine's clock")
	case !n.Until.After(now.Add(-Skew)):
		return refused("until", timeText(n.Until), "the note has ended: it is %s here",
			timeText(now)).
			WithHint("sign in again; if that does not help, set this machine's clock")
	}
	if err := reached(n.Address); err != nil {
		return err
	}
	return s.nonces.check(n.Nonce, now)
}

// refused is the refusal of a note, which names the line that is wrong.
func refused(line, value, format string, args ...any) *problem.Problem {
	return problem.OfField(problem.SignedOut, problem.FieldOf(line, problem.Shorten(value), format,
		args...)).WithHint("sign in again")
}

// member returns who has a key now.
func (s *Store) member(id events.KeyID) (m projections.Member, ok bool) {
	_ = s.pictures.View(func(p *projections.Picture) error {
		m, ok = p.Member(id)
		return nil
	})
	return m, ok
}

func readerOf(m projections.Member, until time.Time) access.Reader {
	return access.Reader{Key: m.Key, Role: m.Role, Until: until,
		View: events.ViewOf(m.Key, m.Role, m.Clearance)}
}

// newToken makes a token: the name of the store, and 24 random bytes.
func (s *Store) newToken() string {
	token := append(s.id[:], make([]byte, 24)...)
	_, _ = rand.Read(token[idLength:]) // which never fails
	return base64.RawURLEncoding.EncodeToString(token)
}

// hold keeps a session, and ends those that are too many.
func (s *Store) hold(token string, h *held) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now()
	var own, all [][sha256.Size]byte
	for hash, other := range s.held {
		switch {
		case s.over(other, now):
			s.drop(hash)
		case other.key == h.key:
			own = append(own, hash)
			fallthrough
		default:
			all = append(all, hash)
		}
	}
	s.dropFirst(own, MaxOfKey)
	s.dropFirst(all, MaxSessions)
	s.held[sha256.Sum256([]byte(token))] = h
}

// dropFirst makes room for one more session where there are as many as there may be.
func (s *Store) dropFirst(all [][sha256.Size]byte, most int) {
	if len(all) >= most {
		s.drop(slices.MinFunc(all, func(a, b [sha256.Size]byte) int {
			return s.untilOf(a).Compare(s.untilOf(b))
		}))
	}
}

// untilOf returns when a session ends: one that was dropped before, last.
func (s *Store) untilOf(hash [sha256.Size]byte) time.Time {
	if h := s.held[hash]; h != nil {
		return h.until
	}
	return time.Unix(1<<40, 0)
}

// drop ends a session. The caller has the lock.
func (s *Store) drop(hash [sha256.Size]byte) {
	if h := s.held[hash]; h != nil {
		close(h.ended)
		delete(s.held, hash)
	}
}

// over reports whether a session's time is over, with the skew that is borne at its beginning, too.
func (s *Store) over(h *held, now time.Time) bool { return !h.until.After(now.Add(-Skew)) }

// Who returns whose token it is. The member is looked up each time: one that was revoked is none at
// once. The error is a problem that says nothing of the token.
func (s *Store) Who(token string) (access.Reader, error) {
	hash := sha256.Sum256([]byte(token))
	s.mu.Lock()
	h := s.held[hash]
	s.mu.Unlock()
	if h == nil {
		return access.Reader{}, Ended()
	}
	id, _ := h.key.ID()
	m, ok := s.member(id)
	if !ok || m.Key != h.key || s.over(h, s.Now()) {
		s.mu.Lock()
		s.drop(hash)
		s.mu.Unlock()
		return access.Reader{}, Ended()
	}
	return readerOf(m, h.until), nil
}

// Ended is the refusal of a token that is none, or none any more.
func Ended() *problem.Problem {
	return problem.New(problem.SignedOut, "this session has ended, or there never was one").
		WithCode(CodeEnded).WithHint("sign in again")
}

// End ends a session. It is no error when there is none.
func (s *Store) End(token string) { s.EndHash(sha256.Sum256([]byte(token))) }

// While returns a context that ends when the session does, for what goes on for long. The caller
// ends it.
func (s *Store) While(ctx context.Context, token string) (context.Context, context.CancelFunc) {
	s.mu.Lock()
	h := s.held[sha256.Sum256([]byte(token))]
	s.mu.Unlock()
	if h == nil {
		ctx, end := context.WithCancelCause(ctx)
		end(Ended())
		return ctx, func() {}
	}
	return s.while(ctx, h.until, h.ended, func() bool {
		_, err := s.Who(token)
		return err == nil
	})
}

// WhileVouched is [Store.While] for somebody whose session another server of the ledger has: it
// ends when the member is revoked and when its time is over, and not when somebody signs out there.
func (s *Store) WhileVouched(ctx context.Context, who access.Reader) (context.Context,
	context.CancelFunc) {
	id, _ := who.Key.ID()
	return s.while(ctx, who.Until, nil, func() bool {
		m, ok := s.member(id)
		return ok && m.Key == who.Key && who.Until.After(s.Now().Add(-Skew))
	})
}

// while returns a context that ends with what a session ends with. Whether it lasts is looked at
// with every record.
func (s *Store) while(ctx context.Context, until time.Time, ended <-chan struct{},
	lasts func() bool) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	go func() {
		defer end(Ended())
		for {
			changed := s.pictures.Changed() // before it is looked at
			if !lasts() {
				return
			}
			left := time.NewTimer(max(until.Add(Skew).Sub(s.Now()), time.Millisecond))
			select {
			case <-changed:
			case <-left.C:
			case <-ended:
			case <-ctx.Done():
			}
			left.Stop()
			if ctx.Err() != nil {
				return
			}
		}
	}()
	return ctx, func() { end(cmp.Or(context.Cause(ctx), context.Canceled)) }
}
