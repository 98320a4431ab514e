package events

import (
	"bytes"
	"cmp"
	stdjson "encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDateProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDate(t)
		again, err := ParseDate(d.String())
		if err != nil || again != d {
			t.Fatalf("%s was read as %s, %v", d, again, err)
		}
		if DateOf(d.Time()) != d || DateOf(d.Time().Add(24*time.Hour-1)) != d {
			t.Fatalf("%s does not hold its own day", d)
		}
		n := rapid.IntRange(-1000, 1000).Draw(t, "days")
		later := d.AddDays(n)
		if later.AddDays(-n) != d || later.Time().Sub(d.Time()) != time.Duration(n)*24*time.Hour {
			t.Fatalf("%s and %d days is %s", d, n, later)
		}
		if (n > 0) != (later > d) {
			t.Fatalf("%s and %s are in the wrong order", d, later)
		}
	})
}

// Of all ten-character texts that look like a date, those that name a day are taken and the others
// are not.
func TestParseDateTakesDaysOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		y, m, d := rapid.IntRange(1890, 2210).Draw(t, "y"), rapid.IntRange(0, 14).Draw(t, "m"),
			rapid.IntRange(0, 33).Draw(t, "d")
		day := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
		isDay := day.Year() == y && int(day.Month()) == m && day.Day() == d &&
			1900 <= y && y <= 2199
		text := fmt.Sprintf("%04d-%02d-%02d", y, m, d)
		if got, err := ParseDate(text); (err == nil) != isDay || isDay && got.String() != text {
			t.Fatalf("%s: %s, %v", text, got, err)
		}
	})
}

// What was read is written the same again, and of all texts that look like a time those that name a
// second are taken.
func TestInstantProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := drawInstant(t)
		if again, err := ParseInstant(i.String()); err != nil || again != i {
			t.Fatalf("%s was read as %s, %v", i, again, err)
		}
		if text := i.Time().Format(time.RFC3339); text != i.String() {
			t.Fatalf("%s is written as %s", text, i)
		}
	})
	for _, text := range []string{"", "2026-11-23", "2026-11-23T18:00Z", "2026-11-23T18:00:00",
		"2026-11-23T18:00:00+00:00", "2026-11-23T18:00:00.5Z", "2026-11-23T18:00:00,0Z",
		"2026-11-23t18:00:00z", "2026-11-23 18:00:00Z", "2026-11-23T24:00:00Z",
		"2026-11-23T23:59:60Z", "2026-02-30T00:00:00Z", "1999-12-31T23:59:59Z",
		"1970-01-01T00:00:00Z", "2200-01-01T00:00:00Z", "2026-11-23T18:00:00Z "} {
		if i, err := ParseInstant(text); err == nil {
			t.Errorf("%q was read as %s", text, i)
		}
	}
}

func TestWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w Window
		fixWindow(t, &w)
		on := drawDate(t)
		inside := !on.Time().Before(w.From.Time()) &&
			(w.Until == 0 || !on.Time().After(w.Until.Time()))
		if w.Includes(on) != inside {
			t.Fatalf("%s includes %s: %v", w.Span(), on, !inside)
		}
		if !w.Includes(w.From) || w.Until != 0 && !w.Includes(w.Until) {
			t.Fatalf("%s does not include its ends", w.Span())
		}
	})
}

func TestIDProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := drawID(t)
		again, err := ParseID(id.String())
		if err != nil || again != id {
			t.Fatalf("%s was read as %s, %v", id, again, err)
		}
		if _, err := ParseID(strings.ToLower(id.String())); err == nil &&
			strings.ToLower(id.String()) != id.String() {
			t.Fatalf("%s was taken in lower case", id)
		}
		other := drawID(t)
		if (id.String() < other.String()) != (string(id[:]) < string(other[:])) {
			t.Fatalf("%s and %s sort otherwise than their bytes", id, other)
		}
	})
}

func TestIDAt(t *testing.T) {
	entropy := [10]byte{1, 2, 3}
	a, err1 := IDAt(1_000, entropy)
	b, err2 := IDAt(1_000, entropy)
	if err1 != nil || err2 != nil || a != b {
		t.Errorf("%s and %s of the same, %v, %v", a, b, err1, err2)
	}
	if _, err := IDAt(1<<48, entropy); err == nil {
		t.Error("a time of 49 bits was taken")
	}
	if a, b := NewID(), NewID(); a == b || a.String() > b.String() {
		t.Errorf("%s was made before %s", a, b)
	}
}

// Ids within a millisecond ascend by steps that nobody can guess, and that are wider than what 32
// bits hold.
func TestIDsCannotBeGuessed(t *testing.T) {
	steps, wide := 0, 0
	for before, n := NewID(), 0; n < 2_000; n++ {
		id := NewID()
		if bytes.Compare(before[:], id[:]) >= 0 {
			t.Fatalf("%s was made after %s", id, before)
		}
		if bytes.Equal(before[:6], id[:6]) { // the same millisecond
			step := new(big.Int).Sub(new(big.Int).SetBytes(id[:]), new(big.Int).SetBytes(before[:]))
			steps++
			if step.BitLen() > 40 {
				wide++
			}
		}
		before = id
	}
	if steps == 0 || wide < steps*99/100 {
		t.Errorf("of %d steps within a millisecond %d are wider than 40 bits", steps, wide)
	}
}

func TestQuantityProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := drawQuantity(t, rapid.SampledFrom([]Unit{"personnel", "EUR"}).Draw(t, "unit"), true)
		if again, err := ParseQuantity(q.String()); err != nil || again != q {
			t.Fatalf("%s was read as %s, %v", q, again, err)
		}
	})
}

// Answers are written and read with encoding/json, and may say 0, nothing, or less than nothing.
func TestQuantityInAnswers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64().Draw(t, "n")
		for _, q := range []Quantity{Count(n), Unit("EUR").Of(n), Unit("personnel").Of(0),
			Unit("EUR").Of(0), Unknown, {}} {
			data, err := stdjson.Marshal(q)
			if err != nil {
				t.Fatal(err)
			}
			var again Quantity
			if err := stdjson.Unmarshal(data, &again); err != nil || again != q {
				t.Fatalf("%s was read as %s, %v", data, again, err)
			}
		}
	})
	for want, q := range map[string]Quantity{
		"0.05": Unit("EUR").Of(5), "-0.05": Unit("EUR").Of(-5), "-1.50": Unit("EUR").Of(-150),
		"12.00": Unit("EUR").Of(1200), "-7": Count(-7), "": {},
	} {
		if q.String() != want {
			t.Errorf("%s, want %s", q, want)
		}
	}
}

func TestStatementsSurviveTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawStatement(t)
		line, err := Marshal(s)
		if err != nil {
			t.Fatalf("%+v: %v", s, err)
		}
		again, err := Parse(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if !reflect.DeepEqual(s, again) {
			t.Fatalf("\nsaid %+v\nread %+v", s, again)
		}
		// The reading that goes on after an error must read what is right as the other one does.
		slowly, _ := NewStatement(s.Head().Type)
		c := &checker{}
		c.decode("", line, reflect.ValueOf(slowly).Elem())
		if len(c.fields) > 0 || !reflect.DeepEqual(s, slowly) {
			t.Fatalf("\nsaid %+v\nread %+v\nfound %v", s, slowly, c.fields)
		}
		subject := Subject(s)
		if tokens := strings.Split(subject, "."); len(tokens) != 7 ||
			strings.ContainsAny(subject, "*> \t\r\n") {
			t.Fatalf("subject %q", subject)
		}
	})
}

func drawDate(t *rapid.T) Date {
	first, last := FirstDate.Time(), LastDate.Time()
	days := rapid.IntRange(0, int(last.Sub(first).Hours()/24)).Draw(t, "date")
	return FirstDate.AddDays(days)
}

func drawInstant(t *rapid.T) Instant {
	last := InstantOf(LastDate.AddDays(1).Time()) - 1
	return Instant(rapid.Int64Range(int64(firstInstant), int64(last)).Draw(t, "instant"))
}

func drawID(t *rapid.T) (id ID) {
	copy(id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
	id[15] |= 1 // not all zeros
	return id
}

func drawQuantity(t *rapid.T, u Unit, mayBeUnknown bool) Quantity {
	if mayBeUnknown && rapid.Bool().Draw(t, "unknown") {
		return Unknown
	}
	return u.Of(rapid.Int64Range(1, MaxCount).Draw(t, "n"))
}

func drawStatement(t *rapid.T) Statement {
	s, _ := NewStatement(rapid.SampledFrom(Types()).Draw(t, "type"))
	fill(t, reflect.ValueOf(s).Elem())
	switch s := s.(type) {
	case *LedgerFounded:
		s.Founder = drawKey(t, HQ)
	case *MeetingClosed:
		s.Name = rapid.StringMatching(`[A-Z]{1,5} [0-9]{1,3}`).Draw(t, "name")
	case *MemberSeconded:
		s.Leaf = "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0="
	case *MemberAdmitted:
		drawClearance(t, s)
	case *ScopeDeclared:
		if s.Unlimited = rapid.Bool().Draw(t, "unlimited"); s.Unlimited {
			s.Roles = nil
		}
	case *PledgeOffered:
		if s.Pledge.IsZero() {
			s.After = 0
		}
	case *PledgeRenewed:
		s.Expires = max(s.Expires, s.Effective)
	case *PledgeQueried:
		s.Due = max(s.Due, s.Effective)
		s.To = rapid.SampledFrom([]Nation{s.Nation, HQ}).Draw(t, "to")
	case *PledgeCorrected:
		drawCorrection(t, s)
	case *PledgeDisclosed:
		s.Release = cmp.Or(s.Release, Public)
	}
	return s
}

// drawClearance draws a key that fits the role, and what a reader may read.
func drawClearance(t *rapid.T, s *MemberAdmitted) {
	party := s.Key.Party()
	if s.Role == Coordinator || s.Role == Importer || s.Role == Reader &&
		rapid.Bool().Draw(t, "hq") {
		party = HQ
		s.Key = drawKey(t, HQ)
	}
	s.Clearance = ""
	switch {
	case s.Role != Reader:
	case party == HQ:
		s.Clearance = rapid.SampledFrom([]Clearance{ForThePublic, ForTheCoalition,
			ForTheCoordinators}).Draw(t, "clearance")
	default:
		s.Clearance = rapid.SampledFrom([]Clearance{ForThePublic, ForTheCoalition, ForTheNation}).
			Draw(t, "clearance")
	}
}

// drawCorrection draws what is corrected: nothing but the date, the terms, the strength, or
// everything.
func drawCorrection(t *rapid.T, s *PledgeCorrected) {
	s.Struck, s.Terms, s.Strength = false, nil, nil
	switch rapid.IntRange(0, 3).Draw(t, "corrected") {
	case 1:
		s.Struck = true
	case 2:
		s.Terms = new(PledgeTerms)
		fill(t, reflect.ValueOf(s.Terms).Elem())
	case 3:
		s.Strength = new(Strength)
		fill(t, reflect.ValueOf(s.Strength).Elem())
	}
}

// fill draws every member of a struct by its type, and then mends what must fit together.
func fill(t *rapid.T, v reflect.Value) {
	for i := range v.NumField() {
		f := v.Field(i)
		if v.Type().Field(i).Name != "Type" {
			fillOne(t, v.Type().Field(i).Name, f)
		}
	}
	switch x := v.Addr().Interface().(type) {
	case *PledgeTerms:
		x.Quantity = drawQuantity(t, x.Unit, true)
		drawBounds(t, x)
		x.Reference = ""
		if rapid.Bool().Draw(t, "referred") {
			x.Reference = rapid.StringMatching(`[A-Za-z](?:[ -~]{0,60}[0-9])?`).Draw(t, "reference")
		}
		if x.Successor == x.Predecessor {
			x.Successor = ID{}
		}
		if x.Release != CoordinatorsOnly {
			x.ReleasableTo = nil
		}
	case *Standing:
		x.InPlace = nil
		if x.Rung == Deployed {
			x.InPlace = &Strength{Count(7), "personnel"}
		}
	case *RequirementTerms:
		x.Quantity = drawQuantity(t, x.Unit, false)
	case *Strength:
		x.Quantity = drawQuantity(t, x.Unit, false)
	}
}

// drawBounds draws what is known of a quantity that is unknown.
func drawBounds(t *rapid.T, x *PledgeTerms) {
	x.Least, x.Most = Quantity{}, Quantity{}
	if !x.Quantity.IsUnknown() {
		return
	}
	if rapid.Bool().Draw(t, "at least") {
		x.Least = drawQuantity(t, x.Unit, false)
	}
	if rapid.Bool().Draw(t, "at most") {
		n, _ := x.Least.Number()
		x.Most = x.Unit.Of(max(n, rapid.Int64Range(1, MaxCount).Draw(t, "most")))
	}
}

func fillOne(t *rapid.T, name string, v reflect.Value) {
	var drawn any
	switch x := v.Interface().(type) {
	case Operation, Role, Area, Line:
		drawn = rapid.StringMatching(`[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?`).Draw(t, name)
	case Nation:
		drawn = rapid.SampledFrom(append(Nations(), "x-nato")).Draw(t, name)
	case Origin:
		drawn = rapid.StringMatching(
			`[a-z]{1,10}\.example(?::[0-9]{1,4})?(?:/[a-z0-9][a-z0-9._-]{0,5}){0,2}`).Draw(t, name)
	case Unit:
		drawn = rapid.StringMatching(`[a-z](?:[a-z-]{0,18}[a-z])?|[A-Z]{3}`).Draw(t, name)
	case Key:
		drawn = drawKey(t, rapid.SampledFrom(Nations()).Draw(t, name))
	case MemberRole:
		drawn = rapid.SampledFrom([]MemberRole{Coordinator, Liaison, Importer, Reader}).
			Draw(t, name)
	case Rung:
		drawn = rapid.SampledFrom([]Rung{Indicated, Offered, Accepted, Confirmed, Deployed}).
			Draw(t, name)
	case Organisations:
		drawn = drawOrganisations(t, name)
	case []Nation:
		drawn = rapid.SliceOfNDistinct(rapid.SampledFrom(Nations()), 1, 5, rapid.ID).Draw(t, name)
	case []StandingCondition:
		drawn = drawSome(t, name, func(x *StandingCondition, i int) {
			x.Condition = Line(fmt.Sprint("c-", i))
		})
	case []StandingCaveat:
		drawn = drawSome(t, name, func(x *StandingCaveat, i int) {
			x.Caveat = Line(fmt.Sprint("c-", i))
		})
	case []StandingAllocation:
		drawn = drawSome(t, name, func(x *StandingAllocation, i int) { x.Allocation = goldenID(i) })
	case Presence:
		drawn = rapid.SampledFrom([]Presence{"", New, Present, Reserve}).Draw(t, name)
	case Release:
		drawn = rapid.SampledFrom([]Release{"", Public, CoalitionOnly, CoordinatorsOnly}).
			Draw(t, name)
	case ConditionKind:
		drawn = rapid.SampledFrom([]ConditionKind{Parliament, CeaseFire, Mandate, Funding,
			OtherThing}).Draw(t, name)
	case ID:
		drawn = drawID(t)
	case Date:
		drawn = drawDate(t)
	case Instant:
		if rapid.Bool().Draw(t, name) {
			drawn = drawInstant(t)
		}
	case Window:
		fixWindow(t, &x)
		drawn = x
	case Quantity, *PledgeTerms, *Strength, Clearance: // follow from others
		return
	case bool:
		drawn = rapid.Bool().Draw(t, name)
	case int64:
		drawn = rapid.Int64Range(0, MaxCount).Draw(t, name)
	case int:
		drawn = rapid.IntRange(1, 9).Draw(t, name)
	case string:
		drawn = drawText(t, name)
	case *int:
		if rapid.Bool().Draw(t, name) {
			drawn = new(rapid.IntRange(0, MaxNotice).Draw(t, name))
		}
	case *Seen:
		if rapid.Bool().Draw(t, name) {
			drawn = &Seen{rapid.Int64Range(1, MaxCount).Draw(t, name),
				"bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0="}
		}
	case []Role:
		drawn = rapid.SliceOfNDistinct(rapid.Map(rapid.StringMatching(`[a-z]{1,9}`),
			func(s string) Role { return Role(s) }), 1, 5, rapid.ID).Draw(t, name)
	case []string:
		drawn = rapid.SliceOfNDistinct(rapid.StringMatching(`[A-Za-z]{1,9}`), 1, 5, rapid.ID).
			Draw(t, name)
	case []Translation:
		drawn = []Translation{{"fr", drawText(t, name)}, {"sr-Latn", "Naslov"}}[:rapid.IntRange(
			0, 2).Draw(t, name)]
		if reflect.ValueOf(drawn).Len() == 0 {
			return
		}
	case []Unit:
		drawn = []Unit{"personnel", "EUR"}[:rapid.IntRange(1, 2).Draw(t, name)]
	case []RoleDefinition:
		roles := make([]RoleDefinition, rapid.IntRange(1, 5).Draw(t, name))
		for i := range roles {
			fill(t, reflect.ValueOf(&roles[i]).Elem())
			roles[i].Role = Role(fmt.Sprintf("role-%d", i))
		}
		drawn = roles
	default:
		fill(t, v)
		return
	}
	if drawn != nil {
		v.Set(reflect.ValueOf(drawn).Convert(v.Type()))
	}
}

func drawOrganisations(t *rapid.T, name string) (all Organisations) {
	for i := range rapid.IntRange(0, 3).Draw(t, name) {
		also := rapid.SliceOfNDistinct(rapid.StringMatching(`[A-Z]{1,9}`), 0, 2, rapid.ID)
		o := Organisation{Nation(fmt.Sprint("x-o", i)), "Organisation", also.Draw(t, "also")}
		if len(o.Also) == 0 {
			o.Also = nil
		}
		all = append(all, o)
	}
	return all
}

// drawSome draws the elements of a list, and names each.
func drawSome[E any](t *rapid.T, name string, call func(*E, int)) []E {
	all := make([]E, rapid.IntRange(1, 3).Draw(t, name))
	for i := range all {
		fill(t, reflect.ValueOf(&all[i]).Elem())
		call(&all[i], i)
	}
	return all
}

func fixWindow(t *rapid.T, w *Window) {
	w.From, w.Until = drawDate(t), drawDate(t)
	if w.Until < w.From {
		w.Until = 0
	}
}

func drawKey(t *rapid.T, party Nation) Key {
	_, key, err := NewKey(string(party) + "/" +
		rapid.StringMatching(`[a-z0-9](?:[a-z0-9._-]{0,30}[a-z0-9])?`).Draw(t, "key"))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// drawText draws free text of up to 500 characters that is not blank.
func drawText(t *rapid.T, name string) string {
	text := rapid.StringN(0, 500, 2000).Draw(t, name)
	text = strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, text)
	return "x" + strings.ToValidUTF8(text, "")
}
