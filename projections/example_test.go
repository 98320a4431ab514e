package projections_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"muster/events"
	"muster/projections"
)

// An operation, what it requires and what France offers are folded to a picture, which is asked how
// far the requirement is met.
func ExamplePicture_Coverage() {
	secret, _, err := events.NewKey("HQ/coordinator")
	if err != nil {
		log.Fatal(err)
	}
	signer, err := events.NewSigner(secret)
	if err != nil {
		log.Fatal(err)
	}
	picture := projections.NewPicture()
	say := func(st events.Statement) {
		signed, err := events.Sign(st, signer)
		if err != nil {
			log.Fatal(err)
		}
		rec, err := events.NewRecord(picture.Sequence()+1, time.Now(), "berlin", signed)
		if err != nil {
			log.Fatal(err)
		}
		if err := picture.Apply(rec); err != nil {
			log.Fatal(err)
		}
	}
	head := func(typ events.Type) events.Header {
		return events.Header{Type: typ, ID: events.NewID(), Ledger: "muster.example/berlin"}
	}
	dated := events.Dated{Effective: 2026_01_15}

	say(&events.OperationOpened{
		Header: head("operation.opened"), Dated: dated,
		OperationTerms: events.OperationTerms{
			Operation: "mnf-u", Title: "Multinational Force Ukraine",
			Roles: []events.RoleDefinition{
				{Role: "ground", Title: "Ground forces", Units: []events.Unit{"personnel"}},
			},
		},
	})
	say(&events.RequirementIssued{
		Header: head("requirement.issued"), Dated: dated,
		RequirementTerms: events.RequirementTerms{
			Operation: "mnf-u", Line: "ground-west", Role: "ground", Area: "west",
			Quantity: events.Count(15_000), Unit: "personnel",
			Window: events.Window{From: 2026_03_01}, Priority: 1,
		},
	})
	say(&events.PledgeOffered{
		Header: head("pledge.offered"), Dated: dated,
		Place: events.Place{Operation: "mnf-u", Nation: "FRA"},
		PledgeTerms: events.PledgeTerms{
			Role: "ground", Quantity: events.Count(6000), Unit: "personnel", Area: "west",
			Window: events.Window{From: 2026_03_01},
		},
	})

	coverage, err := picture.Coverage(context.Background(),
		projections.Moment{On: 2026_07_01}, projections.CoverageFilter{})
	if err != nil {
		log.Fatal(err)
	}
	for _, l := range coverage.Lines {
		fmt.Println(l.Line, "has", l.Supply, "of", l.Required, l.Unit, "and lacks", l.Gap)
		for _, who := range l.Who {
			fmt.Println(who.Nation, "gives", who.Quantity)
		}
	}

	// Output:
	// ground-west has 6000 of 15000 personnel and lacks 9000
	// FRA gives 6000
}
