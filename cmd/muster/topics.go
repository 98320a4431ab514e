package main

import (
	"strings"

	"github.com/spf13/cobra"

	"muster/ledger/intake/round"
)

// What muster help tells beside its commands.

// exitCodes says what each exit code means, as the README does.
const exitCodes = `A command ends with one of these exit codes:

   0  done
   1  something else went wrong
   2  the command line cannot be understood
   3  there is no such thing
   4  the signer may not say this, or who asks may not read it
   5  a rule of the ledger refuses it
   6  the statement or a field is wrong
   7  the server, or NATS, does not answer
   8  verification failed: something was altered, left out or forged
  10  diff or rebuild found differences

What went wrong is told on the standard error, with a hint where there is a remedy; with -o json, as
problem+json (RFC 9457).`

// exitCodesTopic is no command: it only has a help.
func exitCodesTopic() *cobra.Command {
	return &cobra.Command{Use: "exit-codes", Short: "What the exit codes mean", Long: exitCodes}
}

// mappingTopic tells what a mapping file of an import can say.
func mappingTopic() *cobra.Command {
	return &cobra.Command{Use: "mapping", Short: "What a mapping file of an import can say",
		Long: strings.TrimSpace(round.Help)}
}

// helpCmd shows the help of a command or of a topic, and refuses what is neither.
func helpCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND or TOPIC]",
		Short: "Help about a command, or about a topic such as exit-codes",
		ValidArgsFunction: func(c *cobra.Command, args []string,
			_ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var names []cobra.Completion
			if at, _, err := c.Root().Find(args); err == nil {
				for _, one := range at.Commands() {
					names = append(names, cobra.CompletionWithDesc(one.Name(), one.Short))
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			found, rest, err := c.Root().Find(args)
			if err != nil || found == c.Root() && len(args) > 0 || len(rest) > 0 {
				return usage("there is no help about %q", strings.Join(args, " ")).
					WithHint("the commands and topics are listed by: muster help")
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		},
	}
}
