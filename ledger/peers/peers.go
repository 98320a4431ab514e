// Package peers has the servers of a cluster ask each other, over NATS, how far their journals
// reach, and remembers which servers there are. It implements [ledger.Peers].
//
// Every server listens on _MUSTER.ends.STREAM, from before it takes its first record until it ends,
// and answers what it is asked there with a [word]: who it is, and the size and root of its
// journal's tree. When it stops cleanly it says a last word, which stands for it as long as it is
// away: nothing that it has can be more than that.
//
// Whom a server must hear follows from what it remembers (memory.go):
//
//   - whoever has made a record in its journal, by the name in the record;
//   - whoever it has met on that subject, though it may never have made a record, by the identity
//     of its data folder: names can be given to another, and can change.
//
// Nobody is heard in vain who has said a last word, or was given up by a person. What servers say
// is believed as far as their rights in NATS go: who may speak here could write into the log as
// well. But nobody takes a record from here: they come back through the log, from a journal whose
// tree proves them.
package peers

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
	"muster/ledger"
	"muster/ledger/journal"
)

// subject begins the subjects on which servers ask each other, where no guest may listen.
const subject = "_MUSTER.ends."

// version is that of the words, and of the file: who meets a higher one does not guess.
const version = 1

// A Config says who asks, and where.
type Config struct {
	Conn    *nats.Conn // the server's own; the caller closes it after the Peers
	Stream  string     // the name of the stream that the servers share
	Journal *journal.Journal
	Name    string // this server's, as in its records
	// File remembers which servers there are. It is made where there is none, with Write, which
	// writes a file as a whole or not at all, and returns when it is on the disk.
	File  string
	Write func(file string, data []byte) error
	// Without names servers that are not to be heard any more. That is remembered until one of that
	// name is back with a journal that agrees with this one's.
	Without []string
	Log     *slog.Logger
}

// Peers are the other servers of a cluster. The methods may be called concurrently.
type Peers struct {
	cfg     Config
	process string // of this process alone, among the copies of a folder
	reach   atomic.Pointer[func() uint64]
	breaks  atomic.Uint64
	news    chan struct{} // capacity 1
	subs    []*nats.Subscription
	status  chan nats.Status
	ended   sync.WaitGroup

	mu      sync.Mutex
	memory  *memory
	newest  *question // nil when nothing was asked yet
	odd     map[string]bool
	over    map[string]bool // the processes that have said their last word
	trusted bool            // see Trust
}

// A word is what a server says of itself.
type word struct {
	V int `json:"v"`
	// ID is that of the data folder, and Process of the process that runs on it.
	ID      string `json:"id"`
	Process string `json:"process"`
	// Names are those that the folder's server has had, the present one last.
	Names []string `json:"names"`
	// Size and Root are those of the tree of its journal, and Reach is the last sequence that the
	// journal has or may come to have.
	Size  uint64    `json:"size"`
	Root  tlog.Hash `json:"root"`
	Reach uint64    `json:"reach"`
	// Last is set in a server's last word.
	Last bool `json:"last,omitzero"`
}

func (w *word) name() string {
	if len(w.Names) == 0 {
		return w.ID
	}
	return problem.Name(w.Names[len(w.Names)-1])
}

// The most that is read of a word, and how many names it may have.
const (
	maxWord  = 64 << 10
	maxNames = 64
)

func parseWord(data []byte) (w word, ok bool) {
	return w, len(data) <= maxWord && json.Unmarshal(data, &w) == nil && w.V == version &&
		w.ID != "" && w.Process != "" && len(w.Names) > 0 && len(w.Names) <= maxNames
}

// Open reads what is remembered, begins to answer, and says whom a person has given up.
func Open(cfg Config) (*Peers, error) {
	p := &Peers{cfg: cfg, process: events.NewID().String(), news: make(chan struct{}, 1),
		odd: map[string]bool{}, over: map[string]bool{}}
	var err error
	if p.memory, err = readMemory(cfg.File); err != nil {
		return nil, err
	}
	p.memory.isNamed(cfg.Name)
	p.memory.giveUp(cfg.Without, cfg.Log)
	if err := p.save(); err != nil {
		return nil, err
	}
	all, err := cfg.Conn.Subscribe(subject+cfg.Stream, p.answer)
	if err != nil {
		return nil, err
	}
	one, err := cfg.Conn.Subscribe(subject+cfg.Stream+"."+p.process, p.answerRoot)
	if err != nil {
		return nil, errors.Join(err, all.Unsubscribe())
	}
	p.subs = []*nats.Subscription{all, one}
	p.status = cfg.Conn.StatusChanged(nats.RECONNECTING)
	p.ended.Go(func() {
		for range p.status {
			p.breaks.Add(1)
			p.tell()
		}
	})
	return p, cfg.Conn.Flush()
}

// Close says the last word, and answers nobody any more. The journal must have come to its end.
func (p *Peers) Close() error {
	w, err := p.word()
	if err == nil {
		w.Last = true
		err = p.say(subject+p.cfg.Stream, w)
	}
	if err != nil { // the others wait for this server then, and say so
		p.cfg.Log.Warn("other servers were not told that this one stops", "error", err)
	}
	for _, sub := range p.subs {
		_ = sub.Unsubscribe() // it fails only when the connection is gone
	}
	p.cfg.Conn.RemoveStatusListener(p.status) // which closes it
	p.ended.Wait()
	return nil
}

func (p *Peers) say(to string, w word) error {
	data, err := json.Marshal(w)
	if err == nil {
		err = p.cfg.Conn.Publish(to, data)
	}
	if err == nil {
		err = p.cfg.Conn.FlushTimeout(lastWordTime)
	}
	return err
}

// Answer implements [ledger.Peers].
func (p *Peers) Answer(reach func() uint64) { p.reach.Store(&reach) }

// News implements [ledger.Peers].
func (p *Peers) News() <-chan struct{} { return p.news }

// Synced says whether all nodes that keep the log write to their disks what they acknowledge,
// before they do. Where they do, and did when a server looked last before it ended, the log has
// lost nothing by that end, as far as anybody can tell.
func (p *Peers) Synced(always bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trusted = p.memory.Synced && always
	if p.memory.Synced == always {
		return nil
	}
	p.memory.Synced = always
	return p.save()
}

// Trust implements [ledger.Peers].
func (p *Peers) Trust() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.trusted
}

// Breaks implements [ledger.Peers].
func (p *Peers) Breaks() uint64 { return p.breaks.Load() }

func (p *Peers) tell() {
	select {
	case p.news <- struct{}{}:
	default:
	}
}

// word is what this server says of itself now. How far the journal may reach is asked before how
// far it does: what is committed in between is in one of the two.
func (p *Peers) word() (w word, err error) {
	p.mu.Lock()
	w = word{V: version, ID: p.memory.ID, Process: p.process,
		Names: slices.Clone(p.memory.Names)}
	p.mu.Unlock()
	if reach := p.reach.Load(); reach != nil {
		w.Reach = (*reach)()
	}
	w.Size = p.cfg.Journal.Last()
	w.Reach = max(w.Reach, w.Size)
	w.Root, err = p.rootAt(w.Size)
	return w, err
}

// rootAt is the root of this server's tree when it had so many records.
func (p *Peers) rootAt(size uint64) (tlog.Hash, error) {
	if size == 0 {
		return tlog.TreeHash(0, nil)
	}
	return p.cfg.Journal.RootAt(int64(size))
}

// answer hears what another server asks or says, and answers it. It remembers who that is before it
// answers, so that the other one can count on it.
func (p *Peers) answer(m *nats.Msg) {
	w, ok := parseWord(m.Data)
	if !ok {
		return
	}
	if w.Process != p.process {
		if err := p.meet(w); err != nil {
			p.cfg.Log.Error("the servers that there are cannot be remembered: a server is not "+
				"answered", "error", err, "server", w.name())
			return
		}
	}
	if m.Reply == "" {
		return
	}
	own, err := p.word()
	var data []byte
	if err == nil {
		data, err = json.Marshal(own)
	}
	if err == nil {
		err = m.Respond(data)
	}
	if err != nil {
		p.cfg.Log.Warn("another server cannot be told how far this journal reaches", "error", err,
			"server", w.name())
	}
}

// answerRoot tells the root of the tree when it had as many records as the question says.
func (p *Peers) answerRoot(m *nats.Msg) {
	size, err := strconv.ParseUint(string(m.Data), 10, 63)
	if err != nil {
		return
	}
	if root, err := p.rootAt(size); err == nil {
		_ = m.Respond([]byte(root.String())) // it fails only when the connection is gone
	}
}

// meet remembers a server by its word. A word of what cannot be a server of this ledger, since its
// journal holds other records, is not remembered: whoever was started here by mistake need not be
// waited for. Nor is what a process has said before its last word, and is heard after it: answers
// come on another way.
func (p *Peers) meet(w word) error {
	agrees, known := p.agrees(w)
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.Last {
		p.over[w.Process] = true
	} else if p.over[w.Process] {
		return nil
	}
	if p.newest != nil && p.newest.heard[w.ID] == nil {
		p.tell() // it can be asked
	}
	switch {
	case w.ID == p.memory.ID:
		p.wonder(w.Process, "another server runs on a copy of this one's data folder", w)
		return nil
	case known && !agrees:
		p.wonder(w.ID, "the journal of another server holds other records than this one's", w)
		return nil
	}
	back := known && p.memory.takeBack(w.Names)
	if back {
		p.cfg.Log.Info("a server is back that was given up", "server", w.name())
	}
	if !p.memory.meet(w) && !back {
		return nil
	}
	return p.save()
}

// save writes what is remembered. The caller holds the lock, but for Open.
func (p *Peers) save() error {
	data, err := p.memory.encode()
	if err == nil {
		err = p.cfg.Write(p.cfg.File, data)
	}
	if err != nil {
		return fmt.Errorf("remembering which servers there are: %w", err)
	}
	return nil
}

// wonder says once what is odd about a server.
func (p *Peers) wonder(key, what string, w word) {
	if !p.odd[key] {
		p.odd[key] = true
		p.cfg.Log.Error(what, "server", w.name(), "records", w.Size)
	}
}

// agrees reports whether this server's tree had the root that a word tells, if it has as many
// records.
func (p *Peers) agrees(w word) (agrees, known bool) {
	if w.Size > p.cfg.Journal.Last() {
		return false, false
	}
	root, err := p.rootAt(w.Size)
	return root == w.Root, err == nil
}

var _ ledger.Peers = (*Peers)(nil)

func byName(a, b ledger.End) int { return cmp.Compare(a.Name, b.Name) }
