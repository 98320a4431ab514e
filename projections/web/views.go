package web

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
	"muster/projections"
	"muster/projections/access"
)

// view reads for whom a question is asked, which every question may say.
func (p *parameters) view() events.View {
	const doc = "What those would be told who may read no more: public, coalition, or a nation, " +
		"by its code or name; without it, all that the one who asks may read"
	text := p.value("view", doc, &huma.Schema{Type: huma.TypeString})
	if text == "" {
		return events.CoordinatorsView
	}
	v, err := p.viewNamed(text)
	if err != nil {
		p.refuse(problem.Invalid, "view", text, phrase.Of("%s", err))
	}
	return v
}

// viewNamed finds a view: one of those that are no nation's, or the nation that is named.
func (p *parameters) viewNamed(name string) (events.View, error) {
	if v, ok := events.ParseView(name); ok {
		n, _ := v.Nation()
		return v, p.checkCode(n)
	}
	return p.declared().ParseView(name)
}

// For returns the service that answers whoever asks in the context: of the view that it asks for,
// "" for the widest that it may read, with the picture and the records of that view, and nothing
// else of what can be read. Here alone a view is chosen, and before that nothing can be read.
func (s *Service) For(ctx context.Context, view string) (*Service, error) {
	asked, err := s.viewNamed(ctx, view)
	if err != nil {
		return nil, err
	}
	as, chosen, err := s.chosen(ctx, asked)
	if err == nil || chosen != "" {
		access.NoteView(ctx, chosen)
	}
	if err != nil {
		return nil, err
	}
	return as, nil
}

// chosen returns the service that answers whoever asks in the context in a view, and the view that
// was chosen, "" where none may be.
func (s *Service) chosen(ctx context.Context, asked events.View) (as *Service, chosen events.View,
	err error) {
	chosen, err = s.Reads.Choose(access.ReaderOf(ctx), asked)
	if err == nil {
		chosen, err = s.held(chosen, asked)
	}
	if err != nil {
		return nil, "", err
	}
	as, err = s.in(chosen)
	if err == nil && as.view != s.Holds {
		err = s.awaitView(ctx, as.view)
	}
	return as, chosen, err
}

// viewNamed finds the view that somebody has named who asks in the context, "" for none. By its
// name, an organisation is found where the asker may read that it is declared; by its code also
// where a key is named after it.
func (s *Service) viewNamed(ctx context.Context, name string) (events.View, error) {
	v, ok := events.ParseView(name)
	n, _ := v.Nation()
	if name == "" || ok && (!n.IsOrganisation() || v == access.ReaderOf(ctx).View) {
		return v, nil
	}
	as, _, err := s.chosen(ctx, "")
	if err != nil {
		return "", err
	}
	p := as.parameters(request{})
	if v, err = p.viewNamed(name); err != nil {
		return "", problem.OfField(problem.Invalid, problem.FieldOf("view",
			problem.Shorten(name), "%s", err))
	}
	return v, nil
}

// held returns the view in which somebody is answered who may be answered in a view: what that has
// in common with what is held. Asked is the view that was named, "" for none.
func (s *Service) held(may, asked events.View) (events.View, error) {
	switch {
	case s.Holds == "":
		return may, nil
	case asked != "" && !asked.Within(s.Holds):
		return "", problem.OfField(problem.NotReadable, problem.FieldOf("view",
			string(asked), "this mirror holds the view %s: leave it out, or ask for %s", s.Holds,
			phrase.List(phrase.And, access.Narrower(s.Holds)...)))
	}
	return may.Common(s.Holds), nil
}

// widest returns the widest view that a reader can be answered in.
func (s *Service) widest(r access.Reader) (events.View, error) {
	may, err := s.Reads.Widest(r)
	if err != nil {
		return "", err
	}
	return s.held(may, "")
}

// Widest returns the widest view that whoever asks in the context can be answered in, "" where it
// can be in none.
func (s *Service) Widest(ctx context.Context) events.View {
	view, _ := s.widest(access.ReaderOf(ctx))
	return view
}

// awaitView waits until the picture of a view is made. While it is, others have the question's
// slot, and whoever goes away need not wait.
func (s *Service) awaitView(ctx context.Context, view events.View) error {
	if s.Views.IsMade(view) {
		return nil
	}
	goOn, err := s.yield(ctx)
	if err != nil {
		return err
	}
	if err := s.Views.Await(ctx, view); err != nil {
		return s.WhyEnded(ctx, err)
	}
	return goOn()
}

// ForSigner returns the service that answers the holder of a key, whose signature was verified: of
// all that it may read. So a statement needs no session to be told what is odd about it.
func (s *Service) ForSigner(key events.KeyID) (as *Service, err error) {
	err = s.full.View(func(p *projections.Picture) error {
		m, ok := p.Member(key)
		if !ok {
			return problem.New(problem.NotFound, "there is no member %s", key.Name)
		}
		reader := access.Reader{Key: m.Key, Role: m.Role,
			View: events.ViewOf(m.Key, m.Role, m.Clearance)}
		widest, err := s.widest(reader)
		if err == nil {
			as, err = s.in(widest)
		}
		return err
	})
	return as, err
}

// in returns the service that answers in a view.
func (s *Service) in(view events.View) (*Service, error) {
	as := *s
	switch {
	case view == events.CoordinatorsView, view == s.Holds:
		as.view, as.Projector, as.Source = s.Holds, s.full, s.all
	case s.Views == nil:
		return nil, problem.OfField(problem.Usage, problem.FieldOf("view",
			string(view), "this server keeps no views"))
	default:
		as.view = view
		as.Projector, as.Source = s.Views.Of(view)
	}
	return &as, nil
}

// forOperator returns the service that answers in a view that whoever runs the server has chosen
// for somebody, who needs no session for it: those who run it read all. Where less is held, it is
// what the view has in common with that.
func (s *Service) forOperator(ctx context.Context, view events.View) (*Service, error) {
	chosen, err := s.held(view, "")
	if err != nil {
		return nil, err
	}
	as, err := s.in(chosen)
	if err == nil && as.view != s.Holds {
		err = s.awaitView(ctx, as.view)
	}
	return as, err
}

// View is the one that was chosen, for who shows it; "" where everybody reads all, and where none
// was chosen.
func (s *Service) View() events.View { return s.view }

// choose returns the service that answers a request. A view that is none is told with all else that
// is wrong with the request, when it is read.
func (s *Service) choose(ctx context.Context, r request) (*Service, error) {
	as, err := s.For(ctx, r.given["view"])
	if problem.Is(err, problem.Invalid) {
		return s.For(ctx, "")
	}
	return as, err
}
