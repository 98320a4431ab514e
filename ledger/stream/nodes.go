package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A Node is one of the NATS servers that keep a stream.
type Node struct {
	Name string `json:"name"`
	// Told says that the node has told how it keeps its files. What follows is known then.
	Told bool `json:"told"`
	// SyncAlways says that what the node has acknowledged is on its disk. Otherwise a power cut
	// takes what it was told since SyncInterval before: a stream loses its end where that befalls
	// all its nodes, or enough of them.
	SyncAlways   bool          `json:"sync_always"`
	SyncInterval time.Duration `json:"sync_interval"`
}

// SyncAlways reports whether all nodes are known to write to their disks what they acknowledge,
// before they do.
func SyncAlways(nodes []Node) bool {
	return len(nodes) > 0 && !slices.ContainsFunc(nodes, func(n Node) bool { return !n.SyncAlways })
}

// nodesAnswer is how long nodes have to answer.
const nodesAnswer = time.Second

// Nodes asks the NATS servers that keep a stream how they do it, and returns them by their names.
// They tell a user of the system account, and one of an account with which that shares the subject
// $SYS.REQ.SERVER.PING.JSZ, as deploy/nats-server.conf has it; to all others no node tells
// anything. It takes a second at most, and less where all tell.
func Nodes(ctx context.Context, nc *nats.Conn, name string) ([]Node, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	s, err := js.Stream(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", name, err)
	}
	var nodes []Node
	if c := s.CachedInfo().Cluster; c != nil {
		nodes = append(nodes, Node{Name: c.Leader})
		for _, r := range c.Replicas {
			nodes = append(nodes, Node{Name: r.Name})
		}
	}
	slices.SortFunc(nodes, func(a, b Node) int { return strings.Compare(a.Name, b.Name) })
	return nodes, askNodes(ctx, nc, nodes)
}

// askNodes fills in what nodes tell.
func askNodes(ctx context.Context, nc *nats.Conn, nodes []Node) error {
	inbox := nc.NewRespInbox()
	sub, err := nc.SubscribeSync(inbox)
	if err != nil {
		return err
	}
	defer func() { _ = sub.Unsubscribe() }() // it fails only when the connection is gone
	if err := nc.PublishRequest("$SYS.REQ.SERVER.PING.JSZ", inbox, nil); err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, nodesAnswer)
	defer cancel()
	for slices.ContainsFunc(nodes, func(n Node) bool { return !n.Told }) {
		m, err := sub.NextMsgWithContext(within)
		switch {
		case errors.Is(err, nats.ErrNoResponders), within.Err() != nil && ctx.Err() == nil:
			return nil
		case err != nil:
			return err
		}
		take(nodes, m.Data)
	}
	return nil
}

// take fills in what one node has told.
func take(nodes []Node, answer []byte) {
	var told struct {
		Server struct {
			Name string `json:"name"`
		} `json:"server"`
		Data struct {
			Config *struct {
				SyncAlways   bool          `json:"sync_always"`
				SyncInterval time.Duration `json:"sync_interval"`
			} `json:"config"`
		} `json:"data"`
	}
	if json.Unmarshal(answer, &told) != nil || told.Data.Config == nil {
		return
	}
	for i := range nodes {
		if n := &nodes[i]; n.Name == told.Server.Name {
			n.Told, n.SyncAlways = true, told.Data.Config.SyncAlways
			n.SyncInterval = told.Data.Config.SyncInterval
		}
	}
}
