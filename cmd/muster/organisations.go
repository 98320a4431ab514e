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

// allOrganisations are those that any operation declares, by what was said last of each; none where
// no ledger is named.
func (a *app) allOrganisations(ctx context.Context) (all events.Organisations, err error) {
	if a.url == "" && a.data == "" && !a.nats.Given() {
		return nil, nil
	}
	for page, err := range a.recordPages(ctx, map[string]string{"type": "operation"}) {
		if err != nil {
			return all, err
		}
		for _, r := range page.Records {
			rec, err := events.ParseRecord(r.Sequence, []byte(r.Stored))
			if err != nil {
				return all, err
			}
			all = all.With(events.OrganisationsOf(rec.Statement))
		}
	}
	return all, nil
}

// nationNamed finds a nation, or an organisation of an operation, by its code or its name, which
// was given for a field. The error is a [problem.Problem] of that field.
func (a *app) nationNamed(ctx context.Context, o events.Operation, field,
	name string) (events.Nation, error) {
	all, err := a.declaredFor(ctx, o, name)
	if err != nil {
		return "", err
	}
	n, err := all.Parse(name)
	if err != nil {
		return "", problem.OfField(problem.Invalid, problem.Field{Location: field, Value: name,
			Message: err.Error()})
	}
	return n, nil
}

// declaredFor returns the organisations of an operation, which are asked for where one of the names
// is no nation's, and the operation's can be one.
func (a *app) declaredFor(ctx context.Context, o events.Operation,
	names ...string) (events.Organisations, error) {
	for _, name := range names {
		if _, ok := events.FindNation(name); !ok && o.Valid() {
			return a.organisations(ctx, o)
		}
	}
	return nil, nil
}

// nationOr is nationNamed, and takes the key's nation where none was named.
func (a *app) nationOr(ctx context.Context, o events.Operation, given string,
	s *speaker) (events.Nation, error) {
	if given != "" {
		return a.nationNamed(ctx, o, "nation", given)
	}
	if party := s.signer.Key().Party(); party != events.HQ {
		return party, nil
	}
	return "", nil
}
