package stream_test

import (
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"muster/ledger/stream"
)

// Nodes that may not be asked how they keep their files are not taken for such as sync always. That
// others tell it, the tests of deploy show.
func TestNodesThatDoNotTell(t *testing.T) {
	c := newCluster(t, func(o *server.Options) { o.SyncAlways = true })
	c.open(t)
	nodes, err := stream.Nodes(t.Context(), c.connect(), stream.DefaultName)
	if err != nil || len(nodes) != 3 || stream.SyncAlways(nodes) {
		t.Fatalf("%+v, %v", nodes, err)
	}
	for i, n := range nodes {
		if n.Told || n.Name != c.options[i].ServerName {
			t.Errorf("node %d: %+v", i, n)
		}
	}
	if stream.SyncAlways(nil) {
		t.Error("of nobody it is known that all sync always")
	}
}
