// Faults shows that nothing which a ledger has acknowledged is lost. Many writers submit to it, a
// notebook that lies elsewhere has what they were told, and when, and a check holds the ledger
// against the notebook after whatever has befallen the servers meanwhile.
//
//	go run ./cmd/faults write --url URL --founder FILE --notebook FILE [--writers 16] [--for 1m]
//	go run ./cmd/faults check --url URL --notebook FILE [--until TIME]
//
// The tests of this package let befall them what can be done to servers on one machine: they are
// killed, their power is cut (on disks of their own, whose file system forgets what was not
// synced), disks are full and fail, nodes hang and are cut off, and files are damaged. Besides,
// a simulation runs appender, journal and projections against a log that fails, hundreds of times
// a minute (sim_world_test.go). deploy/RELIABILITY.md tells what each of them shows. make test has
// a short form of each, and make faults all of them.
//
// Whoever wants to see it on machines of their own, with a plug to pull, makes a ledger for the
// purpose, lets faults write to it from another machine, pulls the plug, starts the server again,
// and lets faults check.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"muster/cmd/internal/files"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	const usage = "say what to do: write or check"
	if len(args) == 0 {
		return errors.New(usage)
	}
	f := flag.NewFlagSet(args[0], flag.ContinueOnError)
	f.SetOutput(stderr)
	url := f.String("url", "", "the server's address, such as http://127.0.0.1:8080")
	notebook := f.String("notebook", "", "the file in which is written down what was acknowledged")
	switch args[0] {
	case "write":
		founder := f.String("founder", "", "the file of the founder's secret key")
		writers := f.Int("writers", 16, "how many submit at the same time")
		limit := f.Duration("for", time.Minute, "for how long")
		if err := f.Parse(args[1:]); err != nil {
			return err
		}
		return write(*url, *founder, *notebook, *writers, *limit, stdout)
	case "check":
		until := f.String("until", "",
			"a time, RFC 3339: what was acknowledged later does not count")
		if err := f.Parse(args[1:]); err != nil {
			return err
		}
		return checkServer(*url, *notebook, *until, stdout)
	}
	return fmt.Errorf("%q: %s", args[0], usage)
}

// write lets writers submit to a server, and keeps a notebook.
func write(url, founder, notebook string, writers int, limit time.Duration,
	stdout io.Writer) error {
	signer, err := files.ReadKey(founder)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	book, err := openNotebook(notebook)
	if err != nil {
		return err
	}
	p, err := newParty(ctx, url, signer, book)
	if err == nil {
		p.write(ctx, []string{url}, writers)
		sent, acknowledged := book.count()
		fmt.Fprintf(stdout, "%d statements were sent, and %d acknowledged\n", sent, acknowledged)
	}
	return errors.Join(err, book.close())
}

// checkServer holds what a server has against a notebook.
func checkServer(url, notebook, until string, stdout io.Writer) error {
	notes, err := readNotebook(notebook)
	if err != nil {
		return err
	}
	if until != "" {
		from, err := time.Parse(time.RFC3339Nano, until)
		if err != nil {
			return err
		}
		notes.forget(from, time.Now())
	}
	l, err := readLedger(context.Background(), url)
	if err != nil {
		return err
	}
	lost := notes.check(l)
	fmt.Fprintf(stdout, "%d records; of %d statements %d were acknowledged, and %d things are "+
		"wrong\n", len(l.records), len(notes.sent), len(notes.receipts), len(lost))
	return errors.Join(lost...)
}
