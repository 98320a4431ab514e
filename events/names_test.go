package events

import (
	"encoding/csv"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

func TestNationsAsPeopleWriteThem(t *testing.T) {
	for spelling, want := range map[string]Nation{
		"UK": "GBR", "U.K.": "GBR", "the UK": "GBR", "The Gambia": "GMB", "Gambia (the)": "GMB",
		"Gambia, The": "GMB", "Turkiye": "TUR", "Turkey (Türkiye)": "TUR",
		"Iran (Islamic Republic of)": "IRN", "Bolivia (Plurinational State of)": "BOL",
		"Korea, Republic of": "KOR", "Korea (Republic of)": "KOR", "Korea, Rep.": "KOR",
		"Korea, Democratic People's Republic of": "PRK", "São Tomé and Príncipe": "STP",
		"Sao Tome & Principe": "STP", "Slovak Republic": "SVK", "Bosnia & Herzegovina": "BIH",
		"Bosnie-Herzégovine": "BIH", "Côte d’Ivoire": "CIV", "Cote dʼIvoire": "CIV",
		"Luxembourg, Government of": "LUX", "Government of Canada": "CAN",
		"Korea, Republic of, Government of":        "KOR",
		"Saudi Arabia (Kingdom of), Government of": "SAU",
		"Kosovo*":  "XKX",
		"Pays-Bas": "NLD", "Les Pays-Bas": "NLD", "États-Unis d'Amérique": "USA",
		"Allemagne": "DEU", "République tchèque": "CZE", "Burma": "MMR", "Swaziland": "SWZ",
		"Zaire": "COD", "Macedonia (FYROM)": "MKD", "Micronesia (Federated States of)": "FSM",
		"St Lucia": "LCA", "Saint Vincent & the Grenadines": "VCT", "France (FRA)": "FRA",
		"Venezuela (Bolivarian Republic of)": "VEN", "Tanzania, United Republic of": "TZA",
		"Congo, Dem. Rep.": "COD", "Congo": "COG", "Niger": "NER", "Nigeria": "NGA",
		"Guinea-Bissau": "GNB", "Guinea": "GIN", "NA": "", "Ireland, Northern": "",
		"France (Germany)": "", "France, Germany": "", "Korea": "", "of": "", "(": "", ",": "",
		"()": "", "the": "", "Yugoslavia": "", "FRА": "",
	} {
		for _, form := range []norm.Form{norm.NFC, norm.NFD} {
			got, ok := FindNation(form.String(spelling))
			if got != want || ok != (want != "") {
				t.Errorf("%q is found as %q, want %q", spelling, got, want)
			}
		}
	}
}

// No name stands for two nations, and every name of the table is found.
func TestNamesAreOfOneNation(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(nationsCSV)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		for _, name := range append(strings.Split(row[2], ";"), row[0], row[1]) {
			if name == "" {
				continue
			}
			if n, ok := FindNation(name); !ok || string(n) != row[0] {
				t.Errorf("%q is found as %q, want %s", name, n, row[0])
			}
			if shown, err := ParseNation(name); err != nil || string(shown) != row[0] {
				t.Errorf("%q: %v", name, err)
			}
		}
	}
	for _, d := range dissolved {
		for _, name := range d.names {
			if n, ok := FindNation(name); ok && len(d.after) > 1 {
				t.Errorf("%s is no more, and is found as %s", name, n)
			}
		}
		for _, n := range d.after {
			if !n.Known() {
				t.Errorf("%s is not known", n)
			}
		}
	}
}

func TestUnknownNations(t *testing.T) {
	for name, want := range map[string]string{
		"Elbonia": "the nearest names are of Albania (ALB), Estonia (EST): write",
		"Frnace":  "the nearest names are of France (FRA)",
		"Serbia and Montenegro": "is no more since 2006-06-03: say which is meant of Serbia " +
			"(SRB), Montenegro (MNE)",
		"Yougoslavie": "is no more since 1992-04-27",
		"USSR":        "is no more since 1991-12-26",
		"Xyz":         "not a nation that is known here: write",
	} {
		if n, err := ParseNation(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v\ndoes not say %q", name, n, err, want)
		}
	}
}
