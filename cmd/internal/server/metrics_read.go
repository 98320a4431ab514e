package server

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"muster/projections/web"
)

// A reading is a metric that is read when somebody asks for it.
type reading struct {
	name, help string
	read       func(*Server) float64
}

// gauges go up and down.
var gauges = []reading{
	{"muster_taking_statements", "1 while the ledger takes statements, 0 while it takes none.",
		func(s *Server) float64 { return yes(s.Ledger.Healthy() == nil) }},
	{"muster_answering_questions", "1 while the projections follow the journal, 0 when they have " +
		"stopped.", func(s *Server) float64 { return yes(s.projected.Load() == nil) }},
	{"muster_journal_records", "The last record in this server's journal.",
		func(s *Server) float64 { return float64(s.Journal.Last()) }},
	{"muster_stream_records", "The last record in the stream, as far as this server knows.",
		func(s *Server) float64 { last, _ := s.Stream.Heard(); return float64(last) }},
	{"muster_stream_heard_timestamp_seconds", "When the stream last told its state.",
		func(s *Server) float64 { _, at := s.Stream.Heard(); return seconds(at) }},
	{"muster_projections_records", "The last record in the picture that answers are made of.",
		func(s *Server) float64 { return float64(s.Projector.Sequence()) }},
	{"muster_projections_lag_records", "Records in the journal that are not in the picture yet.",
		func(s *Server) float64 {
			at := s.Projector.Sequence() // first, or it could be ahead
			return float64(s.Journal.Last() - min(at, s.Journal.Last()))
		}},
	{"muster_compared_records", "The last record through which journal and stream were last " +
		"compared whole, and found the same; 0 for never since the start.",
		func(s *Server) float64 { return float64(s.Ledger.Compared().Through) }},
	{"muster_compared_timestamp_seconds", "When they were; 0 for never since the start.",
		func(s *Server) float64 { return seconds(s.Ledger.Compared().At) }},
	{"muster_copies_whole", "1 unless journal or stream was damaged when they were read last.",
		func(s *Server) float64 { return yes(s.Ledger.Scrubbing().Problem == nil) }},
	{"muster_scrub_records", "While journal and stream are being read: the last record that was " +
		"compared; 0 else.", func(s *Server) float64 {
		now := s.Ledger.Scrubbing()
		return float64(now.At) * yes(now.Running)
	}},
	{"muster_kept_damaged_streams", "Damaged streams that this server has set aside and kept.",
		func(s *Server) float64 { return float64(len(s.kept())) }},
	{"muster_witnesses", "Witnesses that the server asks, by its policy; 0 without one.",
		func(s *Server) float64 { return float64(len(s.witnessStates())) }},
	{"muster_witnesses_failing", "Those of them that sign nothing now.",
		func(s *Server) (n float64) {
			for _, w := range s.witnessStates() {
				n += yes(w.Problem != nil)
			}
			return n
		}},
	{"muster_witnessed_records", "The last record that as many witnesses have signed for as the " +
		"policy asks for.", func(s *Server) float64 {
		if w := s.witnessed(); w != nil && w.By.Enough {
			return float64(w.Witnessed)
		}
		return 0
	}},
	{"muster_sessions", "Sessions of members that have not ended.",
		func(s *Server) float64 { return float64(s.Questions.Sessions.Len()) }},
	{"muster_feeds", "Addresses with a token of their own that this server keeps.",
		func(s *Server) float64 { return float64(s.Questions.Feeds.Len()) }},
	{"muster_nats_connected", "1 while the server is connected to NATS.",
		func(s *Server) float64 { return yes(s.Conn.IsConnected()) }},
}

// counted only go up while the server runs.
var counted = []reading{
	{"muster_nats_reconnects_total", "How often the server has connected to NATS again.",
		func(s *Server) float64 { return float64(s.Conn.Stats().Reconnects) }},
	{"muster_access_log_lost_lines_total", "Lines that the access log has lost.",
		func(s *Server) float64 { return float64(s.access.lostLines()) }},
	{"muster_log_spared_lines_total", "Lines that the log was spared: the same was told often.",
		func(s *Server) float64 { return float64(sparedBy(s.cfg.Log)) }},
}

// limits are counted where they hold: see package web.
var limits = []struct {
	name string
	read func(*web.Bites) uint64
}{
	{"address", func(b *web.Bites) uint64 { return b.Address.Load() }},
	{"share", func(b *web.Bites) uint64 { return b.Share.Load() }},
	{"slots", func(b *web.Bites) uint64 { return b.Slots.Load() }},
	{"time", func(b *web.Bites) uint64 { return b.Time.Load() }},
	{"budget", func(b *web.Bites) uint64 { return b.Budget.Load() }},
	{"panic", func(b *web.Bites) uint64 { return b.Panicked.Load() }},
}

// register has all of it read from a server that has started.
func (m *counters) register(s *Server) {
	for _, g := range gauges {
		m.registry.MustRegister(prometheus.NewGaugeFunc(
			prometheus.GaugeOpts{Name: g.name, Help: g.help},
			func() float64 { return g.read(s) }))
	}
	for _, c := range counted {
		m.registry.MustRegister(prometheus.NewCounterFunc(
			prometheus.CounterOpts{Name: c.name, Help: c.help},
			func() float64 { return c.read(s) }))
	}
	for _, l := range limits {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "muster_limits_total", Help: "How often a limit on what is asked has held.",
			ConstLabels: prometheus.Labels{"limit": l.name}},
			func() float64 { return float64(l.read(s.Questions.Bites)) }))
	}
	if s.hooks != nil {
		m.registry.MustRegister(hookMetrics{s})
	}
	if s.changed != nil {
		m.registry.MustRegister(s.changed)
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{Name: "muster_info",
		Help: "Always 1: which program this is, and of which ledger.",
		ConstLabels: prometheus.Labels{"version": s.cfg.Version, "name": s.cfg.Name,
			"origin": string(s.Ledger.Origin())}})
	info.Set(1)
	m.registry.MustRegister(info)
	if s.certificate != nil {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "muster_certificate_expiry_timestamp_seconds",
			Help: "When the certificate that clients are shown ends."},
			func() float64 { return seconds(s.certificate.health().Expires) }))
	}
}

func yes(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// seconds is a time as Prometheus has it, 0 for none.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}
