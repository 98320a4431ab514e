package page

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"muster/events"
	"muster/projections"
	"muster/projections/web"
)

// Each column that a page of rows may have has words in every language.
func TestHeadsHaveWords(t *testing.T) {
	words, err := readWords(files)
	if err != nil {
		t.Fatal(err)
	}
	organised := web.Plan{}
	organised.Catalogue.Organisations = make(events.Organisations, 1)
	for _, table := range []web.Table{web.DueTable(projections.Dues{}),
		web.ReadinessTable(projections.Readiness{}), web.ReviewTable(projections.Review{}),
		web.DeliveryTable(projections.Deliveries{}), web.NationsTable(projections.Nations{}),
		web.PlanTable(organised), web.MembersTable(projections.Roster{}),
		web.CorrectionsTable(projections.Corrections{}), web.LateTable(projections.LateRecords{})} {
		for _, one := range append([]web.Table{table}, table.Beside...) {
			for _, head := range one.Head {
				if key := "head." + strings.ReplaceAll(head, " ", "-"); words.words[key] == nil {
					t.Errorf("there are no words for %s", key)
				}
			}
		}
	}
	for _, one := range tables {
		for _, key := range []string{"title." + one.name, "table.how." + one.name} {
			if words.words[key] == nil {
				t.Errorf("there are no words for %s", key)
			}
		}
		for _, name := range one.asks {
			if words.words["table.ask."+name] == nil && name != "by_nation" {
				t.Errorf("there are no words for table.ask.%s", name)
			}
		}
	}
}

// Whose key was admitted without the word of its nation stands on the page, in every language.
func TestMembersWithoutTheirNationsWord(t *testing.T) {
	words, err := readWords(files)
	if err != nil {
		t.Fatal(err)
	}
	for lang, want := range map[string]string{
		"en": "FRA/nice was admitted without the word of its nation",
		"fr": "FRA/nice a été admise sans la parole de son pays"} {
		f := &frame{speaker: words.speakerFor(httptest.NewRequest(http.MethodGet, "/?lang="+lang,
			nil))}
		said := f.unheard(projections.Roster{Members: []projections.Member{{Name: "FRA/paris"},
			{Name: "FRA/nice", Admitted: 15, Unheard: true}}})
		if len(said) != 1 || !strings.HasPrefix(said[0], want) {
			t.Errorf("%s: %q", lang, said)
		}
	}
}

// Nothing of a closed set is left in English on a French page of rows.
func TestClosedSetsInFrench(t *testing.T) {
	words, err := readWords(files)
	if err != nil {
		t.Fatal(err)
	}
	f := &frame{speaker: words.speakerFor(httptest.NewRequest(http.MethodGet, "/?lang=fr", nil))}
	same := map[string]bool{"public": true} // in both languages
	for _, one := range []struct {
		question, column, said string
	}{
		{"plan", "state", "in-force upcoming over cancelled"}, {"plan", "essential", "yes"},
		{"members", "role", "coordinator liaison importer reader"},
		{"members", "clearance", "public coalition coordinators"},
		{"members", "proposed", "revoke|admit as liaison|admit as reader"},
		{"due", "waits for", "nation coordinators condition"},
		{"due", "due", "lapses waits unconfirmed condition-open ends-unrelieved"},
		{"due", "quantity", "unknown"}, {"nations", "as declared", "yes"},
		{"readiness", "of unknown size", "1 pledge|2 pledges"},
	} {
		p := &tablePage{frame: f, Question: one.question}
		all := strings.Split(one.said, "|")
		if len(all) == 1 {
			all = strings.Fields(one.said)
		}
		for _, said := range all {
			c := p.cell(tableColumn{Name: one.column}, said)
			if c.English || len(c.Parts) != 1 || c.Parts[0].Text == said && !same[said] {
				t.Errorf("%s, %s: %q is %+v", one.question, one.column, said, c)
			}
		}
	}
	if said := f.lacks(projections.Waiting{Coordinators: 1, Liaison: "FRA"}); said !=
		"il manque 1 coordinateur, il manque un officier de liaison\u00a0: France" {
		t.Errorf("what lacks is %q", said)
	}
}
