package session_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/ledger"
	"muster/ledger/journal"
	"muster/ledger/logtest"
	"muster/projections/access/session"
	"muster/projections/projector"
)

const (
	origin  = events.Origin("muster.example/test")
	address = "https://muster.example"
)

// A world is a real ledger with the picture of all, and the sessions of its members.
type world struct {
	t      *testing.T
	ledger *ledger.Ledger
	full   *projector.Projector
	store  *session.Store
	keys   map[string]*events.Signer
	now    time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, keys: map[string]*events.Signer{},
		now: time.Date(2026, 11, 23, 2, 23, 0, 0, time.UTC)}
	dir := t.TempDir()
	j, err := journal.Open(filepath.Join(dir, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	w.ledger, err = ledger.Open(t.Context(),
		ledger.Config{Journal: j, Log: logtest.NewMemory(0).View(), Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	w.say(&events.LedgerFounded{Header: w.head("ledger.founded"), Title: "a test",
		Founder: w.key("HQ/founder").Key()})
	if w.full, err = projector.Open(t.Context(), filepath.Join(dir, "projections.db"),
		j); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- w.full.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, w.full.Close(), w.ledger.Close(), j.Close()); err != nil {
			t.Error(err)
		}
	})
	w.store = session.NewStore(origin, w.full)
	w.store.Now = func() time.Time { return w.now }
	for _, name := range []string{"FRA/paris", "GBR/london"} {
		w.say(&events.MemberAdmitted{Header: w.head("member.admitted"), Key: w.key(name).Key(),
			Role: events.Liaison})
	}
	return w
}

func (w *world) head(typ events.Type) events.Header {
	return events.Header{Type: typ, ID: events.NewID(), Ledger: origin}
}

func (w *world) key(name string) *events.Signer {
	if w.keys[name] == nil {
		secret, _, err := events.NewKey(name)
		if err != nil {
			w.t.Fatal(err)
		}
		if w.keys[name], err = events.NewSigner(secret); err != nil {
			w.t.Fatal(err)
		}
	}
	return w.keys[name]
}

// say has a statement of the founder's recorded, and waits until it is in the picture.
func (w *world) say(st events.Statement) {
	w.t.Helper()
	signed, err := events.Sign(st, w.key("HQ/founder"))
	if err != nil {
		w.t.Fatal(err)
	}
	receipt, err := w.ledger.Submit(w.t.Context(), signed)
	if err == nil && w.full != nil {
		err = w.full.WaitFor(w.t.Context(), receipt.Sequence)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) revoke(name string) {
	w.t.Helper()
	w.say(&events.MemberRevoked{Header: w.head("member.revoked"), Key: w.key(name).Key(),
		Reason: "it was lost"})
}

func (w *world) note() session.Note {
	return session.Note{Origin: origin, Address: address, From: w.now,
		Until: w.now.Add(session.MaxTime), Nonce: w.store.Nonce()}
}

func (w *world) signed(n session.Note, by string) []byte {
	w.t.Helper()
	msg, err := n.Sign(w.key(by))
	if err != nil {
		w.t.Fatal(err)
	}
	return msg
}

// here is reached at the one address.
func here(at string) error {
	if at == address {
		return nil
	}
	return problem.New(problem.SignedOut, "this server is not reached at %s", at)
}

func (w *world) signIn(by string) (token string) {
	w.t.Helper()
	token, who, err := w.store.SignIn(w.signed(w.note(), by), here)
	if err != nil || who.Key != w.key(by).Key() {
		w.t.Fatalf("%s signs in: %v, %v", by, who, err)
	}
	return token
}

// over reports whether a token is refused as that of a session that has ended.
func (w *world) over(token string) bool {
	w.t.Helper()
	_, err := w.store.Who(token)
	p := problem.Of(err)
	if p != nil && (p.Kind != problem.SignedOut || p.Code != session.CodeEnded ||
		token != "" && strings.Contains(p.Error()+p.Hint, token)) {
		w.t.Errorf("the refusal is %+v", p)
	}
	return p != nil
}

// Who has signed in is known by the token until the session ends.
func TestSignIn(t *testing.T) {
	w := newWorld(t)
	token := w.signIn("FRA/paris")
	who, err := w.store.Who(token)
	if err != nil || who.View != "FRA" || who.Role != events.Liaison ||
		!who.Until.Equal(w.now.Add(session.MaxTime)) {
		t.Fatalf("%+v, %v", who, err)
	}
	if !w.over("") || !w.over(token+"A") || !w.over(token[1:]) {
		t.Error("another token is taken")
	}
	w.now = w.now.Add(session.MaxTime + session.Skew - time.Second)
	if w.over(token) {
		t.Error("the session has ended before its time")
	}
	w.now = w.now.Add(time.Second)
	if !w.over(token) {
		t.Error("the session goes on after its time")
	}
	again := w.signIn("FRA/paris")
	w.store.End(again)
	if !w.over(again) {
		t.Error("the session goes on after it was ended")
	}
	w.store.End(again)
}

// A note for another ledger, server, time or nonce, or of somebody else, signs nobody in.
func TestOtherNotes(t *testing.T) {
	w := newWorld(t)
	other := newWorld(t)
	stranger := w.key("FRA/stranger")
	w.revoke("GBR/london")
	w.say(&events.MemberAdmitted{Header: w.head("member.admitted"), Key: w.key("POL/warsaw").Key(),
		Role: events.Liaison})
	forged := w.signed(w.note(), "FRA/paris")
	forged[len(forged)-6] ^= 1
	for name, test := range map[string]struct {
		change func(*session.Note)
		by     string
	}{
		"another ledger": {func(n *session.Note) { n.Origin = "muster.example/other" }, ""},
		"another server": {func(n *session.Note) { n.Address = "https://other.example" },
			""},
		"over NATS": {func(n *session.Note) {
			n.Address = session.NATSAddress(origin)
		}, ""},
		"another server's": {func(n *session.Note) { n.Nonce = other.store.Nonce() }, ""},
		"made up": {func(n *session.Note) {
			n.Nonce = n.Nonce[:40] + "AAAA" + n.Nonce[44:]
		}, ""},
		"later": {func(n *session.Note) {
			n.From = w.now.Add(session.Skew + time.Second)
			n.Until = n.From.Add(1e9)
		}, ""},
		"before": {func(n *session.Note) {
			n.Until = w.now.Add(-session.Skew)
			n.From = n.Until.Add(-1e9)
		}, ""},
		"who is no member":    {func(*session.Note) {}, stranger.Name()},
		"who was revoked":     {func(*session.Note) {}, "GBR/london"},
		"the key of the name": {func(*session.Note) { w.keys["FRA/paris"] = nil }, "FRA/paris"},
		"a nonce that is older": {func(n *session.Note) {
			w.now = w.now.Add(5*time.Minute + time.Second)
		}, ""},
	} {
		paris := w.keys["FRA/paris"]
		n := w.note()
		test.change(&n)
		if test.by == "" {
			test.by = "FRA/paris"
		}
		_, _, err := w.store.SignIn(w.signed(n, test.by), here)
		if p := problem.Of(err); p == nil || p.Kind != problem.SignedOut {
			t.Errorf("%s: %v", name, err)
		}
		w.keys["FRA/paris"] = paris
	}
	if _, _, err := w.store.SignIn(forged, here); err == nil {
		t.Error("a forged signature signs in")
	}
	w.signIn("FRA/paris")
	w.signIn("POL/warsaw")
}

// Each note signs in once, however often and at whatever moment it comes.
func TestReplays(t *testing.T) {
	w := newWorld(t)
	msg := w.signed(w.note(), "FRA/paris")
	var wg sync.WaitGroup
	var mu sync.Mutex
	taken := 0
	for range 16 {
		wg.Go(func() {
			if _, _, err := w.store.SignIn(msg, here); err == nil {
				mu.Lock()
				taken++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if taken != 1 {
		t.Errorf("one note has signed in %d times", taken)
	}
	for range 8 {
		w.now = w.now.Add(time.Minute)
		if _, _, err := w.store.SignIn(msg, here); err == nil {
			t.Errorf("the note has signed in again at %v", w.now)
		}
	}
}

// A clock that is five minutes fast or slow signs in; sessions that end at the same moment for both
// sides are as long for them.
func TestClocksMayDiffer(t *testing.T) {
	for _, off := range []time.Duration{-session.Skew, session.Skew} {
		w := newWorld(t)
		n := w.note()
		n.From, n.Until = n.From.Add(off), n.Until.Add(off)
		token, _, err := w.store.SignIn(w.signed(n, "FRA/paris"), here)
		if err != nil || w.over(token) {
			t.Errorf("%v off: %v", off, err)
		}
		n = w.note()
		n.From, n.Until = n.From.Add(off), n.From.Add(off+time.Second)
		if _, _, err = w.store.SignIn(w.signed(n, "FRA/paris"), here); err != nil {
			t.Errorf("%v off, for a second: %v", off, err)
		}
	}
}

// Who was revoked is signed out at once, what goes on for long with it.
func TestRevokedAtOnce(t *testing.T) {
	w := newWorld(t)
	token, other := w.signIn("FRA/paris"), w.signIn("GBR/london")
	ctx, end := w.store.While(t.Context(), token)
	defer end()
	whole, endWhole := w.store.While(t.Context(), other)
	w.revoke("FRA/paris")
	if !w.over(token) || w.over(other) {
		t.Error("the wrong session has ended")
	}
	<-ctx.Done()
	if p := problem.Of(context.Cause(ctx)); p == nil || p.Code != session.CodeEnded {
		t.Errorf("what goes on has ended: %v", context.Cause(ctx))
	}
	if whole.Err() != nil {
		t.Error("the other's has ended, too")
	}
	endWhole()
}

// What goes on for long ends when its session is ended, or was none.
func TestWhileItLasts(t *testing.T) {
	w := newWorld(t)
	token := w.signIn("FRA/paris")
	ctx, end := w.store.While(t.Context(), token)
	defer end()
	w.store.End(token)
	<-ctx.Done()
	none, end := w.store.While(t.Context(), token)
	defer end()
	<-none.Done()
}

// One key has so many sessions: the one that ends first gives way.
func TestSessionsAreBounded(t *testing.T) {
	w := newWorld(t)
	other := w.signIn("GBR/london")
	var all []string
	for range session.MaxOfKey + 2 {
		all = append(all, w.signIn("FRA/paris"))
		w.now = w.now.Add(time.Second)
	}
	for i, token := range all {
		if w.over(token) != (i < 2) {
			t.Errorf("session %d has ended: %v", i, i >= 2)
		}
	}
	if w.over(other) {
		t.Error("another key's has")
	}
}

// Sessions begin, are asked for, watched and ended at the same time.
func TestSessionsAtTheSameTime(t *testing.T) {
	w := newWorld(t)
	var wg sync.WaitGroup
	for _, name := range []string{"FRA/paris", "GBR/london"} {
		for range 8 {
			msg := w.signed(w.note(), name)
			wg.Go(func() {
				token, _, err := w.store.SignIn(msg, here)
				if err != nil && name == "FRA/paris" { // the other is being revoked
					t.Error(err)
				}
				_, end := w.store.While(t.Context(), token)
				_, _ = w.store.Who(token)
				w.store.End(token)
				end()
			})
		}
	}
	w.revoke("GBR/london")
	wg.Wait()
}

// Guessing is slowed for the client that guesses, and for no other one.
func TestGuesses(t *testing.T) {
	g, now := session.NewGuesses(), time.Unix(1_800_000_000, 0)
	for range 10 {
		if err := g.Check("10.0.0.1", now); err != nil {
			t.Fatal(err)
		}
		g.Wrong("10.0.0.1", now)
	}
	if p := problem.Of(g.Check("10.0.0.1", now)); p == nil || p.Kind != problem.Busy ||
		p.Hint == "" {
		t.Errorf("the eleventh guess: %v", p)
	}
	if err := g.Check("10.0.0.2", now); err != nil {
		t.Errorf("another client: %v", err)
	}
	if err := g.Check("10.0.0.1", now.Add(2*time.Second)); err != nil {
		t.Errorf("after a while: %v", err)
	}
	g.Wrong("10.0.0.1", now.Add(2*time.Second))
	if err := g.Check("10.0.0.1", now.Add(3*time.Second)); err == nil {
		t.Error("it may guess as often as before")
	}
}
