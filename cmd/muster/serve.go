package main

import (
	"os"
	"os/signal"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"muster/cmd/internal/reach"
	"muster/cmd/internal/server"
	"muster/events"
	"muster/events/build"
	"muster/events/english"
	"muster/events/problem"
	"muster/projections/access"
	"muster/projections/web"
)

// What a server has that was not told otherwise.
const (
	defaultData   = "muster-data"
	defaultListen = "127.0.0.1:8080"
)

func (a *app) serveCmd() *cobra.Command {
	cfg := server.Config{}
	var origin, read, founding, told string
	var proxies, changed []string
	log := logging{to: a.stderr}
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: `Run a server: with nothing but a folder, in which NATS and the journal are
embedded, or with --nats on a NATS cluster that any number of servers share. The first start
founds the ledger and makes the founder's key, which lies in the folder; commands on this machine
sign with it when they are told the folder (--data or MUSTER_DATA).

Whoever keeps the server need not speak for the coordinators: with --founding, the ledger begins
with the statement that "muster found" has signed wherever the founder's key is, and no key of the
founder comes to the server.

On an address that other machines reach, the server speaks TLS, with --tls-cert and --tls-key, or
is told --plaintext, behind a proxy that does.

With --policy, witnesses sign what the server has recorded (muster witness, or any other of C2SP
tlog-witness). They also keep it from going on from an old copy of its folder: at its start it
asks them what they have seen, and does not start where that is more than it has. It takes
statements when as many have signed as the policy asks for, and waits for that long; from then on
it waits for no witness. With "quorum none" it waits for nobody.`,
		Example: "  muster serve --data ./ledger\n" +
			"  muster serve --data ./ledger --listen :443 --host muster.example --tls-cert " +
			"muster.pem --tls-key muster.key\n" +
			"  muster serve --data ./ledger --founding founding.note\n" +
			"  muster serve --data ./ledger --nats " +
			"nats://a:4222,nats://b:4222,nats://c:4222 --replicas 3",
		Args: args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := readingOf(&cfg, read)
			if err == nil {
				err = a.configure(&cfg, origin, proxies)
			}
			if err == nil && founding != "" {
				err = foundingOf(&cfg, founding)
			}
			if err == nil {
				cfg.Authorities = a.ca
				cfg.Policy, err = a.witnesses()
			}
			if err == nil {
				cfg.Log, err = log.logger()
			}
			if err == nil && told != "" {
				err = hooksOf(&cfg, told)
			}
			if err == nil {
				err = changedOf(&cfg, changed)
			}
			if err == nil {
				err = a.serve(cmd, cfg, log)
			}
			if err == nil || log.format != "json" {
				return err
			}
			return log.ended(a.addressed(cmd.Root(), err))
		},
	}
	listenFlags(c, &cfg, &proxies, defaultListen)
	readFlags(c, &cfg, &read)
	tellFlags(c, &told, &changed)
	clusterFlags(c, &cfg)
	ledgerFlags(c, &cfg, &origin, &founding)
	watchFlags(c, &cfg, &log)
	return c
}

// listenFlags say where a server, or a mirror, listens.
func listenFlags(c *cobra.Command, cfg *server.Config, proxies *[]string, usual string) {
	f := c.Flags()
	f.StringVar(&cfg.Listen, "listen", usual, "address of the HTTP API")
	hostFlag(c, &cfg.Hosts)
	tlsFlags(c, cfg)
	f.StringVar((*string)(&cfg.Base), "base-path", "",
		"the path below which the server answers, such as /muster, where a proxy leads the rest "+
			"of the host elsewhere and passes on the path as it is (default: all of the host)")
	f.StringArrayVar(proxies, "proxy", nil,
		"address or network of a proxy, whose X-Forwarded-For tells clients apart (may be "+
			"repeated)")
	section(c, "Where it listens", "listen", "host", "base-path", "proxy")
}

// readFlags say who reads what, and where that is noted.
func readFlags(c *cobra.Command, cfg *server.Config, read *string) {
	f := c.Flags()
	f.StringVar(read, "read", "",
		"who may read what: open (whoever reaches the server reads all), "+
			"released (who has not signed in reads what is released to the public, and each "+
			"member what is released to it) or members (nobody else reads anything); without "+
			"it, open where nobody but this machine reaches the server, and released elsewhere")
	f.StringVar(&cfg.AccessLog, "access-log", "",
		"the file to note in who asked what, as JSON lines, or - for the standard error; it is "+
			"opened anew at SIGHUP (default: none)")
	section(c, "Who reads what", "read", "access-log")
}

// clusterFlags are about the embedded NATS server, or a cluster and the servers that share it.
func clusterFlags(c *cobra.Command, cfg *server.Config) {
	f := c.Flags()
	f.StringVar(&cfg.NATSListen, "nats-listen", "",
		"address for NATS clients, such as 127.0.0.1:4222 (default: none)")
	serviceFlags(c, &cfg.NATSService)
	f.IntVar(&cfg.Replicas, "replicas", 1, "replicas of a stream that is created on a NATS cluster")
	f.StringArrayVar(&cfg.Without, "without", nil,
		"a server of the cluster that is gone for good, with its journal, by its name (may be "+
			"repeated): it is not waited for any more, and what only its journal holds is lost; "+
			"that is remembered until a server of that name is back")
	f.BoolVar(&cfg.RestoreStream, "restore-stream", false,
		"make the stream anew from the journal where it holds other records, or is damaged and "+
			"nothing proves that the journal is right; on a cluster, start all servers with it: "+
			"the one with the longest journal does it; the other stream is kept")
	section(c, "The embedded NATS server, or a cluster", "nats-listen", "nats-service",
		"nats-service-creds", "nats-service-nkey", "nats-service-context", "replicas",
		"restore-stream", "without")
}

// ledgerFlags are about the ledger, and what a person decides about its records.
func ledgerFlags(c *cobra.Command, cfg *server.Config, origin, founding *string) {
	f := c.Flags()
	f.StringVar(&cfg.Name, "name", "",
		"this server's name in the records it makes (default: the machine's)")
	f.StringVar(founding, "founding", "",
		"the file of the signed statement that the ledger begins with, made elsewhere; "+
			"without it, the first start makes a founder's key in the folder, and signs one")
	f.StringVar(origin, "origin", "",
		"the ledger's name for ever, when it is founded (default: made from the founder's key)")
	f.StringVar(&cfg.Title, "title", "A coalition's pledges",
		"what the ledger is for, when it is founded")
	f.Uint64Var(&cfg.RestoredAsOf, "restored-as-of", 0,
		"go on from a backup that ends with this record, where nothing has what was recorded "+
			"later: it is lost then; the server says when it needs this, once")
	f.Uint64Var(&cfg.Past, "past-record", 0,
		"record on after this record, although its time and this machine's clock are far apart: "+
			"the server says when it needs this, and which record it is")
	f.BoolVar(&cfg.NewCheckpointKey, "new-checkpoint-key", false,
		"make a new checkpoint key where the old one is lost: "+
			"nobody believes this server until they are told the new one")
	section(c, "The ledger", "name", "founding", "origin", "title", "new-checkpoint-key",
		"restored-as-of", "past-record")
}

// foundingOf fills in the statement that the ledger begins with. The file says what it is called.
func foundingOf(cfg *server.Config, file string) error {
	note, err := readInput(file)
	if err != nil {
		return err
	}
	founding, err := server.ReadFounding(note)
	if err != nil {
		p := *problem.From(err)
		p.Detail = "--founding " + file + ": " + p.Detail
		return p.WithHint("have it made by: muster found --key FILE")
	}
	if origin := founding.Statement.Head().Ledger; cfg.Origin != "" && cfg.Origin != origin {
		return usage("--founding %s is of the ledger %s, and --origin says %s: leave --origin out",
			file, origin, cfg.Origin)
	}
	cfg.Founding = &founding
	return nil
}

// readingOf fills in who may read what.
func readingOf(cfg *server.Config, read string) error {
	var ok bool
	if cfg.Read, ok = access.ParseReading(read); !ok && read != "" {
		return usage("--read %q: write open, released or members", read)
	}
	return nil
}

// configure fills in what the flags say, and refuses what cannot be so.
func (a *app) configure(cfg *server.Config, origin string, proxies []string) error {
	cfg.Dir, cfg.NATS, cfg.Origin = a.data, a.nats, events.Origin(origin)
	if cfg.NATSService != (reach.NATS{}) {
		cfg.NATSService = cfg.NATSService.Or(cfg.NATS)
	}
	if cfg.Dir == "" {
		cfg.Dir = defaultData
	}
	if origin != "" && !cfg.Origin.Valid() {
		return usage("--origin %s: write a name like a URL without a scheme, such as "+
			"muster.example/berlin", origin)
	}
	for _, text := range proxies {
		proxy, err := web.ParseProxy(text)
		if err != nil {
			return usage("--proxy %q: write an address or a network, such as 10.0.0.5 or "+
				"10.0.0.0/8", text)
		}
		cfg.Proxies = append(cfg.Proxies, proxy)
	}
	if len(cfg.Name) > maxName || !utf8.ValidString(cfg.Name) ||
		strings.IndexFunc(cfg.Name, unicode.IsControl) >= 0 {
		return usage("--name: it has %d bytes: write one line of text of %d at most, such as "+
			"berlin-1",
			len(cfg.Name), maxName)
	}
	err := checkHosts(cfg.Hosts)
	if err == nil {
		cfg.Base, err = web.ParseBase(string(cfg.Base))
	}
	if err != nil {
		return err
	}
	if cfg.Name == "" {
		// Without a name, records say that nobody in particular recorded them.
		cfg.Name, _ = os.Hostname()
	}
	cfg.Version = build.Version()
	return nil
}

const hostsHelp = "a name by which clients know this server, such as muster.example, may be " +
	"repeated: who asks for another host than these, its address and localhost is refused"

func hostFlag(c *cobra.Command, hosts *[]string) {
	c.Flags().StringArrayVar(hosts, "host", nil, hostsHelp)
}

// tlsFlags says how what is said and read is kept from others on the way.
func tlsFlags(c *cobra.Command, cfg *server.Config) {
	f := c.Flags()
	f.StringVar(&cfg.TLSCert, "tls-cert", "",
		"the file of this server's certificate with its chain, as PEM: it speaks TLS, "+
			"to NATS clients too; the file is read again when it changes")
	f.StringVar(&cfg.TLSKey, "tls-key", "", "the file of the certificate's key")
	f.BoolVar(&cfg.Plaintext, "plaintext", false,
		"listen for other machines without TLS: for a server behind a proxy that ends TLS")
	section(c, "TLS", "tls-cert", "tls-key", "plaintext")
}

func checkHosts(hosts []string) error {
	for _, h := range hosts {
		if !web.ValidHost(h) {
			return usage("--host %s: write a name or an address without a scheme and a port, "+
				"such as muster.example", h)
		}
	}
	return nil
}

// maxName is how long a server's name may be, which every record has that it makes: as long as that
// of a machine.
const maxName = 253

func (a *app) serve(cmd *cobra.Command, cfg server.Config, log logging) error {
	hangups := hangupsOf(cfg)
	s, err := server.Start(cmd.Context(), cfg)
	if err != nil && cmd.Context().Err() != nil { // what failed was not waited for
		log.say("stopped before it had started")
		return nil
	}
	if err != nil {
		return err
	}
	log.say("ledger %s, %s, in %s", s.Ledger.Origin(),
		english.Several(s.Journal.Last(), "record"), cfg.Dir)
	log.say("checkpoint key %s", s.CheckpointKey())
	if at := s.AdminAt(); at != "" {
		log.say("metrics on %s", at)
	}
	log.say("listening on %s", s.At())
	if s.ListensToOthers() && len(cfg.Hosts) == 0 {
		log.say("who asks for this server by a name is refused: give its names with --host")
	}
	if at := s.NATSAt(); at != "" {
		log.say("NATS clients on %s", at)
	}
	defer hangups.reopen(s)()
	stopping := supervised(cmd.Context(), s, log)
	select {
	case <-cmd.Context().Done():
		log.say("stopping")
	case err = <-s.Failed():
	}
	stopping()
	closed := s.Close()
	if err == nil {
		err = closed
	}
	return err
}

// Hangups are what SIGHUP tells a server that keeps an access log: to open it anew, as logrotate
// has it. One without ends then, as ever.
type hangups chan os.Signal

func hangupsOf(cfg server.Config) hangups {
	h := make(hangups, 1)
	if cfg.AccessLog != "" {
		signal.Notify(h, syscall.SIGHUP)
	}
	return h
}

// reopen does so until the function that is returned is called.
func (h hangups) reopen(s interface{ ReopenAccessLog() }) (end func()) {
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-h:
				s.ReopenAccessLog()
			case <-done:
				return
			}
		}
	}()
	return func() { signal.Stop(h); close(done) }
}
