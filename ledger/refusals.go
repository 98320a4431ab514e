package ledger

import (
	"fmt"

	"muster/events/problem"
)

// A code names the rule that refuses a statement. The list is append-only: programs and people rely on the names.
type code struct {
	slug string
	kind problem.Kind
}

// The codes, in the order in which they came. Each is explained by the rule in doc.go that it belongs to.
var (
	codeNotFounded       = code{"not-founded", problem.Unavailable}
	codeAlreadyFounded   = code{"already-founded", problem.Conflict}
	codeOtherLedger      = code{"other-ledger", problem.NotAllowed}
	codeNotAdmitted      = code{"not-admitted", problem.NotAllowed}
	codeRevoked          = code{"revoked", problem.NotAllowed}
	codeBadSignature     = code{"bad-signature", problem.NotAllowed}
	codeWrongParty       = code{"wrong-party", problem.NotAllowed}
	codeSpeaksForItself  = code{"speaks-for-itself", problem.NotAllowed}
	codeIDTaken          = code{"id-taken", problem.Conflict}
	codeKeyKnown         = code{"key-known", problem.Conflict}
	codeKeyUnknown       = code{"key-unknown", problem.NotFound}
	codeLastCoordinator  = code{"last-coordinator", problem.Conflict}
	codeOperationUnknown = code{"operation-unknown", problem.NotFound}
	codeOperationKnown   = code{"operation-known", problem.Conflict}
	codeRoleUnknown      = code{"role-unknown", problem.Invalid}
	codeUnitNotOfRole    = code{"unit-not-of-role", problem.Invalid}
	codeRoleInUse        = code{"role-in-use", problem.Conflict}
	codeLineUnknown      = code{"line-unknown", problem.NotFound}
	codeLineKnown        = code{"line-known", problem.Conflict}
	codeLineCancelled    = code{"line-cancelled", problem.Conflict}
	codeRoleFixed        = code{"role-fixed", problem.Invalid}
	codeOutsideScope     = code{"outside-scope", problem.Conflict}
	codePledgeUnknown    = code{"pledge-unknown", problem.NotFound}
	codePledgeElsewhere  = code{"pledge-elsewhere", problem.Invalid}
	codePledgeEnded      = code{"pledge-ended", problem.Conflict}
	codeWrongRung        = code{"wrong-rung", problem.Conflict}
	codeBeforeBeginning  = code{"before-beginning", problem.Invalid}
	codeAlreadyObserved  = code{"already-observed", problem.Conflict}
	codeNothingPledged   = code{"nothing-pledged", problem.Conflict}
	codeConditionKnown   = code{"condition-known", problem.Conflict}
	codeConditionUnknown = code{"condition-unknown", problem.NotFound}
	codeConditionOpen    = code{"condition-open", problem.Conflict}
	codeUnitFixed        = code{"unit-fixed", problem.Invalid}
)

// refuse makes the refusal that a person reads.
func refuse(c code, format string, args ...any) *problem.Problem {
	return problem.New(c.kind, format, args...).WithCode(c.slug)
}

// refuseField makes a refusal that belongs to one field of the statement.
func refuseField(c code, location, value, format string, args ...any) *problem.Problem {
	p := refuse(c, "%s %q: %s", location, value, fmt.Sprintf(format, args...))
	p.Fields = []problem.Field{{Location: location, Value: value, Message: fmt.Sprintf(format, args...)}}
	return p
}
