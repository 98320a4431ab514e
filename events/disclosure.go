package events

import (
	"fmt"
	"slices"
)

// PledgeDisclosed opens a pledge to more than could read it so far. It restates the pledge as it
// stands, with what hangs on it: those who could not read what was said before meet the pledge
// here, and what was said before stays closed to them. For all others it changes nothing but who
// may read. A pledge that was only observed is not disclosed.
type PledgeDisclosed struct {
	Header
	Dated
	Place
	Pledge ID `json:"pledge"`
	Upon
	// PledgeTerms are the terms as they stand, but for who may read them from now on.
	PledgeTerms
	Standing
}

// Thing returns the pledge's ID.
func (s *PledgeDisclosed) Thing() ID { return s.Pledge }

func (s *PledgeDisclosed) setThing(id ID) { s.Pledge = id }

func (s *PledgeDisclosed) check(c *checker) {
	checkAll(c, &s.Header, &s.Dated, &s.Place, &s.Upon, &s.PledgeTerms, &s.Standing)
	c.id("pledge", s.Pledge, "that began the pledge")
	if s.Release == "" {
		c.field("release", "",
			"missing: write who may read the pledge from now on, one of: %s, %s, %s",
			Public, CoalitionOnly, CoordinatorsOnly)
	}
}

// A Rung is how far a pledge has climbed, as a statement writes it.
type Rung string

// The rungs of a pledge that has not ended.
const (
	Indicated Rung = "indicated"
	Offered   Rung = "offered"
	Accepted  Rung = "accepted"
	Confirmed Rung = "confirmed"
	Deployed  Rung = "deployed"
)

// MaxHanging is the most conditions, caveats or allocations, of each, that a disclosure restates.
const MaxHanging = 64

// Standing is where a pledge stands, beside its terms.
type Standing struct {
	Rung Rung `json:"rung"`
	// InPlace is the strength last reported, of a pledge that is deployed.
	InPlace *Strength `json:"in_place,omitzero"`
	// Conditions, Caveats and Allocations are those that hang on it still, and the conditions that
	// have failed, each as often as it was said.
	Conditions  []StandingCondition  `json:"conditions,omitzero"`
	Caveats     []StandingCaveat     `json:"caveats,omitzero"`
	Allocations []StandingAllocation `json:"allocations,omitzero"`
}

// A StandingCondition is a condition that is open, or has failed.
type StandingCondition struct {
	Condition Line          `json:"condition"`
	Kind      ConditionKind `json:"kind"`
	Failed    bool          `json:"failed,omitzero"`
}

// A StandingCaveat is a caveat that holds.
type StandingCaveat struct {
	Caveat      Line   `json:"caveat"`
	Restriction string `json:"restriction"`
}

// A StandingAllocation is an allocation that holds, or will.
type StandingAllocation struct {
	// Allocation is the ID of the statement that made it.
	Allocation ID   `json:"allocation"`
	Line       Line `json:"line"`
	Strength
	Window
}

func (s *Standing) check(c *checker) {
	c.oneOf("rung", string(s.Rung), string(Indicated), string(Offered), string(Accepted),
		string(Confirmed), string(Deployed))
	switch {
	case s.InPlace == nil && s.Rung == Deployed:
		c.field("in_place", "", "missing: write the strength last reported")
	case s.InPlace != nil && s.Rung != Deployed:
		c.field("in_place", "", "a pledge that is %s has no strength in place: leave it out",
			s.Rung)
	case s.InPlace != nil:
		c.in("in_place", s.InPlace)
	}
	each(c, "conditions", s.Conditions, (*StandingCondition).check,
		func(h *StandingCondition) any { return h.Condition })
	each(c, "caveats", s.Caveats, (*StandingCaveat).check,
		func(h *StandingCaveat) any { return h.Caveat })
	each(c, "allocations", s.Allocations, (*StandingAllocation).check,
		func(a *StandingAllocation) any { return a.Allocation })
}

// each checks the elements of a list, of which no two have one name.
func each[E any](c *checker, member string, all []E, check func(*E, *checker, string),
	name func(*E) any) {
	if len(all) > MaxHanging {
		c.field(member, "", "has %d elements: write at most %d", len(all), MaxHanging)
		return
	}
	for i := range all {
		at := fmt.Sprintf("%s[%d]", member, i)
		check(&all[i], c, at)
		if slices.ContainsFunc(all[:i], func(e E) bool { return name(&e) == name(&all[i]) }) {
			c.field(at, "", "is there twice: leave one out")
		}
	}
}

func (h *StandingCondition) check(c *checker, at string) {
	c.slug(at+".condition", string(h.Condition), "parliament")
	c.oneOf(at+".kind", string(h.Kind), conditionKinds()...)
}

func (h *StandingCaveat) check(c *checker, at string) {
	c.slug(at+".caveat", string(h.Caveat), "no-night-flights")
	c.title(at+".restriction", h.Restriction)
}

func (a *StandingAllocation) check(c *checker, at string) {
	c.id(at+".allocation", a.Allocation, "that made the allocation")
	c.slug(at+".line", string(a.Line), "ground-west")
	c.in(at, &a.Strength)
	c.in(at, &a.Window)
}

func (w *Window) check(c *checker) { c.window(*w) }
