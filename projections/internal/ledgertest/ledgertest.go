// Package ledgertest gives tests of the read side a ledger in memory, of real signed records.
package ledgertest

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"muster/events"
)

// Origin is the name of the ledger.
const Origin = "muster.example/test"

// A Ledger is a source of records that yields them as they are stored, too. Each record lies an
// hour after the one before, from noon of 1 January 2026. IDs and keys follow from what was asked
// for before, so that the same test says the same every time.
type Ledger struct {
	// All are the records. A test that changes them does so before others look.
	All []events.Record

	mu    sync.Mutex
	more  chan struct{} // closed, and replaced, when a record is appended
	clock time.Time
	keys  map[string]*events.Signer
	ids   uint64
	fail  error // yielded after the records, when set
}

// New returns a ledger of some records, which need not be its own.
func New(all ...events.Record) *Ledger {
	l := &Ledger{
		All:   slices.Clip(all),
		more:  make(chan struct{}),
		clock: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC),
		keys:  map[string]*events.Signer{},
	}
	if n := len(all); n > 0 {
		l.clock = all[n-1].Recorded
	}
	return l
}

//go:embed all-kinds.txt
var allKinds string

// AllKinds returns a ledger in which every kind of statement was made. A test of package
// projections, where it is told what these are, holds the file to it.
func AllKinds() (*Ledger, error) {
	var all []events.Record
	for line := range strings.Lines(allKinds) {
		stored, err := strconv.Unquote(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, err
		}
		rec, err := events.ParseRecord(uint64(len(all))+1, []byte(stored))
		if err != nil {
			return nil, err
		}
		all = append(all, rec)
	}
	l := New(all...)
	l.ids = 1000 // beyond those that were given
	return l, nil
}

// UpTo returns a ledger of the first n records, which can go on in another way.
func (l *Ledger) UpTo(n uint64) *Ledger {
	other := New(l.All[:n]...)
	other.keys, other.ids = maps.Clone(l.keys), l.ids
	return other
}

// Last returns the sequence of the last record.
func (l *Ledger) Last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return uint64(len(l.All))
}

// Records yields the records from a sequence on, and then why the source fails, if it does.
func (l *Ledger) Records(from uint64) iter.Seq2[events.Record, error] {
	l.mu.Lock()
	records, fail := l.All, l.fail
	l.mu.Unlock()
	return func(yield func(events.Record, error) bool) {
		for i := from - 1; i < uint64(len(records)); i++ {
			if !yield(records[i], nil) {
				return
			}
		}
		if fail != nil {
			yield(events.Record{}, fail)
		}
	}
}

// Stored returns records as they are stored. What was returned before in the same room is written
// over, so that a reader who keeps it is found out.
func (l *Ledger) Stored(from uint64, most int, room []byte) (stored [][]byte, used []byte,
	err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range room[:cap(room)] {
		room[:cap(room)][i] = 'x'
	}
	for i := from - 1; i < uint64(len(l.All)) && len(stored) < most; i++ {
		room = append(room, l.All[i].Stored...)
		stored = append(stored, room[len(room)-len(l.All[i].Stored):])
	}
	return stored, room, l.fail
}

// Wait returns as soon as there are more records than after.
func (l *Ledger) Wait(ctx context.Context, after uint64) error {
	for {
		l.mu.Lock()
		last, more, fail := uint64(len(l.All)), l.more, l.fail
		l.mu.Unlock()
		switch {
		case last > after:
			return nil
		case fail != nil:
			return fail
		}
		select {
		case <-more:
		case <-ctx.Done():
			return fmt.Errorf("waiting: %w", ctx.Err())
		}
	}
}

// Fail makes the source fail from now on.
func (l *Ledger) Fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fail = err
	l.wake()
}

// wake ends the waiting of those who wait for more.
func (l *Ledger) wake() {
	close(l.more)
	l.more = make(chan struct{})
}

// Key returns the signer of a name, whose secret follows from the name.
func (l *Ledger) Key(name string) (*events.Signer, error) {
	if s, ok := l.keys[name]; ok {
		return s, nil
	}
	seed := sha256.Sum256([]byte(name))
	key := ed25519.NewKeyFromSeed(seed[:])
	public := append([]byte{1}, key.Public().(ed25519.PublicKey)...)
	hash := sha256.Sum256(append([]byte(name+"\n"), public...))
	s, err := events.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, hash[:4],
		base64.StdEncoding.EncodeToString(append([]byte{1}, seed[:]...))))
	if err != nil {
		return nil, err
	}
	l.keys[name] = s
	return s, nil
}

// Head makes the members that every statement has. IDs ascend.
func (l *Ledger) Head(t events.Type) (events.Header, error) {
	l.ids++
	var entropy [10]byte
	binary.BigEndian.PutUint64(entropy[2:], l.ids)
	id, err := events.IDAt(1767225600000, entropy)
	return events.Header{Type: t, ID: id, Ledger: Origin}, err
}

// Say signs a statement and appends it. It returns the sequence.
func (l *Ledger) Say(by string, s events.Statement) (uint64, error) {
	signer, err := l.Key(by)
	if err != nil {
		return 0, err
	}
	signed, err := events.Sign(s, signer)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", s.Head().Type, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clock = l.clock.Add(time.Hour)
	rec, err := events.NewRecord(uint64(len(l.All))+1, l.clock, Origin, signed)
	if err != nil {
		return 0, err
	}
	l.All = append(l.All, rec)
	l.wake()
	return rec.Sequence, nil
}
