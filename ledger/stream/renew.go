package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"muster/ledger"
)

// A stream of an outside NATS server that is damaged is made anew in three steps: what can be read
// of it is read (Salvage), a copy is kept (Backup), and it is deleted and made again (Renew).

// Created returns when the stream was made: so one that was made anew is told from the one before.
func (s *Stream) Created(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	for {
		info, err := s.info(ctx)
		if err == nil {
			return info.Created, nil
		}
		// Another server may be about to make it.
		if !errors.Is(err, jetstream.ErrStreamNotFound) || pause(ctx, openPause) != nil {
			return time.Time{}, fmt.Errorf("stream %s: %w", s.cfg.Name, err)
		}
	}
}

// Salvage calls yield for each message from sequence from on that can be read from any node, in
// order, and leaves out the others. It returns the last sequence that the stream tells of, whether
// its message can be read or not.
func (s *Stream) Salvage(ctx context.Context, from uint64,
	yield func(ledger.Message) error) (last uint64, err error) {
	within, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	info, err := s.info(within)
	cancel()
	if err != nil {
		return 0, fmt.Errorf("stream %s: %w", s.cfg.Name, err)
	}
	last = info.State.LastSeq
	for next := max(from, 1); next <= last; {
		most := int(min(batchSize, last-next+1))
		got, err := s.readAround(ctx, next, most)
		if err != nil {
			return last, err
		}
		if lacks := len(got) == 0 || got[0].Sequence != next; lacks && s.replicated.Load() {
			n, err := s.readElsewhere(ctx, next, most, yield)
			if n > 0 && err == nil {
				next += uint64(n)
				continue
			}
			if err != nil && !errors.Is(err, ledger.ErrLost) {
				return last, err
			}
		}
		if len(got) == 0 { // nor does anything follow
			return last, nil
		}
		next = got[0].Sequence
		for ; len(got) > 0 && got[0].Sequence == next; got, next = got[1:], next+1 {
			if err := yield(got[0]); err != nil {
				return last, err
			}
		}
	}
	return last, nil
}

// readAround reads some messages from a sequence on, as the nearest node has them: without those
// that it lacks.
func (s *Stream) readAround(ctx context.Context, from uint64, most int) (got []ledger.Message,
	err error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	batch, err := jetstreamext.GetBatch(ctx, s.js, s.cfg.Name, most, jetstreamext.GetBatchSeq(from),
		jetstreamext.GetBatchMaxBytes(batchMax))
	if err == nil {
		for m, failed := range batch {
			if failed != nil {
				err = failed
				break
			}
			got = append(got, ledger.Message{Sequence: m.Sequence, Subject: m.Subject,
				Data: m.Data})
		}
	}
	switch {
	case errors.Is(err, jetstreamext.ErrNoMessages):
		return got, nil
	case err == nil: // no answer at all looks as one without messages
		err = ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("stream %s: reading from %d: %w", s.cfg.Name, from, err)
	}
	return got, nil
}

// The files of a backup, with the names that the nats command gives them.
const (
	backupConfig = "backup.json"
	backupData   = "stream.tar.s2"
)

// chunkTime is how long the next piece of a backup is waited for.
const chunkTime = 30 * time.Second

// Backup copies into a folder what the node that leads the stream has of it, damaged or not: all
// messages that can be read there. It returns when the copy is on the disk, and with an error, it
// is not whole. The user needs the right to publish to $JS.SNAPSHOT.ACK.>.
func (s *Stream) Backup(ctx context.Context, dir string) error {
	if err := s.backup(ctx, dir); err != nil {
		return fmt.Errorf("stream %s: a copy of it cannot be made: %w", s.cfg.Name, err)
	}
	return nil
}

func (s *Stream) backup(ctx context.Context, dir string) error {
	inbox := s.nc.NewRespInbox()
	chunks, err := s.nc.SubscribeSync(inbox)
	if err != nil {
		return err
	}
	defer func() { _ = chunks.Unsubscribe() }() // it fails only when the connection is gone
	ask, err := json.Marshal(struct {
		To          string `json:"deliver_subject"`
		NoConsumers bool   `json:"no_consumers"`
	}{inbox, true})
	if err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, chunkTime)
	answer, err := s.nc.RequestWithContext(within, "$JS.API.STREAM.SNAPSHOT."+s.cfg.Name, ask)
	cancel()
	if err != nil {
		return err
	}
	var told struct {
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(answer.Data, &told); err != nil {
		return err
	}
	if told.Error != nil {
		return told.Error
	}
	if err := writeSynced(filepath.Join(dir, backupConfig), func(w io.Writer) error {
		_, err := w.Write(answer.Data)
		return err
	}); err != nil {
		return err
	}
	return writeSynced(filepath.Join(dir, backupData), func(w io.Writer) error {
		return receive(ctx, chunks, w)
	})
}

// receive writes the pieces of a backup, up to the empty one that says how it went.
func receive(ctx context.Context, chunks *nats.Subscription, w io.Writer) error {
	for {
		within, cancel := context.WithTimeout(ctx, chunkTime)
		m, err := chunks.NextMsgWithContext(within)
		cancel()
		if err != nil {
			return err
		}
		if len(m.Data) == 0 {
			if status := m.Header.Get("Status"); status != "" && status != "204" {
				return fmt.Errorf("NATS says: %s %s", status, m.Header.Get("Description"))
			}
			return nil
		}
		if _, err := w.Write(m.Data); err != nil {
			return err
		}
		if m.Reply != "" {
			if err := m.Respond(nil); err != nil {
				return err
			}
		}
	}
}

// writeSynced makes a file, which must not be there, and returns when it is on the disk.
func writeSynced(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err = write(f); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// IsGone reports whether an error is that there is no stream: as it is for a moment while another
// server makes it anew.
func IsGone(err error) bool { return errors.Is(err, jetstream.ErrStreamNotFound) }

// ErrRenewed says that the stream was made anew by somebody else meanwhile.
var ErrRenewed = errors.New("the stream was made anew by another server")

// Renew deletes the stream that was created at a time, with all that it holds, and makes it anew,
// empty, with the same configuration. Where the stream was created at another time, it fails with
// ErrRenewed, and nothing is done.
func (s *Stream) Renew(ctx context.Context, created time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, openPatience)
	defer cancel()
	info, err := s.info(ctx)
	if err != nil {
		return fmt.Errorf("stream %s: %w", s.cfg.Name, err)
	}
	if !info.Created.Equal(created) {
		return ErrRenewed
	}
	if err := s.js.DeleteStream(ctx, s.cfg.Name); err != nil &&
		!errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("stream %s: it cannot be deleted: %w", s.cfg.Name, err)
	}
	for {
		// A server that runs may have made it meanwhile, with a configuration of its own.
		again, err := s.js.CreateOrUpdateStream(ctx, info.Config)
		if err == nil {
			return s.saw(again.CachedInfo())
		}
		if !isNoLeader(err) || pause(ctx, openPause) != nil {
			return fmt.Errorf("stream %s: it was deleted, and cannot be made anew: %w", s.cfg.Name,
				err)
		}
	}
}
