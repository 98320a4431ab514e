package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"muster/events/problem"
)

// usualTimeout is how long a command may take that asks something.
const usualTimeout = 2 * time.Minute

// forever is longer than any command runs.
const forever = 100 * 365 * 24 * time.Hour

// unhurried are the commands whose work is as long as a log or a file, or has no end. A server that
// does not go on ends them all the same: see [reach.Limits].
var unhurried = []string{"serve", "demo", "witness", "mirror", "verify", "replay", "rebuild",
	"backup", "restore", "doctor", "export", "import", "log", "sheet", "plan apply",
	"pledge amend", "pledge disclose", "pledge correct", "member revoke"}

// keeping are the commands that keep files in order when they are ended, however long that takes.
var keeping = []string{"serve", "demo", "witness", "mirror", "backup", "restore", "rebuild"}

// amid is how long a command that was ended may take to end by itself: what it waits for (a file, a
// pipe, a library) may not know that it was.
const amid = 2 * time.Second

// leave ends the process, with an exit code. It is nil where a command is part of another process.
var leave func(code int)

var errOverdue = errors.New("the time of the command is over")

// begin bounds a command: by its time, and by what servers may take of it; and sees to it that one
// that was interrupted ends.
func (a *app) begin(cmd *cobra.Command) {
	given := cmd.Flags().Changed("timeout")
	if among(unhurried, cmd) || a.verifies {
		a.limits.Requests = 0
		if !given {
			a.timeout = 0
		}
	}
	ctx, stop := context.WithTimeoutCause(cmd.Context(), cmp.Or(a.timeout, forever), errOverdue)
	cmd.SetContext(ctx)
	var ended atomic.Bool
	a.late = func() bool { return context.Cause(ctx) == errOverdue }
	a.done = func() { ended.Store(true); stop() }
	if leave == nil || among(keeping, cmd) && !given {
		return
	}
	context.AfterFunc(ctx, func() {
		time.Sleep(amid)
		if ended.Load() {
			return
		}
		why := errors.New("interrupted")
		if a.late() {
			why = errOverdue
		}
		leave(report(a.overdue(why), a.json || a.format == "json", a.stderr))
	})
}

// end is for when a command has ended.
func (a *app) end() {
	if a.done != nil {
		a.done()
	}
}

// among reports whether a command is one of those that are named, or is below one.
func among(names []string, cmd *cobra.Command) bool {
	path := strings.TrimPrefix(cmd.CommandPath(), "muster ")
	return slices.ContainsFunc(names, func(name string) bool {
		return path == name || strings.HasPrefix(path, name+" ")
	})
}

// overdue says of what has failed because the time was over that this is why.
func (a *app) overdue(err error) error {
	if a.late == nil || !a.late() {
		return err
	}
	p := problem.From(err)
	if p == nil || p.Kind != problem.Unavailable && !errors.Is(err, context.DeadlineExceeded) &&
		!errors.Is(err, errOverdue) {
		return err
	}
	hint := p.Hint
	if hint == "" {
		hint = "the server, or what stands before it, may hold its answers back: ask again, or " +
			"give it longer with --timeout 10m"
	}
	return problem.New(problem.Unavailable, "given up after %v: %w", a.timeout, err).
		WithHint("%s", hint)
}
