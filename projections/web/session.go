package web

import (
	"cmp"
	"context"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/nats-io/nats.go/micro"

	"muster/events"
	"muster/events/problem"
	"muster/events/problem/wire"
	"muster/projections"
	"muster/projections/access"
	"muster/projections/access/session"
)

const (
	sessionPath    = Root + "/session"
	sessionSubject = SubjectPrefix + "session"
)

// A SessionNonce is what is needed to sign in.
type SessionNonce struct {
	Nonce   string         `json:"nonce" doc:"For the note to sign: it may be used once, within five minutes"`
	Origin  events.Origin  `json:"origin" doc:"The ledger's"`
	Address string         `json:"address,omitempty" doc:"Over NATS: the address to sign for. Otherwise it is the one that was asked"`
	Now     time.Time      `json:"now" doc:"The server's time"`
	Read    access.Reading `json:"read" doc:"Who may read what on this server"`
}

// A Session is somebody's who has signed in.
type Session struct {
	Token  string            `json:"token,omitempty" doc:"To be sent as Authorization: Bearer; it is left out where it was set as the cookie"`
	Key    events.Key        `json:"key"`
	Role   events.MemberRole `json:"role"`
	Nation events.Nation     `json:"nation,omitempty" doc:"That of the key; none for the coordinators"`
	View   events.View       `json:"view" doc:"The widest that may be asked for"`
	Until  time.Time         `json:"until" doc:"When the session ends at the latest"`
}

// A SessionState is who one is to the server.
type SessionState struct {
	SignedIn bool              `json:"signed_in"`
	Key      events.Key        `json:"key,omitempty"`
	Role     events.MemberRole `json:"role,omitempty"`
	Nation   events.Nation     `json:"nation,omitempty"`
	View     events.View       `json:"view,omitempty" doc:"The widest that may be asked for; none where nothing may be read"`
	Views    []events.View     `json:"views" doc:"Those that may be asked for"`
	Until    time.Time         `json:"until,omitzero" doc:"When the session ends at the latest"`
	Read     access.Reading    `json:"read" doc:"Who may read what on this server"`
}

func (s *Service) sessionNonce() SessionNonce {
	return SessionNonce{Nonce: s.Sessions.Nonce(), Origin: s.Sessions.Origin,
		Now: s.Now().UTC().Truncate(time.Second), Read: s.Reads}
}

func sessionOf(token string, who access.Reader) Session {
	return Session{Token: token, Key: who.Key, Role: who.Role, Nation: nationOf(who),
		View: who.View, Until: who.Until}
}

func nationOf(who access.Reader) events.Nation {
	if party := who.Key.Party(); party != events.HQ {
		return party
	}
	return ""
}

// sessionState says who asks.
func (s *Service) sessionState(ctx context.Context) SessionState {
	return s.stateOf(access.ReaderOf(ctx))
}

// stateOf says who somebody is, and what he may read.
func (s *Service) stateOf(who access.Reader) SessionState {
	state := SessionState{SignedIn: who.SignedIn(), Read: s.Reads, Views: []events.View{}}
	if who.SignedIn() {
		state.Key, state.Role, state.Nation = who.Key, who.Role, nationOf(who)
		state.Until = who.Until
	}
	if widest, err := s.widest(who); err == nil {
		state.View, state.Views = widest, s.viewsWithin(widest)
	}
	return state
}

// viewsWithin returns the views that may be asked for: within the coordinators', those of the
// nations that are members.
func (s *Service) viewsWithin(widest events.View) []events.View {
	all := access.Narrower(widest)
	if widest != events.CoordinatorsView {
		return all
	}
	_ = s.full.View(func(p *projections.Picture) error {
		roster, err := p.Members(context.Background(), projections.Moment{})
		for _, m := range roster.Members {
			if m.Party != events.HQ && m.Revoked == 0 {
				all = append(all, events.View(m.Party))
			}
		}
		return err
	})
	slices.Sort(all[len(access.Narrower(widest)):])
	return slices.Compact(all)
}

// CookieName is the name of the cookie of a server below the base. Where there is one, browsers
// send the cookie below it alone, so that no other server of the host is told the token; they take
// no cookie of the other name for a path.
func (b Base) CookieName() string {
	if b == "" {
		return CookieName
	}
	return "__Secure-muster"
}

// cookie is the cookie with a token, for so many seconds.
func (b Base) cookie(token string, seconds int) string {
	c := http.Cookie{Name: b.CookieName(), Value: token, Path: cmp.Or(string(b), "/"),
		MaxAge: seconds, Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode}
	return c.String()
}

// noCookie takes the cookie away.
func (b Base) noCookie() string { return b.cookie("", -1) }

type nonceOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         SessionNonce
}

type signInInput struct {
	Cookie  string `header:"Muster-Cookie" enum:"1" doc:"Of a browser: set the token as the cookie, and do not tell it"`
	RawBody []byte `contentType:"text/plain"`
}

type signInOutput struct {
	CacheControl string `header:"Cache-Control"`
	SetCookie    string `header:"Set-Cookie"`
	Body         Session
}

type stateOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         SessionState
}

type endOutput struct {
	CacheControl string `header:"Cache-Control"`
	SetCookie    string `header:"Set-Cookie"`
	ClearData    string `header:"Clear-Site-Data"`
	Body         SessionState
}

const noStore = "no-store"

// registerSessions adds the operations with which sessions begin and end.
func (s *Service) registerSessions(api huma.API) {
	op := func(id, method, path, summary string, errors ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary,
			Tags: []string{"session"}, Errors: append(errors, 400, 421, 422, 429, 503)}
	}
	huma.Register(api, op("session-nonce", http.MethodPost, sessionPath+"/nonce",
		"A nonce for the note with which a member signs in"),
		func(context.Context, *struct{}) (*nonceOutput, error) {
			return &nonceOutput{noStore, s.sessionNonce()}, nil
		})
	begin := op("session-begin", http.MethodPost, sessionPath, "Sign in with a signed note",
		401, 413)
	begin.Description = `The body is a note that a member has signed with its event key: events/FORMAT.md, "Signing in".`
	begin.DefaultStatus = http.StatusCreated
	begin.MaxBodyBytes, begin.BodyReadTimeout = session.MaxBytes+1, MaxBodyTime
	huma.Register(api, begin, s.beginSession)
	api.OpenAPI().Paths[sessionPath].Post.RequestBody.Content["text/plain"].Schema =
		&huma.Schema{Type: huma.TypeString, Description: "The signed note"}
	huma.Register(api, op("session", http.MethodGet, sessionPath,
		"Who one is to this server, and what one may read", 401),
		func(ctx context.Context, _ *struct{}) (*stateOutput, error) {
			return &stateOutput{noStore, s.sessionState(ctx)}, nil
		})
	end := op("session-end", http.MethodDelete, sessionPath, "Sign out", 401)
	huma.Register(api, end, func(ctx context.Context, _ *struct{}) (*endOutput, error) {
		s.Sessions.End(knockOf(ctx).token)
		return &endOutput{noStore, BaseOf(ctx).noCookie(), `"cache"`,
			s.stateOf(access.Reader{})}, nil
	})
}

// SessionEnded is the code of the refusal of a session that has ended.
const SessionEnded = session.CodeEnded

// SignOut ends the session of a request, takes its cookie away, and has the browser forget what it
// keeps of this server. A request without the cookie, as pages from elsewhere can have one sent,
// takes away nothing. The caller writes the answer.
func (s *Service) SignOut(w http.ResponseWriter, r *http.Request) {
	token := knockOf(r.Context()).token
	h := w.Header()
	h.Set("Cache-Control", noStore)
	if token == "" {
		return
	}
	s.Sessions.End(token)
	h.Set("Set-Cookie", BaseOf(r.Context()).noCookie())
	h.Set("Clear-Site-Data", `"cache"`)
}

func (s *Service) beginSession(ctx context.Context, in *signInInput) (*signInOutput, error) {
	k := knockOf(ctx)
	reached := s.Sessions.reachedBy(k.r, s.ClientAddress(k.r))
	token, who, err := s.Sessions.signIn(k.client, in.RawBody, reached)
	if err != nil {
		return nil, problem.From(err)
	}
	s.Sessions.End(k.token) // who signs in again has no use for the session before
	access.NoteReader(ctx, who)
	out := &signInOutput{CacheControl: noStore, Body: sessionOf(token, who)}
	if in.Cookie != "" {
		out.Body.Token = ""
		out.SetCookie = BaseOf(ctx).cookie(token,
			max(1, int(who.Until.Sub(s.Sessions.Now()).Seconds())))
	}
	return out, nil
}

// sessionNoteSchema describes a request that is no JSON.
const sessionNoteSchema = `{"$schema":"` + jsonSchema + `","type":"string",` +
	`"contentMediaType":"text/plain","description":"The signed note as it is, in UTF-8 and not in ` +
	`JSON: see \"Signing in\" in events/FORMAT.md"}`

// registerSessionsNATS adds the same to the micro service.
func (s *Service) registerSessionsNATS(svc micro.Service) (err error) {
	for _, e := range []struct {
		name, subject, description string
		takes                      string // the schema of a request
		gives                      reflect.Type
		do                         func(ctx context.Context, note []byte) (any, error)
	}{
		{"session-nonce", ".nonce", "A nonce for the note with which a member signs in",
			requestSchema(nil), reflect.TypeFor[SessionNonce](),
			func(context.Context, []byte) (any, error) {
				n := s.sessionNonce()
				n.Address = session.NATSAddress(n.Origin)
				return n, nil
			}},
		{"session", "", "Sign in; the request is the signed note", sessionNoteSchema,
			reflect.TypeFor[Session](), s.beginSessionNATS},
		{"session-who", ".who", "Who one is to this server, and what one may read",
			requestSchema(nil), reflect.TypeFor[SessionState](),
			func(ctx context.Context, _ []byte) (any, error) { return s.sessionState(ctx), nil }},
		{"session-end", ".end", "Sign out", requestSchema(nil), reflect.TypeFor[SessionState](),
			func(ctx context.Context, _ []byte) (any, error) {
				s.Sessions.endOverNATS(ctx, knockOf(ctx).token)
				return s.stateOf(access.Reader{}), nil
			}},
	} {
		handle := func(req micro.Request) {
			defer func() {
				if broken := recover(); broken != nil {
					s.Panicked(sessionSubject+e.subject, broken)
					wire.NATS(req, wire.Panicked)
				}
			}()
			var answer []byte
			a, err := e.do(access.ContextOf(req), req.Data())
			if err == nil {
				answer, err = messageOf(a)
			}
			if err != nil {
				wire.NATS(req, err)
				return
			}
			_ = req.Respond(answer) // it fails only when nobody is there to be told
		}
		added := svc.AddEndpoint(e.name, micro.HandlerFunc(handle),
			micro.WithEndpointSubject(sessionSubject+e.subject),
			micro.WithEndpointPendingLimits(maxPending, maxPendingBytes),
			micro.WithEndpointMetadata(map[string]string{"description": e.description,
				"request_schema": e.takes, "response_schema": responseSchema(e.gives)}))
		err = cmp.Or(err, added)
	}
	return err
}

func (s *Service) beginSessionNATS(ctx context.Context, note []byte) (any, error) {
	begun, who, err := s.Sessions.signInOverNATS(ctx, knockOf(ctx).client, note)
	if err != nil {
		return nil, err
	}
	access.NoteReader(ctx, who)
	return begun, nil
}
