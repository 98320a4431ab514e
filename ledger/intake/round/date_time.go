package round

import (
	"regexp"
	"slices"
	"strings"

	"muster/events"
	"muster/ledger/intake/sheet"
)

// A day begins at another time in each place, and the lists of a system that keeps moments may
// write the midnight of one place as 22:00 of the day before. So that which day is meant is for
// whoever writes the mapping to say, and a time of day is left out only where its dates have one,
// too.

var (
	// timeOfDay is what may stand behind a day: 14:30, T14:30:00.5Z, 2:30 PM, 14:30 +02:00.
	timeOfDay = regexp.MustCompile(`(?i)[T ] *([01]?[0-9]|2[0-4]):[0-5][0-9]` +
		`(:[0-5][0-9]([.,][0-9]+)?)?( ?[ap]\.?m\.?)?( ?Z| ?[+-][0-9]{2}:?[0-9]{2})?$`)
	lastMinute = regexp.MustCompile(`[T ]23:59(:59)?$`)
)

const (
	isoDay    = "2021-12-31" // the form that is always understood, as an example
	behindDay = " 23:59"     // which says that times of day are left out
)

// formsOfDay returns the forms of dates with which a text that has a time of day would be read,
// each as a mapping has it; those of the mapping, where it has one for the day.
func (m *Mapping) formsOfDay(text string) []string {
	day := timeOfDay.ReplaceAllString(text, "")
	if _, rest, ok := sheet.Serial(text); ok && rest > 0 {
		day, _, _ = strings.Cut(text, ".")
	}
	if day == text {
		return nil
	}
	if _, err := events.ParseDate(day); err == nil {
		return []string{"dates: " + isoDay + behindDay}
	}
	for _, forms := range [][]DateForm{m.Dates, usualForms()} {
		var fit []string
		for _, f := range forms {
			if _, _, ok := f.read(day); ok && !f.timed && (f.serial == 0 || len(day) > 4) {
				fit = append(fit, "dates: "+f.example+behindDay)
			}
		}
		if fit != nil {
			return slices.Compact(fit)
		}
	}
	return nil
}
