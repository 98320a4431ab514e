package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"muster/cmd/internal/files"
	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/proof"
	"muster/projections/web"
)

func (a *app) exportCmd() *cobra.Command {
	return group("export", "Take records out, in a form that others can check", a.exportBundleCmd())
}

func (a *app) exportBundleCmd() *cobra.Command {
	var pledge, view string
	c := &cobra.Command{
		Use: "bundle FILE",
		Short: "Write the ledger, or all about one pledge, into a file that verifies without " +
			"the server",
		Long: `Write a bundle: every record under a signed checkpoint; or, with --pledge, the
records of one pledge, with proofs that they are in the ledger and the records that say who may
sign. Whoever has the file can check it without the server and without a network, with: muster
verify FILE With - for the file, it goes to the standard output.

With --view, it is for those who may not read all: public, coalition, or a nation or an
organisation, by its code or name. In the place of each record that they may not read stands its
leaf hash, so that the whole verifies all the same. Whose an organisation's name is must follow
from these records: where the view may not read the one that declares it, give its code.

With --policy, it is under a checkpoint that as many witnesses have signed as the policy asks for:
the newest records, which are not witnessed yet, are not in it.`,
		Example: "  muster export bundle ledger.bundle\n  muster export bundle paris.bundle " +
			"--pledge 01KAQ7Z0V4T5W9J8M3N2P6R1XC",
		Args: args("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.exportBundle(cmd.Context(), args[0], pledge, view)
		},
	}
	c.Flags().StringVar(&pledge, "pledge", "", "the id of the pledge")
	c.Flags().StringVar(&view, "view", "",
		"for those who may read no more: public, coalition, or a nation or an organisation, by "+
			"its code or name")
	return c
}

// An exportedBundle is what export bundle has done.
type exportedBundle struct {
	File    string `json:"file"`
	Records uint64 `json:"records"`
	Pledge  string `json:"pledge,omitempty"`
	// View is of those who may read it, "" for all; Withheld is in the place of how many records.
	View     events.View `json:"view,omitempty"`
	Withheld uint64      `json:"withheld,omitempty"`
}

func (a *app) exportBundle(ctx context.Context, path, pledge, view string) (err error) {
	var id events.ID
	if pledge != "" {
		if id, err = a.pledgeID(ctx, pledge); err != nil && problem.Of(err) == nil {
			return problem.OfFields(
				[]problem.Field{{Location: "pledge", Value: pledge, Message: err.Error()}})
		}
		if err != nil {
			return err
		}
		pledge = id.String()
	}
	from, err := a.exportSource(ctx, view)
	if from.close != nil {
		defer from.close()
	}
	if err != nil {
		return err
	}
	done := exportedBundle{File: path, Pledge: pledge}
	err = a.writeFileOrOutput(path, func(w io.Writer) (err error) {
		var x proof.Exported
		if pledge != "" {
			x, err = proof.ExportPledge(ctx, w, from.src, id, from.key, a.verifyProgress())
		} else {
			x, err = proof.ExportLedger(ctx, w, from.src, from.key, a.verifyProgress())
		}
		if err == nil {
			err = from.isOfName()
		}
		done.Records, done.View, done.Withheld = x.Records, x.View, x.Withheld
		a.progress("")
		return err
	})
	if err != nil || path == "-" {
		return err
	}
	l := listing{done, web.Table{Head: []string{"file", "records", "pledge"},
		Above: []string{done.text()}}}
	if a.format != "table" {
		l.Add(done, path, fmt.Sprint(done.Records), pledge)
	}
	return l.write(a.format, a.stdout)
}

// text says for people what was done.
func (x exportedBundle) text() string {
	what := english.Several(x.Records, "record")
	if x.Withheld > 0 {
		what += fmt.Sprintf(", and the places of %d that are withheld from the view %s,",
			x.Withheld, x.View)
	}
	return fmt.Sprintf("%s in %s. To check them: muster verify %s", what, x.File, x.File)
}

// An exporting is where the records of a bundle come from.
type exporting struct {
	src      proof.Source
	key      proof.TrustedKey // which its checkpoint must be signed with
	isOfName func() error     // see [checkName]
	close    func() error
}

// exportSource has records come from the journal in the data folder, if no server runs on it, or
// else from the server.
func (a *app) exportSource(ctx context.Context, view string) (x exporting, err error) {
	var url string // of a server
	claimed := keyOfFolder(a.data)
	folder := a.data != "" && a.url == ""
	if folder {
		x.src, x.close, err = ofFolder(a.data)
		if err == nil && view != "" {
			x.src.Entries = entriesOfFolder(a.data)
			if x.src, err = withheldFrom(ctx, x.src, view); err != nil {
				return exporting{}, errors.Join(err, x.close())
			}
		}
	}
	if !folder || problem.Is(err, problem.Unavailable) { // a server runs on the folder
		claimed, x.close = a.firstContact(ctx), closeNothing
		if url, err = a.serverURL(); err == nil {
			x.src, err = a.ofServerIn(ctx, url, view)
		}
	}
	if err != nil {
		return exporting{}, err
	}
	var o proof.Options
	err = a.trustIn(&o, x.src.Checkpoint, claimed)
	if err == nil {
		err = a.underWitnessed(ctx, &x.src, url, o.Key.Verifier)
	}
	if url == "" { // the folder's own records have said whose name it is
		view = ""
	}
	x.key, x.isOfName = o.Key, checkName(&x.src, view)
	return x, err
}

// writeFileOrOutput lets write fill a new file, which is there only when it is whole; or, for -,
// the standard output.
func (a *app) writeFileOrOutput(path string, write func(io.Writer) error) error {
	if path == "-" {
		return write(exact(a.stdout))
	}
	if _, err := os.Lstat(path); err == nil {
		return problem.New(problem.Conflict, "the file %s is there already", path).
			WithHint("name another, or move it away")
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return problem.New(problem.Usage, "the file: %w", err)
	}
	return files.ReplaceWith(path, write)
}
