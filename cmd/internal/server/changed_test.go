package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"muster/cmd/internal/hooks"
	"muster/events"
	"muster/events/problem"
	"muster/projections/access"
	"muster/projections/web"
)

// newNKey makes an nkey, and the option with which a guest comes with it.
func newNKey(t *testing.T) (key string, comes nats.Option) {
	t.Helper()
	pair, err := nkeys.CreateUser()
	if err == nil {
		key, err = pair.PublicKey()
	}
	if err != nil {
		t.Fatal(err)
	}
	return key, nats.Nkey(key, pair.Sign)
}

// listen subscribes as a guest of a server's NATS.
func listen(t *testing.T, url, subject string, comes ...nats.Option) *nats.Subscription {
	t.Helper()
	nc, err := nats.Connect(url, append(comes, nats.Timeout(time.Minute), nats.ErrorHandler(
		func(_ *nats.Conn, _ *nats.Subscription, err error) { t.Error(err) }))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	sub, err := nc.SubscribeSync(subject)
	if err := errors.Join(err, nc.Flush()); err != nil {
		t.Fatal(err)
	}
	return sub
}

// hearUntil returns what somebody hears until a record is told, in lines.
func hearUntil(t *testing.T, sub *nats.Subscription, record uint64) (lines string) {
	t.Helper()
	for {
		m, err := sub.NextMsg(time.Minute)
		if err != nil {
			t.Fatalf("record %d is not told: %v after\n%s", record, err, lines)
		}
		var told web.NewsMessage
		if err := json.Unmarshal(m.Data, &told); err != nil {
			t.Fatalf("%s: %v", m.Data, err)
		}
		if id := fmt.Sprintf("%s-%d", told.Data.View, told.Data.Sequence); id !=
			m.Header.Get(nats.MsgIdHdr) || told.Timestamp.IsZero() {
			t.Errorf("%s has the id %q", m.Data, m.Header.Get(nats.MsgIdHdr))
		}
		lines += fmt.Sprintf("%s %s %s\n", m.Subject, told.Data.Sentence, told.Data.Link)
		if told.Data.Sequence >= record {
			return lines
		}
	}
}

// Guests hear one sentence for each record that the view has which was opened to them, from the
// server that has recorded it, and nothing of what it has not.
func TestChangesAreToldOverNATS(t *testing.T) {
	french, asFrench := newNKey(t)
	british, asBritish := newNKey(t)
	c := newConfidence(t, Config{Read: access.ReadReleased, Hosts: []string{"muster.example"},
		NATSListen: "127.0.0.1:0", Name: "here", Changed: []Publication{{View: "public"},
			{"FRA", []string{french}}, {"GBR", []string{british}}}})
	guest := listen(t, c.NATSURL(), "muster.changed.public.>")
	paris := listen(t, c.NATSURL(), "muster.changed.FRA.>", asFrench)
	london := listen(t, c.NATSURL(), "muster.changed.GBR.*.op.>", asBritish)
	terms := func(n int64, r events.Release, to ...events.Nation) *events.PledgeOffered {
		return &events.PledgeOffered{Header: c.head("pledge.offered"),
			Dated: events.Dated{Effective: 2026_01_01},
			Place: events.Place{Operation: "op", Nation: "FRA"},
			PledgeTerms: events.PledgeTerms{Role: "ground", Quantity: events.Count(n),
				Unit: "personnel", Window: events.Window{From: 2026_01_01}, Release: r,
				ReleasableTo: to}}
	}
	c.say("FRA/paris", terms(700410011, events.CoordinatorsOnly))
	c.say("FRA/paris", terms(700510013, events.CoordinatorsOnly, "GBR"))
	c.say("FRA/paris", terms(700610017, events.CoalitionOnly))
	last := terms(700710019, events.Public)
	c.say("FRA/paris", last)
	record := c.Journal.Last()
	for _, one := range []struct {
		of    *nats.Subscription
		view  string
		hears string // which of the four
	}{{guest, "public", "...7"}, {paris, "FRA", "4567"}, {london, "GBR", ".567"}} {
		lines := hearUntil(t, one.of, record)
		for i, number := range []string{"700,410,011", "700,510,013", "700,610,017",
			"700,710,019"} {
			if told := strings.Count(lines, "France offers "+number+" personnel"); told !=
				strings.Count(one.hears, string("4567"[i])) {
				t.Errorf("%s is told of %s %d times:\n%s", one.view, number, told, lines)
			}
		}
		want := fmt.Sprintf("muster.changed.%s.FRA.op.pledge.%s.offered France offers "+
			"700,710,019 personnel for ground, from 2026-01-01 "+
			"https://muster.example/log?from=%d&view=%[1]s", one.view, last.ID, record)
		if !strings.Contains(lines, want+"\n") {
			t.Errorf("%s is not told %s, but\n%s", one.view, want, lines)
		}
		if m, err := one.of.NextMsg(0); err == nil {
			t.Errorf("%s hears %s, too", one.view, m.Data)
		}
	}
	metrics, err := c.metrics.registry.Gather()
	found := false
	for _, m := range metrics {
		found = found || m.GetName() == "muster_changed_messages_total" && len(m.GetMetric()) == 3
	}
	if err != nil || !found {
		t.Errorf("the metrics are %v, %v", metrics, err)
	}
}

// What nobody would hear, or somebody who may not read it, is refused before anything starts, with
// what to write.
func TestPublicationsAreRefused(t *testing.T) {
	key, _ := newNKey(t)
	for text, want := range map[string]string{"FRA=": "no public nkey",
		"FRA=" + key + ",": "no public nkey", "FRA=" + strings.ToLower(key): "no public nkey",
		"FRA=" + key + strings.Repeat(","+key, 64): "65 nkeys"} {
		if _, err := ParsePublication(text); !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	outside := Config{Listen: "127.0.0.1:0"}
	outside.NATS.URLs = "nats://127.0.0.1:1"
	for want, cfg := range map[string]Config{
		"--changed public: nobody reaches": {Listen: "127.0.0.1:0", Changed: []Publication{
			{View: "public"}}},
		"--changed FRA: it is named twice": {NATSListen: "127.0.0.1:0", Changed: []Publication{
			{View: "FRA"}, {View: "FRA"}}},
		"--changed coalition: with --read released guests may not": {Read: access.ReadReleased,
			NATSListen: "127.0.0.1:0", Changed: []Publication{{View: "coalition"}}},
		"--changed public: with --read members guests may not": {Read: access.ReadMembers,
			NATSListen: "127.0.0.1:0", Changed: []Publication{{View: "public"}}},
		"--changed FRA: who may listen on a cluster": {NATS: outside.NATS, Changed: []Publication{
			{"FRA", []string{key}}}},
		"--changed public: with --read members": {NATS: outside.NATS, Read: access.ReadMembers,
			Changed: []Publication{{View: "public"}}},
		"--changed names 17 views": {Changed: make([]Publication, 17)},
		`--changed: Frence is no view: not a nation that is known here, the nearest names are ` +
			`of France (FRA): `: {NATSListen: "127.0.0.1:0", Changed: []Publication{
			{View: "Frence"}}},
		`--changed: "" is no view: `: {NATSListen: "127.0.0.1:0", Changed: make([]Publication, 1)},
		`--hooks, hook desk: x-nato is no view: no organisation has this code: none is declared`: {
			Hooks: []hooks.Hook{{Name: "desk", View: "x-nato"}}},
	} {
		cfg.Dir, cfg.Listen = t.TempDir(), "127.0.0.1:0"
		s, err := Start(t.Context(), cfg)
		if err == nil {
			err = errors.Join(errors.New("it starts"), s.Close())
		}
		if !problem.Is(err, problem.Usage) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}
