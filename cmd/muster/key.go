package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"muster/cmd/internal/files"
	"muster/events"
	"muster/events/problem"
	"muster/projections/web"
)

func (a *app) keyCmd() *cobra.Command {
	return group("key", "Make and show event keys", a.keyNewCmd(), a.keyShowCmd())
}

func (a *app) keyNewCmd() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "new NAME",
		Short: "Make a key for a liaison (FRA/paris) or a coordinator (HQ/staff)",
		Long: `Make an Ed25519 key. The name says for whom the key speaks: a nation's code or HQ, a
slash, and a name of its own. The secret goes into a file that only you can read; what is printed
is public: give it to a coordinator, who admits it.`,
		Example: "  muster key new FRA/paris\n  muster member admit \"$(muster key show " +
			"FRA-paris.key)\"",
		Args: args("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if file == "" {
				file = strings.ReplaceAll(args[0], "/", "-") + ".key"
			}
			if err := a.checkKeyName(cmd.Context(), args[0]); err != nil {
				return err
			}
			public, err := files.NewKey(args[0], file)
			if err != nil {
				return err
			}
			fmt.Fprintf(a.stderr, "muster: the secret is in %s: keep it, and show it to nobody\n",
				file)
			return a.showKey(public)
		},
	}
	c.Flags().StringVar(&file, "file", "",
		"where to put the secret (default NAME.key in this folder, with - for /)")
	return c
}

// checkKeyName refuses what cannot name a key, and knows organisations by their names where a
// ledger is named that can be asked.
func (a *app) checkKeyName(ctx context.Context, name string) error {
	if events.ValidKeyName(name) {
		return nil
	}
	declared, err := a.allOrganisations(ctx)
	if err != nil {
		declared = nil // an answer without them is of use, too
	}
	return problem.New(problem.Invalid, "%w", declared.CheckKeyName(name))
}

func (a *app) keyShowCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "show [FILE]",
		Short: "Print the public half of a key",
		Args: func(cmd *cobra.Command, got []string) error {
			if len(got) == 0 {
				return nil
			}
			return args("FILE")(cmd, got)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				a.key = args[0]
			}
			s, err := a.signer()
			if err != nil {
				return err
			}
			return a.showKey(s.Key())
		},
	}
}

// showKey prints a public key: by itself for people, who copy it.
func (a *app) showKey(k events.Key) error {
	if a.format == "table" {
		_, err := fmt.Fprintln(a.stdout, k)
		return err
	}
	value := map[string]string{"name": k.Name(), "party": string(k.Party()), "key": string(k)}
	l := listing{value, web.Table{Head: []string{"name", "party", "key"}}}
	l.Add(value, k.Name(), string(k.Party()), string(k))
	return l.write(a.format, a.stdout)
}

// warnExposed warns whoever uses a file that others have rights on.
func (a *app) warnExposed(path string) {
	if warning := files.Exposed(path); warning != "" {
		fmt.Fprintf(a.stderr, "muster: warning: %s\n", warning)
	}
}
