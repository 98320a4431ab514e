package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"muster/cmd/internal/server"
	"muster/events"
	"muster/events/problem"
	"muster/projections/access"
	"muster/projections/access/session"
	"muster/projections/web"
)

// A visitor asks at one server, and signs in there by itself: where not everybody may read all, and
// a key is at hand. The token is kept for later commands (kept.go). It may be used concurrently.
type visitor struct {
	app  *app
	door door
	name string // of the server, to keep the token by

	// onlyTree is that a tree is read there, which any web server can show: it may have no door.
	onlyTree bool

	mu     sync.Mutex
	looked bool   // for a token
	token  string // "" for nobody's
}

// A door is where one signs in at a server: over HTTP, or over NATS. The error is a problem, or
// errNoDoor.
type door interface {
	do(ctx context.Context, what act, token string, note []byte) ([]byte, error)
	// address is what the note says of where the server is, which has told the origin.
	address(events.Origin) (string, error)
	// canBeHeard reports whether others on the way hear what is said there.
	canBeHeard() bool
}

// An act is what is done at a door.
type act int

const (
	askNonce act = iota
	signIn
	askWho
	signOut
)

// errNoDoor is that nobody answers at the door: there is no Muster server at this address, or what
// stands before it takes the door away. Who may read what is not known then, and is not guessed.
var errNoDoor error = problem.New(problem.Unavailable, "the server does not say who may read "+
	"what, so what it shows may not be all that there is for you").WithCode("no-door").
	WithHint("is there a Muster server at this address, and does what stands before it pass on " +
		"all that is asked? With --anonymous nobody signs in")

// tokenFor returns the token to ask with, "" for nobody's.
func (v *visitor) tokenFor(ctx context.Context) (string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.looked {
		return v.token, nil
	}
	signer, err := v.app.whoAsks()
	if signer != nil {
		v.token = v.app.keptToken(v.name, signer.Key())
	}
	if v.token == "" && (signer != nil || err != nil) {
		err = v.enter(ctx, signer, err, false)
	}
	if v.token != "" || v.onlyTree && errors.Is(err, errNoDoor) {
		err = nil
	}
	v.looked = err == nil
	return v.token, err
}

// renew returns another token than the one that was refused.
func (v *visitor) renew(ctx context.Context, refused string) (string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.token != refused {
		return v.token, nil
	}
	signer, err := v.app.whoAsks()
	if signer != nil {
		v.app.forgetToken(v.name, signer.Key())
	}
	v.token = ""
	err = v.enter(ctx, signer, err, false)
	return v.token, err
}

// insist signs in also where everybody may read all.
func (v *visitor) insist(ctx context.Context) error {
	if token, err := v.tokenFor(ctx); err != nil || token != "" || v.app.anonymous {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	signer, err := v.app.whoAsks()
	if signer == nil {
		return err
	}
	return v.enter(ctx, signer, err, true)
}

// enter signs in, where the server does not let everybody read all or the caller insists. The
// signer is nil where the key could not be read: why is then told where it is needed.
func (v *visitor) enter(ctx context.Context, signer *events.Signer, why error, insists bool) error {
	data, err := v.door.do(ctx, askNonce, "", nil)
	if err != nil {
		return err
	}
	var in web.SessionNonce
	if err := json.Unmarshal(data, &in); err != nil || in.Nonce == "" || !in.Origin.Valid() {
		return notMusters("the nonce to sign in with")
	}
	switch {
	case in.Read == access.ReadOpen && !insists, !v.app.meansKey(in.Origin):
		return nil
	case why != nil:
		return why
	}
	v.app.warnExposed(v.app.keyFile())
	if v.door.canBeHeard() {
		fmt.Fprintf(v.app.stderr,
			"muster: warning: signing in at %s in the clear: whoever listens in "+
				"between can read what you read until the session ends; is it reached over "+
				"https://, too?\n",
			v.name)
	}
	note, err := v.note(in, signer)
	if err != nil {
		return err
	}
	if data, err = v.door.do(ctx, signIn, "", note); err != nil {
		return v.notLetIn(in, signer, err)
	}
	var s web.Session
	if err := json.Unmarshal(data, &s); err != nil || s.Token == "" {
		return notMusters("the token")
	}
	v.token = s.Token
	v.app.keepToken(keptSession{v.name, signer.Key(), s.Token, s.Until})
	return nil
}

// note signs what is asked for: for this server, and no other.
func (v *visitor) note(in web.SessionNonce, signer *events.Signer) ([]byte, error) {
	address, err := v.door.address(in.Origin)
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC().Truncate(time.Second)
	n := session.Note{Origin: in.Origin, Address: address, From: now,
		Until: now.Add(session.MaxTime), Nonce: in.Nonce}
	return n.Sign(signer)
}

// notLetIn says what can be done when a server refuses somebody.
func (v *visitor) notLetIn(in web.SessionNonce, signer *events.Signer, err error) error {
	p := problem.From(err)
	if p.Kind.Status/100 != 4 || p.Kind == problem.Busy {
		return err
	}
	hint := p.Hint
	if in.Read == access.ReadReleased {
		hint = strings.TrimPrefix(hint+"; or ask as nobody, with --anonymous", "; ")
	}
	q := *p
	q.Detail = fmt.Sprintf("%s could not sign in: %s", signer.Name(), p.Detail)
	return q.WithHint("%s", hint)
}

func notMusters(what string) error {
	return problem.New(problem.Unavailable, "%s that the server answers with is none of Muster's",
		what).
		WithHint("is there a Muster server at this address, and nothing else in between?")
}

// keyFile is where the key is with which one signs, "" for nowhere.
func (a *app) keyFile() string {
	if a.key == "" && a.data != "" {
		return filepath.Join(a.data, server.FounderFile)
	}
	return a.key
}

// whoAsks reads the key to sign in with; it returns neither a signer nor an error where there is
// none. The founder's key is taken without being named, and may not be in the folder.
func (a *app) whoAsks() (*events.Signer, error) {
	file := a.keyFile()
	if a.anonymous || file == "" {
		return nil, nil
	}
	if _, err := os.Stat(file); a.key == "" && errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return a.readKey(file)
}

// meansKey reports whether the key is meant for a ledger. One that was named is. The founder's,
// which is at hand where a data folder was named, is so for the folder's own ledger.
func (a *app) meansKey(origin events.Origin) bool {
	return a.key != "" || a.ownKey(origin) != ""
}

// signInHint is what can be done when a server wants to know who asks.
func (a *app) signInHint(err error) error {
	p := problem.Of(err)
	switch {
	case p == nil || p.Kind != problem.SignedOut && p.Kind != problem.NotReadable:
		return err
	case a.anonymous:
		return p.WithHint("leave out --anonymous, and name the file of a member's key with " +
			"--key or MUSTER_KEY")
	case a.keyFile() == "":
		return p.WithHint("name the file of a member's key with --key or MUSTER_KEY, or, on the " +
			"server's machine, its data folder with --data or MUSTER_DATA")
	}
	return err
}

// isRefusal reports whether a server has understood who wants to sign in, and does not let it.
func isRefusal(err error) bool {
	refusals := []int{400, 401, 403, 404, 409, 422}
	p := problem.Of(err)
	return p != nil && slices.Contains(refusals, p.Kind.Status)
}
