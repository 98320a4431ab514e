package web

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"golang.org/x/sync/semaphore"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
	"muster/events/problem/wire"
	"muster/projections/access"
	"muster/projections/access/session"
)

// Where a request has the token of its session: in one of these, and never in its address.
const (
	// CookieName is the cookie's, which browsers take over TLS or from this machine alone, and from
	// no other host; see [Base.CookieName].
	CookieName = "__Host-muster"
	// SessionHeader is the header of a request over NATS.
	SessionHeader = "Muster-Session"
)

// Sessions are how members sign in to a server.
type Sessions struct {
	*session.Store
	*session.Guesses
	// Origin is the ledger's.
	Origin events.Origin
	// Hosts are the names that the server was given, Port is the one that it listens at.
	Hosts []string
	Port  string
	// TLS says that it speaks TLS itself, and PassedOn that a proxy may do so before it.
	TLS, PassedOn bool

	messages *session.Guesses // of all who come over NATS

	peers  *nats.Conn          // on which other servers are asked; nil where there is none
	asking *semaphore.Weighted // how many are asked at a time
}

// NewSessions returns those of a server that nobody reaches yet.
func NewSessions(origin events.Origin, pictures access.Pictures) *Sessions {
	return &Sessions{Store: session.NewStore(origin, pictures), Guesses: session.NewGuesses(),
		messages: session.NewGuessesOfAll(), Origin: origin,
		asking: semaphore.NewWeighted(peersAsked)}
}

// who returns whose token it is that a client gives. Who tries out tokens is told to wait; whoever
// has a good one never is.
func (ss *Sessions) who(client, token string) (access.Reader, error) {
	who, err := ss.Store.Who(token)
	return who, ss.guessed(client, err)
}

// whileKnown returns a context that ends when the session does of whoever asks. The caller ends it.
func (s *Service) whileKnown(ctx context.Context) (context.Context, context.CancelFunc) {
	switch token := knockOf(ctx).token; {
	case token == "" || !access.ReaderOf(ctx).SignedIn():
		return ctx, func() {}
	case session.IDOf(token) == s.Sessions.ID():
		return s.Sessions.While(ctx, token)
	}
	return s.Sessions.WhileVouched(ctx, access.ReaderOf(ctx))
}

// stillKnown refuses whoever asks when the session has ended meanwhile: after each wait, since what
// was waited for may be the record that revokes the member, or one behind it.
func (s *Service) stillKnown(ctx context.Context) error {
	token := knockOf(ctx).token
	if token == "" || !access.ReaderOf(ctx).SignedIn() {
		return nil
	}
	_, err := s.Sessions.whose(ctx, token)
	return err
}

// guessed counts it when a client is told that it is not who it says, and says so where that was
// too often.
func (ss *Sessions) guessed(client string, err error) error {
	if !problem.Is(err, problem.SignedOut) {
		return err
	}
	if wait := ss.Check(client, ss.Now()); wait != nil {
		return wait
	}
	ss.Wrong(client, ss.Now())
	return err
}

// guessedOverNATS counts it, and says so, for an inbox and for all: whoever guesses can come from
// another inbox each time. Since anybody can name the inbox of somebody else, too, nobody who has a
// good note or token is told to wait there.
func (ss *Sessions) guessedOverNATS(inbox string, err error) error {
	if err = ss.guessed(inbox, err); !problem.Is(err, problem.SignedOut) {
		return err
	}
	if wait := ss.messages.Check(overNATS, ss.Now()); wait != nil {
		return wait
	}
	ss.messages.Wrong(overNATS, ss.Now())
	return err
}

// signIn begins a session. Who has tried too often is not listened to.
func (ss *Sessions) signIn(client string, note []byte, reached func(string) error) (token string,
	who access.Reader, err error) {
	if err := ss.Check(client, ss.Now()); err != nil {
		return "", who, err
	}
	token, who, err = ss.SignIn(note, reached)
	return token, who, ss.guessed(client, err)
}

// reachedOverNATS is the address of all servers of the ledger there.
func (ss *Sessions) reachedOverNATS(address string) error {
	if address == session.NATSAddress(ss.Origin) {
		return nil
	}
	return otherServer(address, phrase.Of("over NATS, sign for %s", session.NATSAddress(ss.Origin)))
}

func otherServer(address string, remedy phrase.Phrase) error {
	return problem.OfField(problem.SignedOut, problem.FieldOf("address", problem.Shorten(address),
		"the note is for another server, or this one is not reached there: %s", remedy))
}

// reachedBy returns what says whether the server that a request has come to is reached at an
// address; from is where the request has come from. Whoever signs writes the address that it has
// asked; another server that passes the note on here cannot change it, and could write in its
// request whatever it likes. So it is the server that must know the address as its own:
//
//   - a name that it was given, at its own port, at the scheme's, or at the one that the request
//     names, since a machine may lead another port to it;
//   - the address of this machine at which the request has arrived;
//   - this machine itself, for requests that come from it, at its own port: behind another port
//     there is another program.
func (ss *Sessions) reachedBy(r *http.Request, from string) func(string) error {
	return func(address string) error {
		u, err := url.Parse(address)
		if err == nil && ss.speaks(u.Scheme) && ss.isNamed(r, from, u) {
			return nil
		}
		return otherServer(address, phrase.Of("ask it by its own name, which serve --host says"))
	}
}

// speaks reports whether clients may reach the server by a scheme.
func (ss *Sessions) speaks(scheme string) bool {
	return scheme == "https" && (ss.TLS || ss.PassedOn) || scheme == "http" && !ss.TLS
}

func (ss *Sessions) isNamed(r *http.Request, from string, u *url.URL) bool {
	own := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	host, port := plainHost(u.Hostname()), cmp.Or(u.Port(), own)
	_, askedPort, _ := net.SplitHostPort(r.Host)
	isAsked := plainHost(r.Host) == host && cmp.Or(askedPort, own) == port
	switch {
	case isLoopback(host):
		local, err := netip.ParseAddr(from)
		return err == nil && local.IsLoopback() && port == ss.Port
	case slices.Contains(plainHosts(ss.Hosts), host):
		return isAsked || port == own || port == ss.Port
	}
	return isAsked && arrivedAt(r, host)
}

// A knock is a request at the door: with it, and whose token it has, endpoints begin and end
// sessions.
type knock struct {
	r             *http.Request
	client, token string
}

type knockKey struct{}

func knockOf(ctx context.Context) knock {
	k, _ := ctx.Value(knockKey{}).(knock)
	return k
}

// Known finds out who asks over HTTP, for all that stands behind it. An unknown token is refused:
// nobody shall take what the public reads for what he reads himself.
func (s *Service) Known(next http.Handler) http.Handler {
	if s.Sessions == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isForAll(r) || IsFeed(r.URL.Path) { // a feed knows by itself whose it is
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Add("Vary", "Authorization, Cookie")
		if s.Reads != access.ReadOpen {
			w.Header().Set("Cache-Control", "private, no-cache") // where nothing stricter is said
		}
		client := s.clientOf(r)
		token, cookie, err := tokenOf(r)
		who := access.Reader{}
		if err == nil && token != "" {
			who, err = s.Sessions.who(client, token)
		}
		if cookie && problem.Is(err, problem.SignedOut) {
			w.Header().Add("Set-Cookie", BaseOf(r.Context()).noCookie())
		}
		if err != nil && !needsNone(r) {
			w.Header().Set("Cache-Control", "no-store")
			s.refuse(w, r, err)
			return
		}
		ctx := context.WithValue(r.Context(), knockKey{}, knock{r, client, token})
		if who.SignedIn() {
			ctx = access.WithReader(ctx, who)
		}
		if goesOn(r) {
			var end context.CancelFunc
			ctx, end = s.whileKnown(ctx)
			defer end()
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// isForAll reports whether a request is for what has nothing of the ledger in it, or nothing but
// what proves that it was not changed: the same for everybody, whoever asks.
func isForAll(r *http.Request) bool {
	path := r.URL.Path
	return slices.Contains([]string{"/healthz", "/checkpoint",
		"/checkpoint/witnessed", "/docs", "/docs.css",
		"/openapi.json", "/openapi.yaml", "/asyncapi.json"}, path) ||
		strings.HasPrefix(path, "/static/") ||
		strings.HasPrefix(path, "/schemas/") || strings.HasPrefix(path, "/tile/") &&
		!strings.HasPrefix(path, "/tile/entries/") && !strings.HasPrefix(path, "/tile/released/")
}

// needsNone reports whether a request is one that somebody makes whose session has ended: to sign
// in again, or to hand in a statement, whose signature says by itself whose it is.
func needsNone(r *http.Request) bool {
	path := r.URL.Path
	return path == SignInPath || r.Method == http.MethodPost && (path == sessionPath ||
		path == sessionPath+"/nonce" || strings.HasPrefix(path, Root+"/statements"))
}

// SignInPath is the page on which one signs in.
const SignInPath = "/session"

// goesOn reports whether an answer goes on for long, for no longer than the session. Others end
// with it while they wait: see wait.
func goesOn(r *http.Request) bool {
	return strings.HasSuffix(r.URL.Path, "/events") || IsRows(r.URL.Path)
}

// tokenOf returns the token of a request, "" for none, and whether it is in the cookie.
func tokenOf(r *http.Request) (token string, cookie bool, err error) {
	var all []string
	for _, value := range r.Header.Values("Authorization") {
		scheme, rest, _ := strings.Cut(value, " ")
		if strings.EqualFold(scheme, "Bearer") { // another one is for a proxy in between
			all = append(all, strings.TrimSpace(rest))
		}
	}
	name := BaseOf(r.Context()).CookieName()
	for _, c := range r.CookiesNamed(name) {
		cookie = true
		all = append(all, c.Value)
	}
	if len(all) == 0 {
		return "", false, nil
	}
	for _, other := range all[1:] {
		if other != all[0] {
			return "", cookie, problem.New(problem.Usage,
				"the request has the tokens of different sessions").
				WithHint("send one: in Authorization, or in the cookie %s", name)
		}
	}
	if all[0] == "" {
		return "", cookie, problem.New(problem.Usage, "the request has an empty token").
			WithHint("write Authorization: Bearer and the token, or leave it out")
	}
	return all[0], cookie, nil
}

// KnownNATS finds out who asks over NATS, for all endpoints that are added to what it returns.
func (s *Service) KnownNATS(svc micro.Service) micro.Service {
	if s.Sessions == nil {
		return svc
	}
	return knownService{svc, s}
}

type knownService struct {
	micro.Service
	service *Service
}

// AddEndpoint implements micro.Service.
func (k knownService) AddEndpoint(name string, h micro.Handler, opts ...micro.EndpointOpt) error {
	handle := func(req micro.Request) {
		ctx, err := k.service.knownOverNATS(req)
		if err != nil {
			wire.NATS(req, err)
			return
		}
		h.Handle(knownRequest{req, ctx})
	}
	return k.Service.AddEndpoint(name, micro.HandlerFunc(func(req micro.Request) {
		if !k.service.Sessions.isOfPeer(req) {
			handle(req)
			return
		}
		if !k.service.Sessions.asking.TryAcquire(1) {
			wire.NATS(req, problem.New(problem.Unavailable,
				"too many sessions of other servers are asked for").
				WithHint("ask again in a moment"))
			return
		}
		go func() { // so that nobody waits for another server but who asks it
			defer k.service.Sessions.asking.Release(1)
			handle(req)
		}()
	}), opts...)
}

// guestInbox begins the inboxes of those who come with a name: the permissions of NATS let nobody
// else listen there. Who comes without one shares all other inboxes with others like it.
const guestInbox = "_INBOX.guest."

// knownOverNATS returns the context in which somebody asks over NATS.
func (s *Service) knownOverNATS(req micro.Request) (context.Context, error) {
	ctx := access.ContextOf(req)
	tokens := req.Headers().Values(SessionHeader)
	if len(tokens) > 1 {
		return nil, problem.New(problem.Usage, "the request has %s %d times: send it once",
			SessionHeader, len(tokens))
	}
	k := knock{client: Inbox(req.Reply())}
	if len(tokens) == 1 {
		k.token = tokens[0]
	}
	if (k.token != "" || req.Subject() == sessionSubject) &&
		!strings.HasPrefix(req.Reply(), guestInbox) {
		return nil, problem.New(problem.Usage,
			"the answer is for one reader alone, and others could hear it at %s",
			problem.Name(k.client)).
			WithHint("come with an nkey, and have the answer sent to an inbox of your own, below "+
				"%s and the nkey's public key", guestInbox)
	}
	ctx = context.WithValue(ctx, knockKey{}, k)
	if k.token == "" || slices.Contains(needNone, req.Subject()) {
		return ctx, nil
	}
	who, err := s.Sessions.whose(ctx, k.token)
	return access.WithReader(ctx, who), s.Sessions.guessedOverNATS(k.client, err)
}

// needNone are the subjects for which nobody needs a session: see needsNone.
var needNone = []string{sessionSubject, sessionSubject + ".nonce", SubjectPrefix + "submit",
	SubjectPrefix + "submit-batch", SubjectPrefix + "check", SubjectPrefix + "check-batch",
	SubjectPrefix + "checkpoint"}

// A knownRequest has the context in which it is answered.
type knownRequest struct {
	micro.Request
	ctx context.Context
}

// Context is for [access.ContextOf].
func (r knownRequest) Context() context.Context { return r.ctx }
