package server

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"

	"muster/cmd/internal/files"
	"muster/cmd/internal/hooks"
	"muster/events"
	"muster/projections"
	"muster/projections/web"
)

// openHooks has those told what is recorded whom the operator has named. A new one begins with the
// next record.
func (s *Server) openHooks() error {
	if len(s.cfg.Hooks) == 0 {
		return nil
	}
	path := filepath.Join(s.cfg.Dir, HooksFile)
	positions, err := hooks.OpenPositions(path, func(data []byte) error {
		return errors.Join(files.Replace(path, 0o600, data), syncFolder(s.cfg.Dir))
	})
	if err != nil {
		return err
	}
	last := s.Journal.Last()
	for _, h := range s.cfg.Hooks {
		was, known, err := positions.Begin(h.Name, last)
		if err != nil {
			return err
		}
		if known && was > last {
			s.cfg.Log.Warn("a hook has taken records that this journal does not have: it goes on "+
				"with the next one", "hook", h.Name, "taken", was, "records", last)
		}
	}
	s.hooks, err = hooks.Start(hooks.Config{Hooks: s.cfg.Hooks, Next: s.nextForHook,
		Positions: positions, Version: s.cfg.Version, Log: s.cfg.Log})
	if err != nil {
		return err
	}
	s.onClose(s.hooks.Close)
	return nil
}

// A hookBody is what a hook is told of a record, as Standard Webhooks has it.
type hookBody struct {
	Type      events.Type `json:"type"`
	Timestamp time.Time   `json:"timestamp"`
	Data      hookData    `json:"data"`
}

type hookData struct {
	Ledger    events.Origin    `json:"ledger"`
	Sequence  uint64           `json:"sequence"`
	View      events.View      `json:"view"`
	Operation events.Operation `json:"operation,omitzero"`
	Nation    events.Nation    `json:"nation,omitzero"`
	Pledge    events.ID        `json:"pledge,omitzero"`
	Signer    string           `json:"signer"`
	Sentence  string           `json:"sentence"`
	// On is the day for which coverage is told.
	On       events.Date    `json:"on,omitzero"`
	Coverage []hookCoverage `json:"coverage,omitempty"`
}

type hookCoverage struct {
	Operation events.Operation `json:"operation"`
	Line      events.Line      `json:"requirement"`
	Sentence  string           `json:"sentence"`
}

// What a hook is told of one record at most: what is longer is cut, and in the log.
const (
	maxHookSentence = 4 << 10
	maxHookLines    = 50
)

// nextForHook waits for the next record that a hook is told of.
func (s *Server) nextForHook(ctx context.Context, h *hooks.Hook, after uint64) (hooks.Message,
	error) {
	c, err := s.Questions.Next(ctx, web.Watch{View: h.View, Operation: h.Operation,
		Coverage: h.Coverage}, after)
	if err != nil {
		return hooks.Message{}, err
	}
	body, err := json.Marshal(s.hookBodyOf(h, &c))
	of := sha256.Sum256([]byte(string(s.Ledger.Origin()) + "\n" + h.Name)) // no full stop is in it
	return hooks.Message{Sequence: c.Sequence, Body: body,
		ID: fmt.Sprintf("msg_%x_%d", of[:8], c.Sequence)}, err
}

func (s *Server) hookBodyOf(h *hooks.Hook, c *projections.Change) hookBody {
	d := hookData{Ledger: s.Ledger.Origin(), Sequence: c.Sequence, View: h.View,
		Operation: c.Operation, Nation: c.Nation, Pledge: c.Pledge, Signer: c.Signer,
		Sentence: cutSentence(c.Title)}
	for _, l := range c.Lines[:min(len(c.Lines), maxHookLines)] {
		d.On = c.On
		d.Coverage = append(d.Coverage, hookCoverage{l.Operation, l.Line, cutSentence(l.Sentence)})
	}
	return hookBody{c.Type, c.Recorded.UTC(), d}
}

// cutSentence cuts what is too long for a message.
func cutSentence(text string) string {
	if len(text) <= maxHookSentence {
		return text
	}
	at := maxHookSentence
	for !utf8.RuneStart(text[at]) {
		at--
	}
	return text[:at] + "…"
}

// hookMetrics tell how it goes with each hook, by its name in the file.
type hookMetrics struct{ server *Server }

var (
	hookTaken = prometheus.NewDesc("muster_hook_taken_records",
		"The last record that a hook's receiver has taken.", []string{"hook"}, nil)
	hookTold = prometheus.NewDesc("muster_hook_messages_total",
		"Messages to a hook, by whether its receiver has taken them: ok, or failed.",
		[]string{"hook", "result"}, nil)
	hookFailing = prometheus.NewDesc("muster_hook_failing",
		"1 while a hook's receiver does not take what it is told, or wants nothing more.",
		[]string{"hook"}, nil)
)

// Describe implements prometheus.Collector.
func (hookMetrics) Describe(to chan<- *prometheus.Desc) {
	to <- hookTaken
	to <- hookTold
	to <- hookFailing
}

// Collect implements prometheus.Collector.
func (m hookMetrics) Collect(to chan<- prometheus.Metric) {
	for _, h := range m.server.hooks.States() {
		add := func(d *prometheus.Desc, t prometheus.ValueType, v float64, labels ...string) {
			to <- prometheus.MustNewConstMetric(d, t, v, append([]string{h.Name}, labels...)...)
		}
		add(hookTaken, prometheus.GaugeValue, float64(h.Taken))
		add(hookTold, prometheus.CounterValue, float64(h.Told), resultOK)
		add(hookTold, prometheus.CounterValue, float64(h.Failed), "failed")
		add(hookFailing, prometheus.GaugeValue, yes(h.Failing || h.Finished))
	}
}
