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
