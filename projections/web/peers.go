package web

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"muster/events/problem"
	"muster/projections/access"
	"muster/projections/access/session"
)

// Over NATS any server of a cluster answers: the one that is asked to sign somebody in need not be
// the one that has given the nonce, nor the next one that with the session. It asks that one, whose
// name is in the nonce and in the token. What it is told is the note with which the session began,
// so that it believes the member's signature, and not whoever answers.

// peerSubject begins the subjects on which servers ask each other, where no guest may listen.
const peerSubject = "_MUSTER.at."

// peerTime is how long another server has to answer, and peersAsked how many requests wait for
// that.
const (
	peerTime   = 2 * time.Second
	peersAsked = 64
)

// peerAnswer is what a server tells another one.
type peerAnswer struct {
	Session *Session         `json:"session,omitempty"`
	Note    []byte           `json:"note,omitempty"`
	Problem *problem.Problem `json:"problem,omitempty"`
}

// MeetPeers has the servers of a cluster know each other's sessions, over the connection of the
// server itself, until the function that is returned is called.
func (s *Service) MeetPeers(conn *nats.Conn) (leave func() error, err error) {
	s.Sessions.peers = conn
	does := map[string]func([]byte) peerAnswer{
		"begin": func(note []byte) peerAnswer {
			token, who, err := s.Sessions.SignIn(note, s.Sessions.reachedOverNATS)
			if err != nil {
				return peerAnswer{Problem: problem.From(err)}
			}
			one := sessionOf(token, who)
			return peerAnswer{Session: &one}
		},
		"note": func(hash []byte) peerAnswer {
			if len(hash) != sha256.Size {
				return peerAnswer{}
			}
			note, _ := s.Sessions.Note([sha256.Size]byte(hash))
			return peerAnswer{Note: note}
		},
		"end": func(hash []byte) peerAnswer {
			if len(hash) == sha256.Size {
				s.Sessions.EndHash([sha256.Size]byte(hash))
			}
			return peerAnswer{}
		},
	}
	prefix := peerSubject + s.Sessions.ID() + "."
	sub, err := conn.Subscribe(prefix+"*", func(m *nats.Msg) {
		do, ok := does[m.Subject[len(prefix):]]
		if !ok {
			return
		}
		if data, err := json.Marshal(do(m.Data)); err == nil {
			_ = m.Respond(data) // it fails only when the connection is gone
		}
	})
	if err != nil {
		return nil, err
	}
	return sub.Unsubscribe, conn.Flush()
}

// askPeer asks the server that has made a nonce or a token, and reports whether that is another one
// which has answered.
func (ss *Sessions) askPeer(ctx context.Context, made, what string, data []byte) (a peerAnswer,
	ok bool) {
	id := session.IDOf(made)
	if ss.peers == nil || id == "" || id == ss.ID() {
		return a, false
	}
	ctx, cancel := context.WithTimeout(ctx, peerTime)
	defer cancel()
	m, err := ss.peers.RequestWithContext(ctx, peerSubject+id+"."+what, data)
	return a, err == nil && json.Unmarshal(m.Data, &a) == nil
}

// isOfPeer reports whether a request has the token of a session that another server has.
func (ss *Sessions) isOfPeer(req micro.Request) bool {
	token := req.Headers().Get(SessionHeader)
	return ss.peers != nil && token != "" && session.IDOf(token) != ss.ID()
}

// whose returns whose token it is, which another server may have given.
func (ss *Sessions) whose(ctx context.Context, token string) (access.Reader, error) {
	hash := sha256.Sum256([]byte(token))
	a, ok := ss.askPeer(ctx, token, "note", hash[:])
	if !ok {
		return ss.Store.Who(token)
	}
	who, err := ss.Vouched(a.Note, ss.reachedOverNATS)
	if err != nil {
		err = session.Ended()
	}
	return who, err
}

// signInOverNATS begins a session, at the server that has given the nonce.
func (ss *Sessions) signInOverNATS(ctx context.Context, client string, note []byte) (Session,
	access.Reader, error) {
	if n, err := session.Parse(note); err == nil {
		a, ok := ss.askPeer(ctx, n.Nonce, "begin", note)
		switch {
		case ok && a.Problem != nil:
			return Session{}, access.Reader{}, ss.guessedOverNATS(client, a.Problem)
		case ok && a.Session != nil:
			return *a.Session, access.Reader{Key: a.Session.Key, Role: a.Session.Role,
				View: a.Session.View, Until: a.Session.Until}, nil
		}
	}
	token, who, err := ss.SignIn(note, ss.reachedOverNATS)
	return sessionOf(token, who), who, ss.guessedOverNATS(client, err)
}

// endOverNATS ends a session, which another server may have.
func (ss *Sessions) endOverNATS(ctx context.Context, token string) {
	hash := sha256.Sum256([]byte(token))
	if _, ok := ss.askPeer(ctx, token, "end", hash[:]); !ok {
		ss.EndHash(hash)
	}
}
