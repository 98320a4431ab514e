package rules

// ReadAll reads what a loaded state has not read yet, and returns how many pledges that were.
func (s *State) ReadAll() (n int) {
	for id, p := range s.pledges {
		if p.unread != nil {
			n++
		}
		s.pledge(id)
	}
	return n
}

// Break takes the tables away that most kinds of statement change last, so that to apply one panics
// halfway, and returns what gives them back.
func (s *State) Break() (mend func()) {
	uses, voiced, observed := s.uses, s.voiced, s.observed
	s.uses, s.voiced, s.observed = nil, nil, nil
	return func() { s.uses, s.voiced, s.observed = uses, voiced, observed }
}
