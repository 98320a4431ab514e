package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"muster/cmd/internal/server"
	"muster/events"
	"muster/ledger"
	"muster/ledger/journal"
	"muster/ledger/natsd"
	"muster/ledger/stream"
)

// How one way takes a record: it returns when the record is as safe as that way makes it.
type taker func(ctx context.Context, r *events.Record) error

// An opener makes a way ready on an empty folder.
type opener func(ctx context.Context, dir string, g *generated,
	writers int) (take taker, stop func() error, err error)

// measureAppend appends what was signed beforehand: with one writer, who waits each time; with
// many, who each wait; and as much as possible at a time, as an import does.
func measureAppend(o *options) ([]row, error) {
	// offers: each is taken whatever became of the others
	g, err := o.generate(o.ops+300, o.ops, 40)
	if err != nil {
		return nil, err
	}
	g.records = g.records[:g.preamble+o.ops]
	var all []row
	for _, writers := range []int{1, 64, 256, 1024} {
		name, n := fmt.Sprintf("append, %d writers, each waits", writers), o.ops
		switch writers {
		case 1:
			name, n = "append, 1 writer, waits each time", max(10, o.ops/20)
		case 1024:
			name = "append, bulk (1024 at a time)"
		}
		var ways []way
		for _, w := range appendWays {
			ways = append(ways, way{w.name, func(int) (sample, error) {
				return o.append(g, w.open, writers, n, 0)
			}})
		}
		// whoever does something between two records waits longer for the disk, which rests
		// meanwhile
		if writers == 1 {
			ways = append(ways, way{restedWay, func(int) (sample, error) {
				return o.append(g, openRaw, writers, n, 200*time.Microsecond)
			}})
		}
		rows, err := o.interleave(name, rawWay, ways...)
		if err != nil {
			return nil, err
		}
		if writers > 1 { // the time of one is that of waiting for the others
			for i := range rows {
				rows[i].P50, rows[i].P99 = 0, 0
			}
		}
		for i := range rows {
			switch rows[i].Way {
			case postgresWay: // whose processor time is another process's
				rows[i].CPU = 0
			case restedWay: // whose rest is none of it
				rows[i].PerSecond, rows[i].Seconds = 0, 0
			}
		}
		all = append(all, rows...)
	}
	busy, err := o.measureBusy(g)
	return append(all, busy...), err
}

const (
	rawWay   = "raw: write and fdatasync, by group"
	plainWay = "muster"

	restedWay   = "raw: write and fdatasync, each after a rest of 200 µs"
	postgresWay = "PostgreSQL, expected version"
)

var appendWays = []struct {
	name string
	open opener
}{
	{rawWay, openRaw},
	{plainWay, openMuster},
	{"muster's road, nothing verified or decided", openRoad},
	{"JetStream, sync_interval: always", openJetStream(true)},
	{"JetStream, as it is by default (fsync every 2 minutes)", openJetStream(false)},
	{postgresWay, openPostgres},
}

// append has writers take n offers by one way, on a folder of its own, and rest before each.
func (o *options) append(g *generated, open opener, writers, n int,
	rest time.Duration) (sample, error) {
	dir, remove, err := o.folder("append")
	if err != nil {
		return sample{}, err
	}
	defer remove()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	take, stop, err := open(ctx, dir, g, writers)
	if err != nil {
		return sample{}, err
	}
	offers := g.records[g.preamble:min(len(g.records), g.preamble+n)]
	took := make([]time.Duration, len(offers))
	s, err := timed(len(offers), func() error {
		return each(writers, len(offers), func(i int) error {
			time.Sleep(rest)
			began := time.Now()
			err := take(ctx, &offers[i])
			took[i] = time.Since(began)
			return err
		})
	})
	s.took = took
	return s, errors.Join(err, stop())
}

// each does n things, so many at a time.
func each(at, n int, do func(int) error) error {
	var next atomic.Int64
	var running sync.WaitGroup
	var failed atomic.Pointer[error]
	for range at {
		running.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || failed.Load() != nil {
					return
				}
				if err := do(i); err != nil {
					failed.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	running.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

func openMuster(ctx context.Context, dir string, g *generated, _ int) (taker, func() error, error) {
	m, err := newMuster(ctx, dir, g)
	if err != nil {
		return nil, nil, err
	}
	return func(ctx context.Context, r *events.Record) error {
		_, err := m.Ledger.Submit(ctx, r.Signed)
		return err
	}, m.Close, nil
}

// newMuster starts a server and submits what comes before the first pledge.
func newMuster(ctx context.Context, dir string, g *generated) (*server.Server, error) {
	m, err := startMuster(ctx, dir, &g.records[0])
	if err != nil {
		return nil, err
	}
	for i := 1; i < g.preamble; i++ {
		if _, err := m.Ledger.Submit(ctx, g.records[i].Signed); err != nil {
			return nil, errors.Join(err, m.Close())
		}
	}
	return m, nil
}

// A waiting is something that its writer waits for.
type waiting struct {
	rec  *events.Record
	done chan error
}

// gather takes what is waiting, as much as there is at once, and has it made safe together.
func gather(in <-chan waiting, most int, safe func([]waiting) error) {
	for first := range in {
		group := []waiting{first}
		for more := true; more && len(group) < most; {
			select {
			case w, ok := <-in:
				more = ok
				if ok {
					group = append(group, w)
				}
			default:
				more = false
			}
		}
		err := safe(group)
		for _, w := range group {
			w.done <- err
		}
	}
}

// grouped is a taker that waits for what is made safe in groups.
func grouped(safe func([]waiting) error) (taker, func()) {
	in, ended := make(chan waiting, 4096), make(chan struct{})
	go func() { gather(in, 4096, safe); close(ended) }()
	take := func(_ context.Context, r *events.Record) error {
		w := waiting{r, make(chan error, 1)}
		in <- w
		return <-w.done
	}
	return take, func() { close(in); <-ended }
}

// openRaw is the limit: one committer joins all that is waiting into one write and one fdatasync.
func openRaw(_ context.Context, dir string, _ *generated, _ int) (taker, func() error, error) {
	f, err := os.Create(filepath.Join(dir, "raw"))
	if err != nil {
		return nil, nil, err
	}
	var buffer []byte
	take, stop := grouped(func(group []waiting) error {
		buffer = buffer[:0]
		for _, w := range group {
			buffer = append(buffer, w.rec.Stored...)
		}
		if _, err := f.Write(buffer); err != nil {
			return err
		}
		return syscall.Fdatasync(int(f.Fd()))
	})
	return take, func() error { stop(); return f.Close() }, nil
}

// openRoad is Muster's road without its rules: each group goes into the stream, pipelined, and then
// into the journal, with the Merkle tree, in one transaction. Nothing is verified or decided, and
// no checkpoint is signed. The product has no such switch.
func openRoad(ctx context.Context, dir string, _ *generated, _ int) (taker, func() error, error) {
	r := new(road)
	if err := r.open(ctx, dir); err != nil {
		return nil, nil, errors.Join(err, r.close())
	}
	take, stop := grouped(r.safe)
	return take, func() error { stop(); return r.close() }, nil
}

type road struct {
	stream  *stream.Stream
	journal *journal.Journal
	last    uint64
	before  ledger.Ack
	closers []func() error // what to undo, in reverse order
}

func (r *road) open(ctx context.Context, dir string) (err error) {
	if r.journal, err = journal.Open(filepath.Join(dir, server.JournalFile)); err != nil {
		return err
	}
	r.closers = append(r.closers, r.journal.Close)
	n, err := natsd.Start(natsd.Config{Dir: filepath.Join(dir, server.NATSFolder)})
	if err != nil {
		return err
	}
	r.closers = append(r.closers, n.Shutdown)
	conn, err := n.Connect()
	if err != nil {
		return err
	}
	r.closers = append(r.closers, func() error { conn.Close(); return nil })
	if r.stream, err = stream.Open(ctx, conn, stream.Config{}); err != nil {
		return err
	}
	r.closers = append(r.closers, func() error { r.stream.Close(); return nil })
	return nil
}

func (r *road) close() (err error) {
	for _, f := range slices.Backward(r.closers) {
		err = errors.Join(err, f())
	}
	return err
}

func (r *road) safe(group []waiting) error {
	records, messages := make([]events.Record, len(group)), make([]ledger.Message, len(group))
	for i, w := range group {
		r.last++
		records[i] = *w.rec
		records[i].Sequence = r.last
		messages[i] = ledger.Message{Sequence: r.last, Subject: events.Subject(w.rec.Statement),
			Data: w.rec.Stored}
	}
	r.before = r.stream.Append(messages, r.before)
	if err := r.before.Wait(); err != nil {
		return err
	}
	return r.journal.Append(records)
}

// openJetStream is a stream alone, in this process.
func openJetStream(always bool) opener {
	return func(ctx context.Context, dir string, _ *generated, _ int) (taker, func() error, error) {
		s, conn, js, err := startJetStream(dir, always)
		if err != nil {
			return nil, nil, err
		}
		stop := func() error { conn.Close(); s.Shutdown(); s.WaitForShutdown(); return nil }
		if _, err := js.CreateStream(ctx,
			jetstream.StreamConfig{Name: "EVENTS", Subjects: []string{"ev.>"},
				Storage: jetstream.FileStorage}); err != nil {
			return nil, nil, errors.Join(err, stop())
		}
		return func(ctx context.Context, r *events.Record) error {
			_, err := js.Publish(ctx, "ev.offer", r.Stored)
			return err
		}, stop, nil
	}
}

func startJetStream(dir string,
	always bool) (*natsserver.Server, *nats.Conn, jetstream.JetStream, error) {
	s, err := natsserver.NewServer(&natsserver.Options{DontListen: true, JetStream: true,
		StoreDir: dir, SyncAlways: always, NoSigs: true, NoLog: true})
	if err != nil {
		return nil, nil, nil, err
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		return nil, nil, nil, errors.New("the NATS server does not take connections")
	}
	conn, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		return nil, nil, nil, err
	}
	js, err := jetstream.New(conn)
	return s, conn, js, err
}

// measureBusy asks whether reading holds up writing: one writer's time with nothing beside it, and
// with a replay that never ends and a thousand questions a second.
func (o *options) measureBusy(g *generated) ([]row, error) {
	n := max(50, o.ops/2) // so many that what happens now and then only is among them
	one := func(busy bool) func(int) (sample, error) {
		return func(int) (sample, error) { return o.appendBeside(g, n, busy) }
	}
	rows, err := o.interleave("append, 16 writers, beside readers", "muster, alone",
		way{"muster, alone", one(false)},
		way{"muster, beside a constant replay and 1,000 questions a second", one(true)})
	for i := range rows {
		if rows[i].P99 > 0 && rows[0].P99 > 0 {
			rows[i].Ratio = rows[0].P99 / rows[i].P99
		}
	}
	return rows, err
}

func (o *options) appendBeside(g *generated, n int, busy bool) (sample, error) {
	dir, remove, err := o.folder("busy")
	if err != nil {
		return sample{}, err
	}
	defer remove()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	m, err := newMuster(ctx, dir, g)
	if err != nil {
		return sample{}, err
	}
	offers := g.records[g.preamble:]
	err = each(256, len(offers)-n, func(i int) error { // so that there is something to read
		_, err := m.Ledger.Submit(ctx, offers[i].Signed)
		return err
	})
	if err != nil {
		return sample{}, errors.Join(err, m.Close())
	}
	var readers sync.WaitGroup
	var asked int
	reading, rest := context.WithCancel(ctx)
	if busy {
		readers.Go(func() { replayAlways(reading, m) })
		readers.Go(func() { asked = askAlways(reading, m.Projector, 1000) })
	}
	offers = offers[len(offers)-n:]
	took := make([]time.Duration, n)
	s, err := timed(n, func() error {
		return each(16, n, func(i int) error {
			began := time.Now()
			_, err := m.Ledger.Submit(ctx, offers[i].Signed)
			took[i] = time.Since(began)
			return err
		})
	})
	rest()
	readers.Wait()
	s.took = took
	if busy && err == nil {
		s.note = fmt.Sprintf("the ratio is of p99; %.0f questions a second were answered",
			float64(asked)/s.seconds)
	}
	return s, errors.Join(err, m.Close())
}
