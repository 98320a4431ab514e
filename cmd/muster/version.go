package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"muster/events/problem"
)

// What a release is stamped with: its version, and the commit that it was built from.
var released, commit string

// version is that of a release, or else the module's, as the Go tool recorded it.
func version() string {
	if released != "" {
		return released
	}
	if info, ok := debug.ReadBuildInfo(); ok && len(info.Main.Version) > 1 &&
		info.Main.Version[0] == 'v' {
		return info.Main.Version[1:]
	}
	return "0.0.0-devel"
}

// builtFrom is the commit that the program was built from, "" where that is not known.
func builtFrom() string {
	if info, ok := debug.ReadBuildInfo(); ok && commit == "" {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return commit
}

// fullVersion is what the program says of itself.
func fullVersion() string {
	return fmt.Sprintf("muster %s (%s, %s, %s/%s)", version(), cmp.Or(builtFrom(), "no commit"),
		runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func versionCmd() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version, and what it was built from",
		Args: args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), fullVersion())
			return err
		}}
}

func manCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages into a folder",
		Long: `Write a manual page for each command into a folder, which is made where it is not
there: muster.1, muster-pledge-offer.1 and so on, for the folder man1 of a machine's manual.`,
		Example: "  muster man man1\n  man -l man1/muster.1",
		Args:    args("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			root.DisableAutoGenTag = true // it has a date
			err := os.MkdirAll(args[0], 0o755)
			if err == nil {
				err = doc.GenManTree(root, &doc.GenManHeader{Title: "MUSTER", Section: "1",
					Source: "Muster " + version(), Manual: "Muster", Date: &time.Time{}}, args[0])
			}
			if err != nil {
				return problem.New(problem.Unavailable, "the manual pages cannot be written: %w",
					err).WithHint("name a folder that you may write to, such as %s",
					filepath.Join(os.TempDir(), "man1"))
			}
			return nil
		}}
}
