package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"muster/events/english"
	"muster/events/problem"
	"muster/projections/web"
)

func (a *app) logCmd() *cobra.Command {
	q := map[string]*string{}
	var follow, raw bool
	c := &cobra.Command{
		Use:   "log",
		Short: "The records, as stored",
		Long: `Print the records in their order. With --raw, each byte for byte as it is stored:
the server's envelope line, the signed statement, an empty line and the signature. In json and
ndjson, these bytes are the member "stored".

Of each record that is printed it is made sure that it is in the tree of the checkpoint which the
server has signed, at its place and byte for byte, and that its signature is that of a key which
an earlier record admits; else the exit code is 8. Whether a list leaves something out that was
asked for, and whether the rules of the ledger were kept, is looked at by "muster verify", which
takes all records.`,
		Args: args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if follow {
				return a.followLog(cmd.Context(), values(q), raw)
			}
			return a.printLog(cmd.Context(), values(q), raw)
		},
	}
	stringFlags(c, q, "nation", "operation", "type", "signer", "import", "from", "view")
	c.Flags().BoolVar(&raw, "raw", false,
		"the stored bytes themselves, an empty line after each record")
	c.Flags().BoolVarP(&follow, "follow", "f", false,
		"go on with new records as they come, until interrupted")
	return c
}

func (a *app) printLog(ctx context.Context, parameters map[string]string, raw bool) error {
	all := web.Records{Records: []web.Record{}} // a list even when there are none
	for page, err := range a.recordPages(ctx, parameters) {
		if err != nil {
			return err
		}
		all.AsOf, all.Next, all.View = page.AsOf, page.Next, page.View
		all.Withheld += page.Withheld
		all.Records = append(all.Records, page.Records...)
	}
	if all.Withheld > 0 {
		fmt.Fprintf(a.stderr, "muster: %s may not be read by who asks, and %s not listed\n",
			english.Several(all.Withheld, "record"), english.Verb(all.Withheld == 1, "are"))
	}
	if !raw {
		return listing{all, web.RecordsTable(all)}.write(a.format, a.stdout)
	}
	for _, r := range all.Records {
		if err := a.followed(r, raw); err != nil {
			return err
		}
	}
	return nil
}

// followLog prints records as they come: as stored for people, one JSON object to a line for
// programs.
func (a *app) followLog(ctx context.Context, parameters map[string]string, raw bool) error {
	parameters["wait"] = "20"
	for next := uint64(0); ; {
		var page web.Records
		if err := a.ask(ctx, "records", parameters, &page); err != nil {
			if ctx.Err() != nil && next > 0 {
				return nil // interrupted, as it is meant to end
			}
			return err
		}
		if page.AsOf+1 != next { // there is more, or less
			if err := a.meetAgain(ctx); err != nil {
				return err
			}
		}
		if page.AsOf+1 < next {
			return problem.New(problem.Unverified, "the server had %s before, and has %d now: "+
				"it has another ledger now, or lags behind the one that it followed",
				english.Several(next-1, "record"), page.AsOf)
		}
		err := continues(page, next)
		coveredBy(&page, uint64(a.contact.seen.N)) // the rest comes with a later checkpoint
		if err == nil {
			err = a.makeSure(ctx, &page)
		}
		if err != nil {
			return err
		}
		for _, r := range page.Records {
			if err := a.followed(r, raw); err != nil {
				return err
			}
		}
		if page.Next == next && pause(ctx, lagPause) != nil {
			return nil
		}
		next = page.Next
		parameters["from"] = strconv.FormatUint(page.Next, 10)
	}
}

// pause waits, or returns why not.
func pause(ctx context.Context, length time.Duration) error {
	select {
	case <-time.After(length):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *app) followed(r web.Record, raw bool) error {
	if raw {
		_, err := fmt.Fprintf(exact(a.stdout), "%s\n", r.Stored)
		return err
	}
	if a.format == "table" {
		_, err := fmt.Fprintf(a.stdout, "%d  %s  %-22s %s\n", r.Sequence,
			problem.Line(r.Recorded), problem.Line(string(r.Type)), problem.Line(r.Statement()))
		return err
	}
	return json.NewEncoder(asJSON(a.stdout)).Encode(r)
}
