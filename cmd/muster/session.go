package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/events/problem"
	"muster/projections"
	"muster/projections/access"
	"muster/projections/web"
)

func (a *app) sessionCmd() *cobra.Command {
	c := &cobra.Command{
		Use:   "session",
		Short: "Who one is to the server, until when, and what one may read",
		Long: `Ask the server who one is, until when, and what one may read. Where a key is at hand
(--key, or the data folder's), this signs in; so does every command that reads, by itself, where
the server does not let everybody read all. For that the key signs a note for this server and
twelve hours at most; the key itself is never sent. What the server gives for it is kept in a file
that only you can read, in the folder sessions of the user's configuration, until it ends.`,
		Example: "  muster session --url https://muster.example --key FRA-paris.key\n" +
			"  muster session end --url https://muster.example --key FRA-paris.key",
		Args: noneBut("session"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.showSession(cmd.Context()) },
	}
	c.AddCommand(&cobra.Command{
		Use:   "end",
		Short: "Sign out: the server forgets who one is, and so does this machine",
		Args:  args(),
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.endSession(cmd.Context()) },
	})
	return c
}

// noneBut refuses what follows a command that has others below it and does something by itself.
func noneBut(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, got []string) error {
		if len(got) == 0 {
			return nil
		}
		return usage("muster %s has no command %q: write end, or nothing", name, got[0])
	}
}

// visitor is whom one is at the server that the flags name.
func (a *app) visitor() (*visitor, error) {
	if a.nats.Given() {
		return a.natsVisitor()
	}
	url, err := a.serverURL()
	if err != nil {
		return nil, err
	}
	if _, err := a.httpTo(url); err != nil {
		return nil, err
	}
	return a.visitors[url], nil
}

// who asks the server who one is, and signs in before that if the caller insists.
func (v *visitor) who(ctx context.Context, insists bool) (w web.SessionState, err error) {
	if insists {
		err = v.insist(ctx)
	}
	token := ""
	if err == nil {
		token, err = v.tokenFor(ctx)
	}
	if err != nil {
		return w, err
	}
	data, err := v.door.do(ctx, askWho, token, nil)
	if problem.Is(err, problem.SignedOut) && token != "" {
		if token, err = v.renew(ctx, token); err == nil {
			data, err = v.door.do(ctx, askWho, token, nil)
		}
	}
	if err != nil {
		return w, err
	}
	if json.Unmarshal(data, &w) != nil || w.Read == "" {
		return w, notMusters("who one is")
	}
	return w, nil
}

func (a *app) showSession(ctx context.Context) error {
	v, err := a.visitor()
	if err != nil {
		return err
	}
	if err := a.meetNamed(ctx); err != nil {
		return err
	}
	w, err := v.who(ctx, true)
	if err != nil {
		return err
	}
	return sessionListing(w).write(a.format, a.stdout)
}

func sessionListing(w web.SessionState) listing {
	t := web.Table{Head: []string{"key", "role", "nation", "view", "views", "until", "read"}}
	until := ""
	if !w.Until.IsZero() {
		until = w.Until.UTC().Format(time.RFC3339)
	}
	views := make([]string, len(w.Views))
	for i, v := range w.Views {
		views[i] = string(v)
	}
	t.Add(w, string(w.Key), string(w.Role), string(w.Nation), string(w.View),
		strings.Join(views, " "), until, string(w.Read))
	t.Above = []string{sessionSentence(w), ""}
	if !w.SignedIn {
		t.Above = t.Above[:1]
	}
	return listing{w, t}
}

// sentence says who one is and what one may read.
func sessionSentence(w web.SessionState) string {
	who := "Not signed in"
	if w.SignedIn {
		who = fmt.Sprintf("Signed in as %s, %s", w.Key.Name(), w.Role)
		if !w.Until.IsZero() {
			who += ", until " + w.Until.UTC().Format(time.RFC3339)
		}
	}
	switch {
	case w.Read == access.ReadOpen:
		return who + ". This server lets everybody who reaches it read all."
	case w.View == "":
		return who + ". This server is read by members of the ledger alone."
	}
	return fmt.Sprintf("%s. It reads %s.", who, projections.Released(w.View))
}

func (a *app) endSession(ctx context.Context) error {
	v, err := a.visitor()
	if err != nil {
		return err
	}
	signer, err := a.whoAsks()
	if err != nil {
		return err
	}
	if signer == nil {
		return usage("it is not said whose session is to end").
			WithHint("name the file of the key that has signed in, with --key or MUSTER_KEY")
	}
	token := a.keptToken(v.name, signer.Key())
	if token == "" {
		fmt.Fprintf(a.stderr, "muster: %s is not signed in at this server from here\n",
			signer.Name())
		return nil
	}
	if err := a.meetNamed(ctx); err != nil {
		return err
	}
	_, err = v.door.do(ctx, signOut, token, nil)
	if err == nil || problem.Is(err, problem.SignedOut) {
		a.forgetToken(v.name, signer.Key())
		fmt.Fprintf(a.stderr, "muster: %s is signed out\n", signer.Name())
		return nil
	}
	return err
}
