package projections

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"muster/events"
)

// Every term that a statement can say is one that the review of a change compares.
func TestEveryTermIsCompared(t *testing.T) {
	var names []string
	var collect func(reflect.Type)
	collect = func(of reflect.Type) {
		for i := range of.NumField() {
			if f := of.Field(i); f.Anonymous {
				collect(f.Type)
			} else {
				name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
				names = append(names, name)
			}
		}
	}
	collect(reflect.TypeFor[events.PledgeTerms]())
	var compared []string
	for _, one := range TermsOf(new(events.PledgeTerms)) {
		compared = append(compared, one.Name)
	}
	slices.Sort(names)
	slices.Sort(compared)
	equal(t, "terms", strings.Join(compared, " "), strings.Join(names, " "))
}
