package server

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"muster/cmd/internal/files"
	"muster/cmd/internal/hooks"
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

// nextForHook waits for the next record that a hook is told of.
func (s *Server) nextForHook(ctx context.Context, h *hooks.Hook, after uint64) (hooks.Message,
	error) {
	n, err := s.Questions.Next(ctx, web.Watch{View: h.View, Operation: h.Operation,
		Coverage: h.Coverage, Server: s.knownAt()}, after)
	if err != nil {
		return hooks.Message{}, err
	}
	body, err := json.Marshal(n.Message)
	of := sha256.Sum256([]byte(string(s.Ledger.Origin()) + "\n" + h.Name)) // no full stop is in it
	return hooks.Message{Sequence: n.Sequence, Recorded: n.Message.Timestamp, Body: body,
		ID: fmt.Sprintf("msg_%x_%d", of[:8], n.Sequence)}, err
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
	hookWaiting = prometheus.NewDesc("muster_hook_waiting_seconds",
		"How long ago the oldest record was recorded that a hook's receiver has yet to take; 0 "+
			"for none.", []string{"hook"}, nil)
)

// Describe implements prometheus.Collector.
func (hookMetrics) Describe(to chan<- *prometheus.Desc) {
	to <- hookTaken
	to <- hookTold
	to <- hookFailing
	to <- hookWaiting
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
		waits := time.Duration(0)
		if !h.Waiting.IsZero() {
			waits = max(0, time.Since(h.Waiting))
		}
		add(hookWaiting, prometheus.GaugeValue, waits.Seconds())
	}
}
