package server

import (
	"bytes"
	"slices"
	"sync"

	"muster/events"
	"muster/events/problem"
)

// nameViews finds the views that the hooks' file and --changed name, in the journal where it is an
// organisation's. With the embedded NATS server it is done before guests are let in, who may hear
// what is told; on a cluster when the journal has all that the stream has.
func (s *Server) nameViews() error {
	declared := sync.OnceValues(s.everDeclared)
	s.cfg.Hooks, s.cfg.Changed = slices.Clone(s.cfg.Hooks), slices.Clone(s.cfg.Changed)
	for i := range s.cfg.Hooks {
		h := &s.cfg.Hooks[i]
		if err := nameView(&h.View, "--hooks, hook "+h.Name, declared); err != nil {
			return err
		}
	}
	for i := range s.cfg.Changed {
		if err := nameView(&s.cfg.Changed[i].View, "--changed", declared); err != nil {
			return err
		}
	}
	return s.checkPublications()
}

// nameView finds the view that was named at a place, and asks what is declared where it may be an
// organisation's.
func nameView(view *events.View, place string,
	declared func() (events.Organisations, error)) error {
	v, ok := events.ParseView(string(*view))
	if n, _ := v.Nation(); ok && !n.IsOrganisation() {
		*view = v
		return nil
	}
	all, err := declared()
	if err != nil {
		return err
	}
	if v, err = all.ParseView(string(*view)); err != nil {
		return problem.New(problem.Usage, "%s: %s is no view: %w", place,
			problem.Name(string(*view)), err).
			WithHint("write one of these; an organisation has a view from the record on that " +
				"declares it: start the server without it, and apply a plan that does")
	}
	*view = v
	return nil
}

// everDeclared returns the organisations that operations have declared in the journal, each as it
// was last. It reads every record, and parses those that may declare one.
func (s *Server) everDeclared() (all events.Organisations, err error) {
	const most = 1024
	var room []byte
	for next := uint64(1); ; {
		rows, used, err := s.Journal.Stored(next, most, room)
		if err != nil {
			return nil, err
		}
		for i, stored := range rows {
			if !bytes.Contains(stored, []byte(`"organisations":`)) {
				continue
			}
			r, err := events.ParseRecord(next+uint64(i), stored)
			if err != nil {
				return nil, err
			}
			all = all.With(events.OrganisationsOf(r.Statement))
		}
		if len(rows) < most {
			return all, nil
		}
		next, room = next+most, used
	}
}
