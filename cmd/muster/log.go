package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"muster/projections/web"
)

func (a *app) logCmd() *cobra.Command {
	q := map[string]*string{}
	var follow bool
	c := &cobra.Command{
		Use:   "log",
		Short: "The records, as stored",
		Long: `Print the records in their order, each as it is stored: the server's envelope line, and the signed note. With
-o ndjson or json, the stored bytes are the member "stored"; with -o table, -o csv, a line for each.`,
		Args: args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if follow {
				return a.followLog(cmd.Context(), values(q))
			}
			return a.printLog(cmd.Context(), values(q))
		},
	}
	stringFlags(c, q, "nation", "operation", "type", "from")
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on with new records as they come, until interrupted")
	return c
}

func (a *app) printLog(ctx context.Context, parameters map[string]string) error {
	var all web.Records
	for {
		var page web.Records
		if err := a.ask(ctx, "records", parameters, &page); err != nil {
			return err
		}
		all.AsOf, all.Next = page.AsOf, page.Next
		all.Records = append(all.Records, page.Records...)
		if page.Next > page.AsOf {
			break
		}
		parameters["from"] = strconv.FormatUint(page.Next, 10)
	}
	l := listing{answer: all, head: []string{"sequence", "recorded", "type", "nation", "operation", "signed by", "statement"}}
	for _, r := range all.Records {
		l.add(r, strconv.FormatUint(r.Sequence, 10), r.Recorded, string(r.Type), string(r.Nation), string(r.Operation), r.Signer, statementOf(r))
	}
	return l.write(a.format, a.stdout)
}

// followLog prints records as they come: as stored for people, one JSON object to a line for programs.
func (a *app) followLog(ctx context.Context, parameters map[string]string) error {
	parameters["wait"] = "20"
	for {
		var page web.Records
		if err := a.ask(ctx, "records", parameters, &page); err != nil {
			if ctx.Err() != nil {
				return nil // interrupted, as it is meant to end
			}
			return err
		}
		for _, r := range page.Records {
			if err := a.followed(r); err != nil {
				return err
			}
		}
		parameters["from"] = strconv.FormatUint(page.Next, 10)
	}
}

func (a *app) followed(r web.Record) error {
	if a.format == "table" {
		_, err := fmt.Fprintf(a.stdout, "%d  %s  %-22s %s\n", r.Sequence, r.Recorded, r.Type, printable(statementOf(r)))
		return err
	}
	return json.NewEncoder(a.stdout).Encode(r)
}

// statementOf is the signed line of a stored record: the second.
func statementOf(r web.Record) string {
	start, end := 0, len(r.Stored)
	for i, line := 0, 0; i < len(r.Stored); i++ {
		if r.Stored[i] != '\n' {
			continue
		}
		if line++; line == 1 {
			start = i + 1
		} else {
			end = i
			break
		}
	}
	return r.Stored[start:end]
}
