package reconcile

import (
	"crypto/sha256"
	"encoding/binary"

	"muster/events"
	"muster/events/problem"
)

// IDOf returns the ID of the pledge that a row is: it follows from the ledger, the name of the
// mapping and the row's key. Generation is 0, or how often such a pledge was taken off before: what
// was struck is never said again, what was withdrawn has ended, and what comes back is another
// pledge.
//
// Its text is frozen: a ledger knows by it what was imported before.
func IDOf(ledger events.Origin, name string, key []string, generation int) events.ID {
	return idOf(append([]string{"muster row 1", string(ledger), name}, key...), generation)
}

// again returns the ID of a row whose own ID is that of a pledge that was taken off.
func again(id events.ID, generation int) events.ID {
	if generation == 0 {
		return id
	}
	return idOf([]string{"muster row 1, again", id.String()}, generation)
}

// restated returns the ID under which an import corrects or amends what is recorded: it says of the
// statement that is corrected, or of the pledge that is amended, what comes after so many
// corrections or amendments of it. So it is known from what somebody says by hand, who may well
// leave the source as it is. Its text is frozen, as that of [IDOf].
func restated(of events.ID, as events.Type, before int) events.ID {
	return idOf([]string{"muster row 1, restated", of.String(), string(as)}, before)
}

// bySheet is restated for what a sheet with a name says, by which it is known from what others say.
// Its text is frozen, as that of [IDOf].
func bySheet(name string, of events.ID, as events.Type, before int) events.ID {
	return idOf([]string{"muster form 1", name, of.String(), string(as)}, before)
}

func idOf(parts []string, generation int) events.ID {
	h := sha256.New()
	for _, part := range parts {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		h.Write(size[:])
		h.Write([]byte(part))
	}
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(generation)))
	// The time of an ID is none here: a date that is restated makes no other row.
	id, _ := events.IDAt(0, [10]byte(h.Sum(nil)[:10]))
	return id
}

// CheckName refuses what cannot be the name of an import.
func CheckName(name string) error {
	if events.IsImportName(name) {
		return nil
	}
	return problem.OfFields([]problem.Field{{Location: "name", Value: name,
		Message: "write lower-case letters, digits and, between them, hyphens and dots, " +
			"at most 64, such as kiel-tracker"}})
}
