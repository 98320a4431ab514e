package main

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/nats-io/nats.go"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/projections/access/session"
	"muster/projections/web"
)

// natsAsking asks over NATS as the visitor of the servers there.
func (a *app) natsAsking() (intake.Requester, error) {
	v, err := a.natsVisitor()
	if err != nil {
		return nil, err
	}
	return natsAsVisitor{a.conn, v}, nil
}

func (a *app) natsVisitor() (*visitor, error) {
	nc, err := a.natsConn()
	if err != nil {
		return nil, err
	}
	if a.natsAt == nil {
		a.natsAt = &visitor{app: a, name: "nats " + a.nats.URLs + " " + a.nats.Context,
			door: natsDoor{nc}}
	}
	return a.natsAt, nil
}

// A natsDoor is where one signs in over NATS.
type natsDoor struct{ conn *nats.Conn }

// address implements door.
func (d natsDoor) address(o events.Origin) (string, error) { return session.NATSAddress(o), nil }

// canBeHeard implements door: as with HTTP, nobody listens within one machine.
func (d natsDoor) canBeHeard() bool {
	addr, err := net.ResolveTCPAddr("tcp", d.conn.ConnectedAddr())
	_, clear := d.conn.TLSConnectionState()
	return clear != nil && (err != nil || !addr.IP.IsLoopback())
}

// do implements door.
func (d natsDoor) do(ctx context.Context, what act, token string, note []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	subject := intake.SubjectPrefix + "session" + map[act]string{askNonce: ".nonce", askWho: ".who",
		signOut: ".end"}[what]
	m, err := d.conn.RequestMsgWithContext(ctx,
		bearing(&nats.Msg{Subject: subject, Data: note}, token))
	switch {
	case errors.Is(err, nats.ErrNoResponders) && (what == askNonce || what == askWho):
		return nil, errNoDoor
	case err != nil:
		return nil, problem.New(problem.Unavailable, "no answer over NATS: %w", err)
	}
	return m.Data, intake.ProblemIn(m)
}

// bearing returns a message with a token.
func bearing(m *nats.Msg, token string) *nats.Msg {
	if token == "" {
		return m
	}
	with := &nats.Msg{Subject: m.Subject, Data: m.Data, Header: nats.Header{}}
	for name, values := range m.Header {
		with.Header[name] = values
	}
	with.Header.Set(web.SessionHeader, token)
	return with
}

// natsAsVisitor asks with the visitor's token, and once more when that has ended.
type natsAsVisitor struct {
	conn    *nats.Conn
	visitor *visitor
}

// RequestMsgWithContext implements intake.Requester.
func (s natsAsVisitor) RequestMsgWithContext(ctx context.Context, m *nats.Msg) (*nats.Msg, error) {
	if m.Subject == intake.SubjectPrefix+"checkpoint" {
		return s.conn.RequestMsgWithContext(ctx, m)
	}
	submission := strings.HasPrefix(m.Subject, intake.SubjectPrefix+"submit")
	token, err := s.visitor.tokenFor(ctx)
	if err != nil && !(submission && (isRefusal(err) || errors.Is(err, errNoDoor))) {
		return nil, err
	}
	answer, err := s.conn.RequestMsgWithContext(ctx, bearing(m, token))
	if err != nil || token == "" || !problem.Is(intake.ProblemIn(answer), problem.SignedOut) {
		return answer, err
	}
	if token, err = s.visitor.renew(ctx, token); err != nil && !submission {
		return nil, err
	}
	return s.conn.RequestMsgWithContext(ctx, bearing(m, token))
}
