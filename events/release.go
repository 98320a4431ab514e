package events

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Release says who may read a pledge, an operation or a requirement. It is part of the [Label] of
// every record about it.
type Release string

// From the widest to the narrowest. What says nothing of it is for the coalition.
const (
	Public           Release = "public"       // everybody
	CoalitionOnly    Release = "coalition"    // every member but readers cleared for less
	CoordinatorsOnly Release = "coordinators" // the coordinators, and the nation whose it is
)

// releases has the place of each in that order.
var releases = map[Release]int{Public: 0, "": 1, CoalitionOnly: 1, CoordinatorsOnly: 2}

// MaxReleasable is the most nations that a pledge may be releasable to.
const MaxReleasable = 64

func (c *checker) release(location string, r Release) {
	if r != "" {
		c.oneOf(location, string(r), string(Public), string(CoalitionOnly),
			string(CoordinatorsOnly))
	}
}

// releasableTo checks the nations to which what is for the coordinators is opened as well.
func (c *checker) releasableTo(r Release, to []Nation) {
	switch {
	case len(to) == 0:
		return
	case r != CoordinatorsOnly:
		c.field("releasable_to", "",
			"opens what is released to the coordinators alone: release it to the coordinators, "+
				"or leave this out")
	case len(to) > MaxReleasable:
		c.field("releasable_to", "", "names %d nations: write at most %d", len(to), MaxReleasable)
		return
	}
	for i, n := range to {
		at := fmt.Sprintf("releasable_to[%d]", i)
		c.nation(at, n)
		if slices.Contains(to[:i], n) {
			c.field(at, string(n), "is there twice: leave one out")
		}
	}
}

// A Label says who may read a record. It follows from the records alone, so that everybody who can
// read them derives the same. The zero Label is that of what the coalition may read.
//
// A label belongs to what a record is about and holds for life: all that is said of a pledge has
// the label with which it began, until its nation discloses it (pledge.disclosed); all that is said
// of a requirement that of its issue; and all of an operation that of its opening. Nothing is wider
// than what it rests on: see [Label.Within]. The founding and the members are public, since
// signatures could not be checked without them.
type Label struct {
	// Release is the circle that may read it; "" is as CoalitionOnly.
	Release Release
	// Owner reads it whatever the release is; "" for nobody.
	Owner Nation
	// To are nations that read what is for the coordinators, in order.
	To []Nation
}

// LabelOf returns the label that a statement says by itself, without what it rests on. Where ok is
// false, it says none: it has the label of what it is about.
func LabelOf(s Statement) (l Label, ok bool) {
	switch s := s.(type) {
	case *LedgerFounded, *MemberAdmitted, *MemberRevoked, *MemberSeconded,
		*MemberRetracted:
		return Label{Release: Public}, true
	case *OperationOpened:
		return Label{Release: s.Release}, true
	case *RequirementIssued:
		return Label{Release: s.Release}, true
	case *MeetingClosed:
		return Label{}, true
	case *ScopeDeclared:
		return Label{Owner: s.Nation}, true
	case *PledgeIndicated:
		return s.PledgeTerms.label(s.Nation), true
	case *PledgeOffered:
		return s.PledgeTerms.label(s.Nation), s.Pledge.IsZero()
	case *PledgeObserved:
		return Label{Owner: s.Nation}, true
	case *PledgeDisclosed:
		return s.PledgeTerms.label(s.Nation), true
	}
	return Label{}, false
}

func (t *PledgeTerms) label(owner Nation) Label {
	return NewLabel(t.Release, owner,
		t.ReleasableTo)
}

// NewLabel returns the label of what a nation has released so. The order of the nations does not
// matter.
func NewLabel(r Release, owner Nation, to []Nation) Label {
	l := Label{Release: r, Owner: owner}
	if len(to) > 0 {
		l.To = slices.Sorted(slices.Values(to))
	}
	return l
}

// Within returns the label narrowed to that of something which the record rests on: who may read it
// may read both. What rests on something that the coordinators keep to themselves is theirs alone,
// also where a nation said it.
func (l Label) Within(outer Label) Label {
	if releases[outer.Release] > releases[l.Release] {
		if outer.Release == CoordinatorsOnly {
			return outer
		}
		l.Release = outer.Release
	}
	if l.Release != CoordinatorsOnly || outer.Release != CoordinatorsOnly {
		return l
	}
	in := Label{Release: CoordinatorsOnly}
	if outer.OpenTo(View(l.Owner)) {
		in.Owner = l.Owner
	}
	for _, n := range l.To {
		if outer.OpenTo(View(n)) {
			in.To = append(in.To, n)
		}
	}
	return in
}

// OpenTo reports whether those who have a view may read what has the label.
func (l Label) OpenTo(v View) bool {
	switch {
	case l.Release == Public || v == CoordinatorsView:
		return true
	case v == PublicView:
		return false
	case l.Release != CoordinatorsOnly:
		return true
	}
	nation, is := v.Nation()
	return is && (nation == l.Owner || slices.Contains(l.To, nation))
}

// Covers reports whether everybody who may read what has the other label may read this, too.
func (l Label) Covers(other Label) bool {
	if l.Release != CoordinatorsOnly || other.Release != CoordinatorsOnly {
		return releases[l.Release] <= releases[other.Release]
	}
	return (other.Owner == "" || l.OpenTo(View(other.Owner))) &&
		!slices.ContainsFunc(other.To, func(n Nation) bool { return !l.OpenTo(View(n)) })
}

// String writes a label as a listing shows it: "public", "coalition", or "coordinators FRA+GBR" of
// what is France's and releasable to Britain.
func (l Label) String() string {
	if l.Release != CoordinatorsOnly {
		return string(cmp.Or(l.Release, CoalitionOnly))
	}
	var nations []string
	for _, n := range l.Nations() {
		nations = append(nations, string(n))
	}
	return strings.TrimSpace(string(l.Release) + " " + strings.Join(nations, "+"))
}

// Nations are those that read what is for the coordinators, each once: whose it is in front, and
// then those to which it is releasable.
func (l Label) Nations() (all []Nation) {
	for _, n := range append([]Nation{l.Owner}, l.To...) {
		if n != "" && !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	return all
}

// A View is what some may read of a ledger: [PublicView], [CoalitionView], the code of a nation,
// which reads the coalition's, its own and what is releasable to it, or [CoordinatorsView], which
// is all.
type View string

// The views that are no nation's.
const (
	PublicView       View = "public"
	CoalitionView    View = "coalition"
	CoordinatorsView View = "coordinators"
)

// ParseView reads a view as somebody writes it, and false where it is none.
func ParseView(s string) (View, bool) {
	switch v := View(s); v {
	case PublicView, CoalitionView, CoordinatorsView:
		return v, true
	}
	n, ok := FindNation(s)
	return View(n), ok
}

// Nation returns the nation whose view it is, and false for the others.
func (v View) Nation() (Nation, bool) {
	switch v {
	case PublicView, CoalitionView, CoordinatorsView, "":
		return "", false
	}
	return Nation(v), true
}

// Within reports whether whoever may ask in the other view may ask in this one, since it shows
// nothing more: the public's is within all, and all are within the coordinators'. A nation's is
// within no other nation's.
func (v View) Within(other View) bool {
	switch {
	case v == other, v == PublicView, other == CoordinatorsView:
		return true
	case v == CoalitionView:
		_, is := other.Nation()
		return is
	}
	return false
}

// Common returns a view of what is open to both: the narrower one, and of two nations the
// coalition's.
func (v View) Common(other View) View {
	switch {
	case v.Within(other):
		return v
	case other.Within(v):
		return other
	}
	return CoalitionView
}

// ViewOf returns what the holder of a member's key may read.
func ViewOf(key Key, role MemberRole, clearance Clearance) View {
	party := key.Party()
	switch {
	case role == Reader && clearance == ForTheNation && party != HQ:
		return View(party)
	case role == Reader:
		return View(clearance)
	case role == Coordinator:
		return CoordinatorsView
	case role == Liaison:
		return View(party)
	}
	return CoalitionView // an importer records what is published
}

// A Clearance is what a reader may read.
type Clearance string

// What a reader may be cleared for.
const (
	ForThePublic       Clearance = "public"
	ForTheCoalition    Clearance = "coalition"
	ForTheNation       Clearance = "nation" // what the nation of its key may read
	ForTheCoordinators Clearance = "coordinators"
)
