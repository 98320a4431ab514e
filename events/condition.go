package events

// ConditionKind says who or what must act before a pledge is free to move.
type ConditionKind string

// The kinds of conditions.
const (
	Parliament ConditionKind = "parliament"
	CeaseFire  ConditionKind = "cease-fire"
	Mandate    ConditionKind = "mandate"
	Funding    ConditionKind = "funding"
	OtherThing ConditionKind = "other"
)

func conditionKinds() []string {
	return []string{string(Parliament), string(CeaseFire), string(Mandate), string(Funding),
		string(OtherThing)}
}

// A ConditionStep is what the statements about a condition have in common.
type ConditionStep struct {
	PledgeStep
	// Condition names the condition within its pledge ("parliament", "cease-fire-holds").
	Condition Line `json:"condition"`
}

func (s *ConditionStep) check(c *checker) {
	s.PledgeStep.check(c)
	c.slug("condition", string(s.Condition), "parliament")
}

// ConditionAdded says what must happen before the pledge can be confirmed.
type ConditionAdded struct {
	ConditionStep
	Kind ConditionKind `json:"kind"`
}

func (s *ConditionAdded) check(c *checker) {
	s.ConditionStep.check(c)
	c.oneOf("kind", string(s.Kind), conditionKinds()...)
}

// ConditionDischarged says that what had to happen has happened.
type ConditionDischarged struct{ ConditionStep }

// ConditionFailed says that it will not happen.
type ConditionFailed struct{ ConditionStep }
