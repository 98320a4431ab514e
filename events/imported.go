package events

import (
	"regexp"
	"strings"
)

// What was imported from a file says so at the end of its source, by the name of the import:
// "Ukraine Support Tracker, release 22 [import kiel-tracker]". So all that came from one file, or
// from one tracker again and again, is found by one name.

// ImportNameForm is the form of the name of an import, as a pattern.
const ImportNameForm = `[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?`

var (
	importName = regexp.MustCompile(`^` + ImportNameForm + `$`)
	importTag  = regexp.MustCompile(`\[import (` + ImportNameForm + `)\]$`)
)

// IsImportName reports whether an import can have a name: lower-case letters, digits, hyphens and
// dots, at most 64.
func IsImportName(name string) bool { return importName.MatchString(name) }

// WithImport returns a source with the name of an import in the place of the one that it may have;
// with none for "".
func WithImport(source, name string) string {
	source = strings.TrimSpace(importTag.ReplaceAllString(source, ""))
	if name == "" {
		return source
	}
	return strings.TrimSpace(source + " [import " + name + "]")
}

// ImportIn returns the name of the import that a source tells, "" where it tells none.
func ImportIn(source string) string {
	if !strings.HasSuffix(source, "]") { // as nearly all
		return ""
	}
	if m := importTag.FindStringSubmatch(source); m != nil {
		return m[1]
	}
	return ""
}

// ImportOf returns the name of the import that a statement came from, "" for none.
func ImportOf(s Statement) string {
	if from, ok := s.(interface{ published() string }); ok {
		return ImportIn(from.published())
	}
	return ""
}

func (t *PledgeTerms) published() string     { return t.Source }
func (s *Step) published() string            { return s.Source }
func (s *PledgeObserved) published() string  { return s.Source }
func (s *PledgeCorrected) published() string { return s.Source }
