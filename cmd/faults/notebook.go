package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"muster/events"
	"muster/ledger/intake"
)

// A notebook is a file to which writers append what they send, before they do, and what they were
// told. Each line is on the disk before the writer goes on; lines that wait share one fsync. It
// lies where nothing of what befalls the servers can reach it. A line is JSON:
//
//	{"at":"2026-11-29T00:31:07.123456789Z","had":3}                        when the notebook began
//	{"at":"2026-11-29T00:31:07.123456789Z","sent":"{\"type\":…}\n\n— FRA/…"}  the signed note
//	{"at":"2026-11-29T00:31:07.125456789Z","id":"01K…","sequence":4,"leaf":"9f…"}   its receipt
//
// Leaf is the SHA-256 of the record, as the receipt has it: all its bytes.
type notebook struct {
	file  *os.File
	lines chan waitingLine
	done  chan struct{}

	mu             sync.Mutex
	sent, receipts int
	more           chan struct{} // closed at the next receipt
}

type waitingLine struct {
	text    []byte
	written chan error
}

// A noted is a line of a notebook.
type noted struct {
	At       time.Time `json:"at"`
	Had      *uint64   `json:"had,omitempty"`
	Sent     string    `json:"sent,omitempty"`
	ID       string    `json:"id,omitempty"`
	Sequence uint64    `json:"sequence,omitempty"`
	Leaf     string    `json:"leaf,omitempty"`
}

// openNotebook opens a notebook to be written, and makes it where it is not there.
func openNotebook(path string) (*notebook, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	b := &notebook{file: f, lines: make(chan waitingLine, 256), done: make(chan struct{}),
		more: make(chan struct{})}
	go b.write()
	return b, nil
}

// write writes the lines that wait, all at once, until the notebook is closed.
func (b *notebook) write() {
	defer close(b.done)
	for first := range b.lines {
		all := []waitingLine{first}
		for more := true; more; {
			select {
			case next, ok := <-b.lines:
				more = ok
				if ok {
					all = append(all, next)
				}
			default:
				more = false
			}
		}
		var text []byte
		for _, l := range all {
			text = append(text, l.text...)
		}
		_, err := b.file.Write(text)
		if err == nil {
			err = b.file.Sync()
		}
		for _, l := range all {
			l.written <- err
		}
	}
}

// close closes the notebook. Nobody writes any more.
func (b *notebook) close() error {
	close(b.lines)
	<-b.done
	return b.file.Close()
}

// line writes a line, and returns when it is on the disk.
func (b *notebook) line(n noted) error {
	n.At = time.Now().UTC()
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	l := waitingLine{append(text, '\n'), make(chan error, 1)}
	b.lines <- l
	return <-l.written
}

// begin notes how many records there are that the notebook knows nothing of.
func (b *notebook) begin(had uint64) error { return b.line(noted{Had: &had}) }

// send notes a statement that is about to be sent.
func (b *notebook) send(s events.Signed) error {
	if err := b.line(noted{Sent: string(s.Note)}); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent++
	return nil
}

// acknowledge notes a receipt, with the time at which it was there.
func (b *notebook) acknowledge(s events.Signed, r intake.Receipt) error {
	stored := append([]byte(r.Envelope+"\n"), r.RecordedNote(s)...)
	leaf := sha256.Sum256(stored)
	if err := b.line(noted{ID: r.ID.String(), Sequence: r.Sequence,
		Leaf: hex.EncodeToString(leaf[:])}); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.receipts++
	close(b.more)
	b.more = make(chan struct{})
	return nil
}

// count returns how many statements were sent, and for how many there is a receipt.
func (b *notebook) count() (sent, receipts int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sent, b.receipts
}

// notes is what a notebook has.
type notes struct {
	had      *uint64
	sent     map[events.ID]string // notes
	receipts []noted
}

// readNotebook reads a notebook. A last line that is not whole was never written.
func readNotebook(path string) (*notes, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	n := &notes{sent: map[events.ID]string{}}
	data = data[:bytes.LastIndexByte(data, '\n')+1]
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var one noted
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return nil, fmt.Errorf("the notebook %s: %w", path, err)
		}
		if err := n.take(one); err != nil {
			return nil, fmt.Errorf("the notebook %s: %w", path, err)
		}
	}
	if n.had == nil {
		return nil, fmt.Errorf("the notebook %s does not say when it began", path)
	}
	return n, lines.Err()
}

func (n *notes) take(one noted) error {
	switch {
	case one.Had != nil:
		if n.had == nil { // a notebook that goes on knows what came since it began
			n.had = one.Had
		}
	case one.Sent != "":
		s, err := events.ParseSigned([]byte(one.Sent))
		if err != nil {
			return err
		}
		n.sent[s.Statement.Head().ID] = one.Sent
	case one.Sequence > 0:
		n.receipts = append(n.receipts, one)
	default:
		return errors.New("a line says nothing")
	}
	return nil
}

// forget takes out the receipts that came in a time: while a disk was gone, nothing counts.
func (n *notes) forget(from, to time.Time) {
	n.receipts = slices.DeleteFunc(n.receipts, func(r noted) bool {
		return r.At.After(from) && r.At.Before(to)
	})
}
