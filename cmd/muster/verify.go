package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"golang.org/x/time/rate"

	"muster/cmd/internal/backup"
	"muster/cmd/internal/reach"
	"muster/cmd/internal/server"
	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/journal"
	"muster/ledger/mirror"
	"muster/ledger/proof"
	"muster/ledger/proof/remote"
	"muster/projections/web"
)

func (a *app) verifyCmd() *cobra.Command {
	var since, view string
	var journalOnly, views bool
	c := &cobra.Command{
		Use:   "verify URL|DIR|FILE",
		Short: "Check everything that can be checked, without trusting the server",
		Long: `Read all records of a running server, of the data folder of one that does not run, of
a mirror's folder, or of a bundle, and check them: the sequence without a gap, the Merkle tree and
the signed checkpoint, every signature against the members as they were when the record was made,
every rule of the ledger. The report says what was checked, what could not be, and, when something
is wrong, at which record it begins; the exit code is then 8. Fewer records than the same key has
signed before are an older state, with exit code 7. A damaged folder can be verified too. Nothing
is written.

With --since, the records that a checkpoint covers which was verified before must still be the
same, and only the signatures of the newer ones are verified. The whole ledger is read all the
same, for the rules need it.

A server is verified as it shows itself to you. With --view, it is as those see it who may read
less: public, coalition, or a nation or an organisation, by its code or name. Whose an
organisation's name is must follow from the records that were verified: where the view may not
read the record that declares it, give its code. The tree, its checkpoint and its growth are
everybody's. Of what is withheld there is the leaf hash: the report says how many records that
are, and that neither their signatures nor the rules were looked at. With --views, somebody who
may read all has every view of a server compared with the labels, which follow from the records:
what is withheld without a label that says so, or shown although its label closes it, is named.`,
		Example: "  muster verify http://127.0.0.1:8080 --checkpoint-key " +
			"muster.example/berlin+1a2b3c4d+Aet…\n  muster verify ./muster-data\n  muster " +
			"verify ledger.bundle\n  muster verify https://muster.example --view coalition\n  " +
			"muster verify https://muster.example --views",
		Args: args("URL|DIR|FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o := proof.Options{Progress: a.verifyProgress()}
			if since != "" {
				var err error
				if o.Since, err = readInput(since); err != nil {
					return err
				}
			}
			r, err := a.verify(cmd.Context(), args[0], o, looks{journalOnly, view, views})
			a.progress("")
			if err != nil {
				return cannotVerify(err)
			}
			return a.printReport(r)
		},
	}
	c.Flags().StringVar(&since, "since", "", "the file of a checkpoint that was verified before")
	c.Flags().BoolVar(&journalOnly, "journal-only", false,
		"of a folder: do not look at the stream's copy (it is copied elsewhere for that)")
	c.Flags().StringVar(&view, "view", "",
		"of a server: what those are shown who may read no more: public, coalition, or a "+
			"nation such as FRA, or an organisation by its code or name")
	c.Flags().BoolVar(&views, "views", false,
		"of a server of which you may read all: compare what each view is shown with the labels")
	return c
}

// cannotVerify makes an error that is nothing else mean that the records could not be read.
func cannotVerify(err error) error {
	if p := problem.From(err); p.Kind != problem.Internal || errors.Is(err, context.Canceled) {
		return err
	}
	return problem.New(problem.Unavailable, "it cannot be verified: %w", err)
}

// looks say what else is looked at, and with whose eyes.
type looks struct {
	journalOnly bool
	view        string // as somebody has named it, "" for none
	views       bool
}

// namesLess reports whether a view is named of those who may not read all.
func (l looks) namesLess() bool {
	v, ok := viewNamed(l.view)
	return v != "" || !ok
}

func (a *app) verify(ctx context.Context, what string, o proof.Options,
	l looks) (proof.Report, error) {
	switch server := strings.Contains(what, "://"); {
	case l.views && l.namesLess():
		return proof.Report{},
			usage("--views compares what all views are shown, and takes no --view")
	case server:
		return a.verifyServer(ctx, what, o, l)
	case l.views:
		return proof.Report{}, usage("--views compares what a server shows: give its address")
	}
	info, err := os.Stat(what)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return proof.Report{}, problem.New(problem.NotFound, "there is no file or folder %s", what).
			WithHint("give a server's address with its https:// or http://, a data folder, or " +
				"the file of a bundle")
	case err != nil:
		return proof.Report{}, problem.New(problem.Unavailable, "%w", err)
	case info.IsDir():
		if l.namesLess() {
			return proof.Report{},
				usage("a folder is verified whole, with all that it holds: leave --view out")
		}
		return a.verifyFolder(ctx, what, o, l.journalOnly)
	}
	return a.verifyFile(ctx, what, o, l)
}

func (a *app) verifyServer(ctx context.Context, url string, o proof.Options, l looks) (proof.Report,
	error) {
	src, err := a.ofServerIn(ctx, url, l.view)
	if err != nil {
		return proof.Report{}, err
	}
	if l.views && src.View != "" {
		return proof.Report{}, problem.New(problem.NotReadable,
			"--views takes somebody who may read all, and you may read the view %s", src.View).
			WithHint("sign in as a coordinator, with --key FILE")
	}
	if l.views {
		a.compareViews(&src, url)
	}
	isOfName := checkName(&src, l.view)
	a.url, a.nats = url, reach.NATS{} // which is the server to ask for its key
	if err := a.trustIn(&o, src.Checkpoint, a.firstContact(ctx)); err != nil {
		return proof.Report{}, err
	}
	known := proof.Known{}
	if c, err := proof.ReadCheckpoint(src.Checkpoint); err == nil {
		if known, err = a.known(events.Origin(c.Origin), o.Key.Verifier); err != nil {
			return proof.Report{}, err
		}
	}
	if last, _ := known.Last(); last.N > src.Size {
		src.MayBeOld = a.mirrorThere(ctx) != nil
	}
	older, err := a.olderWitnessed(ctx, url, o.Key.Verifier)
	if err != nil {
		return proof.Report{}, err
	}
	if older != nil {
		o.Known = append(o.Known, *older)
	}
	if err := a.boundTimes(&o, src.Checkpoint); err != nil {
		return proof.Report{}, err
	}
	r, err := proof.Verify(ctx, src, o)
	if err == nil {
		err = a.witnessedReport(&r, src.Checkpoint, older)
	}
	if err == nil && r.WentBack {
		err = a.compareOlder(ctx, &r, src.Checkpoint, o.Key.Verifier, known)
	}
	if err == nil {
		err = a.rememberVerified(r, src.Checkpoint, o.Key.Verifier, known)
	}
	if err == nil && r.OK {
		err = isOfName()
	}
	return r, err
}

// ofServer reads the records of a running server, as those are shown them who have a view: without
// one, that of whoever asks. Who that is is asked in any case: what fetches tiles would take it for
// a fault of the line when nobody is let in, and try for minutes.
func (a *app) ofServer(ctx context.Context, url string, view events.View) (proof.Source, error) {
	client, err := a.httpTo(url)
	if err != nil {
		return proof.Source{}, err
	}
	a.visitors[url].onlyTree = true
	own, err := viewOf(ctx, a.visitors[url])
	if err != nil {
		return proof.Source{}, err
	}
	return remote.OfServer(ctx, url, cmp.Or(view, own), client)
}

// ofServerIn is ofServer with a view as somebody has named it.
func (a *app) ofServerIn(ctx context.Context, url, view string) (proof.Source, error) {
	as, err := a.viewAt(ctx, url, view)
	if err != nil {
		return proof.Source{}, err
	}
	return a.ofServer(ctx, url, as)
}

func (a *app) verifyFolder(ctx context.Context, dir string, o proof.Options,
	journalOnly bool) (proof.Report, error) {
	src, closeFile, err := ofFolder(dir)
	if err != nil {
		return proof.Report{}, err
	}
	defer closeFile()
	if !journalOnly && !mirror.Is(dir) {
		src.Also = append(src.Also, a.streamOf(dir))
	}
	if err := a.trustIn(&o, src.Checkpoint, keyOfFolder(dir)); err != nil {
		return proof.Report{}, err
	}
	if err := a.boundTimes(&o, src.Checkpoint); err != nil {
		return proof.Report{}, err
	}
	r, err := proof.Verify(ctx, src, o)
	if err == nil {
		err = a.witnessedReport(&r, src.Checkpoint, nil)
	}
	if err == nil {
		err = a.hold(sourceIsOf, r, src.Checkpoint, o.Key.Verifier)
	}
	return r, err
}

// verifyJournal verifies a journal's file, with the tail that lies beside it.
func (a *app) verifyJournal(ctx context.Context, name, path string, o proof.Options,
	claimed func(events.Origin) proof.TrustedKey) (proof.Report, error) {
	src, closeFile, err := ofJournal(name, path)
	if err != nil {
		return proof.Report{}, err
	}
	defer closeFile()
	if err := a.trustIn(&o, src.Checkpoint, claimed); err != nil {
		return proof.Report{}, err
	}
	if err := a.boundTimes(&o, src.Checkpoint); err != nil {
		return proof.Report{}, err
	}
	r, err := proof.Verify(ctx, src, o)
	if err == nil {
		err = a.witnessedReport(&r, src.Checkpoint, nil)
	}
	if err == nil {
		err = a.hold(sourceIsOf, r, src.Checkpoint, o.Key.Verifier)
	}
	return r, err
}

// ofFolder opens the journal in a data folder, or a mirror.
func ofFolder(dir string) (proof.Source, func() error, error) {
	if mirror.Is(dir) {
		src, _, err := mirror.OfFolder(dir)
		return src, closeNothing, err
	}
	src, closeFile, err := ofJournal("the folder "+dir, filepath.Join(dir, server.JournalFile))
	if problem.Is(err, problem.NotFound) {
		err = problem.New(problem.NotFound, "the folder %s is not a server's, and no mirror: it "+
			"has neither %s nor %s", dir, server.JournalFile, mirror.AboutFile)
	}
	return src, closeFile, err
}

// ofJournal opens a journal's file.
func ofJournal(name, path string) (proof.Source, func() error, error) {
	f, err := journal.Inspect(path)
	if err != nil {
		return proof.Source{}, nil, err
	}
	src := proof.OfJournal(name, f)
	c, ok, err := f.Copied()
	if err == nil && ok && c.NoTail && c.Records == 0 {
		return proof.Source{}, nil, errors.Join(problem.New(problem.Unverified,
			"verification failed: %s is %s", name, c).WithHint("%s", copyAgain), f.Close())
	}
	src.MayBeOld = err == nil && ok && !c.NoTail
	src.Also = append(src.Also, wholeness(f))
	return src, f.Close, nil
}

// entriesOfFolder reads the records of a data folder as often as anybody likes, where a file that
// was opened reads them once.
func entriesOfFolder(dir string) func(context.Context) iter.Seq2[proof.Entry, error] {
	return func(ctx context.Context) iter.Seq2[proof.Entry, error] {
		return func(yield func(proof.Entry, error) bool) {
			src, closeFile, err := ofFolder(dir)
			if err != nil {
				yield(proof.Entry{}, err)
				return
			}
			defer func() { _ = closeFile() }() // of what was only read
			src.Entries(ctx)(yield)
		}
	}
}

// keyOfFolder is what a data folder claims: the key of the server whose folder it is, or that a
// mirror follows.
func keyOfFolder(dir string) func(events.Origin) proof.TrustedKey {
	if about, err := mirror.ReadAbout(dir); err == nil {
		return claimOf(about.Key, "is the mirror's own claim")
	}
	secret, err := os.ReadFile(filepath.Join(dir, server.CheckpointKeyFile))
	if err != nil {
		m, _ := backup.ReadManifest(dir) // which has none where it cannot be read
		return claimOf(m.CheckpointKey, "is the backup's own claim")
	}
	key, err := proof.KeyOfSecret(string(secret))
	if err != nil {
		return claimOf("", "")
	}
	return claimOf(key, "is that of the folder itself")
}

// printReport prints what was found. A failure is an error too, so that it is told when nobody
// looks at the output.
func (a *app) printReport(r proof.Report) error {
	if a.format == "table" {
		if err := r.Write(a.stdout); err != nil {
			return err
		}
	} else {
		l := listing{r, web.Table{Head: []string{"check", "outcome", "text"}}}
		for _, c := range r.Checks {
			l.Add(c, c.Name, string(c.Outcome), c.Text)
		}
		if err := l.write(a.format, a.stdout); err != nil {
			return err
		}
	}
	if r.Fault != nil {
		hint := "change nothing, and keep what was verified: it is the evidence"
		if r.Fault.Check == "checkpoint" && a.checkpointKey == "" {
			hint += "; if it is from another server of the same ledger, give that one's key " +
				"with --checkpoint-key"
		}
		if r.Fault.Check == "tail" {
			hint = copyAgain
		}
		if r.Fault.Check == "witnessed" {
			hint = askAgainForWitnesses
		}
		if r.Other != nil {
			hint += "; " + a.evidence(r.Other)
		}
		return problem.New(problem.Unverified, "verification failed: %s", r.Fault).
			WithCode(r.Fault.Code).WithHint("%s", hint)
	}
	if r.WentBack {
		return problem.New(problem.Unavailable, "%s is whole, and AN OLDER STATE of the ledger "+
			"than was verified before: it has %s, and %d were signed; %s", problem.Line(r.Of),
			english.Several(r.Records, "record"), r.Older, r.Compared()).
			WithCode(olderStateCode).
			WithHint(olderHint)
	}
	return nil
}

// verifyProgress overwrites a line of the terminal with how far the work is, ten times a second at
// most.
func (a *app) verifyProgress() func(done, of int64) {
	now := rate.Sometimes{Interval: 100 * time.Millisecond}
	return func(done, of int64) {
		now.Do(func() { a.progress("%s %d of %d records", progressBar(done, of), done, of) })
	}
}

// progressBar is a bar of 30 characters.
func progressBar(done, of int64) string {
	const width = 30
	full := int(width * min(done, of) / max(of, 1))
	return fmt.Sprintf("[%s%s]", strings.Repeat("#", full), strings.Repeat(".", width-full))
}
