package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"muster/events"
	"muster/ledger/intake/plan/strictyaml"
)

// A merge makes one plan of three: what a file was written from (base), what it says, and what the
// ledger has by now. For each term, by itself:
//
//	base   file   now    what is meant
//	15000  15000  15000  15000
//	15000  12000  15000  12000, which the file changes
//	15000  15000  18000  18000, which others have changed meanwhile: it stays, and is told (kept)
//	15000  12000  12000  12000
//	15000  12000  18000  for a person to say: a fault of the file
type merge struct {
	file      *strictyaml.File
	base, now Current
	kept      []Kept
}

// contested has a person say what is to hold of a term.
func (m *merge) contested(at, base, file, now string) {
	m.file.FaultAt(at, file, "was %s when the file was written, and others have made it %s since",
		orNone(base), orNone(now))
}

// keep tells what stays as others have said it.
func (m *merge) keep(line events.Line, differs []Difference) {
	if len(differs) > 0 {
		m.kept = append(m.kept, Kept{Line: line, Differs: differs,
			Sentence: fmt.Sprintf("%s: others have changed it since the file was written, and so "+
				"it stays: %s", orOperation(line), sentence(differs))})
	}
}

func orOperation(line events.Line) string {
	if line == "" {
		return "the operation"
	}
	return string(line)
}

// requirements returns the lines that are meant: those of the file, in its order, and those that
// others have added.
func (m *merge) requirements(file []events.RequirementTerms) (all []events.RequirementTerms) {
	in := map[events.Line]bool{}
	for i := range file {
		f := &file[i]
		in[f.Line] = true
		base, was := m.base.Lines[f.Line]
		now, is := m.now.Lines[f.Line]
		switch {
		case was && is:
			all = append(all, m.requirement(i, base, *f, now))
		case was && m.now.Cancelled[f.Line] && len(requirementDiff(base, *f)) == 0:
			m.kept = append(m.kept, Kept{Line: f.Line, Stays: Cancelled,
				Sentence: fmt.Sprintf("%s: others have cancelled it since the file was written, "+
					"and so it stays", f.Line)})
		case is: // which others have issued, too
			all = append(all, m.requirement(i, events.RequirementTerms{}, *f, now))
		default:
			all = append(all, *f)
		}
	}
	for _, line := range slices.Sorted(maps.Keys(m.now.Lines)) {
		if in[line] {
			continue
		}
		base, was := m.base.Lines[line]
		now := m.now.Lines[line]
		switch differs := requirementDiff(base, now); {
		case !was:
			m.kept = append(m.kept, Kept{Line: line, Stays: Added,
				Sentence: fmt.Sprintf("%s: others have added it since the file was written, and "+
					"so it stays: %s", line, describe(now))})
			all = append(all, now)
		case len(differs) > 0:
			m.file.FaultAt("requirements "+string(line), "", "is not in the file, and others have "+
				"changed it since the file was written: %s", sentence(differs))
		}
	}
	return all
}

// requirement returns the line that is meant.
func (m *merge) requirement(i int, base, file,
	now events.RequirementTerms) (meant events.RequirementTerms) {
	meant = file
	var kept differences
	for _, t := range terms {
		switch {
		case t.same(&file, &now):
			t.take(&meant, &now)
		case t.same(&now, &base):
		case t.same(&file, &base):
			t.take(&meant, &now)
			kept.of(t.name, "", t.isText, t.text(&file), t.text(&now))
		default:
			m.contested(fmt.Sprintf("requirements[%d].%s", i, t.name), t.text(&base),
				t.text(&file), t.text(&now))
		}
	}
	m.keep(file.Line, kept)
	return meant
}

// operation returns the catalogue that is meant: its texts, each role and each organisation by
// itself.
func (m *merge) operation(file events.OperationTerms) events.OperationTerms {
	if m.base.Operation == nil || m.now.Operation == nil {
		return file
	}
	base, now, meant := *m.base.Operation, *m.now.Operation, file
	var kept differences
	text := func(at, base, file, now string) string {
		is := strings.TrimSpace
		switch {
		case is(file) == is(now):
			return now
		case is(now) == is(base):
			return file
		case is(file) == is(base):
			kept.of(at, "", true, file, now)
			return now
		}
		m.contested(at, base, file, now)
		return file
	}
	meant.Title = text("title", base.Title, file.Title, now.Title)
	meant.Note = text("note", base.Note, file.Note, now.Note)
	meant.Roles = mergeList(m, &kept, "roles", base.Roles, file.Roles, now.Roles, roleTold)
	meant.Organisations = mergeList(m, &kept, "organisations", base.Organisations,
		file.Organisations, now.Organisations, organisationTold)
	m.keep("", kept)
	return meant
}

// roleTold and organisationTold return what names an item of a list, and all that it says.
func roleTold(r events.RoleDefinition) (name, said string) {
	said = fmt.Sprintf("%s (%s)", strings.TrimSpace(r.Title), joined(r.Units))
	if len(r.Titles) > 0 {
		said += "; " + titles(r)
	}
	return string(r.Role), said
}

func organisationTold(o events.Organisation) (name, said string) {
	said = strings.TrimSpace(o.Name)
	if len(o.Also) > 0 {
		said += " (" + strings.Join(o.Also, ", ") + ")"
	}
	return string(o.Code), said
}

// mergeList returns the items of a list that are meant, each by itself. They are in the order of
// the file, or in that of the ledger where the file has left it as it was.
func mergeList[T any](m *merge, kept *differences, at string, base, file, now []T,
	told func(T) (name, said string)) []T {
	was, is, say := byName(base, told), byName(now, told), byName(file, told)
	meant := map[string]T{}
	for i, f := range file {
		name, said := told(f)
		b, n := was[name], is[name]
		switch {
		case said == n.said:
			meant[name] = n.item
		case n.said == b.said:
			meant[name] = f
		case said == b.said && n.said != "":
			meant[name] = n.item
			kept.of(strings.TrimSuffix(at, "s"), name, false, said, n.said)
		case said == b.said: // which others have taken out
			kept.of(strings.TrimSuffix(at, "s"), name, false, said, "")
		default:
			m.contested(fmt.Sprintf("%s[%d]", at, i), b.said, said, n.said)
		}
	}
	for _, n := range now {
		name, said := told(n)
		switch _, in := say[name]; {
		case in:
		case was[name].said == "":
			meant[name] = n
			kept.of(strings.TrimSuffix(at, "s"), name, false, "", said)
		case was[name].said != said:
			m.contested(at+" "+name, was[name].said, "", said)
		}
	}
	var all []T
	for _, list := range inOrder(base, file, now, told) {
		for _, one := range list {
			name, _ := told(one)
			if item, ok := meant[name]; ok {
				all = append(all, item)
				delete(meant, name)
			}
		}
	}
	return all
}

// A namedItem is an item of a list and what it says.
type namedItem[T any] struct {
	item T
	said string
}

func byName[T any](list []T, told func(T) (name, said string)) map[string]namedItem[T] {
	all := map[string]namedItem[T]{}
	for _, one := range list {
		name, said := told(one)
		all[name] = namedItem[T]{one, said}
	}
	return all
}

// inOrder returns which list gives the order of items, and which that of those that it lacks.
func inOrder[T any](base, file, now []T, told func(T) (name, said string)) [][]T {
	same := slices.EqualFunc(base, file, func(a, b T) bool {
		x, _ := told(a)
		y, _ := told(b)
		return x == y
	})
	if same {
		return [][]T{now, file}
	}
	return [][]T{file, now}
}
