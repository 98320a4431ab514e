package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"muster/cmd/internal/reach"
	"muster/events/build"
	"muster/ledger/proof"
	"muster/ledger/proof/policy"
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
	keyUsed       bool   // that something was held against it
	policyFile    string // with the witnesses; "" for none
	policy        *policy.Policy
	noPolicy      bool     // none is taken that is remembered, either
	receiptFile   string   // where to save a receipt
	receiptSaved  bool     // that one was
	deadline      deadline // of what is signed
	contact       *contact // nil before the first one
	forgetful     bool     // that nothing can be kept was said
	toldOlder     bool     // that a mirror has fewer records than were seen was said
	// Of a mirror: compares a smaller checkpoint with what is held, as mirror.IsBeginning does.
	isBeginning func(next proof.Checkpoint) error
	format      string
	sortBy      string // a column; "" for as they come
	top         int    // how many rows; 0 for all
	json        bool
	// Answers are held against what follows from the verified records, and some were.
	verifies, answersVerified bool
	verified                  *verifiedLedger // nil before the first one
	// How long the command may take, 0 for as long as it likes, and what servers may take of it.
	timeout time.Duration
	limits  reach.Limits
	// What ids that were shortened mean, and whether whoever signs has agreed to it beforehand.
	shortened []string
	yes       bool
	late      func() bool // the time is over; nil before the command has begun
	done      func()      // says that the command has ended; nil before it has begun
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
		Version:       build.Version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noSuchCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if a.json {
				a.format = "json"
			}
			if a.format == "wide" {
				a.format = "table"
				if to, ok := a.stdout.(*screen); ok {
					to.wide = true
				}
			}
			if err := noSecrets(cmd); err != nil {
				return err
			}
			if err := emptyFlags(cmd); err != nil {
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
			a.allocationCmd(), a.meetingCmd(), a.sheetCmd(), a.signCmd(), a.submitCmd()}},
		{"Ask what is covered:", []*cobra.Command{a.coverageCmd(), a.gapsCmd(), a.timelineCmd(),
			a.rotationsCmd(),
			a.strengthCmd(), a.dependenceCmd(), a.hangingCmd(),
			a.readinessCmd(), a.reviewCmd(), a.dueCmd(), a.feedCmd(), a.nationCmd(),
			a.nationsCmd()}},
		{"Ask how it came about:",
			[]*cobra.Command{a.logCmd(), a.diffCmd(), a.digestCmd(), a.explainCmd(),
				a.countedCmd(), a.lateCmd(),
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
	a.addYes(root)
	a.addCompletion(root)
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
