package peers

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events/problem"
	"muster/ledger"
)

// How long a server has to answer; how long others are listened for that this one does not know of,
// when all have answered that it knows; and how long the last word may take.
const (
	answerTime   = time.Second
	listenTime   = 200 * time.Millisecond
	lastWordTime = time.Second
)

// A question is one to all peers, and what they have answered since it began.
type question struct {
	peers *Peers
	heard map[string]*word // by the ID of the folder; under the peers' lock
}

// Ask implements [ledger.Peers].
func (p *Peers) Ask() ledger.Question {
	q := &question{peers: p, heard: map[string]*word{}}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.newest = q
	return q
}

// errUnheard says that a question has not even come back to the server that has asked it.
var errUnheard = errors.New("the question has not gone out")

// Ends implements [ledger.Question].
func (q *question) Ends(ctx context.Context) (ends []ledger.End, silent []string, err error) {
	p := q.peers
	if err := q.learn(); err != nil {
		return nil, nil, err
	}
	if err := q.ask(ctx); err != nil {
		return nil, nil, err
	}
	p.mu.Lock()
	words, silent := q.words(), q.silent()
	p.mu.Unlock()
	for _, w := range words {
		end, err := p.end(ctx, w)
		if err != nil { // it has answered, and then no more
			silent = append(silent, w.name())
		} else if end.Parted == 0 || !p.isGivenUp(w) {
			ends = append(ends, end)
		}
	}
	slices.SortFunc(ends, byName)
	slices.Sort(silent)
	return ends, slices.Compact(silent), nil
}

func (p *Peers) isGivenUp(w *word) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.memory.isGivenUp(w.Names)
}

// learn has the memory know who has made the records that the journal has now. Others are answered
// meanwhile: it takes a while where there are many that were not read yet.
func (q *question) learn() error {
	p := q.peers
	p.mu.Lock()
	after := p.memory.Through
	p.mu.Unlock()
	names, through, err := makers(p.cfg.Journal, after)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.memory.learn(names, through) {
		return nil
	}
	return p.save()
}

// ask asks everybody, and returns when all have answered that must, or after a while.
func (q *question) ask(ctx context.Context) error {
	p := q.peers
	own, err := p.word()
	if err != nil {
		return err
	}
	data, err := json.Marshal(own)
	if err != nil {
		return err
	}
	inbox := p.cfg.Conn.NewRespInbox()
	sub, err := p.cfg.Conn.SubscribeSync(inbox)
	if err != nil {
		return err
	}
	defer func() { _ = sub.Unsubscribe() }() // it fails only when the connection is gone
	if err := p.cfg.Conn.PublishRequest(subject+p.cfg.Stream, inbox, data); err != nil {
		return err
	}
	asked, out := time.Now(), false
	for {
		limit := answerTime
		if out && q.complete() {
			limit = listenTime
		}
		next, cancel := context.WithDeadline(ctx, asked.Add(limit))
		m, err := sub.NextMsgWithContext(next)
		cancel()
		if err != nil {
			break
		}
		w, ok := parseWord(m.Data)
		switch {
		case !ok:
		case w.Process == p.process:
			out = true
		default:
			if err := q.hear(w); err != nil {
				return err
			}
		}
	}
	if !out {
		return errors.Join(errUnheard, ctx.Err())
	}
	return nil
}

// hear keeps an answer. Of two of one process, that counts which claims less: what is recorded
// later is behind the end that the log had, and what was under way and is not any more was not
// recorded.
func (q *question) hear(w word) error {
	if err := q.peers.meet(w); err != nil {
		return err
	}
	q.peers.mu.Lock()
	defer q.peers.mu.Unlock()
	before := q.heard[w.ID]
	if before == nil || before.Process != w.Process || w.Reach < before.Reach {
		q.heard[w.ID] = &w
	}
	return nil
}

// complete reports whether all have answered that must.
func (q *question) complete() bool {
	q.peers.mu.Lock()
	defer q.peers.mu.Unlock()
	return len(q.silent()) == 0
}

// words are what was answered, and the last words of those that have stopped; but not of those that
// were given up, which nobody can ask whether they agree. The caller holds the lock.
func (q *question) words() (words []*word) {
	for _, w := range q.heard {
		words = append(words, w)
	}
	m := q.peers.memory
	for id, peer := range m.Met {
		if peer.Last != nil && q.heard[id] == nil && !m.isGivenUp(peer.Names) {
			words = append(words, &word{ID: id, Names: peer.Names, Size: peer.Last.Size,
				Root: peer.Last.Root, Reach: peer.Last.Size})
		}
	}
	return words
}

// silent names those that must be heard and have not answered. The caller holds the lock.
func (q *question) silent() (names []string) {
	m := q.peers.memory
	answered := map[string]bool{}
	for _, w := range q.words() {
		for _, name := range w.Names {
			answered[name] = true
		}
	}
	for _, name := range m.Names {
		answered[name] = true // this server itself
	}
	for id, peer := range m.Met {
		if q.heard[id] != nil || peer.Last != nil || m.isGivenUp(peer.Names) {
			continue
		}
		names = append(names, problem.Name(peer.Names[len(peer.Names)-1]))
		for _, name := range peer.Names {
			answered[name] = true // and is not named twice
		}
	}
	for _, name := range m.Recorded {
		if !answered[name] && !m.isGivenUp([]string{name}) {
			names = append(names, problem.Name(name))
		}
	}
	return names
}

// end compares a server's tree with this one's, as far as both go. It fails when the server has to
// be asked for that, and does not answer.
func (p *Peers) end(ctx context.Context, w *word) (ledger.End, error) {
	end := ledger.End{Name: w.name(), Reach: w.Reach}
	both := min(w.Size, p.cfg.Journal.Last())
	same, err := p.sameAt(ctx, w, both)
	if err != nil || same {
		return end, err
	}
	end.Parted, err = p.parting(ctx, w, both)
	return end, err
}

// parting finds the first record that two journals do not have in common, by asking for the roots
// of trees of half the size. A server that has stopped cannot be asked: then it is the last record
// that may be.
func (p *Peers) parting(ctx context.Context, w *word, differ uint64) (uint64, error) {
	for same := uint64(0); w.Process != "" && differ-same > 1; {
		middle := same + (differ-same)/2
		is, err := p.sameAt(ctx, w, middle)
		if err != nil {
			return 0, err
		}
		if is {
			same = middle
		} else {
			differ = middle
		}
	}
	return differ, nil
}

// sameAt reports whether both trees had the same root when they had so many records.
func (p *Peers) sameAt(ctx context.Context, w *word, size uint64) (bool, error) {
	own, err := p.rootAt(size)
	if err != nil || size == 0 {
		return true, err
	}
	if size == w.Size {
		return w.Root == own, nil
	}
	if w.Process == "" {
		return true, nil // it has stopped, and has more: nobody can tell
	}
	theirs, err := p.theirRoot(ctx, w, size)
	return theirs == own, err
}

func (p *Peers) theirRoot(ctx context.Context, w *word, size uint64) (tlog.Hash, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	m, err := p.cfg.Conn.RequestWithContext(ctx, subject+p.cfg.Stream+"."+w.Process,
		strconv.AppendUint(nil, size, 10))
	if err != nil {
		return tlog.Hash{}, err
	}
	return tlog.ParseHash(string(m.Data))
}
