package rules

import (
	"cmp"
	"slices"

	"muster/events"
	"muster/events/phrase"
)

// Decide says whether the holder of key may make the statement now: nil, or a refusal as a
// [problem.Problem] with the code of the rule. It is a pure function: it changes nothing, asks no
// clock and reads nothing but its arguments. The caller has verified the signature with key, and
// keeps the rules 3 and 27, which ask the records themselves, and rule 44, which asks the record's
// time: see [IDTaken], [OtherHistory] and [InTime]. The rules are those of the package comment,
// with their numbers.
//
// It is what a record must keep. Who is about to make one asks [DecideNew].
func Decide(s *State, key events.Key, st events.Statement) error {
	m, err := decideSigner(s, key, st)
	if _, founding := st.(*events.LedgerFounded); founding || err != nil {
		return err
	}
	return decideStatement(s, m, st)
}

// decideSigner keeps the rules 1, 2 and 4 to 8, which rest on the founding and the members alone.
// It returns the member who signs, none for the founding.
func decideSigner(s *State, key events.Key, st events.Statement) (m member, err error) {
	if err := decideLedger(s, st); err != nil {
		return m, err
	}
	if founded, ok := st.(*events.LedgerFounded); ok {
		return m, decideFounded(founded, key)
	}
	if m, err = signer(s, key); err != nil {
		return m, err
	}
	return m, mayMake(s, m, st)
}

// DecideNew says whether the holder of key may make a statement that no record has yet. It is
// Decide, asked as the signer sees the ledger: what the signer may not read is not there (rule 41),
// and a refusal is that of a ledger in which it was never said. It keeps the rules 39, 49, 53 and
// 54, too.
func DecideNew(s *State, key events.Key, st events.Statement) error {
	if m, err := signer(s, key); err == nil {
		s = s.readBy(m.view())
	}
	if err := Decide(s, key, st); err != nil {
		return err
	}
	return keepsNewer(s, st)
}

// keepsNewer keeps the rules that older records may break: 39, 49, 53 and 54.
func keepsNewer(s *State, st events.Statement) error {
	if err := keepsRelease(s, st); err != nil {
		return err
	}
	if err := namesCurrencies(s, st); err != nil {
		return err
	}
	if err := namesApart(s, st); err != nil {
		return err
	}
	return keepsBodies(s, st)
}

// DecideUnsigned says of a statement that nobody has signed yet whether it could be made now by
// somebody who may make it: a liaison of the nation, or else a coordinator or an importer. It
// returns nil, or the refusal that the first of them would get. It is asked as that one sees the
// ledger, and tells those who have a view nothing of what is not open to it, too.
func DecideUnsigned(s *State, view events.View, st events.Statement) error {
	if err := decideLedger(s, st); err != nil {
		return err
	}
	var refused, mayNot error
	for _, m := range s.speakers(st) {
		if err := mayMake(s, m, st); err != nil {
			mayNot = cmp.Or(mayNot, err)
			continue
		}
		as := s.readBy(m.view().Common(view))
		err := decideStatement(as, m, st)
		if err == nil {
			err = keepsNewer(as, st)
		}
		if err == nil {
			return nil
		}
		refused = cmp.Or(refused, err)
	}
	return cmp.Or(refused, mayNot)
}

// speakers returns a member of each party that the statement could be of: whose key it is makes no
// difference within a party, but for a second, which any member might say, and what takes back
// one's own.
func (s *State) speakers(st events.Statement) []member {
	nation, _ := events.About(st)
	_, second := st.(*events.MemberSeconded) // which not everybody of a party may say
	_, retracts := st.(*events.MemberRetracted)
	var liaison, coordinator, importer []member
	for _, m := range s.members {
		switch {
		case m.revoked > 0:
		case second || retracts:
			coordinator = append(coordinator, m)
		case m.role == events.Liaison && m.key.Party() == nation:
			liaison = []member{m}
		case m.role == events.Coordinator:
			coordinator = []member{m}
		case m.role == events.Importer:
			importer = []member{m}
		}
	}
	return slices.Concat(liaison, coordinator, importer)
}

// decideLedger keeps the rules 1 and 2: there is one beginning, and each statement is meant for
// this ledger.
func decideLedger(s *State, st events.Statement) error {
	_, founding := st.(*events.LedgerFounded)
	switch {
	case founding && s.last > 0:
		return refuse(codeAlreadyFounded,
			"this ledger was founded already, as %s: a ledger has one beginning", s.origin).
			WithHint("to found another ledger, start a server on an empty folder")
	case founding:
		return nil
	case s.last == 0:
		return NotFounded()
	case st.Head().Ledger != s.origin:
		return refuse(codeOtherLedger, "the statement was made for the ledger %s, and this is %s",
			st.Head().Ledger, s.origin).
			WithHint("make it anew for this ledger, and sign it again")
	}
	return nil
}

func decideFounded(st *events.LedgerFounded, key events.Key) error {
	if st.Founder != key {
		return refuse(codeBadSignature,
			"the founding must be signed with the founder's key that it names, %s",
			st.Founder.Name()).
			WithHint("sign it with that key, or name the key that signs")
	}
	return nil
}

// signer keeps rule 4: only a member signs, from its admission to its revocation.
func signer(s *State, key events.Key) (member, error) {
	id, _ := key.ID()
	m, ok := s.members[id]
	switch {
	case !ok || m.key != key:
		if p, waits := s.waiting(id); waits && p.Key == key {
			return member{}, notSeconded(s, id, p)
		}
		return member{}, NotAdmitted(id)
	case m.revoked > 0:
		return member{}, refuse(codeRevoked,
			"the key %s was revoked by record %d, and what it signs is no longer taken",
			id, m.revoked).
			WithHint("make a new key, and ask a coordinator to admit it: muster key new %s/NAME",
				m.key.Party())
	}
	return m, nil
}

// NotFounded is the refusal of all that comes before the founding: rule 1.
func NotFounded() error {
	return refuse(codeNotFounded, "this ledger was not founded yet").
		WithHint("try again in a moment")
}

// NotAdmitted is the refusal of a statement whose signer is no member: rule 4.
func NotAdmitted(id events.KeyID) error {
	return refuse(codeNotAdmitted, "the key %s is not a member of this ledger", id).
		WithHint("ask a coordinator to admit it: muster member admit KEY")
}

// BadSignature is the refusal of a statement whose signature is not its key's: rule 4. It is for
// callers of [Decide], which takes the signature as verified.
func BadSignature(id events.KeyID) error {
	return refuse(codeBadSignature,
		"the signature is not that of %s: the statement was changed after it was signed, or "+
			"another key has signed it", id).
		WithHint("sign the statement again with %s, and send it as it was signed", id.Name)
}

// IDTaken is the refusal of a statement whose id is that of another one, recorded with the
// sequence: rule 3, which the caller of [Decide] keeps.
func IDTaken(id events.ID, sequence uint64) error {
	return refuse(codeIDTaken, "the id %s is that of another statement, recorded as %d",
		id, sequence).
		WithHint("look at record %d: if it says what is meant, it counts already, and to say it "+
			"again would count twice; else give the new statement an id of its own", sequence)
}

// IDWithheld is IDTaken for a signer who may not read the record that has the id, who submits a
// statement that breaks no other rule: where it is recorded is not told, and nothing at all to who
// only asks. So each guess at an id that is wrong is a record, which names its signer.
func IDWithheld(id events.ID) error {
	return refuse(codeIDTaken,
		"the id %s is that of another statement, which is not for you to read", id).
		WithHint("give the statement an id of its own")
}

// OtherHistory is the refusal of a statement whose signer has seen another history than this one,
// of which found tells where it differs: rule 27, which the caller of [Decide] keeps.
func OtherHistory(seen *events.Seen, found string) error {
	return refuse(codeOtherHistory, "the signer has seen %d records with the root %s, "+
		"and that is not the history of this ledger, %s", seen.Size, seen.Root, found).
		WithHint("keep the checkpoint that was seen: this server, or the one that showed it, " +
			"tells another history, so compare both with what other servers and members hold")
}

// parties says who may make which statement: rule 5. What a liaison may say, it says for its own
// nation alone.
var parties = map[events.Type][]events.MemberRole{
	"member.admitted":       {events.Coordinator},
	"member.revoked":        {events.Coordinator},                 // and the holder of the key
	"member.seconded":       {events.Liaison, events.Coordinator}, // see rule 47
	"member.retracted":      {events.Coordinator},                 // see rule 55
	"meeting.closed":        {events.Coordinator},
	"operation.opened":      {events.Coordinator, events.Importer},
	"operation.revised":     {events.Coordinator},
	"requirement.issued":    {events.Coordinator},
	"requirement.revised":   {events.Coordinator},
	"requirement.cancelled": {events.Coordinator},
	"scope.declared":        {events.Liaison},
	"pledge.indicated":      {events.Liaison},
	"pledge.offered":        {events.Liaison},
	"pledge.amended":        {events.Liaison},
	"pledge.confirmed":      {events.Liaison},
	"pledge.withdrawn":      {events.Liaison},
	"pledge.accepted":       {events.Coordinator},
	"pledge.declined":       {events.Coordinator},
	"pledge.deployed":       {events.Liaison, events.Coordinator},
	"pledge.reported":       {events.Liaison, events.Coordinator, events.Importer},
	"pledge.returned":       {events.Liaison, events.Coordinator, events.Importer},
	"pledge.observed":       {events.Coordinator, events.Importer},
	"pledge.disclosed":      {events.Liaison},
	"pledge.queried":        {events.Liaison, events.Coordinator}, // see rule 51
	"pledge.answered":       {events.Liaison, events.Coordinator}, // likewise
	"condition.added":       {events.Liaison},
	"condition.discharged":  {events.Liaison},
	"condition.failed":      {events.Liaison},
	"pledge.renewed":        {events.Liaison},
	"pledge.corrected":      {events.Liaison, events.Coordinator, events.Importer}, // see rule 35
	"caveat.declared":       {events.Liaison},
	"caveat.lifted":         {events.Liaison},
	"allocation.made":       {events.Coordinator},
	"allocation.released":   {events.Coordinator},
}

// mayMake keeps the rules 5 to 8: who may make which statement, and for whom.
func mayMake(s *State, m member, st events.Statement) error {
	allowed, ok := parties[st.Head().Type]
	if !ok {
		return noRule(st.Head().Type)
	}
	revoke, _ := st.(*events.MemberRevoked)
	_, seconds := st.(*events.MemberSeconded)
	switch {
	case revoke != nil && revoke.Key == m.key, seconds && slices.Contains(allowed, m.role):
		return nil
	case m.role == events.Liaison && slices.Contains(allowed, events.Liaison):
		return forItself(s, m, st)
	case slices.Contains(allowed, m.role):
		return nil
	case m.role == events.Coordinator && slices.Contains(allowed, events.Liaison):
		return onBehalf(s, st)
	}
	return refuse(codeWrongParty, "%s is %s, and %q is for %s to say",
		m.key.Name(), s.roleText(m), st.Head().Type.Phrase(), rolesText(allowed)).
		WithHint("ask one to say it, or sign with the key of one: --key FILE")
}

// forItself keeps rule 6: a liaison speaks for its own nation.
func forItself(s *State, m member, st events.Statement) error {
	nation, _ := events.About(st)
	own := m.key.Party()
	if nation == own {
		return nil
	}
	return refuse(codeSpeaksForItself, "%s speaks for %s and cannot speak for %s", m.key.Name(),
		s.named(own), s.named(nation)).
		WithHint("sign with the key of a liaison of %s: --key FILE", s.named(nation))
}

// onBehalf keeps rule 7: coordinators speak for a nation as long as it has never had a liaison of
// its own.
func onBehalf(s *State, st events.Statement) error {
	nation, _ := events.About(st)
	since, voiced := s.voiced[nation]
	if !voiced {
		return nil
	}
	return refuse(codeSpeaksForItself,
		"%s has spoken for itself since its first liaison was admitted (record %d): nobody else "+
			"says %q for it",
		phrase.Of("%s", s.named(nation)).Capital(), since, st.Head().Type.Phrase()).
		WithHint("sign with the key of a liaison of %s: --key FILE", s.named(nation))
}

func (s *State) roleText(m member) phrase.Phrase {
	switch m.role {
	case events.Liaison:
		return phrase.Of("a liaison of %s", s.named(m.key.Party()))
	case events.Importer:
		return phrase.Of("an importer, which records published figures only")
	case events.Reader:
		return phrase.Of("a reader, who signs no statements")
	}
	return phrase.As("a "+string(m.role), "session.role."+string(m.role))
}

func rolesText(roles []events.MemberRole) phrase.Phrase {
	names := make([]phrase.Phrase, len(roles))
	for i, r := range roles {
		name := "a " + string(r)
		if r == events.Importer {
			name = "an importer"
		}
		names[i] = phrase.As(name, "session.role."+string(r))
	}
	return phrase.List(phrase.Or, names...)
}

// noRule refuses a kind of statement that was added to package events and not here: what no rule
// allows is refused.
func noRule(typ events.Type) error {
	return refuse(codeWrongParty, "no rule of this ledger says who may say %q, so nobody may",
		typ.Phrase()).
		WithHint("use a newer muster on the server")
}

func decideStatement(s *State, m member, st events.Statement) error {
	if err := namesDeclared(s, st); err != nil {
		return err
	}
	switch st := st.(type) {
	case *events.MemberAdmitted:
		return decideAdmitted(s, st)
	case *events.MemberRevoked:
		return decideRevoked(s, st)
	case *events.MemberSeconded:
		return decideSeconded(s, m, st)
	case *events.MemberRetracted:
		return decideRetracted(s, m, st)
	case *events.MeetingClosed:
		return decideClosed(s, st)
	case *events.OperationOpened:
		return decideOpened(s, st)
	case *events.OperationRevised:
		return decideOperationRevised(s, st)
	case *events.RequirementIssued:
		return decideIssued(s, st)
	case *events.RequirementRevised:
		return decideRevised(s, st)
	case *events.RequirementCancelled:
		_, err := liveLine(s, st.Operation, st.Line, st.Effective)
		return err
	case *events.ScopeDeclared:
		return decideScope(s, st)
	}
	return decidePledge(s, m, st)
}
