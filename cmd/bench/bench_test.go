package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var everyMeasure = flag.Bool("every", false,
	"try every measure, as make bench does before it measures")

// Each measure does what it says on a small ledger, and every way gives a number or says why it has
// none. How fast is no assertion. Without -every one measure is tried: questions to a server.
func TestMeasures(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts databases")
	}
	work := t.TempDir()
	for name, ways := range map[string][]string{
		"append": {rawWay, restedWay, plainWay, "JetStream, sync_interval: always",
			"PostgreSQL, expected version"},
		"replay": {"decoding alone, from memory",
			"hashing alone, from memory: each record, and the tree above",
			"muster, from the journal, each record hashed",
			"muster, from the stream, strictly decoded", "PostgreSQL, reads and decodes the rows"},
		"start": {"muster, with saved projections", "muster, without", "the record itself"},
		"query": {nowWay, "muster, while nothing changes", "muster",
			"muster, to who has the answer (304)"},
		"views": {"the coalition's view, saved", "of the coalition's view, while nothing changes",
			"muster, with five views"},
		"join": {"reading the stream", "muster, until it is ready"},
		"grow": {"replay from the journal", "coverage now: " + nowWay},
	} {
		if name != "query" && !*everyMeasure {
			continue
		}
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := run([]string{name, "--records", "1000", "--ops", "100", "--rounds", "1",
				"--work", work, "--json"}, &out, io.Discard); err != nil {
				t.Fatal(err)
			}
			var rows []row
			if err := json.Unmarshal(out.Bytes(), &rows); err != nil {
				t.Fatal(err)
			}
			for _, r := range rows {
				if r.PerSecond == 0 && r.P50 == 0 && r.Seconds == 0 && r.Bytes == 0 &&
					r.Note == "" {
					t.Errorf("%s, %s: no number, and no word why", r.Name, r.Way)
				}
			}
			for _, way := range ways {
				if !slices.ContainsFunc(rows, func(r row) bool { return r.Way == way }) {
					t.Errorf("nothing was measured of %q", way)
				}
			}
			kept := filepath.Join(t.TempDir(), "rows.json")
			if err := os.WriteFile(kept, out.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			out.Reset()
			if err := run([]string{"table", kept}, &out, io.Discard); err != nil ||
				strings.Count(out.String(), "\n") != len(rows)+1 {
				t.Errorf("the table has %d lines for %d rows (%v)",
					strings.Count(out.String(), "\n"), len(rows), err)
			}
		})
	}
}

// The generated ledger is one that a server takes: every rule is kept.
func TestGeneratedIsTaken(t *testing.T) {
	o := &options{work: t.TempDir(), log: io.Discard}
	g, err := o.generate(1500, 60, 10)
	if err != nil {
		t.Fatal(err)
	}
	m, err := startMuster(t.Context(), t.TempDir(), &g.records[0])
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for i := 1; i < len(g.records); i++ {
		if _, err := m.Ledger.Submit(t.Context(), g.records[i].Signed); err != nil {
			t.Fatalf("record %d: %v\n%s", i+1, err, g.records[i].Stored)
		}
	}
	again, err := o.generate(1500, 60, 10)
	if err != nil || len(again.records) != 1500 || again.preamble != g.preamble ||
		!bytes.Equal(again.records[1499].Stored, g.records[1499].Stored) {
		t.Errorf("what was kept is another ledger (%v)", err)
	}
	if mean := g.bytes() / len(g.records); mean < 300 || mean > 600 {
		t.Errorf("a record has %d bytes", mean)
	}
}
