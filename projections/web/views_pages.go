package web

import (
	"context"
	"net/url"

	"muster/events"
)

// For returns the service that answers in a view, "" for all.
func (s *Service) For(_ context.Context, view string) (*Service, error) {
	r := requestFrom("", url.Values{"view": {view}}, nil)
	p := parameters{request: r}
	if p.view(); len(p.wrong) > 0 {
		return nil, p.problem()
	}
	return s.as(r), nil
}

// View is the one that was chosen, for who shows it; "" where that is all.
func (s *Service) View() events.View { return s.view }
