package web

import (
	"slices"
	"strings"
	"testing"

	"muster/events"
	"muster/events/problem"
	"muster/projections/access"
)

// askers are those who may ask, with the widest view of each: "" for who has not signed in.
func askers() map[string]access.Reader {
	all := map[string]access.Reader{"": {}}
	for _, view := range []events.View{events.PublicView, events.CoalitionView, "FRA", "POL",
		events.CoordinatorsView} {
		all[string(view)] = access.Reader{Key: events.Key("FRA/test+00000000+x"), View: view}
	}
	return all
}

// Who asks is answered in its widest view, or in a narrower one that it asks for, and refused a
// wider one. On an open server everybody is answered in every view.
func TestViewsAreChosen(t *testing.T) {
	t.Parallel()
	s := newServer(t, newConfidence(t).testLog).service
	views := []events.View{"", events.PublicView, events.CoalitionView, "FRA", "POL",
		events.CoordinatorsView}
	may := map[string]string{"": "public", "public": "public", "coalition": "public coalition",
		"FRA": "public coalition FRA", "POL": "public coalition POL",
		"coordinators": "public coalition FRA POL coordinators"}
	for _, reads := range []access.Reading{access.ReadOpen, access.ReadReleased,
		access.ReadMembers} {
		s.Reads = reads
		for name, asker := range askers() {
			ctx := access.WithReader(t.Context(), asker)
			for _, view := range views {
				as, err := s.For(ctx, string(view))
				said := string(s.Reads) + ", " + name + " asks for " + string(view)
				switch allowed := strings.Fields(may[name]); {
				case s.Reads == access.ReadMembers && name == "":
					if p := problem.From(err); p == nil || p.Kind != problem.SignedOut ||
						p.Hint == "" {
						t.Errorf("%s: %v", said, err)
					}
				case s.Reads != access.ReadOpen && view != "" && !slices.Contains(allowed,
					string(view)):
					if p := problem.From(err); p == nil || p.Kind != problem.NotReadable ||
						len(p.Fields) != 1 || p.Fields[0].Location != "view" {
						t.Errorf("%s: %v", said, err)
					}
				case err != nil:
					t.Errorf("%s: %v", said, err)
				default:
					equal(t, said, as.View(), widest(s.Reads, allowed, view))
				}
			}
		}
	}
}

// widest is the view in which those are answered who may ask for the allowed ones, the widest last.
func widest(reads access.Reading, allowed []string, asked events.View) events.View {
	if asked == "" && reads != access.ReadOpen {
		asked = events.View(allowed[len(allowed)-1])
	}
	if asked == events.CoordinatorsView {
		return ""
	}
	return asked
}
