package main

import (
	"context"

	"muster/events"
	"muster/events/problem"
	"muster/projections/web"
)

// organisations are those that an operation declares, none where it is not there. Their codes
// become part of what is signed, so that they follow from the records.
func (a *app) organisations(ctx context.Context, o events.Operation) (events.Organisations, error) {
	var p web.Plan
	err := a.askToSign(ctx, "plan", map[string]string{"operation": string(o)}, &p)
	if problem.Is(err, problem.NotFound) {
		err = nil // which is refused by itself
	}
	return p.Catalogue.Organisations, err
}

// nationNamed finds a nation, or an organisation of an operation, by its code or its name.
func (a *app) nationNamed(ctx context.Context, o, name string) (events.Nation, error) {
	if n, ok := events.FindNation(name); ok {
		return n, nil
	}
	all, err := a.organisations(ctx, events.Operation(o))
	if err != nil {
		return "", err
	}
	n, err := all.Parse(name)
	if err != nil {
		return "", usage("--nation %q: %w", name, err)
	}
	return n, nil
}
