package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/cmd/internal/server"
	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/projections/web"
)

func (a *app) statusCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Whether the server takes statements, and when its copies were last whole",
		Long: `Ask the server whether it takes statements, how many records it has, and when all of
its two copies of the records, the journal and the stream, was last read and found whole and the
same. That is done twice an hour, and after each start. It also names the folders in which damaged
streams were kept, until somebody takes them away.

A record that is recorded is in both copies of this server. It is witnessed when witnesses have
signed a checkpoint that covers it, so that the server cannot show another one in its place to
anybody who asks for their signatures. What it says of its witnesses is its own word, which
muster checkpoint --policy FILE proves.

With --checkpoint-key or --policy the server must be one of that ledger, as for any other command:
its checkpoint is held against them and all that was seen before, once its answer is printed.
Without, nothing is, so that a server can be asked how it is by anybody, and whatever ails it.

A mirror says whom it follows, since when it could not and why, and for whom its records are.`,
		Example: "  muster status --url https://muster.example\n  muster status -o json",
		Args:    args(),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.showStatus(cmd.Context()) },
	}
}

// showStatus prints what the server says of itself, and then holds its checkpoint against the key
// and the policy that were named. Where that cannot be done, what fails in the server is told.
func (a *app) showStatus(ctx context.Context) error {
	if _, err := a.pinned(); err != nil {
		return err
	}
	h, err := a.status(ctx)
	if err != nil {
		return err
	}
	if err := (listing{h, statusTable(h)}).write(a.format, a.stdout); err != nil {
		return err
	}
	err = a.meetNamed(ctx)
	if h.Problem != nil && (err == nil || problem.Is(err, problem.Unavailable)) {
		return h.Problem
	}
	return err
}

// statusMost is how many bytes the answer may have.
const statusMost = 1 << 20

// status asks the server how it is: over NATS when --nats names servers, else over HTTP.
func (a *app) status(ctx context.Context) (h server.Health, err error) {
	if a.nats.Given() {
		nc, err := a.natsAsking()
		if err != nil {
			return h, err
		}
		ctx, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		return h, intake.Request(ctx, nc, server.StatusSubject, nil, &h)
	}
	url, err := a.serverURL()
	if err != nil {
		return h, err
	}
	client, err := a.httpTo(url)
	if err != nil {
		return h, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet,
		strings.TrimSuffix(url, "/")+"/healthz", nil)
	if err != nil {
		return h, usage("--url %s: %w", url, err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return h, problem.New(problem.Unavailable, "no answer from %s: %w", url, err).
			WithHint("is the server running there? start it with: muster serve")
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, statusMost))
	if err != nil {
		return h, problem.New(problem.Unavailable, "the answer from %s broke off: %w", url, err).
			WithHint("ask again")
	}
	if json.Unmarshal(data, &h) != nil || h.Status == "" {
		return h, problem.Decode(resp.StatusCode, data)
	}
	return h, nil
}

// addWitnesses says what is witnessed of what is recorded, in words of its own.
func addWitnesses(add func(of, text string), w *server.Witnesses) {
	if w == nil {
		add("witnessed", "this server has no witnesses")
		return
	}
	add("witnessed", fmt.Sprintf("%s, %s", english.Several(w.Witnessed, "record"), w.By))
	for _, each := range w.Each {
		switch {
		case each.Problem != nil:
			add("witness "+each.Witness, "signs nothing now: "+each.Problem.Detail)
		case each.At != nil:
			add("witness "+each.Witness, fmt.Sprintf("has signed for %s at %s",
				english.Several(each.Signed, "record"), each.At.Format(time.RFC3339)))
		default:
			add("witness "+each.Witness, "has not answered yet")
		}
	}
}

// addMirror says how it goes with following another server.
func addMirror(add func(of, text string), f *server.Following) {
	add("statements", "are not taken: this is a mirror of "+f.Of)
	holds := "all records"
	if f.View != events.CoordinatorsView {
		holds = fmt.Sprintf("the view %s, with %s withheld", f.View,
			english.Several(f.Withheld, "record"))
	}
	add("holds", holds)
	since := ""
	if f.Away != nil {
		since = f.Away.Format(time.RFC3339)
	}
	switch {
	case f.Stopped:
		add("following", "no more, since "+since)
	case f.Away != nil:
		add("following", "not since "+since)
	case f.Met == nil:
		add("following", "the server has not answered yet")
	default:
		add("following", "yes; the server was met at "+f.Met.Format(time.RFC3339))
	}
	if f.Problem != nil {
		add("because", f.Problem.Detail)
	}
	if f.Witness != "" {
		add("witness", f.Witness)
	}
}

// addMembers says how many keys somebody should look at.
func addMembers(add func(of, text string), m *server.MembersHealth) {
	if m == nil {
		return
	}
	has, its := "have", "their"
	if m.Unheard == 1 {
		has, its = "has", "its"
	}
	add("members", fmt.Sprintf("%d %s for a second word, and %s %s not been seconded by %s "+
		"own nation: muster member list", m.Waiting, english.Verb(m.Waiting == 1, "wait"),
		english.Several(m.Unheard, "key"), has, its))
}

func statusTable(h server.Health) web.Table {
	t := web.Table{Head: []string{"of", "status"}}
	add := func(of, text string) {
		t.Add(map[string]string{"of": of, "status": text}, of, text)
	}
	add("ledger", string(h.Origin))
	add("server", h.Name)
	if h.Mirror != nil {
		add("records", strconv.FormatUint(h.Recorded, 10))
		addMirror(add, h.Mirror)
		addMembers(add, h.Members)
		return t
	}
	add("statements", map[bool]string{true: "are taken", false: "are not taken"}[h.Problem == nil])
	add("records", strconv.FormatUint(h.Recorded, 10))
	addWitnesses(add, h.Witnesses)
	addMembers(add, h.Members)
	c := h.Copies
	if c.At == nil {
		add("copies", "not compared since this server has started")
	} else {
		add("copies", fmt.Sprintf("the journal and the stream were whole, and the same, up to "+
			"record %d, at %s", c.Through, c.At.Format(time.RFC3339)))
	}
	if c.Reading > 0 {
		add("copies", fmt.Sprintf("are being compared: up to record %d now", c.Reading))
	}
	if c.Problem != nil {
		add("copies", "when they were compared last: "+c.Problem.Detail)
	}
	if len(c.Kept) > 0 {
		add("kept", english.Several(len(c.Kept), "damaged stream")+": "+strings.Join(c.Kept, ", "))
	}
	return t
}
