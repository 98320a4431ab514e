package rules

import (
	"strings"

	"muster/events/problem"
)

// A code names the rule that refuses a statement. The list is append-only: programs and people rely
// on the names.
type code struct {
	slug string
	kind problem.Kind
}

// The codes, in the order in which they came. Each is explained by the rule in doc.go that it
// belongs to.
var (
	codeNotFounded         = code{"not-founded", problem.Unavailable}
	codeAlreadyFounded     = code{"already-founded", problem.Conflict}
	codeOtherLedger        = code{"other-ledger", problem.NotAllowed}
	codeNotAdmitted        = code{"not-admitted", problem.NotAllowed}
	codeRevoked            = code{"revoked", problem.NotAllowed}
	codeBadSignature       = code{"bad-signature", problem.NotAllowed}
	codeWrongParty         = code{"wrong-party", problem.NotAllowed}
	codeSpeaksForItself    = code{"speaks-for-itself", problem.NotAllowed}
	codeIDTaken            = code{"id-taken", problem.Conflict}
	codeKeyKnown           = code{"key-known", problem.Conflict}
	codeKeyUnknown         = code{"key-unknown", problem.NotFound}
	codeLastCoordinator    = code{"last-coordinator", problem.Conflict}
	codeOperationUnknown   = code{"operation-unknown", problem.NotFound}
	codeOperationKnown     = code{"operation-known", problem.Conflict}
	codeRoleUnknown        = code{"role-unknown", problem.Invalid}
	codeUnitNotOfRole      = code{"unit-not-of-role", problem.Invalid}
	codeRoleInUse          = code{"role-in-use", problem.Conflict}
	codeLineUnknown        = code{"line-unknown", problem.NotFound}
	codeLineKnown          = code{"line-known", problem.Conflict}
	codeLineCancelled      = code{"line-cancelled", problem.Conflict}
	codeRoleFixed          = code{"role-fixed", problem.Invalid}
	codeOutsideScope       = code{"outside-scope", problem.Conflict}
	codePledgeUnknown      = code{"pledge-unknown", problem.NotFound}
	codePledgeElsewhere    = code{"pledge-elsewhere", problem.Invalid}
	codePledgeEnded        = code{"pledge-ended", problem.Conflict}
	codeWrongRung          = code{"wrong-rung", problem.Conflict}
	codeBeforeBeginning    = code{"before-beginning", problem.Invalid}
	codeAlreadyObserved    = code{"already-observed", problem.Conflict}
	codeNothingPledged     = code{"nothing-pledged", problem.Conflict}
	codeConditionKnown     = code{"condition-known", problem.Conflict}
	codeConditionUnknown   = code{"condition-unknown", problem.NotFound}
	codeConditionOpen      = code{"condition-open", problem.Conflict}
	codeUnitFixed          = code{"unit-fixed", problem.Invalid}
	codeOtherHistory       = code{"other-history", problem.Conflict}
	codeBeforeRung         = code{"before-rung", problem.Invalid}
	codeCaveatKnown        = code{"caveat-known", problem.Conflict}
	codeCaveatUnknown      = code{"caveat-unknown", problem.NotFound}
	codeAllocationMismatch = code{"allocation-mismatch", problem.Invalid}
	codeOverAllocated      = code{"over-allocated", problem.Conflict}
	codeAllocationUnknown  = code{"allocation-unknown", problem.NotFound}
	codeAllocationReleased = code{"allocation-released", problem.Conflict}
	codeRotationMismatch   = code{"rotation-mismatch", problem.Invalid}
	codeCorrectionUnknown  = code{"correction-unknown", problem.NotFound}
	codeCorrectionMismatch = code{"correction-mismatch", problem.Invalid}
	codeCorrectionBreaks   = code{"correction-breaks", problem.Conflict}
	codeExpiresEarly       = code{"expires-early", problem.Invalid}
	codeAfterUnknown       = code{"after-unknown", problem.Invalid}
	codeChangedSince       = code{"changed-since", problem.Conflict}
	codeReleaseFixed       = code{"release-fixed", problem.Invalid}
	codeReleaseTooWide     = code{"release-too-wide", problem.Invalid}
	codeReleaseNotWider    = code{"release-not-wider", problem.Conflict}
	codeDisclosureMismatch = code{"disclosure-mismatch", problem.Invalid}
	codeDisclosed          = code{"disclosed", problem.Conflict}
	codeTooLate            = code{"too-late", problem.Invalid}
	codeNotSeconded        = code{"not-seconded", problem.NotAllowed}
	codeProposalUnknown    = code{"proposal-unknown", problem.NotFound}
	codeProposalMismatch   = code{"proposal-mismatch", problem.Invalid}
	codeSecondedAlready    = code{"seconded-already", problem.Conflict}
	codeStillAllocated     = code{"still-allocated", problem.Conflict}
	codePledgeStruck       = code{"pledge-struck", problem.Conflict}
	codeNoCurrency         = code{"no-currency", problem.Invalid}
	codeMeetingKnown       = code{"meeting-known", problem.Conflict}
	codeQueryMismatch      = code{"query-mismatch", problem.Invalid}
	codeQueryUnknown       = code{"query-unknown", problem.NotFound}
	codeQueryAnswered      = code{"query-answered", problem.Conflict}

	codeOrganisationUnknown   = code{"organisation-unknown", problem.Invalid}
	codeOrganisationInUse     = code{"organisation-in-use", problem.Conflict}
	codeOrganisationAmbiguous = code{"organisation-ambiguous", problem.Invalid}
	codeProposalOfAnother     = code{"proposal-of-another", problem.NotAllowed}
)

// refuse makes the refusal that a person reads: what is wrong, by name. The remedy is in it too, or
// in its hint.
func refuse(c code, format string, args ...any) *problem.Problem {
	return problem.New(c.kind, format, args...).WithCode(c.slug)
}

// refuseField makes the refusal that belongs to one field of the statement.
func refuseField(c code, f problem.Field) *problem.Problem {
	return problem.OfField(c.kind, f).WithCode(c.slug)
}

// refuseFields makes the refusal that belongs to several fields, all of them at once; nil when
// there are none.
func refuseFields(c code, fields []problem.Field) error {
	err := problem.OfFields(fields)
	if err == nil {
		return nil
	}
	p := *problem.From(err)
	p.Kind, p.Code = c.kind, c.slug
	return &p
}

// field says what is wrong with one field of the statement, and what to write instead.
func field[T ~string](location string, value T, format string, args ...any) problem.Field {
	return problem.FieldOf(location, string(value), format, args...)
}

// arguments writes words as arguments of a command.
func arguments[T ~string](all []T) string {
	var b strings.Builder
	for i, w := range all {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(w))
	}
	return b.String()
}
