package events

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

func formatText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	codePattern = regexp.MustCompile("`([^`]+)`")
	rowPattern  = regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (required|optional) \\| .+ \\|$")
)

// A row is what a table of FORMAT.md says of a member.
type row struct {
	name     string
	optional bool
}

// formatTables returns the rows of each section of FORMAT.md, under each name in code that its
// heading has, or else under the heading itself.
func formatTables(t *testing.T) map[string][]row {
	t.Helper()
	tables := map[string][]row{}
	for section := range strings.SplitSeq(formatText(t), "\n### ") {
		heading, body, _ := strings.Cut(section, "\n")
		body, _, _ = strings.Cut(body, "\n## ")
		var rows []row
		for _, m := range rowPattern.FindAllStringSubmatch(body, -1) {
			rows = append(rows, row{m[1], m[2] == "optional"})
		}
		names := codePattern.FindAllStringSubmatch(heading, -1)
		if names == nil {
			names = [][]string{{"", heading}}
		}
		for _, name := range names {
			if _, twice := tables[name[1]]; twice {
				t.Errorf("FORMAT.md describes %s twice", name[1])
			}
			tables[name[1]] = rows
		}
	}
	return tables
}

func rowsOf(t reflect.Type) []row {
	var rows []row
	for _, m := range members(t) {
		rows = append(rows, row{m.name, m.optional})
	}
	return rows
}

// FORMAT.md lists the members of every statement in the order in which they are written, and which
// may be left out.
func TestFormatDescribesEveryMember(t *testing.T) {
	tables := formatTables(t)
	check := func(name string, want []row) {
		if !slices.Equal(tables[name], want) {
			t.Errorf("%s\nFORMAT.md lists %v\nthe code has    %v", name, tables[name], want)
		}
	}
	header := rowsOf(reflect.TypeFor[Header]())
	for _, typ := range Types() {
		s, _ := NewStatement(typ)
		all := rowsOf(reflect.TypeOf(s).Elem())
		if !slices.Equal(all[:len(header)], header) {
			t.Errorf("%s does not begin with the header: %v", typ, all)
		}
		check(string(typ), all[len(header):])
	}
	check("every statement", header)
	check("organisations", rowsOf(reflect.TypeFor[Organisation]()))
	check("seen", rowsOf(reflect.TypeFor[Seen]()))
	check("roles", rowsOf(reflect.TypeFor[RoleDefinition]()))
	check("titles", rowsOf(reflect.TypeFor[Translation]()))
	check("terms", rowsOf(reflect.TypeFor[PledgeTerms]()))
	check("strength", rowsOf(reflect.TypeFor[Strength]()))
	check("conditions", rowsOf(reflect.TypeFor[StandingCondition]()))
	check("caveats", rowsOf(reflect.TypeFor[StandingCaveat]()))
	check("allocations", rowsOf(reflect.TypeFor[StandingAllocation]()))
	check("The envelope", rowsOf(reflect.TypeFor[envelope]()))
}

func TestFormatStatesEveryBound(t *testing.T) {
	text := formatText(t)
	for _, want := range []string{
		SlugForm, UnitForm, CurrencyForm, OriginForm, keyNamePattern.String(),
		OrganisationForm, fmt.Sprintf("list of at most %d objects, no two", MaxOrganisations),
		fmt.Sprintf("at most %d characters on one line", MaxOrganisationName),
		fmt.Sprintf("list of at most %d different names", MaxOtherNames),
		fmt.Sprintf("at most %d bytes", MaxBytes), fmt.Sprintf("nested deeper than %d", MaxDepth),
		fmt.Sprintf("At most %d characters", MaxText),
		fmt.Sprintf("from 1 to %d (2⁵³ − 1)", MaxCount),
		fmt.Sprintf("to `%q`", Unit("EUR").Of(MaxCount).String()),
		fmt.Sprintf("days from 0 to %d", MaxNotice),
		fmt.Sprintf("list of 1 to %d objects", MaxRoles),
		fmt.Sprintf("list of at most %d different titles", MaxElsewhere),
		LanguageForm, fmt.Sprintf("list of at most %d objects, no two with the same `language`",
			MaxTitles),
		fmt.Sprintf("list of 1 to %d different slugs", MaxRoles),
		fmt.Sprintf("list of 1 to %d different nations", MaxReleasable),
		fmt.Sprintf("list of 1 to %d objects: the caveats", MaxHanging),
		fmt.Sprintf("list of 1 to %d different units", MaxUnits),
		fmt.Sprintf("from %s to %s", FirstDate, LastDate),
		fmt.Sprintf("version %d of the form", Version),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("FORMAT.md does not say %q", want)
		}
	}
}

// Every value of a closed set stands in FORMAT.md, in code.
func TestFormatNamesEveryValue(t *testing.T) {
	text := formatText(t)
	for _, value := range []any{
		Parliament, CeaseFire, Mandate, Funding, OtherThing, New, Present, Reserve, Public,
		CoalitionOnly, CoordinatorsOnly,
		Coordinator, Liaison, Importer, Reader, HQ, ForThePublic, ForTheCoalition, ForTheNation,
		ForTheCoordinators,
		Indicated, Offered, Accepted, Confirmed, Deployed, franceSigner(t).Key(), hqSigner(t).Key(),
		natoSigner(t).Key(),
	} {
		if quoted := fmt.Sprintf("`%s`", value); !strings.Contains(text, quoted) &&
			!strings.Contains(text, fmt.Sprintf("    %s\n", value)) {
			t.Errorf("FORMAT.md does not name %s", quoted)
		}
	}
}

func TestFormatExample(t *testing.T) {
	text := formatText(t)
	_, rest, _ := strings.Cut(text, "```record\n")
	example, _, ok := strings.Cut(rest, "```\n")
	if !ok {
		t.Fatal("FORMAT.md has no example of a record")
	}
	rec, err := ParseRecord(1, []byte(example))
	if err != nil {
		t.Fatal(err)
	}
	if err := rec.VerifiedBy(franceSigner(t).Key()); err != nil {
		t.Error(err)
	}
	file, err := os.ReadFile(goldenDir + "/pledge.offered.txt")
	if err != nil || !bytes.Equal(file, rec.Stored) {
		t.Errorf("the example is not the golden file, %v", err)
	}
	for _, want := range []string{Subject(rec.Statement), tlog.RecordHash(rec.Stored).String()} {
		if !strings.Contains(text, "`"+want+"`") {
			t.Errorf("FORMAT.md does not say that the example has %s", want)
		}
	}
}
