package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"muster/events/build"
	"muster/events/problem"
)

// fullVersion is what the program says of itself.
func fullVersion() string {
	return fmt.Sprintf("muster %s (%s, %s, %s/%s)", build.Version(),
		cmp.Or(build.Commit(), "no commit"), runtime.Version(), runtime.GOOS, runtime.GOARCH)
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
					Source: "Muster " + build.Version(), Manual: "Muster",
					Date: &time.Time{}}, args[0])
			}
			if err != nil {
				return problem.New(problem.Unavailable, "the manual pages cannot be written: %w",
					err).WithHint("name a folder that you may write to, such as %s",
					filepath.Join(os.TempDir(), "man1"))
			}
			return nil
		}}
}
