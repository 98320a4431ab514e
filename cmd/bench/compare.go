package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
)

// compareBuilds shows that two builds of muster answer alike, byte for byte: what a change is held
// against that nobody may see. Both serve a copy of the same data folder, and are asked the same.
//
//	go run ./cmd/bench compare --base bin/muster-base --head bin/muster --ledger muster-data
//
// Asked are every question of the API's document as JSON, as CSV and over NATS, with each of its
// parameters alone and with each two of them together, the values being taken from the records; the
// pages in both languages, as far as links lead; the documents; and, when the servers have stopped,
// the commands of an auditor. What is refused is compared as well.
//
// Aside are the header Date, times on pages that are later than the servers' start, when a server
// has read its two copies, what it streams until it is left (paths that end in /events), and what
// would record something (POST). The builds must have the same version, which is in the entity tags
// and in the document: build with -buildvcs=false. Answers about today need both to be asked on the
// same day.
func compareBuilds(args []string, stdout, stderr io.Writer) error {
	f := flag.NewFlagSet("compare", flag.ContinueOnError)
	f.SetOutput(stderr)
	base := f.String("base", "", "the muster before the change")
	head := f.String("head", "bin/muster", "the muster after it")
	folder := f.String("ledger", "",
		"the data folder of a server that does not run (default: the demo's)")
	pairs := f.Bool("pairs", true, "ask with each two parameters together")
	each := f.Int("pages", 40, "the most addresses to read of each page")
	most := f.Int("most", 20, "the most differences to show")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *base == "" {
		return errors.New("compare: say which muster to compare with: --base FILE")
	}
	work, err := os.MkdirTemp("", "compare-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	w := &walk{pairs: *pairs, most: *most, each: *each, out: stdout,
		began: time.Now().UTC().Format("2006-01-02 15:04:05 UTC")}
	programs := [2]program{
		{binary: *base, dir: filepath.Join(work, "base")},
		{binary: *head, dir: filepath.Join(work, "head")},
	}
	if err := programs[0].prepare(*folder); err != nil {
		return err
	}
	if err := programs[1].prepare(filepath.Join(programs[0].dir, ledgerFolder)); err != nil {
		return err
	}
	if err := w.programs(programs); err != nil {
		return err
	}
	return w.conclude()
}

// ledgerFolder is the data folder's name in both copies: it is in what commands print.
const ledgerFolder = "ledger"

// A program is one build of muster, with a copy of the ledger.
type program struct {
	binary string
	dir    string // in which it runs, and which has the ledger
}

// prepare makes the copy, or the demo's ledger where there is nothing to copy.
func (p *program) prepare(folder string) (err error) {
	if p.binary, err = filepath.Abs(p.binary); err != nil {
		return err
	}
	if err := os.Mkdir(p.dir, 0o700); err != nil {
		return err
	}
	if folder != "" {
		return os.CopyFS(filepath.Join(p.dir, ledgerFolder), os.DirFS(folder))
	}
	_, err = p.run("demo", "--data", ledgerFolder)
	return err
}

// command is muster with a home of its own, so that nothing is known from earlier contacts.
func (p *program) command(args ...string) *exec.Cmd {
	c := exec.Command(p.binary, args...)
	c.Dir = p.dir
	c.Env = append(os.Environ(), "HOME="+p.dir, "XDG_CONFIG_HOME="+p.dir, "XDG_CACHE_HOME="+p.dir,
		"XDG_STATE_HOME="+p.dir, "XDG_DATA_HOME="+p.dir)
	return c
}

// run returns what a command prints, and how it ends.
func (p *program) run(args ...string) ([]byte, error) {
	out, err := p.command(args...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s", p.binary, strings.Join(args, " "), err, out)
	}
	return out, err
}

// host is what both servers are called, so that their addresses differ in nothing that they say.
const host = "ledger.example"

// serve starts a server, and returns where it answers. Stop stops it, and waits for its end.
func (p *program) serve(ctx context.Context) (s side, stop func() error, err error) {
	c := p.command("serve", "--data", ledgerFolder, "--name", "compared", "--host", host,
		"--listen", "127.0.0.1:0", "--nats-listen", "127.0.0.1:0")
	said, err := c.StderrPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		return s, nil, err
	}
	stop = func() error {
		s.nats.Close()
		return errors.Join(c.Process.Signal(syscall.SIGTERM), c.Wait())
	}
	var log bytes.Buffer
	lines := bufio.NewScanner(io.TeeReader(said, &log))
	for lines.Scan() {
		if _, url, ok := strings.Cut(lines.Text(), "listening on "); ok {
			s.url = url
		}
		if _, url, ok := strings.Cut(lines.Text(), "NATS clients on "); ok {
			go io.Copy(io.Discard, said)
			s.nats, err = nats.Connect(url)
			if err != nil {
				return s, nil, errors.Join(err, c.Process.Kill(), c.Wait())
			}
			return s, stop, nil
		}
	}
	return s, nil, fmt.Errorf("%s does not serve: %w\n%s", p.binary, c.Wait(), &log)
}

// programs asks both servers, and then has both do what needs none.
func (w *walk) programs(both [2]program) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	for i := range both {
		s, stop, err := both[i].serve(ctx)
		if err != nil {
			return errors.Join(err, w.stop())
		}
		w.sides[i] = s
		w.stops = append(w.stops, stop)
	}
	err := w.all(ctx)
	w.commands(both, served)
	if err := errors.Join(err, w.stop()); err != nil {
		return err
	}
	w.commands(both, stopped)
	return nil
}

func (w *walk) stop() (err error) {
	for _, stop := range w.stops {
		err = errors.Join(err, stop())
	}
	w.stops = nil
	return err
}

// served are commands that ask a running server, and stopped those that read its folder.
var (
	served = []string{"log --data ledger", "log --raw --data ledger", "log -o ndjson --data ledger",
		"coverage --data ledger", "gaps --data ledger", "nations --data ledger -o csv",
		"review --data ledger", "rebuild --data ledger"}
	stopped = []string{"verify ledger", "verify ledger --json", "replay ledger",
		"export bundle --data ledger"}
)

// commands has both programs do the same, and compares what they print, and how they end.
func (w *walk) commands(both [2]program, lines []string) {
	for _, line := range lines {
		var answers [2]answer
		for i := range both {
			out, err := both[i].run(strings.Fields(line)...)
			answers[i] = answer{body: out}
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				answers[i].status = exit.ExitCode()
			} else if err != nil {
				answers[i].body = []byte(err.Error())
			}
		}
		w.count("commands", "muster "+line, answers)
	}
}
