package server

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"muster/events/problem"
	"muster/ledger"
)

// counters are what the server counts as it goes. They are counted whether or not somebody reads
// them. Names and labels are relied on by dashboards and alerts: they are added to, never renamed.
// No label has anything of a statement or of who asks.
type counters struct {
	registry *prometheus.Registry

	statements, checks map[string]prometheus.Counter // by result
	whole, readable    prometheus.Observer           // of a statement
	steps              [ledger.Steps]prometheus.Observer
	recorded, again    prometheus.Counter // of statements
	stops              prometheus.Counter

	questions *prometheus.CounterVec   // by question, face and result
	answers   *prometheus.HistogramVec // by question
}

// resultOK is the result that is no problem.
const resultOK = "ok"

func newCounters() *counters {
	m := &counters{registry: prometheus.NewRegistry()}
	m.registry.MustRegister(collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	statements := m.counter("muster_statements_total",
		"Statements that came, by what became of them: recorded, again, or the kind of the "+
			"problem.", "result")
	checks := m.counter("muster_checks_total",
		"Statements that were only checked: ok, or the kind of the problem.", "result")
	m.statements, m.checks = map[string]prometheus.Counter{}, map[string]prometheus.Counter{}
	for _, k := range problem.Kinds() {
		m.statements[k.Slug] = statements.WithLabelValues(k.Slug)
		m.checks[k.Slug] = checks.WithLabelValues(k.Slug)
	}
	m.recorded = statements.WithLabelValues("recorded")
	m.again = statements.WithLabelValues("again")
	m.checks[resultOK] = checks.WithLabelValues(resultOK)
	m.whole = m.histogram("muster_statement_duration_seconds",
		"From a statement's arrival to its answer.").WithLabelValues()
	steps := m.histogram("muster_statement_step_duration_seconds",
		"The steps of a statement: verify and queue of each; log, commit of all that go together; "+
			"readable until answers have it.", "step")
	for s := range m.steps {
		m.steps[s] = steps.WithLabelValues(ledger.Step(s).String())
	}
	m.readable = steps.WithLabelValues("readable")
	stops := m.counter("muster_stops_total",
		"How often the ledger has begun to take no statements.")
	m.stops = stops.WithLabelValues()
	m.questions = m.counter("muster_questions_total",
		"Questions and pages that were asked for, by how they were answered: ok, or the kind of "+
			"the problem.", "question", "face", "result")
	m.answers = m.histogram("muster_question_duration_seconds",
		"From a question's arrival to the end of its answer.", "question")
	return m
}

func (m *counters) counter(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(c)
	return c
}

// buckets are of times, from what one fsync takes on a good disk to where everybody gives up.
var buckets = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1,
	2.5, 5, 10, 30, 60}

func (m *counters) histogram(name, help string, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help,
		Buckets: buckets}, labels)
	m.registry.MustRegister(h)
	return h
}

// Took implements [ledger.Observer].
func (m *counters) Took(step ledger.Step, d time.Duration) { m.steps[step].Observe(d.Seconds()) }

// Turned implements [ledger.Observer].
func (m *counters) Turned(taking bool) {
	if !taking {
		m.stops.Inc()
	}
}

// asked counts a question that was answered.
func (m *counters) asked(question, face, result string, begun time.Time) {
	m.questions.WithLabelValues(question, face, result).Inc()
	m.answers.WithLabelValues(question).Observe(time.Since(begun).Seconds())
}
