package rules

import (
	"fmt"
	"muster/events"
	"muster/events/phrase"
	"slices"
)

// follows keeps the rules that a pledge's own history makes. It is asked of what is said now, and,
// when something earlier is corrected, of all that was said since.
func follows(p *pledge, x *saying) error {
	if err := stands(p, x); err != nil {
		return err
	}
	if err := ofPromises(p, x.typ()); err != nil {
		return err
	}
	switch x.typ() {
	case "pledge.offered":
		if err := climbs(p, x, indicated); err != nil {
			return err
		}
		return stillStands(p, x)
	case "pledge.accepted":
		return climbs(p, x, offered)
	case "pledge.declined":
		return climbs(p, x, indicated, offered)
	case "pledge.confirmed":
		if err := climbs(p, x, accepted); err != nil {
			return err
		}
		return conditionsMet(p)
	case "pledge.deployed":
		return climbs(p, x, confirmed)
	case "pledge.withdrawn":
		return climbs(p, x, indicated, offered, accepted, confirmed)
	case "pledge.returned":
		return climbs(p, x, deployed)
	case "pledge.reported":
		return reportable(p, x)
	case "pledge.amended", "pledge.renewed", "pledge.disclosed":
		return stillStands(p, x)
	case "condition.added":
		return newCondition(p, x.name)
	case "condition.discharged", "condition.failed":
		return openCondition(p, x.name)
	case "caveat.declared":
		return newCaveat(p, x.name)
	case "caveat.lifted":
		return heldCaveat(p, x.name)
	case "allocation.made":
		return allocatable(p)
	case "allocation.released":
		return releasable(p, x)
	case "pledge.queried":
		return asksOther(p, x)
	case "pledge.answered":
		return openQuery(p, x)
	}
	return noRule(x.typ())
}

// ofPromises keeps rule 26 for what is said of promises alone: only what was promised has them.
func ofPromises(p *pledge, typ events.Type) error {
	switch typ {
	case "pledge.amended":
		return promised(p, phrase.Of("has no terms to amend"),
			phrase.Of("report its strength instead: %s", reporting(p)))
	case "pledge.renewed":
		return promised(p, phrase.Of("does not expire"),
			phrase.Of("report its strength, or its return: %s; %s", reporting(p),
				returned.command(p.id())))
	case "pledge.disclosed":
		return promised(p, phrase.Of("has no release to widen"),
			phrase.Of("published figures need no disclosure"))
	case "condition.added":
		return promised(p, phrase.Of("has no conditions"),
			phrase.Of("conditions belong to what is offered: %s", p.anew()))
	case "caveat.declared":
		return promised(p, phrase.Of("has no caveats"),
			phrase.Of("caveats belong to what is offered: %s", p.anew()))
	}
	return nil
}

// stands keeps rule 16, rule 18, rule 28 and rule 43: the pledge had begun, and has neither ended
// nor lapsed, and nothing is said of the days before it was disclosed.
func stands(p *pledge, x *saying) error {
	again := phrase.Of("offer a new pledge: %s", p.anew())
	if p.observed {
		again = phrase.Of("observe the forces anew, as a new pledge")
	}
	late := x.typ() == "pledge.reported" && p.rung == returned && x.effective < p.reached[returned]
	switch expired, lapsed := p.lapsed(x.effective); {
	case p.rung.ended() && !late:
		return refuse(codePledgeEnded,
			"the pledge %s was %s by record %d: nothing moves after that", p.id(), p.rung, p.ended).
			WithHint("%s", again)
	case lapsed:
		return refuse(codePledgeEnded,
			"the pledge %s expired on %s, and has lapsed on %s: nothing moves after that", p.id(),
			expired, x.effective).
			WithHint("what held on %s or before can still be recorded; else %s", expired, again)
	}
	if x.effective < p.opened {
		return refuseField(codeDisclosed,
			field("effective", x.effective.String(),
				"the pledge was disclosed as it stands from %s on, "+
					"and who reads it only from there knows of nothing before: write that date "+
					"or a later one", p.opened))
	}
	return notBefore(p.began, x.effective, phrase.Of("pledge %s", p.id()))
}

// stillStands keeps rule 28 for what was said already: a pledge is not made to lapse before it.
func stillStands(p *pledge, x *saying) error {
	if x.expires() == 0 {
		return nil
	}
	after, last := *p, &p.said[0]
	after.said, after.expiring = append(slices.Clip(p.said), *x), true
	for i := range p.said {
		if y := &p.said[i]; !y.struck && y.typ() != "pledge.corrected" &&
			y.effective > last.effective {
			last = y
		}
	}
	if _, lapsed := after.lapsed(last.effective); lapsed {
		return refuseField(codeExpiresEarly,
			field("expires", x.expires().String(),
				"record %d, %s, holds from %s on: write that date or a later one, or correct "+
					"that record first",
				last.sequence, last.typ().Phrase(), last.effective))
	}
	return nil
}

// climbs keeps the rules 19 and 29: a pledge climbs one rung at a time, leaves only where there is
// an exit, and reaches no rung before the one below.
func climbs(p *pledge, x *saying, from ...rung) error {
	if !slices.Contains(from, p.rung) {
		return wrongRung(p, x, from)
	}
	if since := p.reached[p.rung]; x.effective < since {
		return refuseField(codeBeforeRung,
			field("effective", x.effective.String(),
				"the pledge is %s from %s on, and cannot be %s before: write that date or a "+
					"later one",
				p.rung, since, eventOf(x)))
	}
	return nil
}

func wrongRung(p *pledge, x *saying, from []rung) error {
	refusal := refuse(codeWrongRung, "the pledge %s is %s: only one that is %s can be %s", p.id(),
		p.rung, phrase.List(phrase.Or, from...), eventOf(x))
	switch {
	case p.rung < from[0]:
		return refusal.WithHint("first it must be %s: %s", from[0], from[0].command(p.id()))
	case p.rung == deployed && x.typ() == "pledge.withdrawn":
		return refusal.WithHint("forces that were deployed go home: %s", returned.command(p.id()))
	}
	return refusal.WithHint("it is past that; see where it stands: muster pledge show %s", p.id())
}

// eventOf returns what happened to a pledge, as its sentence has it: "accepted".
func eventOf(x *saying) phrase.Phrase {
	return phrase.As(x.typ().Event(), "type."+string(x.typ()))
}

// reportable keeps the rules 23 and 29: strength is told only of what is there, and from when it
// is.
func reportable(p *pledge, x *saying) error {
	if p.rung == returned { // and the report is of a day before: see stands
		return afterDeployed(p, x)
	}
	if p.rung != deployed {
		return wrongRung(p, x, []rung{deployed})
	}
	return afterDeployed(p, x)
}

func afterDeployed(p *pledge, x *saying) error {
	if since := p.reached[deployed]; x.effective < since {
		return refuseField(codeBeforeRung,
			field("effective", x.effective.String(),
				"the forces are there from %s on: write that date or a later one", since))
	}
	return nil
}

// reporting is the command that reports the strength of a pledge.
func reporting(p *pledge) string {
	return fmt.Sprintf("muster pledge report %s --quantity N", p.id())
}

// promised keeps rule 26: what was only seen was never promised.
func promised(p *pledge, so, hint phrase.Phrase) error {
	if !p.observed {
		return nil
	}
	return refuse(codeNothingPledged,
		"the pledge %s was seen in published figures and never offered, so it %s", p.id(), so).
		WithHint("%s", hint)
}
