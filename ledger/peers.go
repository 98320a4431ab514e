package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"muster/events/english"
)

// Peers are the other servers on a Log. Their journals may hold records that the log has lost, in a
// power cut, and that this server has never seen: to give the sequences of those to new records
// would lose what was acknowledged. So a Ledger asks its peers how far their journals reach before
// its first record after a start, and again when the log has gone back, and neither records
// anything nor puts anything back until all have been heard, or given up by a person. Package
// [muster/ledger/peers] asks over NATS.
type Peers interface {
	// Answer has peers told from now on how far this server's journal may yet come to reach, when
	// what is on its way is committed. It may be called from any goroutine.
	Answer(reach func() uint64)
	// Ask begins to ask all peers. Only the newest question is asked.
	Ask() Question
	// News receives when asking again may bring more: a peer was heard that had not answered yet,
	// or the line to the peers was broken.
	News() <-chan struct{}
	// Trust reports whether the log is known to have written to the disk all that it has
	// acknowledged, since before this server ended. Then peers that do not answer after a start are
	// not waited for long: nothing says that it has gone back.
	Trust() bool
	// Breaks counts how often the line to the peers was broken. Meanwhile the log may have gone
	// back, unseen. It is cheap, and may be called from any goroutine.
	Breaks() uint64
}

// A Question is one that is asked until all have answered. It belongs to one goroutine.
type Question interface {
	// Ends asks, and returns in bounded time, a second or so: the ends of all that have answered
	// since the question began, and the names of those that must be heard and have not answered.
	// Called again it asks again. An answer stays good: what a peer records later it has put behind
	// the end of the log that there was.
	Ends(ctx context.Context) (ends []End, silent []string, err error)
}

// An End is what another server says of its journal.
type End struct {
	Name string // of the server
	// Reach is the last sequence that its journal has or may come to have.
	Reach uint64
	// Parted is the first sequence at which its journal holds another record than this server's, as
	// the roots of their trees tell; 0 where the shorter one is a prefix of the longer.
	Parted uint64
}

// A doubt is that the log may have lost its end.
type doubt struct {
	question Question
	since    time.Time
	// All must be heard where nobody knows what became of the log while this server did not run,
	// and where the log ends before what it is known to have had.
	unknown, back bool
}

// lenience is how long peers that do not answer are waited for when nothing says that the log has
// gone back: where it is trusted, or the line to it was broken.
const lenience = 3 * time.Second

// suspect begins to doubt that the log holds all that any journal holds, where there are others.
func (l *Ledger) suspect() *doubt {
	if l.cfg.Peers == nil {
		return &doubt{}
	}
	if l.doubt == nil {
		l.doubt = &doubt{question: l.cfg.Peers.Ask(), since: time.Now()}
	}
	return l.doubt
}

// lookBack notes whether the log, of which all was read, ends before what it is known to have had.
// If it did a moment ago and does not any more, then a node has answered that was behind; or
// somebody has put it back, who has heard all others before.
func (l *Ledger) lookBack(back bool) {
	switch {
	case back:
		l.suspect().back = true
	case l.doubt != nil && l.doubt.back:
		l.doubt.back, l.doubt.since = false, time.Now()
	}
}

// suspectIfBroken begins to doubt when the line to the log was broken. Answers from before that
// tell nothing any more.
func (l *Ledger) suspectIfBroken() {
	if l.cfg.Peers == nil {
		return
	}
	if n := l.cfg.Peers.Breaks(); n != l.breaks {
		unknown := l.doubt != nil && l.doubt.unknown
		l.breaks, l.doubt = n, nil
		l.behind, l.retryAt = true, time.Time{} // to be looked into before anything is decided
		l.suspect().unknown = unknown
	}
}

// isBroken reports whether the line to the log was broken since this server has last begun to look
// where the log ends. Meanwhile the log may have gone back, and records of other servers, which
// this one has not seen, may have to be put back into it.
func (l *Ledger) isBroken() bool { return l.cfg.Peers != nil && l.cfg.Peers.Breaks() != l.breaks }

// unasked is the answer to a group for which the log was not asked, since the line was broken: its
// place may be that of another server's record.
type unasked struct{}

// Wait implements [Ack].
func (unasked) Wait() error { return ErrLostRace }

// catchUpUnbroken is catchUp, again where the line was broken meanwhile: what was read and heard
// before that tells nothing any more.
func (l *Ledger) catchUpUnbroken(ctx context.Context) error {
	for {
		l.suspectIfBroken()
		if err := l.catchUp(ctx); err != nil || !l.isBroken() {
			return err
		}
	}
}

// certain returns nil when the journal of no other server reaches further than this one's, which
// must have all that the log has.
func (l *Ledger) certain(ctx context.Context) (err error) {
	defer func() {
		var w *waiting
		l.waiting = errors.As(err, &w)
	}()
	if l.doubt == nil {
		return nil
	}
	ends, silent, err := l.doubt.question.Ends(ctx)
	if err != nil {
		return &waiting{"the other servers cannot be asked how far their journals reach: " +
			err.Error(), "see that this server reaches NATS, and that its user there may publish " +
			"and subscribe to _MUSTER.>"}
	}
	longer := ""
	for _, end := range ends {
		if end.Parted > 0 {
			return &divergence{end.Parted, fmt.Sprintf(
				"the journals of this server and of %s hold different records", end.Name),
				remedyJournals}
		}
		if last := l.cfg.Journal.Last(); end.Reach > last && longer == "" {
			longer = fmt.Sprintf("%s has %s, and here there are %d", end.Name,
				english.Several(end.Reach, "record"), last)
		}
	}
	strict := l.doubt.unknown || l.doubt.back
	if len(silent) > 0 && (strict || time.Since(l.doubt.since) < lenience) {
		return silence(silent)
	}
	if longer != "" { // the log is about to tell it, or has lost it
		return &waiting{longer, "the server that has more puts it back by itself, when it has " +
			"heard all others: look what its /healthz says"}
	}
	if len(silent) > 0 {
		l.cfg.Faults.Warn("servers that do not answer are not waited for: nothing says that the "+
			"stream has lost its end", "servers", english.List(silent))
	}
	l.doubt, l.told = nil, l.state.Last()
	return nil
}

// silence tells for whom this server waits.
func silence(names []string) error {
	flags := "--without " + strings.Join(names, " --without ")
	return &waiting{fmt.Sprintf("%s %s not answered how far the journal there reaches, and may "+
		"have records that the stream has lost", english.List(names),
		english.Verb(len(names) == 1, "have")),
		"start what does not run, and see that it reaches NATS; only where a server and its " +
			"journal are gone for good, start this one with " + flags +
			": what only that journal holds is lost then"}
}

// A waiting is why nothing is recorded before other servers were heard.
type waiting struct{ what, remedy string }

func (w *waiting) Error() string { return w.what }
