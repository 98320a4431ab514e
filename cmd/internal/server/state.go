package server

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"muster/cmd/internal/control"
	"muster/events"
	"muster/events/problem"
	"muster/events/problem/wire"
	"muster/ledger/stream"
)

// StatePath answers with a [State].
const StatePath = "/state"

// A State is what a running server knows of itself, and muster doctor asks it.
type State struct {
	Version string        `json:"version"`
	Name    string        `json:"name"`
	Ledger  events.Origin `json:"ledger"`
	Started time.Time     `json:"started"`
	// Problem is why it cannot do its work now; nil where it can.
	Problem *problem.Problem `json:"problem,omitempty"`
	// Recorded is the last record in the journal, Projected the last in the picture.
	Recorded  uint64 `json:"recorded"`
	Projected uint64 `json:"projected"`
	// LastRecorded is the time in the last record, and Damaged why that cannot be proved.
	LastRecorded time.Time        `json:"last_recorded,omitzero"`
	Damaged      *problem.Problem `json:"damaged,omitempty"`
	// FirstRecorded is the time in the first record.
	FirstRecorded time.Time `json:"first_recorded,omitzero"`
	// Copies are journal and stream, and when both were last whole.
	Copies Copies `json:"copies"`

	URL string `json:"url"`
	// Open says that other machines reach it, and Hosts by which names.
	Open        bool               `json:"open"`
	Hosts       []string           `json:"hosts"`
	Plaintext   bool               `json:"plaintext"`
	Certificate *CertificateHealth `json:"certificate,omitempty"`
	// Unnamed are the hosts that its certificate is not for.
	Unnamed []string `json:"unnamed,omitempty"`
	// NATS is where NATS clients are taken; "" for nowhere, and on a cluster.
	NATS string `json:"nats,omitempty"`

	// Embedded says that the NATS server is inside, and syncs every so often, or always.
	Embedded   bool          `json:"embedded"`
	SyncEvery  time.Duration `json:"sync_every,omitempty"`
	SyncAlways bool          `json:"sync_always,omitempty"`
	// Nodes are the NATS servers of a cluster that keep the stream, and how often they sync.
	Nodes       []stream.Node `json:"nodes,omitempty"`
	Stream      stream.State  `json:"stream"`
	StreamError string        `json:"stream_error,omitempty"`
}

// answerState answers once the start is over: before, most of it is not there yet.
func (s *Server) answerState(w http.ResponseWriter, r *http.Request) {
	if !s.ready.Load() {
		wire.HTTP(w, problem.New(problem.Unavailable, "the server is starting").
			WithHint("try again in a moment; its log says what it waits for"))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	// It fails only when who has asked is gone.
	_ = json.NewEncoder(w).Encode(s.state(r.Context()))
}

func (s *Server) state(ctx context.Context) State {
	st := State{Version: s.cfg.Version, Name: s.cfg.Name, Ledger: s.Ledger.Origin(),
		Started: s.opened, Recorded: s.Journal.Last(), Projected: s.Projector.Sequence(),
		Copies: s.copies(), URL: s.URL(), Open: s.ListensToOthers(),
		Hosts: s.cfg.Hosts, Plaintext: s.certificate == nil, NATS: s.NATSURL(),
		Certificate: s.certificate.health(), Unnamed: s.certificate.unnamed(s.cfg.Hosts)}
	if err := s.Healthy(); err != nil {
		st.Problem = problem.From(err)
	}
	if s.natsd != nil {
		st.Embedded = true
		st.SyncEvery, st.SyncAlways = s.natsd.Sync()
	} else if nodes, err := stream.Nodes(ctx, s.Conn, stream.DefaultName); err == nil {
		st.Nodes, st.SyncAlways = nodes, stream.SyncAlways(nodes)
	}
	var err error
	if st.Stream, err = s.Stream.State(ctx); err != nil {
		st.StreamError = err.Error()
	}
	for at, to := range map[uint64]*time.Time{1: &st.FirstRecorded, st.Recorded: &st.LastRecorded} {
		rec, err := s.Journal.Record(at) // which is proved
		if err != nil {
			st.Damaged = problem.From(err)
		}
		*to = rec.Recorded
	}
	return st
}

// unnamed returns those of the hosts that the certificate is not for.
func (c *certificate) unnamed(hosts []string) (missing []string) {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.look()
	for _, host := range hosts {
		if c.current.Leaf.VerifyHostname(host) != nil {
			missing = append(missing, host)
		}
	}
	return missing
}

// AskState asks the server that runs on a data folder. Where none does, the error is what
// [control.NobodyListens] knows.
func AskState(ctx context.Context, dir string) (st State, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, control.URL+StatePath, nil)
	if err != nil {
		return st, err
	}
	resp, err := control.Client(dir).Do(req)
	if err != nil {
		return st, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		var p problem.Problem
		if err := json.NewDecoder(resp.Body).Decode(&p); err != nil {
			return st, err
		}
		return st, &p
	}
	return st, json.NewDecoder(resp.Body).Decode(&st)
}
