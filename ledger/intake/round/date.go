package round

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"muster/events"
	"muster/events/phrase"
	"muster/ledger/intake/sheet"
)

// A DateForm is a way to write dates, given by an example: the file's way to write the last day of
// 2021, or of its January.
//
//	31.12.2021   31/12/2021   12/31/2021   31-Jan-21   31 December 2021   20211231
//	2021-12      Dec 2021     2021         serial      serial 1904
//	31.12.2021 23:59          serial 23:59
//
// A month or a year is its first day where something begins, and its last where something ends. In
// a year of two digits, 69 to 99 are of the twentieth century. A serial is a spreadsheet's number
// of a day. With the last minute of the day, the file may write times of day, which are left out.
type DateForm struct {
	example string
	pattern *regexp.Regexp
	parts   string // y, Y (of two digits), m, b (by name), d, in the order of the groups
	serial  events.Date
	timed   bool
}

// String returns the example.
func (f DateForm) String() string { return f.example }

var (
	dateTokens = regexp.MustCompile(`[0-9]+|\pL+\.?|[^0-9\pL]+`)
	midnight   = regexp.MustCompile(`[T ]00:00(:00(\.0+)?)?Z?$`)
)

const howDates phrase.Text = "" +
	"write the last day of 2021 or of its January as the file would, such as " +
	"31.12.2021, 12/31/2021, 31-Jan-21, 2021-12 or 2021; or serial, or serial 1904; where times " +
	"of day stand behind the days, write 23:59 behind, too"

// ParseDateForm reads the example of a form. The day 31 is always taken for the day.
func ParseDateForm(example string) (DateForm, error) {
	if day := lastMinute.ReplaceAllString(example, ""); day != example {
		f, err := ParseDateForm(day)
		f.example, f.timed = example, true
		return f, err
	}
	switch strings.ToLower(example) {
	case "serial", "serial 1900":
		return DateForm{example: example, serial: 1899_12_30}, nil
	case "serial 1904":
		return DateForm{example: example, serial: 1904_01_01}, nil
	}
	tokens := dateTokens.FindAllString(example, -1)
	if len(tokens) == 1 && len(example) == 8 {
		tokens = []string{example[:4], example[4:6], example[6:]}
	}
	if all := datesOf(tokens, ""); len(all) == 1 {
		return DateForm{example: example, parts: all[0], pattern: datePattern(tokens, all[0])}, nil
	}
	return DateForm{}, phrase.Errorf("not one form of dates: %s", howDates)
}

// datesOf returns the parts that the tokens can be, none where there are several ways.
func datesOf(tokens []string, parts string) []string {
	var all []string
	if len(tokens) == 0 {
		whole := strings.ContainsAny(parts, "yY")
		if strings.Contains(parts, "d") && !strings.ContainsAny(parts, "mb") {
			whole = false
		}
		if whole {
			return []string{parts}
		}
		return nil
	}
	for _, p := range partsOf(tokens[0]) {
		if p == "" || !taken(parts, p) {
			all = append(all, datesOf(tokens[1:], parts+p)...)
		}
	}
	if parts == "" && len(all) > 1 {
		return nil
	}
	return all
}

// taken reports whether there is such a part already: a month, a year or a day.
func taken(parts, p string) bool {
	for _, same := range []string{"yY", "mb", "d"} {
		if strings.Contains(same, p) {
			return strings.ContainsAny(parts, same)
		}
	}
	return false
}

// partsOf returns what a token of an example can be.
func partsOf(token string) []string {
	n, err := strconv.Atoi(token)
	_, isMonth := monthNames[monthKey(token)]
	switch {
	case isMonth:
		return []string{"b"}
	case err != nil && regexp.MustCompile(`\pL`).MatchString(token):
		return nil
	case err != nil:
		return []string{""}
	case len(token) == 4:
		return []string{"y"}
	case len(token) > 2:
		return nil
	case n == 31:
		return []string{"d"}
	}
	var all []string
	if n >= 1 && n <= 12 {
		all = append(all, "m")
	}
	if n >= 1 && n <= 31 {
		all = append(all, "d")
	}
	if len(token) == 2 {
		all = append(all, "Y")
	}
	return all
}

func datePattern(tokens []string, parts string) *regexp.Regexp {
	fixed := !slices.ContainsFunc(tokens, func(t string) bool {
		return partsOf(t) != nil && partsOf(t)[0] == ""
	})
	var b strings.Builder
	b.WriteString("^")
	for _, t := range tokens {
		if p := partsOf(t); len(p) == 1 && p[0] == "" {
			b.WriteString(strings.ReplaceAll(regexp.QuoteMeta(t), " ", " +"))
			continue
		}
		switch p := parts[0]; {
		case p == 'y':
			b.WriteString("([0-9]{4})")
		case p == 'Y' || fixed && p != 'b':
			b.WriteString("([0-9]{2})")
		case p == 'b':
			b.WriteString(`(\pL+\.?)`)
		default:
			b.WriteString("([0-9]{1,2})")
		}
		parts = parts[1:]
	}
	return regexp.MustCompile(b.String() + "$")
}

// read returns the first and the last day of what the text says in this form.
func (f DateForm) read(text string) (first, last events.Date, ok bool) {
	if f.serial != 0 {
		return f.day(text)
	}
	if f.timed {
		text = timeOfDay.ReplaceAllString(text, "")
	}
	found := f.pattern.FindStringSubmatch(strings.ReplaceAll(text, "\u00a0", " "))
	if found == nil {
		return 0, 0, false
	}
	y, m, d := 0, 0, 0
	for i, part := range f.parts {
		n, _ := strconv.Atoi(found[i+1]) // of a name, 0
		switch part {
		case 'y':
			y = n
		case 'Y':
			y = 1900 + n
			if n < 69 {
				y += 100
			}
		case 'm':
			m = n
		case 'b':
			m = monthNames[monthKey(found[i+1])]
		case 'd':
			d = n
		}
	}
	return span(y, m, d, f.parts)
}

// span returns the first and the last day of a year, a month or a day that there is.
func span(y, m, d int, parts string) (first, last events.Date, ok bool) {
	lowM, highM, lowD, highD := m, m, d, d
	if !strings.ContainsAny(parts, "mb") {
		lowM, highM = 1, 12
	}
	if !strings.Contains(parts, "d") {
		lowD, highD = 1, 31
		for highM == m && highD > 27 {
			if _, err := events.ParseDate(fmt.Sprintf("%04d-%02d-%02d", y, m, highD)); err == nil {
				break
			}
			highD--
		}
	}
	first, err := events.ParseDate(fmt.Sprintf("%04d-%02d-%02d", y, lowM, lowD))
	if err != nil {
		return 0, 0, false
	}
	last, err = events.ParseDate(fmt.Sprintf("%04d-%02d-%02d", y, highM, highD))
	return first, last, err == nil
}

// day reads a serial. Before its 61st day the calendar of 1900 has one that never was.
func (f DateForm) day(text string) (first, last events.Date, ok bool) {
	n, rest, ok := sheet.Serial(text)
	if !ok || rest > 0 && !f.timed || n < 61 || n > 110_000 {
		return 0, 0, false
	}
	d := f.serial.AddDays(n)
	_, err := events.ParseDate(d.String())
	return d, d, err == nil
}

var errTwoDates = remedies("fits two of the forms under dates, and is another date in each: "+
	"leave one", "may be one of two dates: "+asDate)

// parseDate reads a date: in the form 2026-11-23, or in one of those that the mapping has. What has
// no day is taken to its end where end is true, and else to its beginning.
func (m *Mapping) parseDate(text string, end bool) (events.Date, error) {
	text = midnight.ReplaceAllString(text, "")
	if d, err := events.ParseDate(text); err == nil {
		return d, nil
	}
	var date events.Date
	for _, f := range m.Dates {
		first, last, ok := f.read(text)
		if !ok {
			continue
		}
		if end {
			first = last
		}
		if date != 0 && date != first {
			return 0, errTwoDates
		}
		date = first
	}
	if date != 0 {
		return date, nil
	}
	return 0, m.notDate(text)
}

// usualForms are those that a message proposes. They take some milliseconds to make, which no other
// command has to pay for.
var usualForms = sync.OnceValue(func() []DateForm {
	return formsOf("2021-12", "2021", "31-Jan-21", "31-Jan-2021", "31 January 2021",
		"31 Jan 21", "January 31, 2021", "Jan 2021", "Jan-21", "Jan-2021", "31.12.2021",
		"31/12/2021", "12/31/2021", "31-12-2021", "12-31-2021", "31.12.21", "31/12/21",
		"12/31/21", "2021/12/31", "2021 12", "2021 Jan", "12/2021", "20211231", "serial")
})

func formsOf(examples ...string) []DateForm {
	forms := make([]DateForm, len(examples))
	for i, e := range examples {
		var err error
		if forms[i], err = ParseDateForm(e); err != nil {
			panic("round: " + e + ": " + err.Error()) // compiled in and tested
		}
	}
	return forms
}

// notDate says which form of dates would read the text.
func (m *Mapping) notDate(text string) error {
	if fit := m.formsOfDay(text); fit != nil {
		return remedy{phrase.Of("has a time of day: if the day that is written is meant, say in "+
			"the mapping %s", phrase.Behind(phrase.Or, fit...)),
			phrase.Of("has a time of day: write the day alone, as 2026-11-23")}
	}
	var fit []string
	for _, f := range usualForms() {
		if _, _, ok := f.read(text); ok && (f.serial == 0 || len(text) > 4) {
			fit = append(fit, "dates: "+f.example)
		}
	}
	if fit == nil {
		return remedy{phrase.Of("not a date that the mapping has a form for: under dates, %s",
			howDates), phrase.Of("not a date: " + asDate)}
	}
	return remedy{phrase.Of("not of the form 2026-11-23: if the file writes dates so, say in the "+
		"mapping %s", phrase.Behind(phrase.Or, fit...)),
		phrase.Of("may be another date than is meant: " + asDate)}
}

func monthKey(name string) string { return strings.TrimSuffix(strings.ToLower(name), ".") }

// monthNames are months by their names in English and French, whole and shortened.
var monthNames = func() map[string]int {
	names := map[string]int{}
	for i, all := range []string{
		"january jan janvier janv", "february feb février fevrier févr fevr fév",
		"march mar mars", "april apr avril avr", "may mai", "june jun juin",
		"july jul juillet juil", "august aug août aout", "september sep sept septembre",
		"october oct octobre", "november nov novembre", "december dec décembre decembre déc"} {
		for name := range strings.FieldsSeq(all) {
			names[name] = i + 1
		}
	}
	return names
}()
