package stream

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A State is what somebody who looks after the stream asks of it.
type State struct {
	Name string `json:"name"`
	Last uint64 `json:"last"`
	// Replicas is how many the stream is to have.
	Replicas int `json:"replicas"`
	// Cluster names the cluster of NATS servers; "" for a server alone.
	Cluster string `json:"cluster,omitempty"`
	// Leader is the NATS server that appends; "" where there is none now.
	Leader string `json:"leader,omitempty"`
	// Behind are the other replicas that are away, or lack messages.
	Behind []string `json:"behind,omitempty"`
	// Unfit says why the stream may not be appended to; "" where it may.
	Unfit string `json:"unfit,omitempty"`
	// Ahead is how far the clock of the NATS server that has answered is ahead of this one's,
	// negative for behind, and Within is how wrong that can be.
	Ahead  time.Duration `json:"ahead"`
	Within time.Duration `json:"within"`
}

// State asks the NATS server, once.
func (s *Stream) State(ctx context.Context) (State, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	asked := time.Now()
	info, err := s.stream.Info(ctx)
	if err != nil {
		return State{}, fmt.Errorf("stream %s: %w", s.cfg.Name, err)
	}
	took := time.Since(asked)
	st := State{Name: s.cfg.Name, Last: info.State.LastSeq, Replicas: info.Config.Replicas,
		Ahead: info.TimeStamp.Sub(asked.Add(took / 2)), Within: took / 2}
	if err := checkKeeps(info.Config); err != nil {
		st.Unfit = err.Error()
	}
	if info.Cluster != nil {
		st.Cluster, st.Leader = info.Cluster.Name, info.Cluster.Leader
		st.Behind = behind(info.Cluster.Replicas)
	}
	return st, nil
}

func behind(replicas []*jetstream.PeerInfo) (names []string) {
	for _, r := range replicas {
		if r.Offline || !r.Current {
			names = append(names, r.Name)
		}
	}
	return names
}
