package hooks

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// A Message is what one record has to tell.
type Message struct {
	Sequence uint64
	Recorded time.Time
	ID       string // the same whenever the record is told
	Body     []byte // JSON
}

// Limits of what is done with a receiver.
const (
	// answerTime is how long a receiver has to take a message, from the first to the last byte.
	answerTime = 15 * time.Second
	// maxAnswer is how much of its answer is read, which says nothing.
	maxAnswer = 64 << 10
	// firstWait and longestWait are how long is waited after a message was not taken: each time
	// twice as long, by chance up to half of it less, so that many do not come back at once.
	firstWait, longestWait = time.Second, 10 * time.Minute
)

// A Config is what hooks are run with.
type Config struct {
	Hooks []Hook
	// Next waits for the next record after another one that a hook is told of. The error is
	// that of ctx, or that there will be none any more.
	Next func(ctx context.Context, h *Hook, after uint64) (Message, error)
	// Positions keeps what each receiver has taken.
	Positions *Positions
	Version   string
	Log       *slog.Logger

	first time.Duration // in place of firstWait, in tests
}

// A State is how it goes with a hook.
type State struct {
	Name    string
	Taken   uint64 // the last record that its receiver has taken
	Told    uint64 // messages that were taken since the start
	Failed  uint64 // attempts that were not, since the start
	Failing bool   // the last attempt
	// Waiting is when the record was recorded that its receiver has not taken yet, the oldest of
	// them; zero for none.
	Waiting  time.Time
	Finished bool // the receiver has said that it wants nothing more (410)
}

// Hooks are those of a server, at work.
type Hooks struct {
	cfg    Config
	client *http.Client
	all    []*running
	stop   context.CancelFunc
	ended  sync.WaitGroup
}

// A running hook is one at work.
type running struct {
	*Hook
	signs                *standardwebhooks.Webhook
	taken, told, failed  atomic.Uint64
	waiting              atomic.Pointer[time.Time] // nil while there is nothing to tell
	failing, hasFinished atomic.Bool
}

// Start has each hook told what is recorded after its position, in a goroutine of its own. Call
// Close to end it.
func Start(cfg Config) (*Hooks, error) {
	if cfg.first == 0 {
		cfg.first = firstWait
	}
	h := &Hooks{cfg: cfg, client: &http.Client{Timeout: answerTime,
		// Only the addresses in the file are told anything: no proxy's, and none that a
		// receiver names.
		Transport: &http.Transport{Proxy: nil, MaxIdleConnsPerHost: 1,
			IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: maxAnswer},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}}}
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	for i := range cfg.Hooks {
		signs, err := standardwebhooks.NewWebhook(cfg.Hooks[i].Secret)
		if err != nil {
			stop()
			return nil, fmt.Errorf("the secret of the hook %s cannot be read", cfg.Hooks[i].Name)
		}
		r := &running{Hook: &cfg.Hooks[i], signs: signs}
		r.taken.Store(cfg.Positions.Of(r.Name))
		h.all = append(h.all, r)
	}
	for _, r := range h.all {
		h.ended.Go(func() { h.run(ctx, r) })
	}
	return h, nil
}

// Close ends all hooks at once. A message that is under way may have been taken: it is told again
// after the next start.
func (h *Hooks) Close() error {
	h.stop()
	h.ended.Wait()
	h.client.CloseIdleConnections()
	return nil
}

// States tells how it goes with each.
func (h *Hooks) States() (all []State) {
	for _, r := range h.all {
		s := State{Name: r.Name, Taken: r.taken.Load(), Told: r.told.Load(),
			Failed: r.failed.Load(), Failing: r.failing.Load(), Finished: r.hasFinished.Load()}
		if since := r.waiting.Load(); since != nil {
			s.Waiting = *since
		}
		all = append(all, s)
	}
	return all
}

// run tells a hook one record after the other.
func (h *Hooks) run(ctx context.Context, r *running) {
	for wait := h.cfg.first; ctx.Err() == nil; {
		m, err := h.cfg.Next(ctx, r.Hook, r.taken.Load())
		if err == nil {
			r.waiting.Store(&m.Recorded)
			if !h.deliver(ctx, r, m) {
				return
			}
			err = h.cfg.Positions.Keep(r.Name, m.Sequence)
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil: // of this server's own: its disk, or its projections
			h.cfg.Log.Error("a hook cannot go on now", "hook", r.Name, "error", err)
			pause(ctx, jittered(wait))
			wait = min(2*wait, longestWait)
		default:
			r.waiting.Store(nil)
			r.taken.Store(m.Sequence)
			wait = h.cfg.first
		}
	}
}

// deliver tells a message until it is taken. It returns false when there is nothing more to tell:
// the server stops, or the receiver wants nothing more.
func (h *Hooks) deliver(ctx context.Context, r *running, m Message) bool {
	for wait := h.cfg.first; ; wait = min(2*wait, longestWait) {
		status, err := h.attempt(ctx, r, m)
		switch {
		case err == nil && status/100 == 2:
			r.told.Add(1)
			if r.failing.Swap(false) {
				h.cfg.Log.Info("a hook takes what is told again", "hook", r.Name,
					"record", m.Sequence)
			}
			return true
		case ctx.Err() != nil:
			return false
		}
		r.failed.Add(1)
		if err == nil && status == http.StatusGone {
			r.hasFinished.Store(true)
			h.cfg.Log.Error("a hook wants nothing more (410), and is told nothing until the "+
				"server is started anew", "hook", r.Name, "record", m.Sequence)
			return false
		}
		if !r.failing.Swap(true) {
			h.cfg.Log.Warn("a hook does not take what it is told: it is tried again, later and "+
				"later, and misses nothing", "hook", r.Name, "record", m.Sequence,
				"status", status, "error", err)
		}
		if !pause(ctx, jittered(wait)) {
			return false
		}
	}
}

// attempt sends a message once, signed for this attempt.
func (h *Hooks) attempt(ctx context.Context, r *running, m Message) (status int, err error) {
	now := time.Now()
	signature, err := r.signs.Sign(m.ID, now, m.Body)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, bytes.NewReader(m.Body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "muster/"+h.cfg.Version)
	req.Header.Set(standardwebhooks.HeaderWebhookID, m.ID)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	resp, err := h.client.Do(req)
	if told := (*url.Error)(nil); errors.As(err, &told) {
		err = told.Err // which repeats no address: that of a receiver may be a secret
	}
	if err != nil {
		return 0, err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)) // so that the line is kept
	return resp.StatusCode, resp.Body.Close()
}

// jittered returns a time between half of a time and all of it, by chance.
func jittered(d time.Duration) time.Duration {
	less, err := rand.Int(rand.Reader, big.NewInt(int64(d/2)+1))
	if err != nil {
		return d
	}
	return d - time.Duration(less.Int64())
}

// pause waits, and reports whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
