package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"muster/ledger/stream"
)

// The disk of one NATS node of three is full. At each Muster server statements are acknowledged all
// the same, within as long as it takes when a node is lost. That node keeps the stream no more
// until there is space and it is started anew; then it has all of it again.
func TestOneNodeOfThreeIsFull(t *testing.T) {
	if testing.Short() {
		t.Skip("three NATS nodes start")
	}
	t.Parallel()
	disk := smallDisk(t)
	nodes := newNodes(t)
	full := nodes.each[0]
	if err := os.Symlink(disk, filepath.Join(nodes.dir, full.name)); err != nil {
		t.Fatal(err)
	}
	nodes.startAll(t)
	c := startSteady(t, nodes)
	c.outlast(t, "has a full disk", func(*testing.T, *steadyCluster) *node { return full },
		15*time.Second, func(t *testing.T, n *node) (mend func()) {
			free := fill(t, disk)
			return func() {
				free()
				c.isNamedBehind(t, n) // NATS keeps nothing there until it is started anew
				n.kill()
				c.restart(t, n)
			}
		})
	c.isCurrent(t, full)
	c.check(t)
}

// isCurrent returns when a node has all of the stream that the others have.
func (c *steadyCluster) isCurrent(t *testing.T, n *node) {
	t.Helper()
	c.awaitBehind(t, "the node to have all of the stream", func(behind []string) bool {
		return !slices.Contains(behind, n.name)
	})
}

// isNamedBehind returns when the stream's state, which muster doctor shows, names a node that has
// not all of it.
func (c *steadyCluster) isNamedBehind(t *testing.T, n *node) {
	t.Helper()
	c.awaitBehind(t, "the node to be named", func(behind []string) bool {
		return slices.Contains(behind, n.name)
	})
}

// awaitBehind waits until somebody leads and those that are behind are as is wanted.
func (c *steadyCluster) awaitBehind(t *testing.T, what string, as func([]string) bool) {
	t.Helper()
	s, err := stream.Open(t.Context(), c.asking, stream.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	await(t, what, func() error {
		st, err := s.State(t.Context())
		if err == nil && (st.Leader == "" || !as(st.Behind)) {
			err = fmt.Errorf("%s leads, and these are behind: %s", st.Leader, st.Behind)
		}
		return err
	})
}
