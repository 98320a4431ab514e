package main

import (
	"fmt"
	"strings"
	"testing"

	"muster/events"
	"muster/events/problem"
)

// badLife are bad statements of a pledge's later life: renewals, corrections, caveats, allocations,
// rotations. The pledge of those that are well formed is not there.
func (s *targetServer) badLife(t *testing.T) (all []badStatement) {
	pledge := events.NewID().String()
	say := func(name, typ, rest string, kind problem.Kind, code, says string) {
		text := fmt.Sprintf(`{"type":%q,"id":%q,"ledger":%q,"effective":"2026-11-23","operation":"mnf-u","nation":"FRA","pledge":%q%s}`, typ, events.NewID(), s.c.origin, pledge, rest)
		by := s.c.paris
		if strings.HasPrefix(typ, "allocation") {
			by = s.c.founder
		}
		all = append(all, badStatement{name, signedText(t, text, by), kind, code, says})
	}
	invalid := func(name, typ, rest, says string) {
		say(name, typ, rest, problem.Invalid, "", says)
	}
	const terms = `"role":"ground","quantity":5,"unit":"personnel","from":"2027-01-01"`
	corrects := fmt.Sprintf(`,"corrects":%q,"reason":"x"`, pledge)
	invalid("a renewal until nobody says when", "pledge.renewed", "", "expires: missing")
	invalid("a renewal that lapses before it holds", "pledge.renewed", `,"expires":"2026-11-01"`,
		"lies before the renewal holds")
	invalid("a correction of nothing", "pledge.corrected", `,"reason":"x"`, "corrects: missing")
	invalid("a correction without a reason", "pledge.corrected",
		fmt.Sprintf(`,"corrects":%q`, pledge), "reason: missing")
	invalid("struck, with terms", "pledge.corrected", corrects+`,"struck":true,"terms":{`+terms+`}`,
		"leave them out")
	invalid("corrected to 0", "pledge.corrected",
		corrects+`,"strength":{"quantity":0,"unit":"personnel"}`, "strength.quantity")
	invalid("an id of nothing", "pledge.corrected", `,"corrects":"*","reason":"x"`, "corrects")
	invalid("a caveat that restricts nothing", "caveat.declared", `,"caveat":"by-day"`,
		"restriction: missing")
	for _, name := range []string{"*", ">", "by.day", "by day", `by-day\r\n`, "By-Day", "бу-day",
		"", strings.Repeat("a", 5000)} {
		invalid(fmt.Sprintf("a caveat named %.20q", name), "caveat.lifted",
			fmt.Sprintf(`,"caveat":"%s"`, name), "caveat")
		invalid(fmt.Sprintf("allocated to %.20q", name), "allocation.made",
			fmt.Sprintf(`,"quantity":5,"unit":"personnel","from":"2027-01-01","line":"%s"`, name),
			"line")
	}
	invalid("an unknown quantity allocated", "allocation.made",
		`,"quantity":"unknown","unit":"personnel","from":"2027-01-01","line":"west"`,
		"must be known here")
	invalid("a release of nothing", "allocation.released", "", "allocation: missing")
	invalid("relieved by what it relieves", "pledge.amended",
		fmt.Sprintf(`,%s,"predecessor":%q,"successor":%q`, terms, pledge, pledge),
		"is the predecessor too")
	invalid("elsewhere twice", "pledge.amended", ","+terms+`,"elsewhere":["NRF","NRF"]`,
		"is there twice")
	for typ, rest := range map[string]string{
		"pledge.renewed":      `,"expires":"2026-12-01"`,
		"pledge.corrected":    corrects + `,"struck":true`,
		"caveat.declared":     `,"caveat":"by-day","restriction":"by day only"`,
		"caveat.lifted":       `,"caveat":"by-day"`,
		"allocation.made":     `,"quantity":5,"unit":"personnel","from":"2027-01-01","line":"west"`,
		"allocation.released": fmt.Sprintf(`,"allocation":%q`, pledge),
	} {
		say(typ+" of a pledge that is not there", typ, rest, problem.NotFound, "pledge-unknown",
			"there is no such pledge")
	}
	relieving := s.with(t, `"role"`, fmt.Sprintf(`"predecessor":%q,"role"`, pledge))
	return append(all, badStatement{"relieves what is not there", relieving, problem.Invalid,
		"rotation-mismatch", "predecessor"})
}

// badLives are command lines that would say something bad about a pledge's later life.
func (s *targetServer) badLives() []badCommand {
	const nobody = "01KAQ7Z0V4T5W9J8M3N2P6R1XC"
	return []badCommand{
		{6, "predecessor", offering("--predecessor", "01KAQ")},
		{6, "there is no such pledge", offering("--predecessor", nobody)},
		{6, "is the predecessor too", offering("--predecessor", nobody, "--successor", nobody)},
		{6, "expires", offering("--expires", "soon")},
		{6, `--elsewhere "NRF"`, append(offering("--elsewhere", "NRF"), "--elsewhere", "NRF")},
		{3, nobody, []string{"pledge", "offer", "--indicated", nobody}},
		{6, "expires", []string{"pledge", "indicate", "--operation", "mnf-u", "--role", "ground",
			"--quantity", "5", "--expires", "2026-02-30"}},
		{2, "changes nothing", []string{"pledge", "amend", nobody}},
		{3, nobody, []string{"pledge", "renew", nobody, "--expires", "2027-01-01"}},
		{2, "corrects nothing", []string{"pledge", "correct", "2", "--reason", "x"}},
		{2, "is no record", []string{"pledge", "correct", nobody, "--strike", "--reason", "x"}},
		{2, "is no record", []string{"pledge", "correct", "0", "--strike", "--reason", "x"}},
		{2, "only records about pledges",
			[]string{"pledge", "correct", "1", "--strike", "--reason", "x"}},
		{2, "has no --quantity any more",
			[]string{"pledge", "correct", "1", "--strike", "--quantity", "5", "--reason", "x"}},
		{3, "there is no record",
			[]string{"pledge", "correct", "1000000", "--strike", "--reason", "x"}},
		{3, nobody, []string{"caveat", "declare", nobody, "by-day", "--restriction",
			"by day only"}},
		{3, nobody, []string{"caveat", "lift", nobody, "by-day"}},
		{3, nobody, []string{"allocation", "make", nobody, "ground-west"}},
		{3, nobody, []string{"allocation", "release", nobody}},
		{2, "PLEDGE is missing", []string{"allocation", "release"}},
		{2, "what is \"c\"?", []string{"allocation", "release", nobody, "b", "c"}},
		{2, "REQUIREMENT is missing", []string{"allocation", "make", nobody}},
		{2, "CAVEAT is missing", []string{"caveat", "lift", nobody}},
	}
}
