package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/events/problem"
	"muster/events/problem/wire"
	"muster/projections"
	"muster/projections/web"
)

const feedsPath = web.Root + "/feeds"

func (a *app) feedCmd() *cobra.Command {
	return group("feed", "Addresses that calendars and feed readers follow without a key",
		a.feedNewCmd(), a.feedListCmd(), a.feedRevokeCmd())
}

func (a *app) feedNewCmd() *cobra.Command {
	q := map[string]*string{}
	c := &cobra.Command{
		Use:   "new --of due|records|coverage",
		Short: "Make an address that a calendar or a feed reader follows without a key",
		Long: `Make an address with a token in it, for a program that cannot sign in: a calendar that
follows what has a day (due), or a reader of Atom feeds that follows the latest records, or what has
changed in coverage. Whoever has the address reads there what your key may read, in one view and
nothing else, until you revoke it or your key is revoked: keep it as you keep the key, and give each
program its own. It is shown this once, since the server keeps no more than its hash. It is of the
server that has made it, and no other server of the ledger knows it. A key has 16 at most.`,
		Example: `  muster feed new --of due --url https://muster.example --key FRA-paris.key
  muster feed new --of due --view coalition --operation mnf-u --within 60
  muster feed new --of coverage --operation mnf-u --lang fr`,
		Args: args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			asked := values(q)
			if asked["of"] == "" {
				return usage("--of is missing: say what is to be read there: due, records or " +
					"coverage")
			}
			return a.newFeed(cmd.Context(), asked)
		},
	}
	stringFlags(c, q, "operation", "nation", "role", "within", "view")
	q["lang"] = c.Flags().String("lang", "",
		"the language of its sentences: en or fr (default: en)")
	q["of"] = c.Flags().String("of", "",
		"what is to be read there: due, records or coverage (required)")
	c.Flags().Lookup("view").Usage = "what those may read who may read no more: public, " +
		"coalition, or a nation's code (default: all that your key may)"
	return c
}

func (a *app) feedListCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "Your feeds at this server, without their addresses",
		Args:  args(),
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.listFeeds(cmd.Context()) },
	}
}

func (a *app) feedRevokeCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "revoke ID",
		Short:   "Revoke a feed: its address ends at once",
		Example: "  muster feed revoke 1f0c2a9be4d35687",
		Args:    args("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.revokeFeed(cmd.Context(), args[0])
		},
	}
}

// A madeFeed is a feed with its whole address.
type madeFeed struct {
	web.Feed

	Address string `json:"address"`
}

func (a *app) newFeed(ctx context.Context, asked map[string]string) error {
	body, err := web.Parameters(asked)
	if err != nil {
		return usage("what is to be read there: %w", err)
	}
	var f web.Feed
	at, err := a.ofFeeds(ctx, http.MethodPost, "", body, &f)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(f.Path, web.FeedsRoot) {
		return notMusters("the address of the feed")
	}
	made := madeFeed{f, strings.TrimSuffix(at, "/") + f.Path}
	made.Path = ""
	if a.format != "table" {
		t := web.Table{Head: append([]string{"address"}, feedHead...)}
		t.Add(made, append([]string{made.Address}, feedCells(f)...)...)
		return a.write(listing{made, t})
	}
	fmt.Fprintf(a.stderr, "muster: whoever has this address reads %s there: %s. It is shown this "+
		"once. To end it: muster feed revoke %s\n", problem.Line(f.Of), readAt(f.View),
		problem.Line(f.ID))
	_, err = fmt.Fprintln(a.stdout, problem.Line(made.Address))
	return err
}

// readAt says what whoever has the address of a feed reads there.
func readAt(v events.View) string {
	if v == events.CoordinatorsView {
		return "all, as the coordinators do"
	}
	return problem.Line(projections.Released(v))
}

var feedHead = []string{"id", "of", "view", "operation", "nation", "role", "within", "lang", "made"}

func feedCells(f web.Feed) []string {
	return []string{f.ID, f.Of, string(f.View), string(f.Operation), string(f.Nation),
		string(f.Role), f.Within, f.Lang, f.Made.UTC().Format(time.RFC3339)}
}

func (a *app) listFeeds(ctx context.Context) error {
	var all web.Feeds
	if _, err := a.ofFeeds(ctx, http.MethodGet, "", nil, &all); err != nil {
		return err
	}
	t := web.Table{Head: feedHead}
	for _, f := range all.Feeds {
		t.Add(f, feedCells(f)...)
	}
	if len(all.Feeds) == 0 {
		t.Below = []string{"You have no feed at this server."}
	}
	return a.write(listing{all, t})
}

func (a *app) revokeFeed(ctx context.Context, id string) error {
	var f web.Feed
	_, err := a.ofFeeds(ctx, http.MethodDelete, "/"+url.PathEscape(id), nil, &f)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stderr, "muster: the feed %s is revoked: there is nothing at its address any "+
		"more\n", problem.Line(f.ID))
	return nil
}

// ofFeeds asks the server about one's feeds, and signs in before that, also where everybody reads
// all. It returns the server's address.
func (a *app) ofFeeds(ctx context.Context, method, path string, body []byte, answer any) (string,
	error) {
	if a.nats.Given() {
		return "", usage("feeds are addresses of a server, and are made over HTTP").
			WithHint("name the server with --url, and leave out --nats")
	}
	at, err := a.serverURL()
	if err != nil {
		return "", err
	}
	client, err := a.httpTo(at)
	if err == nil {
		err = a.visitors[at].insist(ctx)
	}
	if err != nil {
		return "", err
	}
	var sent io.Reader
	if body != nil {
		sent = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(at, "/")+feedsPath+path,
		sent)
	if err != nil {
		return "", problem.New(problem.Usage, "the server's address %q: %w", at, err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	const doubt = "whether that was done is not known; what there is: muster feed list"
	data, err := wire.Fetch(client, at, req, maxSession, doubt)
	if err == nil && json.Unmarshal(data, answer) != nil {
		err = notMusters("what the server says of feeds")
	}
	return at, err
}
