// Client asks a Muster server by the client that oapi-codegen makes of the server's OpenAPI
// document, in the package api, and writes what it was answered as JSON.
//
//	client URL PLEDGE NOTE   # the id of a pledge of France, and the signed note that began it
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"client/api"
)

// Answers are what the server said, each as the client has read it.
type Answers struct {
	Health, Origin   string
	Pledges          int
	Quantity         int64
	Unit, Rung, From string
	Sentences        []string
	Again            bool
	Sequence         int64
	NotFound         string
	Unsigned         int
	Batch            []string // of the note and of what is none: the sequence, or the status
	Rows             string
}

func main() {
	a, err := ask(context.Background(), os.Args[1], os.Args[2], os.Args[3])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(a)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func ask(ctx context.Context, url, pledge, note string) (a Answers, err error) {
	c, err := api.NewClientWithResponses(url)
	if err != nil {
		return a, err
	}
	health, err1 := c.HealthWithResponse(ctx)
	ledger, err2 := c.LedgerWithResponse(ctx, &api.LedgerParams{})
	nation := "FRA"
	list, err3 := c.PledgesWithResponse(ctx, &api.PledgesParams{Nation: &nation})
	one, err4 := c.PledgeWithResponse(ctx, pledge, &api.PledgeParams{})
	none, err5 := c.PledgeWithResponse(ctx, "01M84JYHX5MZ8K4SEYKS928D8X", &api.PledgeParams{})
	again, err6 := c.SubmitWithTextBodyWithResponse(ctx, note)
	batch, err9 := c.SubmitBatchWithResponse(ctx,
		api.SubmitBatchJSONRequestBody{Statements: []string{note, "no note"}})
	unsigned, err7 := c.SubmitWithTextBodyWithResponse(ctx, "no note")
	rows, err8 := c.StrengthCsvWithResponse(ctx, &api.StrengthCsvParams{})
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7, err8, err9); err != nil {
		return a, err
	}
	a.Health, a.Origin = health.JSON200.Status, ledger.JSON200.Origin
	a.Pledges = len(list.JSON200.Pledges)
	p := one.JSON200.Pledge
	if a.Quantity, err = p.Quantity.AsPledgeQuantity0(); err != nil {
		return a, err
	}
	a.Unit, a.Rung, a.From = p.Unit, string(*p.Rung), p.From.String()
	for _, e := range one.JSON200.Life {
		a.Sentences = append(a.Sentences, e.Sentence)
	}
	a.Again, a.Sequence = again.JSON200.Again, again.JSON200.Sequence
	for _, o := range batch.JSON200.Outcomes {
		if o.Answer != nil {
			a.Batch = append(a.Batch, fmt.Sprint(o.Answer.Sequence))
		} else {
			a.Batch = append(a.Batch, fmt.Sprint(o.Problem.Status))
		}
	}
	a.NotFound = none.ApplicationproblemJSON404.Detail
	a.Unsigned = int(unsigned.ApplicationproblemJSON400.Status)
	a.Rows = string(rows.Body)
	return a, nil
}
