package rules_test

import (
	"encoding/base64"
	"fmt"
	"testing"

	"muster/events"
	"muster/ledger/rules"
)

// newSecondsWorld returns a ledger that asks for seconds, with three coordinators and a liaison of
// France.
func newSecondsWorld(t *testing.T, seconds int) *ruleWorld {
	t.Helper()
	w := &ruleWorld{t, rules.NewState()}
	w.says(ruleFounder, ruleSay("ledger.founded", "Seconds", seconds))
	w.says(ruleFounder, ruleSay("operation.opened"))
	w.says(ruleFounder, ruleAdmits(ruleSecond, events.Coordinator)) // there is no other
	w.proposed(ruleFounder, ruleAdmits(ruleThird, events.Coordinator), ruleSecond)
	others := []*events.Signer{ruleSecond, ruleThird}[:seconds]
	w.proposed(ruleFounder, ruleAdmits(ruleParis, events.Liaison), others...)
	return w
}

func ruleAdmits(key *events.Signer, role events.MemberRole) events.Statement {
	return ruleSay("member.admitted", "Key", key.Key(), "Role", role)
}

func ruleRevokes(key *events.Signer) events.Statement {
	return ruleSay("member.revoked", "Key", key.Key())
}

// proposed says an admission or a revocation, and has it seconded. It returns a second of it.
func (w *ruleWorld) proposed(by *events.Signer, st events.Statement,
	seconders ...*events.Signer) (second func() events.Statement) {
	w.t.Helper()
	leaf := w.record(by, st).Leaf()
	w.says(by, st)
	second = func() events.Statement {
		return ruleSay("member.seconded", "Statement", st.Head().ID, "Key", ruleGet[events.Key](st,
			"Key"), "Leaf", base64.StdEncoding.EncodeToString(leaf[:]))
	}
	for _, s := range seconders {
		w.says(s, second())
	}
	return second
}

func TestRule45SecondsOfCoordinators(t *testing.T) {
	w := newSecondsWorld(t, 2)
	// A key that is admitted is no member before two others have seconded that.
	second := w.proposed(ruleThird, ruleAdmits(ruleUN, events.Importer))
	waits := func(lack string) {
		t.Helper()
		id := second().(*events.MemberSeconded).Statement
		w.refuses(ruleUN, ruleSay("pledge.observed"), "not-seconded", fmt.Sprintf("the key "+
			"%s was proposed by record 9, and may sign once this is seconded by %s",
			ruleIDOf(ruleUN), lack), "ask them to second it: muster member second "+id.String())
	}
	waits("2 more coordinators")
	w.refuses(ruleThird, ruleRevokes(ruleUN), "key-unknown", "the key "+ruleIDOf(ruleUN)+
		" is not a member of this ledger: record 9 has proposed it, which waits for a second",
		ruleIDOf(ruleThird)+" can take that back: muster member retract "+
			second().(*events.MemberSeconded).Statement.String()+" --reason TEXT")
	w.says(ruleSecond, second())
	waits("1 more coordinator")
	w.says(ruleFounder, second())
	w.says(ruleUN, ruleSay("pledge.observed"))

	// One who is to be revoked signs until it is seconded; a holder revokes at once.
	second = w.proposed(ruleFounder, ruleRevokes(ruleThird), ruleSecond)
	w.allows(ruleThird, ruleSay("operation.opened", "Operation", "other"))
	w.says(ruleThird, second()) // who agrees
	w.refuses(ruleThird, ruleSay("operation.opened", "Operation", "other"), "revoked",
		"the key "+ruleIDOf(ruleThird)+" was revoked by record 15, and what it signs is no longer "+
			"taken", "make a new key, and ask a coordinator to admit it: muster key new HQ/NAME")
	w.says(ruleUN, ruleRevokes(ruleUN))
	w.refuses(ruleUN, ruleSay("pledge.observed"), "revoked", "the key "+ruleIDOf(ruleUN)+
		" was revoked by record 16, and what it signs is no longer taken",
		"make a new key, and ask a coordinator to admit it: muster key new HQ/NAME")

	// Of two coordinators neither gets rid of the other alone, though two seconds were asked for.
	second = w.proposed(ruleFounder, ruleRevokes(ruleSecond))
	w.allows(ruleSecond, ruleSay("operation.opened", "Operation", "other"))
	// Where one goes by himself, the other is alone, and needs nobody.
	w.says(ruleSecond, ruleRevokes(ruleSecond))
	w.says(ruleFounder, ruleAdmits(ruleAuditor, events.Coordinator))
	w.allows(ruleAuditor, ruleSay("operation.opened", "Operation", "other"))

	// In a ledger that asks for none, nothing waits.
	w = newRuleWorld(t)
	w.says(ruleFounder, ruleAdmits(ruleBerlin, events.Liaison))
	w.says(ruleBerlin, ruleSay("pledge.offered", "Nation", "DEU"))
	w.says(ruleFounder, ruleRevokes(ruleBerlin))
}

func TestRule46SecondOfTheNation(t *testing.T) {
	w := newSecondsWorld(t, 1)
	second := w.proposed(ruleFounder, ruleAdmits(ruleBrest, events.Liaison), ruleSecond, ruleThird)
	hint := "ask them to second it: muster member second " +
		second().(*events.MemberSeconded).Statement.String()
	refused := func(lack string) {
		t.Helper()
		w.refuses(ruleBrest, ruleSay("pledge.offered"), "not-seconded", "the key "+
			ruleIDOf(ruleBrest)+" was proposed by record 8, and may sign once this is seconded by "+
			lack, hint)
	}
	refused("a liaison of France")
	w.unheard(ruleParis, second(), "")
	w.says(ruleBrest, ruleSay("pledge.offered"))

	// The first key of a nation takes the coordinators alone.
	second = w.proposed(ruleFounder, ruleAdmits(ruleBerlin, events.Liaison))
	w.unheard(ruleSecond, second(), "")
	w.says(ruleBerlin, ruleSay("pledge.offered", "Nation", "DEU"))

	// What reads in the nation's name is a key of the nation, too.
	reader := ruleSigner("DEU/reader", 10)
	second = w.proposed(ruleFounder, ruleSay("member.admitted", "Key", reader.Key(), "Role",
		events.Reader, "Clearance", events.ForTheNation), ruleSecond)
	w.unheard(ruleBerlin, second(), "")

	// Where none of the nation's liaisons may sign, two coordinators admit a new one, and that is
	// to be shown. One does not, not even where there is no other.
	w.proposed(ruleFounder, ruleRevokes(ruleBerlin), ruleSecond)
	other := ruleSigner("DEU/bonn", 11)
	second = w.proposed(ruleFounder, ruleAdmits(other, events.Liaison))
	w.unheard(ruleThird, second(), other.Key())
	w.says(other, ruleSay("pledge.offered", "Nation", "DEU"))
	w.says(other, ruleRevokes(other))
	for _, gone := range []*events.Signer{ruleSecond, ruleThird} {
		w.says(gone, ruleRevokes(gone))
	}
	third := ruleSigner("DEU/kiel", 12)
	second = w.proposed(ruleFounder, ruleAdmits(third, events.Liaison))
	w.refuses(third, ruleSay("pledge.offered", "Nation", "DEU"), "not-seconded", "the key "+
		ruleIDOf(third)+" was proposed by record 27, and may sign once this is seconded by 1 more "+
		"coordinator", "ask them to second it: muster member second "+
		second().(*events.MemberSeconded).Statement.String())

	// A ledger that asks for no seconds goes on as it did, and tells of each.
	w = newRuleWorld(t)
	paris := ruleSigner("FRA/second", 13)
	w.unheard(ruleFounder, ruleAdmits(paris, events.Liaison), paris.Key())
	w.unheard(ruleFounder, ruleAdmits(ruleBerlin, events.Liaison), "")
	w.says(paris, ruleSay("pledge.offered"))
}

// unheard says a statement, and checks whether it lets a key sign for a nation that was not asked.
func (w *ruleWorld) unheard(by *events.Signer, st events.Statement, want events.Key) {
	w.t.Helper()
	if got := w.state.Unheard(w.record(by, st)); got != want {
		w.t.Errorf("record %d lets %q sign unheard, and should %q", w.state.Last()+1, got, want)
	}
	w.says(by, st)
}

func TestRule47WhoSeconds(t *testing.T) {
	w := newSecondsWorld(t, 1)
	second := w.proposed(ruleFounder, ruleAdmits(ruleBrest, events.Liaison))
	st := second().(*events.MemberSeconded)
	id := st.Statement.String()
	w.refuses(ruleSecond, ruleSay("member.seconded"), "proposal-unknown",
		"no admission and no revocation with the id 01KAQ7Z0V4000000000000FRA2 waits for a second",
		"see what waits: muster member list")
	w.refuses(ruleSecond, ruleSay("member.seconded", "Statement", st.Statement, "Leaf", st.Leaf),
		"proposal-mismatch", fmt.Sprintf("key %q: record 8 is about the key %s",
			ruleParis.Key(), ruleBrest.Key()), "")
	w.refuses(ruleSecond, ruleSay("member.seconded", "Statement", st.Statement, "Key", st.Key),
		"proposal-mismatch", fmt.Sprintf("leaf %q: record 8 has the leaf hash %s: what was "+
			"seconded is not what is recorded", zeroRoot, st.Leaf), "")
	w.refuses(ruleFounder, second(), "seconded-already", ruleIDOf(ruleFounder)+" has signed "+
		"record 8, and a second word is another's", "ask another coordinator: muster member "+
		"second "+id)
	w.says(ruleThird, second())
	w.refuses(ruleThird, second(), "seconded-already", ruleIDOf(ruleThird)+" has seconded record "+
		"8 already", "nothing more needs to be said; see who else must: muster member list")
	w.proposed(ruleFounder, ruleAdmits(ruleBerlin, events.Liaison), ruleSecond)
	w.refuses(ruleBerlin, second(), "speaks-for-itself",
		"DEU/berlin speaks for Germany, and record 8 admits a key of France",
		"ask a liaison of that nation, or a coordinator: muster member second "+id)
	w.proposed(ruleFounder, ruleAdmits(ruleUN, events.Importer), ruleSecond)
	w.refuses(ruleUN, second(), "wrong-party", "HQ/un is an importer, which records published "+
		`figures only, and "member seconded" is for a liaison or a coordinator to say`,
		"ask one to say it, or sign with the key of one: --key FILE")
	ends := w.proposed(ruleFounder, ruleRevokes(ruleParis))
	w.refuses(ruleParis, ends(), "wrong-party", "FRA/paris is a liaison of France, and to second "+
		"a revocation is for a coordinator",
		"ask one to say it, or sign with the key of one: --key FILE")
	w.says(ruleParis, second())
	w.says(ruleBrest, ruleSay("pledge.offered"))

	// What is so already, and what somebody has proposed who may not sign any more, waits no more.
	w.refuses(ruleSecond, second(), "proposal-unknown", "no admission and no revocation with the "+
		"id "+id+" waits for a second", "see what waits: muster member list")
	w.says(ruleFounder, ruleRevokes(ruleFounder))
	w.refuses(ruleSecond, ends(), "proposal-unknown", "no admission and no revocation with the id "+
		ends().(*events.MemberSeconded).Statement.String()+" waits for a second",
		"see what waits: muster member list")
	w.says(ruleParis, ruleSay("pledge.offered", "ID", events.NewID()))

	// The word of a coordinator who was revoked meanwhile does not count.
	w = newSecondsWorld(t, 2)
	second = w.proposed(ruleFounder, ruleAdmits(ruleUN, events.Importer), ruleThird)
	w.says(ruleThird, ruleRevokes(ruleThird))
	w.allows(ruleFounder, ruleAdmits(ruleAuditor, events.Coordinator))
	w.says(ruleSecond, second())
	w.says(ruleUN, ruleSay("pledge.observed"))
}

func TestRule55ProposalsAreRetracted(t *testing.T) {
	w := newSecondsWorld(t, 2)
	retraction := func(second func() events.Statement, fields ...any) events.Statement {
		st := second().(*events.MemberSeconded)
		return ruleSay("member.retracted", append([]any{"Statement", st.Statement, "Key", st.Key},
			fields...)...)
	}
	second := w.proposed(ruleFounder, ruleAdmits(ruleUN, events.Importer), ruleSecond)
	id := second().(*events.MemberSeconded).Statement.String()
	w.refuses(ruleSecond, retraction(second), "proposal-of-another", "record 9 was signed by "+
		ruleIDOf(ruleFounder)+", who alone can take it back",
		"ask for that, or do not second it: without a second it counts for nothing")
	w.refuses(ruleParis, retraction(second), "wrong-party", "FRA/paris is a liaison of France, "+
		`and "member retracted" is for a coordinator to say`,
		"ask one to say it, or sign with the key of one: --key FILE")
	w.refuses(ruleFounder, retraction(second, "Key", ruleBrest.Key()), "proposal-mismatch",
		fmt.Sprintf("key %q: record 9 is about the key %s", ruleBrest.Key(), ruleUN.Key()), "")
	w.says(ruleFounder, retraction(second))

	// From here on it is as if it had not been said: nothing is left to second, or to retract.
	gone := "no admission and no revocation with the id " + id + " waits for a second"
	w.refuses(ruleThird, second(), "proposal-unknown", gone, "see what waits: muster member list")
	w.refuses(ruleFounder, retraction(second), "proposal-unknown", gone,
		"see what waits: muster member list")
	w.refuses(ruleUN, ruleSay("pledge.observed"), "not-admitted", "the key "+ruleIDOf(ruleUN)+
		" is not a member of this ledger",
		"ask a coordinator to admit it: muster member admit KEY")

	// What another proposes of the same key waits as before, and it may be proposed anew.
	other := w.proposed(ruleThird, ruleAdmits(ruleUN, events.Importer))
	second = w.proposed(ruleFounder, ruleAdmits(ruleUN, events.Importer))
	w.says(ruleFounder, retraction(second))
	w.says(ruleSecond, other())
	w.says(ruleFounder, other())
	w.says(ruleUN, ruleSay("pledge.observed"))
	w.refuses(ruleThird, retraction(other), "proposal-unknown", "no admission and no revocation "+
		"with the id "+other().(*events.MemberSeconded).Statement.String()+" waits for a second",
		"see what waits: muster member list")

	// So is a revocation: whose key it was about signs on.
	second = w.proposed(ruleFounder, ruleRevokes(ruleThird), ruleSecond)
	w.says(ruleFounder, retraction(second))
	w.refuses(ruleThird, second(), "proposal-unknown", "no admission and no revocation with the "+
		"id "+second().(*events.MemberSeconded).Statement.String()+" waits for a second",
		"see what waits: muster member list")
	w.allows(ruleThird, ruleSay("operation.opened", "Operation", "other"))
}

// ruleIDOf is how refusals name a key.
func ruleIDOf(s *events.Signer) string {
	id, _ := s.Key().ID()
	return id.String()
}
