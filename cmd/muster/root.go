package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"muster/cmd/internal/files"
	"muster/cmd/internal/reach"
	"muster/cmd/internal/server"
	"muster/cmd/internal/sshagent"
	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/ledger/proof/policy"
	"muster/projections/web"
)

// An app is one run of the command: its streams and the flags that every command takes.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	url, key, data string
	nats           reach.NATS
	ca             string                  // the file of the authorities to believe
	anonymous      bool                    // nobody signs in
	clients        map[string]*http.Client // by the address of the server that they ask
	visitors       map[string]*visitor     // by the same addresses
	natsAt         *visitor                // of the servers that are asked over NATS
	conn           *nats.Conn              // to --nats, once it is needed
	// Where it is kept what was seen; "" for the user's configuration.
	config        string
	checkpointKey string // the only key to believe checkpoints of
	policyFile    string // with the witnesses; "" for none
	policy        *policy.Policy
	receiptFile   string   // where to save a receipt
	receiptSaved  bool     // that one was
	deadline      deadline // of what is signed
	contact       *contact // nil before the first one
	forgetful     bool     // that nothing can be kept was said
	toldOlder     bool     // that a mirror has fewer records than were seen was said
	format        string
	json          bool
	// Answers are held against what follows from the verified records, and some were.
	verifies, answersVerified bool
	verified                  *verifiedLedger // nil before the first one
	// How long the command may take, 0 for as long as it likes, and what servers may take of it.
	timeout time.Duration
	limits  reach.Limits
	late    func() bool // the time is over; nil before the command has begun
	done    func()      // says that the command has ended; nil before it has begun
}

// run executes the command line and returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	stdout, stderr = newScreen(stdout), newScreen(stderr)
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, config: os.Getenv("MUSTER_CONFIG"),
		limits: reach.Usual}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	ran, err := root.ExecuteContextC(ctx)
	a.end()
	if err != nil {
		err = a.addressed(root, a.overdue(a.signInHint(err)))
		if a.json || a.format == "json" {
			return report(err, true, stderr)
		}
		return report(asTyped(ran, err), false, stderr)
	}
	a.tellUnused(root.PersistentFlags())
	if a.receiptFile != "" && !a.receiptSaved {
		fmt.Fprintln(stderr, "muster: no receipt was saved: --receipt is for commands that "+
			"record one statement")
	}
	if a.verifies && !a.answersVerified {
		fmt.Fprintln(stderr, "muster: no answer was verified: --verify is for commands that ask a "+
			"question")
	}
	return 0
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "muster",
		Short: "A coalition's ledger of pledges: who gives what, and which roles are covered",
		Long: `Muster is a ledger of what each country contributes to a coalition. Liaisons submit
pledges, coordinators look at the coverage, auditors read the history.

Start with "muster demo", or with "muster serve --data DIR".`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noSuchCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if a.json {
				a.format = "json"
			}
			if err := noSecrets(cmd); err != nil {
				return err
			}
			if err := a.deadline.check(); err != nil {
				return err
			}
			if a.timeout < 0 {
				return usage("--timeout %v is before now: write how long the command may take, "+
					"such as 10m, or 0 for as long as it likes", a.timeout)
			}
			a.begin(cmd)
			return checkFormat(a.format)
		},
	}
	root.SetVersionTemplate(fullVersion() + "\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage("%s", plainFlagError(err)).WithHint("see: %s --help", cmd.CommandPath())
	})
	a.commonFlags(root)
	root.SetUsageTemplate(sectionedUsage(root.UsageTemplate()))
	a.addCommands(root)
	wrapHelp(root)
	return root
}

// commonFlags are those of all commands.
func (a *app) commonFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVar(&a.url, "url", os.Getenv("MUSTER_URL"),
		"the server's address (MUSTER_URL); without it, the server that runs on --data, or "+
			"http://127.0.0.1:8080")
	f.StringVar(&a.ca, "ca", os.Getenv("MUSTER_CA"),
		"the file of the certificates to believe of an https:// server (MUSTER_CA); "+
			"without it, those of this machine")
	a.natsFlags(root)
	f.StringVar(&a.key, "key", os.Getenv("MUSTER_KEY"),
		"the file of the key to sign with (MUSTER_KEY), or agent:NAME for one that an ssh-agent "+
			"has; without it, the founder's key in --data")
	f.BoolVar(&a.anonymous, "anonymous", false,
		"ask as nobody: do not sign in where the server does not let everybody read all")
	f.StringVar(&a.data, "data", os.Getenv("MUSTER_DATA"),
		"the server's data folder on this machine (MUSTER_DATA)")
	f.StringVar(&a.checkpointKey, "checkpoint-key", os.Getenv("MUSTER_CHECKPOINT_KEY"),
		"the key that must have signed the ledger's checkpoints (MUSTER_CHECKPOINT_KEY); "+
			"without it, the keys of earlier contacts")
	f.StringVar(&a.policyFile, "policy", os.Getenv("MUSTER_POLICY"),
		"a file with the witnesses of the ledger, and how many of them are to have signed what "+
			"the server shows (MUSTER_POLICY; C2SP tlog-policy)")
	f.StringVar(&a.receiptFile, "receipt", "",
		"save the receipt of what is recorded in this file, for: muster receipt FILE")
	f.StringVar(&a.deadline.text, "not-after", os.Getenv("MUSTER_NOT_AFTER"),
		"until when what is signed may be recorded (MUSTER_NOT_AFTER): how long from now, such as "+
			"2h, a day, or a time in UTC; without it, at any time")
	f.StringVarP(&a.format, "output", "o", "table", "output: "+strings.Join(formats, ", "))
	f.BoolVar(&a.json, "json", false, "the same as -o json")
	f.BoolVar(&a.verifies, "verify", false,
		"of a question, or of the log: read and verify the ledger's records, answer from them, "+
			"and refuse an answer of the server that differs (exit code 8)")
	f.DurationVar(&a.timeout, "timeout", usualTimeout,
		"how long the command may take, 0 for as long as it likes; what reads a whole log, "+
			"imports, or stays, may do so unless this is given")
}

// plainFlagError says what is wrong with a flag without the words of the library that has read it.
func plainFlagError(err error) string {
	message := err.Error()
	var number *strconv.NumError
	if !errors.As(err, &number) {
		return strings.Replace(message, " must be formatted as key=value",
			" has no = in it: write it such as quantity=troops", 1)
	}
	remedy := "write a whole number"
	switch {
	case number.Func == "ParseBool":
		remedy = "write true or false"
	case errors.Is(err, strconv.ErrRange):
		remedy = "write a smaller number"
	case number.Func == "ParseUint":
		remedy = "write a whole number, and none below 0"
	}
	message, _, _ = strings.Cut(message, ": strconv.")
	return message + ": " + remedy
}

// addCommands adds all commands, in the groups that --help shows.
func (a *app) addCommands(root *cobra.Command) {
	for _, g := range []struct {
		title    string
		commands []*cobra.Command
	}{
		{"Run and set up:", []*cobra.Command{a.serveCmd(), a.foundCmd(), a.demoCmd(), a.keyCmd(),
			a.memberCmd(), a.planCmd(), a.importCmd(), a.witnessCmd(),
			a.mirrorCmd()}},
		{"Look after a server:", []*cobra.Command{a.doctorCmd(), a.backupCmd(),
			a.restoreCmd()}},
		{"Say:", []*cobra.Command{a.pledgeCmd(), a.conditionCmd(), a.caveatCmd(), a.scopeCmd(),
			a.allocationCmd(), a.signCmd(), a.submitCmd()}},
		{"Ask what is covered:", []*cobra.Command{a.coverageCmd(), a.gapsCmd(), a.timelineCmd(),
			a.strengthCmd(), a.dependenceCmd(), a.hangingCmd(),
			a.readinessCmd(), a.reviewCmd(), a.dueCmd(), a.nationCmd(), a.nationsCmd()}},
		{"Ask how it came about:",
			[]*cobra.Command{a.logCmd(), a.diffCmd(), a.explainCmd(), a.countedCmd(), a.lateCmd(),
				a.correctionsCmd(), a.deliveryCmd()}},
		{"Check:", []*cobra.Command{a.verifyCmd(), a.checkpointCmd(), a.trustCmd(),
			a.receiptCmd(), a.exportCmd(), a.replayCmd(), a.rebuildCmd()}},
		{"Others:", []*cobra.Command{a.statusCmd(), a.sessionCmd(), a.schemaCmd(), manCmd(),
			versionCmd()}},
	} {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title})
		for _, c := range g.commands {
			c.GroupID = g.title
			root.AddCommand(c)
		}
	}
	root.AddCommand(exitCodesTopic(), mappingTopic())
	root.SetHelpCommand(helpCmd())
	root.SetHelpCommandGroupID("Others:")
	root.SetCompletionCommandGroupID("Others:")
}

// noSuchCommand refuses what follows muster and is none of its commands.
func noSuchCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	p := usage("muster has no command %q", args[0])
	if near := root.SuggestionsFor(args[0]); len(near) > 0 {
		return p.WithHint("did you mean %s?", strings.Join(near, " or "))
	}
	return p.WithHint("see: muster --help")
}

// group makes a command that only holds others, and says which when none was named.
func group(use, short string, subs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			var names []string
			for _, s := range cmd.Commands() {
				names = append(names, s.Name())
			}
			return usage("muster %s has no command %q: write one of %s", cmd.Name(), args[0],
				strings.Join(names, ", "))
		}}
	c.AddCommand(subs...)
	return c
}

// args checks how many arguments a command has, and names what is missing.
func args(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, got []string) error {
		if len(got) < len(names) {
			return usage("%s: %s is missing", cmd.CommandPath(), names[len(got)]).
				WithHint("write: %s", useLine(cmd))
		}
		if len(got) > len(names) {
			return usage("%s: what is %q?", cmd.CommandPath(), got[len(names)]).
				WithHint("write: %s", useLine(cmd))
		}
		return nil
	}
}

// useLine is how a command is typed, without the flags that it may have besides.
func useLine(c *cobra.Command) string { return strings.TrimSuffix(c.UseLine(), " [flags]") }

// atMost refuses more arguments than so many.
func atMost(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, got []string) error {
		if len(got) > n {
			return usage("%s: what is %q?", cmd.CommandPath(), got[n]).
				WithHint("write: %s", useLine(cmd))
		}
		return nil
	}
}

// serverURL finds the server: --url, or the address that a server on --data has left there, or the
// usual one.
func (a *app) serverURL() (string, error) {
	if a.url != "" {
		return a.url, nil
	}
	if a.data == "" {
		return "http://" + defaultListen, nil
	}
	text, err := os.ReadFile(filepath.Join(a.data, server.AddressFile))
	if err != nil {
		return "", problem.New(problem.Unavailable, "no server runs on the folder %s", a.data).
			WithHint("start it with: muster serve --data %s; or name another server with --url",
				a.data)
	}
	return strings.TrimSpace(string(text)), nil
}

// ask asks a server that shows the history which was seen before.
func (a *app) ask(ctx context.Context, question string, parameters map[string]string,
	answer any) error {
	if _, err := a.meet(ctx); err != nil {
		return err
	}
	if a.verifies && !slices.Contains(notVerifiable, question) {
		return a.askVerified(ctx, question, parameters, answer)
	}
	return a.question(ctx, question, parameters, answer)
}

// question asks the server a question: over NATS when --nats names servers, else over HTTP.
func (a *app) question(ctx context.Context, question string, parameters map[string]string,
	answer any) error {
	if !a.nats.Given() {
		url, err := a.serverURL()
		if err != nil {
			return err
		}
		client, err := a.asking(url)
		if err != nil {
			return err
		}
		return client.Ask(ctx, question, parameters, answer)
	}
	data, err := web.Parameters(parameters)
	if err != nil {
		return usage("the parameters of %s: %w", question, err)
	}
	nc, err := a.natsAsking()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return intake.Request(ctx, nc, web.SubjectPrefix+question, data, answer)
}

// askTimeout is how long a question over NATS may take.
const askTimeout = 90 * time.Second

// natsConn connects to --nats, once. The connection ends with the process.
func (a *app) natsConn() (nc *nats.Conn, err error) {
	if a.conn == nil {
		for _, file := range a.nats.SecretFiles() {
			a.warnExposed(file)
		}
		a.conn, err = a.nats.ConnectAsGuest()
	}
	return a.conn, err
}

// signer reads the key to sign with.
func (a *app) signer() (*events.Signer, error) {
	path := a.key
	if path == "" {
		if a.data == "" {
			return nil, problem.New(problem.Usage, "there is no key to sign with").
				WithHint("name the key's file with --key or MUSTER_KEY, or, on the server's " +
					"machine, its data folder with --data or MUSTER_DATA")
		}
		path = filepath.Join(a.data, server.FounderFile)
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return nil, problem.New(problem.NotFound,
				"there is no founder's key in the folder %s", a.data).
				WithHint("the ledger may have been founded elsewhere, or by another server: name " +
					"the file of your own key with --key or MUSTER_KEY")
		}
	}
	return a.readKey(path)
}

// readKey reads a key to sign with from a file, or finds it in an ssh-agent.
func (a *app) readKey(named string) (*events.Signer, error) {
	if sshagent.Named(named) {
		return sshagent.Open(named)
	}
	a.warnExposed(named)
	return files.ReadKey(named)
}

// signerKey returns the public half of the key that was named, if it is the one that is meant.
func (a *app) signerKey(meant events.KeyID) (events.Key, error) {
	signer, err := a.signer()
	if err == nil {
		if id, _ := signer.Key().ID(); id == meant {
			return signer.Key(), nil
		}
	}
	return "", problem.New(problem.Unverified,
		"the statement was recorded before with another signature, and the key %s that verifies "+
			"it is not at hand", meant).WithHint("name the file of that key with --key")
}

// A speaker is what a command needs to say something: the ledger's origin, a key, and the way to
// the server.
type speaker struct {
	origin  events.Origin
	signer  *events.Signer
	to      intake.Submitter
	contact *contact
	// By when what it says is to be recorded.
	deadline *deadline
}

func (a *app) speaker(ctx context.Context) (*speaker, error) {
	signer, err := a.signer()
	if err != nil {
		return nil, err
	}
	to, err := a.submitter(ctx)
	if err != nil {
		return nil, err
	}
	return &speaker{origin: a.contact.origin, signer: signer, to: to, contact: a.contact,
		deadline: &a.deadline}, nil
}

// submitter is the way to the server: over NATS when --nats names servers, else over HTTP.
func (a *app) submitter(ctx context.Context) (intake.Submitter, error) {
	c, err := a.meet(ctx)
	if err == nil {
		err = c.takesStatements()
	}
	if err != nil {
		return nil, err
	}
	if a.nats.Given() {
		nc, err := a.natsAsking()
		return verifyingSubmitter{intake.NATSClient{Conn: nc}, c, a.signerKey}, err
	}
	url, err := a.serverURL()
	if err != nil {
		return nil, err
	}
	client, err := a.telling(url)
	return verifyingSubmitter{client, c, a.signerKey}, err
}

// head makes the head of a new statement, which says what its signer has seen, and until when it
// may be recorded.
func (s *speaker) head(t events.Type) events.Header {
	h := events.Header{Type: t, ID: events.NewID(), Ledger: s.origin, Seen: s.contact.saw()}
	s.deadline.head(&h)
	return h
}

// say signs a statement and submits it.
func (s *speaker) say(ctx context.Context, st events.Statement) (intake.Receipt, error) {
	signed, err := events.Sign(st, s.signer)
	if err != nil {
		return intake.Receipt{}, err
	}
	return submitAgain(ctx, s.to, signed)
}

// submitAgain submits the same bytes again, a few times, when it is not known whether they were
// recorded: they count once.
func submitAgain(ctx context.Context, to intake.Submitter,
	s events.Signed) (r intake.Receipt, err error) {
	for pause := 200 * time.Millisecond; ; pause *= 3 {
		r, err = to.Submit(ctx, s)
		if pause > 2*time.Second || !problem.Is(err, problem.Unavailable) {
			return r, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return r, err
		}
	}
}
