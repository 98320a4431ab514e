package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/mod/sumdb/tlog"

	"muster/cmd/internal/server"
	"muster/events"
	"muster/ledger"
	"muster/ledger/journal"
	"muster/projections"
	"muster/projections/projector"
)

// A stored is a generated ledger on the disk, in the folder of a server. Of the records themselves
// nothing is kept in memory but their bytes, in one piece, so that the collector of garbage has no
// more to do than in a server.
type stored struct {
	dir    string
	remove func()
	n      int
	slab   []byte
	ends   []int // of each record in the slab
}

// store puts a generated ledger into a server's folder. The journal is the one that a server would
// have written.
func (o *options) store(g *generated, name string) (*stored, error) {
	dir, remove, err := o.folder(name)
	if err != nil {
		return nil, err
	}
	s := &stored{dir: dir, remove: remove, n: len(g.records)}
	j, err := journal.Open(filepath.Join(dir, server.JournalFile))
	if err != nil {
		return nil, err
	}
	const chunk = 10_000
	for i := 0; i < len(g.records) && err == nil; i += chunk {
		err = j.Append(g.records[i:min(len(g.records), i+chunk)])
	}
	for i := range g.records {
		s.slab = append(s.slab, g.records[i].Stored...)
		s.ends = append(s.ends, len(s.slab))
	}
	return s, errors.Join(err, j.Close())
}

func measureReplay(o *options) ([]row, error) {
	g, err := o.generate(o.records, o.pledges, 40)
	if err != nil {
		return nil, err
	}
	s, err := o.store(g, "replay")
	if err != nil {
		return nil, err
	}
	defer s.remove()
	p, err := startPostgres(context.Background(), s.dir, 4)
	gone, missing := err.(absent)
	if err == nil {
		defer p.stop()
		err = p.fill(context.Background(), g.records)
	}
	if err != nil && !missing {
		return nil, err
	}
	g.records = nil
	// Which puts into the stream what the journal has.
	m, err := startMuster(context.Background(), s.dir, nil)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	js, err := jetstream.New(m.Conn)
	if err != nil {
		return nil, err
	}
	n := s.n
	ways := []way{
		{"decoding alone, from memory", func(int) (sample, error) { return timed(n, s.decodeAll) }},
		{"hashing alone, from memory: each record, and the tree above", func(int) (sample, error) {
			return timed(n, s.hashAll)
		}},
		{"muster, from the journal, each record hashed", func(int) (sample, error) {
			return replayJournal(m, s.dir)
		}},
		{"muster, from the stream, strictly decoded", func(int) (sample, error) {
			return timed(n, func() error { return replayStream(m) })
		}},
		{"JetStream, ordered consumer, decodes and counts", func(int) (sample, error) {
			return timed(n, func() error { return consumeAll(js, n) })
		}},
	}
	ways = append(ways, way{"PostgreSQL, reads and decodes the rows", func(int) (sample, error) {
		if missing {
			return sample{}, gone
		}
		return timed(n, func() error { return p.readAll(context.Background(), decodeOne) })
	}})
	return o.interleave(fmt.Sprintf("replay of %d records", n), ways[0].name, ways...)
}

// decodeAll decodes each record strictly, as it is when it comes from outside.
func (s *stored) decodeAll() error {
	begin := 0
	for i, end := range s.ends {
		if _, err := events.ParseRecord(uint64(i)+1, s.slab[begin:end]); err != nil {
			return err
		}
		begin = end
	}
	return nil
}

// hashAll makes the Merkle tree over all records, tile by tile on all processors: the least that
// whoever checks them has to do.
func (s *stored) hashAll() error {
	const leaves = 1 << journal.TileHeight
	return each(runtime.GOMAXPROCS(0), (s.n+leaves-1)/leaves, func(tile int) error {
		var level []tlog.Hash
		for i := tile * leaves; i < min((tile+1)*leaves, s.n); i++ {
			begin := 0
			if i > 0 {
				begin = s.ends[i-1]
			}
			level = append(level, tlog.RecordHash(s.slab[begin:s.ends[i]]))
		}
		for ; len(level) > 1; level = level[:(len(level)+1)/2] {
			for i := 0; i+1 < len(level); i += 2 {
				level[i/2] = tlog.NodeHash(level[i], level[i+1])
			}
		}
		return nil
	})
}

// replayJournal folds all records into a new picture, and asks it one thing. What it takes to save
// the picture, in the folder, is not counted.
func replayJournal(m *server.Server, dir string) (sample, error) {
	path := filepath.Join(dir, "again.db")
	defer os.Remove(path + ".snapshot")
	defer os.Remove(path)
	var p *projector.Projector
	took, err := timed(int(m.Journal.Last()), func() (err error) {
		if p, err = projector.Open(context.Background(), path, m.Journal); err != nil {
			return err
		}
		return p.View(func(p *projections.Picture) error {
			if got, want := p.Sequence(), m.Journal.Last(); got != want {
				return fmt.Errorf("%d of %d records were folded", got, want)
			}
			_, err := p.Coverage(context.Background(), projections.Moment{},
				projections.CoverageFilter{Brief: true})
			return err
		})
	})
	if p != nil {
		err = errors.Join(err, p.Close())
	}
	return took, err
}

// replayStream folds what the stream has. Nothing vouches for it there, so that it is decoded
// strictly, one record after the other.
func replayStream(m *server.Server) error {
	p := projections.NewPicture()
	return m.Stream.Read(context.Background(), 1, func(msg ledger.Message) error {
		rec, err := events.ParseRecord(msg.Sequence, msg.Data)
		if err != nil {
			return err
		}
		return p.Apply(rec)
	})
}

// An event is what a consumer would decode to count who gives what.
type event struct {
	Type     string `json:"type"`
	Nation   string `json:"nation"`
	Role     string `json:"role"`
	Quantity any    `json:"quantity"`
}

// decodeOne decodes the statement of a stored record, as somebody would who only counts.
func decodeOne(data []byte) error {
	_, statement, _ := cutLine(data)
	line, _, _ := cutLine(statement)
	var e event
	return json.Unmarshal(line, &e)
}

func cutLine(data []byte) (line, rest []byte, found bool) {
	for i, c := range data {
		if c == '\n' {
			return data[:i], data[i+1:], true
		}
	}
	return data, nil, false
}

func consumeAll(js jetstream.JetStream, n int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	names := js.StreamNames(ctx)
	name, ok := <-names.Name()
	if !ok {
		return errors.New("there is no stream")
	}
	consumer, err := js.OrderedConsumer(ctx, name, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return err
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(5000))
	if err != nil {
		return err
	}
	defer messages.Stop()
	for range n {
		msg, err := messages.Next()
		if err != nil {
			return err
		}
		if err := decodeOne(msg.Data()); err != nil {
			return err
		}
	}
	return nil
}

// measureStart asks how long it takes from the start of a server until it is ready.
func measureStart(o *options) ([]row, error) {
	g, err := o.generate(o.records, o.pledges, 40)
	if err != nil {
		return nil, err
	}
	s, err := o.store(g, "start")
	if err != nil {
		return nil, err
	}
	defer s.remove()
	g.records = nil
	start := func() error {
		m, err := startMuster(context.Background(), s.dir, nil)
		if err != nil {
			return err
		}
		return m.Close()
	}
	// The stream gets what the journal has, and the projections are saved.
	if err := start(); err != nil {
		return nil, err
	}
	ready := func(fresh bool) func(int) (sample, error) {
		return func(int) (sample, error) {
			if fresh {
				saved := []string{server.ProjectionsFile, server.ProjectionsFile + ".snapshot",
					server.StateFile}
				for _, name := range saved {
					if err := os.RemoveAll(filepath.Join(s.dir, name)); err != nil {
						return sample{}, err
					}
				}
			}
			return s.ready()
		}
	}
	rows, err := o.interleave(fmt.Sprintf("start with %d records", s.n),
		"reading the journal's file",
		way{"reading the journal's file", func(int) (sample, error) {
			return timed(s.n, func() error {
				return readFile(filepath.Join(s.dir, server.JournalFile))
			})
		}},
		way{"muster, with saved projections", ready(false)}, way{"muster, without", ready(true)})
	if err != nil {
		return nil, err
	}
	sizes, err := s.sizes()
	return append(rows, sizes...), err
}

// ready starts a server, and says how long it took.
func (s *stored) ready() (sample, error) {
	var m *server.Server
	took, err := timed(s.n, func() (err error) {
		m, err = startMuster(context.Background(), s.dir, nil)
		return err
	})
	if err != nil {
		return took, err
	}
	return took, m.Close()
}

func readFile(path string) error {
	data, err := os.ReadFile(path)
	if err == nil && len(data) == 0 {
		err = errors.New("it is empty")
	}
	return err
}

// sizes tells what each record takes, on the disk and in memory.
func (s *stored) sizes() ([]row, error) {
	n := float64(s.n)
	rows := []row{{Name: "size of a record", Way: "the record itself",
		Bytes: float64(len(s.slab)) / n}}
	for _, one := range []struct{ way, files string }{
		{"muster's journal, with the tree and an index", server.JournalFile},
		{"muster's stream", server.NATSFolder},
		{"muster's saved projections", server.ProjectionsFile + "*"},
		{"muster's saved state of the write side", server.StateFile + "*"},
	} {
		size := int64(0)
		files, err := filepath.Glob(filepath.Join(s.dir, one.files))
		for _, path := range files {
			more, failed := sizeOf(path)
			size, err = size+more, errors.Join(err, failed)
		}
		if err != nil {
			return nil, err
		}
		if size > 0 { // of a small ledger, not all is saved
			rows = append(rows, row{Name: "size of a record", Way: one.way,
				Bytes: float64(size) / n})
		}
	}
	before := heap()
	m, err := startMuster(context.Background(), s.dir, nil)
	if err != nil {
		return nil, err
	}
	rows = append(rows, row{Name: "size of a record",
		Way: "muster's memory (the heap of a server that is ready)", Bytes: (heap() - before) / n})
	runtime.KeepAlive(s.slab) // which was in the heap before, too
	compare(rows, "the record itself")
	return rows, m.Close()
}

func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

func sizeOf(path string) (total int64, err error) {
	err = filepath.Walk(path, func(_ string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			total += info.Size()
		}
		return err
	})
	return total, err
}

// replayAlways replays the journal again and again, until it is told to rest.
func replayAlways(ctx context.Context, m *server.Server) {
	for ctx.Err() == nil {
		p := projections.NewPicture()
		for rec, err := range m.Journal.Records(1) {
			if err != nil || ctx.Err() != nil || p.Apply(rec) != nil {
				break
			}
		}
	}
}
