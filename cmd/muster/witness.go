package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"muster/cmd/internal/files"
	"muster/cmd/internal/server"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/witness"
)

// witnessKeyFile is the secret key in a witness's folder.
const witnessKeyFile = "witness.key"

func (a *app) witnessCmd() *cobra.Command {
	var cfg server.Config
	var keys []string
	var name, dir string
	log := logging{to: a.stderr}
	c := &cobra.Command{
		Use:   "witness --log KEY... [--name NAME]",
		Short: "Be a witness of ledgers: sign what was seen to grow, and nothing else",
		Long: `Run a witness (C2SP tlog-witness). It signs checkpoints of the ledgers whose
checkpoint keys are given, and each only when it was proved that it goes on from the last one that
the witness has signed. It reads no record, believes no server, and signs nothing when a ledger
shows another history: it keeps the two checkpoints then, and says so. Run it on a machine of
another state than the server's: who asks for its signature finds out a server that shows
different things to different people.

The key of the witness is made at the first start, which needs --name, and is printed at each
start: it stands in the policies of those who ask. These are the ledger's servers, by themselves
(muster serve --policy), and whoever else wants to (muster checkpoint --witness). A ledger has a
checkpoint key for each of its servers: give all of them.`,
		Example: "  muster witness --name witness.mod.example/fra --data witness --log " +
			"muster.example/berlin+1a2b3c4d+Aet… --listen 0.0.0.0:8090 --tls-cert cert.pem " +
			"--tls-key key.pem",
		Args: args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(keys) == 0 {
				return usage("name the checkpoint keys of a ledger with --log, each of which its " +
					"server prints when it starts")
			}
			logger, err := log.logger()
			if err != nil {
				return err
			}
			secret, err := witnessSecret(dir, name)
			if err != nil {
				return err
			}
			w, err := witness.Open(witness.Config{Secret: secret, Logs: keys, Dir: dir,
				Log: logger})
			if err != nil {
				return err
			}
			log.say("witness %s", w.Key())
			origins, sizes := w.Origins()
			for i, origin := range origins {
				log.say("of the ledger %s, up to %s", origin, english.Several(sizes[i], "record"))
			}
			door := server.Door{Listen: cfg.Listen, TLSCert: cfg.TLSCert, TLSKey: cfg.TLSKey,
				Plaintext: cfg.Plaintext, Log: logger}
			err = door.Serve(cmd.Context(), w, func(at server.Place) {
				log.say("listening on %s", at)
			})
			return errors.Join(err, w.Close())
		},
	}
	f := c.Flags()
	f.StringArrayVar(&keys, "log", nil, "a checkpoint key of a ledger (may be repeated)")
	f.StringVar(&name, "name", "",
		"the name of the witness for ever, such as witness.mod.example/fra, when its key is made")
	f.StringVar(&dir, "data", "muster-witness", "the folder for the key and what was signed")
	f.StringVar(&cfg.Listen, "listen", "127.0.0.1:8090", "the address to listen on")
	tlsFlags(c, &cfg)
	log.flags(c, "info (with what was refused)")
	return c
}

// witnessSecret reads the secret key in the folder, or makes it, and the folder, where there is
// none.
func witnessSecret(dir, name string) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", problem.New(problem.Usage, "the folder of the witness: %w", err).
			WithHint("name another with --data")
	}
	file := filepath.Join(dir, witnessKeyFile)
	secret, err := os.ReadFile(file)
	if err == nil || !errors.Is(err, os.ErrNotExist) {
		return string(secret), err
	}
	if _, err := os.Stat(filepath.Join(dir, "witness.db")); err == nil {
		return "", problem.New(problem.Unavailable,
			"the folder %s has what a witness has signed, and not its key", dir).
			WithHint("put %s back from a copy", file)
	}
	if name == "" {
		return "", usage("there is no key in %s yet: give the witness a name with --name, such as "+
			"witness.mod.example/fra", dir)
	}
	made, err := witness.NewKey(name)
	if err == nil {
		err = files.WriteSecret(file, made+"\n")
	}
	return made, err
}
