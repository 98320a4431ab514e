package events_test

import (
	"testing"

	"muster/events"
)

// People write how much is pledged in many ways, and what cannot be read is not guessed.
func TestParseAmount(t *testing.T) {
	for said, want := range map[string]string{
		"1200": "1200", "1,200": "1200", "1 200": "1200", "1'200": "1200", "0012": "12",
		"4000000": "4000000", "4000000.00": "4000000.00", "4,000,000.5": "4000000.50",
		"unknown": "unknown", "Unknown": "unknown",
		"10-14": "10 to 14", "10–14": "10 to 14", "10 to 14": "10 to 14", "0-5": "up to 5",
		"between 1,000 and 1,500": "1000 to 1500", "de 10 à 14": "10 to 14",
		"2.50-4": "2.50 to 4.00", "14 - 14": "around 14",
		"up to 18": "up to 18", "At most 18": "up to 18", "≤18": "up to 18",
		"jusqu’à 18": "up to 18",
		"at least 4": "at least 4", "4+": "at least 4", "4 or more": "at least 4",
		"around 7,000": "around 7000", "~7000": "around 7000", "ca. 7 000": "around 7000",
		"environ 7 000": "around 7000", "approx. 7000": "around 7000",
	} {
		got, err := events.ParseAmount(said)
		if err != nil || got.String() != want {
			t.Errorf("%q is read as %q, %v, and not as %q", said, got, err, want)
			continue
		}
		if again, err := events.ParseAmount(got.String()); err != nil || again != got {
			t.Errorf("%q is written as %q, and read again as %q, %v", said, got, again, err)
		}
	}
	for _, said := range []string{"", "0", "-1", "1.5.2", "1,5", "1.200", "12,00", "14-10", "10-",
		"1,2345", "many", "10 tanks", "up to", "at least", "up to 0", "9007199254740992", "1e3",
		"١٢", "10-14-18", "0x10", "up to -3"} {
		if got, err := events.ParseAmount(said); err == nil {
			t.Errorf("%q is read as %+v", said, got)
		}
	}
}

// In a currency, a whole amount is so many of it: it is stored in one form.
func TestAmountInAUnit(t *testing.T) {
	for _, c := range []struct {
		said string
		unit events.Unit
		want string
	}{
		{"4000000", "EUR", "4000000.00"}, {"4000000.00", "EUR", "4000000.00"},
		{"4 to 5", "EUR", "4.00 to 5.00"}, {"4", "tank", "4"}, {"unknown", "EUR", "unknown"},
	} {
		got, err := events.ParseAmount(c.said)
		if in := got.In(c.unit); err != nil || in.String() != c.want {
			t.Errorf("%s in %s is %q, %v, and not %q", c.said, c.unit, in, err, c.want)
		}
	}
	sure, known := events.Amount{Quantity: events.Unknown, Least: events.Count(10),
		Most: events.Count(14)}.Sure()
	if sure != 10 || !known {
		t.Errorf("of 10 to 14 are %d sure", sure)
	}
	if _, known := (events.Amount{Quantity: events.Unknown, Most: events.Count(18)}).Sure(); known {
		t.Error("of up to 18 something is sure")
	}
}
