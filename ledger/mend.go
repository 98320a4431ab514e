package ledger

import (
	"context"
	"errors"

	"muster/events"
	"muster/events/problem"
)

// Follow takes into the journal what a copy of the log has beyond it, checked as if it had been
// submitted here, and returns how far the journal goes then. Read calls yield for each message of
// the copy from a sequence on, in order and without gaps. So what one copy alone has is in the
// journal before the copy is given up. With an error, what was good before it is in the journal.
func (p *Prepared) Follow(
	read func(from uint64, yield func(Message) error) error) (last uint64, err error) {
	f := newFollower(p.ledger)
	err = f.end(read(p.ledger.state.Last()+1, f.take))
	err = errors.Join(err, p.ledger.rewind())
	return p.ledger.cfg.Journal.Last(), err
}

// IsRecord reports whether a message could be a record of some history of this ledger, under its
// own subject, and signed with a key that was admitted at some time. What a disk has damaged is
// none.
func (p *Prepared) IsRecord(m Message) bool { return p.ledger.isRecord(m) }

// Has reports whether the journal has a message at its sequence, byte for byte.
func (p *Prepared) Has(m Message) (bool, error) { return p.ledger.inJournal(m) }

func (l *Ledger) isRecord(m Message) bool {
	rec, err := events.ParseRecord(m.Sequence, m.Data)
	if err != nil || events.Subject(rec.Statement) != m.Subject {
		return false
	}
	_, err = l.verify(rec.Signed)
	return err == nil
}

// CheckJournal holds every record of the journal against its tree, and so shows that a log can be
// made anew from it. It reads all of the journal.
func (p *Prepared) CheckJournal(ctx context.Context) error {
	j := p.ledger.cfg.Journal
	var room []byte
	for next, last := uint64(1), j.Last(); next <= last; {
		if err := ctx.Err(); err != nil {
			return err
		}
		rows, used, err := j.Stored(next, checkAtOnce, room)
		if err != nil {
			return err
		}
		next, room = next+uint64(len(rows)), used
	}
	return nil
}

// Agree asks all other servers on the log how far their journals reach. It returns nil where none
// reaches further than this one's and none holds other records: then the log can be made anew from
// this journal. Each must be heard, or have said its last word, or have been given up by a person;
// else the error is one of which IsWaiting says so. It takes some seconds at most.
func (p *Prepared) Agree(ctx context.Context, peers Peers) error {
	l := p.ledger
	l.cfg.Peers, l.doubt = peers, nil
	breaks := peers.Breaks()
	l.suspect().unknown = true
	err := l.certain(ctx)
	l.doubt, l.waiting = nil, false
	if err == nil && peers.Breaks() != breaks {
		err = &waiting{"the line to the other servers was broken while they were asked",
			"see that this server reaches NATS"}
	}
	var d *divergence
	if errors.As(err, &d) {
		return problem.New(problem.Unavailable, "the ledger cannot start: %w", err).
			WithHint("%s", d.remedy)
	}
	return err
}

// IsWaiting reports whether an error is that another server was not heard, or reaches further.
func IsWaiting(err error) bool {
	var w *waiting
	return errors.As(err, &w)
}

// checkAtOnce is how many records are held against the tree at once.
const checkAtOnce = 4096
