package events_test

import (
	"bytes"
	"errors"
	"fmt"
	"log"

	"muster/events"
	"muster/events/problem"
)

// A liaison signs an offer; whoever gets the note reads it, and verifies it with the liaison's key.
func Example() {
	secret, key, err := events.NewKey("FRA/paris")
	if err != nil {
		log.Fatal(err)
	}
	signer, err := events.NewSigner(secret)
	if err != nil {
		log.Fatal(err)
	}
	signed, err := events.Sign(&events.PledgeOffered{
		Header: events.Header{
			Type:   "pledge.offered",
			ID:     events.NewID(),
			Ledger: "muster.example/berlin",
		},
		Dated: events.Dated{Effective: 2026_01_15},
		Place: events.Place{Operation: "mnf-u", Nation: "FRA"},
		PledgeTerms: events.PledgeTerms{
			Role: "ground", Quantity: events.Count(6000), Unit: "personnel", Area: "west",
			Window: events.Window{From: 2026_03_01},
		},
	}, signer)
	if err != nil {
		log.Fatal(err)
	}

	// What travels is signed.Note. The reader believes none of it until the signature is verified.
	received, err := events.ParseSigned(signed.Note)
	if err != nil {
		log.Fatal(err)
	}
	if err := received.VerifiedBy(key); err != nil {
		log.Fatal(err)
	}
	offer := received.Statement.(*events.PledgeOffered)
	fmt.Println(received.KeyName, "offers", offer.Quantity, offer.Unit, "for", offer.Role)

	// Whoever alters a byte of it alters what was signed.
	altered, err := events.ParseSigned(bytes.Replace(signed.Note, []byte("6000"),
		[]byte("9000"), 1))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("altered:", errors.Is(altered.VerifiedBy(key), events.ErrSignature))

	// Output:
	// FRA/paris offers 6000 personnel for ground
	// altered: true
}

// A statement is read strictly, and all that is wrong with it is told at once.
func ExampleParse() {
	_, err := events.Parse([]byte(`{"type":"pledge.offered","id":"01M84JYHVK23ZJGE0CD34S4BZ3",` +
		`"ledger":"muster.example/berlin","effective":"2026-02-30","operation":"mnf-u",` +
		`"nation":"XXX","role":"ground","quantity":6000,"unit":"personnel","from":"2026-03-01"}`))
	var p *problem.Problem
	if !errors.As(err, &p) {
		log.Fatal(err)
	}
	for _, f := range p.Fields {
		fmt.Println(f.Location)
	}

	// Output:
	// effective
	// nation
}
