package round_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake/round"
)

// What is guessed is a mapping that can be read, and says what a person would.
func TestGuess(t *testing.T) {
	for name, c := range map[string]struct {
		file  string
		parts []string
	}{
		"semicolons": {"Nation;Troops\nAlbania;13\nArmenia;35\n",
			[]string{"nation: Nation", "quantity: Troops", "# operation: mnf-u # ?",
				"# from: 2026-11-23 # ?"}},
		"flows": {flows, []string{"nation: donor", "quantity: amount", "rung: status",
			"paid: deployed", "commitment: confirmed", "effective: date", "skip: [negative]"}},
		"months": {"country,2021-01,2021-02,2021-03\nFrance,1,2,3\nTotal,1,2,3\n",
			[]string{`columns: ["2021-01", "2021-02", "2021-03"]`, "from: month",
				"dates: [2021-12]", "skip: [totals]"}},
		"title": {"A list\n\nDonor,Amount (EUR),Date\nFrance,\"1,000\",31/01/2021\n",
			[]string{"header: 3", "unit: EUR # ?", `thousands: "," # ?`, "dates: [31/12/2021]"}},
		"words": {"country,offered,of\nPoland,600,personnel\nPoland,2,police training teams\n",
			[]string{"unit: of", "police training teams: {unit: teams}"}},
		"billions": {"donor,EUR_bn,Begin,End\nFrance,1.5,2024-01-01,2024-12-31\n",
			[]string{"quantity: EUR_bn", "unit: EUR # ?", "times: 1e9 # ?", "from: Begin",
				"effective: Begin", "until: End"}},
		"milliers": {"pays;Montant (milliers €);Début;Fin\nFrance;1,5;2024-01-01;2024-12-31\n",
			[]string{`quantity: "Montant (milliers €)"`, "unit: EUR # ?", "times: 1e3 # ?",
				`effective: "Début"`, "until: Fin"}},
		"eight bits": {"country,n\nC\xf4te d'Ivoire,5\nFrance,1\n",
			[]string{"encoding: windows-1252 # ?", "nation: country"}},
		"mixed": {"nation;quantity;from\nUSA;90,000;2010-11-15\nGBR;9.500;15.11.2010\n" +
			"DEU;4 341;15 Nov 2010\n",
			[]string{"quantity: quantity # ? not all", "from: from # ? not all"}},
		"times of day": {"nation,n,Begin\nFRA,5,02.06.2026 14:30\nDEU,1,31.07.2026 00:00\n",
			[]string{"dates: [31.12.2021 23:59]", "# ? Begin has times of day, which"}},
		"times of days": {"nation,n,Begin\nFRA,5,2026-06-02T14:30:00Z\nDEU,1,2026-07-31\n",
			[]string{"dates: [2021-12-31 23:59]"}},
		"organisations": {"country,n\nOTAN,5\nFrance,1\nOSCE,2\n",
			[]string{"nation: country # ? 1 of 3 cells are no nation that is known: OSCE",
				"# ? 1 of 3 cells are organisations: the operation must declare them"}},
	} {
		text, err := round.Guess("file.csv", []byte(c.file), events.Organisations{
			{Code: "x-nato", Name: "NATO", Also: []string{"OTAN"}}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := round.ReadMapping("guess", []byte(text)); err != nil {
			t.Errorf("%s: %v in\n%s", name, err, text)
		}
		for _, part := range c.parts {
			if !strings.Contains(text, part) {
				t.Errorf("%s: does not say %q:\n%s", name, part, text)
			}
		}
	}
}

// The files of others stay outside the project: where they are at hand, each gets a mapping that
// can be read.
func TestGuessOfPublicFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	for _, file := range public(t, "*.csv", "field/*.csv", "un/*.csv") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text, err := round.Guess(filepath.Base(file), data, nil)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if _, err := round.ReadMapping("guess", []byte(text)); err != nil {
			t.Errorf("%s: %v in\n%s", file, err, text)
		}
		t.Logf("%s\n%s", file, text)
	}
}

// public returns the public files that are at hand: what MUSTER_TEST_DATA names, or a folder beside
// the project.
func public(t *testing.T, patterns ...string) (files []string) {
	t.Helper()
	folder := os.Getenv("MUSTER_TEST_DATA")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "..", "shared", "data")
	}
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		t.Skipf("no public files in %s: MUSTER_TEST_DATA says where they are", folder)
	}
	return files
}

// Whatever stands in a file, what is guessed of it is a mapping that can be read.
func FuzzGuess(f *testing.F) {
	f.Add([]byte(flows))
	f.Add([]byte("nation,n,status\nFRA,1,Null\nDEU,2,\"a: #\u202e\x07\"\n"))
	f.Add([]byte("A list\n\n\"#x\",country,2021,2022,2023\n1,France,1,2,3\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		text, err := round.Guess("file", data, nil)
		if err != nil {
			if problem.From(err).Kind == problem.Internal {
				t.Fatalf("an error that is no problem: %v", err)
			}
			return
		}
		if _, err := round.ReadMapping("guess", []byte(text)); err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
	})
}
