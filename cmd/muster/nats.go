package main

import (
	"os"

	"github.com/spf13/cobra"

	"muster/cmd/internal/reach"
)

// natsFlags says how NATS is reached, for serve and for all that is said and asked over it. Secrets
// are in files or in the environment: others on the machine can read a command line.
func (a *app) natsFlags(root *cobra.Command) {
	n, f := &a.nats, root.PersistentFlags()
	add := func(to *string, name, variable, help string) {
		f.StringVar(to, name, os.Getenv(variable), help+" ("+variable+")")
		f.Lookup(name).DefValue = "" // --help does not show what the environment has
		section(root, "How NATS is reached", name)
	}
	add(&n.URLs, "nats", "MUSTER_NATS",
		"NATS servers, comma-separated: submit over NATS; for serve, keep the log there")
	add(&n.Context, "nats-context", "MUSTER_NATS_CONTEXT",
		"the context of the nats command to take the rest from")
	add(&n.Creds, "nats-creds", "MUSTER_NATS_CREDS", "the file of credentials to come with")
	add(&n.NKey, "nats-nkey", "MUSTER_NATS_NKEY", "the file of an nkey's seed to come with")
	add(&n.CA, "nats-ca", "MUSTER_NATS_CA",
		"the file of the certificates to believe; without it, those of this machine")
	add(&n.Cert, "nats-cert", "MUSTER_NATS_CERT", "the file of the certificate to show")
	add(&n.Key, "nats-key", "MUSTER_NATS_KEY", "the file of that certificate's key")
	add(&n.Inbox, "nats-inbox", "MUSTER_NATS_INBOX",
		"the prefix of inboxes, where the server wants a certain one")
	n.User, n.Password = os.Getenv("MUSTER_NATS_USER"), os.Getenv("MUSTER_NATS_PASSWORD")
	n.Token = os.Getenv("MUSTER_NATS_TOKEN")
}

// serviceFlags are those of the user that only answers clients.
func serviceFlags(c *cobra.Command, n *reach.NATS) {
	f := c.Flags()
	f.StringVar(&n.URLs, "nats-service", os.Getenv("MUSTER_NATS_SERVICE"),
		"the NATS cluster's URLs for a user that only answers clients, if not those of --nats "+
			"(MUSTER_NATS_SERVICE)")
	f.StringVar(&n.Creds, "nats-service-creds", os.Getenv("MUSTER_NATS_SERVICE_CREDS"),
		"the file of that user's credentials (MUSTER_NATS_SERVICE_CREDS)")
	f.StringVar(&n.NKey, "nats-service-nkey", os.Getenv("MUSTER_NATS_SERVICE_NKEY"),
		"the file of that user's nkey (MUSTER_NATS_SERVICE_NKEY)")
	f.StringVar(&n.Context, "nats-service-context", os.Getenv("MUSTER_NATS_SERVICE_CONTEXT"),
		"the context of the nats command for that user (MUSTER_NATS_SERVICE_CONTEXT)")
	f.Lookup("nats-service").DefValue = "" // --help does not show what the environment has
	n.User = os.Getenv("MUSTER_NATS_SERVICE_USER")
	n.Password = os.Getenv("MUSTER_NATS_SERVICE_PASSWORD")
}

// noSecrets refuses addresses on the command line that have a user, a password or a token in them.
func noSecrets(cmd *cobra.Command) error {
	for _, name := range []string{"nats", "nats-service"} {
		f := cmd.Flag(name)
		if f != nil && f.Changed && reach.HasUser(f.Value.String()) {
			return usage("--%s: others on this machine can read a command line: "+
				"leave out what stands before the @", name).
				WithHint("give --%[1]s-creds FILE, --%[1]s-nkey FILE or --%[1]s-context NAME; "+
					"or put the whole address in the environment", name)
		}
	}
	return nil
}
