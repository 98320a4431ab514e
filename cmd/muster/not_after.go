package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"muster/events"
	"muster/events/problem"
)

// A deadline is until when what is signed may be recorded: a time, a day, or how long from the
// signing.
type deadline struct {
	text string
	used bool // something was signed
}

// check refuses what is no deadline, before anything is done.
func (d *deadline) check() error {
	_, err := d.after(time.Now())
	return err
}

// head sets the deadline of a statement that is about to be signed, where one was given.
func (d *deadline) head(h *events.Header) {
	if until, err := d.after(time.Now()); err == nil && until != 0 {
		h.NotAfter = until
	}
	d.used = true
}

// after returns the moment that is meant by who signs at another one, 0 for none.
func (d *deadline) after(now time.Time) (until events.Instant, err error) {
	if d.text == "" {
		return 0, nil
	}
	if until, err = events.ParseInstant(d.text); err != nil {
		until, err = d.inWords(now)
	}
	switch {
	case err != nil:
		return 0, usage("--not-after %q: write how long from now, such as 2h, a day, such as "+
			"2026-11-23, or a time in UTC, such as 2026-11-23T18:00:00Z", problem.Shorten(d.text))
	case now.After(until.Time()):
		return 0, usage("--not-after %s: that is past: nothing could be recorded any more", d.text)
	}
	return until, nil
}

// inWords reads a day, through which it lasts, or how long from now.
func (d *deadline) inWords(now time.Time) (events.Instant, error) {
	if day, err := events.ParseDate(d.text); err == nil {
		return events.InstantOf(day.AddDays(1).Time()) - 1, nil
	}
	long, err := time.ParseDuration(strings.TrimPrefix(d.text, "+"))
	if err != nil || long <= 0 {
		return 0, fmt.Errorf("%q is no time", d.text)
	}
	return events.ParseInstant(events.InstantOf(now.Add(long)).String())
}

// tellUnused says that a deadline was given where nothing was signed, and a key where nothing was
// held against it.
func (a *app) tellUnused(flags *pflag.FlagSet) {
	if flags.Changed("not-after") && !a.deadline.used {
		fmt.Fprintln(a.stderr, "muster: nothing was signed, so nothing has the time of --not-after")
	}
	if flags.Changed("checkpoint-key") && !a.keyUsed {
		fmt.Fprintln(a.stderr, "muster: nothing was held against the key of --checkpoint-key: it "+
			"is for commands that ask a server or read what one has signed")
	}
}
