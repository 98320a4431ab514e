package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rogpeppe/go-internal/testscript"

	"muster/cmd/internal/certtest"
	"muster/events"
	"muster/ledger/intake"
	"muster/projections/web"
)

// In scripts, and in every other test of this package, muster is a process of its own: this test
// program under that name. What this process itself sees of ledgers is kept in a folder that goes
// with it.
func TestMain(m *testing.M) {
	tests := forgetful{M: m}
	if os.Getenv("MUSTER_CONFIG") == "" {
		tests.config, _ = os.MkdirTemp("", "muster-test")
		_ = os.Setenv("MUSTER_CONFIG", tests.config)
	}
	testscript.Main(tests, map[string]func(){"muster": mainWithHints, "nats-server": natsNode})
}

type forgetful struct {
	*testing.M
	config string
}

// Run implements testscript.TestingM.
func (f forgetful) Run() int {
	defer func() { _ = os.RemoveAll(f.config) }()
	defer endPages()
	defer theDescribed.stop()
	return f.M.Run()
}

// The scripts type what people type, and look at what they would see: a script for each family of
// commands.
func TestScripts(t *testing.T) {
	p := testscript.Params{
		Dir:                "testdata/script",
		Cmds:               scriptCommands,
		Setup:              setupScript,
		RequireUniqueNames: true,
		Condition:          scriptCondition,
	}
	if testing.Short() {
		p.Dir = ""
		for _, name := range besideEachOther {
			p.Files = append(p.Files, "testdata/script/"+name+".txt")
		}
	}
	testscript.Run(t, p)
}

// besideEachOther are the scripts that a short run has, which looks for races: those in which much
// happens in one process at a time, at each face of a server and in each kind of command that goes
// on. In the others a person types one command after the other.
var besideEachOther = []string{"agent", "answers-verified", "backup", "import-again", "nats",
	"plan", "replay", "session", "statements", "tls", "trust", "two-people", "views", "whole-life"}

// scriptCommands are what scripts can do besides what testscript gives them.
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"agent":  scriptAgent,
	"serve":  scriptServe,
	"node":   scriptNode,
	"disk":   scriptDisk,
	"halt":   scriptHalt,
	"watch":  scriptWatch,
	"seen":   scriptSeen,
	"exits":  scriptExits,
	"row":    scriptRow,
	"json":   scriptJSON,
	"let":    scriptLet,
	"mode":   scriptMode,
	"get":    scriptGet,
	"post":   scriptPost,
	"note":   scriptNote,
	"resign": scriptResign,
	"nats":   scriptNATS,
	"issue":  scriptIssue,
	"hinted": scriptHinted,
	"cells":  scriptCells,
	"alert":  scriptAlert,
}

// setupScript gives a script the project's folder, as $PROJECT, and nothing of this machine's user.
func setupScript(env *testscript.Env) error {
	project, err := os.Getwd()
	env.Setenv("PROJECT", strings.TrimSuffix(project, "/cmd/muster"))
	env.Vars = append(env.Vars, plainEnv("MUSTER_CONFIG="+filepath.Join(env.WorkDir, ".config"))...)
	env.Values[theServers], env.Values[theWatcher] = map[string]*background{}, new(*background)
	env.Values[theAuthority] = new(*certtest.Authority)
	return err
}

// A script has servers, each in a folder of its own, and one command that goes on in the background
// while others run.
type scriptKey string

const (
	theServers scriptKey = "servers"
	theWatcher scriptKey = "watcher"
)

func servers(ts *testscript.TestScript) map[string]*background {
	return ts.Value(theServers).(map[string]*background)
}

func watched(ts *testscript.TestScript) **background {
	return ts.Value(theWatcher).(**background)
}

// serve [--data DIR] [FLAGS]: starts a server on a free port, with the data folder ledger if no
// other is named, and goes on when it answers. $URL is then its address, $PORT its port, and $NATS
// that for NATS clients, and $NATSPORT its port, if it listens for them; $ADMIN is where it tells
// metrics, if it does.
func scriptServe(ts *testscript.TestScript, neg bool, args []string) {
	all, dir := append([]string{"serve", "--listen", "127.0.0.1:0"}, args...), "ledger"
	if i := slices.Index(args, "--data"); i >= 0 && i+1 < len(args) {
		dir = args[i+1]
	} else {
		all = append(all, "--data", dir)
	}
	if neg || servers(ts)[dir] != nil {
		ts.Fatalf("usage: serve [FLAGS], once for each folder until halt")
	}
	p, err := startBackground(ts.MkAbs("."), nil, all...)
	ts.Check(err)
	ts.Defer(p.kill)
	servers(ts)[dir] = p
	found, err := p.await(&p.stderr, `listening on (https?://\S+)`)
	ts.Check(err)
	ts.Setenv("URL", found[1])
	at, err := url.Parse(found[1])
	ts.Check(err)
	ts.Setenv("PORT", at.Port())
	if slices.Contains(args, "--admin") {
		found, err = p.await(&p.stderr, `metrics on (http://\S+)/metrics`)
		ts.Check(err)
		ts.Setenv("ADMIN", found[1])
	}
	if strings.Contains(strings.Join(args, " "), "--nats-listen") {
		found, err = p.await(&p.stderr, `NATS clients on ((?:nats|tls)://\S+)`)
		ts.Check(err)
		ts.Setenv("NATS", found[1])
		ts.Setenv("NATSPORT", found[1][strings.LastIndex(found[1], ":")+1:])
	}
}

// halt [-INT|-KILL] [DIR]: stops the server in this folder, or the only one, with SIGTERM, or with
// what Control-C sends, and fails unless it stops by itself, with the exit code 0 and, where no
// folder is named, without an error in its log. With -KILL it ends as its machine would. What the
// server said is then the standard error.
func scriptHalt(ts *testscript.TestScript, neg bool, args []string) {
	all := servers(ts)
	how := ""
	if len(args) > 0 && strings.HasPrefix(args[0], "-") {
		how, args = args[0], args[1:]
	}
	dir := strings.Join(args, " ")
	if dir == "" && len(all) == 1 {
		for dir = range all {
		}
	}
	p := all[dir]
	if neg || p == nil {
		ts.Fatalf("usage: halt [-INT|-KILL] [DIR], after serve; DIR where several run")
	}
	delete(all, dir)
	switch how {
	case "":
		ts.Check(p.terminate())
	case "-INT":
		ts.Check(p.interrupt())
	case "-KILL":
		p.kill()
	default:
		ts.Fatalf("halt %s: there is no such way", how)
	}
	said := p.stderr.String()
	fmt.Fprint(ts.Stderr(), said)
	for line := range strings.Lines(said) {
		// What a guest may not do is logged.
		if len(args) == 0 && strings.Contains(line, "level=ERROR") &&
			!strings.Contains(line, "Publish Violation") {
			ts.Fatalf("the server logged an error: %s", line)
		}
	}
}

// watch ARGS: starts a muster command that goes on in the background.
func scriptWatch(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: watch ARGS")
	}
	p, err := startBackground(ts.MkAbs("."), []string{"MUSTER_DATA=" + ts.Getenv("MUSTER_DATA")},
		args...)
	ts.Check(err)
	ts.Defer(p.kill)
	*watched(ts) = p
}

// seen PATTERN: waits until the output of the watched command matches. seen alone: interrupts the
// command, and fails unless it ends with the exit code 0; its output is then the standard output.
func scriptSeen(ts *testscript.TestScript, neg bool, args []string) {
	p := *watched(ts)
	if neg || len(args) > 1 || p == nil {
		ts.Fatalf("usage: seen [PATTERN], after watch")
	}
	if len(args) == 1 {
		_, err := p.await(&p.stdout, args[0])
		ts.Check(err)
		return
	}
	ts.Check(p.interrupt())
	fmt.Fprint(ts.Stdout(), p.stdout.String())
	fmt.Fprint(ts.Stderr(), p.stderr.String())
}

// exits CODE COMMAND: runs a command, and fails unless it ends with this very exit code.
func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, not %d", got, want)
	}
}

var spaces = regexp.MustCompile(`\s+`)

// row WORDS: a line of the standard output has these cells beside each other, with any space
// between them.
func scriptRow(ts *testscript.TestScript, neg bool, args []string) {
	want := " " + strings.Join(args, " ") + " "
	found := false
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		found = found || strings.Contains(" "+spaces.ReplaceAllString(line, " ")+" ", want)
	}
	if found == neg {
		ts.Fatalf("a row %q: %t", strings.TrimSpace(want), found)
	}
}

// mode OCTAL FILE: the file has these permissions.
func scriptMode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode OCTAL FILE")
	}
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s, not %s", args[1], got, args[0])
	}
}

// get PATH: asks the server over HTTP. The standard output is the status, and in the lines after it
// the body.
func scriptGet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: get PATH")
	}
	resp, err := http.Get(ts.Getenv("URL") + args[0])
	answered(ts, resp, err)
}

// post FILE: submits a signed note over HTTP. The standard output is as after get.
func scriptPost(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: post FILE")
	}
	resp, err := http.Post(ts.Getenv("URL")+intake.Path, intake.ContentType,
		strings.NewReader(ts.ReadFile(args[0])))
	answered(ts, resp, err)
}

func answered(ts *testscript.TestScript, resp *http.Response, err error) {
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%s\n%s\n", resp.Status, bytes.TrimSpace(body))
}

// note SEQUENCE FILE: puts the signed note of a record into a file: what is stored, without the
// server's envelope line.
func scriptNote(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: note SEQUENCE FILE")
	}
	var page web.Records
	parameters := map[string]string{"from": args[0], "limit": "1"}
	ts.Check(web.Client{URL: ts.Getenv("URL")}.Ask(context.Background(), "records",
		parameters, &page))
	if len(page.Records) != 1 {
		ts.Fatalf("there is no record %s", args[0])
	}
	_, note, _ := strings.Cut(page.Records[0].Stored, "\n")
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(note), 0o600))
}

// resign KEY FILE OLD NEW: puts NEW for OLD in the statement of a signed note, and signs it anew.
func scriptResign(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: resign KEY FILE OLD NEW")
	}
	signer, err := events.NewSigner(ts.ReadFile(args[0]))
	ts.Check(err)
	text, _, _ := strings.Cut(ts.ReadFile(args[1]), "\n")
	if !strings.Contains(text, args[2]) {
		ts.Fatalf("there is no %q in %s", args[2], text)
	}
	st, err := events.Parse([]byte(strings.Replace(text, args[2], args[3], 1)))
	ts.Check(err)
	signed, err := events.Sign(st, signer)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), signed.Note, 0o600))
}

// nats publish|request SUBJECT [DATA|@FILE]: what any client of the server's NATS address can do.
// The standard output is the answer, with its headers, or why there is none.
func scriptNATS(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: nats publish|request SUBJECT [DATA]")
	}
	nc, err := nats.Connect(ts.Getenv("NATS"), nats.Timeout(patience),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	ts.Check(err)
	defer nc.Close()
	data := []byte(strings.Join(args[2:], ""))
	if file, ok := strings.CutPrefix(string(data), "@"); ok {
		data = []byte(ts.ReadFile(file))
	}
	if args[0] == "publish" {
		ts.Check(nc.Publish(args[1], data))
		ts.Check(nc.FlushTimeout(patience)) // a refusal comes before the answer to this
		fmt.Fprintln(ts.Stdout(), nc.LastError())
		return
	}
	m, err := nc.Request(args[1], data, 5*time.Second)
	if err != nil {
		fmt.Fprintln(ts.Stdout(), err)
		return
	}
	fmt.Fprintln(ts.Stdout(), m.Header)
	fmt.Fprintf(ts.Stdout(), "%s\n", m.Data)
}
