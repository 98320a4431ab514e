package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"muster/cmd/internal/files"
	"muster/cmd/internal/reach"
	"muster/cmd/internal/server"
	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/mirror"
	"muster/ledger/witness"
)

// defaultMirror is where a mirror listens that was not told otherwise: not where a server does, so
// that both can be tried on one machine.
const defaultMirror = "127.0.0.1:8081"

// A mirroring is what the flags of a mirror say.
type mirroring struct {
	url, dir string
	view     string // "" for all that who signs in may read
	once     bool
	witness  string // the name of the witness that it is to be
	cfg      server.Config
	log      logging
}

func (a *app) mirrorCmd() *cobra.Command {
	o := mirroring{log: logging{to: a.stderr}}
	var read string
	var proxies []string
	c := &cobra.Command{
		Use:   "mirror URL DIR",
		Short: "Keep a verified copy of a ledger, and answer from it when its server is gone",
		Long: `Follow the server at URL, and keep in the folder DIR what it shows: each record is
verified before it is stored, as "muster verify" does. What cannot be true is not stored: the exit
code is 8 then, two signed checkpoints that cannot both be true are kept, and what was held before
stays as it was. While the server, or what stands before it, shows fewer records than before, the
mirror keeps what it has, says so, and tries again.

The mirror answers by itself, with the commands, the pages and the programs that ask a server.
While its own server is away it goes on answering, and says on every page, in muster status and at
/healthz since when that is so, and with which record its copy ends. It takes no statements.

It holds what may be read with the key that it signs in with (--key), or less, with --view; nobody
is answered in a wider view. Whose an organisation's name after --view is must follow from the
records: for a name, a new mirror reads and verifies them twice, and where the view may not read
the record that declares it, give the code. Who may read what of the mirror is said as of a server,
with --read: members sign in with their own keys.

With --witness-name the mirror is a witness, too (muster witness), which the policy of the server
may name. It signs only checkpoints of which it holds every record, or the hash of one that it may
not read.

DIR holds plain files, as C2SP tlog-tiles has them, which "muster verify DIR" verifies, and any
other program that knows that specification. To keep it safe, copy the folder.`,
		Example: "  muster mirror https://muster.example ./ledger --key FRA-paris.key\n" +
			"  muster mirror https://muster.example ./ledger --view coalition --once\n" +
			"  muster mirror https://muster.example ./ledger --listen :443 --host mirror.mod.example " +
			"--tls-cert mirror.pem --tls-key mirror.key --witness-name witness.mod.example/fra",
		Args: args("URL", "DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.url, o.dir = args[0], args[1]
			err := readingOf(&o.cfg, read)
			if err == nil {
				err = a.configure(&o.cfg, "", proxies)
			}
			if err == nil {
				o.cfg.Log, err = o.log.logger()
			}
			if err == nil {
				err = a.mirror(cmd.Context(), o)
			}
			return err
		},
	}
	f := c.Flags()
	listenFlags(c, &o.cfg, &proxies, defaultMirror)
	readFlags(c, &o.cfg, &read)
	f.StringVar(&o.view, "view", "",
		"hold no more than those may read who have this view: public, coalition, a nation such "+
			"as FRA, an organisation by its code or name, or coordinators for all (default: all "+
			"that may be read with the key; of a plain web server, which cannot tell, it must "+
			"be said)")
	f.BoolVar(&o.once, "once", false,
		"bring the copy up to date, and end: nobody is answered")
	f.StringVar(&o.witness, "witness-name", "",
		"be a witness of this name for ever, such as witness.mod.example/fra; later starts need "+
			"not say so")
	f.StringVar(&o.cfg.Name, "name", "",
		"this mirror's name, as it tells it (default: the machine's)")
	o.log.flags(c, "info (with what it is asked to sign and refuses)")
	return c
}

// mirror opens the folder, and follows the server until ctx ends.
func (a *app) mirror(ctx context.Context, o mirroring) error {
	if u, err := url.Parse(o.url); err != nil || u.Host == "" || u.User != nil {
		return usage("%s is no server's address: write it such as https://muster.example", o.url)
	}
	a.url, a.nats = o.url, reach.NATS{}
	a.policyFile, a.noPolicy = "", true // who asks the mirror has a policy
	a.limits.Begin = beginTime
	if o.once {
		return a.withMirror(ctx, o, func(f *follower) error { return f.begin(ctx) })
	}
	hangups := hangupsOf(o.cfg)
	front, err := server.ListenMirror(o.cfg) // the address first, so that it is known to be there
	if err != nil {
		return err
	}
	return a.withMirror(ctx, o, func(f *follower) error {
		err := f.begin(ctx)
		if err == nil && ctx.Err() == nil {
			err = f.serve(ctx, front, hangups)
		}
		closed := front.Close()
		if err == nil {
			err = closed
		}
		return err
	})
}

// withMirror opens the folder while do has it.
func (a *app) withMirror(ctx context.Context, o mirroring, do func(*follower) error) error {
	held, err := mirror.Open(ctx, o.dir, mirror.Options{Keys: a.keysOfMirror, Log: o.cfg.Log,
		Progress: a.verifyProgress()})
	a.progress("")
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	err = do(newFollower(a, held, o))
	closed := held.Close()
	if err == nil {
		err = closed
	}
	return err
}

// begin brings the mirror up to date before anybody is answered, where it holds nothing yet, or is
// to end with that. What it holds is answered from at once, whatever becomes of the server.
func (f *follower) begin(ctx context.Context) error {
	held := f.held
	stopped := held.Stopped()
	switch {
	case stopped != nil:
		p := problem.New(problem.Unverified, "the mirror in %s follows no more, since %s: %s",
			f.dir, stopped.At.Format("2006-01-02 15:04:05 UTC"), stopped.Detail).
			WithHint("%s", stopped.Hint)
		if held.Last() == 0 || f.once {
			return p
		}
		f.cannot(p, stopped.At)
		f.log.say("NOT FOLLOWING %s: %s", f.url, p.Detail)
		f.log.say("what is held is answered from; remedy: %s", p.Hint)
	case held.Last() == 0 || f.once:
		if err := f.first(ctx); err != nil || ctx.Err() != nil {
			return err
		}
	}
	f.log.say("ledger %s, %s, %s, in %s", held.About().Origin,
		english.Several(held.Last(), "record"), f.whose(), f.dir)
	return nil
}

// first follows the server once, which must succeed.
func (f *follower) first(ctx context.Context) error {
	err := f.round(ctx)
	f.app.progress("")
	lacks := problem.From(f.held.Lacks())
	switch {
	case err == nil || ctx.Err() != nil:
		return nil
	case problem.Is(err, problem.Unverified) && !mirror.IsNotSigned(err):
		return f.stop(err)
	case lacks != nil:
		return problem.New(problem.Unverified, "%s; and the server %s cannot be followed: %w",
			lacks.Detail, f.url, err).WithHint("%s", lacks.Hint)
	}
	return err
}

// whose says of which view the mirror is.
func (f *follower) whose() string {
	if v := f.held.About(); !v.All() {
		return fmt.Sprintf("%s (%d withheld)", whose(v.View), f.held.Withheld())
	}
	return whose("")
}

// serve answers, and follows.
func (f *follower) serve(ctx context.Context, front *server.Mirror, h hangups) error {
	w, err := f.openWitness()
	if err != nil {
		return err
	}
	if w != nil {
		defer func() { _ = w.Close() }() // what it has signed is on the disk
		f.log.say("witness %s", w.Key())
		err = front.Answer(ctx, f.held, f.following, w)
	} else {
		err = front.Answer(ctx, f.held, f.following, nil)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	f.log.say("checkpoint key %s", f.held.About().Key)
	f.log.say("listening on %s", front.At())
	defer h.reopen(front)()
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- f.follow(ctx) }()
	select {
	case err = <-front.Failed():
		stop()
		<-ended
	case err = <-ended:
		stop()
	}
	return err
}

// keysOfMirror are the keys to believe the stored checkpoint by: the one that was given, or those
// of earlier contacts, or else the one that the folder names.
func (a *app) keysOfMirror(origin events.Origin, claimed string) ([]string, error) {
	known, err := a.known(origin)
	if err != nil {
		return nil, err
	}
	keys := known.Keys
	if len(keys) == 0 {
		keys = []string{claimed}
	}
	if key, err := a.pinned(); key != "" || err != nil {
		return append(keys[:len(keys):len(keys)], key), err
	}
	return keys, nil
}

// openWitness opens the witness that the mirror is, nil for none.
func (f *follower) openWitness() (*witness.Witness, error) {
	dir := f.held.Local()
	file := filepath.Join(dir, witnessKeyFile)
	_, err := os.Stat(file)
	if errors.Is(err, os.ErrNotExist) && f.witness == "" {
		return nil, nil
	}
	secret, err := witnessSecret(dir, f.witness)
	if err != nil {
		return nil, err
	}
	if warning := files.Exposed(file); warning != "" {
		f.cfg.Log.Warn(warning)
	}
	keys, err := f.app.keysOfMirror(f.held.About().Origin, f.held.About().Key)
	if err != nil {
		return nil, err
	}
	w, err := witness.Open(witness.Config{Secret: secret, Logs: keys, Dir: dir, Log: f.cfg.Log,
		Holds: f.holds})
	if err == nil {
		f.key = w.Key()
	}
	return w, err
}
