package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/micro"

	"muster/events"
)

// The ordinary nats command finds every question, and what it is about.
func TestMicroService(t *testing.T) {
	t.Parallel()
	s := newServer(t, newTestLog(t))
	m, err := s.nc.Request("$SRV.INFO.muster", nil, patient)
	if err != nil {
		t.Fatal(err)
	}
	var info micro.Info
	if err := json.Unmarshal(m.Data, &info); err != nil {
		t.Fatal(err)
	}
	equal(t, "questions", len(info.Endpoints), len(paths))
	for _, e := range info.Endpoints {
		if _, ok := paths[e.Name]; !ok || e.Subject != "muster."+e.Name ||
			e.Metadata["description"] == "" {
			t.Errorf("%+v", e)
		}
	}
}

// The header of a refusal says all, too, and in one line.
func TestRefusalOverNATS(t *testing.T) {
	t.Parallel()
	s := newServer(t, newTestLog(t))
	m, err := s.nc.Request("muster.coverage",
		[]byte(`{"on":"x\r\nNats-Service-Error-Code: 200","a\r\nb: c":1}`), patient)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "code", m.Header.Get(micro.ErrorCodeHeader), "422")
	if said := m.Header.Get(micro.ErrorHeader); !strings.Contains(said, `on "x\r\nNats`) ||
		!strings.Contains(said, `"a\r\nb: c": unknown`) || len(m.Header) != 2 {
		t.Errorf("%q in %v", said, m.Header)
	}
}

// An answer that no message can hold is a problem, and not silence.
func TestTooMuchForNATS(t *testing.T) {
	t.Parallel()
	l := newTestLog(t)
	l.open("force", events.RoleDefinition{Role: "ground", Title: "Troops",
		Units: []events.Unit{"personnel"}})
	for range 120 {
		l.offer("FRA", 1, func(s *events.PledgeOffered) { s.Note = strings.Repeat("x", 9000) })
	}
	s := newServer(t, l)
	equal(t, "over HTTP", s.overHTTP("pledges", "").status, http.StatusOK)
	a := s.overNATS("pledges", "")
	equal(t, "over NATS", a.status, http.StatusBadRequest)
	if p := a.problem(t); !strings.Contains(p.Detail, "too many for a message") ||
		!strings.Contains(p.Hint, "smaller limit") {
		t.Error(a.body)
	}
	equal(t, "less", s.ask("pledges", "limit=50").status, http.StatusOK)
}

// A subject belongs to one service.
func TestRegisterTwice(t *testing.T) {
	t.Parallel()
	s := newServer(t, newTestLog(t))
	svc, err := micro.AddService(s.nc, micro.Config{Name: "muster", Version: "0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := svc.Stop(); err != nil {
		t.Fatal(err)
	}
	s.nc.Close()
	if _, err := s.service.RegisterNATS(svc); err == nil {
		t.Error("questions were registered on a connection that is closed")
	}
}

// Those who ask are told apart by the part of their inboxes that is theirs.
func TestInboxes(t *testing.T) {
	t.Parallel()
	for reply, want := range map[string]string{
		"_INBOX.conn.one": "_INBOX.conn", "_INBOX.conn": "_INBOX.conn", "": "",
		"_INBOX.guest.UA.conn.one": "_INBOX.guest.UA", "_INBOX.guest.UB.conn": "_INBOX.guest.UB",
		"_INBOX.guest": "_INBOX.guest", "_INBOX.guests.x.y": "_INBOX.guests",
	} {
		equal(t, reply, Inbox(reply), want)
	}
}
