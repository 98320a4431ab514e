package main

import (
	"context"
	"embed"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/cmd/internal/files"
	"muster/cmd/internal/reach"
	"muster/cmd/internal/server"
	"muster/events"
	"muster/events/build"
	"muster/events/problem"
	"muster/ledger/intake/imported"
	"muster/ledger/intake/round"
	"muster/projections/access"
	"muster/projections/web"
)

// The demo's input: a real pledging round with its source, and the plan that this ledger was first
// asked for.
//
//go:embed demo
var demoFiles embed.FS

// defaultDemo is the demo's data folder. The demo can be run again on it: what is recorded already
// stays as it is.
const (
	defaultDemo = "demo-data"
	demoTitle   = "Muster's demo"
)

func (a *app) demoCmd() *cobra.Command {
	var stay bool
	var cfg server.Config
	c := &cobra.Command{
		Use:   "demo",
		Short: "Show Muster on a real pledging round, in a folder of its own",
		Long: `Start a server with everything embedded, put a real pledging round in (NATO for
Afghanistan, December 2009) and the plan that this ledger was first asked for, print the coverage,
and stop. With --serve it stays.`,
		Args: args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("data") { // MUSTER_DATA is where somebody's real ledger is
				a.data = defaultDemo
			}
			if err := checkHosts(cfg.Hosts); err != nil {
				return err
			}
			cfg.Dir, cfg.Name, cfg.Title, cfg.Version = a.data, "demo", demoTitle, build.Version()
			cfg.Log = slog.New(slog.NewTextHandler(a.stderr,
				&slog.HandlerOptions{Level: slog.LevelWarn}))
			s, err := server.Start(cmd.Context(), cfg)
			if err != nil {
				return err
			}
			a.url, a.nats, a.key = s.URL(), reach.NATS{}, ""
			err = a.demo(cmd.Context(), s, stay)
			closed := s.Close()
			if err == nil {
				err = closed
			}
			return err
		},
	}
	c.Flags().BoolVar(&stay, "serve", false, "stay, and answer until interrupted")
	c.Flags().StringVar(&cfg.Listen, "listen", "127.0.0.1:0",
		"address of the HTTP API, on any free port")
	hostFlag(c, &cfg.Hosts)
	tlsFlags(c, &cfg)
	return c
}

func (a *app) say(format string, args ...any) { fmt.Fprintf(a.stdout, format+"\n", args...) }

func (a *app) demo(ctx context.Context, s *server.Server, stay bool) error {
	if err := a.checkDemoLedger(ctx); err != nil {
		return err
	}
	a.say("A ledger of its own, in the folder %s: %s\n", a.data, s.Ledger.Origin())
	for _, act := range []func(context.Context) error{a.demoRound, a.demoPlan, a.demoConfidence} {
		if err := act(ctx); err != nil {
			return err
		}
	}
	a.demoNext()
	if !stay {
		return nil
	}
	a.say("\nThe server stays, on %s, until you interrupt it. "+
		"Open that in a browser; on a day of the plan:\n%s/?operation=mnf-u&on=2026-07-01",
		s.URL(), s.URL())
	if s.Questions.Reads != access.ReadOpen {
		a.say("Other machines may reach it: who has not signed in there is shown what is public, "+
			"which is nothing of this.\nSign in, there too, with a key file of this folder: "+
			"%s reads all, %s what France may.", filepath.Join(a.data, server.FounderFile),
			filepath.Join(a.data, "keys", "FRA-demo.key"))
	}
	<-ctx.Done()
	return nil
}

// checkDemoLedger keeps the demo out of any other ledger: what it records there could never be
// taken back.
func (a *app) checkDemoLedger(ctx context.Context) error {
	var l web.Ledger
	if err := a.ask(ctx, "ledger", nil, &l); err != nil {
		return err
	}
	if l.Title != demoTitle {
		return problem.New(problem.Conflict,
			"the folder %s holds the ledger %s, and not the demo's: nothing was recorded",
			a.data, l.Origin).
			WithHint("name another folder with --data, or none")
	}
	return nil
}

// demoRound puts in the pledging round that NATO announced on 4 December 2009.
func (a *app) demoRound(ctx context.Context) error {
	a.say("1. A real pledging round: what allies and partners offered for Afghanistan (AFP, 4 " +
		"December 2009).\n")
	s, err := a.demoApply(ctx, "isaf-2009.plan.yaml")
	if err != nil {
		return err
	}
	mapData, err := demoFiles.ReadFile("demo/isaf-2009.map.yaml")
	if err != nil {
		return err
	}
	m, err := round.ReadMapping("isaf-2009.map.yaml", mapData)
	if err != nil {
		return err
	}
	data, err := demoFiles.ReadFile("demo/isaf-2009.csv")
	if err != nil {
		return err
	}
	r, err := round.Read(data, m, s.origin)
	if err != nil {
		return err
	}
	in := newImporter(s, imported.New(r))
	refused, err := in.check(ctx)
	if err == nil && refused != nil {
		err = refused
	}
	if err != nil {
		return err
	}
	if err := in.record(ctx); err != nil {
		return err
	}
	a.say("%d offers are recorded, each signed, by the coordinator on the nations' behalf, "+
		"since the source is the press.\n", len(in.Rows))
	return a.show(ctx, "coverage", "--operation", "isaf")
}

// demoApply makes an operation what a plan of the demo says, and returns a session to go on with.
func (a *app) demoApply(ctx context.Context, name string) (*speaker, error) {
	data, err := demoFiles.ReadFile("demo/" + name)
	if err != nil {
		return nil, err
	}
	if _, err := a.applyPlan(ctx, name, data, false); err != nil {
		return nil, err
	}
	return a.speaker(ctx)
}

// show runs a command as a person would type it, and shows what was typed.
func (a *app) show(ctx context.Context, args ...string) error {
	a.say("$ muster %s", strings.Join(args, " "))
	b := &app{stdin: a.stdin, stdout: a.stdout, stderr: a.stderr, limits: reach.Usual}
	root := b.root()
	root.SetArgs(append(args, "--data", a.data, "--url", a.url, "--nats", "", "--nats-context", ""))
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	err := root.ExecuteContext(ctx)
	b.end()
	a.say("")
	return err
}

// demoPlan puts in the plan of December 2025 and a few pledges that show the shapes, signed by
// liaisons of their own.
func (a *app) demoPlan(ctx context.Context) error {
	a.say("2. The plan that this ledger was first asked for (December 2025). Its quantities, " +
		"and all pledges below, are illustrative.\n")
	hq, err := a.demoApply(ctx, "mnf-u.plan.yaml")
	if err != nil {
		return err
	}
	before := false
	for i, p := range demoPledges() {
		liaison, err := a.demoLiaison(ctx, hq, p.nation)
		if err != nil {
			return err
		}
		otherwise, err := p.make(ctx, liaison, i)
		if err != nil {
			return err
		}
		before = before || otherwise
	}
	if before {
		a.say("An earlier version of the demo has filled this folder, and said some of it " +
			"otherwise: that stays as it is recorded,\nand counts once. To see this version's: " +
			"muster demo --data FOLDER\n")
	}
	a.say("Five nations have liaisons with keys of their own, who signed a pledge each; Canada " +
		"gives intelligence only.")
	a.say("An offer of troops by Canada is therefore refused:\n")
	if err := a.demoRefusal(ctx, hq); err != nil {
		return err
	}
	return a.show(ctx, "coverage", "--operation", "mnf-u", "--on", "2026-07-01")
}

// demoConfidence shows a pledge that was made in confidence, to those who may read it and to those
// who may not.
func (a *app) demoConfidence(ctx context.Context) error {
	asked := []string{"coverage", "--operation", "mnf-u", "--role", "sea", "--on", "2026-07-01"}
	a.say("3. In confidence: one of these pledges is released to the coordinators alone. They " +
		"count it:\n")
	if err := a.show(ctx, asked...); err != nil {
		return err
	}
	a.say("The coalition is told nothing of it:\n")
	return a.show(ctx, append(asked, "--view", "coalition")...)
}

// demoLiaison makes the key of a nation's liaison, once, and has the coordinator admit it.
func (a *app) demoLiaison(ctx context.Context, hq *speaker,
	nation events.Nation) (*speaker, error) {
	dir := filepath.Join(a.data, "keys")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the demo's keys: %w", err)
	}
	path := filepath.Join(dir, string(nation)+"-demo.key")
	if _, err := files.NewKey(string(nation)+"/demo", path); err != nil &&
		!problem.Is(err, problem.Conflict) {
		return nil, err
	}
	signer, err := files.ReadKey(path)
	if err != nil {
		return nil, err
	}
	_, err = hq.say(ctx, &events.MemberAdmitted{Header: hq.head("member.admitted"),
		Key: signer.Key(), Role: events.Liaison, Note: "made for the demo"})
	if p := problem.From(err); p != nil && p.Code != "key-known" {
		return nil, err
	}
	return &speaker{origin: hq.origin, signer: signer, to: hq.to, deadline: hq.deadline}, nil
}

// A demoPledge is one of the demo's pledges, with what goes before and after it.
type demoPledge struct {
	nation    events.Nation
	terms     events.PledgeTerms
	scope     []events.Role
	condition events.ConditionKind
}

func demoPledges() []demoPledge {
	days := func(n int) *int { return &n }
	terms := func(role events.Role, n int64, unit events.Unit, area events.Area, notice *int,
		note string) events.PledgeTerms {
		return events.PledgeTerms{Role: role, Quantity: events.Count(n), Unit: unit, Area: area,
			Window:       events.Window{From: 2026_03_01},
			NoticeToMove: notice, Note: "illustrative: " + note}
	}
	inConfidence := terms("sea", 4, "ship", "black-sea", days(15), "help to secure the sea")
	inConfidence.Release = events.CoordinatorsOnly
	return []demoPledge{
		{nation: "CAN", terms: terms("intelligence", 2, "cell", "", nil, "intelligence only"),
			scope: []events.Role{"intelligence"}},
		{nation: "FRA", terms: terms("ground", 6000, "personnel", "west", days(30),
			"after a vote in parliament"), condition: events.Parliament},
		{nation: "GBR", terms: terms("air", 12, "aircraft", "west", days(10),
			"help to secure air space")},
		{nation: "TUR", terms: inConfidence},
		{nation: "USA", terms: terms("ceasefire-monitoring", 10, "team", "", days(5),
			"monitoring of the cease-fire")},
	}
}

// demoID gives each of the demo's statements an id that is the same every time, so that the demo
// can be run again.
func demoID(pledge, step int) events.ID {
	id, err := events.IDAt(uint64(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()),
		[10]byte{'d', 'e', 'm', 'o', 0, 0, 0, 0, byte(pledge), byte(step)})
	if err != nil {
		panic("demo: " + err.Error()) // a time of this century always fits
	}
	return id
}

// make says what there is of a pledge, and reports whether an earlier version of the demo has said
// some of it otherwise, which stays.
func (p demoPledge) make(ctx context.Context, s *speaker, number int) (otherwise bool, err error) {
	dated, place := events.Dated{Effective: 2026_01_15},
		events.Place{Operation: "mnf-u", Nation: p.nation}
	head := func(t events.Type, step int) events.Header {
		return events.Header{Type: t, ID: demoID(number, step), Ledger: s.origin}
	}
	var all []events.Statement
	var offered int64 // the record that the next statement about the pledge builds on
	if p.scope != nil {
		all = append(all, &events.ScopeDeclared{Header: head("scope.declared", 0), Dated: dated,
			Place: place, Roles: p.scope})
	}
	all = append(all, &events.PledgeOffered{Header: head("pledge.offered", 1), Dated: dated,
		Place: place, PledgeTerms: p.terms})
	if p.condition != "" {
		all = append(all, &events.ConditionAdded{Kind: p.condition,
			ConditionStep: events.ConditionStep{Condition: events.Line(p.condition),
				PledgeStep: events.PledgeStep{Header: head("condition.added", 2), Dated: dated,
					Place: place, Step: events.Step{Pledge: demoID(number, 1)}}}})
	}
	for _, st := range all {
		if c, ok := st.(*events.ConditionAdded); ok {
			c.After = offered
		}
		r, err := s.say(ctx, st)
		if p := problem.Of(err); p != nil && p.Code == imported.IDTaken {
			otherwise = true
			continue
		}
		if err != nil {
			return otherwise, err
		}
		offered = int64(r.Sequence)
	}
	return otherwise, nil
}

// demoRefusal shows what a liaison reads whose offer is outside the nation's declared scope.
func (a *app) demoRefusal(ctx context.Context, hq *speaker) error {
	key := filepath.Join(a.data, "keys", "CAN-demo.key")
	err := a.show(ctx, "pledge", "offer", "--operation", "mnf-u", "--role", "ground", "--quantity",
		"500", "--key", key)
	p := problem.From(err)
	if p == nil || p.Code != "outside-scope" {
		return problem.New(problem.Internal,
			"the demo's offer outside the scope was not refused: %w", err)
	}
	a.say("muster: error: %s\nmuster: hint: %s\n", p.Detail, p.Hint)
	return nil
}

func (a *app) demoNext() {
	a.say(`Type next:

  muster serve --data %[1]s                        # the same ledger, for longer; then, beside it:
  export MUSTER_DATA=%[1]s                          # so that commands find the server, and the founder's key
  muster coverage --operation mnf-u --rung confirmed
  muster strength --by operation,role
  muster pledge list --operation mnf-u
  muster coverage --operation mnf-u --view coalition # what those would be told who may not read all
  muster log --nation CAN
  muster key new FRA/paris                          # and to let its holder sign: muster member admit FRA-paris.key

(From the source folder, muster is bin/muster.)`, a.data)
}
