package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/cmd/internal/backup"
	"muster/cmd/internal/server"
	"muster/events/build"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/proof"
	"muster/projections/web"
)

func (a *app) backupCmd() *cobra.Command {
	var keys bool
	c := &cobra.Command{
		Use:   "backup DIR|-",
		Short: "Copy a ledger, also while its server runs",
		Long: `Make a backup of the data folder that --data names, in a new folder, or as a tar on
the standard output (-). A server may run on the data folder meanwhile, and takes statements: all
that was acknowledged before is in the backup. It is asked over a socket in its folder, which only
the folder's owner may do.

The copy is verified as verify does it, and gets its name only then; its checkpoint is printed:
keep it elsewhere, too. The secret keys are in it where --keys asks for them. Without the
checkpoint key, nobody believes a server on what is restored until they are told a new one: so
back the keys up once, and keep that like the keys themselves.

A tar is made in the folder for temporary files first (TMPDIR), which needs space for all of the
journal.`,
		Example: "  muster backup /backups/2026-11-29 --data /var/lib/muster\n" +
			"  muster backup - --data /var/lib/muster > muster.tar",
		Args: args("DIR|-"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if a.data == "" {
				return usage("of which data folder shall the backup be?").
					WithHint("name it with --data or MUSTER_DATA")
			}
			o := a.backupOptions()
			o.Keys = keys
			if args[0] == "-" {
				return a.backupTar(cmd.Context(), o)
			}
			m, err := backup.Make(cmd.Context(), a.data, args[0], o)
			if err != nil {
				return err
			}
			a.noteBackup(m, args[0])
			return a.printBackup(m, "backup", args[0], a.stdout)
		},
	}
	c.Flags().BoolVar(&keys, "keys", false,
		"copy the secret keys too: whoever reads the backup can then speak for HQ and for the "+
			"server")
	return c
}

func (a *app) restoreCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "restore BACKUP DIR",
		Short: "Make a data folder of a backup",
		Long: `Make a data folder of a backup: of its folder, of the file of a tar, or of a tar on
the standard input (-). The data folder must not be there yet, or be empty. The files get their
places when they are what was written, and verify.

What was acknowledged after the backup is not in it. Where a stream or another server of the
ledger has it, the server follows that when it starts. Where nothing has it, the server does not
start, and says what to type to go on without it.`,
		Example: "  muster restore /backups/2026-11-29 /var/lib/muster\n" +
			"  muster restore muster.tar /var/lib/muster",
		Args: args("BACKUP", "DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			folder, tar, err := a.backupIn(args[0])
			if err != nil {
				return err
			}
			if tar != nil {
				defer tar.Close()
			}
			older := int64(0)
			o := a.backupOptions()
			verify := o.Verify
			o.Verify = func(ctx context.Context, dir, key string) (proof.Report, error) {
				r, err := verify(ctx, dir, key)
				older = r.Older
				return r, err
			}
			m, err := backup.Restore(cmd.Context(), folder, tar, args[1], o)
			if err != nil {
				return err
			}
			if older > 0 {
				fmt.Fprintf(a.stderr, "muster: warning: a checkpoint of %d records of this ledger "+
					"was verified here before: what came after record %d is not in the backup\n",
					older, m.Records)
			}
			return a.printBackup(m, "data folder", args[1], a.stdout)
		},
	}
}

// backupIn opens what has a backup: a folder, or else a tar.
func (a *app) backupIn(name string) (folder string, tar io.ReadCloser, err error) {
	if name == "-" {
		return "", io.NopCloser(a.stdin), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return "", nil, problem.New(problem.NotFound, "the backup: %w", err)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		return name, nil, f.Close()
	}
	return "", f, err
}

// backupOptions has backups verified with what is known of their ledger.
func (a *app) backupOptions() backup.Options {
	return backup.Options{Version: build.Version(),
		Verify: func(ctx context.Context, dir, key string) (proof.Report, error) {
			defer a.progress("")
			o := proof.Options{Progress: a.verifyProgress()}
			return a.verifyJournal(ctx, "the backup", filepath.Join(dir, server.JournalFile), o,
				claimOf(key, "is the backup's own claim"))
		}}
}

// backupTar writes a backup to the standard output, once all of it was verified.
func (a *app) backupTar(ctx context.Context, o backup.Options) error {
	if isTerminal(a.stdout) {
		return usage("a tar is not written to a terminal").
			WithHint("write > FILE behind the command, or | and what the tar is for")
	}
	dir, err := os.MkdirTemp("", "muster-backup-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // of what was sent
	inside := filepath.Join(dir, "backup")
	m, err := backup.Make(ctx, a.data, inside, o)
	if err != nil {
		return err
	}
	if err := backup.WriteTar(exact(a.stdout), inside, m); err != nil {
		return problem.New(problem.Unavailable, "the tar broke off: %w", err)
	}
	a.noteBackup(m, "-")
	return a.printBackup(m, "backup", "-", a.stderr)
}

// noteBackup leaves in the data folder that there is a backup, for muster doctor.
func (a *app) noteBackup(m backup.Manifest, to string) {
	if where, err := filepath.Abs(to); err == nil && to != "-" {
		to = where
	}
	if err := backup.Note(a.data, m, to); err != nil {
		fmt.Fprintf(a.stderr, "muster: warning: the backup is made, and %s does not say so: %v\n",
			a.data, err)
	}
}

// printBackup says what was made.
func (a *app) printBackup(m backup.Manifest, what, name string, to io.Writer) error {
	covers := "none was signed"
	if c, err := proof.ReadCheckpoint([]byte(m.Checkpoint)); err == nil {
		covers = english.Several(uint64(c.N), "record") + ", root " + c.Hash.String()
	}
	held := "none: they are in a backup that is made with --keys"
	if len(m.Secrets) > 0 {
		held = strings.Join(m.Secrets, " and ") + ": keep it secret"
	}
	t := web.Table{Head: []string{what, name}}
	for _, row := range [][2]string{
		{"ledger", string(m.Ledger)},
		{"records", fmt.Sprintf("%d, verified", m.Records)},
		{"taken", m.Taken.Format(time.RFC3339)},
		{"checkpoint", covers},
		{"checkpoint key", m.CheckpointKey},
		{"secret keys", held},
	} {
		t.Add(row, row[0], row[1])
	}
	return listing{m, t}.write(a.format, to)
}
