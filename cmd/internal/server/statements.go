package server

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake"
)

// watched counts and logs what becomes of statements: the id, the type, the nation, and the
// sequence or the problem; never what one says.
type watched struct {
	intake.Submitter
	metrics *counters
	// All hears of what only members can cause, and sparing of what anybody could have logged as
	// often as he likes.
	all, sparing *slog.Logger
}

func (s *Server) watched() watched {
	return watched{s.readYourWrites(), s.metrics, s.all, s.cfg.Log}
}

// Submit implements intake.Submitter.
func (w watched) Submit(ctx context.Context, s events.Signed) (intake.Receipt, error) {
	begun := time.Now()
	r, err := w.Submitter.Submit(ctx, s)
	w.metrics.whole.Observe(time.Since(begun).Seconds())
	switch {
	case err != nil:
		w.metrics.statements[problem.From(err).Kind.Slug].Inc()
		w.refused(ctx, s.Statement, problem.From(err))
	case r.Again:
		w.metrics.again.Inc()
		w.log(ctx, w.sparing, "a statement was recorded before", s.Statement, r.Sequence, nil)
	default:
		w.metrics.recorded.Inc()
		w.log(ctx, w.all, "a statement was recorded", s.Statement, r.Sequence, nil)
	}
	return r, err
}

// Check implements intake.Submitter.
func (w watched) Check(ctx context.Context, s events.Signed) (intake.Checked, error) {
	c, err := w.Submitter.Check(ctx, s)
	w.checked(err)
	return c, err
}

func (w watched) checked(err error) {
	result := resultOK
	if err != nil {
		result = problem.From(err).Kind.Slug
	}
	w.metrics.checks[result].Inc()
}

// Malformed implements intake.Listener.
func (w watched) Malformed(ctx context.Context, check bool, err error) {
	if check {
		w.checked(err)
		return
	}
	p := problem.From(err)
	w.metrics.statements[p.Kind.Slug].Inc()
	w.sparing.LogAttrs(ctx, slog.LevelInfo, "what was submitted is no statement",
		slog.String("problem", p.Kind.Slug))
}

// fromAnybody are the codes of refusals for which nobody need be a member.
var fromAnybody = []string{"", "not-admitted", "bad-signature", "not-founded", "revoked"}

func (w watched) refused(ctx context.Context, st events.Statement, p *problem.Problem) {
	to := w.all
	if slices.Contains(fromAnybody, p.Code) {
		to = w.sparing
	}
	w.log(ctx, to, "a statement was refused", st, 0, p)
}

// log logs a statement with its sequence, or with the problem because of which it has none.
func (w watched) log(ctx context.Context, to *slog.Logger, what string, st events.Statement,
	sequence uint64, p *problem.Problem) {
	if !to.Enabled(ctx, slog.LevelInfo) {
		return
	}
	head := st.Head()
	nation, _ := events.About(st)
	told := []slog.Attr{slog.String("id", head.ID.String()), slog.String("type", string(head.Type)),
		slog.String("nation", string(nation))}
	if p == nil {
		told = append(told, slog.Uint64("sequence", sequence))
	} else {
		told = append(told, slog.String("problem", p.Kind.Slug), slog.String("code", p.Code))
	}
	to.LogAttrs(ctx, slog.LevelInfo, what, told...)
}
