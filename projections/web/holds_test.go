package web

import (
	"net/url"
	"testing"

	"muster/events"
	"muster/events/problem"
	"muster/projections/access"
)

// What holds no more than a view answers each in what its own view has in common with that, as a
// server does that has all, and nobody in a wider one.
func TestHolds(t *testing.T) {
	if testing.Short() {
		t.Skip("one after the other: there is no race to find")
	}
	t.Parallel()
	c := newConfidence(t)
	whole := newServer(t, c.testLog)
	for letter, view := range map[string]events.View{"P": events.PublicView,
		"C": events.CoalitionView, "F": "FRA"} {
		held := newServer(t, c.unsaid(letter))
		held.service.Holds = view
		for _, path := range []string{"/coverage", "/pledges", "/members", "/fingerprint",
			"/records?limit=500", "/strength", "/review", "/ledger", "/nations", "/pledges.csv"} {
			for _, asked := range []events.View{"", events.PublicView, events.CoalitionView, "FRA",
				"POL", events.CoordinatorsView} {
				join := "?"
				if path == "/records?limit=500" {
					join = "&"
				}
				in := func(v events.View) string {
					if v == "" {
						return path
					}
					return path + join + "view=" + url.QueryEscape(string(v))
				}
				status, _, _, got := held.fetch(in(asked), "")
				if asked != "" && !asked.Within(view) {
					if status != 403 {
						t.Errorf("it holds %s, and %s is %d: %s", view, in(asked), status, got)
					}
					continue
				}
				as := asked
				if as == "" {
					as = view
				}
				want, _, _, body := whole.fetch(in(as), "")
				if status != want || got != body {
					t.Errorf("it holds %s, and %s is %d\n%s\ninstead of %d\n%s", view, in(asked),
						status, got, want, body)
				}
			}
		}
		held.service.Reads = access.ReadReleased
		for name, asker := range askers() {
			ctx := access.WithReader(t.Context(), asker)
			may := asker.View
			if name == "" {
				may = events.PublicView
			}
			as, err := held.service.For(ctx, "")
			if err != nil || as.View() != may.Common(view) ||
				held.service.Widest(ctx) != may.Common(view) ||
				held.service.stateOf(asker).View != may.Common(view) {
				t.Errorf("it holds %s, and %q is answered in %v, %v", view, name, as, err)
			}
			if _, err := held.service.For(ctx, "coordinators"); !problem.Is(err,
				problem.NotReadable) {
				t.Errorf("it holds %s, and %q asks for all: %v", view, name, err)
			}
		}
		held.service.Reads = access.ReadMembers
		if _, err := held.service.For(t.Context(), ""); !problem.Is(err, problem.SignedOut) {
			t.Errorf("who has not signed in is answered: %v", err)
		}
	}
}
