package main

import (
	"os"
	"strings"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
	"muster/projections/web"
)

func (a *app) memberCmd() *cobra.Command {
	return group("member", "Who may sign what", a.memberAdmitCmd(), a.memberRevokeCmd(),
		a.memberSecondCmd(), a.memberRetractCmd(), a.memberListCmd())
}

func (a *app) memberAdmitCmd() *cobra.Command {
	var role, clearance, note string
	c := &cobra.Command{
		Use:   "admit KEY",
		Short: "Let the holder of a key sign",
		Long: `Admit a public key, as "muster key new" prints it, or the file that holds it. A key
named after a nation is its liaison's; one named HQ/… is a coordinator's, or an importer's with
--role importer. With --role reader its holder signs no statements, and is to read what
--clearance says.

In a ledger whose founding asks for seconds, the key signs once others have seconded this (muster
member second): coordinators, and for a further key of a nation one of its liaisons.`,
		Args: args("KEY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := a.publicKey(args[0])
			if err != nil {
				return err
			}
			if role == "" {
				role = string(events.Liaison)
				if key.Party() == events.HQ {
					role = string(events.Coordinator)
				}
			}
			return a.submitOne(cmd.Context(), false, func(s *speaker) (events.Statement, error) {
				return &events.MemberAdmitted{Header: s.head("member.admitted"), Key: key,
					Role: events.MemberRole(role), Note: note,
					Clearance: events.Clearance(clearance)}, nil
			})
		},
	}
	c.Flags().StringVar(&role, "role", "",
		"liaison, coordinator, importer or reader (default: by the key's name)")
	c.Flags().StringVar(&clearance, "clearance", "",
		"what a reader may read: public, coalition, nation (what that of its key may) or "+
			"coordinators (all; for a key named HQ/…)")
	c.Flags().StringVar(&note, "note", "", "a note for people")
	return c
}

func (a *app) memberRevokeCmd() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use:   "revoke KEY|NAME",
		Short: "End what a key may sign; what it signed before stays",
		Long: `End what a key may sign, from this record on. A key's holder does so alone (--key
with that very key), as when it may have been stolen. In a ledger whose founding asks for seconds,
what a coordinator revokes counts once others have seconded it (muster member second). What to do
when a key is lost: deploy/KEYS.md.`,
		Args: args("KEY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return usage("--reason is missing: say why, for those who read the record later")
			}
			key, err := a.memberKey(cmd, args[0])
			if err != nil {
				return err
			}
			return a.submitOne(cmd.Context(), false, func(s *speaker) (events.Statement, error) {
				return &events.MemberRevoked{Header: s.head("member.revoked"), Key: key,
					Reason: reason}, nil
			})
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why (required)")
	return c
}

// publicKey reads a public key from an argument: the key itself, or a file that holds it or its
// secret.
func (a *app) publicKey(arg string) (events.Key, error) {
	if strings.Contains(arg, "+") {
		return events.Key(arg), nil
	}
	data, err := os.ReadFile(arg)
	if err != nil {
		return "", problem.New(problem.Usage,
			"%q is no public key, and no file that could be read: %w", arg, err).
			WithHint("write the key as `muster key show` prints it")
	}
	if signer, err := events.NewSigner(string(data)); err == nil {
		a.warnExposed(arg)
		return signer.Key(), nil
	}
	return events.Key(strings.TrimSpace(string(data))), nil
}

// memberKey finds the key that a person means by a key, a file, or the name of a member.
func (a *app) memberKey(cmd *cobra.Command, arg string) (events.Key, error) {
	if !events.ValidKeyName(arg) {
		return a.publicKey(arg)
	}
	var roster projections.Roster
	if err := a.askToSign(cmd.Context(), "members", nil, &roster); err != nil {
		return "", err
	}
	var found []events.Key
	for _, m := range roster.Members {
		if m.Name == arg && m.Revoked == 0 {
			found = append(found, m.Key)
		}
	}
	for _, w := range roster.Waiting { // for which the ledger says why not
		if len(found) == 0 && w.Name == arg && !w.Revokes {
			found = []events.Key{w.Key}
		}
	}
	switch len(found) {
	case 0:
		return "", problem.New(problem.NotFound,
			"there is no member named %s that could be revoked", arg).
			WithHint("see: muster member list")
	case 1:
		return found[0], nil
	}
	return "", problem.New(problem.Conflict, "%d members are named %s", len(found), arg).
		WithHint("write the whole key, as it is listed by: muster member list")
}

func (a *app) memberListCmd() *cobra.Command {
	return questionCmd(a, question{
		name: "members", use: "list",
		short: "Who may sign, and who once could",
		flags: []string{"as-of"},
	}, web.MembersTable)
}
