package round

import (
	"fmt"
	"strings"

	"muster/events"
	"muster/events/english"
)

// sentence says for people what a row will say.
func (r *Row) sentence() string {
	o := r.Offer
	verb := map[string]string{indicated: "is likely to offer", observed: "was seen with"}[r.Rung]
	if verb == "" {
		verb = "offers"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s) %s %s for %s to %s", r.whose, o.Nation, verb,
		howMuchOf(o.Amount(), o.Unit), o.Role, o.Operation)
	if r.Rung == observed {
		fmt.Fprintf(&b, " on %s", o.Effective)
		return b.String()
	}
	if o.Area != "" {
		fmt.Fprintf(&b, " in %s", o.Area)
	}
	if o.Line != "" {
		fmt.Fprintf(&b, ", meant for %s", o.Line)
	}
	fmt.Fprintf(&b, ", %s", o.Span())
	if o.NoticeToMove != nil {
		fmt.Fprintf(&b, ", notice to move %s", english.Several(*o.NoticeToMove, "day"))
	}
	switch o.Presence {
	case events.Reserve:
		b.WriteString(", in reserve")
	case events.Present:
		b.WriteString(", present already")
	}
	if o.Expires != 0 {
		fmt.Fprintf(&b, ", expires %s", o.Expires)
	}
	for _, st := range r.Then {
		b.WriteString(", " + follows(st))
	}
	if o.Note != "" {
		fmt.Fprintf(&b, " (%s)", o.Note)
	}
	return b.String()
}

// follows says what is said of a pledge after it has begun.
func follows(st events.Statement) string {
	switch st := st.(type) {
	case *events.ConditionAdded:
		return "if " + string(st.Condition)
	case *events.CaveatDeclared:
		return "caveat: " + st.Restriction
	case *events.PledgeDeployed:
		return fmt.Sprintf("%s deployed from %s", amountOf(st.Quantity, st.Unit), st.Effective)
	}
	return st.Head().Type.Event()
}
