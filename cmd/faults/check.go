package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"muster/events"
	"muster/projections/web"
)

// A heldLedger is what a server holds: all its records, as they are stored, and the checkpoint that
// it signs for them.
type heldLedger struct {
	records []web.Record
	size    int
	root    [sha256.Size]byte
}

// readLedger reads all that a server has. It must be one that lets everybody read all, and nobody
// may write meanwhile.
func readLedger(ctx context.Context, url string) (l heldLedger, err error) {
	for next := uint64(1); ; {
		var page web.Records
		if err := (web.Client{URL: url}).Ask(ctx, "records", map[string]string{
			"from": fmt.Sprint(next), "limit": "10000"}, &page); err != nil {
			return l, err
		}
		if page.Withheld > 0 {
			return l, fmt.Errorf("the server withholds %d records", page.Withheld)
		}
		l.records = append(l.records, page.Records...)
		if len(page.Records) == 0 {
			break
		}
		next = page.Next
	}
	l.size, l.root, err = readCheckpoint(ctx, url)
	return l, err
}

// readCheckpoint reads the size and the root of a server's checkpoint (C2SP tlog-checkpoint).
func readCheckpoint(ctx context.Context, url string) (size int, root [sha256.Size]byte, err error) {
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/checkpoint", nil)
	if err != nil {
		return 0, root, err
	}
	answer, err := http.DefaultClient.Do(ask)
	if err != nil {
		return 0, root, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<16))
	if err != nil {
		return 0, root, err
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < 4 {
		return 0, root, fmt.Errorf("this is no checkpoint: %.100q", text)
	}
	if size, err = strconv.Atoi(lines[1]); err != nil {
		return 0, root, err
	}
	hash, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(hash) != len(root) {
		return 0, root, fmt.Errorf("this is no root: %q", lines[2])
	}
	return size, [sha256.Size]byte(hash), nil
}

// check holds a ledger against a notebook: the records follow each other without a gap, no id is
// there twice, what was acknowledged is there in its place, byte for byte, nothing is there that
// nobody sent, and the root is that of the records.
func (n *notes) check(l heldLedger) (wrong []error) {
	fault := func(format string, args ...any) {
		wrong = append(wrong, fmt.Errorf(format, args...))
	}
	at, stored := map[events.ID]int{}, make([][]byte, len(l.records))
	for i, rec := range l.records {
		stored[i] = []byte(rec.Stored)
		if rec.Sequence != uint64(i)+1 {
			fault("record %d has the sequence %d", i+1, rec.Sequence)
		}
		if first, twice := at[rec.ID]; twice {
			fault("the id %s is that of the records %d and %d", rec.ID, first, i+1)
		}
		at[rec.ID] = i + 1
		_, note, _ := strings.Cut(rec.Stored, "\n")
		if sent, ok := n.sent[rec.ID]; uint64(i) >= *n.had && (!ok || sent != note) {
			fault("record %d is not what was sent: %q", i+1, note)
		}
	}
	for _, r := range n.receipts {
		wrong = append(wrong, l.has(r)...)
	}
	if l.size > len(stored) {
		fault("the checkpoint is of %d records, and there are %d", l.size, len(stored))
	} else if root := rootOf(stored[:l.size]); l.size != len(stored) || root != l.root {
		fault("the checkpoint says %d records with the root %x, and there are %d with %x", l.size,
			l.root, len(stored), root)
	}
	return wrong
}

// has checks that what a receipt is for is in its place.
func (l *heldLedger) has(r noted) []error {
	lost := func(instead string, args ...any) []error {
		return []error{fmt.Errorf("lost: %s was acknowledged at %s as record %d, and %s", r.ID,
			r.At.Format(time.RFC3339Nano), r.Sequence, fmt.Sprintf(instead, args...))}
	}
	if r.Sequence > uint64(len(l.records)) {
		return lost("there are %d", len(l.records))
	}
	rec := l.records[r.Sequence-1]
	leaf := sha256.Sum256([]byte(rec.Stored))
	if rec.ID.String() != r.ID || hex.EncodeToString(leaf[:]) != r.Leaf {
		return lost("that is another record, or was altered: %s", rec.ID)
	}
	return nil
}
