package page

import (
	"encoding/base64"
	"slices"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
	"muster/projections/web"
)

// The page on which an admission or a revocation that waits is seconded. What is signed names the
// proposal by the hash of its record; so the browser first proves that the record is in the ledger,
// and reads from its bytes, and not from this page, what is seconded (static/second.js). Only then
// may it be signed (static/sign.js), with a key that the server never sees.

// A secondPage is a proposal that waits, and the statement that seconds it.
type secondPage struct {
	*frame
	Of projections.Waiting
	// Signer is the key that has signed it.
	Signer events.Key
	// Stored is the proposal's record, byte for byte, in base 64.
	Stored string
	// Statement is what is to be signed, "" where the rules refuse it: Wrong says why.
	Statement string
	Wrong     *problem.Problem
}

// second answers the page of a proposal.
func (p *Pages) second(f *frame) (any, error) {
	all, err := ask(f, web.Read[web.MembersQuery], f.service.Members, "as_of", "")
	if err == nil {
		err = f.readPast()
	}
	if err != nil {
		return nil, err
	}
	id := f.Get("statement")
	if id == "" {
		return nil, f.refusal(problem.NotFound, "problem.second-which")
	}
	at := slices.IndexFunc(all.Waiting, func(w projections.Waiting) bool {
		return w.Statement.String() == id
	})
	if at < 0 {
		return nil, f.refusal(problem.NotFound, "problem.second",
			problem.Shorten(printable(id)))
	}
	s := &secondPage{frame: f, Of: all.Waiting[at]}
	for _, m := range all.Members {
		if keyNamed(m.Key) == s.Of.Signer {
			s.Signer = m.Key
		}
	}
	if f.MayRetract(s.Of) {
		return nil, f.refusal(problem.NotAllowed, "problem.second-own", id)
	}
	if !f.MaySecond(s.Of) {
		return nil, f.refusal(problem.NotAllowed, "problem.second-whose")
	}
	return s, s.make()
}

// make makes the statement, and asks the ledger's rules.
func (s *secondPage) make() error {
	stored, _, err := s.pages.Ledger.Receipt(s.Of.Sequence)
	if err != nil {
		return err
	}
	leaves, err := s.pages.Ledger.LeafHashes([]uint64{s.Of.Sequence})
	if err != nil {
		return err
	}
	s.Stored = base64.StdEncoding.EncodeToString(stored)
	st := &events.MemberSeconded{Header: events.Header{Type: "member.seconded", ID: events.NewID(),
		Ledger: s.Ledger.Origin}, Key: s.Of.Key, Statement: s.Of.Statement,
		Leaf: base64.StdEncoding.EncodeToString(leaves[0][:])}
	text, err := events.Marshal(st)
	if err == nil {
		err = s.pages.Ledger.CheckUnsigned(s.ctx, s.service.View(), st)
	}
	switch p := problem.From(err); {
	case err == nil:
		s.Statement = problem.InJSON(string(text))
	case p.Kind == problem.Conflict, p.Kind == problem.Invalid, p.Kind == problem.NotAllowed,
		p.Kind == problem.NotFound:
		s.Wrong = p
	default:
		return err
	}
	return nil
}

// LiveAddress is nowhere: nothing that others record replaces what is being signed.
func (s *secondPage) LiveAddress() string { return "" }

// MayRetract reports whether the reader has signed a proposal, and so may take it back.
func (f *frame) MayRetract(w projections.Waiting) bool {
	who := f.Who()
	return f.Mirror() == nil && who.SignedIn() && w.Signer == keyNamed(who.Key)
}

// MaySecond reports whether the reader may second a proposal, as far as is known: a coordinator who
// has not signed it, or a liaison of the nation whose word it lacks, each once. The rules decide.
func (f *frame) MaySecond(w projections.Waiting) bool {
	who := f.Who()
	if f.Mirror() != nil {
		return false
	}
	if !who.SignedIn() {
		return true
	}
	mine := keyNamed(who.Key)
	if w.Signer == mine || slices.ContainsFunc(w.Seconded, func(s projections.Second) bool {
		return s.Signer == mine
	}) {
		return false
	}
	switch who.Role {
	case events.Coordinator:
		return true
	case events.Liaison:
		return w.Liaison != "" && w.Liaison == who.Key.Party()
	}
	return false
}

// keyNamed is the name and hash of a key.
func keyNamed(k events.Key) string {
	id, _ := k.ID() // of a member, or of nobody
	return id.String()
}

// Lacks says whose word a proposal lacks.
func (s *secondPage) Lacks(w projections.Waiting) string { return s.lacks(w) }

// secondsDue tells how much waits for the reader's second word, and leads there.
func (f *frame) secondsDue() (notes []tableNote, err error) {
	roster, err := f.service.Members(f.ctx, &web.MembersQuery{})
	mine := slices.DeleteFunc(roster.Waiting, func(w projections.Waiting) bool {
		return !f.MaySecond(w)
	})
	if len(mine) > 0 {
		notes = []tableNote{{Text: f.Count("second.due", len(mine)), At: f.To("/members")}}
	}
	return notes, err
}
