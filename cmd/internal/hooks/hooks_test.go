package hooks

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"muster/events/problem"
)

var secret = "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, leastSecret))

// A receiver is a program that is told, over real HTTP. It verifies what it is told as another
// implementation's users do.
type receiver struct {
	*httptest.Server
	t       *testing.T
	mu      sync.Mutex
	told    []string // ids, in their order, also those that were not taken
	taken   []string
	changed chan struct{}
	answer  func(id string, times int) int // the status
}

func newReceiver(t *testing.T, answer func(id string, times int) int) *receiver {
	r := &receiver{t: t, changed: make(chan struct{}, 1000), answer: answer}
	verifies, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err == nil {
			err = verifies.Verify(body, req.Header)
		}
		id := req.Header.Get("webhook-id")
		if err != nil || req.Method != http.MethodPost || !strings.Contains(string(body), id) {
			t.Errorf("it is told %s %q: %v", req.Method, body, err)
		}
		r.mu.Lock()
		r.told = append(r.told, id)
		times := 0
		for _, one := range r.told {
			if one == id {
				times++
			}
		}
		r.mu.Unlock()
		status := r.answer(id, times)
		if status == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(status)
		r.mu.Lock()
		if status/100 == 2 {
			r.taken = append(r.taken, id)
		}
		r.mu.Unlock()
		r.changed <- struct{}{}
	}))
	t.Cleanup(r.Close)
	return r
}

// await waits until the receiver has taken so many messages, and returns them.
func (r *receiver) await(n int) []string {
	r.t.Helper()
	for late := time.After(time.Minute); ; {
		r.mu.Lock()
		taken := slices.Clone(r.taken)
		r.mu.Unlock()
		if len(taken) >= n {
			return taken
		}
		select {
		case <-r.changed:
		case <-late:
			r.t.Fatalf("it has taken %q", taken)
		}
	}
}

// numbers is a log of so many records, each of which is told as its number.
func numbers(last uint64) func(context.Context, *Hook, uint64) (Message, error) {
	return func(ctx context.Context, _ *Hook, after uint64) (Message, error) {
		if after >= last {
			<-ctx.Done()
			return Message{}, ctx.Err()
		}
		id := fmt.Sprintf("msg_%d", after+1)
		return Message{after + 1, time.Unix(int64(after+1), 0), id,
			[]byte(`{"id":"` + id + `"}`)}, nil
	}
}

func openPositions(t *testing.T, path string) *Positions {
	t.Helper()
	p, err := OpenPositions(path, func(data []byte) error {
		return os.WriteFile(path, data, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func start(t *testing.T, path string, last uint64, all ...Hook) *Hooks {
	t.Helper()
	p := openPositions(t, path)
	for _, h := range all {
		if p.Of(h.Name) > 0 {
			continue
		}
		if _, _, err := p.Begin(h.Name, 0); err != nil {
			t.Fatal(err)
		}
	}
	h, err := Start(Config{Hooks: all, Next: numbers(last), Positions: p,
		Log: slog.New(slog.DiscardHandler), first: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// Each record is told in order until it is taken, and after a start those that were not: one that
// is told twice has the same id. Redirects are not followed, and a receiver that never answers
// delays no other.
func TestHooksTellAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hooks.json")
	release := make(chan struct{})
	var takes atomic.Bool
	silent := newReceiver(t, func(string, int) int {
		<-release
		if takes.Load() {
			return 200
		}
		return 500
	})
	fussy := newReceiver(t, func(id string, times int) int {
		switch {
		case strings.HasSuffix(id, "elsewhere"):
			return 200
		case times == 1:
			return http.StatusFound
		case times == 2:
			return http.StatusInternalServerError
		}
		return http.StatusNoContent
	})
	hooks := []Hook{{Name: "silent", URL: silent.URL, Secret: secret},
		{Name: "fussy", URL: fussy.URL, Secret: secret}}
	h := start(t, path, 3, hooks...)
	want := []string{"msg_1", "msg_2", "msg_3"}
	if got := fussy.await(3); !slices.Equal(got, want) {
		t.Errorf("it has taken %q", got)
	}
	for h.States()[1].Taken < 3 { // the receiver was heard, too
		time.Sleep(time.Millisecond)
	}
	close(release)
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if len(fussy.told) != 9 {
		t.Errorf("it was told %q", fussy.told)
	}
	states := h.States()
	if states[0].Taken != 0 || !states[0].Waiting.Equal(time.Unix(1, 0)) ||
		!states[1].Waiting.IsZero() || states[1].Failed != 6 || states[1].Told != 3 {
		t.Errorf("the states are %+v", states)
	}

	// What was taken is known.
	takes.Store(true)
	h = start(t, path, 5, hooks...)
	if got := silent.await(5); !slices.Equal(got, append(want, "msg_4", "msg_5")) {
		t.Errorf("after the start it has taken %q", got)
	}
	got := fussy.await(5)
	if !slices.Equal(got, append(want, "msg_4", "msg_5")) {
		t.Errorf("after the start it has taken %q", got)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
}

// A receiver that wants nothing more is told nothing more, and a hook that is new begins at the
// end.
func TestHookEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hooks.json")
	gone := newReceiver(t, func(string, int) int { return http.StatusGone })
	h := start(t, path, 3, Hook{Name: "gone", URL: gone.URL, Secret: secret})
	<-gone.changed
	h.ended.Wait() // without being told to
	if s := h.States()[0]; !s.Finished || s.Waiting.IsZero() || len(gone.told) != 1 {
		t.Errorf("it is %+v, and was told %q", s, gone.told)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	p := openPositions(t, path)
	if was, known, err := p.Begin("new", 17); known || err != nil || p.Of("new") != 17 {
		t.Errorf("a new one begins at %d, was at %d, %v", p.Of("new"), was, err)
	}
	was, known, err := openPositions(t, path).Begin("new", 9)
	if !known || was != 17 || err != nil {
		t.Errorf("one that is ahead was at %d, %t, %v", was, known, err)
	}
	if err := os.WriteFile(path, []byte(`{"new":`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenPositions(path, nil); !problem.Is(err, problem.Unavailable) {
		t.Errorf("half a file: %v", err)
	}
	full := &Positions{save: func([]byte) error { return errors.New("full") },
		at: map[string]uint64{}}
	if full.Keep("a", 1) == nil || full.Of("a") != 0 {
		t.Error("what is not on the disk is kept")
	}
}

// What is wrong with the file is said, and no secret is.
func TestParseHooks(t *testing.T) {
	hook := func(more string) string {
		return `{"hooks":[{"name":"desk","url":"https://desk.example/x","secret":"` + secret + `"` +
			more + `}]}`
	}
	all, err := Parse([]byte(hook(`,"view":"FRA","coverage":true,"operation":"mnf-u"`)))
	if err != nil || len(all) != 1 || all[0].View != "FRA" || !all[0].Coverage {
		t.Fatalf("%+v, %v", all, err)
	}
	if all, err := Parse([]byte(hook(""))); err != nil || all[0].View != "public" {
		t.Errorf("without a view it is of %v, %v", all, err)
	}
	one := strings.TrimSuffix(strings.TrimPrefix(hook(""), `{"hooks":[`), "]}")
	for _, text := range []string{"", "[]", `{"hooks":[{}]}`, hook(`,"veiw":"FRA"`),
		hook(`,"operation":"*"`),
		strings.Replace(hook(""), "https", "http", 1),
		strings.Replace(hook(""), "desk.example", "u:p@desk.example", 1),
		strings.Replace(hook(""), secret, secret[:20], 1),
		strings.Replace(hook(""), `"desk"`, `"De sk"`, 1),
		strings.Replace(hook(""), "}]", "},"+one+"]", 1)} {
		_, err := Parse([]byte(text))
		if !problem.Is(err, problem.Usage) || strings.Contains(fmt.Sprint(err), secret[6:]) {
			t.Errorf("%s: %v", text, err)
		}
	}
	local := strings.Replace(hook(""), "https://desk.example", "http://127.0.0.1:8080", 1)
	if _, err := Parse([]byte(local)); err != nil {
		t.Errorf("one on this machine: %v", err)
	}
}
