package round

import (
	"fmt"
	"slices"
	"strings"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
)

// The rungs that a row may say, and how they are written. A pledge climbs one at a time, so that
// what is deployed was offered, accepted and confirmed. What was observed was never offered.
const (
	indicated = "indicated"
	offered   = "offered"
	accepted  = "accepted"
	confirmed = "confirmed"
	deployed  = "deployed"
	observed  = "observed"
)

var rungs = []string{indicated, offered, accepted, confirmed, deployed, observed}

// follow returns the rung that a row says, and what is said of its pledge after the offer, in this
// order: conditions, caveats, and the rungs above it.
func (c *converter) follow(v *values, offer *events.PledgeOffered) (rung string,
	then []events.Statement, wrong []problem.Field) {
	f := &follower{offer: offer, on: offer.Effective}
	refuse := func(field string, why phrase.Phrase) {
		f.wrong = append(f.wrong, problem.FieldSaid(field, problem.Shorten(v.text[field]), why))
	}
	rung = strings.ToLower(v.text["rung"])
	var strength events.Quantity
	if c.isThere(v, "deployed") {
		if err := c.quantity(v, "deployed", offer.Unit, &strength); err != nil {
			refuse("deployed", phrase.Of("%s", err))
		}
		if rung != observed {
			rung = deployed
		}
	}
	if rung == "" {
		rung = offered
	}
	if !slices.Contains(rungs, rung) {
		refuse("rung", phrase.Of("no rung: say under words what it stands for, such as words: "+
			"{rung: {paid: deployed, commitment: confirmed, pledge: offered}}; the rungs are %s",
			strings.Join(rungs, ", ")))
		return rung, nil, f.wrong
	}
	f.conditions(v.text["conditions"], rung, refuse)
	f.caveats(v.text["caveats"], refuse)
	height := slices.Index(rungs, rung)
	if rung == observed {
		height = 0
	}
	if height >= 2 {
		f.say(&events.PledgeAccepted{PledgeStep: f.step("pledge.accepted", "")})
	}
	if height >= 3 {
		f.say(&events.PledgeConfirmed{PledgeStep: f.step("pledge.confirmed", "")})
	}
	if height >= 4 {
		if err := read(v.text["deployed_on"], &f.on, c.beginning); err != nil {
			refuse("deployed_on", phrase.Of("%s", err))
		}
		if strength.IsZero() {
			strength = offer.Quantity
		}
		f.say(&events.PledgeDeployed{PledgeStep: f.step("pledge.deployed", ""),
			Strength: events.Strength{Quantity: strength, Unit: offer.Unit}})
	}
	if height == 0 && len(f.wrong) == 0 {
		f.wrong = withChecks(f.wrong, begins(offer, rung))
	}
	return rung, f.then, f.wrong
}

// isThere reports whether the field says that something is there: what is empty or 0 does not.
func (c *converter) isThere(v *values, field string) bool {
	a, err := c.numbers(v, field).read(v.text[field])
	return !a.blank && (err != nil || a.sign != 0)
}

// A follower makes what is said of a pledge after its offer.
type follower struct {
	offer *events.PledgeOffered
	on    events.Date
	then  []events.Statement
	wrong []problem.Field
}

// step is the beginning of a statement of the given type; the name tells apart those of one type.
// Its id follows from the offer's.
func (f *follower) step(t events.Type, name string) events.PledgeStep {
	id, err := idOf(f.on, fmt.Appendf(nil, "muster round 1\n%s\n%s\n%s", f.offer.ID, t, name))
	if err != nil {
		id = events.ID{} // which no statement may have
	}
	return events.PledgeStep{
		Header: events.Header{Type: t, ID: id, Ledger: f.offer.Ledger},
		Dated:  events.Dated{Effective: f.on}, Place: f.offer.Place,
		Step: events.Step{Pledge: f.offer.ID, Source: f.offer.Source}}
}

// say takes in a statement, with what is wrong in it.
func (f *follower) say(st events.Statement) {
	f.wrong = withChecks(f.wrong, st)
	if on := st.(interface{ On() events.Date }).On(); on < f.offer.Effective {
		f.wrong = append(f.wrong, problem.FieldOf("deployed_on", on.String(),
			"lies before the offer holds: write that date or a later one"))
	}
	f.then = append(f.then, st)
}

// conditions adds the conditions of a text such as "parliament; funding".
func (f *follower) conditions(text, rung string, refuse func(string, phrase.Phrase)) {
	for _, kind := range list(strings.ReplaceAll(text, ",", ";")) {
		k := events.ConditionKind(strings.ToLower(kind))
		switch k {
		case events.Parliament, events.Funding, events.OtherThing:
			if rung == confirmed || rung == deployed {
				refuse("conditions", phrase.Of("a pledge with an open condition of its nation is "+
					"not %s: leave out the condition where it is met", rung))
			}
		case events.CeaseFire, events.Mandate:
		default:
			refuse("conditions", phrase.Of("write what must happen first, one or several of "+
				"parliament, cease-fire, mandate, funding, other, parted by a semicolon; what "+
				"other words stand for goes under words"))
			return
		}
		if rung == observed {
			refuse("conditions", phrase.Of("what was observed was never offered, and has none"))
			return
		}
		f.say(&events.ConditionAdded{Kind: k, ConditionStep: events.ConditionStep{
			PledgeStep: f.step("condition.added", string(k)), Condition: events.Line(k)}})
	}
}

// caveats adds the caveats of a text such as "no night flights; no-air-to-ground: surveillance
// only": a restriction, with a name in front where it has one.
func (f *follower) caveats(text string, refuse func(string, phrase.Phrase)) {
	for _, one := range list(text) {
		name, restriction, named := strings.Cut(one, ":")
		if !named || !events.Line(name).Valid() {
			name, restriction = slug(one), one
		}
		if !events.Line(name).Valid() {
			refuse("caveats", phrase.Of("write a restriction with a name in front, such as "+
				"no-night-flights: no flights at night"))
			return
		}
		f.say(&events.CaveatDeclared{Restriction: strings.TrimSpace(restriction),
			CaveatStep: events.CaveatStep{PledgeStep: f.step("caveat.declared", name),
				Caveat: events.Line(name)}})
	}
}

// slug makes a name of words: "No night flights" becomes no-night-flights.
func slug(words string) string {
	const longest = 32
	parts := strings.FieldsFunc(strings.ToLower(words), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	name := strings.Join(parts, "-")
	return strings.Trim(name[:min(len(name), longest)], "-")
}

// begins returns the statement that begins the pledge of an offer: the offer, or, for the two rungs
// that are none, what else it is.
func begins(o *events.PledgeOffered, rung string) events.Statement {
	head := o.Header
	switch rung {
	case indicated:
		head.Type = "pledge.indicated"
		return &events.PledgeIndicated{Header: head, Dated: o.Dated, Place: o.Place,
			PledgeTerms: o.PledgeTerms}
	case observed:
		head.Type = "pledge.observed"
		return &events.PledgeObserved{Header: head, Dated: o.Dated, Place: o.Place, Role: o.Role,
			Strength: events.Strength{Quantity: o.Quantity, Unit: o.Unit}, Source: o.Source}
	}
	return o
}
