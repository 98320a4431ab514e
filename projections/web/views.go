package web

import (
	"github.com/danielgtaylor/huma/v2"

	"muster/events"
	"muster/events/problem"
)

// view reads for whom a question is asked, which every question may say.
func (p *parameters) view() events.View {
	const doc = "What those would be told who may read no more: public, coalition, or a nation's code; " +
		"without it, coordinators: all"
	text := p.value("view", doc, &huma.Schema{Type: huma.TypeString})
	if text == "" {
		return events.CoordinatorsView
	}
	v, ok := events.ParseView(text)
	if !ok {
		p.refuse(problem.Invalid, "view", text,
			"write public, coalition, a nation's code such as FRA, or coordinators")
	}
	return v
}

// as returns the service that answers a request: of the view that it names, with the picture and
// the records of that view, and nothing else of what can be read. Here alone it is chosen.
func (s *Service) as(r request) *Service {
	p := parameters{request: r}
	view := p.view()
	if s.Views == nil || view == events.CoordinatorsView || len(p.wrong) > 0 {
		return s
	}
	as := *s
	as.view = view
	as.Projector, as.Source = s.Views.Of(view)
	return &as
}
